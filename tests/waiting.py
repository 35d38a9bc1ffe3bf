"""Waiting for what comes about by itself, and not for longer than a busy machine takes."""

from __future__ import annotations

import time
from collections.abc import Callable

LIMIT_SECONDS = 60
POLL_SECONDS = 0.05


def wait_until(condition: Callable[[], object], limit_seconds: float = LIMIT_SECONDS) -> None:
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(POLL_SECONDS)
