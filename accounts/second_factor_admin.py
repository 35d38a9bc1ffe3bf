"""The pages of the second factor: give a code, set a telephone up, new recovery codes; and for colleagues who lost theirs."""

from __future__ import annotations

import math
import uuid
from typing import Any, Final

import segno
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import second_factor, staff_session
from accounts.confirmation import FIELD, ask_confirmation, recently_confirmed
from accounts.forms import CodeForm, ResetForm
from accounts.lockout import SignInLocked
from accounts.models import SecondFactor, User, UserRole
from accounts.staff_session import Factor, staff_origin
from mymoolah.common.clock import now
from mymoolah.common.crypto import decrypt, encrypt
from mymoolah.common.errors import DomainError

MAY_LOOK: Final = "auth.view_group"
MAY_RESET: Final = "accounts.reset_secondfactor"
PENDING_KEY: Final = "staff_pending_key"
COLLEAGUES_SHOWN: Final = 500


# Signing in ---------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("code")
def code_page(request: HttpRequest) -> HttpResponse:
    """The only page of a colleague who has given his password and not yet his code."""
    wanted = _wanted(request)
    if staff_session.factor_of(request) != Factor.ASKED:
        return HttpResponseRedirect(wanted)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            second_factor.verify(
                user=_me(request), code=form.cleaned_data["code"], now=now(), origin=staff_origin(request)
            )
        except DomainError as refusal:
            form.add_error("code", _told(refusal))
        else:
            staff_session.pass_factor(request)
            return HttpResponseRedirect(wanted)
    return _page(request, "staff/code.html", title="One more step", form=form, wanted=wanted)


# One's own ----------------------------------------------------------------------------------------------------------
@require_GET
def own_page(request: HttpRequest) -> HttpResponse:
    """What somebody's second factor is, and what he can do about it."""
    factor = SecondFactor.objects.filter(user=_me(request)).first()
    left = factor.recovery_codes.filter(used_at=None).count() if factor else 0
    context = {"factor": factor, "left": left, "total": second_factor.RECOVERY_CODES}
    return _page(request, "staff/own.html", title="Your second factor", **context)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("code", FIELD)
def enrol_page(request: HttpRequest) -> HttpResponse:
    """Set an app up, and prove by one code that it works; then the recovery codes, this once.

    The password is asked for before the key is shown: a code that waits for it runs out.
    """
    if (question := ask_confirmation(request, also_to_look=True)) is not None:
        return question
    if request.method == "POST" and "code" not in request.POST:  # the password alone
        return HttpResponseRedirect(request.get_full_path())
    wanted, user = _wanted(request), _me(request)
    is_replacement = staff_session.factor_of(request) == Factor.PASSED
    key = _pending_key(request)
    form = CodeForm(request.POST if "code" in request.POST else None)
    if form.is_valid():
        try:
            codes = second_factor.enrol(
                user_id=user.pk,
                key=key,
                code=form.cleaned_data["code"],
                is_replacement=is_replacement,
                now=now(),
                origin=staff_origin(request),
            )
        except DomainError as refusal:
            form.add_error("code", _told(refusal))
        else:
            del request.session[PENDING_KEY]
            _go_on(request)
            return _codes_page(request, codes, wanted)
    picture = segno.make(second_factor.enrolment_address(user=user, key=key), error="m", micro=False)
    context = {
        "form": form,
        "wanted": wanted,
        "is_replacement": is_replacement,
        # On white with a margin, in the dark too: cameras need both. Made of squares, of nothing that anybody typed.
        "picture": mark_safe(picture.svg_inline(scale=4, border=4, dark="#000", light="#fff")),  # noqa: S308
        "key": " ".join(key[start : start + 4] for start in range(0, len(key), 4)),
    }
    title = "Set up another telephone" if is_replacement else "Set up your second factor"
    return _page(request, "staff/enrol.html", title=title, **context)


@require_POST
@recently_confirmed
def recovery_codes_page(request: HttpRequest) -> HttpResponse:
    try:
        codes = second_factor.renew_recovery_codes(user_id=_me(request).pk, origin=staff_origin(request))
    except DomainError as refusal:
        messages.error(request, _told(refusal))
        return redirect("second_factor")
    return _codes_page(request, codes, reverse("second_factor"))


@require_POST
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    second_factor.end_staff_sessions(user=_me(request), origin=staff_origin(request))
    _go_on(request)
    messages.success(request, "Every other session of yours has ended.")
    return redirect("second_factor")


