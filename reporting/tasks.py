"""What runs in the background."""

from __future__ import annotations

import logging

from celery import shared_task

from mymoolah.common.clock import now
from reporting import services

logger = logging.getLogger(__name__)


# The database gives up first, then the task, then its process is ended.
@shared_task(
    name="reporting.refresh_dashboard",
    soft_time_limit=services.LIMIT_SECONDS + 30,
    time_limit=services.LIMIT_SECONDS + 60,
)
def refresh_dashboard() -> None:
    """Refresh the customer overview if anything changed; a second one at once does nothing."""
    try:
        refresh = services.refresh_dashboard(now=now())
    except services.RefreshUnderWay as refusal:
        logger.info("%s; nothing was done.", refusal)
        return
    if refresh is not None:
        logger.info("Refreshed %s rows in %s ms.", refresh.rows_count, refresh.duration_ms)
