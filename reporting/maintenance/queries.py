"""How long the statements of routes, tasks and commands took this week, and which of them have grown slower."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from django.db import connection, transaction

from mymoolah.common.sql.queries import rows
from reporting.maintenance.findings import Facts, Finding, Level, Occasion
from reporting.maintenance.thresholds import LABEL_GREW_MS, LABEL_GREW_TIMES, LABEL_SAMPLES_MIN, LABELS_SHOWN

WEEK: Final = dt.timedelta(days=7)
LIMIT_SECONDS: Final = 600  # every record of two weeks is read and sorted


def look(occasion: Occasion) -> Iterator[Finding]:
    """Percentiles of the whole week, not of its hours' percentiles: those cannot be added up."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{LIMIT_SECONDS}s"])
        found = rows(
            "reporting",
            "maintenance_labels.sql",
            starts_at=occasion.now - 2 * WEEK,
            since=occasion.now - WEEK,
            ends_at=occasion.now,
        )
    if not found:
        yield Finding(
            level=Level.NOTICE,
            title="Nothing",
            found="was recorded this week",
            advice="Set QUERY_LOG_ENABLE, and see that beat and a worker run.",
        )
        return
    for row in found:
        if grew(row):
            yield Finding(
                level=Level.NOTICE,
                title=row["query_type"],
                found=f"p95 was {row['p95_before_ms']:,.1f} ms in the week before and is {row['p95_ms']:,.1f} ms now "
                f"({row['samples_count']:,} samples)",
                advice="See the hours it began in (Query times by hour), then its statements: manage.py explain, db_health.",
            )
    for row in found[:LABELS_SHOWN]:
        if not grew(row):
            p95 = (
                "no sample"
                if row["p95_ms"] is None
                else f"p95 {row['p95_ms']:,.1f} ms of {row['samples_count']:,} samples"
            )
            slow = f", {row['slow_count']:,} slow, the slowest {row['slowest_ms']:,.0f} ms"
            yield Finding(level=Level.OK, title=row["query_type"], found=p95 + (slow if row["slow_count"] else ""))


def grew(row: Facts) -> bool:
    if min(row["samples_count"], row["samples_before_count"]) < LABEL_SAMPLES_MIN:
        return False
    more_ms = row["p95_ms"] - row["p95_before_ms"]
    return bool(more_ms >= LABEL_GREW_MS and row["p95_ms"] >= LABEL_GREW_TIMES * row["p95_before_ms"])
