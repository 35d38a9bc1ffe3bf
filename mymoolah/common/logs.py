"""What stands in the log: lines to read while developing, one JSON object a line in production.

JSON lines hold no personal data. Whoever writes one names ids, codes and routes; what libraries say of a request or of
an error is told without its path and its words, for both can hold a number or an address.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any, Final

from django.http import HttpRequest
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict

from mymoolah.common.routes import route_of

# What a line may tell beside its sentence.
FIELDS: Final = (
    "method",
    "route",
    "status",
    "code",
    "user",
    "duration_ms",
    "queries",
    "database_ms",
    "task",
    "task_id",
    "outcome",
)
FRAMES_MAX: Final = 40
SECURITY: Final = "django.security."
PLAIN: Final = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"


class TellRequestId(logging.Filter):
    """Put the id of its request on a log record, a dash where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = get_contextvars().get("request_id", "-")
        return True


class OneLine(logging.Formatter):
    """Tell a warning at most, in one line: Django tells requests it refuses as errors, with where in its code it was."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(as_warning(record)).replace("\n", "\\n")


class JsonLine(ProcessorFormatter):
    def __init__(self) -> None:
        super().__init__(
            foreign_pre_chain=[
                merge_contextvars,
                add_log_level,
                add_logger_name,
                ExtraAdder(allow=FIELDS),
                TimeStamper(fmt="iso", utc=True),
                tell_error,
            ],
            processors=[ProcessorFormatter.remove_processors_meta, JSONRenderer()],
        )

    def format(self, record: logging.LogRecord) -> str:
        return super().format(without_path(record))


class JsonWarning(JsonLine):
    def format(self, record: logging.LogRecord) -> str:
        return super().format(as_warning(record))


def as_warning(record: logging.LogRecord) -> logging.LogRecord:
    level = min(record.levelno, logging.WARNING)
    told = {"levelno": level, "levelname": logging.getLevelName(level), "exc_info": None, "exc_text": None}
    return logging.makeLogRecord(record.__dict__ | told)


def without_path(record: logging.LogRecord) -> logging.LogRecord:
    """What Django says of a request, with the route in place of the path.

    Of one that it refuses as unsafe only the kind: the reason quotes headers and queries.
    """
    request = getattr(record, "request", None)
    if record.name.startswith(SECURITY):
        told = {"msg": f"Refused as unsafe: {record.name.removeprefix(SECURITY)}", "args": (), "exc_info": None}
        return logging.makeLogRecord(record.__dict__ | told)
    if not isinstance(request, HttpRequest) or not isinstance(record.args, tuple):
        return record
    args = tuple(route_of(request) if one == request.path else one for one in record.args)
    return logging.makeLogRecord(record.__dict__ | {"args": args})


def tell_error(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Tell of an error what it was and where, and none of its words: PostgreSQL's hold values of rows, others worse."""
    exc_info = event.pop("exc_info", None)
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        event["error"] = [_told(one) for one in _chain(error)]
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came from, as Python would show them."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _told(error: BaseException) -> dict[str, Any]:
    kind, walked = type(error), traceback.walk_tb(error.__traceback__)
    frames = [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in walked]
    told: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}", "where": frames[-FRAMES_MAX:]}
    diagnostics = getattr(error, "diag", None)
    if diagnostics is not None:
        names = ("sqlstate", "schema_name", "table_name", "column_name", "constraint_name")
        told |= {name: value for name in names if (value := getattr(diagnostics, name, None))}
    return told


def configuration(*, as_json: bool) -> dict[str, Any]:
    """Django's LOGGING: everything on the process's own error output."""
    ours = ("accounts", "wallets", "transactions", "vouchers", "reporting", "mymoolah")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": "mymoolah.common.logs.TellRequestId"}},
        "formatters": {
            "line": {"()": "mymoolah.common.logs.JsonLine"} if as_json else {"format": PLAIN},
            "warning": {"()": "mymoolah.common.logs.JsonWarning"}
            if as_json
            else {"()": "mymoolah.common.logs.OneLine", "fmt": PLAIN},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "filters": ["request_id"], "formatter": "line"},
            "access": {"class": "logging.StreamHandler", "filters": ["request_id"], "formatter": "line"},
            "refused": {"class": "logging.StreamHandler", "filters": ["request_id"], "formatter": "warning"},
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            **{name: {"level": "INFO"} for name in ours},
            "mymoolah.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"level": "ERROR"},  # refusals are no failures
            "django.security": {"handlers": ["refused"], "propagate": False},  # a stranger's doing, not ours
            "django.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
            "celery": {"level": "INFO"},
            # A task's beginning and end are told by mymoolah/common/task_log.py, without the words of its error.
            "celery.app.trace": {"level": "CRITICAL", "propagate": False},
            "celery.worker.strategy": {"level": "WARNING"},
        },
    }
