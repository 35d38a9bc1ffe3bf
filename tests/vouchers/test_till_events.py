"""That no report of a till is lost, and none counts twice."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections import Counter
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import audit
from accounts.models import AuditEvent
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError
from mymoolah.common.money import Money
from tests.api import body_of, problem
from tests.conftest import Person, Sql, fund
from tests.transactions.legs import beside
from tests.vouchers.till import (
    CASH_OUT,
    SPENT,
    TOP_UP,
    UNKNOWN_NUMBER,
    cancel,
    done,
    in_doubt,
    issue,
    moves,
    number_of,
    payment,
    redeemed_by,
    sent,
    status_of,
    told,
)
from vouchers import tasks
from vouchers.errors import VoucherCancelled, VoucherRedeemed
from vouchers.models import SuspenseItem, TillEvent, Voucher, VoucherRedemption
from vouchers.services import tills
from wallets.models import Wallet

pytestmark = pytest.mark.usefixtures("ledger")


# Once ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [TOP_UP, SPENT, CASH_OUT, None])
def test_a_repeat_gets_the_first_answer_and_moves_nothing(kind: Voucher.Type | None, thandi: Person) -> None:
    fund(thandi, "500.00")
    voucher = issue(thandi, kind) if kind else None
    report = payment(voucher or UNKNOWN_NUMBER)
    first = sent(report)
    if kind == TOP_UP:
        Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    with moves({}):
        again = sent(report)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert TillEvent.objects.count() == 1
    assert not AuditEvent.objects.filter(verb="till.reference_reused").exists()


def test_another_body_under_the_same_reference_is_written_down_and_gets_the_first_answer(thandi: Person) -> None:
    voucher, other = issue(thandi, TOP_UP), issue(thandi, TOP_UP)
    report = payment(voucher)
    assert told(report) == "applied"
    first = TillEvent.objects.get()
    with moves({}):
        assert told({**report, "amount": "4000.00"}) == "applied"
        assert told({**report, "easypay_number": number_of(other)}) == "applied"
    assert TillEvent.objects.get().pk == first.pk
    assert status_of(other) == "pending_payment"
    events = list(AuditEvent.objects.filter(verb="till.reference_reused").order_by("pk"))
    assert len(events) == 2
    for event in events:
        assert set(event.facts) == {"provider_reference", "first_body_sha256", "body_sha256"}
        assert event.facts["provider_reference"] == report["provider_reference"]
        assert event.facts["first_body_sha256"] == bytes(first.body_sha256).hex()
        assert event.facts["body_sha256"] not in {"", event.facts["first_body_sha256"]}
        assert event.request_id


@pytest.mark.parametrize("kind", [TOP_UP, SPENT, CASH_OUT, None])
def test_one_report_that_comes_ten_times_at_once_counts_once(
    kind: Voucher.Type | None, thandi: Person, race: Callable[..., list[Any]]
) -> None:
    fund(thandi, "500.00")
    report = payment(issue(thandi, kind) if kind else UNKNOWN_NUMBER)
    with moves(done(kind, thandi) if kind else in_doubt(None, "100.00")):
        answers = race(10, lambda: sent(report).content)
    assert set(answers) == {json.dumps({"result": "applied" if kind else "suspense"}).replace(" ", "").encode()}
    assert TillEvent.objects.count() == 1


@pytest.mark.parametrize("kind", [TOP_UP, SPENT, CASH_OUT])
def test_of_ten_reports_of_one_number_at_once_one_is_applied(
    kind: Voucher.Type, thandi: Person, race: Callable[..., list[Any]]
) -> None:
    fund(thandi, "500.00")
    voucher = issue(thandi, kind)
    answers = race(10, lambda: told(payment(voucher)))
    assert Counter(answers) == {"applied": 1, "suspense": 9}
    assert set(SuspenseItem.objects.values_list("reason", flat=True)) == {"again"}
    redeemed_by(voucher, into=thandi.wallet if kind == TOP_UP else None)


# Cash for a top-up of a frozen wallet is in doubt whoever comes first: tests/vouchers/test_tills.py.
@pytest.mark.parametrize(
    ("kind", "wallet"),
    [(TOP_UP, "active"), *((kind, wallet) for kind in (SPENT, CASH_OUT) for wallet in ("active", "frozen"))],
)
def test_of_a_cancel_and_a_report_at_once_one_wins(
    kind: Voucher.Type, wallet: str, thandi: Person, race: Callable[..., list[Any]]
) -> None:
    fund(thandi, "5000.00")
    vouchers = [issue(thandi, kind) for _ in range(8)]
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status=wallet)
    for voucher in vouchers:
        turns = itertools.count()

        def work(voucher: Voucher = voucher, turns: itertools.count[int] = turns) -> Any:
            return told(payment(voucher)) if next(turns) % 2 else cancel(thandi, voucher)

        answers = race(2, work)
        if status_of(voucher) == "redeemed":
            assert "applied" in answers
            assert any(isinstance(answer, VoucherRedeemed) for answer in answers)
        else:
            assert status_of(voucher) == "cancelled"
            assert set(answers) == {None, "suspense"}
            assert not any(isinstance(answer, DomainError) for answer in answers)
        with pytest.raises((VoucherRedeemed, VoucherCancelled)):
            cancel(thandi, voucher)


def test_reports_of_many_numbers_of_one_customer_at_once_are_all_applied(
    thandi: Person, race: Callable[..., list[Any]]
) -> None:
    fund(thandi, "5000.00")
    waiting = iter([issue(thandi, kind) for kind in (TOP_UP, SPENT, CASH_OUT) * 4])
    assert race(12, lambda: told(payment(next(waiting)))) == ["applied"] * 12


# Stored before acted on ---------------------------------------------------------------------------------------------
def store(report: dict[str, Any]) -> TillEvent:
    """What is left when a process is killed between storing a report and acting on it."""
    return tills._store(
        tills.Report(
            provider_reference=report["provider_reference"],
            easypay_number=report["easypay_number"],
            amount=Money.parse(report["amount"]),
            paid_at=dt.datetime.fromisoformat(report["paid_at"]),
            body=json.dumps(report).encode(),
        ),
        audit.SYSTEM,
    )


def wait_a_minute(owner_sql: Sql, event: TillEvent, seconds: int = 61) -> None:
    owner_sql("ALTER TABLE till_events DISABLE TRIGGER till_events_are_answered_once")
    owner_sql(f"UPDATE till_events SET received_at = received_at - interval '{seconds} s' WHERE id = %s", event.pk)  # noqa: S608
    owner_sql("ALTER TABLE till_events ENABLE TRIGGER till_events_are_answered_once")


def test_while_a_lock_cannot_be_had_the_report_is_kept_and_the_till_asked_to_come_back(
    thandi: Person, app_sql: Sql
) -> None:
    voucher = issue(thandi, TOP_UP)
    report = payment(voucher)
    app_sql("SET lock_timeout = '200ms'")
    with beside() as other, moves({}):
        other.execute("SELECT 1 FROM wallets WHERE id = %s FOR UPDATE", [thandi.wallet.pk])
        for _ in range(2):
            problem(sent(report), 503, "temporarily_unavailable")
        event = TillEvent.objects.get()
        assert event.result is None
        assert status_of(voucher) == "pending_payment"
    with moves(done(TOP_UP, thandi)):
        assert told(report) == "applied"
        assert told(report) == "applied"


def test_what_was_stored_when_a_process_was_killed_is_done_by_the_repeat(thandi: Person) -> None:
    report = payment(issue(thandi, TOP_UP))
    with moves({}):
        store(report)
    with moves(done(TOP_UP, thandi)):
        assert told(report) == "applied"
        assert told({**report, "amount": "70.00"}) == "applied"


def test_the_sweep_does_what_nobody_repeats_a_minute_later_and_once(thandi: Person, owner_sql: Sql) -> None:
    fund(thandi, "500.00")
    for kind in (TOP_UP, SPENT, CASH_OUT):
        event = store(payment(issue(thandi, kind)))
        wait_a_minute(owner_sql, event, seconds=58)
        with moves({}):
            tasks.process_till_events()
        assert tills.count_waiting(now=now()) == 0
        wait_a_minute(owner_sql, event, seconds=3)
        assert tills.count_waiting(now=now()) == 1
        with moves(done(kind, thandi)):
            tasks.process_till_events()
            tasks.process_till_events()
        event.refresh_from_db()
        assert event.result == "applied"


def test_any_number_of_sweeps_and_repeats_at_once_do_each_report_once(
    thandi: Person, owner_sql: Sql, race: Callable[..., list[Any]]
) -> None:
    fund(thandi, "5000.00")
    reports = [payment(issue(thandi, kind)) for kind in (TOP_UP, SPENT, CASH_OUT) * 3]
    for report in reports:
        wait_a_minute(owner_sql, store(report))
    turns = itertools.count()

    def work() -> Any:
        turn = next(turns)
        return tills.process_events(now=now()) if turn % 2 else [told(report) for report in reports]

    for answer in race(6, work):
        assert answer == ["applied"] * 9 or (isinstance(answer, tills.Sweep) and answer.failed == 0)
    assert set(TillEvent.objects.values_list("result", flat=True)) == {"applied"}
    assert VoucherRedemption.objects.count() == 9


def test_a_sweep_passes_over_what_somebody_else_is_at_and_stops_at_its_limit(
    thandi: Person, owner_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tills, "BATCH", 2)
    events = [store(payment(issue(thandi, TOP_UP))) for _ in range(5)]
    for event in events:
        wait_a_minute(owner_sql, event)
    seen: list[int] = []
    with beside() as other:
        other.execute("SELECT 1 FROM till_events WHERE id = %s FOR UPDATE", [events[0].pk])
        sweep = tills.process_events(now=now(), limit=3, advance=seen.append)
        assert sweep == tills.Sweep(processed=2, failed=0)
        assert tills.process_events(now=now()) == tills.Sweep(processed=2, failed=0)
    assert seen == [1, 1, 1]
    assert tills.process_events(now=now()) == tills.Sweep(processed=1, failed=0)


def test_a_report_that_cannot_be_acted_on_is_left_and_holds_up_no_other(
    thandi: Person, owner_sql: Sql, app_sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, free = store(payment(issue(thandi, TOP_UP))), store(payment(UNKNOWN_NUMBER))
    for event in (stuck, free):
        wait_a_minute(owner_sql, event)
    app_sql("SET lock_timeout = '200ms'")
    output = StringIO()
    with beside() as other:
        other.execute("SELECT 1 FROM wallets WHERE id = %s FOR UPDATE", [thandi.wallet.pk])
        with pytest.raises(CommandError, match="1 report could not be acted on"):
            call_command("process_till_events", "--json", stdout=output)
    assert json.loads(output.getvalue()) == {"waiting": 2, "processed": 1, "failed": 1}
    assert f"Report {stuck.pk} of a till could not be acted on" in caplog.text
    output = StringIO()
    call_command("process_till_events", "--dry-run", stdout=output)
    assert output.getvalue() == "1 report waiting; nothing was done.\n"
    output = StringIO()
    call_command("process_till_events", stdout=output)
    assert "Acted on 1 report." in output.getvalue()


def test_a_fact_that_seems_to_be_refused_is_kept_and_repeated(
    thandi: Person, owner_sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    """The house has no wallet for it: nothing a till could do about."""
    fund(thandi, "500.00")
    report = payment(UNKNOWN_NUMBER)
    owner_sql("ALTER TABLE wallets DISABLE TRIGGER USER")
    owner_sql("UPDATE wallets SET stripe = stripe + 100 WHERE kind = 'suspense'")
    answer = sent(report)
    owner_sql("UPDATE wallets SET stripe = stripe - 100 WHERE kind = 'suspense'")
    owner_sql("ALTER TABLE wallets ENABLE TRIGGER USER")
    problem(answer, 503, "temporarily_unavailable")
    assert "could not be acted on" in caplog.text
    assert told(report) == "suspense"
    assert body_of(sent(report)) == {"result": "suspense"}
