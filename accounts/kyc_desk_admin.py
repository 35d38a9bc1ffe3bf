"""The KYC desk: the queue, and one page for each case. Every deed is a form; the rules stand in kyc_desk.py."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import kyc_checks, kyc_desk
from accounts.audit import Origin
from accounts.confirmation import ask_confirmation
from accounts.kyc import SubmissionNotFound
from accounts.kyc_admin import document, page
from accounts.kyc_desk import CLAIM_KEPT, FOUR_EYES_TIER, MAY_DECIDE
from accounts.kyc_desk_selectors import (
    COUNTED_MAX,
    ROWS_PER_PAGE,
    VIEWS,
    Case,
    Filter,
    Key,
    Waiting,
    get_case,
    next_to_take,
    waiting_cases,
    waiting_counts,
)
from accounts.kyc_documents import PDF
from accounts.kyc_tiers import HIGHEST_TIER
from accounts.models import KycSubmission
from accounts.staff_session import staff_origin
from mymoolah.common.admin import require
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError

MAY_LOOK: Final = "accounts.view_kycsubmission"
AFTER: Final = "after"
CHOICES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "waits_for": (
        "Waits for",
        {"": "anybody", "officer": "an officer", "second": "a second officer", "customer": "the customer"},
    ),
    "tier": ("Tier asked for", {"": "any", "1": "1", "2": "2"}),
    "risk": ("Checks", {"": "any", "red": "red"}),
    "whose": ("Claimed by", {"": "anybody", "mine": "me", "nobodys": "nobody"}),
    "days": ("Waiting", {"": "any time", "1": "over a day", "3": "over 3 days", "7": "over a week"}),
}

USUAL_REASONS: Final = (
    "We could not read the document. Please take a sharper picture, with all four corners in it.",
    "The name on the document is not the name of your account.",
    "The number on the document is not the number you typed.",
    "The document is no longer valid.",
    "The proof of address is older than three months.",
    "We do not accept this kind of document. Please send an identity document or a passport.",
)
"""What customers read most often; an officer chooses one and may change it."""


# The queue ------------------------------------------------------------------------------------------------------------
@never_cache
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    require(request, MAY_LOOK)
    asked, moment = _filter(request.GET), now()
    found = list(
        waiting_cases(asked, officer_id=_me(request), now=moment, after=_key(request.GET))[: ROWS_PER_PAGE + 1]
    )
    cases = found[:ROWS_PER_PAGE]
    chosen = {name: request.GET.get(name, "") for name in CHOICES}
    counts = waiting_counts(officer_id=_me(request), now=moment)
    more = f"?{urlencode({**_query(asked), AFTER: _written(cases[-1])})}" if len(found) > ROWS_PER_PAGE else None
    context = {
        **admin.site.each_context(request),
        "title": "KYC desk",
        "cases": [(case, _age(moment - case.created_at)) for case in cases],
        "views": [_view(name, view, asked, counts[name], moment) for name, view in VIEWS.items()],
        "choices": [(name, title, options, chosen[name]) for name, (title, options) in CHOICES.items()],
        "next": f"{reverse('kyc_next')}?{urlencode(_query(asked))}",
        "query": urlencode(_query(asked)),
        "more": more,
        "first": f"?{urlencode(_query(asked))}" if AFTER in request.GET else None,
        "may_decide": request.user.has_perm(MAY_DECIDE),
    }
    return render(request, "kyc/queue.html", context)


def _view(name: str, view: Filter, asked: Filter, waiting: Waiting, moment: dt.datetime) -> dict[str, object]:
    count = f"{COUNTED_MAX:,}+" if waiting.count >= COUNTED_MAX else f"{waiting.count:,}"
    since = _age(moment - waiting.since) if waiting.since else None
    return {
        "name": name,
        "address": f"?{urlencode(_query(view))}",
        "count": count,
        "since": since,
        "is_shown": view == asked,
    }


@never_cache
@require_GET
def next_case(request: HttpRequest) -> HttpResponse:
    """The case that waits longest beyond the one that is open, and after the last one the first again."""
    require(request, MAY_LOOK)
    asked = _filter(request.GET)
    found = next_to_take(asked, officer_id=_me(request), now=now(), after=_key(request.GET))
    if found is not None:
        return redirect(f"{reverse('kyc_case', args=[found.public_id])}?{urlencode(_query(asked))}")
    messages.info(request, "Nothing else waits in this view that you could take.")
    return redirect(f"{reverse('kyc_queue')}?{urlencode(_query(asked))}")


def _filter(given: QueryDict) -> Filter:
    """What the address narrows the queue by; what is no choice narrows nothing."""
    chosen = {name: str(given.get(name, "")) for name in CHOICES}
    chosen = {name: text for name, text in chosen.items() if text in CHOICES[name][1]}
    whose: Any = chosen.get("whose") or None
    return Filter(
        waits_for=chosen.get("waits_for") or None,
        tier=int(chosen["tier"]) if chosen.get("tier") else None,
        is_red=chosen.get("risk") == "red",
        whose=whose,
        older_than_days=int(chosen["days"]) if chosen.get("days") else None,
    )


def _query(asked: Filter) -> dict[str, str]:
    written = {
        "waits_for": asked.waits_for,
        "tier": asked.tier,
        "risk": "red" if asked.is_red else None,
        "whose": asked.whose,
        "days": asked.older_than_days,
    }
    return {name: str(value) for name, value in written.items() if value is not None}


def _key(given: QueryDict) -> Key | None:
    """The row that a page begins beyond; of anything else, the beginning."""
    try:
        at, pk = json.loads(given.get(AFTER, ""))
        return dt.datetime.fromisoformat(at), int(pk)
    except (ValueError, TypeError, OverflowError):
        return None


def _written(case: KycSubmission) -> str:
    return json.dumps([case.created_at.isoformat(), case.pk])


def _age(age: dt.timedelta) -> str:
    minutes = max(int(age.total_seconds()) // 60, 0)
    for unit, length in (("d", 1440), ("h", 60)):
        if minutes >= length:
            return f"{minutes // length} {unit}"
    return f"{minutes} min"


# One case -------------------------------------------------------------------------------------------------------------
@never_cache
@require_GET
def case(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    require(request, MAY_LOOK)
    return _case_page(request, public_id)


def _case_page(request: HttpRequest, public_id: uuid.UUID, *, number: str | None = None) -> HttpResponse:
    moment = now()
    try:
        found = get_case(public_id=public_id, now=moment)
    except SubmissionNotFound as error:
        raise Http404 from error
    submission, query = found.submission, urlencode(_query(_filter(request.GET)))
    after = urlencode({**_query(_filter(request.GET)), AFTER: _written(submission)})
    me = _me(request)
    is_pending = submission.status == KycSubmission.Status.PENDING
    context = {
        **admin.site.each_context(request),
        "title": submission.user.name,
        "case": found,
        "submission": submission,
        "customer": submission.user,
        "number": number,
        "documents": [_document(one) for one in found.documents],
        "reds": kyc_checks.red_codes(found.checks),
        "is_final": any(check.is_final for check in found.checks),
        "changed": _changed_since_proposal(found),
        "tiers": range(1, HIGHEST_TIER + 1),
        "four_eyes_tier": FOUR_EYES_TIER,
        "usual_reasons": USUAL_REASONS,
        "may_decide": request.user.has_perm(MAY_DECIDE) and submission.user_id != me,
        "is_pending": is_pending,
        "is_mine": is_pending and submission.assignee_id == me,
        "is_proposed_by_me": submission.proposed_by_id == me,
        "is_free": is_pending and submission.assignee_id is None,
        "may_take_over": submission.claimed_at is not None and moment >= submission.claimed_at + CLAIM_KEPT,
        "age": _age(moment - submission.created_at),
        "queue": f"{reverse('kyc_queue')}?{query}",
        "next": f"{reverse('kyc_next')}?{after}",
        "query": query,
    }
    return render(request, "kyc/case.html", context)


def _document(one: Any) -> dict[str, object]:
    is_pdf = one.content_type == PDF
    address = reverse("kyc_page", args=[one.public_id, 1]) if is_pdf else reverse("kyc_document", args=[one.public_id])
    return {"row": one, "address": address, "is_pdf": is_pdf}


def _changed_since_proposal(found: Case) -> list[str]:
    """What is red now that the first officer saw otherwise."""
    seen = {code for code, level in found.submission.proposed_checks or () if level == kyc_checks.Level.RED}
    return [code for code in kyc_checks.red_codes(found.checks) if code not in seen]


# Deeds ----------------------------------------------------------------------------------------------------------------
Form = Mapping[str, str]
Asked = dict[str, Any]


def _approve(form: Form, asked: Asked, moment: dt.datetime) -> str:
    tier = form.get("tier", "")
    if tier not in {str(one) for one in range(1, HIGHEST_TIER + 1)}:
        raise Http404
    given = kyc_desk.approve(
        **asked, tier=int(tier), override_reason=form.get("override_reason", ""), version=_version(form), now=moment
    )
    return (
        "Approved." if given == KycSubmission.Status.APPROVED else "Proposed. A second officer has to look at it now."
    )


def _ask_again(form: Form, asked: Asked, moment: dt.datetime) -> str:
    kyc_desk.ask_again(
        **asked, document=_uuid(form, "document"), reason=form.get("reason", ""), version=_version(form), now=moment
    )
    return "The customer was asked for this document again."


def _claim(form: Form, asked: Asked, moment: dt.datetime) -> str:
    kyc_desk.claim(**asked, note=form.get("note", ""), now=moment)
    return "The case is yours."


def _release(form: Form, asked: Asked, _: dt.datetime) -> str:
    kyc_desk.release(**asked, version=_version(form))
    return "Anybody may claim the case now."


def _confirm(form: Form, asked: Asked, moment: dt.datetime) -> str:
    kyc_desk.confirm(**asked, version=_version(form), now=moment)
    return "Approved by two."


def _hand_back(form: Form, asked: Asked, moment: dt.datetime) -> str:
    kyc_desk.hand_back(**asked, note=form.get("note", ""), version=_version(form), now=moment)
    return "The proposal was taken away; the case waits for an officer."


def _reject(form: Form, asked: Asked, moment: dt.datetime) -> str:
    kyc_desk.reject(**asked, reason=form.get("reason", ""), version=_version(form), now=moment)
    return "Rejected. The customer can read why, and may send other documents."


def _add_note(form: Form, asked: Asked, moment: dt.datetime) -> str:
    kyc_desk.add_note(**asked, text=form.get("text", ""), now=moment)
    return "Noted."


DEEDS: Final[Mapping[str, Callable[[Form, Asked, dt.datetime], str]]] = {
    "claim": _claim,
    "release": _release,
    "approve": _approve,
    "confirm": _confirm,
    "hand-back": _hand_back,
    "reject": _reject,
    "ask-again": _ask_again,
    "note": _add_note,
}


# Decisions ask for the password, so that nobody decides at a colleague's desk; what can be undone does not.
DECISIONS: Final = {"approve", "confirm", "reject"}


@require_POST
def deed(request: HttpRequest, public_id: uuid.UUID, name: str) -> HttpResponse:
    """Do one thing to a case and show it again; a refusal is shown there, and nothing was done."""
    require(request, MAY_DECIDE)
    if name not in DEEDS:
        raise Http404
    if name in DECISIONS and (question := ask_confirmation(request)) is not None:
        return question
    try:
        messages.success(request, DEEDS[name](request.POST.dict(), _asked(request, public_id), now()))
    except SubmissionNotFound as error:
        raise Http404 from error
    except DomainError as refusal:
        messages.error(request, f"{refusal.detail or refusal.title}.".replace("..", "."))
    query = urlencode(_query(_filter(request.GET)))
    return HttpResponseRedirect(f"{reverse('kyc_case', args=[public_id])}?{query}".removesuffix("?"))


@never_cache
@require_POST
def show_number(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The same page, once, with the whole number on it."""
    require(request, MAY_DECIDE)
    if (question := ask_confirmation(request)) is not None:
        return question
    try:
        number = kyc_desk.show_number(**_asked(request, public_id), now=now())
    except SubmissionNotFound as error:
        raise Http404 from error
    except DomainError as refusal:
        messages.error(request, f"{refusal.detail or refusal.title}.".replace("..", "."))
        return redirect("kyc_case", public_id)
    return _case_page(request, public_id, number=number)


