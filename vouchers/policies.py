"""What each type of voucher is: the one table that issuing, redeeming, tills, cancelling and expiring read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from mymoolah.common.clock import business_day, start_of_day
from mymoolah.common.errors import DomainError
from mymoolah.common.money import CURRENCY, Money
from vouchers.models import Voucher


class VoucherNotOffered(DomainError):
    code, status, title = "voucher_not_offered", 409, "Such vouchers are not offered in this currency"
    example = {"voucher_type": "standard", "currency": "USD"}


class AmountOutOfRange(DomainError):
    code, status, title = "amount_out_of_range", 400, "Such a voucher is not made for this amount"
    example = {"least": "5.00", "most": "4000.00"}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The rules of one type of voucher in one currency.

    `at_issue`: the issuer is debited, or his money is held, or nothing moves yet. `till`: what a till does with its
    number, cash in, goods out or cash out; None where it has a code that customers type instead. `limits`: what of the
    tier's limits its face counts against. The term ends with the last Johannesburg day of its months or days; the sweep
    waits `grace` longer, for tills' messages that come late.
    """

    least: Decimal
    most: Decimal
    at_issue: Literal["debited", "held", "nothing"]
    till: Literal["cash_in", "spent", "cash_out"] | None
    limits: Literal["send", "cash_out"] | None
    has_fee: bool
    is_cancellable: bool
    term_months: int = 0
    term_days: int = 0
    grace: dt.timedelta = dt.timedelta(0)

    @property
    def has_code(self) -> bool:
        return self.till is None

    @property
    def first_status(self) -> Voucher.Status:
        return Voucher.Status.ACTIVE if self.at_issue == "debited" else Voucher.Status.PENDING_PAYMENT

    def first_balance(self, face: Decimal) -> Decimal:
        """What the bank owes for a new voucher."""
        return face if self.at_issue == "debited" else Decimal("0.00")

    def check_amount(self, amount: Money) -> None:
        """:raises AmountOutOfRange: no voucher of this type is made for it"""
        if not self.least <= amount.amount <= self.most:
            raise AmountOutOfRange(least=str(self.least), most=str(self.most))

    def expiry(self, issued_at: dt.datetime) -> dt.datetime:
        """The first moment at which a voucher of this moment is no longer good."""
        return start_of_day(self.last_day(business_day(issued_at)) + dt.timedelta(days=1))

    def last_day(self, issued_on: dt.date) -> dt.date:
        """The last Johannesburg day on which a voucher of this day is good."""
        return later(issued_on, months=self.term_months) + dt.timedelta(days=self.term_days)


def later(day: dt.date, *, months: int) -> dt.date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (dt.date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(day.day, last))


# Consumer Protection Act 68 of 2008, section 63: prepaid value stays good for three years.
STANDARD_MONTHS: Final = 36
EASYPAY_DAYS: Final = 30
LATE_MESSAGES: Final = dt.timedelta(hours=72)

POLICIES: Final[Mapping[tuple[str, str], Policy]] = {
    (Voucher.Type.STANDARD, CURRENCY): Policy(
        least=Decimal("5.00"),
        most=Decimal("4000.00"),
        at_issue="debited",
        till=None,
        limits="send",
        has_fee=False,
        is_cancellable=False,
        term_months=STANDARD_MONTHS,
    ),
    (Voucher.Type.EASYPAY_TOPUP, CURRENCY): Policy(
        least=Decimal("50.00"),
        most=Decimal("4000.00"),
        at_issue="nothing",
        till="cash_in",
        limits=None,
        has_fee=True,
        is_cancellable=True,
        term_days=EASYPAY_DAYS,
        grace=LATE_MESSAGES,
    ),
    (Voucher.Type.EASYPAY_VOUCHER, CURRENCY): Policy(
        least=Decimal("50.00"),
        most=Decimal("3000.00"),
        at_issue="debited",
        till="spent",
        limits="send",
        has_fee=True,
        is_cancellable=True,
        term_days=EASYPAY_DAYS,
        grace=LATE_MESSAGES,
    ),
    (Voucher.Type.EASYPAY_CASHOUT, CURRENCY): Policy(
        least=Decimal("50.00"),
        most=Decimal("3000.00"),
        at_issue="held",
        till="cash_out",
        limits="cash_out",
        has_fee=True,
        is_cancellable=True,
        term_days=EASYPAY_DAYS,
        grace=LATE_MESSAGES,
    ),
}


def get_policy(*, voucher_type: str, currency: str) -> Policy:
    """:raises VoucherNotOffered: there are no such vouchers in this currency"""
    policy = POLICIES.get((voucher_type, currency))
    if policy is None:
        raise VoucherNotOffered(voucher_type=voucher_type, currency=currency)
    return policy


def policy_of(voucher: Voucher) -> Policy:
    """:raises VoucherNotOffered: no release has ever offered such vouchers in this currency"""
    return get_policy(voucher_type=voucher.voucher_type, currency=voucher.currency)
