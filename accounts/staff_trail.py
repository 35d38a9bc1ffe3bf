"""What is written down about staff at the door and in the corridors: sign-ins, refusals, and the use of emergency power.

Deeds write their own events (accounts/audit.py); these are about pages. An event is written once, however often a page
is tried within ten minutes, and at most sixty refusals an hour of one person, so that nobody can fill the table. What
is left out then is said once, and a page that refused him for the first time is written all the same. Whoever has not signed in is sent to the door, which is no refusal.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.contrib.auth.models import Permission
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from accounts import audit
from accounts.audit import Origin
from accounts.models import AuditEvent, User
from accounts.staff_session import staff_origin
from mymoolah.common.addresses import client_address
from mymoolah.common.admin import asked_permissions
from mymoolah.common.clock import now

BACK_OFFICE: Final = "/admin/"
SAID_ONCE_IN: Final = dt.timedelta(minutes=10)
COUNTED_FOR: Final = dt.timedelta(hours=1)
MOST_REFUSALS: Final = 60
MUTED: Final = "permission.refusals_muted"
# The door itself: what happens there is told by name.
DOOR: Final = frozenset({"login", "logout"})
OK: Final = 400


def record_refusal(request: HttpRequest, *, now: dt.datetime) -> bool:
    """Write that a page refused somebody of the staff; whether it was, or had been said already."""
    user = request.user
    if not (user.is_authenticated and user.is_staff):
        return False
    lately = AuditEvent.objects.filter(actor_id=user.pk, at__gt=now - COUNTED_FOR)
    his = lately.filter(verb="permission.refused")
    is_too_much = len(his.order_by("-at").values_list("pk")[:MOST_REFUSALS]) >= MOST_REFUSALS
    if is_too_much and his.filter(subject_id=page_name(request)).exists():
        if not lately.filter(verb=MUTED).exists():
            audit.record(MUTED, subject_type="page", subject_id=page_name(request), origin=staff_origin(request))
        return False
    return _record_once("permission.refused", request, asked_permissions(request), now)


# Emergency power ------------------------------------------------------------------------------------------------------
class EmergencyPower:
    """Write what superusers do: each change before it happens, and each page that no role of theirs would open.

    What a page shows beside it (the sidebar, say) is no use of power, and neither is what is refused to them as well.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_emergency(request) and request.method in {"GET", "HEAD"} and response.status_code < OK:
            asked = asked_permissions(request)
            beyond = sorted(set(asked) - roles_permissions(request.user))
            if beyond:
                _record_once("superuser.looked", request, beyond, now())
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        if is_emergency(request) and request.method not in {"GET", "HEAD", "OPTIONS"}:
            audit.record(
                "superuser.acted",
                subject_type="page",
                subject_id=page_name(request),
                origin=staff_origin(request),
                method=request.method,
                path=told_path(request),
            )


def is_emergency(request: HttpRequest) -> bool:
    match = getattr(request, "resolver_match", None)
    if match is None or not request.path_info.startswith(BACK_OFFICE) or match.url_name in DOOR:
        return False
    user: Any = getattr(request, "user", None)
    return bool(user and user.is_active and user.is_superuser)


def roles_permissions(user: Any) -> set[str]:
    """What somebody's roles alone would allow: Django's own answer for a superuser is everything."""
    theirs = Permission.objects.filter(Q(group__user=user) | Q(user=user))
    return {f"{app}.{code}" for app, code in theirs.values_list("content_type__app_label", "codename")}


# Pages ----------------------------------------------------------------------------------------------------------------
def _record_once(verb: str, request: HttpRequest, permissions: Sequence[str], moment: dt.datetime) -> bool:
    facts = {"method": request.method, "path": told_path(request), "permissions": list(permissions)}
    lately = AuditEvent.objects.filter(actor_id=request.user.pk, verb=verb, at__gt=moment - SAID_ONCE_IN)
    if lately.filter(facts=facts).exists():
        return False
    audit.record(verb, subject_type="page", subject_id=page_name(request), origin=staff_origin(request), **facts)
    return True


def page_name(request: HttpRequest) -> str:
    """The name of a page, which nobody who asks for it chooses."""
    match = request.resolver_match
    return str(match.url_name or "")[:64] if match else ""


def told_path(request: HttpRequest) -> str:
    """The path, without what somebody may have typed into it: an address, say, that has to be forgotten one day."""
    match = request.resolver_match
    if match is None:
        return BACK_OFFICE
    path = str(request.path_info)
    for value in map(str, (*match.args, *match.kwargs.values())):
        if not (re.fullmatch(r"[1-9][0-9]{0,18}", value, re.ASCII) or _is_uuid(value) or value.isidentifier()):
            path = path.replace(value, "…")
    return path[:200]


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


# The door -------------------------------------------------------------------------------------------------------------
def record_sign_in(*, request: HttpRequest, user: User, **_: object) -> None:
    _record_at_door("staff.signed_in", request, user)


def record_sign_out(*, request: HttpRequest, user: User | None, **_: object) -> None:
    if user is not None:
        _record_at_door("staff.signed_out", request, user)


def _record_at_door(verb: str, request: HttpRequest, user: User) -> None:
    origin = Origin(actor_id=user.pk, address=client_address(request), request_id=getattr(request, "request_id", ""))
    audit.record(verb, subject_type="user", subject_id=user.public_id, origin=origin)


def listen() -> None:
    """Django tells of sessions of the back-office, whoever begins and ends them; customers have other ones."""
    user_logged_in.connect(record_sign_in, dispatch_uid="staff.signed_in")
    user_logged_out.connect(record_sign_out, dispatch_uid="staff.signed_out")
