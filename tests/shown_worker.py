"""The worker, with one task more, by which it tells what tests/shown.py asks."""

from __future__ import annotations

from pathlib import Path

from mymoolah.celery import app
from tests.shown import shown

__all__ = ["app", "tell"]


@app.task(name="tests.tell")
def tell(*, path: str) -> None:
    Path(path).write_text(shown())
