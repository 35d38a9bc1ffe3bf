"""Who is connected, who lasts too long, and who waits for whom. Never what a session sent: it may name a customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reporting.database_health.findings import Check, Finding, Row, Server, Severity, grade
from reporting.database_health.thresholds import (
    CONNECTIONS_CRITICAL_SHARE,
    CONNECTIONS_LOOK_SHARE,
    IDLE_CRITICAL_SECONDS,
    IDLE_LOOK_SECONDS,
    LOCK_CRITICAL_SECONDS,
    LOCK_LOOK_SECONDS,
    TRANSACTION_CRITICAL_SECONDS,
    TRANSACTION_LOOK_SECONDS,
)
from reporting.database_health.words import lasted, share

IDLE: Final = ("idle in transaction", "idle in transaction (aborted)")


def other_sessions(server: Server) -> Finding | None:
    """Who may not see the sessions of others would be told that all is well."""
    if server.reads_all_sessions:
        return None
    return Finding(
        severity=Severity.UNKNOWN,
        subject="Other sessions",
        says="may not be read by this role, which sees its own alone",
        advice="As a superuser GRANT pg_read_all_stats to this role, as mymoolah/common/sql/bootstrap.sql does.",
    )


def connections(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    [row] = rows
    limits = [(row["used"], row["allowed"] - row["reserved"], "The server")]
    if row["allowed_to_role"] >= 0:
        limits.append((row["used_by_role"], row["allowed_to_role"], "This role"))
    for used, allowed, whose in limits:
        used_share = used / max(allowed, 1)
        severity = grade(used_share, look=CONNECTIONS_LOOK_SHARE, critical=CONNECTIONS_CRITICAL_SHARE)
        yield Finding(
            severity=severity,
            subject=whose,
            says=f"{used:,} of {allowed:,} are used ({share(used_share)}); at work: {row['active']:,}, "
            f"idle in a transaction: {row['idle_in_transaction']:,}",
            advice=""
            if severity == Severity.WELL
            else "Lower DATABASE_POOL_SIZE or WEB_WORKERS, or put PgBouncer before the server; raise max_connections last.",
            facts={**row, "used_share": round(used_share, 4)},
        )


def long_transactions(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    for row in rows:
        is_idle = row["state"] in IDLE
        seconds = row["state_seconds"] if is_idle else row["transaction_seconds"]
        severity = (
            grade(seconds, look=IDLE_LOOK_SECONDS, critical=IDLE_CRITICAL_SECONDS)
            if is_idle
            else grade(seconds, look=TRANSACTION_LOOK_SECONDS, critical=TRANSACTION_CRITICAL_SECONDS)
        )
        if severity == Severity.WELL:
            continue
        waits = f", waits for {row['wait_event_type']}: {row['wait_event']}" if row["wait_event"] else ""
        yield Finding(
            severity=severity,
            subject=process(row["pid"]),
            says=f"{who(row['role'], row['application_name'])} is {row['state']} in a transaction of "
            f"{lasted(row['transaction_seconds'])}, in this state for {lasted(row['state_seconds'])}{waits}",
            advice="Find out who runs it, and end it by pg_terminate_backend(pid) if nobody needs it: vacuum removes "
            "no row that it may still see.",
            facts=row,
        )


def lock_waits(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    for row in rows:
        severity = grade(row["waited_seconds"], look=LOCK_LOOK_SECONDS, critical=LOCK_CRITICAL_SECONDS)
        if severity == Severity.WELL:
            continue
        what = row["relation"] or f"a {row['lock_type'] or 'lock'}"
        blocker = (
            "a prepared transaction"
            if row["blocking_pid"] == 0
            else f"{process(row['blocking_pid'])} ({who(row['blocking_role'], row['blocking_application'])}, "
            f"{row['blocking_state'] or 'state unknown'}, in a transaction of {lasted(row['blocking_seconds'])})"
        )
        yield Finding(
            severity=severity,
            subject=process(row["waiting_pid"]),
            says=f"{who(row['waiting_role'], row['waiting_application'])} waits {lasted(row['waited_seconds'])} for "
            f"{what} ({row['lock_mode'] or 'mode unknown'}), which {blocker} holds or asked for first",
            advice="End the blocker by pg_terminate_backend(pid) if it is idle; let a migration give up and try again "
            "when it is quiet.",
            facts=row,
        )


def process(pid: int) -> str:
    return f"process {pid}"


def who(role: str | None, application: str | None) -> str:
    return f"{role or 'an unknown role'}, {application}" if application else role or "an unknown role"


CHECKS: Final = (
    Check(name="connections", title="Connections", judge=connections),
    Check(
        name="lock_waits",
        title="Lock waits",
        judge=lock_waits,
        well=f"nobody has waited for {LOCK_LOOK_SECONDS:.0f} s",
        need=other_sessions,
    ),
    Check(
        name="long_transactions",
        title="Long transactions",
        judge=long_transactions,
        well=f"none at work for {TRANSACTION_LOOK_SECONDS} s, none idle for {IDLE_LOOK_SECONDS} s",
        need=other_sessions,
    ),
)
