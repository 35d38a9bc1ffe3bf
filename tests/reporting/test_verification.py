"""Each truth of `verify_ledger` is broken in each way it knows, and each time that very check finds the row."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import uuid
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from psycopg.rows import dict_row

from mymoolah.common.ids import uuid7
from mymoolah.common.money import Money
from reporting.verification import checks, verify
from tests.conftest import ADMIN_URL, Person, Sql, create, drop, fund, person, send, use_database
from transactions import posting
from transactions.models import Kind
from transactions.posting import House, Leg
from vouchers.models import SuspenseItem, Voucher
from wallets.models import Wallet

pytestmark = pytest.mark.sql


BREAKS = re.findall(
    r"^-- (\w+)(?: → (.+))?\n((?:(?!--).*\n?)+)", (Path(__file__).parent / "breaks.sql").read_text(), re.MULTILINE
)
VIEWS = {
    "16_voucher_summary_is_live": "voucher_summary",
    "17_transaction_summary_is_live": "transaction_summary",
    "18_user_financial_summary_is_live": "user_financial_summary",
}


def tell(thandi: Person, sipho: Person) -> None:
    """A little of everything: a reversed payment, a voucher with its fee, a cash-out, and money in suspense."""
    fund(thandi, "500.00")
    sent = send(thandi, sipho, "30.00")
    mine, his = thandi.wallet.pk, sipho.wallet.pk
    back = Leg(kind=Kind.REVERSAL, source=his, target=mine, amount=Money.parse("30.00"), reverses=sent.transfer_id)
    posting.post([back])
    posting.post(
        [
            Leg(kind=kind, source=mine, target=House(target, 7), amount=Money.parse(amount))
            for kind, target, amount in (
                (Kind.VOUCHER_ISSUE, Wallet.Kind.VOUCHER_LIABILITY, "100.00"),
                (Kind.FEE, Wallet.Kind.FEE_INCOME, "2.50"),
                (Kind.VAT, Wallet.Kind.VAT_CONTROL, "0.38"),
            )
        ],
        initiated_by=thandi.user.pk,
    )
    late = Leg(
        kind=Kind.SUSPENSE,
        source=House(Wallet.Kind.EASYPAY_CLEARING, 0),
        target=House(Wallet.Kind.SUSPENSE, 0),
        amount=Money.parse("20.00"),
    )
    posting.post([late])
    moment = dt.datetime.now(dt.UTC)
    common: dict[str, Any] = {
        "user": thandi.user,
        "currency": "ZAR",
        "expires_at": moment + dt.timedelta(days=30),
        "created_at": moment,
    }
    Voucher.objects.create(
        voucher_type="easypay_voucher",
        status="active",
        easypay_number="95063000000011",
        original_amount="100.00",
        balance="100.00",
        fee_amount="2.50",
        vat_amount="0.38",
        **common,
    )
    Voucher.objects.create(
        voucher_type="easypay_topup",
        status="cancelled",
        easypay_number="95063000000029",
        original_amount="50.00",
        balance="0.00",
        **common,
    )
    SuspenseItem.objects.create(
        direction="owed_to_customer", reason="late", amount="20.00", currency="ZAR", created_at=moment
    )


PEOPLE = """
    CREATE FUNCTION wallet_of(p_name text) RETURNS bigint STABLE
    RETURN (SELECT w.id FROM wallets AS w INNER JOIN users AS u ON u.id = w.user_id WHERE u.first_name = p_name);
    CREATE FUNCTION thandi() RETURNS bigint STABLE RETURN wallet_of('Thandi');
    CREATE FUNCTION sipho() RETURNS bigint STABLE RETURN wallet_of('Sipho');
    CREATE FUNCTION naledi() RETURNS bigint STABLE RETURN wallet_of('Naledi');
    CREATE FUNCTION payment() RETURNS uuid STABLE RETURN (SELECT t.id FROM transfers AS t WHERE t.kind = 'transfer');
"""
CASH_OUT = """
    UPDATE wallets SET held = 59.20 WHERE id = thandi();
    INSERT INTO holds (public_id, wallet_id, amount, currency, status, purpose, created_at)
    VALUES (gen_random_uuid(), thandi(), 59.20, 'ZAR', 'held', 'voucher', now());
    INSERT INTO vouchers (
        public_id, user_id, voucher_type, status, easypay_number, original_amount, balance, currency, fee_amount,
        vat_amount, hold_id, expires_at, created_at
    )
    SELECT
        gen_random_uuid(), w.user_id, 'easypay_cashout', 'pending_payment', '95063123456785', 50, 0, 'ZAR', 8,
        1.20, h.id, now() + interval '30 days', now()
    FROM holds AS h
    INNER JOIN wallets AS w ON w.id = h.wallet_id;
