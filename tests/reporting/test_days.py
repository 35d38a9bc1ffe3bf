"""The days equal a plain recomputation, entry by entry in Python; a closed one is never taken again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connections

from accounts.models import KycSubmission
from mymoolah.common import refused_payments
from mymoolah.common.clock import JOHANNESBURG, business_day, now
from reporting import tasks
from reporting.days import LOCK_KEY, DaysBeingTaken, Taken, take_days
from reporting.loading.plan import Order
from reporting.loading.service import load
from reporting.models import BusinessDay, BusinessDayMoney, BusinessDayRefusal
from tests.api import calling, problem
from tests.conftest import Ledger, Person, Sql, fund, person
from tests.transactions.legs import beside, leg
from transactions import posting
from transactions.models import Kind, Transfer
from transactions.posting import House
from vouchers.models import SuspenseItem, TillEvent
from wallets import services as wallet_services
from wallets.models import Wallet

pytestmark = pytest.mark.sql

ZERO = Decimal("0.00")
LIABILITY = House(Wallet.Kind.VOUCHER_LIABILITY, 3)
MONDAY = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)


def at(day: dt.date, clock: str) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), JOHANNESBURG)


# The plain recomputation --------------------------------------------------------------------------------------------
def money_of(day: dt.date, currency: str) -> dict[str, Any]:
    found: dict[str, Any] = {"in": [], "out": [], "between": []}
    owed = ZERO
    for transfer in Transfer.objects.select_related("from_wallet", "to_wallet"):
        if transfer.currency != currency:
            continue
        is_out, is_in = (wallet.kind == "customer" for wallet in (transfer.from_wallet, transfer.to_wallet))
        if business_day(transfer.created_at) == day and (is_in or is_out):
            found["between" if is_in and is_out else "in" if is_in else "out"].append(transfer.amount)
        if business_day(transfer.created_at) <= day:
            owed += transfer.amount if transfer.to_wallet.kind == "voucher_liability" else ZERO
            owed -= transfer.amount if transfer.from_wallet.kind == "voucher_liability" else ZERO
    counts = {f"{way}_count": len(amounts) for way, amounts in found.items()}
    return counts | {f"{way}_amount": sum(amounts, ZERO) for way, amounts in found.items()} | {"voucher_float": owed}


def people_of(day: dt.date) -> dict[str, int]:
    users = {
        wallet.user_id
        for transfer in Transfer.objects.select_related("from_wallet", "to_wallet")
        for wallet in (transfer.from_wallet, transfer.to_wallet)
        if wallet.user_id and business_day(transfer.created_at) == day
    }
    cases = list(KycSubmission.objects.all())
    decided = [case.status for case in cases if case.decided_at and business_day(case.decided_at) == day]
    came = [case for case in cases if business_day(case.created_at) <= day]
    return {
        "active_customers": len(users),
        "kyc_submitted": sum(business_day(case.created_at) == day for case in came),
        "kyc_approved": decided.count("approved"),
        "kyc_rejected": decided.count("rejected"),
        "kyc_waiting": sum(case.decided_at is None or business_day(case.decided_at) > day for case in came),
        "set_aside": sum(
            business_day(item.created_at) == day for item in SuspenseItem.objects.exclude(till_event=None)
        ),
    }


def assert_equal_to_a_recount(first_day: dt.date, last_day: dt.date, currencies: set[str]) -> None:
    days = [first_day + number * DAY for number in range((last_day - first_day).days + 1)]
    assert list(BusinessDay.objects.order_by("day").values_list("day", flat=True)) == days
    assert {(row.day_id, row.currency) for row in BusinessDayMoney.objects.all()} == {
        (day, currency) for day in days for currency in currencies
    }
    for row in BusinessDay.objects.all():
        expected = people_of(row.day)
        assert {name: getattr(row, name) for name in expected} == expected, row.day
    for money in BusinessDayMoney.objects.all():
        expected = money_of(money.day_id, money.currency)
        assert {name: getattr(money, name) for name in expected} == expected, money


# What happened ------------------------------------------------------------------------------------------------------
def move(source: Person | House, target: Person | House, amount: str, when: dt.datetime, **demands: Any) -> None:
    posting.post([leg(source, target, amount, **demands)], at=when)


def case_of(who: Person, came: dt.datetime, status: str = "pending", decided: dt.datetime | None = None) -> None:
    facts: dict[str, Any] = {"waits_for": "officer"} if status == "pending" else {"waits_for": None}
    if decided:
        facts |= {"decided_at": decided, "reviewer": person("officer").user, "reason": "It is dark"}
    KycSubmission.objects.create(
        user=who.user,
        id_type="sa_id",
        id_number_encrypted="x",
        id_number_index=who.wallet.number.encode().ljust(32),
        status=status,
        created_at=came,
        **facts,
    )


def set_aside(when: dt.datetime) -> None:
    clearing, suspense = House(Wallet.Kind.EASYPAY_CLEARING, 0), House(Wallet.Kind.SUSPENSE, 0)
    posted = posting.post([leg(clearing, suspense, "60.00", kind=Kind.SUSPENSE)], at=when)[0]
    common: dict[str, Any] = {"amount": "60.00", "currency": "ZAR"}
    event = TillEvent.objects.create(
        provider="easypay",
        provider_reference="late",
        body=b"{}",
        body_sha256=b"d" * 32,
        easypay_number="95063123456785",
        paid_at=when,
        result="suspense",
        processed_at=when,
        **common,
    )
    SuspenseItem.objects.create(
        till_event=event,
        direction="owed_to_customer",
        reason="unknown_number",
        transfer_id=posted.transfer_id,
        created_at=when,
        **common,
    )


@pytest.fixture
def three_days(thandi: Person, sipho: Person, naledi: Person, ledger: Ledger) -> Person:
    """Money of two currencies up to and over midnight, of Johannesburg and of UTC; Thandi's dollars."""
    wallet_services.open_house_wallets(currency="USD")
    dollars = Person(thandi.user, wallet_services.open_wallet(user=thandi.user, currency="USD"))
    tuesday, wednesday = MONDAY + DAY, MONDAY + 2 * DAY
    fund(thandi, "500.00", at=at(MONDAY, "00:00"))
    fund(dollars, "70.00", at=at(MONDAY, "01:59"))  # UTC's Sunday
    move(thandi, sipho, "12.50", at(MONDAY, "23:59:59.999999"))
    move(thandi, sipho, "1.00", at(tuesday, "00:00"))
    move(sipho, LIABILITY, "5.00", at(tuesday, "00:30"), kind=Kind.VOUCHER_ISSUE)
    move(LIABILITY, thandi, "2.00", at(wednesday, "08:00"), kind=Kind.VOUCHER_REDEEM)
    move(dollars, LIABILITY, "7.00", at(wednesday, "09:00"), kind=Kind.VOUCHER_ISSUE, currency="USD")
    move(
        House(Wallet.Kind.BANK, 0),
        House(Wallet.Kind.EASYPAY_CLEARING, 1),
        "90.00",
        at(wednesday, "10:00"),
        kind=Kind.DEMO_MONEY,
    )
    case_of(thandi, at(MONDAY, "09:00"))
    case_of(sipho, at(MONDAY, "10:00"), "rejected", at(tuesday, "23:00"))
    case_of(naledi, at(tuesday, "10:00"))
    set_aside(at(tuesday, "11:00"))
    ledger.is_broken = True  # vouchers without rows, and a till's money without its report's books
    return dollars


