"""What runs in the background."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings

from mymoolah.common.clock import now
from reporting import days, query_log, services, table_sizes, verification, warming
from reporting.maintenance import reports
from reporting.support import transcripts

logger = logging.getLogger(__name__)


# The database gives up first, then the task, then its process is ended.
@shared_task(
    name="reporting.refresh_dashboard",
    soft_time_limit=services.LIMIT_SECONDS + 30,
    time_limit=services.LIMIT_SECONDS + 60,
)
def refresh_dashboard() -> None:
    """Refresh the customer overview if anything changed; a second one at once does nothing."""
    try:
        refresh = services.refresh_dashboard(now=now())
    except services.RefreshUnderWay as refusal:
        logger.info("%s; nothing was done.", refusal)
        return
    if refresh is not None:
        logger.info("Refreshed %s rows in %s ms.", refresh.rows_count, refresh.duration_ms)


# The start page tells from the day that this takes whether beat and a worker are alive.
@shared_task(name="reporting.take_days", soft_time_limit=days.LIMIT_SECONDS + 30, time_limit=days.LIMIT_SECONDS + 60)
def take_days() -> None:
    """Count today anew, and every day that is not closed; a second one at once does nothing."""
    try:
        days.take_days(now=now())
    except days.DaysBeingTaken as refusal:
        logger.info("%s; nothing was done.", refusal)


@shared_task(name="reporting.remember_sizes", soft_time_limit=60, time_limit=90)
def remember_sizes() -> None:
    """Write down how large tables are today; a second time on one day does nothing."""
    logger.info("Remembered the sizes of %s tables.", table_sizes.remember_sizes(now=now()))


@shared_task(name="reporting.verify_ledger", soft_time_limit=3540, time_limit=3600)
def verify_ledger() -> None:
    """Verify the whole ledger and record the result; what is broken is an error in the log."""
    verification.verify_and_record(of_changes=False, now=now())


@shared_task(name="reporting.verify_changes", soft_time_limit=3540, time_limit=3600)
def verify_changes() -> None:
    """Verify what changed since the ledger last held, everything if it never did; as the task above."""
    verification.verify_and_record(of_changes=True, now=now())


@shared_task(name="reporting.warm_cache", soft_time_limit=120, time_limit=150)
def warm_cache() -> None:
    """Keep dashboards of those who used the app last; two at once compute little twice."""
    warmed = warming.warm_dashboards(most=settings.READ_CACHE_WARMED)
    logger.info("Kept %s dashboards of %s customers.", warmed.kept, warmed.looked_at)


@shared_task(name="reporting.write_query_times", soft_time_limit=60, time_limit=90)
def write_query_times() -> None:
    """Write down what requests and tasks recorded; two at once share it."""
    query_log.write_query_times()


@shared_task(name="reporting.forget_query_times", soft_time_limit=600, time_limit=630)
def forget_query_times() -> None:
    """Forget the oldest records; a second one at once does nothing, a later one goes on."""
    forgotten = query_log.forget_query_times(now=now())
    logger.info("Forgot %s query times.", forgotten)


@shared_task(name="reporting.maintenance_daily", soft_time_limit=3540, time_limit=3600)
def maintenance_daily() -> None:
    """Look at the day and keep the report; if there is one, or while somebody is at it, nothing is done."""
    _maintain(reports.Kind.DAILY)


@shared_task(name="reporting.maintenance_weekly", soft_time_limit=3540, time_limit=3600)
def maintenance_weekly() -> None:
    """The same for the week."""
    _maintain(reports.Kind.WEEKLY)


@shared_task(name="reporting.maintenance_monthly", soft_time_limit=3540, time_limit=3600)
def maintenance_monthly() -> None:
    """The same for the month."""
    _maintain(reports.Kind.MONTHLY)


def _maintain(kind: reports.Kind) -> None:
    try:
        outcome = reports.run(kind, now=now())
    except reports.MaintenanceUnderWay as refusal:
        logger.info("%s; nothing was done.", refusal)
        return
    if outcome.is_new:
        report = outcome.report
        logger.info("%s: %s warnings, %s notices.", report, report.warnings_count, report.notices_count)


@shared_task(name="reporting.forget_support", soft_time_limit=600, time_limit=630)
def forget_support() -> None:
    """Forget what the support assistant was asked too long ago; a second one at once does nothing."""
    forgotten = transcripts.forget(now=now())
    logger.info("Forgot %s questions and tickets.", forgotten)
