"""Whether this process may use the cache: PostgreSQL says so, in the one row of `read_cache`, once a second."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Final

from django.db import DEFAULT_DB_ALIAS, Error, connections

logger = logging.getLogger(__name__)

FRESH_SECONDS: Final = 1.0  # how long what the row said may be acted upon, from before it was asked
SETTLED_SECONDS: Final = 2 * FRESH_SECONDS  # after an opening, until nobody acts on an older `closed` any more
CLOSED_SECONDS_LEAST: Final = 5.0

# Two databases may share a Redis. The timeline is another one after a failover, whose new primary may lack what was
# acknowledged; epochs begin anew then.
# What has been so for a minute needs no watching by each process that begins: that is more than any clock is set by.
ASK: Final = """
    SELECT
        concat_ws('-', d.oid, left(pg_walfile_name(pg_current_wal_lsn()), 8), c.epoch),
        c.closed_at IS NOT NULL,
        coalesce(c.closed_at, c.opened_at) < clock_timestamp() - interval '1 minute',
        c.closed_at < clock_timestamp() - %s * interval '1 second'
    FROM read_cache AS c
    INNER JOIN pg_database AS d ON d.datname = current_database()
"""
CLOSE: Final = """
    UPDATE read_cache
    SET
        epoch = epoch + CASE WHEN closed_at IS NULL THEN 1 ELSE 0 END,
        closed_at = coalesce(closed_at, clock_timestamp())
"""
OPEN: Final = """
    UPDATE read_cache
    SET epoch = epoch + 1, opened_at = clock_timestamp(), closed_at = NULL
    WHERE closed_at < clock_timestamp() - %s * interval '1 second'
"""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the row said."""

    asked_at: float  # of the monotonic clock, before it was asked
    seen_at: float  # when this process had heard for the first time that it is so; long ago if it was long before
    epoch: str
    is_closed: bool
    may_open: bool

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.asked_at < FRESH_SECONDS


class Gate:
    """What one process knows of the row. Clocks of two machines are never compared, only spans of one."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._noting = threading.Lock()
        self._known: Known | None = None

    # For readers ------------------------------------------------------------------------------------------------------
    def epoch(self) -> str | None:
        """The epoch to read and store in; None: leave the cache alone.

        :raises django.db.Error: the database cannot be asked
        """
        known = self._fresh()
        if known is None or known.is_closed or time.monotonic() - known.seen_at < SETTLED_SECONDS:
            return None
        return known.epoch

    @property
    def may_open(self) -> bool:
        """Whether it is closed, and has been for a while."""
        known = self._known
        return known is not None and known.is_fresh and known.is_closed and known.may_open

    def open(self) -> None:
        """Let everybody use the cache again, once what was said before is forgotten.

        :raises django.db.Error: the database cannot be told
        """
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(OPEN, [CLOSED_SECONDS_LEAST])
        logger.warning("The read cache opens again")
        self.ask()

    def _fresh(self) -> Known | None:
        """While one thread asks, the others do without."""
        known = self._known
        if known is not None and known.is_fresh:
            return known
        if not self._asking.acquire(blocking=False):
            return None
        try:
            return self.ask()
        finally:
            self._asking.release()

    # For writers ------------------------------------------------------------------------------------------------------
    def is_closed(self) -> bool:
        """Whether nobody reads the cache by now, so that nobody needs to be told of a change. May wait for a second.

        Asks the database only where the cache was closed when it was last asked.
        """
        known = self._known
        if known is None or not known.is_closed:
            return False
        if not known.is_fresh:
            try:
                known = self.ask()
            except Error:
                return False
        if known.is_closed:
            _wait_until(known.seen_at + FRESH_SECONDS)
        return known.is_closed

    def close(self) -> None:
        """Have everybody leave the cache alone, and return once everybody does.

        :raises django.db.Error: the database cannot be told
        """
        assert not connections[DEFAULT_DB_ALIAS].in_atomic_block  # or nobody else would see it
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(CLOSE)
        known = self.ask()
        if known.is_closed:
            _wait_until(known.seen_at + FRESH_SECONDS)
        else:  # opened again meanwhile: whoever reads there begins after us
            _wait_until(time.monotonic() + FRESH_SECONDS)

    # Both -------------------------------------------------------------------------------------------------------------
    def ask(self) -> Known:
        """:raises django.db.Error: the database cannot be asked"""
        asked_at = time.monotonic()
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(ASK, [CLOSED_SECONDS_LEAST])
            epoch, is_closed, is_old, may_open = cursor.fetchone()
        heard_at = time.monotonic()
        with self._noting:
            before = self._known
            if before is not None and (before.epoch, before.is_closed) == (epoch, is_closed):
                seen_at = before.seen_at
            else:
                seen_at = float("-inf") if is_old else heard_at
            known = Known(asked_at=asked_at, seen_at=seen_at, epoch=epoch, is_closed=is_closed, may_open=bool(may_open))
            if before is None or before.asked_at <= asked_at:
                self._known = known
        return known


def _wait_until(moment: float) -> None:
    """Wait, and leave the connection to others meanwhile: a pool would be empty long before."""
    if (seconds := moment - time.monotonic()) > 0:
        connection = connections[DEFAULT_DB_ALIAS]
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(seconds)
