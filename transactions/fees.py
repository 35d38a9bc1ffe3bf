"""What services cost: read as of a moment, and changed from a moment on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.audit import Origin
from accounts.decisions import Decision, record_decision, require_finance
from mymoolah.common.clock import iso_utc
from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.money import InvalidAmount, Money
from mymoolah.common.sql.queries import rows
from transactions.models import FeeRule

RATE_STEP = Decimal("0.0001")


class FeeNotSet(DomainError):
    code, status, title = "fee_not_set", 409, "Nobody has said yet what this costs"
    example = {"kind": "easypay_topup", "currency": "ZAR"}


class UnknownFee(NotFound):
    code, title = "fee_not_found", "Nothing of this kind costs anything"


class InvalidRate(DomainError):
    code, status, title = "invalid_rate", 400, "A rate is a fraction such as 0.15, with at most four decimals"


class FeeInThePast(DomainError):
    code, status, title = "fee_in_the_past", 409, "What something cost does not change afterwards"


class FeeAlreadySet(DomainError):
    code, status, title = "fee_already_set", 409, "A fee that begins at this moment is set already"


@dataclass(frozen=True, kw_only=True)
class Fee:
    """What a service costs: the fee without VAT, and the VAT on it."""

    fee: Money
    vat: Money


def get_fee(*, kind: str, currency: str, at: dt.datetime) -> Fee:
    """What `kind` costs at a moment, by the newest rule that is in force then. One query.

    :raises FeeNotSet: no rule is, in this currency
    """
    found = rows("transactions", "fee_at.sql", kind=kind, currency=currency, at=at)
    if not found:
        raise FeeNotSet(kind=kind, currency=currency)
    (row,) = found
    return Fee(fee=Money(row["fee_amount"], currency), vat=Money(row["vat_amount"], currency))


def set_fee(
    *,
    kind: str,
    fee: Money,
    vat_rate: Decimal,
    valid_from: dt.datetime,
    decision: Decision,
    now: dt.datetime,
    origin: Origin = audit.SYSTEM,
) -> FeeRule:
    """Change what `kind` costs, without VAT, from a moment on; `vat_rate` is a fraction. A rule is added, none is edited.

    :raises FeeInThePast: `valid_from` is before `now`
    :raises FeeAlreadySet: another rule begins at this very moment
    :raises UnknownFee: no release has ever charged for this kind
    :raises InvalidAmount, InvalidRate: below nothing, or a rate of one and more
    :raises NotOfFinance, ReasonNeeded: of `decision`
    """
    if fee.amount < 0:
        raise InvalidAmount
    if not (vat_rate.is_finite() and 0 <= vat_rate < 1 and vat_rate == vat_rate.quantize(RATE_STEP)):
        raise InvalidRate
    if valid_from < now:
        raise FeeInThePast
    with transaction.atomic():
        require_finance(decision)
        if not FeeRule.objects.filter(kind=kind).exists():
            raise UnknownFee(kind=kind)
        try:
            with transaction.atomic():
                rule = FeeRule.objects.create(
                    kind=kind, currency=fee.currency, fee_amount=fee.amount, vat_rate=vat_rate, valid_from=valid_from
                )
        except IntegrityError as error:
            raise FeeAlreadySet from error
        record_decision(
            "fee.set",
            subject_type="fee_rule",
            subject_id=rule.pk,
            decision=decision,
            origin=origin,
            kind=kind,
            fee=str(fee),
            currency=fee.currency,
            vat_rate=str(vat_rate),
            valid_from=iso_utc(valid_from),
        )
    return rule
