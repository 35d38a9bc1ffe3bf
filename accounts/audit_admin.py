"""The audit trail: who did what to whom, what that changed, and a copy for those who may take one away."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.dateparse import parse_date
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from unfold.contrib.filters.admin import DropdownFilter, TextFilter

from accounts import audit
from accounts.admin import by_owner
from accounts.audit_words import SUBJECTS, VERBS, subject_in_words, verb_in_words, verb_of
from accounts.models import AuditEvent, KycSubmission, LoginSession, User
from accounts.row_history import MOST_CHANGES, Change, changes_in
from accounts.staff_session import staff_origin
from mymoolah.common.admin import EMAIL, NOBODY, UUID, LargeTableAdmin, Search, link, require, shown
from mymoolah.common.clock import JOHANNESBURG
from mymoolah.common.csv_files import harmless

ROWS_AT_ONCE = 1_000
VERB_WORDS = "|".join(re.escape(verb_in_words(verb)) for verb in sorted(VERBS))
HEADER = ("at", "verb", "actor", "subject_type", "subject_id", "facts", "address", "request_id")


class Narrowing(TextFilter):  # type: ignore[misc]
    """Something to type beside the list, which one index answers; whitespace around it means nothing."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        text = (self.value() or "").strip()
        return queryset.filter(self.find(text)) if text else queryset

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        data = {self.parameter_name: self.value()}
        yield {"form": self.form_class(name=self.parameter_name, label=self.title, data=data)}

    def find(self, text: str) -> Q:
        raise NotImplementedError


class ActorFilter(Narrowing):
    """Who did it: a whole e-mail address or phone number."""

    names_people = True
    title = "Who did it (e-mail or phone)"
    parameter_name = "actor"

    def find(self, text: str) -> Q:
        email, phone = by_owner("actor")
        return (email if "@" in text else phone).find(text)


class SubjectFilter(Narrowing):
    """What it was done to: the id that an event shows, or a customer's e-mail or phone."""

    names_people = True
    title = "Subject (id, number, e-mail or phone)"
    parameter_name = "subject"

    def find(self, text: str) -> Q:
        people = User.objects.with_email(text) if "@" in text else User.objects.filter(phone=text)
        if "@" in text or text.startswith("+"):
            found = people.values_list("public_id", flat=True).first()
            return Q(subject_type="user", subject_id=str(found)) if found else NOBODY
        return about(text)


