"""Suspending an account, and reinstating it. Closing one asks what else is open: vouchers/services/closing.py."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

from django.db import models, transaction

from accounts import audit
from accounts.audit import Origin
from accounts.models import User
from accounts.notices import tell
from accounts.sessions import end_sessions
from accounts.staff_deeds import Why, locked_person, officer_with, require_seen
from mymoolah.common.errors import DomainError

MAY_SUSPEND: Final = "accounts.suspend_user"


class SuspensionReason(models.TextChoices):
    FRAUD = "fraud", "Fraud is suspected"
    TAKEOVER = "takeover", "Somebody else seems to use the account"
    IDENTITY = "identity", "The identity is in doubt"
    ORDERED = "ordered", "A court or an authority orders it"
    DECEASED = "deceased", "The customer has died"
    COLLEAGUE = "colleague", "A colleague left, or is being looked into"
    OTHER = "other", "Something else"


class ReinstatementReason(models.TextChoices):
    CLEARED = "cleared", "Looked into, and nothing was wrong"
    IDENTIFIED = "identified", "The identity is certain again"
    LIFTED = "lifted", "The order was lifted"
    MISTAKE = "mistake", "Suspended by mistake"
    OTHER = "other", "Something else"


class NotSuspendable(DomainError):
    code, status, title = "not_suspendable", 409, "Only an active account can be suspended"


class NotSuspended(DomainError):
    code, status, title = "not_suspended", 409, "Only a suspended account can be reinstated"


def suspend_account(*, user: uuid.UUID, seen: str, why: Why, now: dt.datetime, origin: Origin) -> None:
    """Let somebody neither sign in nor move money, and end his sessions, a colleague's in the back-office too.

    :raises NotAllowed, UnknownUser, OwnAccount, StaffAccount, ReasonNeeded: nothing was done
    :raises StalePage: the account is no longer what the page showed (`seen`, a status)
    :raises NotSuspendable: it is not active
    """
    why.require(SuspensionReason, in_words=True)
    with transaction.atomic():
        person = locked_person(public_id=user, officer=officer_with(MAY_SUSPEND, origin=origin))
        require_seen(seen=seen, present=person.status)
        if person.status != User.Status.ACTIVE:
            raise NotSuspendable(status=person.status)
        person.status = User.Status.SUSPENDED
        person.save(update_fields=["status"])
        audit.record("account.suspended", subject_type="user", subject_id=user, origin=origin, **why.facts())
        end_sessions(user=person, keep=None, now=now, origin=origin)
        tell(person, "Your MyMoolah account is suspended", "You cannot sign in or move money for now. Please call us.")


def reinstate_account(*, user: uuid.UUID, seen: str, why: Why, origin: Origin) -> None:
    """Let somebody sign in and move money again. What was ended stays so: he signs in anew.

    :raises NotAllowed, UnknownUser, OwnAccount, StaffAccount, ReasonNeeded, StalePage: nothing was done
    :raises NotSuspended: it is active or closed
    """
    why.require(ReinstatementReason, in_words=True)
    with transaction.atomic():
        person = locked_person(public_id=user, officer=officer_with(MAY_SUSPEND, origin=origin))
        require_seen(seen=seen, present=person.status)
        if person.status != User.Status.SUSPENDED:
            raise NotSuspended(status=person.status)
        person.status = User.Status.ACTIVE
        person.save(update_fields=["status"])
        audit.record("account.reinstated", subject_type="user", subject_id=user, origin=origin, **why.facts())
        tell(person, "Your MyMoolah account is open again", "You can sign in and move money as before.")
