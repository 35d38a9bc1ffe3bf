"""What runs in the background."""

from __future__ import annotations

import uuid

from celery import shared_task

from accounts import passwords
from accounts.audit import Origin
from mymoolah.common.clock import now


@shared_task(name="accounts.send_password_reset", soft_time_limit=20, time_limit=30)
def send_password_reset(*, user: str | None, request_id: str) -> None:
    """Send what a forgotten password is replaced with; for nobody, nothing. A second time sends a second one."""
    if user is not None:
        passwords.send_reset(public_id=uuid.UUID(user), now=now(), origin=Origin(request_id=request_id))
