"""The support desk's articles: what waits for approval, what the assistant quotes, and writing. Rules stand in articles.py."""

from __future__ import annotations

from typing import Final

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.staff_session import staff_origin
from mymoolah.common.admin import require
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.sql.queries import rows
from reporting.support import articles
from reporting.support.intents import Intent
from reporting.support.models import LANGUAGES, SupportArticle
from reporting.support.staff_words import about

MAY_READ_ARTICLES: Final = "reporting.view_supportarticle"
MOST_ARTICLES: Final = 1_000
MOST_FOUND: Final = 50
LONGEST_SEARCH: Final = 200
Status = SupportArticle.Status


@never_cache
@require_GET
def article_list(request: HttpRequest) -> HttpResponse:
    """Drafts that somebody has to approve, then what is quoted, what has not helped first; or what was searched for."""
    require(request, MAY_READ_ARTICLES)
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    listed = SupportArticle.objects.select_related("author", "approved_by")
    listed = listed.defer("author__password", "approved_by__password")
    context = {
        **admin.site.each_context(request),
        "title": "Support articles",
        "text": text,
        "most": MOST_FOUND,
        **({"found": _found(listed, text)} if text else _everything(listed)),
        "may_write": request.user.has_perm(articles.MAY_WRITE),
        "may_approve": request.user.has_perm(articles.MAY_APPROVE),
    }
    return TemplateResponse(request, "admin/support/articles.html", context)


def _everything(listed: QuerySet[SupportArticle]) -> dict[str, list[SupportArticle]]:
    """A draft that was overtaken can be approved no more: it stands among all articles only."""
    later = SupportArticle.objects.filter(
        slug=OuterRef("slug"), language=OuterRef("language"), status=Status.APPROVED, version__gt=OuterRef("version")
    )
    drafts = listed.filter(~Exists(later), status=Status.DRAFT)
    quoted = listed.filter(status=Status.APPROVED)
    return {
        "drafts": list(drafts.order_by("created_at", "pk")[:MOST_ARTICLES]),
        "quoted": list(quoted.order_by("-unhelpful_count", "slug", "language")[:MOST_ARTICLES]),
    }


def _found(listed: QuerySet[SupportArticle], text: str) -> list[SupportArticle]:
    """The best first, as PostgreSQL ranks them."""
    ids = [row["id"] for row in rows("reporting", "support_articles_found.sql", question=text, most=MOST_FOUND)]
    found = listed.in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


class ArticleForm(forms.Form):
    slug = forms.SlugField(
        max_length=60, help_text="Of an article that there is: its next version", widget=UnfoldAdminTextInputWidget
    )
    language = forms.ChoiceField(choices=[(one, one) for one in LANGUAGES], widget=UnfoldAdminSelectWidget)
    intent = forms.ChoiceField(
        choices=[("", "nothing in particular"), *((one.value, about(one.value)) for one in Intent)],
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
def approve_article(request: HttpRequest, pk: int) -> HttpResponse:
    require(request, articles.MAY_APPROVE)
    try:
        approved = articles.approve_article(article_id=pk, now=now(), origin=staff_origin(request))
        messages.success(request, f"{approved} is quoted from now on.")
    except NotFound as error:
        raise Http404 from error
    except DomainError as refusal:
        messages.error(request, f"{refusal.detail or refusal.title}.")
    return HttpResponseRedirect(reverse("support_articles"))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def retire_article(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what will happen, and do it once that was read."""
    require(request, articles.MAY_APPROVE)
    article = get_object_or_404(SupportArticle, pk=pk)
    if request.method == "POST":
        try:
            retired = articles.retire_article(article_id=pk, origin=staff_origin(request))
            messages.success(request, f"{retired} is retired.")
        except DomainError as refusal:
            messages.error(request, f"{refusal.detail or refusal.title}.")
        return redirect("support_articles")
    context = {
        **admin.site.each_context(request),
        "title": f"Retire {article}",
        "article": article,
        "about": about(article.intent) if article.intent else "",
        "back": reverse("support_articles"),
    }
    return TemplateResponse(request, "admin/support/retire.html", context)


urlpatterns: list[URLPattern] = [
    path("", admin.site.admin_view(article_list), name="support_articles"),
    path("write", admin.site.admin_view(write_article), name="support_article_write"),
    path("<int:pk>/approve", admin.site.admin_view(approve_article), name="support_article_approve"),
    path("<int:pk>/retire", admin.site.admin_view(retire_article), name="support_article_retire"),
]
