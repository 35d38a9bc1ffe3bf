"""What is read about people."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from accounts.models import LoginSession, OneTimeCode, User
from accounts.services import UnknownUser
from mymoolah.common.clock import iso_utc
from mymoolah.common.pagination import Page, PageRequest, cut

PROFILE = (
    "public_id",
    "email",
    "email_verified_at",
    "phone",
    "phone_verified_at",
    "first_name",
    "last_name",
    "status",
    "kyc_status",
    "id_verified",
    "kyc_tier",
    "created_at",
)


def get_profile(*, public_id: uuid.UUID) -> dict[str, Any]:
    """What a customer sees of himself. One query.

    :raises UnknownUser: nobody has this id
    """
    users = User.objects.annotate(**{f"pending_{contact}": _pending(contact) for contact in ("email", "phone")})
    row = users.filter(public_id=public_id).values(*PROFILE, "pending_email", "pending_phone").first()
    if row is None:
        raise UnknownUser
    return {
        "id": str(row["public_id"]),
        "email": row["email"],
        "email_verified": row["email_verified_at"] is not None,
        "phone": row["phone"],
        "phone_verified": row["phone_verified_at"] is not None,
        "pending_email": row["pending_email"],
        "pending_phone": row["pending_phone"],
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "status": row["status"],
        "kyc_status": row["kyc_status"],
        "id_verified": row["id_verified"],
        "kyc_tier": row["kyc_tier"],
        "created_at": iso_utc(row["created_at"]),
    }


def _pending(contact: str) -> Subquery:
    waiting = OneTimeCode.objects.filter(user=OuterRef("pk"), purpose=contact, used_at=None)
    return Subquery(waiting.exclude(target=OuterRef(contact)).values("target"))


def get_user_id(*, public_id: uuid.UUID) -> int:
    """The id that the audit trail knows a user by. One query.

    :raises UnknownUser: nobody has this id
    """
    found = User.objects.filter(public_id=public_id).values_list("id", flat=True).first()
    if found is None:
        raise UnknownUser
    return found


def get_public_id(*, email: str) -> uuid.UUID | None:
    """Whose e-mail address this is; None if nobody's. One query."""
    return User.objects.with_email(email).values_list("public_id", flat=True).first()


def login_sessions(
    *, user_public_id: uuid.UUID, current: uuid.UUID, asked: PageRequest, now: dt.datetime
) -> Page[dict[str, Any]]:
    """A page of the devices somebody is signed in on; `current` is the one that asks. One query."""
    live = LoginSession.objects.filter(user__public_id=user_public_id, revoked_at=None, expires_at__gt=now)
    order = ("created_at", "public_id") if asked.backwards else ("-created_at", "-public_id")
    if asked.cursor is not None:
        at, public_id = asked.cursor.position
        beyond = "gt" if asked.backwards else "lt"
        live = live.filter(Q(**{f"created_at__{beyond}": at}) | Q(created_at=at, **{f"public_id__{beyond}": public_id}))
    page = cut(asked, list(live.order_by(*order)[: asked.limit + 1]), _position)
    rows = [
        {
            "id": str(session.public_id),
            "device": session.device,
            "address": session.address,
            "created_at": iso_utc(session.created_at),
            "last_used_at": iso_utc(session.last_used_at),
            "expires_at": iso_utc(session.expires_at),
            "is_current": session.public_id == current,
        }
        for session in page.rows
    ]
    return Page(rows=rows, older=page.older, newer=page.newer)


def _position(session: LoginSession) -> list[str]:
    return [iso_utc(session.created_at), str(session.public_id)]
