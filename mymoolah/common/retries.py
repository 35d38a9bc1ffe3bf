"""Trying a database transaction again when the database itself asks for it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, Error, connections

from mymoolah.common.errors import Unavailable
from mymoolah.common.metrics import CONFLICTS

T = TypeVar("T")
RETRYABLE = {"40001": "serialization_failure", "40P01": "deadlock_detected"}
ATTEMPTS = 4
PAUSE_SECONDS = 0.02


def sqlstate(error: Error) -> str | None:
    """The five characters PostgreSQL gave this error, if it came that far."""
    return getattr(error.__cause__, "sqlstate", None)


def with_retries(work: Callable[[], T], *, using: str = DEFAULT_DB_ALIAS) -> T:
    """Run `work`, a whole outermost transaction, again after a deadlock or a serialization failure.

    :raises Unavailable: it failed `ATTEMPTS` times; nothing was written
    """
    if connections[using].in_atomic_block:
        return work()  # the transaction is not ours to repeat: whoever opened it retries
    for attempt in range(ATTEMPTS):
        try:
            return work()
        except Error as error:
            reason = RETRYABLE.get(sqlstate(error) or "")
            if reason is None:
                raise
            CONFLICTS.labels(reason).inc()
            time.sleep(PAUSE_SECONDS * 2**attempt * random.random())  # noqa: S311 - spreads contenders, hides nothing
    raise Unavailable
