"""What changes about signed-in devices: signing in, refreshing, signing out.

A session is a family of refresh tokens of which one is good. Using it makes the next one good. Whoever uses an older
one later has stolen it, or was stolen from: the session ends.
"""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import transaction

from accounts import audit, lockout, tokens
from accounts.audit import Origin
from accounts.models import LoginSession, User
from mymoolah.common.errors import DomainError, NotFound

GRACE = dt.timedelta(seconds=10)
LONGEST_DEVICE = 200
NOBODYS_PASSWORD = "!"  # noqa: S105 - checking against it costs what checking a real one costs


class InvalidCredentials(DomainError):
    """One answer for an unknown address, a wrong password and an account that may not sign in."""

    code, status, title = "invalid_credentials", 401, "This e-mail address and password do not sign in"


class WrongPassword(DomainError):
    """Somebody who is signed in gave another password than his."""

    code, status, title = "wrong_password", 409, "This is not your current password"


class SessionNotFound(NotFound):
    code, title = "session_not_found", "There is no such session"


class InvalidRefreshToken(DomainError):
    code, status, title = "refresh_token_invalid", 401, "Please sign in again"


class RefreshInProgress(DomainError):
    code, status, title = "refresh_in_progress", 409, "Another request has just used this refresh token"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    access: str
    refresh: str
    expires_in_seconds: int


def sign_in(*, email: str, password: str, device: str, now: dt.datetime, origin: Origin) -> Tokens:
    """Start a session on a device.

    :raises InvalidCredentials: after the same time, whatever was wrong
    :raises SignInLocked: the account or the address has failed too often, whatever the password
    """
    with counted(email=email, origin=origin, refusal=InvalidCredentials):
        user = User.objects.with_email(email).first()
        known = user.check_password(password) if user else check_password(password, NOBODYS_PASSWORD)
        if user is None or not known:
            raise InvalidCredentials
        with transaction.atomic():
            # Locked, so that whoever changes the password meanwhile finds, and ends, a session that the old one opened.
            present = User.objects.select_for_update(no_key=True).get(pk=user.pk)
            if not present.is_active or present.password != user.password:
                raise InvalidCredentials
            return start_session(user=user, device=device, now=now, origin=replace(origin, actor_id=user.id))


@contextmanager
def counted(
    *, email: str, origin: Origin, refusal: type[Exception], verb: str = "", what: str = "sign_in"
) -> Iterator[None]:
    """Count what happens inside as one try of an account's password, which was wrong if `refusal` comes of it.

    `what` names the counter, and so `sign_in.failed`, unless that has a `verb` of its own, and `sign_in.locked`.

    What is written does not depend on whether there is such an account: its time would tell.

    :raises SignInLocked: the account or the address has failed too often; nothing happens inside
    """
    attempt = lockout.count_attempt(email=email, address=origin.address, what=what)
    try:
        yield
    except refusal:
        locked = attempt.failed()
        found = User.objects.with_email(email).values_list("public_id", flat=True).first()
        subject_id = found or ""
        audit.record(verb or f"{what}.failed", subject_type="user", subject_id=subject_id, origin=origin)
        if locked:
            audit.record(f"{what}.locked", subject_type="user", subject_id=subject_id, origin=origin, locked=locked)
        raise
    except Exception:
        attempt.taken_back()
        raise
    attempt.succeeded()


def start_session(*, user: User, device: str, now: dt.datetime, origin: Origin) -> Tokens:
    """Open a session for somebody who has proved, or an operator vouches, to be `user`."""
    public_id = uuid.uuid4()
    refresh = tokens.new_refresh_token(public_id)
    with transaction.atomic():
        session = LoginSession.objects.create(
            public_id=public_id,
            user=user,
            device=_printable(device)[:LONGEST_DEVICE],
            address=origin.address,
            token_digest=tokens.digest(refresh),
            rotated_at=now,
            created_at=now,
            last_used_at=now,
            expires_at=now + settings.REFRESH_TOKEN_LIFETIME,
        )
        audit.record("session.started", subject_type="session", subject_id=public_id, origin=origin)
    return _tokens(session, refresh, now)


def _printable(text: str) -> str:
    """What a header says, without what no database or no screen shows as it is."""
    return "".join(character if character.isprintable() else " " for character in text)


def refresh_session(*, token: str, now: dt.datetime, origin: Origin) -> Tokens:
    """Exchange a refresh token for the next one. Of several at once, one gets it.

    :raises RefreshInProgress: another one was given for it less than ten seconds ago
    :raises InvalidRefreshToken: it is not good; one used a second time has ended its session
    """
    with transaction.atomic():
        answer = _rotate(token, now, origin)
    if isinstance(answer, DomainError):
        raise answer  # only now: a session that this ended stays ended
    return answer


