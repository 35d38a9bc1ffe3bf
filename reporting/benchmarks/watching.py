"""What a request pays for being counted and logged."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management.base import CommandError
from django.test import RequestFactory, override_settings

from accounts.models import User
from mymoolah.common import metrics_folder
from mymoolah.common.logs import JsonLine
from reporting.benchmarks.series import Options, in_turns, ratio
from reporting.benchmarks.web import signed_in

WATCHED_BY = "mymoolah.common.access_log.AccessLog"
PATHS = {"no query": "/healthz", "one query": "/api/v1/me", "the dashboard": "/api/v1/dashboard"}
REQUESTS = 25


def run(options: Options) -> dict[str, Any]:
    """CPU milliseconds of a request in this process, with the middleware that counts and logs and without.

    CPU of Python alone: what PostgreSQL does meanwhile, and who else uses the machine, is not in it.
    """
    headers = _somebody()
    results: dict[str, Any] = {}
    with _as_in_production(), override_settings(RATELIMIT_ENABLE=False):
        watched = WSGIHandler()
        with override_settings(MIDDLEWARE=[one for one in settings.MIDDLEWARE if one != WATCHED_BY]):
            unwatched = WSGIHandler()
        for what, path in PATHS.items():
            measures = {
                name: partial(_cpu_ms, handler, path, headers)
                for name, handler in (("with", watched), ("without", unwatched))
            }
            series = in_turns(measures, options, unit="ms of CPU", settle=True, what=f"{what}, ")
            results[f"{what} ({path})"] = {**series, "ratio": ratio(series["with"], series["without"])}
    return results


def _cpu_ms(handler: WSGIHandler, path: str, headers: dict[str, str]) -> float:
    began = time.thread_time()
    for _ in range(REQUESTS):
        _ask(handler, path, headers)
    return (time.thread_time() - began) * 1000 / REQUESTS


def _ask(handler: WSGIHandler, path: str, headers: dict[str, str]) -> None:
    environ = RequestFactory().get(path, headers={**headers, "Host": "localhost"}).environ
    told: list[str] = []
    start: Any = lambda status, *_: told.append(status)  # noqa: E731 - one line of WSGI
    answer: Any = handler(environ, start)
    b"".join(answer)
    answer.close()
    if not told[0].startswith("200"):
        raise CommandError(f"{path} answered {told[0]}.")


def _somebody() -> dict[str, str]:
    found = User.objects.filter(wallets__kind="customer", status="active").order_by("pk").first()
    if found is None:
        raise CommandError("There is no customer: run load_customers first.")
    return signed_in(found.public_id)


@contextmanager
def _as_in_production() -> Iterator[None]:
    """Counters in files, and lines as JSON, which nobody reads."""
    [handler] = logging.getLogger("mymoolah.access").handlers
    assert isinstance(handler, logging.StreamHandler)
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nobody:
        metrics_folder.share(Path(folder), program="benchmark")
        handler.setFormatter(JsonLine())
        handler.setStream(nobody)
        yield
