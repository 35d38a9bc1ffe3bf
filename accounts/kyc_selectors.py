"""What customers read about their identity: where they stand, and what is missing for more."""

from __future__ import annotations

import json
import uuid
from typing import Any

from accounts.kyc_identity import decrypted_number, masked_identity_number
from accounts.kyc_tiers import REQUIREMENTS
from accounts.models import KycSubmission
from accounts.services import UnknownUser
from mymoolah.common.clock import iso_utc
from mymoolah.common.sql.queries import rows


def get_kyc(*, user_public_id: uuid.UUID) -> dict[str, Any]:
    """Where a customer stands, what the next tier still needs from her, and what she sent last. One query.

    What waits for a decision is not missing any more; what was asked for again is.

    :raises UnknownUser: nobody has this id
    """
    row = _row(user_public_id)
    latest, tier = _submission(row), row["kyc_tier"]
    waiting = latest["documents"] if latest and latest["status"] == KycSubmission.Status.PENDING else []
    sent = {one["kind"] for one in waiting if one["asked_again"] is None}
    needed = REQUIREMENTS.get(tier + 1)
    missing = [{"code": code, "detail": detail} for kind, (code, detail) in (needed or {}).items() if kind not in sent]
    return {
        "status": row["kyc_status"],
        "tier": tier,
        "next_tier": None if needed is None else {"tier": tier + 1, "missing": missing},
        "latest_submission": latest,
    }


def get_latest_submission(*, user_public_id: uuid.UUID) -> dict[str, Any] | None:
    """What a customer sent last. One query.

    :raises UnknownUser: nobody has this id
    """
    return _submission(_row(user_public_id))


def _row(user_public_id: uuid.UUID) -> dict[str, Any]:
    found = rows("accounts", "kyc_of.sql", user=user_public_id)
    if not found:
        raise UnknownUser
    return found[0]


def _submission(row: dict[str, Any]) -> dict[str, Any] | None:
    if row["public_id"] is None:
        return None
    number = decrypted_number(row["id_number_encrypted"])
    rejected = row["status"] == KycSubmission.Status.REJECTED
    return {
        "id": str(row["public_id"]),
        "status": row["status"],
        "reason": row["reason"] if rejected else None,
        "id_type": row["id_type"],
        "id_number": masked_identity_number(number, id_type=row["id_type"]),
        "passport_expires_on": row["passport_expires_on"] and row["passport_expires_on"].isoformat(),
        "documents": json.loads(row["documents"] or "[]"),
        "submitted_at": iso_utc(row["created_at"]),
        "decided_at": row["decided_at"] and iso_utc(row["decided_at"]),
    }
