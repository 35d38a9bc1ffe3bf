"""What happens around every request."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers
from structlog.contextvars import bound_contextvars

from mymoolah.common.parsers import LARGEST_UPLOAD_BYTES
from mymoolah.common.problems import API_PREFIX, LENGTH_REQUIRED, Problem
from mymoolah.common.replica import HAS_CHANGED
from mymoolah.common.throttling import COUNTED

# What can be long, and holds neither a token nor a voucher's code.
LONG = re.compile(r"/api/(schema|v1/(auth/sessions|transactions|vouchers|statements))", re.ASCII)
NO_GZIP = re.compile(r"\bgzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.ASCII | re.IGNORECASE)
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class RequestId:
    """Give every request an id, the client's own if it is a plain one, and say it in the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with bound_contextvars(request_id=request_id):  # every line in the log that is written meanwhile tells it
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class ApiHeaders:
    """Say in every limited answer, a refusal or a failure too, how much of the limit is left; keep answers private."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        usage = request.META.get(COUNTED)
        if usage is not None:
            for name, value in usage.headers().items():
                response[name] = value
        if request.path_info.startswith("/api/v1/"):
            response.setdefault("Cache-Control", "no-store")
        return response


class BodyLimits:
    """Refuse a body before anything reads it: one that is too large for any call, and one that does not say how large.

    What is smaller meets the limit of its own call in mymoolah/common/parsers.py. Without a length Django would take a
    body for an empty one. Outside of the API nobody uploads; without this, files in forms would fill the disk.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "Transfer-Encoding" in request.headers:
            return LENGTH_REQUIRED.answer(request)
        is_api = request.path_info.startswith(API_PREFIX)
        limit_bytes = LARGEST_UPLOAD_BYTES if is_api else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit_bytes:
            detail = f"At most {limit_bytes / 1024**2:.3g} MiB together."
            return Problem(status=413, code="body_too_large", detail=detail).answer(request)
        return self.get_response(request)


class OwnChanges:
    """Remember that somebody of the staff has sent something, until every list has it that he may see next.

    It is a cookie, and no secret: whoever makes one himself gets his lists from the primary.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method not in {"GET", "HEAD", "OPTIONS"} and not request.path_info.startswith(API_PREFIX):
            response.set_cookie(
                HAS_CHANGED,
                "1",
                max_age=math.ceil(settings.DATABASE_REPLICA_MAX_LAG_SECONDS) + 1,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response


class CompressLists(GZipMiddleware):
    """Compress lists, statements and the API's description; nothing else, and no PDF, which is compressed already.

    How short a compressed answer is tells something of the secrets in it to who chose a text beside them, a reference
    say, and sees how long answers are (BREACH). So tokens and codes are never compressed, and the library makes lengths
    differ at random. An answer of a packet or two would gain nothing.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_long = request.method in {"GET", "HEAD"} and LONG.fullmatch(request.path_info)
        if not is_long or response.get("Content-Type") == "application/pdf":
            return response
        if NO_GZIP.search(request.headers.get("Accept-Encoding", "")):
            patch_vary_headers(response, ["Accept-Encoding"])
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed
