"""How long statements take: timed as they run, told to Redis once the answer is out, kept in the database by a task.

All statements of a sampled share of requests and tasks are recorded, and of all others whichever is slow. A record says
for which route, task or command a statement ran, how long it took and how many rows came of it; neither its text nor a
value in it. It is a log and no ledger: whatever Redis cannot take is dropped and counted, and nobody waits for it but a
thread whose answer is out.

Not timed: COMMIT, COPY, and the wait for a connection.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.core.signals import request_finished
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django_redis import get_redis_connection
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from mymoolah.common.breaker import Breaker
from mymoolah.common.clock import now
from mymoolah.common.routes import method_of, route_of

logger = logging.getLogger(__name__)

KEY: Final = "moolah:query-log:1"  # counted up when a row is made of something else
MOST_WAITING: Final = 50_000  # rows in Redis, some 10 MB; the oldest give way
MOST_AT_ONCE: Final = 1_000  # rows of one request or task that are told together
PAUSE_SECONDS: Final = 30.0  # after Redis has failed, before it is asked again
LABEL_LENGTH: Final = 120

Row = dict[str, Any]


@dataclass(slots=True)
class Work:
    """A request or a task under way, and what was recorded of it. A request has no label before it has met its route."""

    is_sampled: bool
    label: str = ""
    request: HttpRequest | None = None
    outer: Work | None = None
    """What goes on when this has ended: a task that asks something of our own, or the other way round."""
    rows: list[Row] = field(default_factory=list)

    def hand_over(self) -> None:
        """Tell Redis what was recorded so far. One round trip, or none where there is nothing."""
        if not self.rows:
            return
        label = self.label if self.request is None else label_of(self.request)
        outbox.put(self.rows, label=label, user_id=None if self.request is None else user_id_of(self.request))
        self.rows = []


class Outbox:
    """The way to Redis, of one process. Once it has failed it is not tried for a while: one short delay, not many."""

    def __init__(self) -> None:
        self.dropped_count = 0
        """Rows of this process that nobody will see: Redis was away, or full of others."""
        self.label = "other"
        """What statements are recorded as that neither a request nor a task asked for."""
        self._breaker = Breaker(pause_seconds=PAUSE_SECONDS)
        self._lock = threading.Lock()

    def put(self, rows: list[Row], *, label: str, user_id: int | None = None) -> None:
        if not self._breaker.lets_through():
            self._drop(len(rows))
            return
        named = {"query_type": label[:LABEL_LENGTH], "user_id": user_id}
        try:
            pipeline = get_redis_connection("default").pipeline(transaction=False)
            pipeline.rpush(KEY, *(json.dumps(row | named) for row in rows))
            pipeline.ltrim(KEY, -MOST_WAITING, -1)
            waiting, _ = pipeline.execute()
        except (ConnectionInterrupted, RedisError) as error:
            self._breaker.failed()
            self._drop(len(rows))
            logger.warning("Query times are not recorded for %s seconds: %s", PAUSE_SECONDS, type(error).__name__)
        else:
            self._breaker.went_well()
            self._drop(waiting - MOST_WAITING)

    def reopen(self) -> None:
        """Ask Redis again at once."""
        self._breaker.went_well()

    def _drop(self, count: int) -> None:
        if count > 0:
            with self._lock:
                self.dropped_count += count


outbox: Final = Outbox()
_current: ContextVar[Work | None] = ContextVar("query_log", default=None)


def take(most: int) -> list[str]:
    """Take at most so many rows out of Redis, the oldest first; no two callers get the same. None when Redis is away."""
    try:
        return [row.decode() for row in get_redis_connection("default").lpop(KEY, most) or ()]
    except (ConnectionInterrupted, RedisError):
        logger.warning("Query times were not taken: Redis is away")
        return []


def label_of(request: HttpRequest) -> str:
    """`GET /api/v1/wallets/<number>`: the route, never the address, which names people and things."""
    return f"{method_of(request)} {route_of(request)}"


def user_id_of(request: HttpRequest) -> int | None:
    """Who of the staff asks, where the request has looked that up already. A customer's token does not tell it."""
    user = getattr(request, "_cached_user", None)  # where Django keeps whom it has read
    return None if user is None else user.pk


# When statements are timed ------------------------------------------------------------------------------------------
def listen() -> None:
    """Time the statements of every connection from its beginning, and know which task they are for."""
    connection_created.connect(_watch)
    request_finished.connect(_request_ends)
    task_prerun.connect(_task_begins)
    task_postrun.connect(_task_ends)


def time_statement(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run a statement, for `connection.execute_wrappers`. Most are neither slow nor sampled, and cost two looks at a clock."""
    begun = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        took_ms = (time.perf_counter() - begun) * 1000
        work = _current.get()
        is_sampled, is_slow = work is not None and work.is_sampled, took_ms >= settings.QUERY_LOG_SLOW_MS
        if is_sampled or is_slow:
            _record(work, context["cursor"], took_ms, is_sampled=is_sampled, is_slow=is_slow)


def _record(work: Work | None, cursor: Any, took_ms: float, *, is_sampled: bool, is_slow: bool) -> None:
    row = {
        "execution_time_ms": round(took_ms, 3),
        "rows_returned": cursor.rowcount if cursor.description else None,  # else it counts what was changed
        "is_sampled": is_sampled,
        "is_slow": is_slow,
        "created_at": now().isoformat(),
    }
    if work is None:
        outbox.put([row], label=outbox.label)
        return
    work.rows.append(row)
    if len(work.rows) >= MOST_AT_ONCE:
        work.hand_over()


def _watch(connection: BaseDatabaseWrapper, **_: object) -> None:
    if time_statement not in connection.execute_wrappers:  # a wrapper of Django's outlives its connections
        # At the front: whoever has put in another for a while takes the last one out again, and means his own.
        connection.execute_wrappers.insert(0, time_statement)


# What they are for --------------------------------------------------------------------------------------------------
class QueryLog:
    """Middleware, outside of all others: what runs until the answer is closed, streamed ones too, is for this request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        outer = _current.get()
        if outer is not None and outer.request is not None:  # whose answer nobody closed
            outer = outer.outer
        _current.set(Work(is_sampled=_is_drawn(), request=request, outer=outer))
        return self.get_response(request)


def _request_ends(**_: object) -> None:
    work = _current.get()
    if work is not None and work.request is not None:
        _end(work)


def _task_begins(task: Any, **_: object) -> None:
    _current.set(Work(is_sampled=_is_drawn(), label=task.name, outer=_current.get()))


def _task_ends(**_: object) -> None:
    work = _current.get()
    if work is not None:
        _end(work)


def _end(work: Work) -> None:
    _current.set(work.outer)
    work.hand_over()


def _is_drawn() -> bool:
    share: float = settings.QUERY_LOG_SAMPLE_SHARE
    return random.random() < share  # noqa: S311 - a sample, no secret
