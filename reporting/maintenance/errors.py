"""What went wrong. Each finding says where it is counted, and since when.

Refused payments are kept by day in the database; requests that failed and tasks are counted by the processes themselves
(`counters.py`). What failed in one request stands in the log alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

from django.conf import settings

from mymoolah.common import metrics_folder
from mymoolah.common.clock import business_day
from mymoolah.common.sql.queries import rows
from reporting.database_health.words import counted, lasted
from reporting.maintenance.counters import facts_of, since_then, totals
from reporting.maintenance.findings import Facts, Finding, Level, Occasion
from reporting.maintenance.thresholds import (
    FAILED_REQUESTS_WARNING_SHARE,
    FAILED_SIGN_INS_MIN,
    REFUSED_MIN,
    REFUSED_NOTICE_TIMES,
    TILL_EVENT_LATE,
)

DAY: Final = dt.timedelta(days=1)
REQUESTS, TASKS = "mymoolah_http_requests_total", "mymoolah_tasks_total"


def look(occasion: Occasion) -> Iterator[Finding]:
    metrics = metrics_folder.counted_in(settings.METRICS_DIR)
    yield failed_requests(totals(metrics, REQUESTS, "status"), occasion)
    yield failed_tasks(totals(metrics, TASKS, "outcome", "task"), occasion)
    yield from refused_payments(occasion)
    yield from sign_ins(occasion)
    yield from till_events(occasion)


# Counted by the processes -------------------------------------------------------------------------------------------
def failed_requests(counts: Mapping[str, int], occasion: Occasion) -> Finding:
    title = "Failed requests"
    new, since = since_then(counts, occasion, title)
    failed = {status: count for status, count in sorted(new.items()) if status.startswith("5") and count}
    answered, count = sum(new.values()), sum(failed.values())
    failed_share = count / answered if answered else 0.0
    if not count:
        found = f"none of {answered:,} requests {since}" if answered else f"no request was counted {since}"
        return Finding(level=Level.OK, title=title, found=found, facts=facts_of(counts))
    by_status = ", ".join(f"{status}: {times:,}" for status, times in failed.items())
    return Finding(
        level=Level.WARNING if failed_share >= FAILED_REQUESTS_WARNING_SHARE else Level.NOTICE,
        title=title,
        found=f"{count:,} of {answered:,} requests ({failed_share:.2%}) {since}: {by_status}",
        advice="The web's log has each with its request id. 503 alone: no connection was free, or a part was away.",
        facts=facts_of(counts),
    )


def failed_tasks(counts: Mapping[str, int], occasion: Occasion) -> Finding:
    title = "Failed tasks"
    new, since = since_then(counts, occasion, title)
    failed = {
        name.removeprefix("failure "): count
        for name, count in sorted(new.items())
        if name.startswith("failure ") and count
    }
    ended = sum(new.values())
    if not failed:
        found = f"none of {ended:,} tasks {since}" if ended else f"no task was counted {since}"
        return Finding(level=Level.OK, title=title, found=found, facts=facts_of(counts))
    return Finding(
        level=Level.WARNING,
        title=title,
        found=f"{sum(failed.values()):,} of {ended:,} tasks {since}: "
        + ", ".join(f"{name} {count:,}" for name, count in failed.items()),
        advice="The worker's log has each with its task id; beat asks for it again, so see whether it goes on failing.",
        facts=facts_of(counts),
    )


# Kept in the database ------------------------------------------------------------------------------------------------
def refused_payments(occasion: Occasion) -> Iterator[Finding]:
    """Of the last whole Johannesburg day, beside the week before it."""
    yesterday = business_day(occasion.now) - DAY
    found = rows("reporting", "maintenance_refusals.sql", day=yesterday)
    if not found:
        yield Finding(level=Level.OK, title="Refused payments", found=f"none was kept of {yesterday}")
        return
    many = [row for row in found if is_unusual(row)]
    for row in many:
        yield Finding(
            level=Level.NOTICE,
            title=f"Refused payments: {row['code']}",
            found=f"{row['count']:,} on {yesterday}, where {row['average']:,.0f} a day is the average of the week before",
            advice="See what changed that day: a limit, a fee, a partner's system, or somebody who tries.",
        )
    by_code = ", ".join(f"{row['code']} {row['count']:,}" for row in found)
    yield Finding(level=Level.OK, title="Refused payments", found=f"{yesterday}: {by_code}")


def is_unusual(row: Facts) -> bool:
    return bool(row["count"] >= REFUSED_MIN and row["count"] >= REFUSED_NOTICE_TIMES * row["average"])


def sign_ins(occasion: Occasion) -> Iterator[Finding]:
    """Of customers and colleagues, as the audit trail has them."""
    [row] = rows("reporting", "maintenance_sign_ins.sql", starts_at=occasion.now - DAY, ends_at=occasion.now)
    is_much = row["failed"] >= max(FAILED_SIGN_INS_MIN, row["signed_in"])
    yield Finding(
        level=Level.NOTICE if is_much else Level.OK,
        title="Sign-in",
        found=f"{counted(row['failed'], 'try', 'tries')} failed, {row['signed_in']:,} succeeded, {row['locked']:,} ended in "
        f"a lock; {counted(row['refused'], 'page')} refused; in 24 hours",
        advice="Look at sign_in.failed in the audit trail: the addresses tell whether one person tries."
        if is_much
        else "",
    )


def till_events(occasion: Occasion) -> Iterator[Finding]:
    [row] = rows("reporting", "maintenance_till_events.sql", at=occasion.now - TILL_EVENT_LATE)
    late = lasted(TILL_EVENT_LATE.total_seconds())
    yield Finding(
        level=Level.WARNING if row["count"] else Level.OK,
        title="Reports of tills",
        found=f"{row['count']:,} have waited for more than {late}" if row["count"] else f"none has waited for {late}",
        advice="See the worker's log, then run manage.py process_till_events." if row["count"] else "",
    )
