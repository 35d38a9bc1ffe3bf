"""Which statements take the time, as pg_stat_statements counts them, with every constant masked once more.

PostgreSQL keeps them normalised, but not all: of utility statements, and of one whose entry was thrown out while it ran,
the text stays as it was sent, and Django sends values in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from reporting.database_health.findings import Check, Finding, Row, Server, Severity
from reporting.database_health.thresholds import (
    BUSY_STATEMENT_SHARE,
    SHOWN_STATEMENTS,
    SLOW_STATEMENT_CALLS_PER_DAY,
    SLOW_STATEMENT_MS,
)
from reporting.database_health.words import counted, share

LONGEST_TEXT: Final = 300
# The overview's refresh is slow by design, and has a check of its own.
KNOWN: Final = "refresh_user_dashboard_summary"
TOKENS: Final = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<name>"(?:[^"]|"")*")
    | (?P<text>
          (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?:(?P=tag)|\Z)  # $$…$$, $body$…$body$
        | \b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)
        | '(?:[^']|'')*(?:'|\Z)
      )
    | (?P<number>(?<![\w$.])\d[\d_.]*(?:[eE][+-]?\d+)?)
    """,
    re.VERBOSE | re.DOTALL,
)


def masked(statement: str) -> str:
    """A statement without comments, and with `…` for each constant in it."""

    def mask(found: re.Match[str]) -> str:
        return {"comment": " ", "name": found[0], "text": "'…'", "number": "…"}[str(found.lastgroup)]

    return re.sub(r"\s+", " ", TOKENS.sub(mask, statement)).strip()


def extension(server: Server) -> Finding | None:
    if server.has_statements:
        return None
    return Finding(
        severity=Severity.UNKNOWN,
        subject="pg_stat_statements",
        says="is not installed in this database, so nobody counts what statements take",
        advice="Add it to shared_preload_libraries, restart, and CREATE EXTENSION pg_stat_statements as a superuser.",
    )


def statements(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    if not rows:
        return
    days = max(rows[0]["counted_seconds"] or 0, 3_600) / 86_400
    for place, row in enumerate(rows):
        text = masked(row["query"])
        busy_share = row["total_seconds"] / (days * 86_400)
        calls_per_day = row["calls"] / max(days, 1)
        is_slow = row["mean_ms"] >= SLOW_STATEMENT_MS and calls_per_day >= SLOW_STATEMENT_CALLS_PER_DAY
        is_grave = (is_slow or busy_share >= BUSY_STATEMENT_SHARE) and KNOWN not in text
        if not is_grave and place >= SHOWN_STATEMENTS:
            continue
        shown = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
        yield Finding(
            severity=Severity.LOOK if is_grave else Severity.WELL,
            subject=f"query {row['query_id']}",
            says=f"{row['mean_ms']:,.1f} ms on average, {counted(row['calls'], 'time')}, {row['total_seconds']:,.0f} s in all "
            f"({share(busy_share)} of one core): {shown}",
            advice="EXPLAIN it with real values (manage.py explain for the hot ones), and give it an index or less to do."
            if is_grave
            else "",
            facts={
                "query_id": row["query_id"],
                "calls": row["calls"],
                "mean_ms": round(row["mean_ms"], 3),
                "longest_ms": round(row["longest_ms"], 3),
                "total_seconds": round(row["total_seconds"], 3),
                "rows_per_call": round(row["rows_per_call"], 1),
                "busy_share": round(busy_share, 4),
                "counted_since": row["counted_since"],
                "statement": shown,
            },
        )


CHECKS: Final = (
    Check(
        name="statements",
        title="Slow statements",
        judge=statements,
        well="nothing has been counted yet",
        need=extension,
    ),
)
