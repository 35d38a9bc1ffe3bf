"""What no role can do to the ledger by plain SQL; and what an owner still can, which `verify_ledger` names."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connections, transaction

from tests.conftest import Person, Sql, fund, refused, send
from wallets.models import Wallet

pytestmark = pytest.mark.sql

PERMISSION_DENIED, KEY_BROKEN, CHECK_BROKEN = "42501", "23503", "23514"
APPEND_ONLY, WALLET_REFUSED, REWRITTEN = "MM900", "MM901", "MM901"
LEDGER = ["transfers", "transactions", "idempotency_keys"]
VERBS = {
    "INSERT": "INSERT INTO {table} TABLE {table}",
    "UPDATE": "UPDATE {table} SET {column} = {column}",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table} CASCADE",
}
A_COLUMN = {
    "transfers": "amount",
    "transactions": "balance_after",
    "idempotency_keys": "key",
    "voucher_totals": "active_value",
    "audit_events": "verb",
    "wallets": "status",
}
MONEY_COLUMNS = [
    "balance",
    "held",
    "total_received",
    "total_sent",
    "received_count",
    "sent_count",
    "sequence",
    "last_entry_at",
    "spent_on",
    "spent_day_amount",
    "spent_month_amount",
]
IDENTITY_COLUMNS = ["id", "number", "user_id", "kind", "stripe", "currency"]


def app(statement: str) -> None:
    """Run one statement as the app, in a savepoint of its own."""
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(statement)


# The app ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("table", [*LEDGER, "voucher_totals"])
def test_the_app_writes_no_ledger_table_by_itself(db: None, thandi: Person, table: str, verb: str) -> None:
    fund(thandi, "100.00")
    with refused(PERMISSION_DENIED):
        app(VERBS[verb].format(table=table, column=A_COLUMN[table]))


@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_app_adds_audit_events_and_never_changes_one(db: None, verb: str) -> None:
    app("INSERT INTO audit_events (verb, subject_type, subject_id, facts, request_id) VALUES ('a', 'b', 'c', '{}', '')")
    with refused(PERMISSION_DENIED):
        app(VERBS[verb].format(table="audit_events", column="verb"))


def test_an_event_is_of_now_and_of_its_own_transaction_whatever_the_app_says(app_sql: Sql, owner_sql: Sql) -> None:
    forged = (
        "INSERT INTO audit_events (verb, subject_type, subject_id, facts, request_id, at, transaction_id) "
        "VALUES (%s, 'b', 'c', '{}', '', now() - interval '90 days', 42) "
        "RETURNING now() - at < interval '1 minute', transaction_id = pg_current_xact_id()::text::bigint"
    )
    assert app_sql(forged, "forged") == [(True, True)]
    assert owner_sql(forged, "brought") == [(False, True)]


@pytest.mark.parametrize("column", [*MONEY_COLUMNS, *IDENTITY_COLUMNS, "created_at"])
def test_the_app_changes_no_column_of_a_wallet_but_its_status(db: None, thandi: Person, column: str) -> None:
    with refused(PERMISSION_DENIED):
        app(f"UPDATE wallets SET {column} = {column}")  # noqa: S608
    app("UPDATE wallets SET status = 'frozen' WHERE kind = 'customer'")


@pytest.mark.parametrize("verb", ["DELETE", "TRUNCATE"])
def test_the_app_removes_no_wallet(db: None, thandi: Person, verb: str) -> None:
    with refused(PERMISSION_DENIED):
        app(VERBS[verb].format(table="wallets"))


@pytest.mark.parametrize(
    "columns",
    [
        {"balance": "5", "total_received": "5"},
        {"held": "5"},
        {"total_received": "5", "total_sent": "5"},
        {"received_count": "1"},
        {"sent_count": "1"},
        {"last_entry_at": "now()"},
        {"last_entry_at": "now()", "balance": "5", "total_received": "5"},
        {"spent_on": "'2026-01-01'"},
        {"spent_day_amount": "5", "spent_month_amount": "5"},
        {"status": "'closed'", "balance": "5", "total_received": "5"},
        {"number": "'0123456789'"},
        {"number": "'12345'"},
        {"currency": "'usd'"},
        {"kind": "'treasury'"},
        {"kind": "'bank'"},
        {"user_id": "NULL"},
        {"stripe": "1"},
        {"status": "'asleep'"},
    ],
    ids=lambda columns: "-".join(f"{name}={value}" for name, value in columns.items()),
)
def test_a_wallet_opens_empty_and_as_what_it_is(db: None, thandi: Person, columns: dict[str, str]) -> None:
    values = {"number": "'1234567890'", "user_id": str(thandi.user.pk), "kind": "'customer'", "stripe": "0"}
    values |= {"currency": "'USD'", "status": "'active'"} | columns
    with refused(WALLET_REFUSED):
        app(f"INSERT INTO wallets ({', '.join(values)}) VALUES ({', '.join(values.values())})")  # noqa: S608


def test_a_wallet_cannot_open_with_a_head_that_no_entry_backs(app_sql: Sql, thandi: Person) -> None:
    with refused(KEY_BROKEN):
        app_sql(
            """
            INSERT INTO wallets (
                number, user_id, kind, stripe, currency, status,
                balance, total_received, received_count, sequence, last_entry_at
            )
            VALUES ('1234567890', %s, 'customer', 0, 'USD', 'active', 5, 5, 1, 1, now())
            """,
            thandi.user.pk,
        )


def test_the_app_cannot_lift_the_guards(app_sql: Sql) -> None:
    for statement in (
        "ALTER TABLE transfers DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TRIGGER wallets_head_moves_forward ON wallets",
        "CREATE OR REPLACE FUNCTION refuse_wallet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
        "CREATE FUNCTION refuse_head(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SET ROLE mymoolah_owner",
        "CREATE TEMPORARY TABLE tier_limits (tier int)",
    ):
        with refused(PERMISSION_DENIED):
            app_sql(statement)


def test_what_is_built_later_is_the_apps_to_read_and_nothing_more(owner_sql: Sql, app_sql: Sql) -> None:
    owner_sql("CREATE TABLE later (id bigint)")
    owner_sql("CREATE FUNCTION later() RETURNS int LANGUAGE sql RETURN 1")
    [privileges] = app_sql(
        """
        SELECT
            has_table_privilege('later', 'SELECT'),
            has_table_privilege('later', 'INSERT, UPDATE, DELETE, TRUNCATE'),
            has_function_privilege('later()', 'EXECUTE')
        """
    )
    assert privileges == (True, False, False)


# The owner ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def history(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    send(thandi, sipho, "30.00")


@pytest.mark.parametrize("table", [*LEDGER, "audit_events"])
def test_rows_that_are_evidence_are_only_added_even_by_the_owner(owner_sql: Sql, history: None, table: str) -> None:
    before = owner_sql(f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY id)) FROM {table} AS t")  # noqa: S608
    for verb in ("UPDATE", "DELETE", "TRUNCATE"):
        with refused(APPEND_ONLY):
            owner_sql(VERBS[verb].format(table=table, column=A_COLUMN[table]))
    assert owner_sql(f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY id)) FROM {table} AS t") == before  # noqa: S608
    assert before[0][0] > 0


A_ROW = {
    "receivables": """
        INSERT INTO receivables (public_id, wallet_id, transfer_id, amount, collected_amount, currency, created_at)
        VALUES (gen_random_uuid(), 1, gen_random_uuid(), 50, 20, 'ZAR', now())
    """,
    "receivable_collections": """
        INSERT INTO receivable_collections (receivable_id, transfer_id, amount, created_at)
        VALUES (1, gen_random_uuid(), 20, now())
    """,
    "voucher_redemptions": """
        INSERT INTO voucher_redemptions (public_id, voucher_id, transfer_id, amount, currency, created_at)
        VALUES (gen_random_uuid(), 1, gen_random_uuid(), 20, 'ZAR', now())
    """,
    "till_events": """
        INSERT INTO till_events (
            provider, provider_reference, body, body_sha256, easypay_number, amount, currency, paid_at
        )
        VALUES ('easypay', 'REF-1', '', '', '95063000000011', 20, 'ZAR', now())
    """,
    "suspense_items": """
        INSERT INTO suspense_items (
            public_id, direction, reason, amount, currency, transfer_id, resolution, created_at
        )
        VALUES (gen_random_uuid(), 'owed_to_till', 'late', 20, 'ZAR', gen_random_uuid(), '', now())
    """,
}
ANSWER = "UPDATE till_events SET result = 'applied', processed_at = now(), voucher_id = 7"
RESOLVE = """
    UPDATE suspense_items SET
        resolved_at = now(), resolution = 'returned', resolution_transfer_id = gen_random_uuid(), resolved_by_id = 1,
        approved_by_id = 2
