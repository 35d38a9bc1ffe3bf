"""What each tier may do: changed by two people of finance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.audit import Origin
from accounts.decisions import Decision, record_decision, require_finance
from mymoolah.common.errors import DomainError
from mymoolah.common.money import LARGEST
from wallets.models import TierLimit

TIERS = (0, 1, 2)


class UnknownTier(DomainError):
    code, status, title = "unknown_tier", 400, "There is no such tier"


class InvalidLimits(DomainError):
    code, status, title = "invalid_limits", 400, "These limits contradict one another"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a tier may do, amounts in major units; an amount of None: nothing may be sent or cashed out at all."""

    per_transfer_amount: Decimal | None
    per_day_amount: Decimal | None
    per_month_amount: Decimal | None
    highest_balance: Decimal
    may_send: bool
    may_cash_out: bool


def set_tier_limit(
    *, tier: int, currency: str, limits: Limits, decision: Decision, origin: Origin = audit.SYSTEM
) -> TierLimit:
    """Change what a tier may do in a currency, from the next posting on.

    :raises InvalidLimits: a day allows less than a transfer, a month less than a day, or who may spend has no limit
    :raises UnknownTier: nobody can be of this tier
    :raises NotOfFinance, ReasonNeeded: of `decision`
    """
    if tier not in TIERS:
        raise UnknownTier(tier=tier)
    amounts = (limits.per_transfer_amount, limits.per_day_amount, limits.per_month_amount, limits.highest_balance)
    if any(amount is not None and not _is_amount(amount) for amount in amounts):
        raise InvalidLimits(detail="Limits are amounts of at most two decimals, and not below nothing.")
    with transaction.atomic():
        require_finance(decision)
        limit = TierLimit.objects.select_for_update(no_key=True).filter(tier=tier, currency=currency).first()
        before = _told(limit) if limit else None
        limit = limit or TierLimit(tier=tier, currency=currency)
        for name, value in asdict(limits).items():
            setattr(limit, name, value)
        try:
            with transaction.atomic():
                limit.save(update_fields=None if before is None else list(asdict(limits)))
        except IntegrityError as error:
            raise InvalidLimits from error
        record_decision(
            "tier_limit.set",
            subject_type="tier_limit",
            subject_id=f"{tier} {currency}",
            decision=decision,
            origin=origin,
            before=before,
            after=_told(limit),
        )
    return limit


def _is_amount(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount <= LARGEST and amount == round(amount, 2)


def _told(limit: TierLimit) -> dict[str, str | bool | None]:
    amounts = ("per_transfer_amount", "per_day_amount", "per_month_amount", "highest_balance")
    told: dict[str, str | bool | None] = {
        name: None if (amount := getattr(limit, name)) is None else f"{amount:.2f}" for name in amounts
    }
    return {**told, "may_send": limit.may_send, "may_cash_out": limit.may_cash_out}
