"""Whether this process lives, and whether what it leans on answers."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_redis import get_redis_connection
from kombu import Connection

from mymoolah.common.read_cache.storage import client, objection_to

logger = logging.getLogger(__name__)
BROKER_TIMEOUT_SECONDS = 1


@never_cache
@require_safe
def healthz(_: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(_: HttpRequest) -> JsonResponse:
    """503 when the database is gone. Without cache or broker reads go on, so the answer is 200, `degraded`."""
    checks = {name: _answers(name, ask) for name, ask in CHECKS.items()}
    status = "ok" if all(checks.values()) else "degraded" if checks["database"] else "unavailable"
    body = {"status": status, "checks": {name: "ok" if well else "unavailable" for name, well in checks.items()}}
    return JsonResponse(
        body, status=200 if checks["database"] else 503, headers={} if checks["database"] else {"Retry-After": "5"}
    )


def _answers(name: str, ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Exception:
        logger.warning("%s does not answer", name, exc_info=True)
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_cache() -> None:
    get_redis_connection("default").ping()


def _ask_broker() -> None:
    timeouts = {"socket_timeout": BROKER_TIMEOUT_SECONDS, "socket_connect_timeout": BROKER_TIMEOUT_SECONDS}
    with Connection(
        settings.CELERY_BROKER_URL, connect_timeout=BROKER_TIMEOUT_SECONDS, transport_options=timeouts
    ) as broker:
        broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_SECONDS)


def _ask_read_cache() -> None:
    """:raises RuntimeError: it answers, and is none that can be used"""
    if (objection := objection_to(client())) is not None:
        raise RuntimeError(objection)


CHECKS: dict[str, Callable[[], object]] = {
    "database": _ask_database,
    "cache": _ask_cache,
    "broker": _ask_broker,
    **({"read_cache": _ask_read_cache} if settings.READ_CACHE else {}),
}