"""
# What may become of each row, and what then may not.
STAYS = [
    ("receivables", "", "UPDATE receivables SET collected_amount = 19.99", APPEND_ONLY),
    ("receivables", "", "UPDATE receivables SET amount = 51", APPEND_ONLY),
    ("receivables", "", "UPDATE receivables SET wallet_id = 2", APPEND_ONLY),
    ("receivables", "UPDATE receivables SET collected_amount = 50", "DELETE FROM receivables", APPEND_ONLY),
    ("receivables", "", "UPDATE receivables SET collected_amount = 50.01", CHECK_BROKEN),
    ("receivable_collections", "", "UPDATE receivable_collections SET amount = amount", APPEND_ONLY),
    ("receivable_collections", "", "DELETE FROM receivable_collections", APPEND_ONLY),
    ("voucher_redemptions", "", "UPDATE voucher_redemptions SET amount = amount", APPEND_ONLY),
    ("voucher_redemptions", "", "DELETE FROM voucher_redemptions", APPEND_ONLY),
    ("till_events", "", "UPDATE till_events SET amount = 21", REWRITTEN),
    ("till_events", "", "UPDATE till_events SET body = 'other'", REWRITTEN),
    ("till_events", "", "UPDATE till_events SET result = 'suspense'", CHECK_BROKEN),
    ("till_events", ANSWER, "UPDATE till_events SET result = 'suspense'", REWRITTEN),
    ("till_events", ANSWER, "UPDATE till_events SET voucher_id = NULL", REWRITTEN),
    ("till_events", ANSWER, "DELETE FROM till_events", REWRITTEN),
    ("suspense_items", "", "UPDATE suspense_items SET amount = 21", REWRITTEN),
    ("suspense_items", "", "UPDATE suspense_items SET direction = 'owed_to_customer'", REWRITTEN),
    ("suspense_items", "", f"{RESOLVE}, amount = 21", REWRITTEN),
    ("suspense_items", "", RESOLVE.replace("approved_by_id = 2", "approved_by_id = 1"), CHECK_BROKEN),
    ("suspense_items", "", RESOLVE.replace("approved_by_id = 2", "approved_by_id = NULL"), CHECK_BROKEN),
    ("suspense_items", "", "UPDATE suspense_items SET resolved_at = now(), resolution = 'returned'", CHECK_BROKEN),
    ("suspense_items", RESOLVE, "UPDATE suspense_items SET resolution = 'released'", REWRITTEN),
    ("suspense_items", RESOLVE, "DELETE FROM suspense_items", REWRITTEN),
]


@pytest.mark.parametrize(("table", "before", "change", "state"), STAYS)
def test_records_only_go_forward_even_for_the_owner(
    owner_sql: Sql, table: str, before: str, change: str, state: str
) -> None:
    with transaction.atomic(using="owner"):
        owner_sql(A_ROW[table])
        if before:
            owner_sql(before)
        with refused(state), transaction.atomic(using="owner"):
            owner_sql(change)
        transaction.set_rollback(True, using="owner")  # what they name is not there


@pytest.mark.parametrize("table", A_ROW)
def test_records_are_not_truncated_even_by_the_owner(owner_sql: Sql, table: str) -> None:
    with refused(REWRITTEN if table in {"till_events", "suspense_items"} else APPEND_ONLY):
        owner_sql(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", ["users", "wallets"])
def test_truncating_people_or_wallets_does_not_take_the_ledger_along(owner_sql: Sql, history: None, table: str) -> None:
    with refused(APPEND_ONLY):
        owner_sql(f"TRUNCATE {table} CASCADE")


def test_no_row_that_an_entry_names_can_be_deleted_by_the_owner(owner_sql: Sql, history: None) -> None:
    for table in ("wallets", "users"):
        with refused(KEY_BROKEN):
            owner_sql(f"DELETE FROM {table}")  # noqa: S608


def test_a_head_cannot_be_set_back_to_an_earlier_entry(owner_sql: Sql, history: None, thandi: Person) -> None:
    with refused(WALLET_REFUSED):
        owner_sql(
            """
            UPDATE wallets SET
                sequence = 1, balance = 100, total_received = 100, total_sent = 0, received_count = 1, sent_count = 0
            WHERE id = %s
            """,
            thandi.wallet.pk,
        )


def test_a_head_cannot_lose_its_sequence(owner_sql: Sql, history: None, thandi: Person) -> None:
    with refused(WALLET_REFUSED):
        owner_sql(
            """
            UPDATE wallets SET
                sequence = NULL, last_entry_at = NULL, balance = 0, total_received = 0, total_sent = 0,
                received_count = 0, sent_count = 0, spent_on = NULL, spent_day_amount = 0, spent_month_amount = 0
            WHERE id = %s
            """,
            thandi.wallet.pk,
        )


@pytest.mark.parametrize(
    "change",
    [
        "balance = balance + 1, total_received = total_received + 1",
        "balance = balance - 1, total_sent = total_sent + 1",
        "total_received = total_received + 1, total_sent = total_sent + 1",
        "received_count = received_count + 1, sent_count = sent_count - 1",
        "balance = balance + 1, total_received = total_received + 1, received_count = received_count + 1",
        "last_entry_at = last_entry_at - interval '1 second'",
        "last_entry_at = last_entry_at + interval '1 second'",
    ],
)
def test_money_changes_only_with_a_new_entry(owner_sql: Sql, history: None, thandi: Person, change: str) -> None:
    with refused(WALLET_REFUSED):
        owner_sql(f"UPDATE wallets SET {change} WHERE id = {thandi.wallet.pk}")  # noqa: S608


@pytest.mark.parametrize(
    "change",
    [
        "number = '1234567890'",
        "currency = 'USD'",
        "stripe = 1",
        "kind = 'bank'",
        "user_id = NULL",
        "id = id + 1000",
    ],
)
def test_a_wallet_keeps_who_it_is(owner_sql: Sql, history: None, thandi: Person, change: str) -> None:
    with refused(WALLET_REFUSED):
        owner_sql(f"UPDATE wallets SET {change} WHERE id = {thandi.wallet.pk}")  # noqa: S608


def test_a_balance_without_its_entry_is_refused_at_commit(owner_sql: Sql, history: None, thandi: Person) -> None:
    with refused(KEY_BROKEN), transaction.atomic(using="owner"):
        owner_sql(
            """
            UPDATE wallets SET
                balance = balance + 1, total_received = total_received + 1,
                received_count = received_count + 1, sequence = sequence + 1
            WHERE id = %s
            """,
            thandi.wallet.pk,
        )
        # Still inside: the rule speaks only when the whole posting is there.
        assert owner_sql("SELECT balance FROM wallets WHERE id = %s", thandi.wallet.pk) == [(Decimal("71.00"),)]
    assert Wallet.objects.get(pk=thandi.wallet.pk).balance == Decimal("70.00")


def test_a_wallet_closes_only_when_it_is_empty(app_sql: Sql, history: None, thandi: Person, sipho: Person) -> None:
    with refused(WALLET_REFUSED):
        app_sql("UPDATE wallets SET status = 'closed' WHERE id = %s", thandi.wallet.pk)
    send(thandi, sipho, "70.00")
    app_sql("UPDATE wallets SET status = 'closed' WHERE id = %s", thandi.wallet.pk)
    with refused(WALLET_REFUSED):
        app_sql("UPDATE wallets SET status = 'asleep' WHERE id = %s", sipho.wallet.pk)


# What an owner can still forge ---------------------------------------------------------------------------------------
class Forger:
    """Writes transfers, entries and heads as the owner, by plain SQL, so that every rule of the database is kept."""

    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def transfer(self, payer: Person, payee: Person, amount: str) -> uuid.UUID:
        name = uuid.uuid4()
        self.sql(
            """
            INSERT INTO transfers (
                id, kind, from_wallet_id, to_wallet_id, amount, currency, reference, group_id, created_at
            )
            VALUES (%s, 'transfer', %s, %s, %s, 'ZAR', '', %s, now())
            """,
            name,
            payer.wallet.pk,
            payee.wallet.pk,
            amount,
            name,
        )
        return name

    def entry(
        self, transfer_id: uuid.UUID, who: Person, kind: str, amount: str, *, step: int = 1, extra: str = "0"
    ) -> None:
        """Add an entry and move the head to it; `step` sequences on, with `extra` in both running totals."""
        received, sent = (amount, "0") if kind == "received" else ("0", amount)
        self.sql(
            """
            WITH head AS (
                UPDATE wallets SET
                    total_received = total_received + %(received)s::numeric + %(extra)s::numeric,
                    total_sent = total_sent + %(sent)s::numeric + %(extra)s::numeric,
                    balance = balance + %(received)s::numeric - %(sent)s::numeric,
                    received_count = received_count + CASE %(kind)s WHEN 'received' THEN %(step)s ELSE 0 END,
                    sent_count = sent_count + CASE %(kind)s WHEN 'sent' THEN %(step)s ELSE 0 END,
                    sequence = sequence + %(step)s,
                    last_entry_at = now()
                WHERE id = %(wallet_id)s
                RETURNING *
            )
            INSERT INTO transactions (
                transfer_id, wallet_id, user_id, type, amount, currency, sequence,
                balance_after, total_received_after, total_sent_after, created_at
            )
            SELECT %(transfer_id)s, id, user_id, %(kind)s, %(amount)s, currency, sequence,
                balance, total_received, total_sent, now()
            FROM head
            """,
            transfer_id=transfer_id,
            wallet_id=who.wallet.pk,
            kind=kind,
            amount=amount,
            received=received,
            sent=sent,
            step=step,
            extra=extra,
        )


@pytest.fixture
def forger(owner_sql: Sql, history: None) -> Forger:
    return Forger(owner_sql)


Breaks = Callable[[str], dict[str, str | None]]


def test_a_pair_that_follows_every_rule_is_no_forgery_that_anyone_could_see(
    forger: Forger, thandi: Person, sipho: Person
) -> None:
    with transaction.atomic(using="owner"):
        name = forger.transfer(thandi, sipho, "10.00")
        forger.entry(name, thandi, "sent", "10.00")
        forger.entry(name, sipho, "received", "10.00")


def test_verify_names_a_forged_pair_that_gives_more_than_it_takes(
    forger: Forger, breaks: Breaks, thandi: Person, sipho: Person
) -> None:
    with transaction.atomic(using="owner"):
        name = forger.transfer(thandi, sipho, "10.00")
        forger.entry(name, thandi, "sent", "10.00")
        forger.entry(name, sipho, "received", "1000.00")
    row = breaks("02_transfers_sum_to_zero")
    assert (row["transfer_id"], row["difference"]) == (str(name), "990.00")
    assert breaks("01_entries_match_their_transfer")["wallet_id"] == str(sipho.wallet.pk)
    assert breaks("08_currencies_sum_to_zero")["balance"] == "990.00"


def test_verify_names_a_forged_pair_in_a_strangers_wallet(
    forger: Forger, breaks: Breaks, thandi: Person, sipho: Person, naledi: Person
) -> None:
    fund(naledi, "5.00")
    with transaction.atomic(using="owner"):
        name = forger.transfer(thandi, sipho, "10.00")
        forger.entry(name, thandi, "sent", "10.00")
        forger.entry(name, naledi, "received", "10.00")
    row = breaks("01_entries_match_their_transfer")
    assert (row["transfer_id"], row["wallet_id"]) == (str(name), str(naledi.wallet.pk))


def test_verify_names_a_skipped_sequence(forger: Forger, breaks: Breaks, thandi: Person, sipho: Person) -> None:
    with transaction.atomic(using="owner"):
        name = forger.transfer(thandi, sipho, "10.00")
        forger.entry(name, thandi, "sent", "10.00", step=2)
        forger.entry(name, sipho, "received", "10.00")
    row = breaks("04_entries_form_chains")
    assert (row["wallet_number"], row["sequence"]) == (thandi.wallet.number, "4")
    assert row["broken"] == "the sequence has a gap"


def test_verify_names_a_wrong_total(forger: Forger, breaks: Breaks, thandi: Person, sipho: Person) -> None:
    with transaction.atomic(using="owner"):
        name = forger.transfer(thandi, sipho, "10.00")
        forger.entry(name, thandi, "sent", "10.00")
        forger.entry(name, sipho, "received", "10.00", extra="5.00")
    row = breaks("04_entries_form_chains")
    assert (row["wallet_number"], row["sequence"]) == (sipho.wallet.number, "2")
    assert row["broken"] == "total_received_after does not follow"


def test_verify_names_an_entry_without_its_counterpart(
    forger: Forger, breaks: Breaks, thandi: Person, sipho: Person
) -> None:
    with transaction.atomic(using="owner"):
        name = forger.transfer(thandi, sipho, "10.00")
        forger.entry(name, sipho, "received", "10.00")
    row = breaks("02_transfers_sum_to_zero")
    assert (row["transfer_id"], row["sent"], row["received"]) == (str(name), "0", "1")


def test_verify_names_a_transfer_without_entries(forger: Forger, breaks: Breaks, thandi: Person, sipho: Person) -> None:
    name = forger.transfer(thandi, sipho, "10.00")
    assert breaks("02_transfers_sum_to_zero")["transfer_id"] == str(name)
