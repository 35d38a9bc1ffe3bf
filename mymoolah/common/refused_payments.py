"""How many payments were refused today, and why: counted in Redis as they are answered.

A refusal leaves nothing in the database, on purpose: a payment that is refused a million times must not write a million
rows. So this is a count and no ledger: what Redis forgets, or cannot be told, is missing from it.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Final

from django_redis import get_redis_connection
from redis.exceptions import RedisError

from mymoolah.common.clock import business_day

logger = logging.getLogger(__name__)

KEPT_DAYS: Final = 3
# The same order again, or half of it: no payment was refused by these.
NOT_COUNTED: Final = {"idempotency_key_required", "idempotency_key_reused", "idempotency_in_flight"}


def count(code: str, *, at: dt.datetime) -> None:
    """Add one refusal to the Johannesburg day of `at`. One round trip; an answer never fails by it."""
    if code in NOT_COUNTED:
        return
    key = _key(business_day(at))
    try:
        pipeline = get_redis_connection("default").pipeline(transaction=False)
        pipeline.hincrby(key, code, 1)
        pipeline.expire(key, dt.timedelta(days=KEPT_DAYS + 1))
        pipeline.execute()
    except RedisError:
        logger.warning("A refused payment was not counted: Redis is away")


def counted(day: dt.date) -> dict[str, int]:
    """How often payments were refused on a day, by the code of the problem; nothing when Redis is away."""
    try:
        found = get_redis_connection("default").hgetall(_key(day))
    except RedisError:
        logger.warning("Refused payments are not known: Redis is away")
        return {}
    return {code.decode(): int(times) for code, times in found.items()}


def _key(day: dt.date) -> str:
    return f"moolah:refused-payments:{day.isoformat()}"
