"""What finance and auditors read of the bank's own books, and take out as files; each file is an audited event."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django import forms
from django.contrib import admin
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import audit
from accounts.staff_session import staff_origin
from mymoolah.common.admin import money, require
from mymoolah.common.clock import JOHANNESBURG, business_day, now
from reporting import books
from reporting.admin import in_words
from reporting.books import LONGEST_DAYS, Row
from reporting.books_files import Cell, as_csv, as_xlsx
from transactions.corrections import STEPS
from transactions.proposal_admin import propose_link
from vouchers.models import SuspenseItem
from wallets.models import Wallet

EXPORT: Final = "transactions.export_transaction"
EARLIEST_DAY: Final = dt.date(2000, 1, 1)
ITEMS_PER_PAGE: Final = 50
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AGES: Final = (
    ("day", "up to a day"),
    ("week", "up to a week"),
    ("month", "up to 30 days"),
    ("older", "older"),
    ("total", "all"),
)
NAMES: Final = {
    **{kind.value: kind.label.capitalize() for kind in Wallet.Kind},
    "house": "The house together",
    "customers": "All customers",
    **{direction.value: direction.label.capitalize() for direction in SuspenseItem.Direction},
}


def day_field(label: str) -> forms.DateField:
    return forms.DateField(label=label, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))


class PeriodForm(forms.Form):
    """Days up to today, both ends included, at most a year of them."""

    first, last = day_field("First day"), day_field("Last day")

    def clean_first(self) -> dt.date:
        return self.past("first")

    def clean_last(self) -> dt.date:
        last, first = self.past("last"), self.cleaned_data.get("first")
        if first and last < first:
            raise forms.ValidationError("This is before the first day.")
        if first and last - first >= dt.timedelta(days=LONGEST_DAYS):
            raise forms.ValidationError(f"At most {LONGEST_DAYS} days at once.")
        return last

    def past(self, name: str) -> dt.date:
        day: dt.date = self.cleaned_data[name]
        if not EARLIEST_DAY <= day <= business_day(now()):
            raise forms.ValidationError("A day of this century, up to today.")
        return day


# What is read -----------------------------------------------------------------------------------------------------------
@require_GET
def house(request: HttpRequest) -> HttpResponse:
    """What the house's wallets hold over their stripes, live."""
    require(request, "wallets.view_wallet")
    rows = [
        {
            "name": NAMES[row["kind"]],
            "balance": money(row["balance"], row["currency"]),
            "words": words_for(row),
            "stripes": row["stripes"],
            "last_entry_at": row["last_entry_at"],
            "is_total": row["kind"] in {"house", "customers"},
            "settle": settlements_of(request, row),
        }
        for row in books.house_balances()
    ]
    return page(request, "house", "House wallets", rows=rows, exports=exports_of(request, "house"))


@require_GET
def trial_balance(request: HttpRequest) -> HttpResponse:
    """How some Johannesburg days left the house and its customers: yesterday, if nobody says which."""
    require(request, "wallets.view_wallet")
    today = business_day(now())
    yesterday, one_day = today - dt.timedelta(days=1), dt.timedelta(days=1)
    form = PeriodForm(request.GET if {"first", "last"} & set(request.GET) else {"first": yesterday, "last": yesterday})
    if not form.is_valid():
        return page(request, "trial_balance", "Trial balance", form=form)
    first, last = form.cleaned_data["first"], form.cleaned_data["last"]
    amounts = ("opening_balance", "received", "sent", "change", "closing_balance")
    rows = [
        {
            "name": NAMES[row["kind"]],
            "is_total": row["kind"] in {"house", "customers"},
            **{name: "" if row[name] is None else money(row[name], row["currency"]) for name in amounts},
        }
        for row in books.trial_balance(first=first, last=last)
    ]
    return page(
        request,
        "trial_balance",
        "Trial balance",
        rows=rows,
        first=first,
        last=last,
        days=(last - first).days + 1,
        form=form,
        has_today=last == today,
        before=first - one_day if first > EARLIEST_DAY else None,
        after=last + one_day if last < today else None,
        month=last.replace(day=1),
        exports=exports_of(request, "trial_balance", first=first.isoformat(), last=last.isoformat()),
    )


