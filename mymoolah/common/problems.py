"""Every refusal and failure as an RFC 9457 problem: what the customers' API answers when it does not do what was asked.

`problem_handler` speaks for views of the REST framework, the `handle_*` functions for everything around them.
"""

from __future__ import annotations

import http
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.settings import api_settings

from mymoolah.common import refused_payments
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError, Unavailable

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
API_PREFIX = "/api/"
# The whole body, where no single field is at fault.
BODY = "body"
TITLES = {
    "validation_error": "The request is not valid",
    "not_authenticated": "Please sign in",
    "token_invalid": "This access token is not valid",
    "token_expired": "This access token has expired",
    "signature_invalid": "This request is not signed as it must be",
    "timestamp_invalid": "This request was not signed just now",
    "permission_denied": "This is not allowed",
    "wrong_role": "This account is not a customer's",
    "not_found": "There is no such thing here",
    "method_not_allowed": "This address does not do that",
    "not_acceptable": "The answer cannot be given in that format",
    "unsupported_media_type": "This media type is not read here",
    "length_required": "The request must say how long it is",
    "body_too_large": "The request is too large",
    "rate_limited": "Too many requests",
    "bad_request": "The request is not valid",
    "internal_error": "Something went wrong on our side",
}
# The REST framework's own names for what the API calls otherwise.
CODES = {"invalid": "validation_error", "throttled": "rate_limited", "parse_error": "validation_error"}
OUT_OF_REACH = (OperationalError, InterfaceError, psycopg.OperationalError)

Errors = Mapping[str, list[dict[str, str]]]


@dataclass(frozen=True, kw_only=True)
class Problem:
    status: int
    code: str
    title: str = ""
    detail: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)
    retry_after_seconds: int | None = None
    challenge: str = 'Bearer realm="mymoolah"'

    def body(self, *, request_id: str) -> dict[str, Any]:
        title = self.title or TITLES.get(self.code) or http.HTTPStatus(self.status).phrase
        body: dict[str, Any] = {
            "type": f"urn:mymoolah:problem:{self.code}",
            "title": title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail or title,
        }
        if self.facts:
            body["facts"] = dict(self.facts)
        if self.errors:
            body["errors"] = dict(self.errors)
        body["request_id"] = request_id
        return body

    def answer(self, request: HttpRequest | Request) -> HttpResponse:
        body = self.body(request_id=getattr(request, "request_id", ""))
        answer = JsonResponse(body, status=self.status, content_type=CONTENT_TYPE)
        answer.problem_code = self.code  # type: ignore[attr-defined] # for who counts and logs it
        if self.status == http.HTTPStatus.UNAUTHORIZED:
            answer["WWW-Authenticate"] = self.challenge
        if self.retry_after_seconds is not None:
            answer["Retry-After"] = str(max(1, self.retry_after_seconds))
        return answer


BAD_REQUEST = Problem(status=400, code="bad_request")
LENGTH_REQUIRED = Problem(status=411, code="length_required", detail="Send Content-Length, not chunks.")
INTERNAL_ERROR = Problem(status=500, code="internal_error")


def problem_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Answer for a view; None leaves the error to Django, which logs it and calls `handle_500`."""
    problem = problem_of(error)
    if problem is None:
        return None
    counts = getattr(context.get("view"), "counts_refusals", False)
    if counts and isinstance(error, DomainError) and problem.status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
        refused_payments.count(problem.code, at=now())
    return problem.answer(context["request"])


def problem_of(error: Exception) -> Problem | None:
    """The problem that `error` stands for, or None when nobody foresaw it."""
    if isinstance(error, DomainError):
        return Problem(
            status=error.status,
            code=error.code,
            title=error.title,
            detail=error.detail,
            facts=error.facts,
            retry_after_seconds=error.retry_after_seconds,
        )
    if isinstance(error, OUT_OF_REACH):
        logger.error("The database could not be reached or did not answer in time", exc_info=error)
        return problem_of(Unavailable())
    if isinstance(error, Http404):
        return Problem(status=404, code="not_found")
    if isinstance(error, PermissionDenied):
        return Problem(status=403, code="permission_denied")
    if isinstance(error, exceptions.APIException):
        return _problem_of_framework(error)
    return None


def invalid(field_name: str, code: str, detail: str) -> exceptions.ValidationError:
    """What to raise when one field, parameter or header is wrong."""
    return exceptions.ValidationError({field_name: [exceptions.ErrorDetail(detail, code)]})


def _problem_of_framework(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        return Problem(status=400, code="validation_error", errors=_errors(error.get_full_details()))
    code = error.get_codes()
    code = CODES.get(code, code) if isinstance(code, str) else "bad_request"
    wait_seconds = getattr(error, "wait", None)
    challenge = getattr(error, "auth_header", None)
    return Problem(
        status=error.status_code,
        code=code,
        detail=str(error.detail) if isinstance(error.detail, str) else "",
        retry_after_seconds=None if wait_seconds is None else int(wait_seconds),
        **({"challenge": challenge} if challenge else {}),
    )


def _errors(details: Any) -> Errors:
    by_field = details if isinstance(details, dict) else {BODY: details}
    return {
        BODY if name == api_settings.NON_FIELD_ERRORS_KEY else str(name): [
            {"code": str(one["code"]), "detail": str(one["message"])} for one in _flat(found)
        ]
        for name, found in by_field.items()
    }


def _flat(found: Any) -> list[dict[str, Any]]:
    if isinstance(found, dict):
        return [found] if "message" in found else [one for inner in found.values() for one in _flat(inner)]
    return [one for inner in found for one in _flat(inner)]


# Outside of the framework's views -----------------------------------------------------------------------------------
def _or_page(request: HttpRequest, problem: Problem, page: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    return problem.answer(request) if request.path_info.startswith(API_PREFIX) else page()


def handle_400(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    detail = "This host name is not served here." if isinstance(exception, DisallowedHost) else ""
    problem = replace(BAD_REQUEST, detail=detail)
    return _or_page(request, problem, lambda: defaults.bad_request(request, exception))


def handle_403(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    problem = Problem(status=403, code="permission_denied")
    return _or_page(request, problem, lambda: defaults.permission_denied(request, exception))


def handle_404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    problem = Problem(status=404, code="not_found")
    return _or_page(request, problem, lambda: defaults.page_not_found(request, exception))


def handle_500(request: HttpRequest) -> HttpResponseBase:
    return _or_page(request, failure(), lambda: defaults.server_error(request))


def failure() -> Problem:
    """What Django is answering for just now: that something could not be had in time (503), or nothing of it (500)."""
    error = sys.exception()
    problem = problem_of(error) if isinstance(error, Exception) else None
    return problem if problem and problem.status == http.HTTPStatus.SERVICE_UNAVAILABLE else INTERNAL_ERROR
