"""How far standbys are behind, and what is kept for those that do not fetch it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reporting.database_health.findings import Check, Finding, Row, Server, Severity, grade, worst
from reporting.database_health.sessions import other_sessions
from reporting.database_health.thresholds import (
    LAG_CRITICAL_BYTES,
    LAG_CRITICAL_SECONDS,
    LAG_LOOK_BYTES,
    LAG_LOOK_SECONDS,
    SLOT_CRITICAL_BYTES,
    SLOT_LOOK_BYTES,
)
from reporting.database_health.words import lasted, sized


def lag(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    for row in rows:
        behind_bytes = row["behind_bytes"] or 0
        severity = worst(
            grade(row["lag_seconds"], look=LAG_LOOK_SECONDS, critical=LAG_CRITICAL_SECONDS),
            grade(behind_bytes, look=LAG_LOOK_BYTES, critical=LAG_CRITICAL_BYTES),
        )
        says = f"{lasted(row['lag_seconds'])} and {sized(behind_bytes)} behind"
        advice = "Look whether the standby's disk or network is busy, or a long query on it holds the replay up."
        if row["is_paused"]:
            severity = worst(severity, Severity.LOOK)
            says = f"its replay is paused; {says}"
            advice = "Go on with pg_wal_replay_resume(), as a superuser on the standby."
        if not row["is_streaming"]:
            severity = worst(severity, Severity.LOOK)
            says = f"does not stream; {says}, as far as it knows" if row["is_this"] else f"does not stream yet; {says}"
            advice = "See the standby's log: it cannot reach its primary, or what it needs is no longer there."
        yield Finding(
            severity=severity,
            subject=str(row["standby"] or "a standby without a name"),
            says=says,
            advice="" if severity == Severity.WELL else advice,
            facts=row,
        )


def slots(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    for row in rows:
        kept_bytes = row["kept_bytes"] or 0
        severity = grade(kept_bytes, look=SLOT_LOOK_BYTES, critical=SLOT_CRITICAL_BYTES)
        if row["wal_status"] == "lost":
            yield Finding(
                severity=Severity.LOOK,
                subject=row["slot_name"],
                says="has lost what its standby still needs",
                advice="Make the standby anew with pg_basebackup, then drop the slot by pg_drop_replication_slot.",
                facts=row,
            )
        elif severity != Severity.WELL:
            yield Finding(
                severity=severity,
                subject=row["slot_name"],
                says=f"keeps {sized(kept_bytes)} of write-ahead log and is {'' if row['is_active'] else 'not '}read",
                advice="Bring its standby back, or drop the slot by pg_drop_replication_slot before the disk is full.",
                facts=row,
            )


CHECKS: Final = (
    Check(
        name="replication",
        title="Replication lag",
        judge=lag,
        well="no standby is connected to this server",
        need=other_sessions,
    ),
    Check(name="replication_slots", title="Replication slots", judge=slots, well="none keeps much"),
)