@require_GET
def suspense(request: HttpRequest) -> HttpResponse:
    """What waits in suspense, the oldest first, and how old how much of it is."""
    require(request, "vouchers.view_suspenseitem")
    moment = now()
    items = books.open_suspense(after=position(request.GET.get("after")), most=ITEMS_PER_PAGE + 1)
    shown = [shown_item(item, moment) for item in items[:ITEMS_PER_PAGE]]
    further = ""
    if len(items) > ITEMS_PER_PAGE:
        last = items[ITEMS_PER_PAGE - 1]
        further = f"?{urlencode({'after': json.dumps([last['created_at'].isoformat(), last['id']])})}"
    ages = [
        {
            "name": f"{NAMES[row['direction']]}, {row['currency']}",
            "cells": [
                (label, row[f"{age}_count"], money(row[f"{age}_amount"], row["currency"])) for age, label in AGES
            ],
        }
        for row in books.suspense_ages(at=moment)
    ]
    return page(
        request,
        "suspense",
        "Suspense by age",
        ages=ages,
        headers=[label for _, label in AGES],
        items=shown,
        further=further,
        is_first="after" not in request.GET,
        exports=exports_of(request, "suspense"),
    )


def shown_item(item: Row, moment: dt.datetime) -> dict[str, object]:
    voucher = item["voucher_type"] and format_html(
        '<a href="{}" class="text-link">{}</a>',
        reverse("admin:vouchers_voucher_change", args=[item["voucher_id"]]),
        item["voucher_type"].replace("_", " "),
    )
    event = item["provider_reference"] and format_html(
        '<a href="{}" class="text-link">{}</a>',
        reverse("admin:vouchers_tillevent_change", args=[item["till_event_id"]]),
        item["provider_reference"],
    )
    return {
        "address": reverse("admin:vouchers_suspenseitem_change", args=[item["id"]]),
        "public_id": str(item["public_id"])[:8],
        "age": in_words(moment - item["created_at"]),
        "since": item["created_at"],
        "direction": NAMES[item["direction"]],
        "reason": SuspenseItem.Reason(item["reason"]).label,
        "amount": money(item["amount"], item["currency"]),
        "voucher": voucher or "-",
        "event": event or "-",
    }


def words_for(row: Row) -> str:
    """What a balance means, since a negative one is no mistake."""
    if row["kind"] == "house":
        return "with what customers have: zero"
    if row["kind"] == "customers":
        return "what we owe our customers"
    if not row["balance"]:
        return "nothing"
    return "we owe it, or earned it" if row["balance"] > 0 else "below zero: we are owed it, or gave it"


def settlements_of(request: HttpRequest, row: Row) -> list[str]:
    if not request.user.has_perm("transactions.add_proposal"):
        return []
    return [
        propose_link("settle", step.label, step=step.value, currency=row["currency"])
        for step, ends in STEPS.items()
        if row["kind"] in ends and row["kind"] != Wallet.Kind.BANK
    ]


def position(key: str | None) -> tuple[dt.datetime, int]:
    """Where a page goes on: the time and id of the last item of the page before."""
    if not key:
        return books.BEGINNING
    try:
        at, last_id = json.loads(key)
        moment = dt.datetime.fromisoformat(at)
        if not isinstance(last_id, int) or moment.tzinfo is None or not 0 <= last_id < 2**63:
            raise BadRequest("This is no page.")
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRequest("This is no page.") from error
    return moment, last_id


# What is taken out ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Export:
    """A table that can be taken out: who may see it, what its columns are, and its lines, one at a time."""

    permission: str
    header: Sequence[str]
    lines: Callable[[PeriodForm | None], Iterable[Sequence[Cell]]]
    has_period: bool = False


def house_lines(_: object) -> Iterator[Sequence[Cell]]:
    for row in books.house_balances():
        yield NAMES[row["kind"]], row["currency"], row["balance"], row["stripes"], moment_of(row["last_entry_at"])


