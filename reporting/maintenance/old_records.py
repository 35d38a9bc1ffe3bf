"""What grows old: forgotten, kept, or bounded by a task of its own; and why nothing is put into an archive.

- *Forgotten here*: devices whose last token ran out a year ago (`login_sessions`), in batches.
- *Bounded by tasks of their own*: query times, refreshes, sizes, sessions of the back-office. This sees that they are.
- *Kept*: the ledger, the audit trail, row history and the reports of tills. FICA asks for five years after the business
  with a customer has ended, the database refuses to delete them, and a chain of entries is verified from its first link.
  To take a copy of them out and call that an archive would only make a second place that leaks.
- *Small*: verifications, days and these reports are some thousand rows a year; they are evidence, and stay.

Nothing is partitioned: no table of logs is large enough that deleting by key costs more than it would to plan around
partitions, and the ledger's own tables have keys that partitions would have to be part of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Min, Model

from accounts.models import AuditEvent
from accounts.sessions import forget_sessions
from mymoolah.common.clock import business_day
from reporting import services, table_sizes, task_queue
from reporting.database_health.words import counted
from reporting.maintenance.findings import Finding, Level, Occasion
from reporting.maintenance.thresholds import FORGETTING_LATE, RECORDS_KEPT_YEARS, SESSIONS_KEPT, UNANSWERED_FOR
from reporting.models import DashboardRefresh, LedgerVerification, MaintenanceReport, QueryPerformanceLog, TableSize
from transactions.models import Transfer
from vouchers.models import TillEvent

BATCH: Final = 5_000
MOST_FORGOTTEN: Final = 1_000_000

# Their oldest row is their first one, which a key finds.
KEPT: Final[tuple[tuple[type[Model], str], ...]] = (
    (Transfer, "created_at"),
    (AuditEvent, "at"),
    (TillEvent, "received_at"),
)


def look(occasion: Occasion) -> Iterator[Finding]:
    yield devices(now=occasion.now)
    yield from bounded(now=occasion.now)
    yield from kept(now=occasion.now)
    few = sum(model._default_manager.count() for model in (LedgerVerification, MaintenanceReport))  # noqa: SLF001 - Django's own name for it
    yield Finding(
        level=Level.OK,
        title="Verifications and reports",
        found=f"{few:,} rows, which stay: they are evidence, and some thousand a year",
    )
    yield queue(now=occasion.now)


def devices(*, now: dt.datetime) -> Finding:
    """A batch and its commit at a time; what is too much for one month stays for the next."""
    forgotten = 0
    while forgotten < MOST_FORGOTTEN and (count := forget_sessions(ended_before=now - SESSIONS_KEPT, most=BATCH)):
        forgotten += count
    return Finding(
        level=Level.OK,
        title="Devices",
        found=f"{counted(forgotten, 'session')} forgotten that ended more than {SESSIONS_KEPT.days} days ago; the audit "
        "trail keeps that they began",
    )


def bounded(*, now: dt.datetime) -> Iterator[Finding]:
    """Whether the tasks that forget have run: what each leaves, and a little time to do it in."""
    limits: tuple[tuple[type[Model], str, dt.timedelta], ...] = (
        (QueryPerformanceLog, "created_at", dt.timedelta(days=settings.QUERY_LOG_KEPT_DAYS)),
        (DashboardRefresh, "started_at", services.RECORDS_KEPT),
        (Session, "expire_date", dt.timedelta(0)),
        (TableSize, "taken_on", dt.timedelta(days=table_sizes.KEPT_DAYS)),
    )
    for model, column, kept_for in limits:
        oldest = oldest_of(model, column)
        is_left = oldest is not None and day_of(oldest) < day_of(now - kept_for - FORGETTING_LATE)
        table = model._meta.db_table
        yield Finding(
            level=Level.NOTICE if is_left else Level.OK,
            title=table,
            found=f"its oldest row is of {day_of(oldest)}; {counted(kept_for.days, 'day')} are kept"
            if oldest is not None
            else "empty",
            advice="See that beat and a worker run: a task forgets them each night." if is_left else "",
        )


def kept(*, now: dt.datetime) -> Iterator[Finding]:
    for model, column in KEPT:
        first = model._default_manager.order_by("pk").values_list(column, flat=True).first()  # noqa: SLF001 - as above
        is_old = first is not None and day_of(first) < day_of(now - dt.timedelta(days=365.25 * RECORDS_KEPT_YEARS))
        yield Finding(
            level=Level.NOTICE if is_old else Level.OK,
            title=model._meta.db_table,
            found=f"kept since {day_of(first)}; the law asks for {RECORDS_KEPT_YEARS} years, so nothing is archived"
            if first is not None
            else "empty",
            advice="Ask whoever answers for FICA and POPIA what may go (docs/law.md): no task deletes it."
            if is_old
            else "",
        )


def oldest_of(model: type[Model], column: str) -> dt.date | None:
    """Along the column's index; of query times the first row, since only hours are indexed."""
    if model is QueryPerformanceLog:
        return QueryPerformanceLog.objects.order_by("pk").values_list(column, flat=True).first()
    found: dt.date | None = model._default_manager.aggregate(oldest=Min(column))["oldest"]  # noqa: SLF001 - as above
    return found


def day_of(moment: dt.date) -> dt.date:
    """In Johannesburg."""
    return business_day(moment) if isinstance(moment, dt.datetime) else moment


def queue(*, now: dt.datetime) -> Finding:
    """Celery keeps no results here; what can be left over are messages that a killed worker took."""
    try:
        count = task_queue.count_unanswered(before=now - UNANSWERED_FOR)
    except task_queue.AWAY as error:
        return Finding(
            level=Level.WARNING,
            title="Task queue",
            found=f"does not answer ({type(error).__name__})",
            advice="Start it: no message is sent until then.",
        )
    return Finding(
        level=Level.NOTICE if count else Level.OK,
        title="Task queue",
        found=f"{counted(count, 'task')} taken by a worker hours ago and not finished"
        if count
        else "nothing is left over",
        advice="A worker gives them out again when it starts; see that one runs." if count else "",
    )
