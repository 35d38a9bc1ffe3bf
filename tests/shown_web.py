"""The web process, with one address more, where it tells what tests/shown.py asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mymoolah import wsgi
from tests.shown import shown


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/shown":
        return wsgi.application(environ, start_response)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [shown().encode()]
