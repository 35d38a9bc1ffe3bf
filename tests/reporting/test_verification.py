"""Each truth of `verify_ledger` is broken in each way it knows, and each time that very check finds the row."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import uuid
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from psycopg.rows import dict_row

from mymoolah.common.clock import now
from mymoolah.common.ids import uuid7
from reporting.verification import checks, verify
from tests import proposals
from tests.conftest import ADMIN_URL, Person, Sql, create, drop, fund, person, send, use_database
from tests.transactions.legs import decided, key, leg
from transactions import posting
from transactions.models import NEEDS_TWO_PEOPLE, Kind, Receivable, ReceivableCollection
from transactions.posting import House, Posted
from transactions.proposals import services
from vouchers.models import SuspenseItem, TillEvent, Voucher, VoucherRedemption
from wallets.models import Hold, Wallet

pytestmark = pytest.mark.sql


BREAKS = re.findall(
    r"^-- (\w+)(?: → (.+))?\n((?:(?!--).*\n?)+)", (Path(__file__).parent / "breaks.sql").read_text(), re.MULTILINE
)
# What only the run over everything finds: how many of a wallet's entries were received is not told by its last one.
NOT_NEW = {("04_entries_form_chains", "counts otherwise")}
VIEWS = {
    "16_voucher_summary_is_live": "voucher_summary",
    "17_transaction_summary_is_live": "transaction_summary",
    "18_user_financial_summary_is_live": "user_financial_summary",
}


LIABILITY, SUSPENSE = House(Wallet.Kind.VOUCHER_LIABILITY, 7), House(Wallet.Kind.SUSPENSE, 0)
TILL, BANK = House(Wallet.Kind.EASYPAY_CLEARING, 0), House(Wallet.Kind.BANK, 0)


def tell(thandi: Person, sipho: Person, lerato: Person) -> None:
    """A little of everything: what Thandi did, then what became of Lerato's vouchers, of a hold, and of a payment."""
    fund(thandi, "500.00")
    sent = send(thandi, sipho, "30.00")
    decision = decided()
    posting.post([leg(sipho, thandi, "30.00", kind=Kind.REVERSAL, reverses=sent.transfer_id)], decision=decision)
    issued = posting.post(
        [
            leg(thandi, LIABILITY, "100.00", kind=Kind.VOUCHER_ISSUE),
            leg(thandi, House(Wallet.Kind.FEE_INCOME, 7), "2.50", kind=Kind.FEE),
            leg(thandi, House(Wallet.Kind.VAT_CONTROL, 7), "0.38", kind=Kind.VAT),
        ],
        initiated_by=thandi.user.pk,
    )
    voucher(thandi, "easypay_voucher", "active", "100.00", paid_by=issued[0], fee_amount="2.50", vat_amount="0.38")
    voucher(thandi, "easypay_topup", "cancelled", "50.00")
    cash_out = hold(thandi, "59.20", "voucher", spent="50.00")
    voucher(thandi, "easypay_cashout", "pending_payment", "50.00", hold_id=cash_out, fee_amount="8", vat_amount="1.20")
    late = posting.post([leg(TILL, SUSPENSE, "20.00", kind=Kind.SUSPENSE)])[0]
    item(late, till_event("20.00", "suspense"), "20.00")

    fund(lerato, "300.00")
    issued = posting.post([leg(lerato, LIABILITY, "50.00", kind=Kind.VOUCHER_ISSUE)])
    redeemed = posting.post([leg(LIABILITY, lerato, "20.00", kind=Kind.VOUCHER_REDEEM)])[0]
    standard = voucher(lerato, "standard", "active", "50.00", paid_by=issued[0], balance="30.00")
    redemption(standard, redeemed, "20.00", wallet=lerato.wallet)
    issued = posting.post([leg(lerato, LIABILITY, "10.00", kind=Kind.VOUCHER_ISSUE)])
    redeemed = posting.post([leg(LIABILITY, lerato, "4.00", kind=Kind.VOUCHER_REDEEM)])[0]
    posting.post([leg(LIABILITY, lerato, "6.00", kind=Kind.VOUCHER_REFUND)])
    redemption(
        voucher(lerato, "standard", "expired", "10.00", paid_by=issued[0]), redeemed, "4.00", wallet=lerato.wallet
    )
    issued = posting.post([leg(lerato, LIABILITY, "60.00", kind=Kind.VOUCHER_ISSUE)])
    spent = posting.post([leg(LIABILITY, TILL, "60.00", kind=Kind.VOUCHER_SPENT)])[0]
    easypay = voucher(lerato, "easypay_voucher", "redeemed", "60.00", paid_by=issued[0])
    redemption(easypay, spent, "60.00")
    till_event("60.00", "applied", easypay)

    taxi = hold(lerato, "50.00", "taxi")
    posting.post([leg(lerato, BANK, "40.00", kind=Kind.CAPTURE)], hold_id=taxi)
    posting.claim(key("taxi"), produces="hold", id=Hold.objects.get(pk=taxi).public_id)

    unknown = posting.post([leg(TILL, SUSPENSE, "15.00", kind=Kind.SUSPENSE)])[0]
    returned = posting.post([leg(SUSPENSE, TILL, "15.00", kind=Kind.RELEASE)], decision=decision)[0]
    item(
        unknown,
        till_event("15.00", "suspense"),
        "15.00",
        resolved_at=now(),
        resolution="returned",
        resolution_transfer_id=returned.transfer_id,
        resolved_by_id=decision.proposed_by,
        approved_by_id=decision.approved_by,
    )
    till_event("70.00", None)

    sent = send(lerato, sipho, "10.00")
    adjustments = House(Wallet.Kind.ADJUSTMENTS, 0)
    back = leg(adjustments, lerato, "10.00", kind=Kind.REVERSAL, reverses=sent.transfer_id)
    forced = posting.post([back], decision=decision)[0]
    collected = posting.post([leg(sipho, adjustments, "4.00", kind=Kind.COLLECTION)], decision=decision)[0]
    receivable = Receivable.objects.create(
        wallet=sipho.wallet,
        transfer_id=forced.transfer_id,
        amount="10.00",
        collected_amount="4.00",
        currency="ZAR",
        created_at=now(),
    )
    ReceivableCollection.objects.create(
        receivable=receivable, transfer_id=collected.transfer_id, amount="4.00", created_at=now()
    )
    decide_what_was_proposed()