class VerbFilter(DropdownFilter):  # type: ignore[misc]
    """What happened, in words; the address holds the verb."""

    title = "what happened"
    parameter_name = "verb"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(((verb, verb_in_words(verb)) for verb in VERBS), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        verb = str(self.value() or "").strip().lower()
        return queryset.filter(verb=verb) if verb else queryset


class RequestFilter(Narrowing):
    title = "Request id"
    parameter_name = "request"

    def find(self, text: str) -> Q:
        return Q(request_id=text) & ~Q(request_id="")


class FromFilter(Narrowing):
    """A day of Johannesburg, from its first moment."""

    title = "First day (2026-03-31)"
    parameter_name = "from"

    def find(self, text: str) -> Q:
        day = day_of(text)
        return NOBODY if day is None else Q(at__gte=day)


class UntilFilter(Narrowing):
    """A day of Johannesburg, to its last moment."""

    title = "Last day (2026-03-31)"
    parameter_name = "until"

    def find(self, text: str) -> Q:
        day = day_of(text)
        if day is not None and day.date() == dt.date.max:
            return Q()  # no day follows it
        return NOBODY if day is None else Q(at__lt=day + dt.timedelta(days=1))


def about(subject_id: str) -> Q:
    """Whatever kinds of things have this id: one, as a rule, so that its events come along the index of subjects."""
    probes = [
        AuditEvent.objects.filter(subject_type=kind, subject_id=subject_id).order_by().values_list("subject_type")[:1]
        for kind in sorted(SUBJECTS)
    ]
    kinds = [kind for (kind,) in probes[0].union(*probes[1:], all=True)]
    if len(kinds) == 1:
        return Q(subject_type=kinds[0], subject_id=subject_id)
    return Q(subject_type__in=kinds, subject_id=subject_id)


def by_or_to(email: str) -> Q:
    """What a colleague did, or what happened to a customer's account: one index each, and no order that both share."""
    person = User.objects.with_email(email).first()
    if person is None:
        return NOBODY
    return Q(actor=person.pk) if person.is_staff else Q(subject_type="user", subject_id=str(person.public_id))


def day_of(text: str) -> dt.datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return dt.datetime.combine(day, dt.time(), tzinfo=JOHANNESBURG) if day else None


@admin.register(AuditEvent)
class AuditEventAdmin(LargeTableAdmin):
    """Apps above say what else events are about, in `subjects`."""

    list_display = ("at", "what", "actor", "whom", "address", "request_id")
    list_display_links = ("at", "what")
    list_select_related = ("actor",)
    list_filter = (ActorFilter, SubjectFilter, VerbFilter, RequestFilter, FromFilter, UntilFilter)
    list_filter_submit = True
    ordering = ("-at", "-pk")
    list_before_template = "admin/audit_list_before.html"
    searches: ClassVar[list[Search]] = [
        Search("what happened", VERB_WORDS, lambda text: Q(verb=verb_of(text)), ("-at", "-pk")),
        Search("whole e-mail of the colleague who did it, or of the customer it was done to", EMAIL, by_or_to),
        Search(
            "public id of the subject",
            UUID,
            about,
        ),
        Search("wallet number", r"[1-9][0-9]{9}", lambda text: Q(subject_type="wallet", subject_id=text)),
        Search("verb", r"[a-z_]+\.[a-z_]+", lambda text: Q(verb=text.lower()), ("-at", "-pk")),
        Search("request id", r"[0-9a-f]{32}", lambda text: Q(request_id=text) & ~Q(request_id="")),
    ]
    subjects: ClassVar[dict[str, Callable[[str], Model | None]]] = {
        "user": lambda number: User.objects.filter(public_id=number).first(),
        "session": lambda number: LoginSession.objects.filter(public_id=number).first(),
        "kyc_submission": lambda number: KycSubmission.objects.filter(public_id=number).first(),
    }
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("at", "what"),
                    ("by", "subject"),
                    ("from_where", "its_request"),
                    "said",
                )
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _, options in self.fieldsets for row in options["fields"] for name in _fields_of(row)]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The event remembers who reads it: its links lead nowhere that he may not go."""
        event: Any = super().get_object(request, object_id, from_field)
        if event is not None:
            event.read_by = request.user
        return event

    @admin.display(description="At")
    def at(self, event: AuditEvent) -> object:
        return shown(event.at)

    @admin.display(description="What happened")
    def what(self, event: AuditEvent) -> str:
        return format_html(
            '{}<br><code class="text-xs">{}</code>', verb_in_words(event.verb), event.verb.replace(".", ".\u200b")
        )

    @admin.display(description="Who did it")
    def by(self, event: Any) -> object:
        if event.actor is None:
            return "The system itself, or somebody who had not signed in"
        return link_for(event.read_by, event.actor, event.actor.email)

    @admin.display(description="What it was done to")
    def whom(self, event: AuditEvent) -> str:
        return subject_in_words(event.subject_type, event.subject_id)

    @admin.display(description="What it was done to")
    def subject(self, event: Any) -> object:
        """A link where there is a page that the reader may open, and one to everything else that happened to it."""
        words = subject_in_words(event.subject_type, event.subject_id)
        find = self.subjects.get(event.subject_type)
        found = find(event.subject_id) if find and event.subject_id else None
        if not event.subject_id:
            return words
        return format_html(
            '{}<br><a class="text-link" href="{}">All that happened to it</a>',
            link_for(event.read_by, found, words) if found else words,
            narrowed_to(subject=event.subject_id),
        )

    @admin.display(description="Address")
    def from_where(self, event: AuditEvent) -> object:
        return unbroken(event.address)

    @admin.display(description="Request")
    def its_request(self, event: AuditEvent) -> object:
        if not event.request_id:
            return "-"
        return format_html(
            '{}<br><a class="text-link" href="{}">All of this request</a>',
            unbroken(event.request_id),
            narrowed_to(request=event.request_id),
        )

    @admin.display(description="Facts")
    def said(self, event: AuditEvent) -> object:
        """One line for each fact."""
        return (
            format_html_join(
                "",
                '<div style="overflow-wrap: anywhere"><strong>{}</strong>: {}</div>',
                ((name.replace("_", " "), fact_in_words(value)) for name, value in event.facts.items()),
            )
            or "-"
        )

    def panels_of(self, request: HttpRequest, obj: Any) -> list[dict[str, object]]:
        def may_see(code: str) -> bool:
            return bool(request.user.has_perm(code))

        return [panel_of(changes_in(transaction_id=obj.transaction_id, may_see=may_see), request.user)]

    def get_urls(self) -> list[URLPattern]:
        export = path("export/", self.admin_site.admin_view(self.export), name="accounts_auditevent_export")
        return [export, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may_export = request.user.has_perm("accounts.export_auditevent")
        context = {**(extra_context or {}), "may_export": may_export, "narrowed": request.GET.urlencode()}
        return super().changelist_view(request, context)

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list shows now, as CSV, all pages of it. Taking a copy is a deed, so it is a POST and an event."""
        require(request, "accounts.export_auditevent")
        if request.method != "POST":
            raise PermissionDenied
        events: Any = self.get_changelist_instance(request)
        named = {name: request.GET[name] for name in ("verb", "request", "from", "until") if request.GET.get(name)}
        narrowed_by = [name for name in ("actor", "subject", "q") if request.GET.get(name)]
        audit.record(
            "audit.exported",
            subject_type="audit_trail",
            subject_id="",
            origin=staff_origin(request),
            narrowed=named,
            narrowed_by=narrowed_by,  # what was typed there may be an address that has to be forgotten
        )
        return StreamingHttpResponse(
            lines(events.everything),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": 'attachment; filename="audit.csv"',
                "Cache-Control": "no-store",
            },
        )


