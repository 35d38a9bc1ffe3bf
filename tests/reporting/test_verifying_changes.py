"""What changed since the ledger last held is verified; what is old is for the run over everything."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from reporting import tasks
from reporting.models import LedgerVerification
from reporting.verification import MARGIN, Mark, last_mark, take_mark, verify
from tests.conftest import Ledger, Person, Sql, fund, send
from tests.vouchers import desk
from tests.vouchers.till import TOP_UP
from vouchers.models import Voucher

pytestmark = pytest.mark.sql


def changed() -> dict[str, Any]:
    """What `verify_ledger --changed` says to a machine."""
    output = StringIO()
    try:
        call_command("verify_ledger", "--changed", "--json", stdout=output)
    except CommandError as error:
        assert "The ledger is broken" in str(error)  # noqa: PT017 - said after the object was printed
    answer: dict[str, Any] = json.loads(output.getvalue())
    return answer


def broken(answer: dict[str, Any]) -> list[str]:
    return [check["name"] for check in answer["checks"] if check["first_broken_row"] is not None]


def test_the_first_run_looks_at_everything_and_the_next_at_what_came_since(
    thandi: Person, sipho: Person, ledger: Ledger
) -> None:
    fund(thandi, "100.00")
    assert changed()["changes_since"] is None
    first = LedgerVerification.objects.get()
    assert (first.changes_since, first.broken) == (None, [])
    send(thandi, sipho, "10.00")

    answer = changed()

    assert first.snapshot_at is not None
    assert answer["holds"] is True
    assert answer["changes_since"] == first.snapshot_at.isoformat()
    second = LedgerVerification.objects.latest("pk")
    assert second.changes_since == first.snapshot_at
    assert second.snapshot_at is not None
    assert second.snapshot_at > first.snapshot_at


def test_what_is_new_and_broken_is_found_again_and_again_until_it_is_mended(
    thandi: Person, sipho: Person, admin_sql: Sql, ledger: Ledger
) -> None:
    fund(thandi, "100.00")
    held = changed()["holds"], LedgerVerification.objects.get().snapshot_at
    sent = send(thandi, sipho, "10.00")
    admin_sql("UPDATE transfers SET amount = 11 WHERE id = %s", sent.transfer_id)
    for _ in range(2):
        answer = changed()
        assert broken(answer) == ["01_entries_match_their_transfer"]
        assert (True, dt.datetime.fromisoformat(answer["changes_since"])) == held
    admin_sql("UPDATE transfers SET amount = 10 WHERE id = %s", sent.transfer_id)
    assert broken(changed()) == []


def test_what_is_old_is_left_to_the_run_over_everything(
    thandi: Person, sipho: Person, admin_sql: Sql, breaks: Any
) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "10.00")
    later = Mark(at=take_mark().at + MARGIN + dt.timedelta(minutes=1), horizon=2**62)
    admin_sql("UPDATE transfers SET amount = 11 WHERE id = %s", sent.transfer_id)
    assert [result.check.name for result in verify(since=later) if result.broken is not None] == []
    assert breaks("01_entries_match_their_transfer")["transfer_id"] == str(sent.transfer_id)


def test_what_a_run_over_everything_found_is_not_called_well_by_the_next_over_changes(
    thandi: Person, sipho: Person, admin_sql: Sql, breaks: Any, ledger: Ledger
) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "10.00")
    assert changed()["holds"] is True
    admin_sql("UPDATE transfers SET amount = 11 WHERE id = %s", sent.transfer_id)
    breaks("01_entries_match_their_transfer")
    answer = changed()
    assert (answer["changes_since"], broken(answer)) == (None, ["01_entries_match_their_transfer"])
    admin_sql("UPDATE transfers SET amount = 10 WHERE id = %s", sent.transfer_id)
    assert changed()["changes_since"] is None
    assert changed()["changes_since"] is not None


def test_a_voucher_that_moved_no_money_is_looked_at_when_it_changes(
    thandi: Person, sipho: Person, admin_sql: Sql, ledger: Ledger
) -> None:
    issued = desk.issue(thandi, TOP_UP)
    admin_sql("UPDATE vouchers SET created_at = created_at - interval '3 hours'")
    assert changed()["holds"] is True
    mark = take_mark()
    desk.cancel(thandi, issued)
    admin_sql(
        "UPDATE voucher_totals SET total_count = 1, total_value = 50, pending_count = 1, pending_value = 50"
        " WHERE user_id = %s",
        thandi.user.pk,
    )
    for since, found in ((mark, True), (Mark(at=mark.at + dt.timedelta(hours=2), horizon=2**62), False)):
        names = [result.check.name for result in verify(since=since) if result.broken is not None]
        assert ("12_voucher_totals_equal_a_recount" in names) is found
    ledger.is_broken = True
    assert Voucher.objects.get().status == "cancelled"


def test_a_mark_of_another_life_of_the_database_is_none(ledger: Ledger) -> None:
    call_command("verify_ledger", verbosity=0)
    mark = take_mark()
    assert last_mark(now=mark) is not None
    assert last_mark(now=Mark(at=mark.at, horizon=1)) is None


def test_a_transaction_that_is_under_way_is_looked_at_by_the_next_run(
    thandi: Person, sipho: Person, admin_sql: Sql
) -> None:
    """Its rows bear a moment before the mark, and are seen after it."""
    fund(thandi, "100.00")
    assert changed()["holds"] is True
    mark = take_mark()
    late = send(thandi, sipho, "10.00")
    admin_sql(
        "UPDATE transactions SET created_at = %(at)s WHERE transfer_id = %(id)s",
        at=mark.at - MARGIN / 2,
        id=late.transfer_id,
    )
    names = [result.check.name for result in verify(since=mark) if result.broken is not None]
    assert "01_entries_match_their_transfer" in names
    admin_sql(
        "UPDATE transactions AS e SET created_at = t.created_at FROM transfers AS t WHERE t.id = e.transfer_id AND t.id = %s",
        late.transfer_id,
    )


def test_every_hour_beat_looks_at_what_changed(thandi: Person, ledger: Ledger) -> None:
    fund(thandi, "100.00")
    tasks.verify_ledger()
    tasks.verify_changes()
    assert [(run.changes_since is None, run.broken) for run in LedgerVerification.objects.order_by("pk")] == [
        (True, []),
        (False, []),
    ]
