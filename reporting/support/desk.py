"""The support desk: tickets that wait, those that were answered, and one page for each. Rules stand in tickets.py."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.audit import Origin
from accounts.staff_deeds import StalePage
from accounts.staff_session import staff_origin
from mymoolah.common.admin import require
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.sql.queries import rows
from reporting.start_page import COUNTED_MAX, up_to
from reporting.support import article_desk, tickets
from reporting.support.models import SupportTicket
from reporting.support.references import printable
from reporting.support.staff_words import about

MAY_LOOK: Final = "reporting.view_supportticket"
ROWS_PER_PAGE: Final = 50
MOST_ANSWERED: Final = 50
MOST_SEEN: Final = 1_000_000
AFTER: Final = "after"
Key = tuple[int, dt.datetime, int]


# The queue ------------------------------------------------------------------------------------------------------------
@never_cache
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for us, and what one has answered. Three queries, each along an index of its own."""
    require(request, MAY_LOOK)
    after = _key(request.GET)
    waiting = _listed().filter(status=SupportTicket.Status.OPEN)
    found = list(_beyond(waiting, after).order_by("priority", "waits_since", "pk")[: ROWS_PER_PAGE + 1])
    shown = found[:ROWS_PER_PAGE]
    answered = _listed().filter(assigned_to=request.user.pk, status=SupportTicket.Status.WAITING)
    moment = now()
    context = {
        **admin.site.each_context(request),
        "title": "Support desk",
        "waiting": _waiting(),
        "tickets": [_row(ticket, moment) for ticket in shown],
        "answered": [_row(ticket, moment) for ticket in answered.order_by("-waits_since", "-pk")[:MOST_ANSWERED]],
        "more": f"?{urlencode({AFTER: _written(shown[-1])})}" if len(found) > ROWS_PER_PAGE else None,
        "first": reverse("support_queue") if after else None,
    }
    return TemplateResponse(request, "admin/support/queue.html", context)


def _listed() -> QuerySet[SupportTicket]:
    """Tickets without what was said: nobody reads that in passing."""
    tickets = SupportTicket.objects.select_related("user", "assigned_to")
    return tickets.defer("transcript_encrypted", "user__password", "assigned_to__password")


def _row(ticket: SupportTicket, moment: dt.datetime) -> dict[str, Any]:
    return {"ticket": ticket, "about": about(ticket.intent), "age": _age(moment - ticket.waits_since)}


def _waiting() -> str:
    """How many wait for us: `1 urgent, 4 high, 1,000 or more normal`; nothing where none does."""
    counts = {row["priority"]: row["tickets"] for row in rows("reporting", "support_waiting.sql", most=COUNTED_MAX)}
    named = [(priority.label.lower(), counts[priority]) for priority in SupportTicket.Priority]
    return ", ".join(f"{up_to(count)} {name}" for name, count in named if count)


def _beyond(waiting: QuerySet[SupportTicket], after: Key | None) -> QuerySet[SupportTicket]:
    """The rows after a key: (a, b, c) > (x, y, z), said so that the index is used."""
    if after is None:
        return waiting
    priority, at, pk = after
    later = Q(waits_since__gt=at) | Q(waits_since=at, pk__gt=pk)
    return waiting.filter(Q(priority__gte=priority) & (Q(priority__gt=priority) | later))


def _key(given: QueryDict) -> Key | None:
    """The row that a page begins beyond; of anything else, the beginning."""
    try:
        priority, at, pk = json.loads(given.get(AFTER, ""))
        key = int(priority), dt.datetime.fromisoformat(at), int(pk)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    fits = 0 <= key[0] < 2**15 and 0 <= key[2] < 2**63 and key[1].tzinfo is not None
    return key if fits else None


def _written(ticket: SupportTicket) -> str:
    return json.dumps([ticket.priority, ticket.waits_since.isoformat(), ticket.pk])


