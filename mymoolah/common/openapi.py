"""What the schema says of every operation alike: how to sign in, and what a refusal looks like."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

METHODS = {"get", "post", "put", "patch", "delete"}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable and machine-readable.",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "facts": {"type": "object", "additionalProperties": True},
        "errors": {
            "type": "object",
            "description": "By field; `body` where no single field is at fault",
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["code", "detail"],
                    "properties": {"code": {"type": "string"}, "detail": {"type": "string"}},
                },
            },
        },
        "request_id": {"type": "string"},
    },
    "example": {
        "type": "urn:mymoolah:problem:insufficient_funds",
        "title": "There is not enough money available",
        "status": 409,
        "code": "insufficient_funds",
        "detail": "There is not enough money available",
        "facts": {"available": "80.00", "needed": "120.00"},
        "request_id": "5f3a9c0e8d7b4a61b2c3d4e5f6a7b8c9",
    },
}
RATE_LIMIT_HEADERS = {
    "RateLimit-Limit": {"schema": {"type": "integer"}, "description": "Requests a minute"},
    "RateLimit-Remaining": {"schema": {"type": "integer"}},
    "RateLimit-Reset": {"schema": {"type": "integer"}, "description": "Seconds until the window ends"},
}
REFUSALS = {
    "400": "The request is not valid",
    "401": "Not signed in",
    "403": "Not for this account",
    "404": "No such thing, or somebody else's",
    "405": "The address does not do that",
    "406": "Only JSON is spoken",
    "409": "Refused; `code` says why, `facts` what to know",
    "413": "The body is too large",
    "415": "Only the media type of the request body is read",
    "422": "The idempotency key belongs to another request",
    "429": "Too many requests; see Retry-After",
    "503": "Try again after Retry-After; nothing was written",
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From `auth/token`"}


class TillScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "vouchers.till_authentication.EasyPayAuthentication"
    name = "till"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-Signature",
            "description": 'Hex HMAC-SHA256 with the shared secret over X-Timestamp + "." + body',
        }


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe what every operation may answer besides success (a postprocessing hook of drf-spectacular)."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for method in METHODS & path.keys():
            responses = path[method]["responses"]
            for answer in responses.values():
                answer["headers"] = {**RATE_LIMIT_HEADERS, **answer.get("headers", {})}
            for status, description in REFUSALS.items():
                responses.setdefault(status, {"description": description, "content": content})
    return result
