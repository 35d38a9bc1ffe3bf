"""The base of every page of the back-office: read-only, and as fast over ten million rows as over ten.

- Lists go from row to older row by key (`?before=…`), along an index: no OFFSET, no COUNT(*) over a large table.
- Search looks at what was typed and asks one index; nothing is searched by "contains".
- Filters and links between lists are only those that an index answers; any other lookup in an address is refused.
- Nothing can be added, changed or deleted, by superusers neither, unless a page says that it can.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import FieldError, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import DecimalField, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.timezone import localtime
from unfold.views import ChangeList

from mymoolah.common import replica

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Base = ModelAdmin[Model]
else:
    from unfold.admin import ModelAdmin as Base

BEFORE = "before"
ROWS_PER_PAGE = 50
COUNTED_ROWS_MAX = 1_000
CENTS = 2  # decimal places
CURRENCIES = ("currency", "wallet_currency")  # how columns name the currency of their row's amounts

UUID = r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}"
EMAIL = r"[^@\s]+@[^@\s]+"
NOBODY = Q(pk__in=())

Shown = TypeVar("Shown", bound=Callable[..., object])


@dataclass(frozen=True)
class Search:
    """Something that can be typed into the search of a list, and the indexed columns that answer it.

    `ordering` is given where the answer may be long, and names the rest of the same index.
    """

    name: str
    pattern: str
    find: Callable[[str], Q]
    ordering: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    """A short table of related rows on the page of one object, read by one query."""

    title: str
    permission: str
    headers: Sequence[str]
    rows: Callable[[Any], Iterable[Sequence[object]]]
    more: Callable[[Any], str] | None = None
    """The address of the whole list."""
    nothing: Callable[[Any], str] = lambda _: "None."
    """What is said where there are no rows."""

    def of(self, obj: Model) -> dict[str, object]:
        return {
            "title": self.title,
            "table": {"headers": list(self.headers), "rows": [[shown(cell) for cell in row] for row in self.rows(obj)]},
            "more": self.more(obj) if self.more else None,
            "nothing": self.nothing(obj),
        }


class KeysetPaginator(Paginator):  # type: ignore[type-arg]
    """Holds the rows of one page; the way to the next is a key, not a number."""

    template_name = "admin/keyset_pagination.html"


class LargeTableChangeList(ChangeList):  # type: ignore[misc]
    """A list that reads one row more than it shows, to know whether there are older ones."""

    model_admin: LargeTableAdmin
    queryset: QuerySet[Model]
    result_list: list[Model]
    result_count: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = capfirst(str(self.opts.verbose_name_plural))  # not "Select wallet to view"

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str] | None = None) -> QuerySet[Model]:
        self.params.pop(BEFORE, None)
        self.filter_params.pop(BEFORE, None)
        self.everything: QuerySet[Model] = super().get_queryset(request, exclude_parameters)
        before = request.GET.get(BEFORE)
        return older_than(self.everything, before) if before else self.everything

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Model]) -> list[str]:
        """The order that an index has, and no other: neither `?o=` nor a further column is heard."""
        for lookup, ordering in self.model_admin.linked.items():
            if ordering and lookup in self.params:
                return list(ordering)
        return list(self.model_admin.ordering)

    def url_for_result(self, result: Model) -> str:
        return page_of(result) if type(result) in own_pages else str(super().url_for_result(result))

    def get_results(self, request: HttpRequest) -> None:
        """Read a page: from a copy of the database, if there is one and its reader has changed nothing lately."""
        read = partial(self.read, is_first=BEFORE not in request.GET)
        only_looks = request.method == "GET" and replica.HAS_CHANGED not in request.COOKIES
        rows = replica.from_replica(read) if only_looks else read(replica.PRIMARY)
        self.older = self.newest = None
        if len(rows) > self.list_per_page:
            self.older = self.get_query_string({BEFORE: key_of(self.queryset, self.result_list[-1])})
        if BEFORE in request.GET:
            self.newest = self.get_query_string()
        self.full_result_count = self.result_count  # or the title would offer to show all
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.paginator = KeysetPaginator(self.result_list, self.list_per_page)

    def read(self, source: replica.Source, *, is_first: bool) -> list[Model]:
        self.source = source
        self.queryset, self.everything = self.queryset.using(source.using), self.everything.using(source.using)
        rows = list(self.queryset[: self.list_per_page + 1])
        self.result_list = rows[: self.list_per_page]
        self.result_count, self.total = self.count(complete=is_first and len(rows) <= self.list_per_page)
        return rows

    def count(self, *, complete: bool) -> tuple[int, str]:
        """How many rows the list has: exactly when they are few, PostgreSQL's own estimate when it is the table."""
        if complete:
            return len(self.result_list), f"{len(self.result_list):,}"
        if not (self.query or self.get_filters_params()):
            return table_size(self.everything, self.model_admin.estimate_from or self.opts.db_table)
        return bounded_count(self.everything)


