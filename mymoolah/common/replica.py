"""Reading from a copy of the database that PostgreSQL keeps elsewhere, where `DATABASE_REPLICA_URL` names one.

Nothing goes there by itself. What can live with an answer that is some seconds old (lists of the back-office), or is
about a time that is long over (entries of statements, trial balances), says so at its door, by `from_replica`. A router
by model could not be safe: the wallet that a list shows and the wallet that a payment is refused for are the same
model, and whether a read has to see a write that was answered just now is known to who asks, not to what is asked.

How old the copy is is measured against the primary, once a second in each process: what the primary has made durable,
and whether the copy has it. Where it lacks something it is as old as the last commit it has. A copy that is too old,
away, or no copy any more (it was promoted) is not asked for a while: the primary answers.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections

logger = logging.getLogger(__name__)
T = TypeVar("T")

ALIAS: Final = "replica"
HAS_CHANGED: Final = "staff_has_changed"  # a cookie, of who has to see what he has just done
MEASURED_FOR_SECONDS: Final = 1.0
AVOIDED_FOR_SECONDS: Final = 5.0
# What the clock of a posting has read is committed by then, for a transaction lasts a minute or two at most.
SETTLED_AFTER: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where something is read, and how far that may be behind what was committed."""

    using: str
    lag_seconds: float = 0.0

    @property
    def is_copy(self) -> bool:
        return self.using == ALIAS

    @property
    def behind(self) -> str:
        """In words, rounded up."""
        seconds = max(1, math.ceil(self.lag_seconds))
        return "second" if seconds == 1 else f"{seconds} seconds"


PRIMARY: Final = Source(using=DEFAULT_DB_ALIAS)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the copy had at a moment of this process's monotonic clock."""

    at_seconds: float
    lag_seconds: float
    complete_to: dt.datetime  # whatever was committed before is there

    @property
    def behind_seconds(self) -> float:
        """How much may be missing by now."""
        return self.lag_seconds + time.monotonic() - self.at_seconds


class Copy:
    """What one process knows of the copy."""

    def __init__(self) -> None:
        self._measuring = threading.Lock()
        self._last: Measured | None = None
        self._avoided_until_seconds = 0.0

    def avoid(self) -> None:
        """Leave it alone for a while: each attempt costs whoever makes it a short wait."""
        self._last = None
        self._avoided_until_seconds = time.monotonic() + AVOIDED_FOR_SECONDS

    def measured(self) -> Measured | None:
        """What is known of it; None where nothing is. While one thread measures, the others use what was known."""
        last, moment = self._last, time.monotonic()
        if last is not None and moment - last.at_seconds < MEASURED_FOR_SECONDS:
            return last
        if moment < self._avoided_until_seconds:
            return None
        if not self._measuring.acquire(blocking=False):
            return last
        try:
            self._last = measure()
        except (OperationalError, InterfaceError) as error:
            logger.warning("The replica cannot be asked: %s", error)
            self.avoid()
        finally:
            self._measuring.release()
        return self._last


copy = Copy()


def from_replica(read: Callable[[Source], T], *, complete_to: dt.datetime | None = None) -> T:
    """Read from the copy if it is there, and fresh enough; from the primary otherwise, and whenever the copy fails.

    With `complete_to` the answer must have everything that was committed before that moment. `read` may be called
    twice. Inside a transaction it is always the primary's: there a reader has to see what he has written himself.
    """
    source = choose(complete_to)
    if source.is_copy:
        try:
            return read(source)
        except (OperationalError, InterfaceError) as error:  # away, or it had to choose between us and its work
            logger.warning("The replica failed, and the primary is asked: %s", error)
            copy.avoid()
    return read(PRIMARY)


def choose(complete_to: dt.datetime | None) -> Source:
    if ALIAS not in settings.DATABASES or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return PRIMARY
    measured = copy.measured()
    if measured is None or measured.behind_seconds > settings.DATABASE_REPLICA_MAX_LAG_SECONDS:
        return PRIMARY
    if complete_to is not None and measured.complete_to < complete_to:
        return PRIMARY
    return Source(using=ALIAS, lag_seconds=measured.behind_seconds)


def measure() -> Measured | None:
    """Compare the copy with the primary; None where it is no copy, or has not yet got a single commit."""
    moment = time.monotonic()
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_flush_lsn()::text, clock_timestamp()")
        position, asked_at = cursor.fetchone()
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() >= %s::pg_lsn, pg_last_xact_replay_timestamp()",
            [position],
        )
        is_copy, has_all, last_commit_at = cursor.fetchone()
    if not is_copy:
        raise OperationalError("it is no replica, or no longer one")
    complete_to = asked_at if has_all else last_commit_at
    if complete_to is None:
        return None
    lag_seconds = max(0.0, (asked_at - complete_to).total_seconds())
    return Measured(at_seconds=moment, lag_seconds=lag_seconds, complete_to=complete_to)
