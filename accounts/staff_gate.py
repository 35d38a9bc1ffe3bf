"""The one gate of the back-office: no page of it opens for a session that is over, or lacks its second factor.

It stands before every address but those that know no sessions, so that a new page is behind it whatever it forgets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts import staff_session
from accounts.staff_session import Factor
from mymoolah.common.clock import now

WITHOUT_SESSIONS: Final = ("/api/", "/healthz", "/readyz", "/metrics")


class StaffGate:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(WITHOUT_SESSIONS):
            return self.get_response(request)
        turned_back = _turned_back(request)
        return self.get_response(request) if turned_back is None else turned_back


def _turned_back(request: HttpRequest) -> HttpResponse | None:
    """Where to go first; None for whoever may go on."""
    sign_in, sign_out = reverse("admin:login"), reverse("admin:logout")
    if not request.user.is_authenticated:
        # The admin sends them to sign in itself, but to come back to an address where there is nothing to look at.
        was_working = request.method == "POST" and request.path_info.startswith(reverse("admin:index"))
        return _first(request, sign_in) if was_working and request.path_info != sign_in else None
    if request.user.is_customer:
        return None  # nor does the admin let them in
    ended = staff_session.why_over(request, now=now())
    if ended:
        logout(request)
        messages.info(request, ended)
        return _first(request, sign_in) if request.path_info != sign_in else None
    staff_session.touch(request, now=now())
    if request.path_info in {sign_in, sign_out}:
        return None
    lacking = _lacking(request)
    return _first(request, lacking) if lacking and request.path_info != lacking else None


def _lacking(request: HttpRequest) -> str:
    """The only page that is open until this session has its second factor; nothing where it has, or needs none."""
    factor = staff_session.factor_of(request)
    if factor == Factor.ASKED:
        return reverse("second_factor_code")
    if factor == Factor.ABSENT and settings.STAFF_SECOND_FACTOR:
        return reverse("second_factor_enrol")
    return ""


def _first(request: HttpRequest, address: str) -> HttpResponseRedirect:
    """Lead to `address`, and from there to what was asked for; of something sent, to the page that it was sent from."""
    wanted = request.get_full_path() if request.method in {"GET", "HEAD"} else staff_session.page_before(request)
    return HttpResponseRedirect(f"{address}?{urlencode({'next': staff_session.safe_page(request, wanted)})}")
