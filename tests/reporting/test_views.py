"""Each view equals a plain recomputation, row by row in Python, from the tables it stands on."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import transaction

from accounts.models import User
from reporting.models import TransactionSummary, UserDashboardSummary, UserFinancialSummary, VoucherSummary
from tests.conftest import Ledger, Person, Sql, fund, person
from tests.transactions.legs import beside, leg
from tests.vouchers.book import issue
from transactions import posting
from transactions.models import Transaction
from transactions.posting import House
from vouchers.models import Voucher
from wallets import services as wallet_services
from wallets.models import Hold, Wallet

pytestmark = pytest.mark.sql

Row = dict[str, Any]
ZERO = Decimal("0.00")
COUNTED = {"active", "pending_payment", "redeemed"}


# The plain recomputation --------------------------------------------------------------------------------------------
def vouchers_of(user_id: int, currency: str) -> Row:
    rows = [v for v in Voucher.objects.all() if v.user_id == user_id and v.currency == currency and v.status in COUNTED]
    active = [row for row in rows if row.status == "active"]
    pending = [row for row in rows if row.status == "pending_payment"]
    return {
        "total_vouchers": len(rows),
        "active_vouchers": len(active),
        "pending_vouchers": len(pending),
        "active_voucher_value": sum((row.balance for row in active), ZERO),
        "pending_voucher_value": sum((row.original_amount for row in pending), ZERO),
        "total_value": sum((row.original_amount for row in rows), ZERO),
    }


def entries_of(wallet_id: int) -> Row:
    rows = [entry for entry in Transaction.objects.all() if entry.wallet_id == wallet_id]
    received = [row.amount for row in rows if row.type == "received"]
    sent = [row.amount for row in rows if row.type == "sent"]
    return {
        "total_transactions": len(rows),
        "received_count": len(received),
        "sent_count": len(sent),
        "total_received": sum(received, ZERO),
        "total_sent": sum(sent, ZERO),
        "last_transaction_date": max((row.created_at for row in rows), default=None),
    }


def voucher_summary() -> list[Row]:
    pairs = {(voucher.user_id, voucher.currency) for voucher in Voucher.objects.all()}
    return [
        {
            "user_id": user_id,
            "currency": currency,
            "total_vouchers": row["total_vouchers"],
            "active_count": row["active_vouchers"],
            "pending_count": row["pending_vouchers"],
            "active_balance": row["active_voucher_value"],
            "pending_balance": row["pending_voucher_value"],
            "total_value": row["total_value"],
        }
        for user_id, currency in pairs
        for row in [vouchers_of(user_id, currency)]
    ]


def transaction_summary() -> list[Row]:
    return [
        {"wallet_id": wallet.pk, "user_id": wallet.user_id, "currency": wallet.currency, **entries_of(wallet.pk)}
        for wallet in Wallet.objects.filter(kind="customer")
    ]


def user_financial_summary() -> list[Row]:
    rows = []
    for wallet in Wallet.objects.filter(kind="customer").select_related("user"):
        user = wallet.user
        assert user is not None
        entries, vouchers = entries_of(wallet.pk), vouchers_of(user.pk, wallet.currency)
        held = sum((hold.amount for hold in Hold.objects.filter(wallet=wallet, status="held")), ZERO)
        balance = entries["total_received"] - entries["total_sent"]
        rows.append(
            {
                "wallet_id": wallet.pk,
                "user_id": user.pk,
                "kyc_status": user.kyc_status,
                "id_verified": user.id_verified,
                "wallet_number": wallet.number,
                "wallet_status": wallet.status,
                "wallet_balance": balance,
                "available_balance": balance - held,
                "wallet_currency": wallet.currency,
                **without(vouchers, "total_value"),
                **without(entries, "received_count", "sent_count"),
            }
        )
    return rows


def user_dashboard_summary() -> list[Row]:
    rows = []
    for row in user_financial_summary():
        user = User.objects.get(pk=row["user_id"])
        if user.status == "active":
            names = {"first_name": user.first_name, "last_name": user.last_name}
            rows.append(names | without(row, "wallet_number", "wallet_status", "available_balance"))
    return rows


def without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


VIEWS = {
    VoucherSummary: voucher_summary,
    TransactionSummary: transaction_summary,
    UserFinancialSummary: user_financial_summary,
}


def as_set(rows: Iterable[Row]) -> list[tuple[tuple[str, Any], ...]]:
    """Rows in no order, a double one twice."""
    return sorted((tuple(sorted(row.items())) for row in rows), key=repr)


def live_views_are_exact() -> bool:
    for view, recomputed in VIEWS.items():
        assert as_set(view.objects.values()) == as_set(recomputed()), view.__name__
    return True


def refresh(app_sql: Sql) -> None:
    app_sql("SELECT refresh_user_dashboard_summary()")


# For nothing, one of each, three by four, two currencies ------------------------------------------------------------
def test_with_nobody_every_view_is_empty(ledger: Ledger, app_sql: Sql) -> None:
    assert live_views_are_exact()
    refresh(app_sql)
    for view in (*VIEWS, UserDashboardSummary):
        assert not view.objects.exists()  # type: ignore[attr-defined]


def test_for_somebody_with_nothing_everything_is_zero(ledger: Ledger, thandi: Person) -> None:
    assert live_views_are_exact()
    row = UserFinancialSummary.objects.get(wallet=thandi.wallet)
    assert (row.wallet_balance, row.total_vouchers, row.total_transactions) == (ZERO, 0, 0)
    assert (row.active_voucher_value, row.pending_voucher_value) == (ZERO, ZERO)
    assert row.last_transaction_date is None
    assert not VoucherSummary.objects.exists()


def test_one_of_each(ledger: Ledger, thandi: Person) -> None:
    fund(thandi, "100.00")
    issue(thandi, "active", "40.00")
    assert live_views_are_exact()
    row = UserFinancialSummary.objects.get(wallet=thandi.wallet)
    assert (row.wallet_balance, row.total_received, row.total_sent) == (Decimal(60), Decimal(100), Decimal(40))
    assert (row.active_vouchers, row.active_voucher_value, row.total_transactions) == (1, Decimal(40), 2)


@pytest.fixture
def three_by_four(ledger: Ledger, thandi: Person, sipho: Person) -> Person:
    """Three vouchers and four transactions: side by side they would make twelve rows."""
    fund(thandi, "100.00", at=dt.datetime(2031, 5, 1, 10, tzinfo=dt.UTC))
    fund(thandi, "50.00", at=dt.datetime(2031, 5, 2, 10, tzinfo=dt.UTC))
    posting.post([leg(thandi, sipho, "30.00")], at=dt.datetime(2031, 5, 3, 10, tzinfo=dt.UTC))
    issue(thandi, "active", "40.00")
    issue(thandi, "pending_payment", "60.00")
    issue(thandi, "redeemed", "25.00")
    return thandi


def test_three_vouchers_by_four_transactions_do_not_multiply(three_by_four: Person) -> None:
    assert live_views_are_exact()
    row = UserFinancialSummary.objects.get(wallet=three_by_four.wallet)
    assert (row.total_vouchers, row.active_vouchers, row.pending_vouchers, row.total_transactions) == (3, 1, 1, 4)
    assert (row.active_voucher_value, row.pending_voucher_value) == (Decimal(40), Decimal(60))
    assert (row.wallet_balance, row.total_received, row.total_sent) == (Decimal(80), Decimal(150), Decimal(70))
    assert VoucherSummary.objects.get(user=three_by_four.user).total_value == Decimal(125)


def test_two_currencies_stand_in_two_rows(three_by_four: Person, sipho: Person) -> None:
    wallet_services.open_house_wallets(currency="USD")
    dollars = Person(three_by_four.user, wallet_services.open_wallet(user=three_by_four.user, currency="USD"))
    fund(dollars, "9.00")
    issue(dollars, "active", "2.00")
    issue(dollars, "pending_payment", "3.00")
    assert live_views_are_exact()
    rows = {row.wallet_currency: row for row in UserFinancialSummary.objects.filter(user=three_by_four.user)}
    assert {name: row.wallet_balance for name, row in rows.items()} == {"ZAR": Decimal(80), "USD": Decimal(7)}
    assert {name: row.total_vouchers for name, row in rows.items()} == {"ZAR": 3, "USD": 2}
    assert UserFinancialSummary.objects.get(user=sipho.user).wallet_currency == "ZAR"


def test_cancelled_and_expired_vouchers_are_left_out(ledger: Ledger, thandi: Person) -> None:
    issue(thandi, "cancelled", "40.00")
    issue(thandi, "expired", "60.00")
    assert live_views_are_exact()
    assert VoucherSummary.objects.get(user=thandi.user).total_vouchers == 0
    issue(thandi, "pending_payment", "10.00")
    Voucher.objects.filter(status="pending_payment").update(status="expired")
    assert live_views_are_exact()
    assert UserFinancialSummary.objects.get(user=thandi.user).pending_vouchers == 0


def test_what_is_held_is_not_available(three_by_four: Person, admin_sql: Sql) -> None:
    admin_sql("UPDATE wallets SET held = 30 WHERE id = %s", three_by_four.wallet.pk)
    admin_sql(
        """
        INSERT INTO holds (public_id, wallet_id, amount, currency, status, purpose, created_at, resolved_at)
        VALUES
            (gen_random_uuid(), %(wallet)s, 10, 'ZAR', 'held', 'a test', now(), NULL),
            (gen_random_uuid(), %(wallet)s, 20, 'ZAR', 'held', 'a test', now(), NULL),
            (gen_random_uuid(), %(wallet)s, 40, 'ZAR', 'voided', 'a test', now(), now())
        """,
        wallet=three_by_four.wallet.pk,
    )
    assert live_views_are_exact()
    assert UserFinancialSummary.objects.get(user=three_by_four.user).available_balance == Decimal(50)


def test_the_live_views_hold_customers_of_every_status_and_no_wallet_of_the_house(
    three_by_four: Person, sipho: Person
) -> None:
    User.objects.filter(pk=sipho.user.pk).update(status="suspended")
    Wallet.objects.filter(pk=sipho.wallet.pk).update(status="frozen")
    assert live_views_are_exact()
    assert UserFinancialSummary.objects.count() == TransactionSummary.objects.count() == 2
    assert UserFinancialSummary.objects.get(user=sipho.user).wallet_status == "frozen"


def test_many_customers_with_uneven_histories(ledger: Ledger) -> None:
    people = [person(f"customer{number}") for number in range(6)]
    for number, who in enumerate(people):
        for step in range(number):
            fund(who, f"{100 + step}.50")
            issue(who, ["active", "pending_payment", "redeemed", "expired"][step % 4], f"{10 + step}.25")
        if number > 1:
            posting.post([leg(who, people[0], "1.75"), leg(who, House(Wallet.Kind.FEE_INCOME, 0), "0.25")])
    assert live_views_are_exact()


# Exact at commit ----------------------------------------------------------------------------------------------------
def test_the_live_views_change_with_the_commit_and_not_before(three_by_four: Person, sipho: Person) -> None:
    query = "SELECT wallet_balance, total_vouchers FROM user_financial_summary WHERE wallet_id = %s"

    def seen_by(somebody: psycopg.Connection[tuple[Any, ...]]) -> tuple[Any, ...] | None:
        row = somebody.execute(query, [three_by_four.wallet.pk]).fetchone()
        somebody.rollback()
        return row

    with beside() as somebody:
        before = seen_by(somebody)
        with transaction.atomic():
            posting.post([leg(three_by_four, sipho, "5.00")])
            issue(three_by_four, "pending_payment", "50.00")
            assert live_views_are_exact()
            assert seen_by(somebody) == before == (Decimal("80.00"), 3)
        assert seen_by(somebody) == (Decimal("75.00"), 4)


# The materialized one -----------------------------------------------------------------------------------------------
def test_the_overview_is_what_stood_at_its_refresh(three_by_four: Person, app_sql: Sql) -> None:
    assert not UserDashboardSummary.objects.exists()
    refresh(app_sql)
    assert as_set(UserDashboardSummary.objects.values()) == as_set(user_dashboard_summary())
    then = as_set(UserDashboardSummary.objects.values())
    fund(three_by_four, "1.00")
    issue(three_by_four, "pending_payment", "50.00")
    assert as_set(UserDashboardSummary.objects.values()) == then
    refresh(app_sql)
    assert as_set(UserDashboardSummary.objects.values()) == as_set(user_dashboard_summary()) != then


def test_the_overview_holds_active_customers_in_each_of_their_currencies(
    three_by_four: Person, sipho: Person, naledi: Person, app_sql: Sql
) -> None:
    User.objects.filter(pk=sipho.user.pk).update(status="suspended")
    User.objects.filter(pk=naledi.user.pk).update(status="closed")
    wallet_services.open_wallet(user=three_by_four.user, currency="USD")
    refresh(app_sql)
    assert as_set(UserDashboardSummary.objects.values()) == as_set(user_dashboard_summary())
    assert set(UserDashboardSummary.objects.values_list("user_id", "wallet_currency")) == {
        (three_by_four.user.pk, "ZAR"),
        (three_by_four.user.pk, "USD"),
    }


def test_the_overview_has_a_unique_index_and_no_null_in_it(three_by_four: Person, app_sql: Sql) -> None:
    refresh(app_sql)
    [(columns, is_unique, is_valid)] = app_sql(
        """
        SELECT array_agg(a.attname::text ORDER BY k.position), bool_and(i.indisunique), bool_and(i.indisvalid)
        FROM pg_index AS i
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, position)
        INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE i.indrelid = 'user_dashboard_summary'::regclass AND i.indpred IS NULL
        """
    )
    assert (columns, is_unique, is_valid) == (["user_id", "wallet_currency"], True, True)
    assert app_sql("SELECT 1 FROM user_dashboard_summary WHERE user_id IS NULL OR wallet_currency IS NULL") == []


def test_readers_of_the_overview_are_not_blocked_by_its_refresh(
    three_by_four: Person, app_sql: Sql, ledger: Ledger
) -> None:
    refresh(app_sql)
    with beside() as refreshing, beside() as reading:
        refreshing.execute("SELECT refresh_user_dashboard_summary()")
        reading.execute("SET lock_timeout = '100ms'")
        assert reading.execute("SELECT count(*) FROM user_dashboard_summary").fetchone() == (2,)
        refreshing.commit()


# Cost ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("view", ["transaction_summary", "user_financial_summary", "voucher_summary"])
def test_one_customers_row_is_found_without_reading_any_history(
    three_by_four: Person, owner_sql: Sql, view: str, explain: Callable[[str], dict[str, int]]
) -> None:
    owner_sql("ANALYZE")
    relations = explain(f"SELECT * FROM {view} WHERE user_id = {three_by_four.user.pk}")  # noqa: S608
    assert relations.keys() <= {"wallets", "users", "voucher_totals"}


@pytest.fixture
def explain(app_sql: Sql) -> Callable[[str], dict[str, int]]:
    """How often a plan reads each relation."""

    def relations(statement: str) -> dict[str, int]:
        counted: dict[str, int] = defaultdict(int)

        def walk(node: dict[str, Any]) -> None:
            if "Relation Name" in node:
                counted[node["Relation Name"]] += 1
            for child in node.get("Plans", []):
                walk(child)

        walk(app_sql(f"EXPLAIN (FORMAT json) {statement}")[0][0][0]["Plan"])
        return counted

    return relations
