"""What two people of finance decide together."""

from __future__ import annotations

from accounts.models import User
from mymoolah.common.errors import DomainError
from transactions.posting import Decision

FINANCE = "finance"


class NotOfFinance(DomainError):
    code, status, title = "not_of_finance", 403, "Only people of finance decide this"


class ReasonNeeded(DomainError):
    code, status, title = "reason_needed", 400, "Say why"


def require_finance(decision: Decision) -> None:
    """Refuse a decision that is not one of two active members of finance, with a reason. One query.

    :raises NotOfFinance: one of them is not, or no longer
    :raises ReasonNeeded: they do not say why
    """
    if not decision.reason.strip():
        raise ReasonNeeded
    people = {decision.proposed_by, decision.approved_by}
    members = User.objects.filter(
        pk__in=people, is_staff=True, status=User.Status.ACTIVE, groups__name=FINANCE
    ).distinct()
    if members.count() != len(people):
        raise NotOfFinance
