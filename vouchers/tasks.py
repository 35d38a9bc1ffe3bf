"""What runs in the background."""

from __future__ import annotations

import logging

from celery import shared_task

from mymoolah.common.clock import now
from vouchers.services import ending, tills

logger = logging.getLogger(__name__)

MOST_VOUCHERS = 10_000  # in one run, so that it ends before its time; the next one goes on
MOST_REPORTS = 5_000


@shared_task(name="vouchers.expire_vouchers", soft_time_limit=240, time_limit=270)
def expire_vouchers() -> None:
    """End the vouchers whose term is over; two at once share them."""
    sweep = ending.expire_vouchers(now=now(), limit=MOST_VOUCHERS)
    if sweep.expired or sweep.failed:
        logger.info("Expired %s vouchers; %s failed.", sweep.expired, sweep.failed)


@shared_task(name="vouchers.process_till_events", soft_time_limit=120, time_limit=150)
def process_till_events() -> None:
    """Act on what tills reported and nobody has acted on yet; two at once share it."""
    sweep = tills.process_events(now=now(), limit=MOST_REPORTS)
    if sweep.processed or sweep.failed:
        logger.info("Acted on %s reports of tills; %s failed.", sweep.processed, sweep.failed)
