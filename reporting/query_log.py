"""The record of how long statements take: written down from Redis, and forgotten in time."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from mymoolah.common import query_log, sql

LOCK_KEY: Final = 6250155  # of the advisory lock
ROWS_AT_ONCE: Final = 1_000
MOST_WRITTEN: Final = query_log.MOST_WAITING  # in one run
ROWS_FORGOTTEN_AT_ONCE: Final = 5_000
MOST_FORGOTTEN: Final = 5_000_000


def write_query_times() -> int:
    """Move what waits in Redis into the database, a batch at a time; how many rows that were.

    Redis gives each row out once, so any number may do this at the same moment. A batch is lost when its process is
    killed, or its database goes away, between taking and writing it: this is a log.
    """
    statement, written = sql.read("reporting", "queries/write_query_times.sql"), 0
    with connection.cursor() as cursor:  # first of all, so that without a database nothing is taken
        while written < MOST_WRITTEN and (rows := query_log.take(ROWS_AT_ONCE)):
            cursor.execute(statement, {"rows": f"[{','.join(rows)}]"})
            written += len(rows)
    return written


def forget_query_times(*, now: dt.datetime) -> int:
    """Delete what is older than QUERY_LOG_KEPT_DAYS, a batch and its commit at a time; how many rows that were.

    Where somebody else is at it, this leaves it to him. What is too much for one run stays for the next.
    """
    ends_at, forgotten = now - dt.timedelta(days=settings.QUERY_LOG_KEPT_DAYS), 0
    while forgotten < MOST_FORGOTTEN and (count := _forget_batch(ends_at)):
        forgotten += count
    return forgotten


@transaction.atomic
def _forget_batch(ends_at: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_KEY])
        if cursor.fetchone() == (False,):
            return 0
        statement = sql.read("reporting", "queries/forget_query_times.sql")
        cursor.execute(statement, {"ends_at": ends_at, "most": ROWS_FORGOTTEN_AT_ONCE})
        return int(cursor.rowcount)