def decide_what_was_proposed() -> None:
    """What two people of finance did by proposals: money given and forced back, a fee, a limit, and one thing not done."""
    mandla, precious = person("mandla"), person("precious")
    proposals.approve(proposals.proposed("adjust_wallet", proposals.adjustment(mandla, "50.00", "credit")))
    sent = send(mandla, precious, "20.00")
    away = House(Wallet.Kind.ADJUSTMENTS, 0)
    posting.post([leg(precious, away, "15.00", kind=Kind.DEMO_MONEY)])
    proposals.approve(proposals.proposed("force_reversal", {"transfer": str(sent.transfer_id)}))
    for command, arguments in (("set_fee", proposals.fee(None, None, None)), ("set_tier_limit", proposals.TIER_2)):  # type: ignore[arg-type]
        proposals.approve(proposals.proposed(command, arguments))
    refused = proposals.proposed("settle", {"step": "top_ups", "amount": "12.00", "currency": "ZAR"})
    _, checker = proposals.pair()
    services.reject(public_id=refused.public_id, decider_id=checker, note="Not yet", now=now())


def voucher(
    who: Person, kind: str, status: str, amount: str, *, paid_by: Posted | None = None, **columns: Any
) -> Voucher:
    number: dict[str, Any] = {"easypay_number": f"9506300000{Voucher.objects.count():03d}5"}
    if kind == "standard":
        number = {"code_encrypted": "sealed", "code_index": os.urandom(32)}
    return Voucher.objects.create(
        user=who.user,
        voucher_type=kind,
        status=status,
        original_amount=amount,
        balance=columns.pop("balance", amount if status == "active" else 0),
        currency="ZAR",
        issue_transfer_id=paid_by.transfer_id if paid_by else None,
        expires_at=now() + dt.timedelta(days=30),
        created_at=now(),
        **number,
        **columns,
    )


def redemption(voucher: Voucher, paid_by: Posted, amount: str, *, wallet: Wallet | None = None) -> None:
    VoucherRedemption.objects.create(
        voucher=voucher,
        wallet=wallet,
        transfer_id=paid_by.transfer_id,
        amount=amount,
        currency="ZAR",
        created_at=now(),
    )


def till_event(amount: str, result: str | None, voucher: Voucher | None = None) -> TillEvent:
    return TillEvent.objects.create(
        provider="easypay",
        provider_reference=f"REF-{amount}",
        body=b"",
        body_sha256=bytes(32),
        easypay_number=(voucher and voucher.easypay_number) or "95063999999999",
        amount=amount,
        currency="ZAR",
        paid_at=now(),
        result=result,
        processed_at=result and now(),
        voucher=voucher,
    )


def item(put_there_by: Posted, event: TillEvent, amount: str, **resolution: Any) -> None:
    SuspenseItem.objects.create(
        till_event=event,
        direction="owed_to_customer",
        reason="late",
        amount=amount,
        currency="ZAR",
        transfer_id=put_there_by.transfer_id,
        created_at=now(),
        **resolution,
    )


