"""The one table of what each type of voucher is."""

from __future__ import annotations

import calendar
import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymoolah.common.money import Money
from tests.transactions.legs import johannesburg
from tests.vouchers.desk import CASH_OUT, EASYPAY_VOUCHER, STANDARD, TOP_UP
from vouchers.models import Voucher
from vouchers.policies import POLICIES, AmountOutOfRange, VoucherNotOffered, get_policy, later, policy_of

CENT = Decimal("0.01")


def test_the_table_is_that_of_the_rules_of_money() -> None:
    assert {
        voucher_type: (str(p.least), str(p.most), p.at_issue, p.till, p.limits, p.has_fee, p.is_cancellable)
        for (voucher_type, currency), p in POLICIES.items()
        if currency == "ZAR"
    } == {
        STANDARD: ("5.00", "4000.00", "debited", None, "send", False, False),
        TOP_UP: ("50.00", "4000.00", "nothing", "cash_in", None, True, True),
        EASYPAY_VOUCHER: ("50.00", "3000.00", "debited", "spent", "send", True, True),
        CASH_OUT: ("50.00", "3000.00", "held", "cash_out", "cash_out", True, True),
    }


@pytest.mark.parametrize(
    ("voucher_type", "status", "balance", "has_code"),
    [
        (STANDARD, "active", "70.00", True),
        (TOP_UP, "pending_payment", "0.00", False),
        (EASYPAY_VOUCHER, "active", "70.00", False),
        (CASH_OUT, "pending_payment", "0.00", False),
    ],
)
def test_what_was_paid_for_is_worth_its_face_at_once(
    voucher_type: str, status: str, balance: str, has_code: bool
) -> None:
    policy = get_policy(voucher_type=voucher_type, currency="ZAR")
    assert (policy.first_status, policy.has_code) == (status, has_code)
    assert policy.first_balance(Decimal("70.00")) == Decimal(balance)


@pytest.mark.parametrize("voucher_type", Voucher.Type)
def test_amounts_are_refused_from_a_cent_beyond_either_edge(voucher_type: str) -> None:
    policy = get_policy(voucher_type=voucher_type, currency="ZAR")
    for amount in (policy.least, policy.most):
        policy.check_amount(Money(amount))
    for amount in (policy.least - CENT, policy.most + CENT, Decimal("0.00")):
        with pytest.raises(AmountOutOfRange) as caught:
            policy.check_amount(Money(amount))
        assert caught.value.facts == {"least": str(policy.least), "most": str(policy.most)}


def test_vouchers_of_another_currency_are_not_offered() -> None:
    with pytest.raises(VoucherNotOffered) as caught:
        get_policy(voucher_type=STANDARD, currency="USD")
    assert caught.value.facts == {"voucher_type": STANDARD, "currency": "USD"}
    with pytest.raises(VoucherNotOffered):
        policy_of(Voucher(voucher_type=STANDARD, currency="USD"))


@pytest.mark.parametrize(
    ("voucher_type", "issued", "ends"),
    [
        (STANDARD, "2026-03-01T12:00", "2029-03-02T00:00"),
        (STANDARD, "2026-03-01T00:00", "2029-03-02T00:00"),
        (STANDARD, "2026-03-01T23:59:59.999999", "2029-03-02T00:00"),
        (STANDARD, "2028-02-29T12:00", "2031-03-01T00:00"),  # 28 February is the last day: 2031 has no 29th
        (STANDARD, "2025-02-28T12:00", "2028-02-29T00:00"),  # not the 29th, though there is one
        (STANDARD, "2026-12-31T12:00", "2030-01-01T00:00"),
        (EASYPAY_VOUCHER, "2026-03-01T12:00", "2026-04-01T00:00"),
        (TOP_UP, "2026-01-31T00:00", "2026-03-03T00:00"),
        (CASH_OUT, "2028-01-30T23:00", "2028-03-01T00:00"),
        (CASH_OUT, "2026-12-15T12:00", "2027-01-15T00:00"),
    ],
)
def test_a_term_ends_with_its_last_johannesburg_day(voucher_type: str, issued: str, ends: str) -> None:
    expiry = get_policy(voucher_type=voucher_type, currency="ZAR").expiry(johannesburg(issued))
    assert expiry == johannesburg(ends)


def test_the_day_of_issue_is_that_of_johannesburg_whatever_the_clock_is_set_to() -> None:
    late_in_london = dt.datetime(2026, 3, 1, 22, tzinfo=dt.UTC)  # midnight in Johannesburg: 2 March
    assert get_policy(voucher_type=TOP_UP, currency="ZAR").expiry(late_in_london) == johannesburg("2026-04-02T00:00")


def test_messages_of_tills_may_be_72_hours_late_and_customers_type_in_time() -> None:
    grace = {voucher_type: POLICIES[voucher_type, "ZAR"].grace for voucher_type in Voucher.Type}
    three_days = dt.timedelta(hours=72)
    assert grace == {STANDARD: dt.timedelta(0), TOP_UP: three_days, EASYPAY_VOUCHER: three_days, CASH_OUT: three_days}


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)), st.integers(0, 60))
def test_some_months_later_is_the_same_day_or_the_last_of_a_shorter_month(day: dt.date, months: int) -> None:
    found = later(day, months=months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == min(day.day, calendar.monthrange(found.year, found.month)[1])