# Tests --------------------------------------------------------------------------------------------------------------
def test_each_day_equals_a_recount(three_days: Person) -> None:
    taken = take_days(now=at(MONDAY + 3 * DAY, "12:00"))
    assert taken == Taken(first_day=MONDAY, last_day=MONDAY + 3 * DAY)
    assert_equal_to_a_recount(MONDAY, MONDAY + 3 * DAY, {"ZAR", "USD"})
    first = BusinessDayMoney.objects.get(day=MONDAY, currency="ZAR")
    assert (first.in_amount, first.between_amount) == (Decimal("500.00"), Decimal("12.50"))
    assert BusinessDay.objects.get(day=MONDAY + 2 * DAY).active_customers == 1  # Thandi, in two currencies


def test_what_came_in_less_what_went_out_is_what_customers_have(three_days: Person, app_sql: Sql) -> None:
    take_days(now=at(MONDAY + 3 * DAY, "12:00"))
    assert app_sql("SELECT currency, sum(in_amount - out_amount) FROM business_day_money GROUP BY 1 ORDER BY 1") == (
        app_sql("SELECT currency, sum(balance) FROM wallets WHERE kind = 'customer' GROUP BY 1 ORDER BY 1")
    )


def test_a_new_bank_has_one_day_of_nothing(ledger: Ledger) -> None:
    moment = now()
    assert take_days(now=moment).count == 1
    assert_equal_to_a_recount(business_day(moment), business_day(moment), {"ZAR"})