def _age(age: dt.timedelta) -> str:
    minutes = max(int(age.total_seconds()) // 60, 0)
    for unit, length in (("d", 1_440), ("h", 60)):
        if minutes >= length:
            return f"{minutes // length} {unit}"
    return f"{minutes} min"


# One ticket -----------------------------------------------------------------------------------------------------------
@never_cache
@require_GET
def ticket_page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What was said before it, what was written on it since, and an answer's form."""
    require(request, MAY_LOOK)
    try:
        found, transcript, replies = tickets.read_as_staff(ticket=public_id, origin=staff_origin(request))
    except NotFound as error:
        raise Http404 from error
    is_open = found.status != SupportTicket.Status.CLOSED
    context = {
        **admin.site.each_context(request),
        "title": f"{found.user.name}: {about(found.intent)}",
        "ticket": found,
        "customer": found.user,
        "transcript": transcript,
        "replies": [{**reply, "at": dt.datetime.fromisoformat(reply["created_at"])} for reply in replies],
        "may_work": is_open and request.user.has_perm(tickets.MAY_WORK) and found.user_id != request.user.pk,
        "is_mine": found.assigned_to_id == request.user.pk,
        "is_answered": bool(replies) and replies[-1]["by"] == "staff",
        "form": ReplyForm(initial={"once": secrets.token_urlsafe(16), "seen": len(replies)}),
        "closing": SeenForm(initial={"seen": len(replies)}, auto_id=False),
    }
    return TemplateResponse(request, "admin/support/ticket.html", context)


class SeenForm(forms.Form):
    """What the page showed when it was decided."""

    seen = forms.IntegerField(min_value=0, max_value=MOST_SEEN, widget=forms.HiddenInput)


class ReplyForm(SeenForm):
    """`once` is the page's own, so that a form that is sent twice is written once."""

    once = forms.CharField(max_length=64, widget=forms.HiddenInput)
    text = forms.CharField(
        max_length=tickets.LONGEST_REPLY,
        label="Answer",
        help_text="The customer reads this. Never ask for a password or a code, and promise nothing.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
    )

    def clean_text(self) -> str:
        text = printable(self.cleaned_data["text"]).strip()
        if not text:
            raise forms.ValidationError("Write something.")
        return text


def _reply(form: QueryDict, ticket: uuid.UUID, moment: dt.datetime, origin: Origin) -> str:
    asked = ReplyForm(form)
    if not asked.is_valid():
        raise NothingWritten
    answered = tickets.reply_as_staff(ticket=ticket, **asked.cleaned_data, now=moment, origin=origin)
    told = "The customer can read your answer now"
    if answered.status == SupportTicket.Status.OPEN:
        return f"{told}, and wrote something meanwhile: the ticket waits for us still."
    return f"{told}."


def _take(_: QueryDict, ticket: uuid.UUID, __: dt.datetime, origin: Origin) -> str:
    tickets.take_ticket(ticket=ticket, origin=origin)
    return "The ticket is yours."


def _close(form: QueryDict, ticket: uuid.UUID, moment: dt.datetime, origin: Origin) -> str:
    asked = SeenForm(form)
    if not asked.is_valid():
        raise StalePage
    tickets.close_ticket(ticket=ticket, **asked.cleaned_data, now=moment, origin=origin)
    return "The ticket is closed."


class NothingWritten(DomainError):
    code, status, title = "nothing_written", 400, f"Write something, of at most {tickets.LONGEST_REPLY:,} characters"


DEEDS: Final[Mapping[str, Callable[[QueryDict, uuid.UUID, dt.datetime, Origin], str]]] = {
    "reply": _reply,
    "take": _take,
    "close": _close,
}


@require_POST
def deed(request: HttpRequest, public_id: uuid.UUID, name: str) -> HttpResponse:
    """Do one thing to a ticket and show it again; a refusal is shown there, and nothing was done."""
    require(request, tickets.MAY_WORK)
    if name not in DEEDS:
        raise Http404
    try:
        messages.success(request, DEEDS[name](request.POST, public_id, now(), staff_origin(request)))
    except NotFound as error:
        raise Http404 from error
    except DomainError as refusal:
        messages.error(request, f"{refusal.detail or refusal.title}.")
    return redirect("support_queue" if name == "close" else "support_ticket", *([] if name == "close" else [public_id]))


urlpatterns: list[URLPattern | URLResolver] = [
    path("", admin.site.admin_view(queue), name="support_queue"),
    path("tickets/<uuid:public_id>", admin.site.admin_view(ticket_page), name="support_ticket"),
    path("tickets/<uuid:public_id>/<slug:name>", admin.site.admin_view(deed), name="support_deed"),
    path("articles/", include(article_desk.urlpatterns)),
]
