"""How often a language model is asked in a day: for one customer, and for all of them."""

from __future__ import annotations

import logging
from typing import Final

from django.conf import settings
from django_redis import get_redis_connection
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

KEY: Final = "moolah:language-model"
DAY_SECONDS: Final = 86_400


def take(budget_of: str) -> bool:
    """Count one question of this customer; False when it is one too many, or cannot be counted.

    A day begins with its first question. Whoever has used up his own takes nothing of everybody's.
    """
    try:
        return _count(f"{KEY}:{budget_of}", most=settings.LLM_DAILY_CALLS_EACH) and _count(
            KEY, most=settings.LLM_DAILY_CALLS
        )
    except (ConnectionInterrupted, RedisError) as error:
        logger.warning("The language model is not asked: its budget cannot be counted (%s)", type(error).__name__)
        return False


def _count(key: str, *, most: int) -> bool:
    pipeline = get_redis_connection("default").pipeline()
    pipeline.incr(key)
    pipeline.expire(key, DAY_SECONDS, nx=True)
    counted, _ = pipeline.execute()
    return bool(counted <= most)
