"""Speaking to the API as one of the people, and reading what it refuses."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts import tokens
from accounts.models import User
from mymoolah.common.clock import now
from tests.conftest import Person
from tests.description import as_described

V1 = "/api/v1/"


def access_token(user: User, **changed: Any) -> str:
    role: tokens.Role = "staff" if user.is_staff else "customer"
    fields: dict[str, Any] = {"now": now(), "role": role, **changed}
    return tokens.issue_access_token(user_public_id=user.public_id, session_public_id=uuid.uuid4(), **fields)


@dataclass
class Caller:
    """A client of the API, signed in as somebody or nobody.

    An error nobody foresaw fails the test that calls, and so does an answer that the schema does not describe.
    """

    token: str | None = None
    client: Client = field(default_factory=Client)

    def get(self, path: str, **query: Any) -> HttpResponse:
        return as_described(self.client.get(V1 + path, query, headers=self._headers({})))

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self._send("post", path, body, headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self._send("patch", path, body, headers)

    def delete(self, path: str) -> HttpResponse:
        return self._send("delete", path, None, {})

    def follow(self, address: str) -> HttpResponse:
        return as_described(self.client.get(address, headers=self._headers({})))

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> HttpResponse:
        """Send `body`, bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        ask = getattr(self.client, method)
        return as_described(ask(V1 + path, data, content_type="application/json", headers=self._headers(headers)))

    def _headers(self, given: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in given.items()}
        return {**named, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}


def calling(who: Person) -> Caller:
    return Caller(access_token(who.user))


def body_of(answer: HttpResponse) -> Any:
    return json.loads(answer.content)


def problem(answer: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """Assert that `answer` is this problem, whole and told in the right type; its body."""
    assert (answer.status_code, body_of(answer).get("code")) == (status, code), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = body_of(answer)
    assert found["status"] == status
    assert found["type"] == f"urn:mymoolah:problem:{code}"
    assert found["title"]
    assert found["detail"]
    assert found["request_id"] == answer["X-Request-ID"]
    assert ("WWW-Authenticate" in answer) == (status == 401)
    assert ("Retry-After" in answer) or status not in {429, 503}
    assert "Traceback" not in answer.content.decode()
    return found


def errors_of(answer: HttpResponse) -> dict[str, list[str]]:
    """The codes of what is wrong with a request, by field."""
    errors = problem(answer, 400, "validation_error")["errors"]
    return {name: [one["code"] for one in found] for name, found in errors.items()}
