"""What staff see when a page is refused, is not there or fails, in the back-office's own dress.

The customers' API answers problems (mymoolah/common/problems.py), everybody else a plain page. A page says nothing of
whether what it is about exists. That of a failure asks neither the database nor a session: they may be what failed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import BadRequest
from django.db import Error
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts import staff_session, staff_trail
from accounts.models import User
from mymoolah.common import problems
from mymoolah.common.admin import asked_permissions
from mymoolah.common.clock import now

logger = logging.getLogger(__name__)

WHO_GIVES_ROLES: Final = "administrator"
MOST_NAMES: Final = 3
TITLES: Final = {
    400: "This request makes no sense",
    403: "This page is not open to you",
    404: "There is no such page",
    500: "Something went wrong on our side",
    503: "The bank does not answer just now",
}
WORDS: Final = {
    400: "The address or the form is not one that this back-office makes. Nothing was changed.",
    404: "It was never there, or you may have followed an old link. Look for it by a number, an e-mail or a phone.",
    500: "Nothing was changed. Try it again in a minute; if it stays so, tell whoever runs this bank the number below.",
    503: "Load the page again in a moment. If you had sent something, look whether it was done before you send it again.",
}
TOO_OLD: Final = (
    "This form was open for too long, or you have signed in anew since. Nothing was changed: go back, load the page "
    "again, and send it once more."
)


# What Django calls ----------------------------------------------------------------------------------------------------
def handle_400(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _is_api(request):
        return problems.handle_400(request, exception)
    # Only what we wrote for people: what Django found out is for whoever attacks it.
    said = str(exception) if type(exception) is BadRequest else ""
    return _page(request, 400, words=said or WORDS[400])


def handle_403(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _is_api(request):
        return problems.handle_403(request, exception)
    if not _is_at_work(request):
        return _page(request, 403, words="")
    try:
        staff_trail.record_refusal(request, now=now())
    except Error:
        logger.exception("A refusal could not be written down", extra={"request": request})
    return _page(request, 403, words="", **_who_may(asked_permissions(request)))


def handle_404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _is_api(request):
        return problems.handle_404(request, exception)
    return _page(request, 404, words=WORDS[404] if _is_at_work(request) else "")


def handle_500(request: HttpRequest) -> HttpResponseBase:
    if _is_api(request):
        return problems.handle_500(request)
    problem = problems.failure()
    page = _plain(request, problem.status, words=WORDS[problem.status])
    if problem.retry_after_seconds is not None:
        page["Retry-After"] = str(problem.retry_after_seconds)
    return page


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:  # noqa: ARG001 - it is logged already
    if _is_api(request):
        return problems.Problem(status=403, code="permission_denied").answer(request)
    return _page(request, 403, title="This form is no longer good", words=TOO_OLD)


# Pages ----------------------------------------------------------------------------------------------------------------
def _page(request: HttpRequest, status: int, *, words: str, **more: Any) -> HttpResponse:
    if not _is_at_work(request):
        return _plain(request, status, words=words)
    context = {
        **admin.site.each_context(request),
        "title": TITLES[status],
        "words": words,
        "back": staff_session.page_before(request),
        "request_id": getattr(request, "request_id", ""),
        **more,
    }
    return render(request, "staff/refused.html", context, status=status)


def _plain(request: HttpRequest, status: int, *, words: str) -> HttpResponse:
    context = {"title": TITLES[status], "words": words, "request_id": getattr(request, "request_id", "")}
    return HttpResponse(render_to_string("refused.html", context), status=status)


def _who_may(permissions: Sequence[str]) -> dict[str, Any]:
    """What is missing in words, which roles have it, and who gives roles."""
    wanted = Q(pk__in=())
    for code in permissions:
        app, _, codename = code.partition(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    missing = list(Permission.objects.filter(wanted).order_by("pk"))
    roles = Group.objects.all()
    for permission in missing:
        roles = roles.filter(permissions=permission)
    administrators = User.objects.filter(groups__name=WHO_GIVES_ROLES, is_staff=True, status=User.Status.ACTIVE)
    return {
        "missing": [one.name.removeprefix("Can ") for one in missing],
        "roles": list(roles.order_by("name").values_list("name", flat=True)) if missing else [],
        "administrators": [one.name for one in administrators.order_by("pk")[:MOST_NAMES]],
    }


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(problems.API_PREFIX)


def _is_at_work(request: HttpRequest) -> bool:
    """Whether somebody of the staff looks at a page of the back-office; a database that is away knows nobody."""
    if not request.path_info.startswith(staff_trail.BACK_OFFICE):
        return False
    try:
        return admin.site.has_permission(request)
    except (AttributeError, Error):  # refused before anybody asked who it is; or nobody can say
        return False
