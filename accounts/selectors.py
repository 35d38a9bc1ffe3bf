"""What is read about people."""

from __future__ import annotations

import uuid
from typing import Any

from accounts.models import User
from accounts.services import UnknownUser
from mymoolah.common.clock import iso_utc

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
    row = User.objects.filter(public_id=public_id).values(*PROFILE).first()
    if row is None:
        raise UnknownUser
    return {
        "id": str(row["public_id"]),
        "email": row["email"],
        "email_verified": row["email_verified_at"] is not None,
        "phone": row["phone"],
        "phone_verified": row["phone_verified_at"] is not None,
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "status": row["status"],
        "kyc_status": row["kyc_status"],
        "id_verified": row["id_verified"],
        "kyc_tier": row["kyc_tier"],
        "created_at": iso_utc(row["created_at"]),
    }


def get_user_id(*, public_id: uuid.UUID) -> int:
    """The id that the audit trail knows a user by. One query.

    :raises UnknownUser: nobody has this id
    """
    found = User.objects.filter(public_id=public_id).values_list("id", flat=True).first()
    if found is None:
        raise UnknownUser
    return found
