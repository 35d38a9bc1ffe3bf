"""What services cost: read as of a moment, and changed by two people from a moment on."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mymoolah.common.money import Money
from tests.transactions.legs import johannesburg
from transactions.fees import Fee, FeeNotSet, get_fee
from transactions.models import FeeRule

pytestmark = [pytest.mark.sql, pytest.mark.django_db]

JULY = johannesburg("2026-07-01 00:00")
INSTANT = dt.timedelta(microseconds=1)


def rule(amount: str, *, since: dt.datetime, kind: str = "courier", currency: str = "ZAR", rate: str = "0.15") -> None:
    FeeRule.objects.create(
        kind=kind, currency=currency, fee_amount=Decimal(amount), vat_rate=Decimal(rate), valid_from=since
    )


def fee(amount: str, vat: str, currency: str = "ZAR") -> Fee:
    return Fee(fee=Money.parse(amount, currency), vat=Money.parse(vat, currency))


@pytest.mark.parametrize(
    ("kind", "costs"),
    [
        ("easypay_topup", fee("5.50", "0.83")),
        ("easypay_voucher", fee("2.50", "0.38")),
        ("easypay_cashout", fee("8.00", "1.20")),
    ],
)
def test_vat_on_what_easypay_costs_is_rounded_half_up_to_the_cent(kind: str, costs: Fee) -> None:
    assert get_fee(kind=kind, currency="ZAR", at=JULY) == costs


def test_a_rule_is_in_force_from_its_first_moment_until_the_next_one_begins() -> None:
    rule("1.00", since=JULY - dt.timedelta(days=30))
    rule("3.00", since=JULY + dt.timedelta(days=30))
    rule("2.00", since=JULY, rate="0.14")

    assert get_fee(kind="courier", currency="ZAR", at=JULY - INSTANT) == fee("1.00", "0.15")
    assert get_fee(kind="courier", currency="ZAR", at=JULY) == fee("2.00", "0.28")
    assert get_fee(kind="courier", currency="ZAR", at=JULY + dt.timedelta(days=30) - INSTANT) == fee("2.00", "0.28")
    assert get_fee(kind="courier", currency="ZAR", at=JULY + dt.timedelta(days=30)) == fee("3.00", "0.45")


def test_before_the_first_rule_nothing_is_set() -> None:
    rule("1.00", since=JULY)
    with pytest.raises(FeeNotSet) as caught:
        get_fee(kind="courier", currency="ZAR", at=JULY - INSTANT)
    assert caught.value.facts == {"kind": "courier", "currency": "ZAR"}


def test_each_currency_has_its_own_rules() -> None:
    rule("5.00", since=JULY)
    rule("0.30", since=JULY, currency="USD", rate="0")
    assert get_fee(kind="courier", currency="ZAR", at=JULY) == fee("5.00", "0.75")
    assert get_fee(kind="courier", currency="USD", at=JULY) == fee("0.30", "0.00", "USD")
    with pytest.raises(FeeNotSet):
        get_fee(kind="easypay_topup", currency="USD", at=JULY)


def test_a_fee_is_one_query(django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        get_fee(kind="easypay_topup", currency="ZAR", at=JULY)
