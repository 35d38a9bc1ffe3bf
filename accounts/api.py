"""The customers' door to accounts: signing in, and one's own profile. Registering opens a wallet: see wallets."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts import contacts, examples, passwords, selectors, sessions, tasks
from accounts.authentication import IsSignedIn, origin_of, principal
from accounts.codes import CodeExpired, CodeWrong, TooManyCodes
from accounts.contacts import ContactMissing, ContactVerified, PasswordNeeded
from accounts.lockout import SignInLocked
from accounts.passwords import InvalidResetToken
from accounts.serializers import (
    CONTACTS,
    ConfirmInput,
    ContactInput,
    ForgotInput,
    PasswordInput,
    ProfileInput,
    ProfileOutput,
    RefreshInput,
    ResetInput,
    SessionListOutput,
    SignInInput,
    TokensOutput,
    too_weak,
)
from accounts.services import AlreadyRegistered, NameVerified, NotActive, UnknownUser
from accounts.sessions import (
    InvalidCredentials,
    InvalidRefreshToken,
    RefreshInProgress,
    SessionNotFound,
    Tokens,
    WrongPassword,
)
from mymoolah.common.clock import now
from mymoolah.common.dispatch import hand_over
from mymoolah.common.inputs import StrictView
from mymoolah.common.pagination import PARAMETERS, answer, page_request
from mymoolah.common.refusals import refuses
from mymoolah.common.throttling import AddressThrottle, SignInThrottle

SESSIONS = "sessions"  # the list that a cursor belongs to
NAMES = ("first_name", "last_name")


@extend_schema(tags=["accounts"])
class TokenView(StrictView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (SignInThrottle,)

    @extend_schema(
        operation_id="sign_in",
        request=SignInInput,
        responses=TokensOutput,
        examples=[
            OpenApiExample("Thandi", examples.SIGN_IN, request_only=True),
            OpenApiExample("For fifteen minutes", examples.TOKENS, response_only=True),
        ],
    )
    @refuses(InvalidCredentials, SignInLocked)
    def post(self, request: Request) -> Response:
        """Sign in: an access token for fifteen minutes, and a refresh token for the next one.

        Ten wrong passwords within fifteen minutes lock the account's sign-in for fifteen more, a hundred that of an
        address: 429 `sign_in_locked`. Signing in, or choosing a new password for a forgotten one, sets it to nought.
        """
        asked = validated(SignInInput(data=request.data))
        given = sessions.sign_in(
            **asked, device=request.headers.get("User-Agent", ""), now=now(), origin=origin_of(request)
        )
        return Response(_body(given))


@extend_schema(tags=["accounts"])
class RefreshView(StrictView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="refresh",
        request=RefreshInput,
        responses=TokensOutput,
        examples=[
            OpenApiExample("The last one", examples.REFRESH, request_only=True),
            OpenApiExample("The next ones", examples.TOKENS, response_only=True),
        ],
    )
    @refuses(InvalidRefreshToken, RefreshInProgress)
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for new tokens.

        Each is good once. A second use within ten seconds is 409 `refresh_in_progress`; later it ends the session.
        """
        asked = validated(RefreshInput(data=request.data))
        return Response(_body(sessions.refresh_session(token=asked["refresh"], now=now(), origin=origin_of(request))))


@extend_schema(tags=["accounts"])
class LogoutView(StrictView):
    permission_classes = (IsSignedIn,)

    @extend_schema(
        operation_id="sign_out",
        request=RefreshInput,
        responses={204: None},
        examples=[OpenApiExample("This session", examples.REFRESH, request_only=True)],
    )
    @refuses(InvalidRefreshToken)
    def post(self, request: Request) -> Response:
        """End the session of a refresh token. Its access token runs out within fifteen minutes."""
        asked = validated(RefreshInput(data=request.data))
        sessions.sign_out(
            token=asked["refresh"],
            user_public_id=principal(request).public_id,
            now=now(),
            origin=origin_of(request),
        )
        return Response(status=204)


