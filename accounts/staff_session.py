"""A colleague's session in the back-office: when it began and was last used, and what he has proved in it.

Django keeps the session in the database; its cookie holds nothing but the key. A session that does not say what it
should, one of an older release say, has proved nothing and is over.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.audit import Origin
from accounts.models import SecondFactor, User
from mymoolah.common.addresses import client_address
from mymoolah.common.clock import now

SIGNED_IN_AT, SEEN_AT, CONFIRMED_AT = "staff_signed_in_at", "staff_seen_at", "staff_confirmed_at"
FACTOR = "staff_second_factor"
# The database is not written in each request: a session may end as much earlier as this.
SEEN_EVERY_SECONDS = 60


class Factor(StrEnum):
    """How a session stands to the second factor of its colleague."""

    ABSENT = "absent"
    ASKED = "asked"
    PASSED = "passed"


def begin(request: HttpRequest, user: User, **_: Any) -> None:
    """What Django's `user_logged_in` calls: a session that began just now, with its password."""
    moment = now().timestamp()
    for name in (SIGNED_IN_AT, SEEN_AT, CONFIRMED_AT):
        request.session[name] = moment
    request.session[FACTOR] = Factor.ASKED if SecondFactor.objects.filter(user=user).exists() else Factor.ABSENT


def why_over(request: HttpRequest, *, now: dt.datetime) -> str:
    """Why this session has come to its end, in a sentence; nothing while it goes on."""
    moment, idle, lifetime = now.timestamp(), settings.STAFF_IDLE_TIMEOUT, settings.STAFF_SESSION_LIFETIME
    if moment - request.session.get(SEEN_AT, 0) >= idle.total_seconds():
        return f"You were signed out because nothing happened for {idle.total_seconds() // 60:.0f} minutes."
    if moment - request.session.get(SIGNED_IN_AT, 0) >= lifetime.total_seconds():
        return (
            f"You were signed out: nobody stays signed in for more than {lifetime.total_seconds() // 3600:.0f} hours."
        )
    return ""


def touch(request: HttpRequest, *, now: dt.datetime) -> None:
    """Remember that somebody is there."""
    if now.timestamp() - request.session[SEEN_AT] >= SEEN_EVERY_SECONDS:
        request.session[SEEN_AT] = now.timestamp()


def factor_of(request: HttpRequest) -> Factor:
    return Factor(request.session.get(FACTOR, Factor.ASKED))


def pass_factor(request: HttpRequest) -> None:
    """Remember that the second factor was given; the session goes on under another key."""
    request.session[FACTOR] = Factor.PASSED
    request.session.cycle_key()


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