def test_taken_day_by_day_is_the_same_as_taken_at_once(three_days: Person) -> None:
    for number in range(4):
        take_days(now=at(MONDAY + number * DAY, "23:00"))
        take_days(now=at(MONDAY + number * DAY, "23:30"))
    assert_equal_to_a_recount(MONDAY, MONDAY + 3 * DAY, {"ZAR", "USD"})


def test_a_day_is_open_for_an_hour_after_it_ended(thandi: Person, ledger: Ledger) -> None:
    fund(thandi, "1.00", at=at(MONDAY, "20:00"))
    for clock, is_closed in (("00:59:59", False), ("01:00", True)):
        take_days(now=at(MONDAY + DAY, clock))
        assert BusinessDay.objects.get(day=MONDAY).is_closed == is_closed


def test_what_commits_after_midnight_with_a_time_before_it_is_in_its_own_day(thandi: Person, ledger: Ledger) -> None:
    fund(thandi, "1.00", at=at(MONDAY, "20:00"))
    take_days(now=at(MONDAY + DAY, "00:00:10"))
    fund(thandi, "2.00", at=at(MONDAY, "23:59:59"))
    take_days(now=at(MONDAY + DAY, "01:10"))
    assert BusinessDayMoney.objects.get(day=MONDAY, currency="ZAR").in_amount == Decimal("3.00")


def test_a_closed_day_is_not_taken_again_unless_somebody_says_so(
    thandi: Person, ledger: Ledger, owner_sql: Sql
) -> None:
    fund(thandi, "1.00", at=at(MONDAY, "20:00"))
    take_days(now=at(MONDAY + DAY, "12:00"))
    owner_sql("UPDATE business_day_money SET in_amount = 99 WHERE day = %s", MONDAY)
    assert take_days(now=at(MONDAY + 2 * DAY, "12:00")).first_day == MONDAY + DAY
    assert BusinessDayMoney.objects.get(day=MONDAY, currency="ZAR").in_amount == 99
    assert take_days(now=at(MONDAY + 2 * DAY, "12:00"), again_from=MONDAY).count == 3
    assert BusinessDayMoney.objects.get(day=MONDAY, currency="ZAR").in_amount == 1


def test_a_bank_that_slept_for_days_has_all_of_them(three_days: Person) -> None:
    take_days(now=at(MONDAY, "12:00"))
    take_days(now=at(MONDAY + 9 * DAY, "12:00"))
    assert_equal_to_a_recount(MONDAY, MONDAY + 9 * DAY, {"ZAR", "USD"})


