"""What Prometheus is told of how things stand: read from the database and Redis when it asks, at most every few seconds.

A part that does not answer is told as `mymoolah_up` 0, and what it would have told is left out.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from django_redis import get_redis_connection
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from redis.exceptions import RedisError

from mymoolah.common.clock import business_day
from mymoolah.common.problems import OUT_OF_REACH
from mymoolah.common.sql.queries import rows
from reporting import task_queue
from reporting.cache_report import report

KEPT_SECONDS: Final = 5.0


def gauges(*, at: dt.datetime) -> list[Metric]:
    """Three queries, and a few questions to each Redis."""
    up = GaugeMetricFamily("mymoolah_up", "Whether this part answers", labels=["part"])
    found: list[Metric] = [up]
    parts: dict[str, tuple[Callable[[dt.datetime], Iterator[Metric]], tuple[type[Exception], ...]]] = {
        "database": (_database, OUT_OF_REACH),
        "cache": (_cache, (RedisError,)),
        "broker": (_broker, task_queue.AWAY),
    }
    for part, (ask, away) in parts.items():
        try:
            found += ask(at)
        except away:
            up.add_metric([part], 0)
        else:
            up.add_metric([part], 1)
    with contextlib.suppress(*OUT_OF_REACH):  # the absence of the rest is no reason to wake anybody
        found += _read_cache()
    return found


def _read_cache() -> Iterator[Metric]:
    seen = report([])
    told = "Whether answers to customers should be kept, and are not"
    yield _gauge("mymoolah_read_cache_is_out_of_use", told, seen.is_on and not seen.is_open)
    if seen.memory is not None:
        yield _gauge("mymoolah_read_cache_memory_bytes", "What its Redis uses", seen.memory.used_bytes)
        yield _gauge("mymoolah_read_cache_keys", "What its Redis holds", seen.memory.keys_count)
        yield _gauge("mymoolah_read_cache_evictions", "What its Redis has let go early", seen.memory.evicted_count)


def _cache(_: dt.datetime) -> Iterator[Metric]:
    get_redis_connection("default").ping()
    yield from ()


def _broker(at: dt.datetime) -> Iterator[Metric]:
    queue = task_queue.get_queue()
    yield _gauge("mymoolah_queue_messages", "Tasks that wait for a worker", queue.depth)
    yield _age("mymoolah_queue_oldest_age_seconds", "How long the next task has waited", queue.oldest_sent_at, at)


def _database(at: dt.datetime) -> Iterator[Metric]:
    [seen] = rows("reporting", "health.sql", since=business_day(at) - dt.timedelta(days=1), at=at)
    waiting: dict[str, list[dict[str, Any]]] = {
        what: [] for what in ("holds", "suspense", "till_events", "kyc", "tickets")
    }
    for row in rows("reporting", "gauges.sql"):
        waiting[row["what"]].append(row)
    yield from _kept_going(seen, at)
    yield from _money("mymoolah_holds", "Holds that are live", waiting["holds"])
    overdue = _oldest(waiting["holds"])
    yield _age("mymoolah_holds_oldest_overdue_seconds", "How long ago the first live hold ran out", overdue, at)
    yield from _money("mymoolah_suspense_items", "Suspense items that are open", waiting["suspense"])
    for name, what, told in (
        ("mymoolah_suspense", "suspense", "How long the oldest suspense item has been open"),
        ("mymoolah_till_events", "till_events", "How long the first report of a till has waited"),
        ("mymoolah_kyc", "kyc", "How long the first identity check has waited for us"),
        ("mymoolah_support_tickets", "tickets", "How long the first support ticket has waited for us"),
    ):
        yield _age(f"{name}_oldest_age_seconds", told, _oldest(waiting[what]), at)
    for name, what, told in (
        ("mymoolah_till_events_waiting", "till_events", "Reports of tills that nobody has acted on"),
        ("mymoolah_kyc_waiting", "kyc", "Identity checks that wait for us"),
        ("mymoolah_support_tickets_waiting", "tickets", "Support tickets that wait for us"),
    ):
        yield _gauge(name, told, sum(row["count"] for row in waiting[what]))


def _kept_going(seen: dict[str, Any], at: dt.datetime) -> Iterator[Metric]:
    """What the lights of the start page show; of what has never happened there is no age."""
    for name, told, moment in (
        ("mymoolah_background_age_seconds", "Since beat and a worker were last seen at work", seen["taken_at"]),
        ("mymoolah_overview_age_seconds", "Since the customer overview was refreshed", seen["refreshed_at"]),
        ("mymoolah_ledger_verification_age_seconds", "Since the ledger was last verified", seen["verified_at"]),
    ):
        if moment is not None:
            yield _age(name, told, moment, at)
    if seen["refreshed_at"] is not None:
        told = "Whether the customer overview lacks something that has changed"
        yield _gauge("mymoolah_overview_is_behind", told, not seen["nothing_changed"])
    if seen["verified_at"] is not None:
        yield _gauge("mymoolah_ledger_holds", "Whether the last verification found nothing broken", not seen["broken"])


def _money(name: str, told: str, found: list[dict[str, Any]]) -> Iterator[Metric]:
    count = GaugeMetricFamily(name, told, labels=["currency"])
    amount = GaugeMetricFamily(f"{name}_amount", f"{told}: what they are about", labels=["currency"])
    for row in found:
        count.add_metric([row["currency"]], row["count"])
        amount.add_metric([row["currency"]], float(row["amount"]))
    yield from (count, amount)


def _oldest(found: list[dict[str, Any]]) -> dt.datetime | None:
    return min((row["oldest"] for row in found if row["oldest"] is not None), default=None)


def _age(name: str, told: str, since: dt.datetime | None, at: dt.datetime) -> Metric:
    """Seconds; 0 where nothing waits, or nothing is due yet."""
    return _gauge(name, told, max(0.0, (at - since).total_seconds()) if since else 0)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=value)


class Kept:
    """The gauges of a few seconds ago, for whoever asks again, or at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: list[Metric] = []
        self._good_until = 0.0

    def at(self, moment: dt.datetime) -> list[Metric]:
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._found = gauges(at=moment)
                self._good_until = time.monotonic() + KEPT_SECONDS
            return self._found

    def forget(self) -> None:
        self._good_until = 0.0


kept: Final = Kept()