def _fields_of(row: Any) -> tuple[str, ...]:
    return (row,) if isinstance(row, str) else tuple(row)


def link_for(reader: Any, found: Model, words: object) -> object:
    """A link to a page that the reader may open, and words where he may not."""
    meta = found._meta
    return link(found, words) if reader.has_perm(f"{meta.app_label}.view_{meta.model_name}") else words


def unbroken(text: str | None) -> object:
    """A long word, which stays in its cell."""
    return format_html('<span style="overflow-wrap: anywhere">{}</span>', text) if text else "-"


def narrowed_to(**values: str) -> str:
    return f"{reverse('admin:accounts_auditevent_changelist')}?{urlencode(values)}"


def fact_in_words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(fact_in_words, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {fact_in_words(one)}" for name, one in value.items()) or "none"
    return (
        {None: "-", True: "yes", False: "no"}.get(value, str(value))
        if value is None or isinstance(value, bool)
        else str(value)
    )


def row_of(reader: Any, change: Change) -> object:
    """The row that changed, with a link where it still stands, has a page, and the reader may open that."""
    words = f"{change.table.replace('_', ' ')} {change.row_id}"
    model = next((one for one in apps.get_models() if one._meta.db_table == change.table and not one._meta.proxy), None)
    if model is None or not admin.site.is_registered(model) or change.label == "delete":
        return words
    return link_for(reader, model(pk=change.row_id), words)


def panel_of(changes: list[Change], reader: Any) -> dict[str, object]:
    """What the transaction of an event changed, row by row, column by column."""
    rows: list[list[object]] = []
    for change in changes:
        differences = change.differences()
        where = row_of(reader, change)
        if not differences:
            rows.append([where, change.label, "", "not kept", "not kept", change.role])
        rows += [
            [where, change.label, column, shown(before), shown(after), change.role]
            for column, (before, after) in differences.items()
        ]
    more = f", the first {MOST_CHANGES} rows" if len(changes) == MOST_CHANGES else ""
    return {
        "title": f"Before and after: what its transaction changed{more}",
        "nothing": "Nothing that row history follows and you may see.",
        "table": {"headers": ["Row", "Change", "Column", "Before", "After", "Database role"], "rows": rows},
        "more": None,
    }


class Line:
    """A file that keeps nothing: what is written to it is what it answers."""

    def write(self, text: str) -> str:
        return text


def lines(events: QuerySet[Model]) -> Iterator[str]:
    """Page by page along the list's own order, so that no transaction and no memory lasts as long as the download."""
    writer = csv.writer(Line())
    yield writer.writerow(HEADER)
    ordered: Any = events.order_by("-at", "-pk").select_related(None)
    columns = ("pk", *("actor__public_id" if name == "actor" else name for name in HEADER))
    rest = ordered
    while page := list(rest.values_list(*columns)[:ROWS_AT_ONCE]):
        for _, at, verb, actor, subject_type, subject_id, facts, address, request_id in page:
            cells = (at.isoformat(), verb, actor, subject_type, subject_id, json.dumps(facts), address, request_id)
            yield writer.writerow([harmless("" if cell is None else str(cell)) for cell in cells])
        last_pk, last_at = page[-1][0], page[-1][1]
        rest = ordered.filter(Q(at__lte=last_at) & (Q(at__lt=last_at) | Q(pk__lt=last_pk)))
