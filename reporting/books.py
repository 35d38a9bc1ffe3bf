"""The bank's own books: what the house holds, how a day left it, and what waits in suspense since when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from mymoolah.common.clock import start_of_day
from mymoolah.common.replica import SETTLED_AFTER, Source, from_replica
from mymoolah.common.sql.queries import rows, rows_from

Row = dict[str, Any]
LONGEST_DAYS: Final = 366
BATCH: Final = 500
BEGINNING: Final = (dt.datetime.min.replace(tzinfo=dt.UTC), 0)


def house_balances() -> list[Row]:
    """Each wallet of the house over its stripes, and all customers together, live. One query."""
    return rows("reporting", "house_balances.sql")


def trial_balance(*, first: dt.date, last: dt.date) -> list[Row]:
    """How Johannesburg days, both ends included, left each wallet of the house and all customers. One query.

    A day that has just ended may lack what was on its way at midnight for as long as that is on its way: seconds.
    """
    starts_at, ends_at = start_of_day(first), start_of_day(last + dt.timedelta(days=1))

    def read(source: Source) -> list[Row]:
        return rows_from(source.using, "reporting", "trial_balance.sql", starts_at=starts_at, ends_at=ends_at)

    return from_replica(read, complete_to=ends_at + SETTLED_AFTER)


def suspense_ages(*, at: dt.datetime) -> list[Row]:
    """How much of what is open in suspense is how old. One query."""
    return rows("reporting", "suspense_ages.sql", at=at)


def open_suspense(*, after: tuple[dt.datetime, int] = BEGINNING, most: int) -> list[Row]:
    """Open items, the oldest first, from the one after `after` (its time and id) on. One query."""
    return rows("reporting", "suspense_open.sql", last_at=after[0], last_id=after[1], most=most)


def every_open_suspense() -> Iterator[Row]:
    """All open items, a batch at a time."""
    after = BEGINNING
    while batch := open_suspense(after=after, most=BATCH):
        yield from batch
        after = (batch[-1]["created_at"], batch[-1]["id"])


def days_between(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
