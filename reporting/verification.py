"""Whether the ledger holds: every truth about money, asked of the database in SQL.

Of everything, or of what changed since the last run that held. Then the checks that would read all of history have a
second statement, in `reporting/sql/verify/changed`, which reads what is new and what it follows from: what held before
holds still, since transfers and entries cannot be changed. What could only have been forged since in old rows, the run
over everything finds. The other checks read heads and what is open, and are asked as they are.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from mymoolah.common import sql
from reporting.models import LedgerVerification

logger = logging.getLogger(__name__)

# A transaction that was under way when the mark was taken may write rows of an earlier moment; none lasts so long.
MARGIN: Final = dt.timedelta(hours=1)

# One snapshot of everything, read only. A large ledger takes minutes, and sorts and hashes more than a request may.
SESSION = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL work_mem = '128MB'",
    "SET LOCAL max_parallel_workers_per_gather = 2",
)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Up to where a run looked: what was committed at `at`, by transactions before `horizon` (an id that only grows)."""

    at: dt.datetime
    horizon: int


@dataclass(frozen=True, kw_only=True)
class Check:
    """One truth and the statement that finds the first row that breaks it."""

    name: str
    truth: str
    statement: str
    reads_changes: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a check found: nothing, or the first broken row by column name."""

    check: Check
    seconds: float
    broken: dict[str, Any] | None


def checks(*, of_changes: bool = False) -> list[Check]:
    """Every check, in the order of the files in `reporting/sql/verify`."""
    folder = Path(settings.BASE_DIR) / "reporting" / "sql" / "verify"
    return [_check(path, of_changes=of_changes) for path in sorted(folder.glob("*.sql"))]


def _check(path: Path, *, of_changes: bool) -> Check:
    reads_changes = of_changes and (path.parent / "changed" / path.name).exists()
    statement = sql.read("reporting", f"verify/{'changed/' if reads_changes else ''}{path.name}")
    truth = statement.partition("\n")[0].removeprefix("-- ")
    return Check(name=path.stem, truth=truth, statement=statement, reads_changes=reads_changes)


def take_mark(*, using: str = DEFAULT_DB_ALIAS) -> Mark:
    """Where a run that begins now will have looked up to. Taken before its snapshot: what comes between is looked at twice."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT now(), pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        at, horizon = cursor.fetchone()
    return Mark(at=at, horizon=horizon)


def last_mark(*, now: Mark) -> Mark | None:
    """Up to where the ledger held when it was last looked at; None if it never was, or in another cluster's life.

    None as well once a run over everything found it broken, until such a run holds: a run over changes would not see
    what is old, and would call it well.
    """
    everything = LedgerVerification.objects.filter(changes_since=None).order_by("-finished_at").first()
    if everything is None or everything.broken:
        return None
    held = LedgerVerification.objects.filter(broken=[], horizon__lte=now.horizon, snapshot_at__lte=now.at)
    run = held.order_by("-finished_at").first()
    if run is None or run.snapshot_at is None or run.horizon is None:
        return None
    return Mark(at=run.snapshot_at, horizon=run.horizon)


def verify(*, since: Mark | None = None, using: str = DEFAULT_DB_ALIAS) -> Iterator[Result]:
    """Run every check in one snapshot, each result as soon as it is known. Writes nothing and waits for nobody.

    :param since: only of what changed since then
    """
    changes: dict[str, dt.datetime | int] | None = None
    if since is not None:
        changes = {"since": since.at - MARGIN, "horizon": since.horizon}
    with transaction.atomic(using=using, durable=True), connections[using].cursor() as cursor:
        for statement in SESSION:
            cursor.execute(statement)
        for check in checks(of_changes=since is not None):
            started = time.perf_counter()
            cursor.execute(check.statement, changes if check.reads_changes else None)
            row = cursor.fetchone()
            names = [column.name for column in cursor.description]
            broken = None if row is None else dict(zip(names, row, strict=True))
            yield Result(check=check, seconds=time.perf_counter() - started, broken=broken)


def verify_and_record(*, of_changes: bool, now: dt.datetime) -> LedgerVerification:
    """Verify everything, or what changed since the ledger last held if it ever did, and write down what was found.

    What is broken is an error in the log.
    """
    began = time.monotonic()
    mark = take_mark()
    since = last_mark(now=mark) if of_changes else None
    results = list(verify(since=since))
    for result in results:
        if result.broken is not None:
            logger.error("The ledger is broken: %s: %s", result.check.name, result.check.truth)
    return record(results, mark=mark, since=since, now=now + dt.timedelta(seconds=time.monotonic() - began))


def ledger_size(*, using: str = DEFAULT_DB_ALIAS) -> tuple[int, int]:
    """How many wallets there are, and how many entries their heads count."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT count(*), coalesce(sum(received_count + sent_count), 0)::bigint FROM wallets")
        wallets, entries = cursor.fetchone()
    return wallets, entries


def record(results: Sequence[Result], *, mark: Mark, since: Mark | None = None, now: dt.datetime) -> LedgerVerification:
    """Write down that the ledger was verified, up to where, and what did not hold."""
    return LedgerVerification.objects.create(
        finished_at=now,
        duration_ms=round(sum(result.seconds for result in results) * 1000),
        checks_count=len(results),
        snapshot_at=mark.at,
        horizon=mark.horizon,
        changes_since=since.at if since else None,
        broken=[result.check.name for result in results if result.broken is not None],
    )
