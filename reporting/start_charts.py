"""The charts of the start page: the last thirty days, each from one query over the days that were counted already.

Colours are Okabe and Ito's, told apart by the colour-blind and seen on white and on black; a second line is dashed as
well, and every chart has its figures in a table below.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.formats import date_format

from mymoolah.common.clock import business_day
from mymoolah.common.sql.queries import rows
from reporting.admin import in_words

DAYS_SHOWN: Final = 30
BLUE, VERMILION, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#7b8494"
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One column of the rows, and how it is drawn."""

    name: str
    column: str
    colour: str
    is_line: bool = True
    is_dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What the template needs: a chart for eyes, a caption for everybody, and the figures as a table."""

    title: str
    caption: str
    kind: str
    data: str
    options: str
    headers: Sequence[str]
    figures: Sequence[Sequence[str]]
    taken_at: dt.datetime | None
    age: str
    is_empty: bool


@dataclass(frozen=True, kw_only=True)
class Chart:
    title: str
    permission: str
    query: str
    series: Sequence[Series]
    caption: Callable[[Sequence[Row]], str]
    """What the rows of one chart, the newest last, say in a sentence."""
    empty: str
    is_money: bool = False
    leads_for: str = ""
    """Whoever has this permission sees it first."""

    def drawings(self, *, at: dt.datetime) -> Iterator[Drawing]:
        """One, or one for each currency. One query."""
        since = business_day(at) - dt.timedelta(days=DAYS_SHOWN)
        found = rows("reporting", self.query, since=since)
        if not found:
            yield self._draw([], at=at, currency="")
        for currency, days in itertools.groupby(found, lambda row: row.get("currency", "")):
            yield self._draw(list(days), at=at, currency=str(currency))

    def _draw(self, days: Sequence[Row], *, at: dt.datetime, currency: str) -> Drawing:
        kind = "line" if self.series[0].is_line else "bar"
        is_empty = not any(row[one.column] for row in days for one in self.series)
        taken_at = days[-1]["taken_at"] if days else None
        say = f"{{:,.2f}} {currency}".format if self.is_money else "{:,}".format
        return Drawing(
            title=f"{self.title}, {currency}" if currency else self.title,
            caption=self.empty if is_empty else self.caption(days),
            kind=kind,
            data=as_json({"labels": [short(row["day"]) for row in days], "datasets": [*self._datasets(days)]}),
            options=as_json(options(is_stacked=kind == "bar")),
            headers=["Day", *(one.name for one in self.series)],
            figures=[
                [date_format(row["day"], "j F Y"), *(say(row[one.column]) for one in self.series)]
                for row in reversed(days)
            ],
            taken_at=taken_at,
            age=in_words(at - taken_at) if taken_at else "",
            is_empty=is_empty,
        )

    def _datasets(self, days: Sequence[Row]) -> Iterator[dict[str, object]]:
        for one in self.series:
            line = {"type": "line", "borderWidth": 2, "pointRadius": 2, "borderDash": [5, 4] if one.is_dashed else []}
            bar = {"type": "bar", "borderWidth": 0, "maxBarThickness": 14, "stack": "days"}
            yield {
                "label": one.name,
                "data": [row[one.column] for row in days],
                "borderColor": one.colour,
                "backgroundColor": one.colour,
                **(line if one.is_line else bar),
            }


def options(*, is_stacked: bool) -> dict[str, object]:
    """What Chart.js is told instead of the theme's own: a legend, figures at the side, all of a day in one box."""
    legend = {"position": "bottom", "align": "start", "labels": {"color": GREY, "usePointStyle": True}}
    ticks = {"color": GREY, "precision": 0}
    return {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "locale": "en-US",
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {"legend": legend},
        "scales": {
            "x": {"stacked": is_stacked, "grid": {"display": False}, "ticks": {**ticks, "maxTicksLimit": 8}},
            "y": {"stacked": is_stacked, "beginAtZero": True, "ticks": {**ticks, "maxTicksLimit": 5}},
        },
    }


