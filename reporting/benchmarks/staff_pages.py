"""Which pages the back-office has, with everything that can be chosen, typed and turned over on them.

They come from the resolver and from what each list says about itself, so a page that is added is measured by itself. Only
what stands for a parameter of an address that is no row of a list has to be named, in `EXAMPLES`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db import OperationalError, transaction
from django.db.models import Model
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.http import urlencode
from unfold.contrib.filters.admin import TextFilter

from accounts.models import KycDocument, KycSubmission, User
from mymoolah.common.admin import BEFORE, LargeTableAdmin, key_of
from reporting.benchmarks.dashboard import Customer
from reporting.support.models import SupportArticle, SupportTicket
from transactions.models import Transfer
from vouchers.models import TillEvent, Voucher
from wallets.models import Wallet

BACK_OFFICE: Final = "admin/"
AVERAGE, LARGEST, HOUSE = "an average customer's", "user1's", "the house's"


@dataclass(frozen=True)
class Page:
    """`name` tells the page and what was chosen there; it is unique."""

    name: str
    address: str


@dataclass(frozen=True)
class Neighbours:
    """Whose pages are looked at, and by whom lists are looked at."""

    average: Customer
    largest: Customer
    officer: User


# What is shown of one thing ------------------------------------------------------------------------------------------
def notable(who: Neighbours) -> dict[type[Model], dict[str, Any]]:
    """Rows whose pages may cost more than those of the newest and the oldest."""
    house = Wallet.objects.filter(kind=Wallet.Kind.VOUCHER_LIABILITY).order_by("-last_entry_at")
    wallets = {
        AVERAGE: Wallet.objects.filter(user=who.average.user_id).first(),
        LARGEST: Wallet.objects.filter(user=who.largest.user_id).first(),
        HOUSE: house.exclude(last_entry_at=None).first() or house.first(),
    }
    people = {AVERAGE: who.average.user_id, LARGEST: who.largest.user_id, "an officer's": who.officer.pk}
    return {User: people, Wallet: {name: wallet.pk for name, wallet in wallets.items() if wallet}}


def examples(who: Neighbours) -> Mapping[str, list[dict[str, Any]]]:
    """Routes whose parameters are not the key of a row that a list shows."""
    picture = KycDocument.objects.exclude(path__startswith="not-kept/").exclude(content_type="application/pdf").first()
    scan = KycDocument.objects.exclude(path__startswith="not-kept/").filter(content_type="application/pdf").first()
    case = KycSubmission.objects.filter(status=KycSubmission.Status.PENDING).order_by("created_at").first()
    ticket, article = SupportTicket.objects.order_by("-pk").first(), SupportArticle.objects.order_by("-pk").first()
    return {
        "admin:app_list": [{"app_label": label} for label in ("accounts", "transactions", "vouchers", "reporting")],
        **{name: [{"public_id": who.largest.public_id}] for name, _ in routes() if name.startswith("customer_")},
        "customer_page": [{"public_id": one.public_id} for one in (who.largest, who.average)],
        "kyc_case": [{"public_id": case.public_id}] if case else [],
        "second_factor_reset": [{"public_id": who.officer.public_id}],
        "support_article_retire": [{"pk": article.pk}] if article else [],
        "support_ticket": [{"public_id": ticket.public_id}] if ticket else [],
        "kyc_document": [{"public_id": picture.public_id}] if picture else [],
        "kyc_page": [{"public_id": scan.public_id, "number": 1}] if scan else [],
    }


# Routes --------------------------------------------------------------------------------------------------------------
def routes() -> Iterator[tuple[str, URLPattern]]:
    """Every named route of the back-office."""
    for one in get_resolver().url_patterns:
        if str(one.pattern).startswith(BACK_OFFICE):
            yield from _named(one, "")


def _named(one: URLPattern | URLResolver, namespace: str) -> Iterator[tuple[str, URLPattern]]:
    if isinstance(one, URLResolver):
        inner = f"{namespace}{one.namespace}:" if one.namespace else namespace
        for part in one.url_patterns:
            yield from _named(part, inner)
    elif one.name:
        yield namespace + one.name, one


def pages(who: Neighbours) -> Iterator[Page]:
    """Every page, in every way it can be asked for."""
    lists = _lists()
    given, rows = examples(who), notable(who)
    for name, route in routes():
        stem, _, deed = name.rpartition("_")
        parameters = set(route.pattern.converters) | set(getattr(route.pattern, "regex", re.compile("")).groupindex)
        if deed == "changelist":
            yield from list_pages(lists[stem], who)
        elif not parameters:
            yield Page(name, reverse(name))
        elif parameters == {"object_id"} and stem in lists:
            yield from _object_pages(name, lists[stem], rows.get(lists[stem].model, {}) if deed == "change" else {})
        else:
            for values in given.get(name, []):
                yield Page(f"{name} {' '.join(str(value) for value in values.values())}", reverse(name, kwargs=values))


def unknown_routes(who: Neighbours) -> list[str]:
    """Routes with parameters that nobody has told an example of."""
    stems = _lists()
    known = {*examples(who), *NEVER_PAGES}
    return [
        name
        for name, route in routes()
        if route.pattern.converters and name not in known and name.rpartition("_")[0] not in stems
    ]


def _lists() -> dict[str, Any]:
    """What describes the pages of each table, by the beginning of their names."""
    shown = [model for model in apps.get_models() if admin.site.is_registered(model)]
    return {f"admin:{_label(model)}": admin.site.get_model_admin(model) for model in shown}


NEVER_PAGES: Final = {
    "admin:view_on_site": "leads nowhere here",
    "books_export": "a POST",
    "kyc_deed": "a POST",
    "kyc_number": "a POST",
    "saved_view_delete": "a POST",
    "support_article_approve": "a POST",
    "support_deed": "a POST",
    "saved_view_rename": "a POST",
}


def _object_pages(name: str, page: Any, rows: Mapping[str, Any]) -> Iterator[Page]:
    """The newest row, the oldest, and those that are known to be large."""
    everything = page.model.objects.order_by(*page.ordering)
    found = {"the newest": everything.first(), "the oldest": everything.last()}
    keys = {which: row.pk for which, row in found.items() if row is not None} | dict(rows)
    for which, key in keys.items():
        yield Page(f"{name} {which}", reverse(name, args=[key]))


# Lists ---------------------------------------------------------------------------------------------------------------
def list_pages(page: Any, who: Neighbours) -> Iterator[Page]:
    """A list from the top, in its middle, at its end; with each choice of each filter; and with each search."""
    name, address = f"{_label(page.model)} list", reverse(f"admin:{_label(page.model)}_changelist")
    if not isinstance(page, LargeTableAdmin):
        yield Page(name, address)
        return
    queries = {"": "", **_choices(page, who), **_links(page, who), **_searches(page, who)}
    for what, query in queries.items():
        yield Page(f"{name}{what}", address + query)
        found = _changelist(page, query, who)
        if found is None or not found.older:
            continue
        yield Page(f"{name}{what}, the next page", address + found.older)
        if not what:
            deepest = list(found.everything.reverse()[: page.list_per_page + 1])[-1]
            key = found.get_query_string({BEFORE: key_of(found.everything, deepest)})
            yield Page(f"{name}{what}, the last page", address + key)


def _changelist(page: Any, query: str, who: Neighbours) -> Any:
    request = RequestFactory().get(f"/{query}")
    request.user, request._messages = who.officer, Unheard()  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        with transaction.atomic():
            return page.get_changelist_instance(request)
    except (IncorrectLookupParameters, OperationalError):
        return None  # asked as a page, it says so itself


class Unheard:
    """Takes the messages of lists that are only looked into."""

    def add(self, *_: object) -> None:
        pass


def _choices(page: Any, who: Neighbours) -> dict[str, str]:
    """Each choice of each filter, and what is typed into those that are typed."""
    found: dict[str, str] = {}
    shown = _changelist(page, "", who)
    for spec in shown.filter_specs if shown else ():
        for choice in list(spec.choices(shown))[1:]:
            if "query_string" in choice:
                found[f", {spec.title} {choice['display']}"] = choice["query_string"]
    for filter_class in page.list_filter:
        if isinstance(filter_class, type) and issubclass(filter_class, TextFilter):
            parameter = str(filter_class.parameter_name)  # type: ignore[attr-defined]
            for text in TYPED[parameter](who):
                found[f", {parameter} {text}"] = f"?{urlencode({parameter: text})}"
    return found


def _links(page: Any, who: Neighbours) -> dict[str, str]:
    """What other pages link here with: a large customer's rows, and hers alone."""
    wallet = Wallet.objects.filter(user=who.largest.user_id).first()
    house = Wallet.objects.filter(kind=Wallet.Kind.VOUCHER_LIABILITY).exclude(sequence=None).first()
    keys = {"user": [(LARGEST, who.largest.user_id), (AVERAGE, who.average.user_id)]}
    keys["wallet"] = [(name, one.pk) for name, one in ((LARGEST, wallet), (HOUSE, house)) if one]
    return {
        f", {name} {lookup}": f"?{lookup}={key}"
        for lookup in page.linked
        for name, key in keys.get(lookup, [])
        if lookup in {"user", "wallet"}
    }


