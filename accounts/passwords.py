"""What changes about passwords: choosing another one, and a new one for one forgotten."""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import suppress
from dataclasses import replace

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from accounts import audit, codes
from accounts.audit import Origin
from accounts.lockout import unlock_account
from accounts.models import OneTimeCode, User
from accounts.services import get_active_user
from accounts.sessions import WrongPassword, counted, end_sessions
from mymoolah.common.dispatch import send_code, send_notice
from mymoolah.common.errors import DomainError
from mymoolah.common.messages import Message


class InvalidResetToken(DomainError):
    """One answer for a token that was made up, used, replaced, or is too old."""

    code, status, title = "reset_token_invalid", 409, "This cannot be used any more; ask for a new one"


def change_password(
    *,
    public_id: uuid.UUID,
    session_public_id: uuid.UUID | None,
    current_password: str,
    new_password: str,
    now: dt.datetime,
    origin: Origin,
    what: str = "sign_in",
) -> None:
    """Give somebody who knows his password another one, and end all his sessions but this one.

    `what` names the counter of wrong ones: in a session of the back-office it is `confirmation`.

    :raises UnknownUser, NotActive: nobody has this id, or may not change anything
    :raises WrongPassword, SignInLocked: `current_password` is not his; too many were not
    :raises django.core.exceptions.ValidationError: the new one is too weak
    """
    email = get_active_user(public_id=public_id).email
    with (
        counted(email=email, origin=origin, refusal=WrongPassword, verb="password.refused", what=what),
        transaction.atomic(),
    ):
        user = get_active_user(public_id=public_id, locked=True)
        if not user.check_password(current_password):
            raise WrongPassword
        by_himself = replace(origin, actor_id=user.id)
        _set_password(user, new_password, "password.changed", by_himself)
        end_sessions(user=user, keep=session_public_id, now=now, origin=by_himself)


def send_reset(*, public_id: uuid.UUID, asked_at: dt.datetime, now: dt.datetime, origin: Origin) -> None:
    """Send a customer what he can choose a new password with, to his e-mail address, unless that was done since he asked.

    To nobody whose address is not verified: a mistyped one is a stranger's, and so may be one that staff were talked
    into. To nobody of the staff either. None of which anybody is told.

    :raises Unavailable: the broker is away; nothing was written
    """
    purpose = OneTimeCode.Purpose.PASSWORD
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
        if user is None or not may_reset(user) or codes.was_issued(user=user, purpose=purpose, since=asked_at):
            return
        with suppress(codes.TooManyCodes):
            send_reset_to(user, now=now, origin=origin)


def send_reset_to(user: User, *, now: dt.datetime, origin: Origin, **facts: str) -> None:
    """Send it to a customer whose row is locked, and who may reset his password.

    :raises TooManyCodes: five were sent within an hour
    :raises Unavailable: the broker is away; nothing was written
    """
    purpose = OneTimeCode.Purpose.PASSWORD
    code = codes.issue(user=user, purpose=purpose, target=user.email, now=now)
    text = (
        "To choose a new password, enter this in the app within thirty minutes:\n\n"
        f"{user.public_id}.{code}\n\n"
        "If you did not ask for it, do nothing: your password stays as it is."
    )
    audit.record("password.reset_sent", subject_type="user", subject_id=user.public_id, origin=origin, **facts)
    message = Message(to=user.email, subject="Choose a new MyMoolah password", text=text)
    send_code("email", message, good_for=codes.LIFETIMES[purpose])


def reset_password(*, token: str, new_password: str, now: dt.datetime, origin: Origin) -> None:
    """Give whoever brings what `send_reset` sent a new password, and end all his sessions.

    A suspended customer may do so too, but it lets him in nowhere: signing in is refused as before.

    :raises InvalidResetToken: it is not good, or not any more
    :raises django.core.exceptions.ValidationError: the new password is too weak; the token stays good
    """
    owner, _, code = token.partition(".")
    public_id = _uuid(owner)
    if public_id is None:
        raise InvalidResetToken
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
        if user is None or not may_reset(user):
            raise InvalidResetToken
        if isinstance(codes.use(user=user, purpose=OneTimeCode.Purpose.PASSWORD, code=code, now=now), DomainError):
            raise InvalidResetToken
        by_himself = replace(origin, actor_id=user.id)
        _set_password(user, new_password, "password.reset", by_himself)
        end_sessions(user=user, keep=None, now=now, origin=by_himself)
        unlock_account(email=user.email)


def may_reset(user: User) -> bool:
    return user.is_customer and user.email_verified_at is not None and user.status != User.Status.CLOSED


def _set_password(user: User, password: str, verb: str, origin: Origin) -> None:
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(verb, subject_type="user", subject_id=user.public_id, origin=origin)
    text = "The password of your MyMoolah account was changed. If that was not you, please call us at once."
    send_notice("email", Message(to=user.email, subject="Your password was changed", text=text))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
