"""What runs in the background for every app."""

from __future__ import annotations

import json
import logging
from typing import Any

from celery import Task, shared_task

from mymoolah.common.crypto import decrypt
from mymoolah.common.messages import Kind, Message, MessageNotSent, send

logger = logging.getLogger(__name__)

MESSAGE = "message"  # what a sealed one is encrypted as
MOST_RETRIES, FIRST_PAUSE_SECONDS = 3, 5


@shared_task(name="common.send_message", bind=True, max_retries=MOST_RETRIES, soft_time_limit=20, time_limit=30)
def send_message(self: Task[Any, Any], *, kind: Kind, sealed: str) -> None:
    """Send a message. A second time sends the same one.

    One that cannot be sent is tried again, three times within two minutes, then logged. The log holds neither the
    message nor whom it was for, so it names the error, whose own words may hold both.
    """
    message = Message(**json.loads(decrypt(sealed, context=MESSAGE)))
    try:
        send(kind, message)
    except (MessageNotSent, OSError) as error:
        reason = type(error).__name__
    else:
        return
    if self.request.retries >= MOST_RETRIES:
        logger.error("A message by %s was not sent: %s", kind, reason)
        return
    # Outside of what catches the error, which Celery would write down.
    raise self.retry(countdown=FIRST_PAUSE_SECONDS * 4**self.request.retries)