def _rotate(token: str, now: dt.datetime, origin: Origin) -> Tokens | DomainError:
    session = _locked_session(token)
    if session is None or session.revoked_at is not None or session.expires_at <= now or not session.user.is_active:
        return InvalidRefreshToken()
    digest = tokens.digest(token)
    if not hmac.compare_digest(digest, bytes(session.token_digest)):
        if digest == bytes(session.previous_digest or b"") and now - session.rotated_at <= GRACE:
            return RefreshInProgress()
        _revoke(session, "session.refresh_token_reused", now, origin)
        return InvalidRefreshToken()
    refresh = tokens.new_refresh_token(session.public_id)
    session.previous_digest, session.token_digest = digest, tokens.digest(refresh)
    session.rotated_at = session.last_used_at = now
    session.expires_at = now + settings.REFRESH_TOKEN_LIFETIME
    session.save(update_fields=["previous_digest", "token_digest", "rotated_at", "last_used_at", "expires_at"])
    return _tokens(session, refresh, now)


def sign_out(*, token: str, user_public_id: uuid.UUID, now: dt.datetime, origin: Origin) -> None:
    """End the session that a refresh token belongs to; ending an ended one changes nothing.

    :raises InvalidRefreshToken: it is not a token of this user
    """
    with transaction.atomic():
        session = _locked_session(token)
        if session is None or session.user.public_id != user_public_id:
            raise InvalidRefreshToken
        if session.revoked_at is None:
            _revoke(session, "session.ended", now, replace(origin, actor_id=session.user_id))


def end_session(
    *, public_id: uuid.UUID, user_public_id: uuid.UUID, now: dt.datetime, origin: Origin, **facts: str
) -> None:
    """End one of somebody's sessions, by himself unless `origin` names who does; ending an ended one changes nothing.

    :raises SessionNotFound: this user never had it
    """
    with transaction.atomic():
        sessions = LoginSession.objects.select_for_update(no_key=True)
        session = sessions.filter(public_id=public_id, user__public_id=user_public_id).first()
        if session is None:
            raise SessionNotFound
        if session.revoked_at is None:
            _revoke(
                session, "session.ended", now, replace(origin, actor_id=origin.actor_id or session.user_id), **facts
            )


def end_sessions(*, user: User, keep: uuid.UUID | None, now: dt.datetime, origin: Origin, **facts: str) -> int:
    """End all of somebody's sessions but the one to `keep`; how many that were."""
    live = LoginSession.objects.filter(user=user, revoked_at=None, expires_at__gt=now)
    ended = live.exclude(public_id=keep).update(revoked_at=now) if keep else live.update(revoked_at=now)
    if ended:
        audit.record(
            "sessions.ended", subject_type="user", subject_id=user.public_id, origin=origin, count=ended, **facts
        )
    return ended


def end_other_sessions(*, user_public_id: uuid.UUID, keep: uuid.UUID, now: dt.datetime, origin: Origin) -> None:
    """End all of somebody's sessions but the one that asks for it."""
    with transaction.atomic():
        user = User.objects.filter(public_id=user_public_id).first()
        if user is not None:
            end_sessions(user=user, keep=keep, now=now, origin=replace(origin, actor_id=user.id))


def forget_sessions(*, ended_before: dt.datetime, most: int) -> int:
    """Delete at most so many sessions that nobody could have gone on with since then; how many those were.

    Device and address are kept no longer than a purpose asks for (POPIA, section 14). That a session began, and from
    where, stays in the audit trail.
    """
    over = LoginSession.objects.filter(expires_at__lt=ended_before).order_by("expires_at").values("pk")[:most]
    count, _ = LoginSession.objects.filter(pk__in=over).delete()
    return count


def _locked_session(token: str) -> LoginSession | None:
    public_id = tokens.refresh_token_session(token)
    if public_id is None:
        return None
    sessions = LoginSession.objects.select_for_update(no_key=True, of=("self",)).select_related("user")
    return sessions.filter(public_id=public_id).first()


def _revoke(session: LoginSession, verb: str, now: dt.datetime, origin: Origin, **facts: str) -> None:
    session.revoked_at = now
    session.save(update_fields=["revoked_at"])
    audit.record(verb, subject_type="session", subject_id=session.public_id, origin=origin, **facts)


def _tokens(session: LoginSession, refresh: str, now: dt.datetime) -> Tokens:
    access = tokens.issue_access_token(
        user_public_id=session.user.public_id,
        session_public_id=session.public_id,
        role="customer" if session.user.is_customer else "staff",
        now=now,
    )
    return Tokens(
        access=access, refresh=refresh, expires_in_seconds=int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())
    )