"""


@pytest.fixture(scope="module")
def story(django_db_setup: None, template: str, django_db_blocker: Any) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A superuser's connection to a database with a little history that verifies; each test rolls back."""
    if ADMIN_URL not in os.environ:
        pytest.skip(f"{ADMIN_URL} is not set")
    before, name = connections.settings["default"]["NAME"], f"story_{uuid.uuid4().hex}"
    with django_db_blocker.unblock():
        create(name, template=template)
        use_database(name)
        try:
            thandi, sipho, _ = (person(who) for who in ("thandi", "sipho", "naledi"))
            tell(thandi, sipho)
            with psycopg.connect(os.environ[ADMIN_URL], dbname=name, row_factory=dict_row) as connection:
                connection.execute(PEOPLE + CASH_OUT)
                connection.commit()
                assert [result.check.name for result in verify() if result.broken is not None] == []
                use_database(before)
                connection.execute("SET session_replication_role = replica")
                connection.commit()
                yield connection
        finally:
            use_database(before)
            drop(name)


@pytest.mark.parametrize(("check", "word", "statement"), BREAKS, ids=[f"{b[0]}-{i}" for i, b in enumerate(BREAKS)])
def test_verify_finds_each_broken_truth(
    story: psycopg.Connection[dict[str, Any]], check: str, word: str, statement: LiteralString
) -> None:
    with story.transaction(force_rollback=True):
        assert story.execute(_statement(check)).fetchone() is None
        story.execute(statement)
        row = story.execute(_statement(check)).fetchone()
        assert row is not None
        assert word in " ".join(map(str, row.values()))


@pytest.mark.parametrize("check", VIEWS)
def test_verify_finds_a_view_that_multiplies_its_rows(story: psycopg.Connection[dict[str, Any]], check: str) -> None:
    with story.transaction(force_rollback=True):
        body = story.execute("SELECT pg_get_viewdef(%s::regclass) AS body", [VIEWS[check]]).fetchone()
        assert body is not None
        twice = body["body"].rstrip(" ;")
        story.execute(f"CREATE OR REPLACE VIEW {VIEWS[check]} AS {twice} UNION ALL {twice}")
        row = story.execute(_statement(check)).fetchone()
        assert row is not None
        assert row["broken"] == "only in the view"


def test_each_check_is_broken_by_some_test() -> None:
    assert {check for check, _, _ in BREAKS} == {check.name for check in checks()}
    assert all(check.truth and not check.truth.startswith("--") for check in checks())


def test_verify_holds_for_a_bank_in_which_nothing_ever_happened(ledger: object) -> None:
    output = StringIO()
    call_command("verify_ledger", stdout=output)
    assert [line.split()[0] for line in output.getvalue().splitlines()] == ["holds"] * len(checks()) + ["All"]


def test_verify_names_every_broken_check_and_prints_one_json_object(
    thandi: Person, admin_sql: Sql, breaks: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fund(thandi, "100.00")
    admin_sql("UPDATE transfers SET group_id = %s", uuid7())
    admin_sql("UPDATE wallets SET last_entry_at = now() WHERE kind = 'customer'")
    assert breaks("05_heads_equal_their_last_entry")["wallet_number"] == thandi.wallet.number
    assert breaks("10_groups_stand_together")["transfer_id"] is not None


def test_verify_sees_one_moment_while_postings_go_on(ledger: object, thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    results = verify()
    first = next(results)
    with psycopg.connect(**_app_params()) as other:
        other.execute(
            "SELECT * FROM post_transfers(ARRAY[ROW(%s::uuid, 'transfer', %s, %s, 1, 'ZAR', '', NULL, NULL, false, NULL,"
            " false)::posting_leg], NULL, NULL, NULL, NULL)",
            [uuid7(), thandi.wallet.pk, sipho.wallet.pk],
        )
    assert [result.check.name for result in (first, *results) if result.broken is not None] == []


def test_verify_writes_nothing(ledger: object) -> None:
    results = verify()
    next(results)
    with connections["default"].cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("repeatable read",)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
    results.close()  # type: ignore[attr-defined]


def test_the_table_for_machines_is_one_json_object(ledger: object) -> None:
    output = StringIO()
    call_command("verify_ledger", "--json", stdout=output)
    answer = json.loads(output.getvalue())
    assert answer["holds"] is True
    assert all(check["first_broken_row"] is None for check in answer["checks"])


def _statement(name: str) -> Any:
    return next(check.statement for check in checks() if check.name == name)


def _app_params() -> dict[str, Any]:
    params = connections["default"].get_connection_params()
    return {key: params[key] for key in params.keys() & {"host", "port", "user", "password", "dbname"}}
