"""Whether what must keep going keeps going: one light each, told in words as well as by colour."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from mymoolah.common.clock import business_day
from mymoolah.common.sql.queries import rows
from reporting.admin import in_words
from reporting.task_queue import AWAY, get_queue

PERMISSION: Final = "reporting.view_ledgerverification"
BACKGROUND_LATE_AFTER: Final = dt.timedelta(minutes=15)  # beat has a day taken every five minutes
REFRESH_LATE_AFTER: Final = dt.timedelta(minutes=15)
VERIFIED_EVERY: Final = dt.timedelta(hours=4)  # each hour, with room for a long one
MANY_TASKS: Final = 1_000
COUNTED_MAX: Final = 1_000

WELL, LOOK, WRONG = "well", "look", "wrong"


@dataclass(frozen=True, kw_only=True)
class Light:
    title: str
    state: str
    says: str
    address: str = ""


def lights(*, at: dt.datetime) -> list[Light]:
    """One query, and one question to each Redis; what does not answer in half a second is wrong."""
    started = time.perf_counter()
    [found] = rows("reporting", "health.sql", since=business_day(at) - dt.timedelta(days=1), at=at)
    answered_ms = (time.perf_counter() - started) * 1000
    return [
        Light(title="Database", state=WELL, says=f"answered in {answered_ms:.0f} ms"),
        _cache(),
        _queue(),
        _background(found["taken_at"], at),
        _ledger(found["verified_at"], found["broken"], at),
        _overview(found["refreshed_at"], found["nothing_changed"], at),
        *_old(found),
    ]


def _cache() -> Light:
    try:
        get_redis_connection("default").ping()
    except RedisError:
        return Light(title="Cache", state=WRONG, says="does not answer: sign-in and payments are refused")
    return Light(title="Cache", state=WELL, says="answers")


def _queue() -> Light:
    try:
        depth = get_queue().depth
    except AWAY:
        return Light(title="Task queue", state=WRONG, says="does not answer: no message is sent")
    return Light(title="Task queue", state=LOOK if depth > MANY_TASKS else WELL, says=f"{depth:,} waiting")


def _background(taken_at: dt.datetime | None, at: dt.datetime) -> Light:
    if taken_at is None:
        return Light(title="Background work", state=WRONG, says="has not been seen since yesterday")
    age = at - taken_at
    state = WRONG if age > BACKGROUND_LATE_AFTER else WELL
    return Light(title="Background work", state=state, says=f"seen {in_words(age)} ago")


def _ledger(verified_at: dt.datetime | None, broken: list[str] | None, at: dt.datetime) -> Light:
    address = reverse("admin:reporting_ledgerverification_changelist")
    if verified_at is None:
        return Light(title="Ledger", state=LOOK, says="has never been verified", address=address)
    age = at - verified_at
    if broken:
        return Light(title="Ledger", state=WRONG, says=f"broken, found {in_words(age)} ago", address=address)
    state = LOOK if age > VERIFIED_EVERY else WELL
    return Light(title="Ledger", state=state, says=f"holds, verified {in_words(age)} ago", address=address)


def _overview(refreshed_at: dt.datetime | None, nothing_changed: bool | None, at: dt.datetime) -> Light:
    if refreshed_at is None:
        return Light(title="Customer overview", state=LOOK, says="was never refreshed")
    age = at - refreshed_at
    says = f"{in_words(age)} old" + (", and nothing has changed" if nothing_changed else "")
    is_late = not nothing_changed and age > REFRESH_LATE_AFTER
    return Light(title="Customer overview", state=WRONG if is_late else WELL, says=says)


def _old(found: dict[str, Any]) -> Iterator[Light]:
    """What has waited for longer than a day."""
    for title, column, address in (
        ("Suspense over a day", "old_suspense", reverse("books_suspense")),
        ("Identity checks over a day", "old_kyc", f"{reverse('kyc_queue')}?days=1"),
    ):
        count = found[column]
        says = "none" if count == 0 else f"{COUNTED_MAX:,} or more" if count >= COUNTED_MAX else f"{count:,}"
        yield Light(title=title, state=LOOK if count else WELL, says=says, address=address)
