"""A short benchmark of the live bank that reads only: some hot queries, and the dashboard of a long and a short history.

It runs while customers do, so milliseconds are a median of a moment; the blocks that a query touches do not depend on who
else is at work. Both are compared with the last report. Whose rows were read is not kept.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection

from mymoolah.common.errors import DomainError
from mymoolah.common.sql.reading import reading_only
from reporting.database_health.thresholds import LARGE_TABLE_ROWS
from reporting.hot_queries import HOT_QUERIES, NEWEST_ENTRIES, HotQuery, Sample, explain, get_sample
from reporting.maintenance.findings import Facts, Finding, Level, Occasion
from reporting.maintenance.thresholds import (
    LONG_TO_SHORT_MS,
    LONG_TO_SHORT_TIMES,
    MEASURED_TIMES,
    MORE_BLOCKS,
    MORE_BLOCKS_TIMES,
    SLOWER_MS,
    SLOWER_TIMES,
)
from transactions.models import Transaction
from wallets.models import Wallet

DASHBOARD: Final = "dashboard"
MEASURED: Final = ("dashboard", "wallets", "entries", "entries_deep", "statement", "recipient", "vouchers")


def look(occasion: Occasion) -> Iterator[Finding]:
    long = get_sample()
    if long is None:
        yield Finding(level=Level.OK, title="Nothing", found="was measured: the bank has no customer")
        return
    yield from histories(long, short_history(), now=occasion.now)
    is_large = entries_estimate() >= LARGE_TABLE_ROWS  # in small tables no index is worth its while
    for name in MEASURED:
        query = HOT_QUERIES[name]
        explained = explain(query, long, now=occasion.now)
        figures = {"ms": median_ms(query, long, now=occasion.now), "blocks": explained.blocks}
        faults = explained.faults if is_large else ()
        yield judge(name, query.what, figures, faults=faults, before=occasion.before(name))


def judge(name: str, what: str, figures: Facts, *, faults: Sequence[str], before: Facts) -> Finding:
    """A hot query beside itself a month ago."""
    ms, blocks = figures["ms"], figures["blocks"]
    found, level, advice = f"{ms:.1f} ms, {blocks:,} blocks", Level.OK, ""
    if before:
        found += f"; {before['ms']:.1f} ms, {before['blocks']:,} blocks in the last report"
        is_slower = ms >= SLOWER_TIMES * before["ms"] and ms - before["ms"] >= SLOWER_MS
        reads_more = blocks >= MORE_BLOCKS_TIMES * before["blocks"] and blocks - before["blocks"] >= MORE_BLOCKS
        if is_slower or reads_more:
            level, advice = Level.NOTICE, f"See what it does: manage.py explain {name}, and db_health for dead rows."
    if faults:
        level, advice = Level.WARNING, f"manage.py explain {name} shows its plan; ANALYZE first, then see what changed."
        found += f"; it {', '.join(faults)}"
    return Finding(level=level, title=name, found=f"{what}: {found}", advice=advice, facts=figures)


def histories(long: Sample, short: Sample | None, *, now: dt.datetime) -> Iterator[Finding]:
    """The dashboard's one query of the longest of the histories that moved last, and of the shortest."""
    if short is None or short.wallet.pk == long.wallet.pk:
        yield Finding(level=Level.OK, title="Histories", found="there are no two to compare")
        return
    query = HOT_QUERIES[DASHBOARD]
    yield judge_histories(
        median_ms(query, long, now=now),
        median_ms(query, short, now=now),
        entries=(long.wallet.sequence or 0, short.wallet.sequence or 0),
    )


def judge_histories(long_ms: float, short_ms: float, *, entries: tuple[int, int]) -> Finding:
    grows = long_ms >= LONG_TO_SHORT_TIMES * short_ms and long_ms - short_ms >= LONG_TO_SHORT_MS
    return Finding(
        level=Level.NOTICE if grows else Level.OK,
        title="Histories",
        found=f"the dashboard takes {long_ms:.1f} ms after {entries[0]:,} entries, {short_ms:.1f} ms after {entries[1]:,}",
        advice="Its cost must not grow with the history: manage.py explain dashboard." if grows else "",
    )


def short_history() -> Sample | None:
    """Of the customers whose money moved last the one with fewest entries, found as `get_sample` finds the other."""
    newest = Transaction.objects.order_by("-pk").values_list("wallet_id", flat=True)[:NEWEST_ENTRIES]
    customers = Wallet.objects.filter(kind=Wallet.Kind.CUSTOMER, pk__in=set(newest))
    wallet = customers.order_by("sequence", "pk").first()
    return None if wallet is None else get_sample(customer=wallet.number)


def entries_estimate() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = 'transactions'::regclass")
        return int(cursor.fetchone()[0])


def median_ms(query: HotQuery, sample: Sample, *, now: dt.datetime) -> float:
    """Of some tries on a warm connection, which may not write."""

    def ask() -> None:
        with contextlib.suppress(DomainError, ObjectDoesNotExist):  # what is not there is looked for all the same
            query.ask(sample, now)

    with reading_only():
        ask()
        return round(statistics.median(milliseconds(ask) for _ in range(MEASURED_TIMES)), 2)


def milliseconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
