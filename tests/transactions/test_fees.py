"""What services cost: read as of a moment, and changed by two people from a moment on."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from accounts.decisions import NotOfFinance, ReasonNeeded
from accounts.models import AuditEvent, User
from mymoolah.common.money import InvalidAmount, Money
from tests.conftest import Sql, refused
from tests.proposals import minuted
from tests.transactions.legs import decided, johannesburg
from transactions.fees import (
    Fee,
    FeeAlreadySet,
    FeeInThePast,
    FeeNotSet,
    InvalidRate,
    UnknownFee,
    get_fee,
    set_fee,
)
from transactions.models import FeeRule

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

JULY = johannesburg("2026-07-01 00:00")
INSTANT = dt.timedelta(microseconds=1)


def rule(amount: str, *, since: dt.datetime, kind: str = "courier", currency: str = "ZAR", rate: str = "0.15") -> None:
    FeeRule.objects.using("owner").create(
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


def test_a_fee_is_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        get_fee(kind="easypay_topup", currency="ZAR", at=JULY)


# Changed by two people ------------------------------------------------------------------------------------------------
def change(**asked: Any) -> FeeRule:
    order: dict[str, Any] = {
        "kind": "easypay_topup",
        "fee": Money.parse("6.50"),
        "vat_rate": Decimal("0.155"),
        "valid_from": JULY,
        "now": JULY - dt.timedelta(days=1),
    }
    order = {**order, "decision": decided(), **asked}
    with transaction.atomic():
        rule = set_fee(**order)
        minuted(order["decision"], "fee_rule", rule)
    return rule


def test_a_fee_changes_from_its_moment_on_and_the_trail_says_who_changed_it() -> None:
    decision = decided("Price list 2026/2")
    made = change(decision=decision)

    assert get_fee(kind="easypay_topup", currency="ZAR", at=JULY - INSTANT) == fee("5.50", "0.83")
    assert get_fee(kind="easypay_topup", currency="ZAR", at=JULY) == fee("6.50", "1.01")
    event = AuditEvent.objects.get(verb="fee.set")
    assert (event.actor_id, event.subject_id) == (decision.approved_by, str(made.pk))
    assert event.facts == {
        "kind": "easypay_topup",
        "fee": "6.50",
        "currency": "ZAR",
        "vat_rate": "0.155",
        "valid_from": "2026-06-30T22:00:00.000000Z",
        "reason": "Price list 2026/2",
        "proposed_by": str(User.objects.get(pk=decision.proposed_by).public_id),
        "approved_by": str(User.objects.get(pk=decision.approved_by).public_id),
    }


def test_a_fee_is_set_in_another_currency_beside_the_first() -> None:
    change(fee=Money.parse("0.40", "USD"), vat_rate=Decimal(0))
    assert get_fee(kind="easypay_topup", currency="USD", at=JULY) == fee("0.40", "0.00", "USD")
    assert get_fee(kind="easypay_topup", currency="ZAR", at=JULY) == fee("5.50", "0.83")


def test_a_fee_may_begin_now_and_be_nothing() -> None:
    change(now=JULY, fee=Money.parse("0.00"))
    assert get_fee(kind="easypay_topup", currency="ZAR", at=JULY) == fee("0.00", "0.00")


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"now": JULY + INSTANT}, FeeInThePast),
        ({"kind": "easypay_topups"}, UnknownFee),
        ({"fee": Money(Decimal("-0.01"))}, InvalidAmount),
        ({"vat_rate": Decimal("-0.01")}, InvalidRate),
        ({"vat_rate": Decimal(1)}, InvalidRate),
        ({"vat_rate": Decimal("0.15001")}, InvalidRate),
        ({"vat_rate": Decimal("NaN")}, InvalidRate),
    ],
)
def test_a_fee_that_makes_no_sense_is_refused(asked: dict[str, Any], refusal: type[Exception]) -> None:
    before = FeeRule.objects.count()
    with pytest.raises(refusal):
        change(**asked)
    assert FeeRule.objects.count() == before
    assert not AuditEvent.objects.filter(verb="fee.set").exists()


def test_a_fee_is_set_once_for_each_moment() -> None:
    change()
    with pytest.raises(FeeAlreadySet):
        change(fee=Money.parse("7.00"))
    assert get_fee(kind="easypay_topup", currency="ZAR", at=JULY) == fee("6.50", "1.01")
    assert AuditEvent.objects.filter(verb="fee.set").count() == 1


def test_a_fee_needs_two_people_of_finance_and_a_reason() -> None:
    decision = decided()
    with pytest.raises(ReasonNeeded):
        change(decision=decided(" "))
    User.objects.filter(pk=decision.approved_by).update(status="suspended")
    with pytest.raises(NotOfFinance):
        change(decision=decision)
    assert not FeeRule.objects.filter(valid_from=JULY).exists()


def test_no_fee_stands_at_commit_that_two_of_finance_did_not_approve(app_sql: Sql) -> None:
    decision = decided()
    with refused("MM901"):
        app_sql(
            "INSERT INTO fee_rules (kind, currency, fee_amount, vat_rate, valid_from) "
            "VALUES ('easypay_topup', 'ZAR', 0, 0, now())"
        )
    with refused("MM901"):
        set_fee(
            kind="easypay_topup",
            fee=Money.parse("6.50"),
            vat_rate=Decimal("0.15"),
            valid_from=JULY,
            now=JULY,
            decision=decision,
        )
    with refused("42501"):
        app_sql("UPDATE fee_rules SET fee_amount = 0")
    assert not FeeRule.objects.filter(valid_from=JULY).exists()