def _codes_page(request: HttpRequest, codes: list[str], wanted: str) -> HttpResponse:
    return _page(request, "staff/recovery_codes.html", title="Your recovery codes", codes=codes, wanted=wanted)


def _pending_key(request: HttpRequest) -> str:
    """The key that is being set up in this session, encrypted there too: sessions lie in the database."""
    context = f"second_factors.pending:{_me(request).public_id}"
    if PENDING_KEY not in request.session:
        request.session[PENDING_KEY] = encrypt(second_factor.new_key(), context=context)
    return decrypt(request.session[PENDING_KEY], context=context)


def _go_on(request: HttpRequest) -> None:
    """Stay signed in, here alone, where something has just ended all sessions of whoever asks."""
    user = User.objects.get(pk=_me(request).pk)
    update_session_auth_hash(request, user)
    if SecondFactor.objects.filter(user=user).exists():
        staff_session.pass_factor(request)


# Colleagues ---------------------------------------------------------------------------------------------------------
@require_GET
def colleagues_page(request: HttpRequest) -> HttpResponse:
    """Who works here, and who of them has a second factor. Four queries, however many customers there are."""
    _require(request, MAY_LOOK)
    ids = set(UserRole.objects.values_list("user_id", flat=True)) | set(
        SecondFactor.objects.values_list("user_id", flat=True)
    )
    unused = Count("second_factor__recovery_codes", filter=Q(second_factor__recovery_codes__used_at=None))
    people = User.objects.filter(pk__in=ids).select_related("second_factor").annotate(codes_left=unused)
    colleagues = people.order_by("email").prefetch_related("groups")[:COLLEAGUES_SHOWN]
    rows = [(one, _factor_of(one), _may_reset(request, one)) for one in colleagues]
    return _page(request, "staff/colleagues.html", title="Colleagues' sign-in", rows=rows)


def _factor_of(user: User) -> SecondFactor | None:
    return getattr(user, "second_factor", None)


@require_http_methods(["GET", "POST"])
def reset_page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    _require(request, MAY_RESET)
    user = get_object_or_404(User, public_id=public_id)
    if user.is_customer or not _may_reset(request, user):
        raise PermissionDenied
    if (question := ask_confirmation(request)) is not None:
        return question
    form = ResetForm(request.POST or None)
    if form.is_valid():
        try:
            second_factor.reset(user=user, reason=form.cleaned_data["reason"], origin=staff_origin(request))
            messages.success(request, f"{user.name} {_from_now_on()}.")
        except DomainError as refusal:
            messages.error(request, _told(refusal))
        return redirect("colleagues")
    return _page(
        request, "staff/reset.html", title="Reset a second factor", colleague=user, form=form, then=_from_now_on()
    )


def _from_now_on() -> str:
    """What becomes of a colleague whose second factor was reset."""
    if settings.STAFF_SECOND_FACTOR:
        return "sets another telephone up at the next sign-in, before any page opens"
    return "signs in with the password alone, until another telephone is set up"


def _may_reset(request: HttpRequest, user: User) -> bool:
    """A colleague's, never one's own; a superuser's only by another."""
    me = _me(request)
    return me.has_perm(MAY_RESET) and me.pk != user.pk and (me.is_superuser or not user.is_superuser)


# Around them --------------------------------------------------------------------------------------------------------
def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    return render(request, template, {**admin.site.each_context(request), **context})


def _wanted(request: HttpRequest) -> str:
    return staff_session.safe_page(request, request.POST.get("next") or request.GET.get("next", ""))


def _told(refusal: DomainError) -> str:
    if isinstance(refusal, SignInLocked):
        minutes = math.ceil((refusal.retry_after_seconds or 0) / 60)
        return f"Too many wrong codes. Please wait {minutes} minutes."
    return f"{refusal.title}."


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin lets in nobody else
    return request.user


urlpatterns: list[URLPattern] = [
    path("", admin.site.admin_view(own_page), name="second_factor"),
    path("code", admin.site.admin_view(code_page), name="second_factor_code"),
    path("enrol", admin.site.admin_view(enrol_page), name="second_factor_enrol"),
    path("recovery-codes", admin.site.admin_view(recovery_codes_page), name="second_factor_recovery_codes"),
    path("sign-out-elsewhere", admin.site.admin_view(sign_out_elsewhere), name="second_factor_sign_out_elsewhere"),
    path("colleagues", admin.site.admin_view(colleagues_page), name="colleagues"),
    path("colleagues/<uuid:public_id>/reset", admin.site.admin_view(reset_page), name="second_factor_reset"),
]
