"""ANALYZE of every table, so that plans are made for what is there now.

Autovacuum does it as tables change by a tenth; a large table reaches that late, and its newest rows are asked for most.

ANALYZE is the owner's, and before PostgreSQL 17 there is no privilege of it to grant: the app calls a function that runs as
the owner. One table and its transaction at a time: the lock that is taken (SHARE UPDATE EXCLUSIVE) hinders no reader and
no writer, only a migration or a vacuum of that table, and not for long.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
from django.db import DatabaseError, connection, transaction

from mymoolah.common.sql.queries import rows
from reporting.database_health.words import counted, lasted
from reporting.maintenance.findings import Finding, Level, Occasion
from reporting.maintenance.thresholds import ANALYZE_SECONDS

NOT_NOW = (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)


def look(_: Occasion) -> Iterator[Finding]:
    begun, done = time.monotonic(), 0
    for row in rows("reporting", "maintenance_tables.sql"):
        try:
            analyze(row["table_name"])
        except DatabaseError as error:
            if not isinstance(error.__cause__, NOT_NOW):
                raise
            yield Finding(
                level=Level.NOTICE,
                title=row["table_name"],
                found="was not analysed: somebody else has locked it"
                if isinstance(error.__cause__, psycopg.errors.LockNotAvailable)
                else f"was not analysed in {ANALYZE_SECONDS} s",
                advice="ANALYZE it as the owner when that is over; db_health says who holds it up.",
            )
        else:
            done += 1
    yield Finding(
        level=Level.OK,
        title="ANALYZE",
        found=f"{counted(done, 'table')} in {lasted(time.monotonic() - begun)}",
    )


def analyze(table: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{ANALYZE_SECONDS}s"])
        cursor.execute("SELECT analyze_table(%s)", [table])
