"""Traces of requests, where OTEL_EXPORTER_OTLP_ENDPOINT says where they go; otherwise nothing of it is imported."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def start() -> None:
    """Trace the requests of this process from now on, if traces are wanted. Before Django builds its middleware.

    :raises ImproperlyConfigured: they are wanted, and what makes them is not installed
    """
    if not settings.TRACES_ENDPOINT:
        return
    try:
        from mymoolah import spans
    except ImportError as error:
        raise ImproperlyConfigured(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but {error.name} is not installed: "
            "pip install --constraint constraints.txt --requirement requirements-otel.txt, or unset it."
        ) from error
    spans.start()
