"""What changes about somebody's contacts: proving that one is his, and replacing it.

A new e-mail address or phone number waits, as the target of a one-time code, until its code has come back. Until then
the old one stays: he signs in with it and is paid by it. Whoever had the old one is told when it is replaced.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace

from django.db import IntegrityError, transaction

from accounts import audit, codes
from accounts.audit import Origin
from accounts.models import OneTimeCode, User
from accounts.services import AlreadyRegistered, get_active_user, rename
from accounts.sessions import WrongPassword, counted
from mymoolah.common import dispatch
from mymoolah.common.errors import DomainError
from mymoolah.common.messages import Kind, Message

CODE_LIFETIME = codes.LIFETIMES[OneTimeCode.Purpose.EMAIL]
NAMES: Mapping[Kind, str] = {"email": "e-mail address", "phone": "phone number"}


class PasswordNeeded(DomainError):
    code, status, title = "current_password_required", 400, "Changing a contact takes your current password"


class ContactVerified(DomainError):
    code, status, title = "contact_verified", 409, "This contact is confirmed already"


class ContactMissing(DomainError):
    code, status, title = "contact_missing", 409, "There is no such contact to confirm"


def change_profile(
    *,
    public_id: uuid.UUID,
    names: Mapping[str, str],
    contacts: Mapping[Kind, str],
    current_password: str | None,
    now: dt.datetime,
    origin: Origin,
) -> None:
    """Change names, and send a code to each contact that is new: all of it or nothing.

    Naming the present contact takes a waiting one back. Whether a contact is somebody else's is not told here, but to
    whoever confirms it.

    :raises UnknownUser, NotActive: nobody has this id, or may not change anything
    :raises NameVerified: an identity document has confirmed the names
    :raises PasswordNeeded, WrongPassword, SignInLocked: a new contact takes the password, since it can replace it
    :raises TooManyCodes: five were sent within an hour
    :raises Unavailable: the broker is away
    """
    # Known before it is locked, to be counted before the password is looked at.
    email = get_active_user(public_id=public_id).email
    proof = counted(email=email, origin=origin, refusal=WrongPassword, verb="password.refused")
    with nullcontext() if current_password is None else proof, transaction.atomic():
        user = get_active_user(public_id=public_id, locked=True)
        if current_password is not None and not user.check_password(current_password):
            raise WrongPassword
        by_himself = replace(origin, actor_id=user.id)
        rename(public_id=public_id, **names, origin=by_himself)
        to_send: list[tuple[Kind, Message]] = []
        for contact, target in contacts.items():
            if target == getattr(user, contact):
                OneTimeCode.objects.filter(user=user, purpose=contact).exclude(target=target).delete()
                continue
            if current_password is None:
                raise PasswordNeeded
            to_send.append((contact, _new_code(user, contact, target, now, by_himself)))
        for contact, message in to_send:
            dispatch.send_code(contact, message, good_for=CODE_LIFETIME)


def send_code(*, public_id: uuid.UUID, contact: Kind, now: dt.datetime, origin: Origin, **facts: str) -> None:
    """Send a code to the contact that waits to be confirmed. He asks for it himself unless `origin` names who does.

    :raises UnknownUser, NotActive: nobody has this id, or may not change anything
    :raises ContactVerified, ContactMissing: none waits
    :raises TooManyCodes: five were sent within an hour
    :raises Unavailable: the broker is away; nothing was written
    """
    with transaction.atomic():
        user = get_active_user(public_id=public_id, locked=True)
        waiting = _waiting(user, contact)
        target: str | None = waiting.target if waiting else getattr(user, contact)
        if target is None:
            raise ContactMissing
        if waiting is None and getattr(user, f"{contact}_verified_at"):
            raise ContactVerified
        message = _new_code(user, contact, target, now, replace(origin, actor_id=origin.actor_id or user.id), **facts)
        dispatch.send_code(contact, message, good_for=CODE_LIFETIME)


def confirm_contact(*, public_id: uuid.UUID, contact: Kind, code: str, now: dt.datetime, origin: Origin) -> None:
    """Believe that a contact is somebody's, who brings the code that was sent there. A new one replaces the old.

    :raises UnknownUser, NotActive: nobody has this id, or may not change anything
    :raises CodeWrong: `attempts_left` are left
    :raises CodeExpired: it was used, replaced, tried too often or is ten minutes old
    :raises AlreadyRegistered: the contact has become somebody else's
    """
    try:
        with transaction.atomic():
            user = get_active_user(public_id=public_id, locked=True)
            used = codes.use(user=user, purpose=OneTimeCode.Purpose(contact), code=code, now=now)
            if isinstance(used, OneTimeCode):
                _keep(user, contact, used.target, now, replace(origin, actor_id=user.id))
    except IntegrityError as error:
        raise AlreadyRegistered from error
    if isinstance(used, DomainError):
        raise used  # only now: a wrong code stays counted


def _waiting(user: User, contact: Kind) -> OneTimeCode | None:
    """The code that was sent to a contact which is not his yet."""
    found = OneTimeCode.objects.filter(user=user, purpose=contact, used_at=None)
    return found.exclude(target=getattr(user, contact) or "").first()


def contacts_to_confirm(user: User) -> list[Kind]:
    """Those that a code can be sent to: what is his and not confirmed, or waits to become his. One query."""
    if user.status != User.Status.ACTIVE:
        return []
    codes_sent = OneTimeCode.objects.filter(user=user, purpose__in=NAMES, used_at=None)
    waiting = {
        purpose for purpose, target in codes_sent.values_list("purpose", "target") if target != getattr(user, purpose)
    }
    return [
        contact
        for contact in NAMES
        if contact in waiting or (getattr(user, contact) and getattr(user, f"{contact}_verified_at") is None)
    ]


def _new_code(user: User, contact: Kind, target: str, now: dt.datetime, origin: Origin, **facts: str) -> Message:
    code = codes.issue(user=user, purpose=OneTimeCode.Purpose(contact), target=target, now=now)
    audit.record(
        "contact.code_sent", subject_type="user", subject_id=user.public_id, origin=origin, contact=contact, **facts
    )
    text = f"{code} is your MyMoolah code. It is good for ten minutes. We never ask you for it."
    return Message(to=target, subject="Your MyMoolah code", text=text)


def _keep(user: User, contact: Kind, target: str, now: dt.datetime, origin: Origin) -> None:
    before, was_verified = getattr(user, contact), getattr(user, f"{contact}_verified_at") is not None
    setattr(user, contact, target)
    setattr(user, f"{contact}_verified_at", now)
    user.save(update_fields=[contact, f"{contact}_verified_at"])
    verb = "contact.verified" if target == before else "contact.changed"
    audit.record(verb, subject_type="user", subject_id=user.public_id, origin=origin, contact=contact)
    if target != before:
        # What was sent to the old address to choose a new password with is worth nothing any more.
        codes.forget(user=user, purposes=[OneTimeCode.Purpose.PASSWORD])
        if was_verified:
            name = NAMES[contact]
            text = f"The {name} of your MyMoolah account was changed; this one is no longer yours there. "
            text += "If that was not you, please call us at once."
            dispatch.send_notice(contact, Message(to=before, subject=f"Your {name} was changed", text=text))