def as_json(value: object) -> str:
    """Amounts as text, which Chart.js reads: no money becomes a float here."""
    return json.dumps(value, cls=DjangoJSONEncoder)


def short(day: dt.date) -> str:
    return date_format(day, "j M")


# Captions ---------------------------------------------------------------------------------------------------------------
def of_money(days: Sequence[Row]) -> str:
    return told(days, lambda row: f"{cash(row, 'in_amount')} came in and {cash(row, 'out_amount')} went out")


def of_float(days: Sequence[Row]) -> str:
    return told(days, lambda row: f"live vouchers were worth {cash(row, 'voucher_float')}")


def of_customers(days: Sequence[Row]) -> str:
    return told(days, lambda row: f"{counted(row['active_customers'], 'customer')} moved money")


def of_kyc(days: Sequence[Row]) -> str:
    def say(row: Row) -> str:
        return (
            f"{row['kyc_approved']:,} approved, {row['kyc_rejected']:,} rejected, "
            f"{counted(row['kyc_waiting'], 'case')} waiting at the end"
        )

    return told(days, say)


def of_failed(days: Sequence[Row]) -> str:
    def say(row: Row) -> str:
        most = f", mostly {row['most'].replace('_', ' ')}" if row["most"] else ""
        return (
            f"{counted(row['refused'], 'order')} refused{most}; {counted(row['set_aside'], 'till payment')} set aside"
        )

    return told(days, say)


def told(days: Sequence[Row], say: Callable[[Row], str]) -> str:
    """Today so far, and the day before, in words."""
    today, *before = reversed(days)
    sentence = f"{short(today['day'])} so far: {say(today)}."
    return f"{sentence} {short(before[0]['day'])}: {say(before[0])}." if before else sentence


def cash(row: Row, column: str) -> str:
    return f"{row[column]:,.2f} {row['currency']}"


def counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


CHARTS: Final = (
    Chart(
        title="Into and out of customers' wallets",
        permission="reporting.view_businessdaymoney",
        query="chart_money.sql",
        series=(
            Series(name="In", column="in_amount", colour=BLUE),
            Series(name="Out", column="out_amount", colour=VERMILION, is_dashed=True),
        ),
        caption=of_money,
        empty="No money has moved in these thirty days.",
        is_money=True,
        leads_for="transactions.decide_proposal",
    ),
    Chart(
        title="Voucher float",
        permission="reporting.view_businessdaymoney",
        query="chart_float.sql",
        series=(Series(name="Owed for live vouchers", column="voucher_float", colour=GREEN),),
        caption=of_float,
        empty="There are no live vouchers.",
        is_money=True,
        leads_for="transactions.decide_proposal",
    ),
    Chart(
        title="Active customers",
        permission="reporting.view_businessday",
        query="chart_customers.sql",
        series=(Series(name="Customers who moved money", column="active_customers", colour=BLUE, is_line=False),),
        caption=of_customers,
        empty="Nobody has moved money in these thirty days.",
    ),
    Chart(
        title="Identity checks",
        permission="accounts.view_kycsubmission",
        query="chart_kyc.sql",
        series=(
            Series(name="Approved", column="kyc_approved", colour=BLUE, is_line=False),
            Series(name="Rejected", column="kyc_rejected", colour=VERMILION, is_line=False),
            Series(name="Waiting", column="kyc_waiting", colour=GREEN, is_dashed=True),
        ),
        caption=of_kyc,
        empty="Nobody has asked for an identity check in these thirty days.",
        leads_for="accounts.decide_kycsubmission",
    ),
    Chart(
        title="Payments that failed",
        permission="reporting.view_businessdayrefusal",
        query="chart_failed.sql",
        series=(
            Series(name="Refused", column="refused", colour=VERMILION, is_line=False),
            Series(name="Set aside from tills", column="set_aside", colour=BLUE, is_line=False),
        ),
        caption=of_failed,
        empty="No payment has failed in these thirty days.",
    ),
)