def _asked(request: HttpRequest, public_id: uuid.UUID) -> Asked:
    origin: Origin = staff_origin(request)
    return {"case": public_id, "origin": origin}


def _version(form: Form) -> int:
    """The version that the form's page showed; without one it is no page of ours, and is stale."""
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _uuid(form: Form, name: str) -> uuid.UUID:
    try:
        return uuid.UUID(form.get(name, ""))
    except ValueError as error:
        raise Http404 from error


def _me(request: HttpRequest) -> int:
    assert request.user.pk is not None  # whoever has a permission has signed in
    return request.user.pk


urlpatterns: list[URLPattern] = [
    path("", admin.site.admin_view(queue), name="kyc_queue"),
    path("next", admin.site.admin_view(next_case), name="kyc_next"),
    path("cases/<uuid:public_id>", admin.site.admin_view(case), name="kyc_case"),
    path("cases/<uuid:public_id>/number", admin.site.admin_view(show_number), name="kyc_number"),
    path("cases/<uuid:public_id>/<slug:name>", admin.site.admin_view(deed), name="kyc_deed"),
    path("documents/<uuid:public_id>", admin.site.admin_view(document), name="kyc_document"),
    path("documents/<uuid:public_id>/pages/<int:number>", admin.site.admin_view(page), name="kyc_page"),
]
