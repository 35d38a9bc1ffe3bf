"""What changes on the read side: the materialized view, and the record of its refreshes."""

from __future__ import annotations

import datetime as dt
import time
from typing import Final

from django.db import connection, transaction

from mymoolah.common import sql
from mymoolah.common.errors import DomainError
from reporting.models import DashboardRefresh, UserDashboardSummary

LIMIT_SECONDS: Final = 600  # a million customers take some 16 s
RECORDS_KEPT: Final = dt.timedelta(days=30)
LOCK_KEY: Final = 6250151  # of the advisory lock; bootstrap.sql has the one before


class RefreshUnderWay(DomainError):
    code, status, title = "refresh_under_way", 409, "Another refresh is under way"


def refresh_dashboard(*, now: dt.datetime, force: bool = False) -> DashboardRefresh | None:
    """Bring the materialized view up to date if its tables have changed since the last time; None if they have not.

    Change is told by PostgreSQL's own statistics, which a session reports up to ten seconds after its commit: what was
    committed so late is in this refresh or makes for the next one. Readers are not blocked. `force` refreshes anyway.

    :raises RefreshUnderWay: somebody else is at it; nothing was done
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_KEY])
        if cursor.fetchone() == (False,):
            raise RefreshUnderWay
        changes_seen = _changes()  # before the view is computed: what is committed in between counts for the next time
        last = DashboardRefresh.objects.order_by("-started_at", "-id").first()
        # After a crash or a reset PostgreSQL counts from zero again; so any other number means change.
        if last is not None and last.changes_seen == changes_seen and not force:
            return None
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{LIMIT_SECONDS}s"])
        started = time.monotonic()
        UserDashboardSummary.refresh(concurrently=True, strict=True)
        duration_ms = round((time.monotonic() - started) * 1000)
        record = DashboardRefresh.objects.create(
            started_at=now,
            duration_ms=duration_ms,
            rows_count=UserDashboardSummary.objects.count(),
            changes_seen=changes_seen,
        )
        DashboardRefresh.objects.filter(started_at__lt=now - RECORDS_KEPT).delete()
        return record


def _changes() -> int:
    """How many rows were ever written to the tables of the view, as far as PostgreSQL remembers."""
    with connection.cursor() as cursor:
        cursor.execute(sql.read("reporting", "queries/dashboard_changes.sql"))
        changes: int = cursor.fetchone()[0]
    return changes
