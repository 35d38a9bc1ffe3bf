"""A customer's voucher totals follow the vouchers, statement by statement, whoever changes them."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import pytest
from django.db import transaction
from django.db.models import F

from mymoolah.common.retries import sqlstate
from tests.conftest import Ledger, Person, Sql, fund, person, refused
from tests.vouchers.book import a_voucher, issue
from vouchers.models import Voucher, VoucherTotal
from wallets import services as wallet_services

pytestmark = pytest.mark.sql

VOUCHER_REFUSED, VOUCHER_KEEPS_ITS_OWNER, TOO_MANY_OPEN, VOUCHER_EXPIRED = "MM901", "MM902", "MM021", "MM023"
Numbers = tuple[int, int, int, Decimal, Decimal, Decimal]


def totals(who: Person) -> Numbers | None:
    """Counts and values: all, active, pending."""
    row = VoucherTotal.objects.filter(user=who.user, currency=who.wallet.currency).first()
    if row is None:
        return None
    return (row.total_count, row.active_count, row.pending_count, row.total_value, row.active_value, row.pending_value)


def recount(who: Person) -> Numbers:
    """The same, by adding up the rows one by one."""
    rows = Voucher.objects.filter(user=who.user, currency=who.wallet.currency)
    counted = [row for row in rows if row.status in {"active", "pending_payment", "redeemed"}]
    active = [row for row in counted if row.status == "active"]
    pending = [row for row in counted if row.status == "pending_payment"]
    return (
        len(counted),
        len(active),
        len(pending),
        sum((row.original_amount for row in counted), Decimal()),
        sum((row.balance for row in active), Decimal()),
        sum((row.original_amount for row in pending), Decimal()),
    )


def test_without_a_voucher_there_is_no_row(db: None, thandi: Person) -> None:
    assert totals(thandi) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", (1, 1, 0, "50.00", "20.00", "0")),
        ("pending_payment", (1, 0, 1, "50.00", "0", "50.00")),
        ("redeemed", (1, 0, 0, "50.00", "0", "0")),
        ("expired", (0, 0, 0, "0", "0", "0")),
        ("cancelled", (0, 0, 0, "0", "0", "0")),
    ],
)
def test_each_status_counts_as_the_views_say(
    db: None, thandi: Person, status: str, expected: tuple[int, int, int, str, str, str]
) -> None:
    a_voucher(thandi, status, "50.00", left="20.00").save()
    assert totals(thandi) == (*expected[:3], *map(Decimal, expected[3:]))
    assert totals(thandi) == recount(thandi)


STATUSES = ["active", "pending_payment", "redeemed", "expired", "cancelled"]
ENDED = STATUSES[2:]
# What has ended stays so, but for a top-up that was paid after all.
MOVES = [(before, after) for before in STATUSES[:2] for after in ENDED]
LATE_MOVES = [("expired", "redeemed"), ("cancelled", "redeemed")]


@pytest.mark.parametrize(("before", "after"), MOVES + LATE_MOVES)
def test_a_change_of_status_moves_the_voucher(db: None, thandi: Person, before: str, after: str) -> None:
    for status in STATUSES:
        a_voucher(thandi, status, "7.00").save()
    voucher = a_voucher(thandi, before, "50.00")
    voucher.save()
    assert totals(thandi) == recount(thandi)
    Voucher.objects.filter(pk=voucher.pk).update(status=after, balance=0)
    assert totals(thandi) == recount(thandi)


@pytest.mark.parametrize("alias", ["default", "owner"])
@pytest.mark.parametrize("voucher_type", Voucher.Type.values)
@pytest.mark.parametrize("before", ENDED)
def test_what_has_ended_stays_ended_whoever_asks(
    thandi: Person, admin_sql: Sql, before: str, voucher_type: str, alias: str
) -> None:
    a_voucher(thandi, before, "50.00", voucher_type="easypay_topup").save()
    # Only the type is of interest here, so nothing is held or paid for it; at the end it is a top-up again.
    admin_sql("ALTER TABLE vouchers DROP CONSTRAINT vouchers_number_fits_type")
    admin_sql("ALTER TABLE vouchers DROP CONSTRAINT vouchers_cash_out_has_a_hold")
    admin_sql("UPDATE vouchers SET voucher_type = %s", voucher_type)
    for after in STATUSES:
        if after != before and (voucher_type != "easypay_topup" or (before, after) not in LATE_MOVES):
            with refused(VOUCHER_REFUSED):
                Voucher.objects.using(alias).update(status=after, balance=50 if after == "active" else 0)
    assert Voucher.objects.get().status == before
    assert totals(thandi) == recount(thandi)
    admin_sql("UPDATE vouchers SET voucher_type = 'easypay_topup'")


def test_a_part_redeemed_leaves_the_rest(db: None, thandi: Person) -> None:
    a_voucher(thandi, "active", "50.00").save()
    Voucher.objects.update(balance="12.34")
    assert totals(thandi) == (1, 1, 0, Decimal("50.00"), Decimal("12.34"), Decimal(0))


def test_one_statement_may_change_many_vouchers_of_many_people(
    db: None, thandi: Person, sipho: Person, naledi: Person
) -> None:
    people = (thandi, sipho, naledi)
    Voucher.objects.bulk_create(
        a_voucher(who, status, f"{10 + step}.00")
        for step, who in enumerate(people)
        for status in ("active", "active", "pending_payment", "redeemed", "expired")
    )
    assert [totals(who) for who in people] == [recount(who) for who in people]
    Voucher.objects.filter(status="active", user__in=[thandi.user, sipho.user]).update(status="redeemed", balance=0)
    Voucher.objects.filter(status="pending_payment").update(status="cancelled")
    assert [totals(who) for who in people] == [recount(who) for who in people]
    row = totals(naledi)
    assert row is not None
    assert row[:3] == (3, 2, 0)


def test_two_currencies_are_counted_apart(db: None, thandi: Person) -> None:
    dollars = Person(thandi.user, wallet_services.open_wallet(user=thandi.user, currency="USD"))
    a_voucher(thandi, "active", "50.00").save()
    a_voucher(dollars, "active", "7.00").save()
    a_voucher(dollars, "pending_payment", "3.00").save()
    assert (totals(thandi), totals(dollars)) == (recount(thandi), recount(dollars))
    assert totals(dollars) == (2, 1, 1, Decimal("10.00"), Decimal("7.00"), Decimal("3.00"))


def test_a_statement_that_changes_nothing_changes_no_total(db: None, thandi: Person) -> None:
    a_voucher(thandi, "active", "50.00").save()
    before = totals(thandi)
    Voucher.objects.filter(status="cancelled").update(status="expired")
    Voucher.objects.update(status=F("status"))
    assert totals(thandi) == before


def test_a_change_that_is_rolled_back_leaves_the_totals(db: None, thandi: Person) -> None:
    a_voucher(thandi, "active", "50.00").save()
    before = totals(thandi)
    with transaction.atomic():
        a_voucher(thandi, "active", "5.00").save()
        transaction.set_rollback(True)
    assert totals(thandi) == before


@pytest.mark.parametrize("alias", ["default", "owner"])
def test_a_vouchers_value_only_falls_whoever_asks(ledger: Ledger, thandi: Person, alias: str) -> None:
    fund(thandi, "50.00")
    issue(thandi, "active", "50.00")
    with transaction.atomic(using=alias):
        Voucher.objects.using(alias).update(balance="20.00")
        for more in ("20.01", "50.00"):
            with refused(VOUCHER_REFUSED), transaction.atomic(using=alias):
                Voucher.objects.using(alias).update(balance=more)
        transaction.set_rollback(True, using=alias)
    assert totals(thandi) == recount(thandi)


@pytest.mark.parametrize(("status", "balance"), [("redeemed", 0), ("active", 1)])
def test_a_standard_voucher_is_redeemed_before_its_end(
    owner_sql: Sql, thandi: Person, status: str, balance: int
) -> None:
    fund(thandi, "50.00")
    voucher = issue(thandi, "active", "50.00")
    owner_sql("UPDATE vouchers SET expires_at = now()")
    with refused(VOUCHER_EXPIRED):
        Voucher.objects.filter(pk=voucher.pk).update(status=status, balance=balance)
    with transaction.atomic():
        assert Voucher.objects.filter(pk=voucher.pk).update(status="expired", balance=0) == 1
        transaction.set_rollback(True)


@pytest.mark.parametrize("change", ["user_id = {stranger}", "currency = 'USD'"])
def test_a_voucher_keeps_its_user_and_its_currency(owner_sql: Sql, thandi: Person, naledi: Person, change: str) -> None:
    a_voucher(thandi, "cancelled", "50.00").save()
    with refused(VOUCHER_KEEPS_ITS_OWNER):
        owner_sql(f"UPDATE vouchers SET {change.format(stranger=naledi.user.pk)}")  # noqa: S608


def test_a_deleted_voucher_leaves_the_totals(owner_sql: Sql, thandi: Person, sipho: Person) -> None:
    Voucher.objects.bulk_create(
        a_voucher(who, status, "50.00") for who in (thandi, sipho) for status in ("pending_payment", "redeemed")
    )
    owner_sql("DELETE FROM vouchers WHERE status = 'redeemed'")
    assert totals(thandi) == recount(thandi) == (1, 0, 1, Decimal("50.00"), Decimal(0), Decimal("50.00"))
    owner_sql("DELETE FROM vouchers WHERE user_id = %s", sipho.user.pk)
    assert totals(sipho) == recount(sipho) == (0, 0, 0, Decimal(0), Decimal(0), Decimal(0))


def test_the_app_deletes_no_voucher_and_writes_no_total(app_sql: Sql, thandi: Person) -> None:
    a_voucher(thandi, "pending_payment", "50.00").save()
    for statement in (
        "DELETE FROM vouchers",
        "TRUNCATE vouchers CASCADE",
        "UPDATE voucher_totals SET pending_count = 0",
        "DELETE FROM voucher_totals",
        "INSERT INTO voucher_totals (user_id, currency) VALUES (1, 'EUR')",
    ):
        with refused("42501"):
            app_sql(statement)
    assert totals(thandi) == recount(thandi)


def test_twenty_changes_at_once_are_all_counted(thandi: Person, sipho: Person, race: object, ledger: object) -> None:
    assert callable(race)
    turns = count()

    def work() -> None:
        turn = next(turns)
        voucher = a_voucher(thandi if turn % 2 else sipho, "pending_payment", "50.00")
        voucher.save()
        if turn % 4 < 2:
            Voucher.objects.filter(pk=voucher.pk).update(status="cancelled")

    assert race(20, work) == [None] * 20
    for who in (thandi, sipho):
        assert totals(who) == recount(who) == (5, 0, 5, Decimal("250.00"), Decimal(0), Decimal("250.00"))


def test_ten_top_ups_are_open_at_a_time_however_many_come_at_once(
    thandi: Person, sipho: Person, race: object, ledger: object
) -> None:
    assert callable(race)
    a_voucher(sipho, "pending_payment", "50.00").save()
    answers = race(20, lambda: a_voucher(thandi, "pending_payment", "50.00").save())
    assert [sqlstate(answer) for answer in answers if answer is not None] == [TOO_MANY_OPEN] * 10
    assert totals(thandi) == recount(thandi) == (10, 0, 10, Decimal("500.00"), Decimal(0), Decimal("500.00"))
    Voucher.objects.filter(pk=Voucher.objects.filter(user=thandi.user)[:1]).update(status="cancelled")
    a_voucher(thandi, "pending_payment", "50.00").save()
    with refused(TOO_MANY_OPEN):
        a_voucher(thandi, "pending_payment", "50.00").save()


def test_statements_over_the_same_people_in_any_order_never_lock_up(race: object, ledger: object) -> None:
    assert callable(race)
    people = [person(f"customer{number}") for number in range(6)]
    turns = count()

    def work() -> None:
        mine = people if next(turns) % 2 else people[::-1]
        vouchers = Voucher.objects.bulk_create([a_voucher(who, "pending_payment", "50.00") for who in mine])
        for status in ("cancelled", "redeemed"):
            Voucher.objects.filter(pk__in=[voucher.pk for voucher in vouchers]).update(status=status)

    assert race(6, work) == [None] * 6
    assert [totals(who) for who in people] == [recount(who) for who in people]
