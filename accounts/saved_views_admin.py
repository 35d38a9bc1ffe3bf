"""Saving, renaming and deleting views of lists. The tabs themselves are drawn by templatetags/saved_views.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from accounts import saved_views
from accounts.kyc_desk_admin import CHOICES, MAY_LOOK
from accounts.models import SavedView
from accounts.saved_views import Knows
from mymoolah.common.admin import LargeTableAdmin
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError

KYC_QUEUE = "kyc_queue"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A list whose views can be kept."""

    name: str
    address: str
    permission: str
    knows: Knows


def page_named(name: str) -> Page | None:
    """The page of this name, if views of it can be kept."""
    if name == KYC_QUEUE:
        return Page(name=name, address=reverse(KYC_QUEUE), permission=MAY_LOOK, knows=_is_choice)
    try:
        model = apps.get_model(name)
    except (LookupError, ValueError):
        return None
    shown = admin.site._registry.get(model)  # noqa: SLF001 - the site's own list, which has no public way in
    if not isinstance(shown, LargeTableAdmin) or not shown.kept_parameters:
        return None
    label, kept = model._meta.label_lower, shown.kept_parameters
    return Page(
        name=label,
        address=reverse(f"admin:{label.replace('.', '_')}_changelist"),
        permission=label.replace(".", ".view_"),
        knows=lambda parameter, value: parameter in kept and value.isprintable() and "@" not in value,
    )


def _is_choice(parameter: str, value: str) -> bool:
    return value in CHOICES.get(parameter, ("", {}))[1]


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    page = _page(request, request.POST.get("page", ""))
    query = saved_views.kept_query(QueryDict(request.POST.get("query", "")[:2_000]), knows=page.knows)
    role = request.POST.get("shared_with", "")

    def keep() -> str:
        view = saved_views.save_view(
            user_id=_me(request),
            page=page.name,
            name=request.POST.get("name", ""),
            query=query,
            shared_with_id=int(role) if role.isascii() and role.isdecimal() and len(role) < 10 else None,
            now=now(),
        )
        return f"Kept as “{view.name}”."

    return _done(request, keep, page, query)


@require_POST
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    view = _own(request, pk)

    def change() -> str:
        changed = saved_views.rename_view(user_id=_me(request), view_id=pk, name=request.POST.get("name", ""))
        return f"Now called “{changed.name}”."

    return _done(request, change, _page(request, view.page), view.query)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    view = _own(request, pk)

    def forget() -> str:
        return f"“{saved_views.delete_view(user_id=_me(request), view_id=pk).name}” is deleted."

    return _done(request, forget, _page(request, view.page), view.query)


def _done(request: HttpRequest, deed: Callable[[], str], page: Page, query: str) -> HttpResponse:
    """Do it, and show the list again: at an address of ours, never one that was sent."""
    try:
        messages.success(request, deed())
    except DomainError as refusal:
        messages.error(request, f"{refusal.title}.")
    return HttpResponseRedirect(f"{page.address}?{query}".removesuffix("?"))


def _page(request: HttpRequest, name: str) -> Page:
    page = page_named(name)
    if page is None:
        raise Http404
    if not request.user.has_perm(page.permission):
        raise PermissionDenied
    return page


def _own(request: HttpRequest, pk: int) -> SavedView:
    view = SavedView.objects.filter(pk=pk, owner=_me(request)).first()
    if view is None:
        raise Http404
    return view


def _me(request: HttpRequest) -> int:
    assert request.user.pk is not None  # `admin_view` lets nobody else in
    return request.user.pk


urlpatterns: list[URLPattern] = [
    path("", admin.site.admin_view(save), name="saved_view_save"),
    path("<int:pk>/rename", admin.site.admin_view(rename), name="saved_view_rename"),
    path("<int:pk>/delete", admin.site.admin_view(delete), name="saved_view_delete"),
]
