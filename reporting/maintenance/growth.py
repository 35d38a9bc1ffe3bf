"""How large the bank will be, from what tables weighed each night, and when the disk is full."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from django.conf import settings

from mymoolah.common.clock import business_day
from mymoolah.common.sql.queries import rows
from reporting.database_health.thresholds import GIB
from reporting.database_health.words import sized
from reporting.maintenance.findings import Facts, Finding, Level, Occasion
from reporting.maintenance.thresholds import (
    DISK_FULL_NOTICE_DAYS,
    DISK_FULL_WARNING_DAYS,
    GROWTH_DAYS_MIN,
    TABLES_SHOWN,
)
from reporting.table_sizes import KEPT_DAYS

MONTH_DAYS: Final = 365 / 12
AHEAD_MONTHS: Final = (3, 6, 12)


def look(occasion: Occasion) -> Iterator[Finding]:
    today = business_day(occasion.now)
    found = rows("reporting", "maintenance_growth.sql", since=today - dt.timedelta(days=KEPT_DAYS))
    yield from judge(found, today=today, disk_bytes=settings.DATABASE_DISK_GIB * GIB)


def judge(found: Sequence[Facts], *, today: dt.date, disk_bytes: float) -> Iterator[Finding]:
    """Of the database, then of the tables that grow fastest."""
    whole = next((row for row in found if row["table_name"] is None), None)
    spanned_days = 0 if whole is None else whole["spanned_days"]
    if whole is None or spanned_days < GROWTH_DAYS_MIN:
        yield Finding(
            level=Level.OK,
            title="Forecast",
            found=f"not enough days yet: sizes of {spanned_days} days are remembered, {GROWTH_DAYS_MIN} are needed",
        )
        return
    size_bytes, per_day_bytes = whole["database_bytes"], whole["per_day_bytes"]
    ahead = [f"{sized(size_bytes + per_day_bytes * MONTH_DAYS * months)} in {months}" for months in AHEAD_MONTHS]
    yield Finding(
        level=Level.OK,
        title="Forecast",
        found=f"{sized(size_bytes)} today, {sized(per_day_bytes)} more each day of the last {spanned_days}: "
        f"{', '.join(ahead)} months",
    )
    yield disk(size_bytes, per_day_bytes, today=today, disk_bytes=disk_bytes)
    for row in [row for row in found if row["table_name"] is not None and row["per_day_bytes"] >= 1][:TABLES_SHOWN]:
        yield Finding(
            level=Level.OK,
            title=row["table_name"],
            found=f"{sized(row['bytes'])}, {sized(row['per_day_bytes'])} more each day",
        )


def disk(size_bytes: int, per_day_bytes: float, *, today: dt.date, disk_bytes: float) -> Finding:
    """Tables and indexes alone: write-ahead log, backups and a REINDEX want room as well."""
    if not disk_bytes:
        return Finding(
            level=Level.OK,
            title="Disk",
            found="its size is not known",
            advice="Set MYMOOLAH_DATABASE_DISK_GIB to be told when it is full.",
        )
    if per_day_bytes < 1:
        left_days = 0.0 if size_bytes >= disk_bytes else float("inf")
    else:
        left_days = max((disk_bytes - size_bytes) / per_day_bytes, 0.0)
    level = (
        Level.WARNING
        if left_days <= DISK_FULL_WARNING_DAYS
        else Level.NOTICE
        if left_days <= DISK_FULL_NOTICE_DAYS
        else Level.OK
    )
    if left_days > 10 * 365:
        when = "not within ten years"
    else:
        when = f"full about {today + dt.timedelta(days=left_days)}, in {left_days:,.0f} days"
    return Finding(
        level=level,
        title="Disk",
        found=f"{sized(size_bytes)} of {sized(disk_bytes)} are used by the database; {when}",
        advice=""
        if level == Level.OK
        else "Plan a larger disk now; write-ahead log and rebuilt indexes want room as well.",
    )
