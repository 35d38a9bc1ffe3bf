"""A colleague's session in the back-office: when it began, when it was last used, when its password was last given.

Django keeps the session in the database; its cookie holds nothing but the key. What is kept in it here are moments.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.audit import Origin
from mymoolah.common.addresses import client_address
from mymoolah.common.clock import now

SIGNED_IN_AT, SEEN_AT, CONFIRMED_AT = "staff_signed_in_at", "staff_seen_at", "staff_confirmed_at"


def begin(request: HttpRequest, **_: Any) -> None:
    """What Django's `user_logged_in` calls: a session that began just now, with its password."""
    moment = now().timestamp()
    for name in (SIGNED_IN_AT, SEEN_AT, CONFIRMED_AT):
        request.session[name] = moment


def confirm(request: HttpRequest, *, now: dt.datetime) -> None:
    """Remember that the password was given again; the session goes on under another key."""
    request.session[CONFIRMED_AT] = now.timestamp()
    request.session.cycle_key()


def is_confirmed(request: HttpRequest, *, now: dt.datetime) -> bool:
    """Whether the password was given lately; a session that does not say when has to ask."""
    confirmed_at: float = request.session.get(CONFIRMED_AT, 0)
    return now.timestamp() - confirmed_at < settings.STAFF_CONFIRMED_FOR.total_seconds()


def staff_origin(request: HttpRequest) -> Origin:
    """Who of the staff asks, and from where."""
    return Origin(
        actor_id=request.user.pk, address=client_address(request), request_id=getattr(request, "request_id", "")
    )


def page_before(request: HttpRequest) -> str:
    """The page of ours that a form stood on, to lead back to; the start page where nobody says."""
    return safe_page(request, request.headers.get("Referer", ""))


def safe_page(request: HttpRequest, address: str) -> str:
    """`address` if it is a page of the back-office, and the start page otherwise: nobody is led elsewhere."""
    start = reverse("admin:index")
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if not is_ours or not urlsplit(address).path.startswith(start):
        return start
    return urlunsplit(urlsplit(address)._replace(scheme="", netloc=""))
