"""The `Idempotency-Key` header: what a client says so that asking twice does it once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from accounts.authentication import principal
from mymoolah.common.errors import DomainError
from mymoolah.common.problems import invalid
from mymoolah.common.refusals import Handler, refuses
from transactions import models
from transactions.posting import IdempotencyInFlight, IdempotencyKey, IdempotencyKeyReused

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
PRINTABLE = re.compile(r"[!-~]([ -~]{0,253}[!-~])?", re.ASCII)
PARAMETERS = [
    OpenApiParameter(
        HEADER,
        {"type": "string", "pattern": f"^{PRINTABLE.pattern}$"},
        OpenApiParameter.HEADER,
        required=True,
        description="1 to 255 printable ASCII characters, new for each request. The same key again gives the same "
        f"answer, marked `{REPLAYED_HEADER}: true`; with another request it is 422.",
    ),
    OpenApiParameter(
        REPLAYED_HEADER, location=OpenApiParameter.HEADER, response=True, enum=["true"], description="On a repeat only"
    ),
]


class IdempotencyKeyRequired(DomainError):
    code, status, title = "idempotency_key_required", 400, f"Send an {HEADER} header, so that this happens once"


def once_for_each_key(handler: Handler) -> Handler:
    """Describe a view's method that takes its key by `idempotency_key`."""
    described: Handler = extend_schema(parameters=PARAMETERS)(handler)
    return refuses(IdempotencyKeyRequired, IdempotencyKeyReused, IdempotencyInFlight)(described)


def idempotency_key(request: Request, values: Mapping[str, str]) -> IdempotencyKey:
    """The key of this request by its user, tied to the method, the route and the validated `values`.

    :raises IdempotencyKeyRequired: there is none
    :raises ValidationError: it is not 1 to 255 printable ASCII characters
    """
    key = request.headers.get(HEADER, "").strip(" ")
    if not key:
        raise IdempotencyKeyRequired
    if not PRINTABLE.fullmatch(key):
        raise invalid(HEADER, "invalid_key", "1 to 255 printable ASCII characters.")
    match = request.resolver_match
    asked = [request.method, match.route if match else request.path, dict(values)]
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()
    return IdempotencyKey(_actor(request), key, hashlib.sha256(canonical).digest())


def is_used(request: Request) -> bool:
    """Whether the key of this request by its user has done something already. One query."""
    key = request.headers.get(HEADER, "").strip(" ")
    used = models.IdempotencyKey.objects.filter(actor=_actor(request), key=key)
    return PRINTABLE.fullmatch(key) is not None and used.exists()


def _actor(request: Request) -> str:
    return f"user:{principal(request).public_id}"
