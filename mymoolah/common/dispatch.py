"""Handing work over to a worker, messages to people above all: no request waits for a mail server.

What is said in a message lies in the broker encrypted, and in no log.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from dataclasses import asdict
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerAway

from mymoolah.common import tasks
from mymoolah.common.crypto import encrypt
from mymoolah.common.errors import Unavailable
from mymoolah.common.messages import Kind, Message

logger = logging.getLogger(__name__)


def hand_over(task: Task[Any, Any], *, good_for: dt.timedelta | None = None, **what: object) -> None:
    """Ask for `task`, which is dropped if no worker has begun with it in the time it is `good_for`.

    :raises Unavailable: the broker is away
    """
    seconds: Any = None if good_for is None else good_for.total_seconds()  # None is what the library takes by itself
    try:
        task.apply_async(kwargs=what, retry=False, expires=seconds)
    except BrokerAway as error:
        logger.warning("%s cannot be asked for: the broker is away", task.name)
        raise Unavailable from error


def send_code(kind: Kind, message: Message, *, good_for: dt.timedelta) -> None:
    """Have a message sent without which what is being done is worth nothing: last in its transaction, which it undoes.

    :raises Unavailable: the broker is away
    """
    hand_over(tasks.send_message, good_for=good_for, **_sealed(kind, message))


def send_notice(kind: Kind, message: Message) -> None:
    """Have a message sent once the present transaction has committed; what it tells of happens in any case."""

    def hand_over_or_log() -> None:
        try:
            hand_over(tasks.send_message, **_sealed(kind, message))
        except Unavailable:
            logger.warning("A notice by %s is not sent", kind)

    transaction.on_commit(hand_over_or_log, robust=True)


def _sealed(kind: Kind, message: Message) -> dict[str, Any]:
    return {"kind": kind, "sealed": encrypt(json.dumps(asdict(message)), context=tasks.MESSAGE)}
