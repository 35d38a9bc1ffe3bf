"""How large tables were, a row a table and day: what growth is told from."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction

from mymoolah.common import sql
from mymoolah.common.clock import business_day
from reporting.models import TableSize

KEPT_DAYS: Final = 92  # a quarter: some four thousand rows


def remember_sizes(*, now: dt.datetime) -> int:
    """Write down how large each table is today, unless that was done, and forget what is older than a quarter.

    How many sizes were new.
    """
    today = business_day(now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.read("reporting", "queries/remember_sizes.sql"), {"day": today})
        written: int = cursor.rowcount
        TableSize.objects.filter(taken_on__lt=today - dt.timedelta(days=KEPT_DAYS)).delete()
    return written