def suspense_lines(_: object) -> Iterator[Sequence[Cell]]:
    for row in books.every_open_suspense():
        yield (
            str(row["public_id"]),
            NAMES[row["direction"]],
            SuspenseItem.Reason(row["reason"]).label,
            row["amount"],
            row["currency"],
            moment_of(row["created_at"]),
            str(row["voucher"] or ""),
            row["provider_reference"],
        )


def trial_balance_lines(period: PeriodForm | None) -> Iterator[Sequence[Cell]]:
    assert period is not None
    for day in books.days_between(period.cleaned_data["first"], period.cleaned_data["last"]):
        for row in books.trial_balance(first=day, last=day):
            amounts = (row[name] for name in ("opening_balance", "received", "sent", "change", "closing_balance"))
            yield day.isoformat(), NAMES[row["kind"]], row["currency"], *amounts


EXPORTS: Final = {
    "house": Export("wallets.view_wallet", ("Wallet", "Currency", "Balance", "Stripes", "Last entry"), house_lines),
    "suspense": Export(
        "vouchers.view_suspenseitem",
        ("Item", "Direction", "Reason", "Amount", "Currency", "Since", "Voucher", "Till's reference"),
        suspense_lines,
    ),
    "trial_balance": Export(
        "wallets.view_wallet",
        ("Day", "Wallet", "Currency", "Opening balance", "Received", "Sent", "Change", "Closing balance"),
        trial_balance_lines,
        has_period=True,
    ),
}
FORMATS: Final = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX}


@require_POST
def export(request: HttpRequest, name: str, extension: str) -> HttpResponseBase:
    """Send a table as a file, once it is written down who takes it; a POST, so that no other site asks in his name."""
    wanted = EXPORTS.get(name)
    if wanted is None or extension not in FORMATS:
        raise Http404
    require(request, wanted.permission, EXPORT)
    period = PeriodForm(request.GET) if wanted.has_period else None
    if period is not None and not period.is_valid():
        raise BadRequest("Say the first and the last day, at most a year of them.")
    said = {key: value.isoformat() for key, value in period.cleaned_data.items()} if period else {}
    audit.record(
        "books.exported", subject_type="books", subject_id=name, origin=staff_origin(request), format=extension, **said
    )
    lines = wanted.lines(period)
    pieces = as_csv(wanted.header, lines) if extension == "csv" else as_xlsx(name, wanted.header, lines)
    file = "-".join([name, *said.values()]) or name
    return StreamingHttpResponse(
        pieces,
        content_type=FORMATS[extension],
        headers={"Content-Disposition": f'attachment; filename="{file}.{extension}"', "Cache-Control": "no-store"},
    )


def exports_of(request: HttpRequest, name: str, **period: str) -> list[tuple[str, str]]:
    if not request.user.has_perm(EXPORT):
        return []
    query = f"?{urlencode(period)}" if period else ""
    return [(extension.upper(), reverse("books_export", args=[name, extension]) + query) for extension in FORMATS]


# All --------------------------------------------------------------------------------------------------------------------
def page(request: HttpRequest, name: str, title: str, **context: object) -> HttpResponse:
    return TemplateResponse(
        request, f"admin/books/{name}.html", {**admin.site.each_context(request), "title": title, **context}
    )


def moment_of(at: dt.datetime | None) -> str:
    return at.astimezone(JOHANNESBURG).isoformat(timespec="seconds") if at else ""


PAGES: Final = (
    ("House wallets", "account_balance", "books_house", "wallets.view_wallet"),
    ("Trial balance", "balance", "books_trial_balance", "wallets.view_wallet"),
    ("Suspense by age", "hourglass_top", "books_suspense", "vouchers.view_suspenseitem"),
)
urlpatterns: list[URLPattern] = [
    path("house/", admin.site.admin_view(house), name="books_house"),
    path("trial-balance/", admin.site.admin_view(trial_balance), name="books_trial_balance"),
    path("suspense/", admin.site.admin_view(suspense), name="books_suspense"),
    path("<slug:name>.<slug:extension>", admin.site.admin_view(export), name="books_export"),
]
