"""The days of the bank, counted once each: what the start page's charts are drawn from.

Nothing is ever summed over history. Celery beat takes today anew every few minutes, and a day that has ended once more,
an hour later: by then everything that was on its way at midnight has arrived or been given up (a statement of the app
ends after 30 seconds, an idle transaction after 60), so the day is closed and is never taken again. What commits after
midnight with a time before it is thus in its own day, not in that of its commit.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from mymoolah.common import refused_payments, sql
from mymoolah.common.clock import business_day
from mymoolah.common.errors import DomainError
from reporting.books import days_between
from reporting.models import BusinessDay

SETTLED_AFTER: Final = dt.timedelta(hours=1)
LIMIT_SECONDS: Final = 900  # the first time, over ten million entries; later ones read a day or two
LOCK_KEY: Final = 6250152  # of the advisory lock; reporting/services.py has the one before


class DaysBeingTaken(DomainError):
    code, status, title = "days_being_taken", 409, "Somebody else is taking the days"


@dataclass(frozen=True, kw_only=True)
class Taken:
    first_day: dt.date
    last_day: dt.date

    @property
    def count(self) -> int:
        return (self.last_day - self.first_day).days + 1


def take_days(*, now: dt.datetime, again_from: dt.date | None = None) -> Taken:
    """Take today, and every day before it that is not closed; with `again_from` closed ones too, from that day on.

    :raises DaysBeingTaken: somebody else is at it; nothing was done
    """
    today = business_day(now)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_KEY])
        if cursor.fetchone() == (False,):
            raise DaysBeingTaken
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{LIMIT_SECONDS}s"])
        cursor.execute(sql.read("reporting", "queries/first_open_day.sql"))
        [open_day] = cursor.fetchone()
        first_day = min(day for day in (open_day, again_from, today) if day is not None)
        period = {"first_day": first_day, "last_day": today}
        open_from = business_day(now - SETTLED_AFTER)
        cursor.execute(sql.read("reporting", "queries/take_days.sql"), {**period, "at": now, "open_from": open_from})
        cursor.execute(sql.read("reporting", "queries/take_days_money.sql"), period)
        _take_refusals(first_day, today)
    return Taken(first_day=first_day, last_day=today)


def forget_days(*, using: str) -> None:
    """Have all days taken anew, for entries were added to days long closed. Only a load into an empty bank does that."""
    BusinessDay.objects.using(using).all().delete()


def _take_refusals(first_day: dt.date, last_day: dt.date) -> None:
    """What Redis has counted of the days that it still remembers."""
    first_kept = last_day - dt.timedelta(days=refused_payments.KEPT_DAYS)
    statement = sql.read("reporting", "queries/take_day_refusals.sql")
    with connection.cursor() as cursor:
        for day in days_between(max(first_day, first_kept), last_day):
            for code, count in refused_payments.counted(day).items():
                cursor.execute(statement, {"day": day, "code": code, "count": count})
