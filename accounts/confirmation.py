"""Ask for the password again before something that matters, when it was last given more than ten minutes ago.

    @recently_confirmed
    def freeze(request): ...

or, inside of a view and after it has asked for its permission:

    if (question := ask_confirmation(request)) is not None:
        return question

The page that asks carries everything that was typed, so that with the password it is done at once and nothing is lost.
Whoever has just signed in is not asked. What is sent (POST) is held up; to look
changes nothing, and is held up only where a page shows a secret (`also_to_look`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.hashers import check_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters

from accounts import staff_session
from accounts.forms import ConfirmationForm
from accounts.lockout import SignInLocked
from accounts.sessions import WrongPassword, counted
from mymoolah.common.clock import now
from mymoolah.common.errors import Unavailable

View = Callable[..., HttpResponse]
FIELD: Final = "confirmed_by_password"
NOT_CARRIED: Final = {FIELD, "confirmed_from", "csrfmiddlewaretoken"}


def recently_confirmed(view: View) -> View:
    """Let a view of the back-office answer only if its colleague gave the password lately, or gives it now."""

    @wraps(view)
    @sensitive_post_parameters(FIELD)
    def held_up(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        question = ask_confirmation(request)
        return view(request, *args, **kwargs) if question is None else question

    return held_up


def ask_confirmation(request: HttpRequest, *, also_to_look: bool = False) -> HttpResponse | None:
    """The page that asks for the password again, or None if what is asked for may be done now.

    With `also_to_look` before a page is shown, too; its view is then called with a POST of the password alone.
    """
    moment = now()
    if request.method != "POST" and not also_to_look:
        return None
    is_answer = FIELD in request.POST
    form = ConfirmationForm(request.POST if is_answer else None)
    carried = request.POST.copy()
    came_from = request.POST.get("confirmed_from") or staff_session.page_before(request)
    for name in NOT_CARRIED & carried.keys():
        del carried[name]
    if is_answer and form.is_valid():
        refusal = _check(request, form.cleaned_data[FIELD])
        if not refusal:
            staff_session.confirm(request, now=moment)
            request.POST = carried  # type: ignore[assignment]  # the view below sees the form as it was typed
            return None
        form.add_error(FIELD, refusal)
    elif staff_session.is_confirmed(request, now=moment):
        request.POST = carried  # type: ignore[assignment]
        return None
    context = {
        **admin.site.each_context(request),
        "title": "Is it still you?",
        "form": form,
        "carried": [(name, value) for name, values in carried.lists() for value in values],
        "came_from": staff_session.safe_page(request, came_from),
    }
    return render(request, "staff/confirm.html", context)


def _check(request: HttpRequest, password: str) -> str:
    """Why this password is not good, in a sentence; nothing where it is."""
    user, origin = request.user, staff_session.staff_origin(request)
    assert user.is_authenticated
    try:
        with counted(
            email=user.email,
            origin=origin,
            refusal=WrongPassword,
            verb="staff.confirmation_refused",
            what="confirmation",
        ):
            # Not by the user's own method, which may write the hash anew and so end this very session.
            if not check_password(password, user.password):
                raise WrongPassword
    except (WrongPassword, SignInLocked, Unavailable) as refusal:
        return f"{refusal.title}."
    return ""
