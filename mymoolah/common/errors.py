"""The one base of every refusal this bank can give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal a client can act on.

    `code` is stable and machine-readable, `status` is the HTTP status, `title` is for people. Facts are safe to show
    to whoever receives the answer. A refusal that knows when it ends sets its own `retry_after_seconds`. `example`
    holds the arguments, facts above all, that the API's documentation raises one with.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "This cannot be done"
    example: ClassVar[Mapping[str, Any]] = {}
    retry_after_seconds: int | None = None

    def __init__(self, *, detail: str = "", **facts: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.facts = facts


class NotFound(DomainError):
    code, status, title = "not_found", 404, "There is no such thing here"


class Unavailable(DomainError):
    """The database or a lock could not be had in time; nothing was written."""

    code, status, title = "temporarily_unavailable", 503, "Please try again in a moment"
    retry_after_seconds = 2
