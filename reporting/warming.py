"""Keeping answers before anybody asks: dashboards of those who used the app last, who are the likeliest to use it next."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from mymoolah.common import read_cache
from mymoolah.common.sql.queries import rows

BATCH: Final = 200
FAR = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Warmed:
    """How many customers were looked at, and how many dashboards were read for them; the others were kept already."""

    looked_at: int
    kept: int


def warm_dashboards(*, most: int, advance: Callable[[int], object] | None = None) -> Warmed:
    """Keep the dashboards of at most `most` customers, a batch in one statement. Nobody's is read who has a good one.

    `advance` hears of how many were looked at.
    """
    looked_at = kept = 0
    for batch in _last_active(most):
        kept += read_cache.warm(read_cache.DASHBOARD, _dashboards_of, owners=batch)
        looked_at += len(batch)
        if advance is not None:
            advance(len(batch))
    return Warmed(looked_at=looked_at, kept=kept)


def _dashboards_of(customers: list[uuid.UUID]) -> dict[uuid.UUID, bytes]:
    found = rows("reporting", "dashboards_of.sql", customers=customers)
    return {row["public_id"]: row["dashboard"].encode() for row in found if row["dashboard"] is not None}


def _last_active(most: int) -> Iterator[list[uuid.UUID]]:
    """Customers by their latest use of a device, each once, a batch at a time."""
    seen: set[uuid.UUID] = set()
    last_at, last_id = FAR, 0
    while len(seen) < most:
        found = rows("reporting", "last_active_customers.sql", last_at=last_at, last_id=last_id, most=BATCH)
        customers = dict.fromkeys(row["public_id"] for row in found if row["public_id"] is not None)
        batch = [customer for customer in customers if customer not in seen][: most - len(seen)]
        seen.update(batch)
        if batch:
            yield batch
        if len(found) < BATCH:
            return
        last_at, last_id = found[-1]["expires_at"], found[-1]["id"]
