"""Whether a dashboard's cost grows with the customer's history."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

from reporting import selectors
from reporting.benchmarks.series import Options, in_turns, milliseconds, ratio

CALLS_PER_ROUND = 500
SHORT_HISTORY = 10


@dataclass(frozen=True)
class Customer:
    public_id: uuid.UUID
    user_id: int
    entries: int
    vouchers: int

    def __str__(self) -> str:
        return f"{self.entries:,} entries, {self.vouchers:,} vouchers"


def customer_with_entries(wanted: int | None = None) -> Customer:
    """The customer whose history is nearest to `wanted` entries; without it, the one with the longest.

    :raises CommandError: nobody is loaded
    """
    order = "abs(s.total_transactions - %s)" if wanted is not None else "-s.total_transactions"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT u.public_id, s.user_id, s.total_transactions, s.total_vouchers
            FROM user_financial_summary AS s
            INNER JOIN users AS u ON u.id = s.user_id
            WHERE s.total_transactions > 0
            ORDER BY {order}, s.user_id
            LIMIT 1
            """,  # noqa: S608 - one of the two texts above
            [] if wanted is None else [wanted],
        )
        row = cursor.fetchone()
    if row is None:
        raise CommandError("There is nobody to measure: run load_customers first.")
    return Customer(*row)


def run(options: Options) -> dict[str, Any]:
    """Milliseconds of the dashboard's one query, longest history beside a short one, on a warm connection."""
    longest, short = customer_with_entries(), customer_with_entries(SHORT_HISTORY)
    series = in_turns(
        {
            "longest": lambda: _read(longest),
            "short": lambda: _read(short),
        },
        options,
        unit="ms",
        settle=True,
    )
    return {
        f"longest history ({longest})": series["longest"],
        f"short history ({short})": series["short"],
        "ratio": ratio(series["longest"], series["short"]),
    }


def _read(customer: Customer) -> float:
    return milliseconds(lambda: selectors.get_dashboard(user_public_id=customer.public_id), times=CALLS_PER_ROUND)
