"""Asking every check, within a time that ends, and leaving nothing behind."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, transaction
from django.db.backends.utils import CursorWrapper

from mymoolah.common import sql
from mymoolah.common.sql.reading import reading_only
from reporting.database_health.findings import Check, Finding, Row, Section, Server, Severity, worst
from reporting.database_health.thresholds import CHECK_SECONDS, EXAMINATION_SECONDS, LOCK_SECONDS, ROWS_MAX

TRY_AGAIN: Final = "Look at lock waits and long transactions, then run this again."


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What all checks found."""

    server: Server
    sections: Sequence[Section]
    seconds: float

    @property
    def severity(self) -> Severity:
        return worst(*(section.severity for section in self.sections))

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings there are of each severity, the gravest first."""
        found = [finding.severity for section in self.sections for finding in section.findings]
        return {severity: found.count(severity) for severity in Severity}


def examine(
    checks: Iterable[Check],
    *,
    now: dt.datetime,
    using: str = DEFAULT_DB_ALIAS,
    check_seconds: float = CHECK_SECONDS,
    examination_seconds: float = EXAMINATION_SECONDS,
) -> Examination:
    """Ask each check, in one transaction that writes nothing and leaves nothing behind.

    A check that fails, waits or takes too long is a finding of its own and keeps none of the others back.
    """
    begun = time.monotonic()
    with reading_only(using=using) as cursor:
        cursor.execute("SET LOCAL lock_timeout = %s", [_milliseconds(LOCK_SECONDS)])
        cursor.execute("SET LOCAL statement_timeout = %s", [_milliseconds(check_seconds)])
        server = _server(cursor, now)
        sections = []
        for check in checks:
            left_seconds = min(check_seconds, begun + examination_seconds - time.monotonic())
            sections.append(_section(check, server, cursor, using=using, limit_seconds=left_seconds))
    return Examination(server=server, sections=sections, seconds=time.monotonic() - begun)


def _server(cursor: CursorWrapper, now: dt.datetime) -> Server:
    cursor.execute(sql.read("reporting", "health/server.sql"))
    [row] = _rows(cursor)
    return Server(**row, counted_days=max((now - row["counted_since"]).total_seconds(), 1) / 86_400)


def _section(check: Check, server: Server, cursor: CursorWrapper, *, using: str, limit_seconds: float) -> Section:
    begun, missing = time.monotonic(), check.need(server)
    if limit_seconds <= 0:
        findings = [_unknown(check, "was not asked: the time for the whole examination was over", TRY_AGAIN)]
    elif missing is not None:
        findings = [missing]
    else:
        try:
            with transaction.atomic(using=using):
                cursor.execute("SET LOCAL statement_timeout = %s", [_milliseconds(limit_seconds)])
                cursor.execute(check.statement, {"most": ROWS_MAX})
                findings = list(check.judge(_rows(cursor), server))
        except DatabaseError as error:
            findings = [_failed(check, error, limit_seconds)]
    findings = findings or [Finding(severity=Severity.WELL, subject=check.title, says=check.well)]
    findings.sort(key=lambda finding: finding.severity.rank)
    return Section(name=check.name, title=check.title, findings=findings, seconds=time.monotonic() - begun)


def _failed(check: Check, error: DatabaseError, limit_seconds: float) -> Finding:
    """What a check that could not be asked says: PostgreSQL's own word, of catalogues alone.

    :raises DatabaseError: the connection is gone, and nothing can be asked any more
    """
    cause = error.__cause__
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return _unknown(check, f"did not answer in {limit_seconds:.0f} s", TRY_AGAIN)
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return _unknown(check, "waits for a table that somebody else has locked", TRY_AGAIN)
    if not isinstance(cause, psycopg.Error) or cause.sqlstate is None:
        raise error
    return _unknown(
        check,
        f"could not be read: {cause.diag.message_primary}",
        "See what docs/runbook.md says of this check, and grant or install what is missing.",
    )


def _unknown(check: Check, says: str, advice: str) -> Finding:
    return Finding(severity=Severity.UNKNOWN, subject=check.title, says=says, advice=advice)


def _rows(cursor: CursorWrapper) -> list[Row]:
    columns = [column.name for column in cursor.description]
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return [dict(zip(columns, row, strict=True)) for row in found]


def _milliseconds(seconds: float) -> int:
    """Of a timeout; 0 would be none at all."""
    return max(round(seconds * 1000), 1)
