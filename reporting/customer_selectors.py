"""What staff read of one customer. Each function is one query of index probes, whatever the customer's history."""

from __future__ import annotations

import datetime as dt
from typing import Any

from mymoolah.common.sql.queries import rows

Row = dict[str, Any]


def wallets(*, user_id: int, today: dt.date) -> list[Row]:
    """A customer's wallets, what the tier allows of each, and how much of that is used."""
    return rows("reporting", "customer_wallets.sql", user=user_id, today=today)
