"""What two people of finance decide together: who they are, why, and what is written about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from accounts import audit
from accounts.audit import Origin
from accounts.models import User
from mymoolah.common.errors import DomainError

FINANCE = "finance"


class TwoPeopleNeeded(DomainError):
    code, status, title = "two_people_needed", 409, "This needs a second person, other than the one who proposed it"


class NotOfFinance(DomainError):
    code, status, title = "not_of_finance", 403, "Only people of finance decide this"


class ReasonNeeded(DomainError):
    code, status, title = "reason_needed", 400, "Say why"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What two people of finance decided: who proposed it, who approved it (users' ids), and why.

    :raises TwoPeopleNeeded: they are one
    """

    proposed_by: int
    approved_by: int
    reason: str

    def __post_init__(self) -> None:
        if self.proposed_by == self.approved_by:
            raise TwoPeopleNeeded


def require_finance(decision: Decision) -> None:
    """Refuse a decision that is not one of two active members of finance, with a reason. One query.

    :raises NotOfFinance: one of them is not, or no longer
    :raises ReasonNeeded: they do not say why
    """
    if not decision.reason.strip():
        raise ReasonNeeded
    require_members(decision.proposed_by, decision.approved_by)


def require_members(*user_ids: int) -> None:
    """:raises NotOfFinance: one of these is no active member of finance. One query."""
    people = set(user_ids)
    members = User.objects.filter(
        pk__in=people, is_staff=True, status=User.Status.ACTIVE, groups__name=FINANCE
    ).distinct()
    if members.count() != len(people):
        raise NotOfFinance


def record_decision(
    verb: str, *, subject_type: str, subject_id: object, decision: Decision, origin: Origin, **facts: object
) -> None:
    """Write what two people decided, and why, in the transaction of the deed. The one who approved it did it."""
    people = dict(
        User.objects.filter(pk__in=[decision.proposed_by, decision.approved_by]).values_list("pk", "public_id")
    )
    audit.record(
        verb,
        subject_type=subject_type,
        subject_id=subject_id,
        origin=replace(origin, actor_id=origin.actor_id or decision.approved_by),
        proposed_by=str(people[decision.proposed_by]),
        approved_by=str(people[decision.approved_by]),
        reason=decision.reason,
        **facts,
    )
