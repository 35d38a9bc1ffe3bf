"""The support desk: tickets that wait, one page for each, and the articles. Rules stand in tickets.py and articles.py."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.audit import Origin
from accounts.staff_deeds import StalePage
from accounts.staff_session import staff_origin
from mymoolah.common.admin import require
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError, NotFound
from reporting.support import articles, tickets
from reporting.support.intents import Intent
from reporting.support.models import LANGUAGES, SupportArticle, SupportTicket
from reporting.support.references import printable
from reporting.support.wording import label

MAY_LOOK: Final = "reporting.view_supportticket"
MAY_READ_ARTICLES: Final = "reporting.view_supportarticle"
ROWS_PER_PAGE: Final = 50
MOST_ARTICLES: Final = 1_000
MOST_SEEN: Final = 1_000_000
AFTER: Final = "after"
Key = tuple[int, dt.datetime, int]


# The queue ------------------------------------------------------------------------------------------------------------
@never_cache
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for us: the most urgent first, and of that what has waited longest. One query, along its index."""
    require(request, MAY_LOOK)
    waiting = SupportTicket.objects.filter(status=SupportTicket.Status.OPEN).select_related("user", "assigned_to")
    waiting = waiting.defer("transcript_encrypted", "user__password", "assigned_to__password")
    after = _key(request.GET)
    found = list(_beyond(waiting, after).order_by("priority", "waits_since", "pk")[: ROWS_PER_PAGE + 1])
    shown = found[:ROWS_PER_PAGE]
    moment = now()
    context = {
        **admin.site.each_context(request),
        "title": "Support desk",
        "tickets": [
            {"ticket": one, "about": label(Intent(one.intent), language="en"), "age": _age(moment - one.waits_since)}
            for one in shown
        ],
        "more": f"?{urlencode({AFTER: _written(shown[-1])})}" if len(found) > ROWS_PER_PAGE else None,
        "first": reverse("support_queue") if after else None,
    }
    return TemplateResponse(request, "admin/support/queue.html", context)


def _beyond(waiting: Any, after: Key | None) -> Any:
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
        "title": f"Ticket of {found.user.name}",
        "ticket": found,
        "customer": found.user,
        "about": label(Intent(found.intent), language="en"),
        "transcript": transcript,
        "replies": [{**reply, "at": dt.datetime.fromisoformat(reply["created_at"])} for reply in replies],
        "may_work": is_open and request.user.has_perm(tickets.MAY_WORK) and found.user_id != request.user.pk,
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
    tickets.reply_as_staff(ticket=ticket, **asked.cleaned_data, now=moment, origin=origin)
    return "The customer can read your answer now."


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


# Articles -------------------------------------------------------------------------------------------------------------
@never_cache
@require_GET
def article_list(request: HttpRequest) -> HttpResponse:
    """What has not helped most often first: there is something to write better."""
    require(request, MAY_READ_ARTICLES)
    found = SupportArticle.objects.exclude(status=SupportArticle.Status.RETIRED).select_related("author", "approved_by")
    context = {
        **admin.site.each_context(request),
        "title": "Support articles",
        "articles": found.order_by("-unhelpful_count", "slug", "language", "-version")[:MOST_ARTICLES],
        "may_write": request.user.has_perm(articles.MAY_WRITE),
        "may_approve": request.user.has_perm(articles.MAY_APPROVE),
    }
    return TemplateResponse(request, "admin/support/articles.html", context)


class ArticleForm(forms.Form):
    slug = forms.SlugField(
        max_length=60, help_text="Of an article that there is: its next version", widget=UnfoldAdminTextInputWidget
    )
    language = forms.ChoiceField(choices=[(one, one) for one in LANGUAGES], widget=UnfoldAdminSelectWidget)
    intent = forms.ChoiceField(
        choices=[("", "nothing in particular"), *((one.value, label(one, language="en")) for one in Intent)],
        required=False,
        label="Answers best",
        widget=UnfoldAdminSelectWidget,
    )
    title = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget)
    body = forms.CharField(
        max_length=4_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10}),
        help_text="No amount that may change: answers tell those from their tables. No promise.",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def write_article(request: HttpRequest) -> HttpResponse:
    require(request, articles.MAY_WRITE)
    form = ArticleForm(request.POST) if request.method == "POST" else ArticleForm(initial=_latest(request.GET))
    if request.method == "POST" and form.is_valid():
        written = articles.write_article(**form.cleaned_data, now=now(), origin=staff_origin(request))
        messages.success(request, f"Kept as a draft: {written}. Somebody else has to approve it.")
        return redirect("support_articles")
    context = {**admin.site.each_context(request), "title": "Write an article", "form": form}
    return TemplateResponse(request, "admin/support/write.html", context)


def _latest(given: QueryDict) -> dict[str, str]:
    """What the next version of an article begins with."""
    named = {name: given.get(name, "").replace("\0", "") for name in ("slug", "language")}
    found = SupportArticle.objects.filter(**named).order_by("-version").first()
    return {name: getattr(found, name) for name in ArticleForm.base_fields} if found else {}


@require_POST
def article_deed(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    require(request, articles.MAY_APPROVE)
    try:
        if name == "approve":
            done = articles.approve_article(article_id=pk, now=now(), origin=staff_origin(request))
            messages.success(request, f"{done} is quoted from now on.")
        elif name == "retire":
            messages.success(
                request, f"{articles.retire_article(article_id=pk, origin=staff_origin(request))} is retired."
            )
        else:
            raise Http404
    except NotFound as error:
        raise Http404 from error
    except DomainError as refusal:
        messages.error(request, f"{refusal.detail or refusal.title}.")
    return HttpResponseRedirect(reverse("support_articles"))


urlpatterns: list[URLPattern] = [
    path("", admin.site.admin_view(queue), name="support_queue"),
    path("tickets/<uuid:public_id>", admin.site.admin_view(ticket_page), name="support_ticket"),
    path("tickets/<uuid:public_id>/<slug:name>", admin.site.admin_view(deed), name="support_deed"),
    path("articles/", admin.site.admin_view(article_list), name="support_articles"),
    path("articles/write", admin.site.admin_view(write_article), name="support_article_write"),
    path("articles/<int:pk>/<slug:name>", admin.site.admin_view(article_deed), name="support_article_deed"),
]