def hold(who: Person, amount: str, purpose: str, *, spent: str | None = None) -> int:
    hold_id: int = posting.call("SELECT nextval('holds_id_seq')")
    posting.call(
        "SELECT place_hold(%s, %s, %s, %s, 'ZAR', %s, NULL, %s, %s, NULL)",
        hold_id,
        uuid.uuid4(),
        who.wallet.pk,
        Decimal(amount),
        purpose,
        spent and "cash_out",
        spent and Decimal(spent),
    )
    return hold_id


PEOPLE = """
    CREATE FUNCTION wallet_of(p_name text) RETURNS bigint STABLE
    RETURN (SELECT w.id FROM wallets AS w INNER JOIN users AS u ON u.id = w.user_id WHERE u.first_name = p_name);
    CREATE FUNCTION thandi() RETURNS bigint STABLE RETURN wallet_of('Thandi');
    CREATE FUNCTION sipho() RETURNS bigint STABLE RETURN wallet_of('Sipho');
    CREATE FUNCTION naledi() RETURNS bigint STABLE RETURN wallet_of('Naledi');
    CREATE FUNCTION lerato() RETURNS bigint STABLE RETURN wallet_of('Lerato');
    CREATE FUNCTION payment() RETURNS uuid STABLE
    RETURN (SELECT t.id FROM transfers AS t WHERE t.kind = 'transfer' AND t.from_wallet_id = thandi());
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
            thandi, sipho, lerato, _ = (person(who) for who in ("thandi", "sipho", "lerato", "naledi"))
            tell(thandi, sipho, lerato)
            with psycopg.connect(os.environ[ADMIN_URL], dbname=name, row_factory=dict_row) as connection:
                connection.execute(PEOPLE)
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
        assert (check, word) in NOT_NEW or any(_broken_changes(story))


def test_what_changed_is_found_to_hold_before_it_is_broken(story: psycopg.Connection[dict[str, Any]]) -> None:
    assert list(_broken_changes(story)) == []
    assert sum(check.reads_changes for check in checks(of_changes=True)) == 14


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


def test_verify_knows_every_kind_that_needs_two_people(story: psycopg.Connection[dict[str, Any]]) -> None:
    check = "22_two_people_decided"
    for kind in Kind:
        with story.transaction(force_rollback=True):
            story.execute("UPDATE transfers SET kind = %s WHERE id = payment()", [kind.value])
            assert (story.execute(_statement(check)).fetchone() is not None) == (kind in NEEDS_TWO_PEOPLE)


def test_a_statement_about_changes_says_the_same_truth() -> None:
    assert [check.truth for check in checks(of_changes=True)] == [check.truth for check in checks()]
    for check in checks(of_changes=True):
        assert check.reads_changes == ("%(since)s" in check.statement)


def test_each_check_is_broken_by_some_test() -> None:
    assert {check for check, _, _ in BREAKS} == {check.name for check in checks()}
    assert all(check.truth and not check.truth.startswith("--") for check in checks())


def test_verify_holds_for_a_bank_in_which_nothing_ever_happened(ledger: object) -> None:
    output, doubts = StringIO(), StringIO()
    call_command("verify_ledger", stdout=output, stderr=doubts)
    *lines, counted = output.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["holds"] * len(checks()) + ["All"]
    assert counted.startswith("0 entries of 128 wallets in ledger_")
    assert "is it the one you mean?" in doubts.getvalue()


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
            "SELECT * FROM post_transfers(ARRAY[ROW(%s::uuid, 'transfer', %s, %s, 1, 'ZAR', '', NULL, NULL, NULL, false,"
            " NULL, false)::transfer_leg], NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
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
    assert (answer["holds"], answer["wallets"], answer["entries"]) == (True, 128, 0)
    assert all(check["first_broken_row"] is None for check in answer["checks"])


def _broken_changes(story: psycopg.Connection[dict[str, Any]]) -> Iterator[str]:
    """Which checks do not hold, of a history that is new from its beginning."""
    everything = {"since": dt.datetime(2000, 1, 1, tzinfo=dt.UTC), "horizon": 0}
    for check in checks(of_changes=True):
        statement: Any = check.statement
        if story.execute(statement, everything if check.reads_changes else None).fetchone() is not None:
            yield check.name


def _statement(name: str) -> Any:
    return next(check.statement for check in checks() if check.name == name)


def _app_params() -> dict[str, Any]:
    params = connections["default"].get_connection_params()
    return {key: params[key] for key in params.keys() & {"host", "port", "user", "password", "dbname"}}
