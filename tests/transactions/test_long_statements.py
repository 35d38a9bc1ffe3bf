"""Long statements: their cost, their memory, and what happens when something happens meanwhile."""

from __future__ import annotations

import datetime as dt
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.test.utils import CaptureQueriesContext

from tests.api import body_of, problem
from tests.conftest import Person, Sql, fund, person
from tests.transactions.legs import johannesburg
from tests.transactions.statement_files import asked, content, csv_rows, write_history
from transactions import statements
from transactions.statement_files.as_csv import BROKEN_OFF

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

FIRST_DAY = "2026-01-01"
LAST_DAY = "2999-12-31"


def stream(who: Person, to_day: str, file_format: str) -> Iterator[bytes]:
    answer = asked(who, FIRST_DAY, to_day, format=file_format)
    assert answer.streaming
    return iter(answer.streaming_content)  # type: ignore[attr-defined]


def five_entries(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "ENTRIES_PER_PAGE", 2)
    for _ in range(5):
        fund(thandi, "1.00")


def test_pages_join_without_a_gap(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    five_entries(thandi, monkeypatch)
    numbers = [str(number) for number in range(1, 6)]
    with CaptureQueriesContext(connection) as captured:
        body = json.loads(content(asked(thandi, FIRST_DAY, LAST_DAY)))
    assert len(captured) == 4  # the figures, and three pages
    assert [entry["id"].partition("-")[2] for entry in body["entries"]] == numbers
    rows = csv_rows(asked(thandi, FIRST_DAY, LAST_DAY, format="csv"))
    assert [row["Entry"].partition("-")[2] for row in rows[1:-1]] == numbers


@pytest.mark.parametrize("file_format", ["json", "csv"])
def test_what_is_posted_while_it_streams_does_not_appear(
    thandi: Person, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    five_entries(thandi, monkeypatch)
    chunks = stream(thandi, LAST_DAY, file_format)
    text = next(chunks)
    fund(thandi, "50.00")
    text += b"".join(chunks)
    assert f"{thandi.wallet.number}-5".encode() in text
    assert f"{thandi.wallet.number}-6".encode() not in text
    assert b"50.00" not in text
    assert json.loads(content(asked(thandi, FIRST_DAY, LAST_DAY)))["closing_balance"] == "55.00"


@pytest.mark.parametrize("file_format", ["json", "csv"])
def test_a_download_that_fails_half_way_does_not_look_complete(
    thandi: Person, owner_sql: Sql, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    five_entries(thandi, monkeypatch)
    chunks = stream(thandi, LAST_DAY, file_format)
    got = [next(chunks), next(chunks)]
    owner_sql("ALTER TABLE transfers RENAME TO transfers_that_are_away")
    with pytest.raises(ProgrammingError):
        got.extend(chunks)
    owner_sql("ALTER TABLE transfers_that_are_away RENAME TO transfers")
    text = b"".join(got)
    if file_format == "csv":
        assert text.decode().splitlines()[-1] == BROKEN_OFF
        assert b"Closing balance" not in text
    else:
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)


def test_a_page_with_a_missing_entry_breaks_the_download(thandi: Person, admin_sql: Sql, ledger: Any) -> None:
    for _ in range(3):
        fund(thandi, "1.00")
    ledger.is_broken = True
    admin_sql("DELETE FROM transactions WHERE wallet_id = %s AND sequence = 2", thandi.wallet.pk)
    with pytest.raises(AssertionError):
        asked(thandi, FIRST_DAY, LAST_DAY)


@pytest.mark.slow
def test_memory_and_queries_do_not_grow_with_history(thandi: Person, sipho: Person, admin_sql: Sql) -> None:
    """Ten times as many entries, and a wallet of ten entries, cost the same memory and the same look at the index."""
    write_history(admin_sql, thandi, sipho, entries=30_000, starts_at=johannesburg("2026-01-01T00:00"))
    naledi, lerato = person("naledi"), person("lerato")
    write_history(admin_sql, naledi, lerato, entries=10, starts_at=johannesburg("2026-01-01T00:00"))
    admin_sql("VACUUM ANALYZE transactions")

    few, many = (blocks_touched(who) for who in (naledi, thandi))
    assert many <= few + 2, "blocks that the query of the figures touched"

    for file_format in ("csv", "json"):
        short, long = (peak_bytes(thandi, to_day, file_format) for to_day in ("2026-01-02", "2026-01-28"))
        assert long[0] > 9 * short[0], "bytes that were sent"
        # Two pages live while one follows the other, and collected garbage comes and goes.
        assert long[1] < 2 * short[1], "bytes of memory at the peak"

    found = problem(asked(thandi, FIRST_DAY, "2026-01-28", format="pdf"), 409, "statement_too_long")
    assert found["facts"] == {"entries": 30_000, "most": 3_000}


def blocks_touched(who: Person) -> int:
    """How many blocks PostgreSQL touches for the figures of a statement."""
    with CaptureQueriesContext(connection) as captured:
        asked(who, "2026-01-02", "2026-01-10")
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + captured.captured_queries[0]["sql"])
        ((plan,),) = cursor.fetchall()
    text = json.dumps(plan)
    assert text.count("ix_transactions_wallet_time") == text.count('"Relation Name": "transactions"') == 2
    return int(plan[0]["Plan"]["Shared Hit Blocks"]) + int(plan[0]["Plan"]["Shared Read Blocks"])


def peak_bytes(who: Person, to_day: str, file_format: str) -> tuple[int, int]:
    """How much was sent, and how much memory Python had at its peak meanwhile."""
    sent = 0
    tracemalloc.start()
    try:
        for chunk in stream(who, to_day, file_format):
            sent += len(chunk)
        return sent, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_history_is_what_the_kernel_would_have_written(thandi: Person, sipho: Person, admin_sql: Sql) -> None:
    write_history(admin_sql, thandi, sipho, entries=20, starts_at=johannesburg("2026-01-01T00:00"))
    fund(thandi, "1.00", at=johannesburg("2026-01-01T00:00") + dt.timedelta(hours=1))
    assert body_of(asked(thandi, FIRST_DAY, FIRST_DAY))["closing_balance"] == "21.00"
