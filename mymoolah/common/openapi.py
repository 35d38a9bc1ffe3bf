"""What the schema says of every operation alike: how to sign in, what may be refused, and what an answer's headers say."""

from __future__ import annotations

import itertools
from typing import Any

from django.http import QueryDict
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import exceptions, serializers, status

from mymoolah.common.autoschema import PlainNames
from mymoolah.common.inputs import wrong_parameters
from mymoolah.common.problems import CONTENT_TYPE, Problem
from mymoolah.common.refusals import Refusals, refusals_of

REQUEST_ID = "5f3a9c0e8d7b4a61b2c3d4e5f6a7b8c9"
CODE = {
    "type": "string",
    "description": "Stable and machine-readable; new ones may come, so have a way for unknown ones",
}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457: why something was not done.",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "`urn:mymoolah:problem:` and the code"},
        "title": {"type": "string", "description": "For people, the same for each code"},
        "status": {"type": "integer", "description": "The HTTP status"},
        "code": CODE,
        "detail": {"type": "string", "description": "For people, about this very request"},
        "facts": {"type": "object", "additionalProperties": True, "description": "What to know about it, by name"},
        "errors": {
            "type": "object",
            "description": "By field, parameter or header; `body` where no single one is at fault",
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["code", "detail"],
                    "properties": {"code": CODE, "detail": {"type": "string"}},
                },
            },
        },
        "request_id": {"type": "string", "description": "Tell it to our support; also in `X-Request-ID`"},
    },
}
RATE_LIMIT = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
HEADERS = {
    "RateLimit-Limit": {"schema": {"type": "integer"}, "description": "Requests a minute, of support an hour"},
    "RateLimit-Remaining": {"schema": {"type": "integer"}, "description": "Requests left in this window"},
    "RateLimit-Reset": {"schema": {"type": "integer"}, "description": "Seconds until the window ends"},
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait before asking again"},
    "WWW-Authenticate": {"schema": {"type": "string"}, "description": "How to prove who asks (RFC 9110)"},
    "X-Request-ID": {
        "schema": {"type": "string"},
        "description": "The request's own, if it sent 1 to 64 letters, digits, `.`, `_` or `-`; a new one if not",
    },
}


class Operation(PlainNames):
    """Describes one method of a view, and every problem it can answer: an example for each code, and nothing else."""

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args)
        if operation is None:
            return None
        refusals = refusals_of(
            self.view,
            self.method,
            has_path_parameters="{" in self.path,
            invalid=self._invalid(),
        )
        responses = operation["responses"]
        for answer in responses.values():
            self._tell_headers(answer, RATE_LIMIT if self.view.throttle_classes else ())
        for code, problems in _by_status(refusals):
            responses[code] = self._refused(problems, refusals)
        return operation

    def get_summary(self) -> str:
        """`send_money` is Send money, where a person reads."""
        return str(self.get_operation_id()).replace("_", " ").capitalize()

    def _refused(self, problems: list[Problem], refusals: Refusals) -> dict[str, Any]:
        """The answer of one status, told by its problems."""
        bodies = [one.body(request_id=REQUEST_ID) for one in problems]
        answer: dict[str, Any] = {
            "description": "\n".join(f"- `{body['code']}`: {body['title']}" for body in bodies),
            "content": {
                CONTENT_TYPE: {
                    "schema": self._shared(ResolvedComponent.SCHEMA, "Problem", PROBLEM),
                    "examples": {body["code"]: self._example(body) for body in bodies},
                }
            },
        }
        names = ["Retry-After"] if any(one.retry_after_seconds is not None for one in problems) else []
        names += ["WWW-Authenticate"] if problems[0].status == status.HTTP_401_UNAUTHORIZED else []
        names += RATE_LIMIT if self.view.throttle_classes and any(one in refusals.counted for one in problems) else ()
        self._tell_headers(answer, names)
        return answer

    def _example(self, body: dict[str, Any]) -> dict[str, Any]:
        """Stands once for all operations, unless it is about this one, or another has this code."""
        example = {"value": body}
        if "errors" in body:
            return example
        shared = self._shared(ResolvedComponent.EXAMPLE, body["code"], example)
        return shared if self.registry[body["code"], ResolvedComponent.EXAMPLE].schema == example else example

    def _tell_headers(self, answer: dict[str, Any], names: Any) -> None:
        shared = {
            name: self._shared(ResolvedComponent.HEADER, name, HEADERS[name]) for name in ("X-Request-ID", *names)
        }
        answer["headers"] = {**shared, **answer.get("headers", {})}

    def _shared(self, kind: str, name: str, what: dict[str, Any]) -> dict[str, Any]:
        component = ResolvedComponent(name, kind, schema=what, object=name)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        ref: dict[str, Any] = component.ref
        return ref

    def _invalid(self) -> exceptions.ValidationError:
        """What a request without any of its values is answered; where nothing is needed, one with what is not known."""
        asked: Any = self.get_request_serializer() if self.method in {"POST", "PATCH"} else None
        if isinstance(asked, dict):
            (asked,) = (getattr(one, "request", one) for one in asked.values())  # an OpenApiRequest, or as it is
        if asked is not None:
            tried = (asked if isinstance(asked, type) else type(asked))(data={})
            if not tried.is_valid():
                return serializers.ValidationError(tried.errors)
        return serializers.ValidationError(wrong_parameters(QueryDict("walet=6070488488"), known=set()))


def _by_status(refusals: Refusals) -> list[tuple[str, list[Problem]]]:
    """The problems of each status, one for each code."""
    ordered = sorted({one.code: one for one in refusals.all}.values(), key=lambda one: one.status)
    return [(str(code), list(found)) for code, found in itertools.groupby(ordered, key=lambda one: one.status)]


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