@extend_schema(tags=["accounts"])
class MeView(StrictView):
    def get_throttles(self) -> list[BaseThrottle]:
        """A change tries a password, and sends codes."""
        return [AddressThrottle()] if self.request.method == "PATCH" else super().get_throttles()

    @property
    def throttle_scope(self) -> str:
        return "codes" if self.request.method == "PATCH" else "reads"

    @extend_schema(
        operation_id="get_me",
        responses=ProfileOutput,
        examples=[OpenApiExample("Thandi", examples.PROFILE, response_only=True)],
    )
    @refuses(UnknownUser)
    def get(self, request: Request) -> Response:
        """Show who is signed in."""
        return Response(selectors.get_profile(public_id=principal(request).public_id))

    @extend_schema(
        operation_id="change_me",
        request=ProfileInput,
        responses=ProfileOutput,
        examples=[
            OpenApiExample("Another name", {"first_name": "Thandiwe"}, request_only=True),
            OpenApiExample(
                "Another number",
                {"phone": "082 111 0009", "current_password": examples.PASSWORD},
                request_only=True,
            ),
            OpenApiExample("It waits for its code", examples.WITH_NEW_NUMBER, response_only=True),
        ],
    )
    @refuses(UnknownUser, NotActive, NameVerified, PasswordNeeded, WrongPassword, SignInLocked, TooManyCodes)
    def patch(self, request: Request) -> Response:
        """Change one's names and contacts.

        A new e-mail address or phone number needs `current_password`, is sent a code, and waits as `pending_email` or
        `pending_phone` until `me/contacts/confirm` has it back. Until then the old one stays. Naming the old one takes
        it back.
        """
        asked = validated(ProfileInput(data=request.data))
        public_id = principal(request).public_id
        contacts.change_profile(
            public_id=public_id,
            names={name: asked[name] for name in NAMES if name in asked},
            contacts={contact: asked[contact] for contact in CONTACTS if contact in asked},
            current_password=asked.get("current_password"),
            now=now(),
            origin=origin_of(request),
        )
        return Response(selectors.get_profile(public_id=public_id))


@extend_schema(tags=["accounts"])
class VerifyContactView(StrictView):
    throttle_classes = (AddressThrottle,)
    throttle_scope = "codes"

    @extend_schema(
        operation_id="verify_contact",
        request=ContactInput,
        responses={202: None},
        examples=[OpenApiExample("By SMS", {"contact": "phone"}, request_only=True)],
    )
    @refuses(UnknownUser, NotActive, ContactMissing, ContactVerified, TooManyCodes)
    def post(self, request: Request) -> Response:
        """Send a code to a contact that is not confirmed: the pending one, if there is one.

        Six digits, good for ten minutes, five tries and one use; the last one sent counts. More than five an hour are
        429 `too_many_codes`.
        """
        asked = validated(ContactInput(data=request.data))
        contacts.send_code(public_id=principal(request).public_id, **asked, now=now(), origin=origin_of(request))
        return Response(status=202)


@extend_schema(tags=["accounts"])
class ConfirmContactView(StrictView):
    throttle_classes = (AddressThrottle,)
    throttle_scope = "codes"

    @extend_schema(
        operation_id="confirm_contact",
        request=ConfirmInput,
        responses=ProfileOutput,
        examples=[
            OpenApiExample("By SMS", {"contact": "phone", "code": "204816"}, request_only=True),
            OpenApiExample("It is hers", examples.PROFILE, response_only=True),
        ],
    )
    @refuses(UnknownUser, NotActive, CodeWrong, CodeExpired, AlreadyRegistered)
    def post(self, request: Request) -> Response:
        """Bring the code back: the contact is confirmed, and a pending one takes the place of the old.

        A wrong code is 409 `code_wrong` with `attempts_left`; one that is used, too old or was tried five times is 409
        `code_expired`.
        """
        asked = validated(ConfirmInput(data=request.data))
        public_id = principal(request).public_id
        contacts.confirm_contact(public_id=public_id, **asked, now=now(), origin=origin_of(request))
        return Response(selectors.get_profile(public_id=public_id))


