"""What runs in the background."""

from __future__ import annotations

import logging

from celery import shared_task

from mymoolah.common.clock import now
from transactions import holds

logger = logging.getLogger(__name__)

MOST_HOLDS = 10_000  # in one run, so that it ends before its time; the next one goes on


@shared_task(name="transactions.expire_holds", soft_time_limit=120, time_limit=150)
def expire_holds() -> None:
    """Free the holds whose time has come; two at once share them."""
    sweep = holds.expire_holds(now=now(), limit=MOST_HOLDS)
    if sweep.expired or sweep.failed:
        logger.info("Expired %s holds; %s failed.", sweep.expired, sweep.failed)
