"""What PostgreSQL and beat have to keep up with: transaction ids, dead rows, statistics, sequences, the overview."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from reporting.database_health.findings import Check, Finding, Row, Server, Severity, grade
from reporting.database_health.thresholds import (
    CHANGED_ROWS_LOOK_SHARE,
    DEAD_ROWS_LOOK_SHARE,
    DEAD_ROWS_MIN,
    REFRESH_BUSY_SHARE,
    REFRESH_LATE_SECONDS,
    SEQUENCE_CRITICAL_SHARE,
    SEQUENCE_LOOK_SHARE,
    TRANSACTION_IDS_CRITICAL,
    TRANSACTION_IDS_LOOK,
)
from reporting.database_health.words import lasted, share


def transaction_ids(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    for row in rows:
        oldest = max(row["transactions"], row["multixacts"])
        severity = grade(oldest, look=TRANSACTION_IDS_LOOK, critical=TRANSACTION_IDS_CRITICAL)
        if severity != Severity.WELL:
            yield Finding(
                severity=severity,
                subject=row["database"],
                says=f"its oldest row is {oldest:,} transactions old; PostgreSQL stops writing at about 2,100,000,000",
                advice="End long transactions and idle slots, then run VACUUM (FREEZE) in this database as its owner.",
                facts=row,
            )


def dead_rows(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    for row in rows:
        dead_share = row["dead_rows"] / (row["live_rows"] + row["dead_rows"])
        changed_share = row["changed_rows"] / max(row["live_rows"], 1)
        if row["dead_rows"] >= DEAD_ROWS_MIN and dead_share >= DEAD_ROWS_LOOK_SHARE:
            yield Finding(
                severity=Severity.LOOK,
                subject=row["table_name"],
                says=f"{row['dead_rows']:,} dead rows ({share(dead_share)}), vacuumed {since(row['vacuumed_at'])}",
                advice="Look for a long transaction that keeps them, then VACUUM the table; if it happens again, lower its "
                "autovacuum_vacuum_scale_factor.",
                facts=row,
            )
        if max(row["changed_rows"], row["live_rows"] * (row["analyzed_at"] is None)) >= DEAD_ROWS_MIN and (
            row["analyzed_at"] is None or changed_share >= CHANGED_ROWS_LOOK_SHARE
        ):
            yield Finding(
                severity=Severity.LOOK,
                subject=row["table_name"],
                says=f"{row['changed_rows']:,} rows changed since it was analysed, {since(row['analyzed_at'])}",
                advice="ANALYZE the table, lest plans are made for what it no longer holds.",
                facts=row,
            )
        if row["is_left_alone"]:
            yield Finding(
                severity=Severity.LOOK,
                subject=row["table_name"],
                says="autovacuum is switched off for it",
                advice="ALTER TABLE … RESET (autovacuum_enabled), unless somebody knows why.",
                facts=row,
            )


def sequences(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    for row in rows:
        severity = grade(row["used_share"], look=SEQUENCE_LOOK_SHARE, critical=SEQUENCE_CRITICAL_SHARE)
        if not row["is_readable"]:
            yield Finding(
                severity=Severity.UNKNOWN,
                subject=row["sequence_name"],
                says="may not be read by this role",
                advice="GRANT USAGE on the sequence, as default privileges do for those of the owner.",
                facts=row,
            )
        elif severity != Severity.WELL:
            yield Finding(
                severity=severity,
                subject=row["sequence_name"],
                says=f"{row['last_used']:,} of {row['last_possible']:,} are given out ({share(row['used_share'])})",
                advice="Plan a wider range now, as docs/migrations.md changes a column: at the end every INSERT fails.",
                facts=row,
            )


def overview(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    [row] = rows
    subject = "user_dashboard_summary"
    if row["age_seconds"] is None or not row["is_populated"]:
        yield Finding(
            severity=Severity.LOOK,
            subject=subject,
            says="was never refreshed",
            advice="Run manage.py refresh_dashboard, and see that beat and a worker run.",
            facts=row,
        )
        return
    is_late = row["has_changed"] and row["age_seconds"] > REFRESH_LATE_SECONDS
    is_busy = row["busy_share"] > REFRESH_BUSY_SHARE
    yield Finding(
        severity=Severity.LOOK if is_late or is_busy else Severity.WELL,
        subject=subject,
        says=f"{lasted(row['age_seconds'])} old{'' if row['has_changed'] else ', and nothing has changed'}; its "
        f"{row['rows_count']:,} rows took {row['duration_ms'] / 1000:.1f} s, its refreshes of a day "
        f"{share(row['busy_share'])} of that day",
        advice="Run manage.py refresh_dashboard, and see that beat and a worker run."
        if is_late
        else "Raise DASHBOARD_REFRESH_SECONDS: every refresh costs the same, however little has changed."
        if is_busy
        else "",
        facts=row,
    )


def since(moment: dt.datetime | None) -> str:
    """When something was last done; a day says enough."""
    return "never" if moment is None else f"last on {moment:%Y-%m-%d %H:%M} UTC"


CHECKS: Final = (
    Check(
        name="transaction_ids",
        title="Transaction ids",
        judge=transaction_ids,
        well=f"no database is {TRANSACTION_IDS_LOOK:,} transactions behind",
    ),
    Check(name="dead_rows", title="Dead rows and statistics", judge=dead_rows, well="vacuum and analyze keep up"),
    Check(name="sequences", title="Sequences", judge=sequences, well=f"none has used {share(SEQUENCE_LOOK_SHARE)}"),
    Check(name="overview", title="Customer overview", judge=overview),
)