# Whoever searches ----------------------------------------------------------------------------------------------------
def _public_ids(who: Neighbours) -> list[str]:
    return [str(who.largest.public_id), str(who.average.public_id)]


TYPED: Final[Mapping[str, Callable[[Neighbours], list[str]]]] = {
    "actor": lambda who: ["user1@load.example.com", who.officer.email, "nobody@load.example.com", "+27710000000"],
    "subject": lambda who: [*_public_ids(who), str(uuid.UUID(int=0)), "user1@load.example.com"],
    "verb": lambda _: ["session.started", "desk.loaded", "nothing.happened"],
    "request": lambda _: ["c4ca4238a0b923820dcc509a6f75849b", "0" * 32],
    "from": lambda _: ["2000-01-01", "2099-01-01"],
    "until": lambda _: ["2000-01-01", "2099-01-01"],
}


def texts(who: Neighbours) -> list[str]:
    """What is typed into searches: what is found, what many have, and what nobody has."""
    wallet = Wallet.objects.filter(user=who.largest.user_id).first()
    house = Wallet.objects.filter(kind=Wallet.Kind.VOUCHER_LIABILITY).exclude(sequence=None).first()
    largest = User.objects.get(pk=who.largest.user_id)
    voucher = Voucher.objects.exclude(easypay_number=None).order_by("-pk").first()
    event, transfer = TillEvent.objects.order_by("-pk").first(), Transfer.objects.order_by("-pk").first()
    numbers = [one.number for one in (wallet, house) if one]
    return [
        *_public_ids(who),
        *numbers,
        *(f"{number}-1" for number in numbers),
        largest.email,
        largest.phone or "",
        largest.last_name,
        largest.last_name[:1],
        "user",
        "user1",
        f"user:{largest.public_id}",
        "loader",
        "session.started",
        "GET /api/v1/dashboard",
        "c4ca4238a0b923820dcc509a6f75849b",
        voucher.easypay_number if voucher and voucher.easypay_number else "",
        event.provider_reference if event else "",
        str(transfer.pk) if transfer else "",
        # Nobody's.
        str(uuid.UUID(int=0)),
        "1000000009",
        "1000000009-1",
        "nobody@load.example.com",
        "+27999999999",
        "Xqzw",
        "nothing.happened",
        "user:nobody",
        "90000000000000",
        "NO-SUCH-REFERENCE",
        "0" * 32,
    ]


def _searches(page: Any, who: Neighbours) -> dict[str, str]:
    """What fits one of a list's searches. The first that fits is the one that answers."""
    found: dict[str, str] = {}
    newest = page.model.objects.order_by(*page.ordering).first()
    own = str(getattr(newest, "public_id", "")) if newest else ""
    for text in dict.fromkeys([own, *texts(who)]):
        search = next((one for one in page.searches if re.fullmatch(one.pattern, text, re.IGNORECASE)), None)
        if text and search:
            found[f", search {search.name}: {text}"] = f"?{urlencode({'q': text})}"
    return found


def _label(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"
