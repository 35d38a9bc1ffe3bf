"""What waits for a worker: Celery's queue, a list in Redis."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from mymoolah.common.task_log import SENT_AT

QUEUE: Final = "celery"
TIMEOUT_SECONDS: Final = 0.5
AWAY: Final = (RedisError, OperationalError)


@dataclass(frozen=True, kw_only=True)
class Queue:
    depth: int
    oldest_sent_at: dt.datetime | None


def get_queue() -> Queue:
    """How many messages wait, and since when the next one does. Two questions.

    :raises RedisError, OperationalError: it does not answer in half a second
    """
    with _broker() as broker:
        channel: Any = broker.channel()  # that of Redis, which has a client
        # Messages are put in on the left, and taken from the right.
        return Queue(depth=int(channel.client.llen(QUEUE)), oldest_sent_at=_sent_at(channel.client.lindex(QUEUE, -1)))


def count_unanswered(*, before: dt.datetime) -> int:
    """How many messages a worker has taken before a moment, and neither finished nor given back.

    :raises RedisError, OperationalError: it does not answer in half a second
    """
    with _broker() as broker:
        channel: Any = broker.channel()
        return int(channel.client.zcount(channel.unacked_index_key, "-inf", before.timestamp()))


def _broker() -> Connection:
    timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    return Connection(settings.CELERY_BROKER_URL, transport_options=timeouts)


def _sent_at(message: bytes | None) -> dt.datetime | None:
    seconds = json.loads(message)["headers"].get(SENT_AT) if message else None
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
