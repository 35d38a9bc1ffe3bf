"""What staff do for somebody who calls: end his sessions, unlock his sign-in, send him a code, look at his ID number.

Nobody of the staff sees a code, or chooses a password for anybody.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

from django.db import models, transaction
from django.db.models import F

from accounts import audit, contacts, passwords, sessions
from accounts.audit import Origin
from accounts.kyc_identity import decrypted_number
from accounts.kyc_number_looks import counted_look
from accounts.lockout import unlock_account
from accounts.models import User
from accounts.second_factor import end_staff_sessions
from accounts.staff_deeds import Why, locked_person, officer_with
from mymoolah.common.errors import DomainError
from mymoolah.common.messages import Kind

MAY_ASSIST: Final = "accounts.assist_user"
MAY_REVEAL: Final = "accounts.reveal_kycsubmission"


class CareReason(models.TextChoices):
    ASKED = "asked", "The customer asked for it"
    LOST = "lost", "A telephone or a card is lost"
    TAKEOVER = "takeover", "Somebody else seems to use the account"
    OTHER = "other", "Something else"


class RevealReason(models.TextChoices):
    CALLER = "caller", "To make sure who is calling"
    DOCUMENT = "document", "To compare it with a document"
    AUTHORITY = "authority", "An authority asks for it"
    OTHER = "other", "Something else"


class CannotReset(DomainError):
    code, status, title = "cannot_reset", 409, "No password can be reset by message here"


class NothingToReveal(DomainError):
    code, status, title = "nothing_to_reveal", 409, "This customer has not given us an identity number"


def end_one_session(*, user: uuid.UUID, session: uuid.UUID, why: Why, now: dt.datetime, origin: Origin) -> None:
    """Sign somebody out on one device; ending an ended session changes nothing.

    :raises NotAllowed, UnknownUser, OwnAccount, StaffAccount, ReasonNeeded: nothing was done
    :raises SessionNotFound: he never had it
    """
    why.require(CareReason, in_words=False)
    with transaction.atomic():
        locked_person(public_id=user, officer=officer_with(MAY_ASSIST, origin=origin))
        sessions.end_session(public_id=session, user_public_id=user, now=now, origin=origin, **why.facts())


def end_every_session(*, user: uuid.UUID, why: Why, now: dt.datetime, origin: Origin) -> int:
    """Sign somebody out everywhere, a colleague in the back-office too; on how many devices of the app that was.

    :raises NotAllowed, UnknownUser, OwnAccount, StaffAccount, ReasonNeeded: nothing was done
    """
    why.require(CareReason, in_words=False)
    with transaction.atomic():
        person = locked_person(public_id=user, officer=officer_with(MAY_ASSIST, origin=origin))
        if not person.is_customer:
            end_staff_sessions(user=person, origin=origin)
        return sessions.end_sessions(user=person, keep=None, now=now, origin=origin, **why.facts())


def unlock_sign_in(*, user: uuid.UUID, why: Why, origin: Origin) -> None:
    """Forget the wrong passwords that somebody typed, so that he can try again; harmless where there were none.

    :raises NotAllowed, UnknownUser, OwnAccount, StaffAccount, ReasonNeeded: nothing was done
    :raises Unavailable: Redis is away
    """
    why.require(CareReason, in_words=False)
    with transaction.atomic():
        person = locked_person(public_id=user, officer=officer_with(MAY_ASSIST, origin=origin))
        audit.record("sign_in.unlocked", subject_type="user", subject_id=user, origin=origin, **why.facts())
        unlock_account(email=person.email)  # last: Redis knows no way back


def send_contact_code(*, user: uuid.UUID, contact: Kind, why: Why, now: dt.datetime, origin: Origin) -> None:
    """Send the code that confirms a contact, counted with those that the customer asks for.

    :raises NotAllowed, UnknownUser, OwnAccount, StaffAccount, ReasonNeeded: nothing was done
    :raises NotActive, ContactVerified, ContactMissing: none is needed
    :raises TooManyCodes: five were sent within an hour
    :raises Unavailable: the broker is away
    """
    why.require(CareReason, in_words=False)
    with transaction.atomic():
        locked_person(public_id=user, officer=officer_with(MAY_ASSIST, origin=origin))
        contacts.send_code(public_id=user, contact=contact, now=now, origin=origin, **why.facts())


def send_password_reset(*, user: uuid.UUID, why: Why, now: dt.datetime, origin: Origin) -> None:
    """Send a customer what he can choose a new password with.

    :raises NotAllowed, UnknownUser, OwnAccount, StaffAccount, ReasonNeeded: nothing was done
    :raises CannotReset: his e-mail address is not confirmed, or it is closed, or a colleague's
    :raises TooManyCodes: five were sent within an hour
    :raises Unavailable: the broker is away
    """
    why.require(CareReason, in_words=False)
    with transaction.atomic():
        person = locked_person(public_id=user, officer=officer_with(MAY_ASSIST, origin=origin))
        if not passwords.may_reset(person):
            raise CannotReset(detail=_why_no_reset(person))
        passwords.send_reset_to(person, now=now, origin=origin, **why.facts())


def _why_no_reset(person: User) -> str:
    if not person.is_customer:
        return "A colleague gets a new password from an operator."
    if person.status == User.Status.CLOSED:
        return "The account is closed."
    return "The e-mail address is not confirmed: it may be a stranger's."


def has_number(person: User) -> bool:
    """Whether there is an identity number to look at."""
    return person.is_customer and person.kyc_submissions.exists()


def reveal_number(*, user: uuid.UUID, why: Why, now: dt.datetime, origin: Origin) -> str:
    """The identity number that a customer was approved with, else the last that he sent; each look is written down.

    Only an approved submission has a granted tier.

    :raises NotAllowed, UnknownUser, OwnAccount, StaffAccount, ReasonNeeded: nothing was shown
    :raises NothingToReveal: he sent none
    :raises TooManyRevealed: the officer has looked at twenty within an hour, here or at the KYC desk
    """
    why.require(RevealReason, in_words=True)
    officer = officer_with(MAY_REVEAL, origin=origin)
    with counted_look(officer_id=officer.pk, now=now):
        person = locked_person(public_id=user, officer=officer)
        found = person.kyc_submissions.order_by(F("granted_tier").desc(nulls_last=True), "-pk").first()
        if found is None:
            raise NothingToReveal
        audit.record(
            "identity.revealed",
            subject_type="user",
            subject_id=user,
            origin=origin,
            submission=str(found.public_id),
            **why.facts(),
        )
        return decrypted_number(found.id_number_encrypted)
