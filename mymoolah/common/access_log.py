"""One line and a few figures for each request: where it led, how it ended, how long it took."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject

from mymoolah.common import metrics
from mymoolah.common.routes import method_of, route_of

logger = logging.getLogger("mymoolah.access")

REPLAYED_HEADER: Final = "Idempotency-Replayed"


class Statements:
    """Counts what one request asks of the database, and how long it waits for it."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += 1
            self.seconds += time.perf_counter() - began


class AccessLog:
    """Stands right behind `RequestId`. An answer that streams is told of when it begins, not when it has ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        statements, began = Statements(), time.perf_counter()
        with ExitStack() as watched:
            for connection in connections.all():
                watched.enter_context(connection.execute_wrapper(statements))
            response = self.get_response(request)
        answered = Answered(request, response, statements, time.perf_counter() - began)
        answered.count()
        answered.tell()
        return response


@dataclass(frozen=True)
class Answered:
    request: HttpRequest
    response: HttpResponse
    statements: Statements
    seconds: float

    @cached_property
    def route(self) -> str:
        return route_of(self.request)

    @property
    def method(self) -> str:
        return method_of(self.request)

    @property
    def code(self) -> str:
        """Of the problem that was answered."""
        return getattr(self.response, "problem_code", "")

    @property
    def is_payment(self) -> bool:
        """Whether this was an order to move money, answered by its view."""
        view = getattr(self.request.resolver_match and self.request.resolver_match.func, "view_class", None)
        return self.method == "POST" and getattr(view, "counts_refusals", False)

    @property
    def user(self) -> str:
        """The public id of who was found to ask, if anybody looked: it is not the log's to open a session for."""
        user = getattr(self.request, "_cached_user", None) or self.request.__dict__.get("user")
        if user is None or isinstance(user, LazyObject):
            return ""
        return str(getattr(user, "public_id", None) or "")

    def count(self) -> None:
        metrics.REQUESTS.labels(self.route, self.method, self.response.status_code).inc()
        metrics.REQUEST_SECONDS.labels(self.route, self.method).observe(self.seconds)
        metrics.REQUEST_QUERIES.labels(self.route).observe(self.statements.count)
        metrics.DATABASE_SECONDS.labels(self.route).inc(self.statements.seconds)
        if self.code:
            metrics.PROBLEMS.labels(self.route, self.code).inc()
        is_replay = REPLAYED_HEADER in self.response
        if is_replay:
            metrics.REPLAYS.labels(self.route).inc()
        if self.is_payment:
            metrics.PAYMENTS.labels(self.route, self.code or ("replayed" if is_replay else "posted")).inc()

    def tell(self) -> None:
        facts: dict[str, object] = {
            "method": self.method,
            "route": self.route,
            "status": self.response.status_code,
            "duration_ms": round(self.seconds * 1000, 1),
            "queries": self.statements.count,
            "database_ms": round(self.statements.seconds * 1000, 1),
            "user": self.user,
            "code": self.code,
        }
        known = {name: value for name, value in facts.items() if value != ""}
        logger.info("%(method)s %(route)s %(status)s in %(duration_ms)s ms", known, extra=known)
