"""`/metrics`, for Prometheus alone: with its token, or, where none is set, from this machine."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from mymoolah.common import metrics_folder
from mymoolah.common.clock import now
from reporting import gauges


class Everything(Collector):
    """What was counted, and how things stand."""

    def collect(self) -> Iterable[Metric]:
        yield from metrics_folder.collected()
        yield from gauges.kept.at(now())


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Everything())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        is_it = hmac.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())
        return is_it and scheme.lower() == "bearer"
    if "HTTP_X_FORWARDED_FOR" in request.META:  # a proxy of this machine asks for somebody else
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
