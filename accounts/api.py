"""The customers' door to accounts: signing in, and one's own profile. Registering opens a wallet: see wallets."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import selectors, services, sessions
from accounts.authentication import IsSignedIn, origin_of, principal
from accounts.serializers import ProfileInput, ProfileOutput, RefreshInput, SignInInput, TokensOutput
from accounts.sessions import Tokens
from mymoolah.common.clock import now
from mymoolah.common.throttling import SignInThrottle


class TokenView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (SignInThrottle,)

    @extend_schema(
        operation_id="sign_in",
        request=SignInInput,
        responses=TokensOutput,
        examples=[
            OpenApiExample(
                "Thandi", {"email": "thandi@example.com", "password": "a-good-long-passphrase"}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Sign in: an access token for fifteen minutes, and a refresh token for the next one."""
        asked = validated(SignInInput(data=request.data))
        given = sessions.sign_in(
            **asked, device=request.headers.get("User-Agent", ""), now=now(), origin=origin_of(request)
        )
        return Response(_body(given))


class RefreshView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="refresh", request=RefreshInput, responses=TokensOutput)
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for new tokens.

        Each is good once. A second use within ten seconds is 409 `refresh_in_progress`; later it ends the session.
        """
        asked = validated(RefreshInput(data=request.data))
        return Response(_body(sessions.refresh_session(token=asked["refresh"], now=now(), origin=origin_of(request))))


class LogoutView(APIView):
    permission_classes = (IsSignedIn,)

    @extend_schema(operation_id="sign_out", request=RefreshInput, responses={204: None})
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


class MeView(APIView):
    @extend_schema(operation_id="get_me", responses=ProfileOutput)
    def get(self, request: Request) -> Response:
        """Show who is signed in."""
        return Response(selectors.get_profile(public_id=principal(request).public_id))

    @extend_schema(operation_id="change_me", request=ProfileInput, responses=ProfileOutput)
    def patch(self, request: Request) -> Response:
        """Change one's names."""
        asked = validated(ProfileInput(data=request.data))
        public_id = principal(request).public_id
        services.rename(public_id=public_id, **asked, origin=origin_of(request))
        return Response(selectors.get_profile(public_id=public_id))


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
