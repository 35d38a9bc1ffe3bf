"""What runs in the background."""

from __future__ import annotations

import datetime as dt
import uuid

from celery import shared_task
from django.core.management import call_command

from accounts import passwords
from accounts.audit import Origin
from mymoolah.common.clock import now


@shared_task(name="accounts.send_password_reset", soft_time_limit=20, time_limit=30)
def send_password_reset(*, user: str | None, asked_at: str, request_id: str) -> None:
    """Send what a forgotten password is replaced with; for nobody, nothing. A second time does nothing."""
    if user is not None:
        passwords.send_reset(
            public_id=uuid.UUID(user),
            asked_at=dt.datetime.fromisoformat(asked_at),
            now=now(),
            origin=Origin(request_id=request_id),
        )


@shared_task(name="accounts.clear_sessions", soft_time_limit=120, time_limit=150)
def clear_sessions() -> None:
    """Forget the back-office's sessions that are over; a second time finds none."""
    call_command("clearsessions")