@extend_schema(tags=["accounts"])
class PasswordView(StrictView):
    throttle_classes = (AddressThrottle,)
    throttle_scope = "codes"

    @extend_schema(
        operation_id="change_password",
        request=PasswordInput,
        responses={204: None},
        examples=[
            OpenApiExample(
                "Thandi",
                {"current_password": examples.PASSWORD, "new_password": examples.NEW_PASSWORD},
                request_only=True,
            )
        ],
    )
    @refuses(UnknownUser, NotActive, WrongPassword, SignInLocked)
    def post(self, request: Request) -> Response:
        """Choose another password. All other sessions end.

        A wrong one is 409 `wrong_password`, and counts as a failed sign-in.
        """
        asked, caller = validated(PasswordInput(data=request.data)), principal(request)
        with too_weak("new_password"):
            passwords.change_password(
                public_id=caller.public_id,
                session_public_id=caller.session_id,
                **asked,
                now=now(),
                origin=origin_of(request),
            )
        return Response(status=204)


@extend_schema(tags=["accounts"])
class ForgotPasswordView(StrictView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (AddressThrottle,)
    throttle_scope = "codes"

    @extend_schema(
        operation_id="forgot_password",
        request=ForgotInput,
        responses={202: None},
        examples=[OpenApiExample("Thandi", {"email": "thandi@example.com"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Ask for what a forgotten password is replaced with.

        It goes to the customer's confirmed e-mail address, if this is one; the answer is the same if not.
        """
        asked = validated(ForgotInput(data=request.data))
        # The worker does the rest, and gets something to do in either case: no difference can be timed here.
        public_id = selectors.get_public_id(**asked)
        hand_over(
            tasks.send_password_reset,
            user=public_id and str(public_id),
            asked_at=now().isoformat(),
            request_id=origin_of(request).request_id,
        )
        return Response(status=202)


@extend_schema(tags=["accounts"])
class ResetPasswordView(StrictView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (AddressThrottle,)
    throttle_scope = "codes"

    @extend_schema(
        operation_id="reset_password",
        request=ResetInput,
        responses={204: None},
        examples=[OpenApiExample("Thandi", examples.RESET, request_only=True)],
    )
    @refuses(InvalidResetToken)
    def post(self, request: Request) -> Response:
        """Choose a new password for a forgotten one. All sessions end; sign in with it afterwards.

        The token is good for thirty minutes and one use, the last one sent only: otherwise 409 `reset_token_invalid`.
        """
        asked = validated(ResetInput(data=request.data))
        with too_weak("new_password"):
            passwords.reset_password(**asked, now=now(), origin=origin_of(request))
        return Response(status=204)


@extend_schema(tags=["accounts"])
class SessionsView(StrictView):
    @extend_schema(
        operation_id="list_sessions",
        parameters=[*PARAMETERS],
        responses=SessionListOutput,
        examples=[OpenApiExample("Her telephone", examples.SESSIONS, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """List the devices one is signed in on, newest first."""
        caller = principal(request)
        page = selectors.login_sessions(
            user_public_id=caller.public_id,
            current=caller.session_id,
            asked=page_request(request, salt=SESSIONS),
            now=now(),
        )
        return Response(answer(request, page, salt=SESSIONS))

    @extend_schema(operation_id="end_other_sessions", responses={204: None})
    def delete(self, request: Request) -> Response:
        """End all sessions but the one that asks (which `auth/logout` ends).

        Their refresh tokens are no good at once, their access tokens within fifteen minutes.
        """
        caller = principal(request)
        sessions.end_other_sessions(
            user_public_id=caller.public_id, keep=caller.session_id, now=now(), origin=origin_of(request)
        )
        return Response(status=204)


@extend_schema(tags=["accounts"])
class SessionView(StrictView):
    @extend_schema(operation_id="end_session", responses={204: None})
    @refuses(SessionNotFound)
    def delete(self, request: Request, session_id: uuid.UUID) -> Response:
        """End one session. Its refresh token is no good at once, its access token within fifteen minutes."""
        sessions.end_session(
            public_id=session_id,
            user_public_id=principal(request).public_id,
            now=now(),
            origin=origin_of(request),
        )
        return Response(status=204)


def validated(serializer: Any) -> dict[str, Any]:
    """The values of a serializer that was given data.

    :raises ValidationError: they are not valid
    """
    serializer.is_valid(raise_exception=True)
    found: dict[str, Any] = serializer.validated_data
    return found


def _body(given: Tokens) -> dict[str, object]:
    return {
        "access": given.access,
        "refresh": given.refresh,
        "token_type": "Bearer",
        "expires_in": given.expires_in_seconds,
    }
