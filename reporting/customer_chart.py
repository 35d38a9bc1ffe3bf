"""A wallet's balance over time as a chart and, with the same values, as a table."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from django.utils.formats import date_format

from reporting.customer_selectors import Row

GREY: Final = "#9ca3af"  # what Unfold draws axes with: readable on white and on its dark ground
LINE: Final = "#a855f7"
# Unfold's own options write thousands without a mark.
OPTIONS: Final = json.dumps(
    {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "locale": "en-GB",
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {"legend": {"display": False}},
        "scales": {
            "x": {"ticks": {"color": GREY, "maxTicksLimit": 7, "maxRotation": 0}, "grid": {"display": False}},
            "y": {
                "beginAtZero": True,
                "ticks": {
                    "color": GREY,
                    "maxTicksLimit": 5,
                    "format": {"minimumFractionDigits": 2, "maximumFractionDigits": 2},
                },
                "border": {"display": False},
            },
        },
    }
)


@dataclass(frozen=True, kw_only=True)
class Chart:
    number: str
    currency: str
    days: list[tuple[dt.date, Decimal]]
    """Each day since there is the wallet, and what was in it when the day ended."""

    @property
    def first(self) -> tuple[dt.date, Decimal]:
        return self.days[0]

    @property
    def last(self) -> tuple[dt.date, Decimal]:
        return self.days[-1]

    @property
    def options(self) -> str:
        return OPTIONS

    @property
    def data(self) -> str:
        """What Chart.js draws. Amounts are text, exact to the cent, until a pixel is made of them."""
        line: dict[str, Any] = {
            "label": f"Balance, {self.currency}",
            "data": [str(balance) for _, balance in self.days],
            "borderColor": LINE,
            "borderWidth": 2,
            "stepped": "middle",
            "pointRadius": 3 if len(self.days) == 1 else 0,
        }
        return json.dumps({"labels": [date_format(day, "j M") for day, _ in self.days], "datasets": [line]})


def charts(balances: Iterable[Row]) -> list[Chart]:
    """One for each wallet that there was on any of the days."""
    found = []
    for (number, currency), rows in groupby(balances, key=lambda row: (row["number"], row["currency"])):
        days = [(row["on_day"], row["balance"]) for row in rows if row["balance"] is not None]
        if days:
            found.append(Chart(number=number, currency=currency, days=days))
    return found