def table_size(everything: QuerySet[Any], table: str) -> tuple[int, str]:
    """The rows of `table` as PostgreSQL believed at the last ANALYZE, or counted where they are few."""
    with connections[everything.db].cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        estimate = int(cursor.fetchone()[0])
    return (estimate, f"about {estimate:,}") if estimate > COUNTED_ROWS_MAX else bounded_count(everything)


def bounded_count(rows: QuerySet[Any]) -> tuple[int, str]:
    """Count, but never more than a thousand."""
    found = rows.order_by()[: COUNTED_ROWS_MAX + 1].count()
    return found, f"more than {COUNTED_ROWS_MAX:,}" if found > COUNTED_ROWS_MAX else f"{found:,}"


def columns_of(queryset: QuerySet[Model]) -> list[str]:
    """The columns a list is ordered by: newest first, all of them, and none is ever null."""
    columns = [str(name).removeprefix("-") for name in queryset.query.order_by]
    assert all(str(name).startswith("-") for name in queryset.query.order_by), "lists are ordered newest first"
    return columns


def key_of(queryset: QuerySet[Model], row: Model) -> str:
    return json.dumps([getattr(row, column) for column in columns_of(queryset)], default=str)


def older_than(queryset: QuerySet[Model], key: str) -> QuerySet[Model]:
    """The rows after `key` in the list's order: (a, b) < (x, y), said so that the index on (a, b) is used."""
    columns = columns_of(queryset)
    try:
        values = json.loads(key)
        if not isinstance(values, list) or len(values) != len(columns) or "\\u0000" in key:
            raise IncorrectLookupParameters
        older = Q(**{f"{columns[-1]}__lt": values[-1]})
        for column, value in reversed(list(zip(columns[:-1], values[:-1], strict=True))):
            older = Q(**{f"{column}__lte": value}) & (Q(**{f"{column}__lt": value}) | older)
        return queryset.filter(older)
    except (ValueError, TypeError, OverflowError, RecursionError, ValidationError, FieldError) as error:
        raise IncorrectLookupParameters from error


class LargeTableAdmin(Base):
    """The page of a table, to look at."""

    secret: ClassVar[tuple[str, ...]] = ()
    """Columns that nobody may see. They are not even read."""
    searches: ClassVar[list[Search]] = []
    panels: ClassVar[list[Panel]] = []
    linked: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Lookups that other pages link with, and the ordering that the index behind each has (if it has one)."""
    estimate_from: ClassVar[str] = ""
    """The table whose size is this list's, where that is a view."""

    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    actions = None
    sortable_by = ()
    show_facets = ShowFacets.NEVER  # counts of whole tables, one for each choice
    list_per_page = ROWS_PER_PAGE
    list_fullwidth = True
    show_full_result_count = False
    change_form_outer_before_template: ClassVar[str | None] = None
    change_form_outer_after_template = "admin/panels.html"
    list_before_template = "admin/list_before.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self.with_money(super().get_list_display(request))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [
            (title, {**options, "fields": self.with_money(options["fields"])})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def with_money(self, names: Iterable[Any]) -> list[Any]:
        """The same fields, amounts among them as money is written everywhere."""
        return [
            self.with_money(name) if isinstance(name, (list, tuple)) else money_column(self.model, name) or name
            for name in names
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LargeTableChangeList]:
        return LargeTableChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        rows = super().get_queryset(request).defer(*self.secret)
        return rows.select_related(*self.list_select_related) if self.list_select_related else rows  # type: ignore[misc]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.secret

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return ["pk"] if self.searches else []  # what is really searched stands in `searches`

    @property
    def search_help_text(self) -> str:  # type: ignore[override]
        names = ", ".join(search.name for search in self.searches)
        return names[:1].upper() + names[1:]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        for search in self.searches:
            if re.fullmatch(search.pattern, text, re.IGNORECASE):
                found = queryset.filter(search.find(text))
                return found.order_by(*search.ordering) if search.ordering else found, False
        messages.info(request, f"Nothing here is found by “{text}”. Search for: {self.search_help_text}.")
        return queryset.none(), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what an index answers: the filters shown, and the links between pages."""
        allowed = set(self.linked)
        for shown in self.list_filter:
            if isinstance(shown, str):
                allowed.add(f"{shown}__exact")
            elif isinstance(shown, type) and issubclass(shown, SimpleListFilter) and shown.parameter_name:
                allowed.add(shown.parameter_name)
        return lookup in allowed and "\x00" not in value

    @property
    def kept_parameters(self) -> frozenset[str]:
        """What an officer may keep of how this list is narrowed: no search, and no filter that takes a name."""
        kept = {f"{shown}__exact" for shown in self.list_filter if isinstance(shown, str)}
        for shown in self.list_filter:
            if isinstance(shown, type) and issubclass(shown, SimpleListFilter) and shown.parameter_name:
                kept |= set() if getattr(shown, "names_people", False) else {shown.parameter_name}
        return frozenset(kept)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        obj = context.get("original")
        if obj is not None:
            context["panels"] = self.panels_of(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)

    def panels_of(self, request: HttpRequest, obj: Any) -> list[dict[str, object]]:
        return [panel.of(obj) for panel in self.panels if request.user.has_perm(panel.permission)]


# Who may -----------------------------------------------------------------------------------------------------------------
def require(request: HttpRequest, *permissions: str) -> None:
    """Refuse whoever lacks one of these; the request remembers what was asked, for who explains and who writes it down.

    :raises PermissionDenied: one is missing
    """
    request.asked_permissions = permissions  # type: ignore[attr-defined]
    if not request.user.has_perms(permissions):
        raise PermissionDenied


def asked_permissions(request: HttpRequest) -> tuple[str, ...]:
    """What a page asks of its reader: what `require` was told, or what Django's name of a model's page says."""
    asked: tuple[str, ...] | None = getattr(request, "asked_permissions", None)
    if asked is not None or request.resolver_match is None:
        return asked or ()
    label, _, page = (request.resolver_match.url_name or "").rpartition("_")
    app, _, model = label.partition("_")
    verb = {"changelist": "view", "history": "view", "change": "view", "add": "add", "delete": "delete"}.get(page)
    if verb is None or request.resolver_match.namespace != "admin":
        return ()
    return (f"{app}.{'change' if page == 'change' and request.method == 'POST' else verb}_{model}",)


# What rows are made of ---------------------------------------------------------------------------------------------
own_pages: Final[dict[type[Model], Callable[[Any], str | None]]] = {}
"""Where a thing is looked at, if not at its form: apps above say so, of a model's rows or of some of them."""