def test_of_many_at_once_each_takes_all_or_nothing(three_days: Person, race: Callable[..., list[Any]]) -> None:
    moment = at(MONDAY + 3 * DAY, "12:00")
    done = race(5, lambda: take_days(now=moment))
    assert all(isinstance(answer, Taken | DaysBeingTaken) for answer in done), done
    assert any(isinstance(answer, Taken) for answer in done)
    assert_equal_to_a_recount(MONDAY, MONDAY + 3 * DAY, {"ZAR", "USD"})


def test_a_second_one_at_once_does_nothing_and_says_so(thandi: Person, ledger: Ledger) -> None:
    with beside() as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
        with pytest.raises(DaysBeingTaken):
            take_days(now=now())
        assert command() == "Somebody else is taking the days; nothing was done."
        assert json.loads(command("--json")) == {"taken": 0, "reason": "days_being_taken"}
        tasks.take_days.apply(throw=True)
    assert not BusinessDay.objects.exists()


def test_a_load_of_history_has_its_days_taken_anew(ledger: Ledger) -> None:
    moment = now()
    take_days(now=moment)
    load(Order(users=20, vouchers=20, entries=200, seed=3), now=moment)
    take_days(now=moment)
    first = business_day(Transfer.objects.earliest("created_at").created_at)
    assert BusinessDay.objects.earliest("day").day == first
    for day in BusinessDayMoney.objects.filter(in_count__gt=0).order_by("-day")[:20]:
        expected = money_of(day.day_id, "ZAR")
        assert {name: getattr(day, name) for name in expected} == expected


def test_a_day_is_read_from_its_own_pages(thandi: Person, ledger: Ledger, owner_sql: Sql) -> None:
    """Not the whole ledger: its block ranges tell where a day lies."""
    fund(thandi, "1.00")
    owner_sql("SET enable_seqscan = off")
    plan = owner_sql("EXPLAIN SELECT amount FROM transfers WHERE created_at >= now() - interval '1 day'")
    assert "Bitmap Index Scan on ix_transfers_time" in " ".join(line for (line,) in plan)


def test_a_refused_payment_is_counted_by_its_reason_and_day(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    caller = calling(thandi)
    order = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR"}
    for number in range(3):
        answer = caller.post("transfers", order, Idempotency_Key=f"k{number}")
        problem(answer, 409, "insufficient_funds")
    problem(
        caller.post("transfers", {**order, "to": "nobody@example.com"}, Idempotency_Key="n"), 404, "recipient_not_found"
    )
    problem(caller.post("transfers", order), 400, "idempotency_key_required")
    caller.post("transfers/preview", {**order, "to": "nobody@example.com"})
    assert refused_payments.counted(business_day(now())) == {"insufficient_funds": 3, "recipient_not_found": 1}

    take_days(now=now())
    found = dict(BusinessDayRefusal.objects.values_list("code", "count"))
    assert found == {"insufficient_funds": 3, "recipient_not_found": 1}


def test_a_count_of_refusals_never_falls_when_redis_forgets(ledger: Ledger) -> None:
    moment = now()
    for _ in range(3):
        refused_payments.count("wallet_frozen", at=moment)
    take_days(now=moment)
    cache.clear()
    refused_payments.count("wallet_frozen", at=moment)
    take_days(now=moment)
    assert BusinessDayRefusal.objects.get().count == 3


def command(*options: str) -> str:
    output = StringIO()
    call_command("take_days", *options, stdout=output)
    connections["default"].close()
    return output.getvalue().strip()


def test_the_command_says_what_it_took(ledger: Ledger) -> None:
    today = business_day(now())
    assert command() == f"Took 1 days, {today} to {today}."
    assert json.loads(command("--json", "--from", f"{today - DAY}"))["taken"] == 2
    with pytest.raises(CommandError, match="not begun"):
        command("--from", f"{today + DAY}")
    with pytest.raises(CommandError, match="a day is written"):
        command("--from", "yesterday")
