"""The clock, and the business calendar of Johannesburg."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

JOHANNESBURG = ZoneInfo("Africa/Johannesburg")


def now() -> dt.datetime:
    """The present moment in UTC. Only doors ask; services are told."""
    return dt.datetime.now(dt.UTC)


def business_day(at: dt.datetime) -> dt.date:
    """The Johannesburg date of `at`."""
    return at.astimezone(JOHANNESBURG).date()


def start_of_day(day: dt.date) -> dt.datetime:
    """The first moment of a Johannesburg day; periods are half-open, so also the end of the day before."""
    return dt.datetime.combine(day, dt.time.min, JOHANNESBURG)


def last_day_before(end: dt.datetime) -> dt.date:
    """The last Johannesburg date of a period that ends when `end` comes: of midnight, the day before it."""
    return business_day(end - dt.timedelta.resolution)


def iso_utc(at: dt.datetime) -> str:
    """ISO 8601 in UTC with microseconds, as in `2026-03-01T07:30:00.000000Z`: one moment, one text."""
    return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
