"""The audit trail: one call writes one event, in the transaction of what it tells about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import AuditEvent


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a deed came from. The actor is a user's id, or None for the system itself."""

    actor_id: int | None = None
    address: str | None = None
    request_id: str = ""


SYSTEM = Origin()


def record(verb: str, *, subject_type: str, subject_id: object, origin: Origin = SYSTEM, **facts: Any) -> None:
    """Write that `verb` (`wallet.frozen`) happened to a subject. Facts hold nothing erasable and no secret."""
    AuditEvent.objects.create(
        actor_id=origin.actor_id,
        verb=verb,
        subject_type=subject_type,
        subject_id=str(subject_id),
        facts=facts,
        address=origin.address,
        request_id=origin.request_id,
    )
