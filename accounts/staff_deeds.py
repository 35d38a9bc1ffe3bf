"""What everything that staff do about a person has in common: who may, to whom, why, and on which page it was decided.

The actor of an `origin` is who does it. Its permission is asked for here as well as at the door.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from django.db import models

from accounts.audit import Origin
from accounts.decisions import ReasonNeeded
from accounts.models import User
from accounts.services import UnknownUser
from mymoolah.common.errors import DomainError

MAY_ACT_ON_STAFF: Final = "auth.change_group"
"""Whoever gives colleagues their roles, administrators, also ends what they may do."""
WORDS_MAX: Final = 500


class NotAllowed(DomainError):
    code, status, title = "not_allowed", 403, "Your role does not do this"


class OwnAccount(DomainError):
    code, status, title = "own_account", 403, "Nobody does this to an account of his own"


class StaffAccount(DomainError):
    code, status, title = "staff_account", 403, "Only an administrator does this to a colleague"


class StalePage(DomainError):
    code, status, title = "stale_page", 409, "This has changed since you opened the page: please look again"


@dataclass(frozen=True, kw_only=True)
class Why:
    """A reason from the list of a deed, and words. Both are kept for good, so nothing personal belongs there."""

    reason: str
    words: str = ""

    def require(self, reasons: type[models.TextChoices], *, in_words: bool) -> None:
        """:raises ReasonNeeded: it is none of these `reasons`, or there are no words where `in_words` asks for some"""
        if self.reason not in reasons.values or len(self.words) > WORDS_MAX:
            raise ReasonNeeded
        if (in_words or self.reason == "other") and not self.words.strip():
            raise ReasonNeeded

    def facts(self) -> dict[str, str]:
        words = self.words.strip()
        return {"reason": self.reason, **({"words": words} if words else {})}


def officer_with(*permissions: str, origin: Origin) -> User:
    """Who does it, and may; one of `permissions` is enough.

    :raises NotAllowed: he has none of them
    """
    officer = User.objects.filter(pk=origin.actor_id).first() if origin.actor_id is not None else None
    if officer is None or not any(officer.has_perm(permission) for permission in permissions):
        raise NotAllowed
    return officer


def locked_person(*, public_id: uuid.UUID, officer: User) -> User:
    """Whom `officer` is about to do something to, locked until the transaction ends.

    :raises UnknownUser: nobody has this id
    :raises OwnAccount, StaffAccount: it is not for him to do
    """
    person = User.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
    if person is None:
        raise UnknownUser
    if person.pk == officer.pk:
        raise OwnAccount
    if person.is_superuser and not officer.is_superuser:
        raise StaffAccount
    if person.is_staff and not officer.has_perm(MAY_ACT_ON_STAFF):
        raise StaffAccount
    return person


def require_seen(*, seen: str, present: str) -> None:
    """:raises StalePage: the page that was decided on showed something else"""
    if seen != present:
        raise StalePage
