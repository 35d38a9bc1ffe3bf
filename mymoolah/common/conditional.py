"""Conditional GET (RFC 9110, section 13): who has the newest answer already is told so, and not sent it again."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.http import HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from mymoolah.common.errors import DomainError

NOT_MODIFIED = {304: OpenApiResponse(description="Nothing has changed: show what you have")}
PARAMETERS = [
    OpenApiParameter(
        "If-None-Match",
        location=OpenApiParameter.HEADER,
        description="The `ETag` of the answer you have; 304 if it stands",
    ),
    OpenApiParameter(
        "ETag",
        location=OpenApiParameter.HEADER,
        response=[200, 304],
        description="Another one once anything has changed but the time of asking",
    ),
]


class PreconditionFailed(DomainError):
    code, status, title = "precondition_failed", 412, "If-Match cannot be met: these answers have weak tags only"


def rendered(body: dict[str, Any]) -> bytes:
    """JSON as the API sends it."""
    text: bytes = JSONRenderer().render(body)
    return text


def answer_text(request: Request, text: bytes, *, tagged: bytes, owner: uuid.UUID) -> HttpResponse:
    """Answer with JSON that `owner` may keep, and must ask about each time; 304 if he has it.

    The tag is over `tagged`, the part that matters, as it is sent: a release that words it otherwise changes it too. It
    is over the owner as well: nobody can learn from a tag that somebody else's wallet looks like his own.

    :raises PreconditionFailed: If-Match was sent, which compares strongly
    """
    digest = hashlib.sha256(owner.bytes + tagged).hexdigest()[:32]
    whole = HttpResponse(text, content_type="application/json")
    whole["ETag"] = f'W/"{digest}"'
    whole["Cache-Control"] = "private, no-cache"
    patch_vary_headers(whole, ["Authorization"])
    found = get_conditional_response(request._request, etag=whole["ETag"], response=whole)  # noqa: SLF001
    assert isinstance(found, HttpResponse)
    if found.status_code == PreconditionFailed.status:
        raise PreconditionFailed
    return found
