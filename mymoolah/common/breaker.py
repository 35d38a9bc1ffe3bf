"""Leaving alone for a while what has failed: one short delay, not one for everybody who asks."""

from __future__ import annotations

import threading
import time


class Breaker:
    """What one process knows of something that may be away. After the pause one caller tries, and the others wait on."""

    def __init__(self, *, pause_seconds: float) -> None:
        self.pause_seconds = pause_seconds
        self._lock = threading.Lock()
        self._shut_until: float | None = None

    def lets_through(self) -> bool:
        """Whether to try. Who is told so says how it went, by `failed` or `went_well`."""
        if self._shut_until is None:
            return True
        with self._lock:
            if self.is_shut:
                return False
            self._shut_until = time.monotonic() + self.pause_seconds
            return True

    @property
    def is_shut(self) -> bool:
        """The same without trying."""
        until = self._shut_until
        return until is not None and time.monotonic() < until

    def failed(self) -> None:
        with self._lock:
            self._shut_until = time.monotonic() + self.pause_seconds

    def went_well(self) -> None:
        if self._shut_until is not None:
            with self._lock:
                self._shut_until = None
