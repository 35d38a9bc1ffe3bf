"""Whether the ledger holds: every truth about money, asked of the database in SQL."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from mymoolah.common import sql
from reporting.models import LedgerVerification

# One snapshot of everything, read only. A large ledger takes minutes, and sorts and hashes more than a request may.
SESSION = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL work_mem = '128MB'",
    "SET LOCAL max_parallel_workers_per_gather = 2",
)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One truth and the statement that finds the first row that breaks it."""

    name: str
    truth: str
    statement: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a check found: nothing, or the first broken row by column name."""

    check: Check
    seconds: float
    broken: dict[str, Any] | None


def checks() -> list[Check]:
    """Every check, in the order of the files in `reporting/sql/verify`."""
    folder = Path(settings.BASE_DIR) / "reporting" / "sql" / "verify"
    return [_check(path) for path in sorted(folder.glob("*.sql"))]


def _check(path: Path) -> Check:
    statement = sql.read("reporting", f"verify/{path.name}")
    return Check(name=path.stem, truth=statement.partition("\n")[0].removeprefix("-- "), statement=statement)


def verify(*, using: str = DEFAULT_DB_ALIAS) -> Iterator[Result]:
    """Run every check in one snapshot, each result as soon as it is known. Writes nothing and waits for nobody."""
    with transaction.atomic(using=using, durable=True), connections[using].cursor() as cursor:
        for statement in SESSION:
            cursor.execute(statement)
        for check in checks():
            started = time.perf_counter()
            cursor.execute(check.statement)
            row = cursor.fetchone()
            names = [column.name for column in cursor.description]
            broken = None if row is None else dict(zip(names, row, strict=True))
            yield Result(check=check, seconds=time.perf_counter() - started, broken=broken)


def record(results: Sequence[Result], *, now: dt.datetime) -> LedgerVerification:
    """Write down that the ledger was verified, and what did not hold: for the health lights of the start page."""
    return LedgerVerification.objects.create(
        finished_at=now,
        duration_ms=round(sum(result.seconds for result in results) * 1000),
        checks_count=len(results),
        broken=[result.check.name for result in results if result.broken is not None],
    )
