"""One line and a few figures for each task: its name, its id, how long it took and how it ended."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from celery import Task, signals
from structlog.contextvars import bind_contextvars, reset_contextvars

from mymoolah.common import metrics

logger = logging.getLogger(__name__)

SENT_AT: Final = "sent_at"
"""The header of a message that says when it was put into the queue, in Unix seconds."""


@signals.before_task_publish.connect
def note_when_sent(sender: str, headers: dict[str, Any], **_: object) -> None:
    headers[SENT_AT] = time.time()
    metrics.TASKS_SENT.labels(sender).inc()


@signals.task_prerun.connect
def begin(task_id: str, task: Task[Any, Any], **_: object) -> None:
    """From here on every line in the log names the task."""
    task.request.update(began=time.perf_counter(), bound=bind_contextvars(task=task.name, task_id=task_id))


@signals.task_postrun.connect
def end(task_id: str, task: Task[Any, Any], state: str | None, retval: object, **_: object) -> None:
    seconds = time.perf_counter() - task.request.get("began")
    outcome = (state or "unknown").lower()
    metrics.TASKS.labels(task.name, outcome).inc()
    metrics.TASK_SECONDS.labels(task.name).observe(seconds)
    facts = {"task": task.name, "task_id": task_id, "outcome": outcome, "duration_ms": round(seconds * 1000, 1)}
    error = retval if outcome == "failure" and isinstance(retval, BaseException) else None
    logger.log(
        logging.ERROR if error else logging.INFO,
        "%(task)s [%(task_id)s]: %(outcome)s in %(duration_ms)s ms",
        facts,
        exc_info=error,
        extra=facts,
    )
    reset_contextvars(**task.request.get("bound"))