def page_of(obj: Model) -> str:
    """The address at which `obj` is looked at; of a row that is only named, and was not read, its form."""
    own = None if obj._state.adding else own_pages.get(type(obj))  # noqa: SLF001 - Django has no other way to ask
    form = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change"
    return (own and own(obj)) or reverse(form, args=[obj.pk])


def link(obj: Model | None, text: object = None) -> str:
    """A link to the page of `obj`, or a dash."""
    if obj is None:
        return "-"
    return format_html('<a href="{}" class="text-link">{}</a>', page_of(obj), obj if text is None else shown(text))


def shown(value: object) -> object:
    """What is absent as a dash, a time in Johannesburg."""
    if isinstance(value, dt.datetime):
        return date_format(localtime(value), "DATETIME_FORMAT")
    return "-" if value is None else value


def list_of(model: type[Model], **lookups: int) -> str:
    """The address of a list, narrowed by what its page has in `linked`."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(lookups)}"


def badge(description: str, **colours: str) -> Callable[[Shown], Shown]:
    """Show what a method returns as a coloured label: each word with `success`, `warning`, `danger` or `info`."""

    def mark(method: Shown) -> Shown:
        method.short_description = description  # type: ignore[attr-defined]
        method.label = colours  # type: ignore[attr-defined]
        return method

    return mark


def plain_money(amount: object, currency: str) -> str:
    """`5,345.00 ZAR`, and what is below zero with a minus sign that is as wide as a digit."""
    return f"{amount:,.2f} {currency}".replace("-", "\u2212")


def money(amount: object, currency: str) -> str:
    return format_html('<span class="whitespace-nowrap">{}</span>', plain_money(amount, currency))


@cache
def money_column(model: type[Model], name: str) -> Callable[[Any], str | None] | None:
    """How a row of `model` shows its amount of that name; None if this is no amount of money."""
    fields = {field.name: field for field in model._meta.concrete_fields}
    field, currency = fields.get(name), next((one for one in CURRENCIES if one in fields), "")
    if not isinstance(field, DecimalField) or field.decimal_places != CENTS or not currency:
        return None

    @admin.display(description=str(field.verbose_name).capitalize())
    def amount(row: Any) -> str | None:
        value = getattr(row, name)
        return None if value is None else money(value, getattr(row, currency))

    return amount


def masked(number: str | None, *, shown_digits: int = 4) -> str:
    """The end of a number that is worth money to whoever knows it."""
    return "•" * max(len(number) - shown_digits, 0) + number[-shown_digits:] if number else "-"
