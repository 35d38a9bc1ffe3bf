"""What is not as it should be: bodies, addresses, methods, servers that are away."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import psycopg_pool
import pytest
from django.db import OperationalError, connection
from django.test import Client

from accounts.api import MeView
from accounts.models import User
from mymoolah.common.errors import DomainError
from mymoolah.common.logs import TellRequestId
from mymoolah.common.problems import problem_of
from tests.api import V1, Caller, body_of, calling, errors_of, problem
from tests.conftest import Person

MALFORMED = {
    "nothing that is JSON": b"{",
    "not UTF-8": b'{"email": "\xff"}',
    "UTF-16": '{"email": "x"}'.encode("utf-16"),
    "a list": b"[]",
    "a string": b'"x"',
    "a number": b"7",
    "null": b"null",
    "NaN": b'{"amount": NaN}',
    "Infinity": b'{"amount": -Infinity}',
    "a key twice": b'{"email": "a", "email": "b"}',
    "a key twice inside": b'{"x": {"a": 1, "a": 2}}',
    "deep lists": b'{"x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "deep objects": b'{"x":' * 10_000 + b"1" + b"}" * 10_000,
    "a number too long to read": b'{"x": ' + b"9" * 5000 + b"}",
    "NUL": b'{"email": "a\\u0000b"}',
    "NUL in a key": b'{"a\\u0000b": 1}',
    "half a surrogate pair": b'{"x": ["\\ud800"]}',
    "two values": b"{} {}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "single quotes": b"{'email': 'x'}",
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", MALFORMED)
def test_a_body_that_is_not_one_plain_object_is_a_problem(name: str) -> None:
    assert errors_of(Caller().post("auth/token", MALFORMED[name])) == {"body": ["malformed_json"]}


@pytest.mark.django_db
def test_a_body_without_content_lacks_its_fields() -> None:
    assert errors_of(Caller().post("auth/token")) == {"email": ["required"], "password": ["required"]}


@pytest.mark.django_db
def test_a_body_that_is_too_large_is_not_read() -> None:
    problem(Caller().post("auth/token", b'{"email": "' + b"x" * 70_000 + b'"}'), 413, "body_too_large")


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
def test_only_json_is_read(content_type: str) -> None:
    answer: Any = Client().generic("POST", V1 + "auth/token", b"email=x", content_type=content_type)
    problem(answer, 415, "unsupported_media_type")


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf8"'])
def test_json_may_say_that_it_is_utf_8(charset: str) -> None:
    content_type = f"application/json; charset={charset}"
    answer: Any = Client().generic("POST", V1 + "auth/token", b"{}", content_type=content_type)
    assert errors_of(answer) == {"email": ["required"], "password": ["required"]}


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "", "none-such"])
def test_json_in_another_charset_is_not_read(charset: str) -> None:
    content_type = f"application/json; charset={charset}"
    answer: Any = Client().generic("POST", V1 + "auth/token", b"{}", content_type=content_type)
    problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/nope", "/api/v1/me/", "/api/v2/me", "/api/v1/transfers/7"]
)
def test_an_unknown_address_is_a_problem(client: Client, path: str) -> None:
    for ask in (client.get, client.post, client.delete):
        answer: Any = ask(path)
        problem(answer, 404, "not_found")


def test_an_unknown_address_elsewhere_is_a_page(client: Client) -> None:
    answer = client.get("/nope")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_method_that_is_not_offered_is_a_problem(thandi: Person) -> None:
    caller = calling(thandi)
    problem(caller.post("me", {}), 405, "method_not_allowed")
    problem(caller.get("transfers"), 405, "method_not_allowed")
    answer: Any = Client().delete(V1 + "dashboard", headers=caller._headers({}))
    problem(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


def test_a_format_that_is_not_spoken_is_a_problem(thandi: Person) -> None:
    caller = calling(thandi)
    answer: Any = caller.client.get(V1 + "me", headers={**caller._headers({}), "Accept": "text/csv"})
    problem(answer, 406, "not_acceptable")
    assert errors_of(caller.get("me", format="csv")) == {"format": ["unknown_parameter"]}  # not the framework's own 404


def test_a_strange_host_is_a_problem(client: Client) -> None:
    answer: Any = client.get(V1 + "me", headers={"Host": "evil.example"})
    problem(answer, 400, "bad_request")


@contextmanager
def told_by(logger: str) -> Iterator[StringIO]:
    """What a logger's own handler writes."""
    handlers = logging.getLogger(logger).handlers
    [handler] = [one for one in handlers if any(isinstance(f, TellRequestId) for f in one.filters)]
    assert isinstance(handler, logging.StreamHandler)
    told = StringIO()
    before = handler.setStream(told)
    yield told
    handler.setStream(before)


@pytest.mark.parametrize("elsewhere", ["/admin/login/", "/readyz", V1 + "me", V1 + "auth/token"])
@pytest.mark.parametrize("is_host", [True, False])
def test_what_a_stranger_asks_oddly_is_a_line_in_the_log_at_most(
    client: Client, thandi: Person, elsewhere: str, is_host: bool
) -> None:
    query = "" if is_host else "?" + "a=1&" * 1_001
    headers = calling(thandi)._headers({})
    with told_by("") as failures, told_by("django.security") as told:
        answer: Any = client.get(elsewhere + query, headers=headers | ({"Host": "evil\n.example"} if is_host else {}))
    assert failures.getvalue() == ""
    assert answer.status_code < 500
    lines = told.getvalue().splitlines()
    assert len(lines) == (answer.status_code == 400)
    assert all("WARNING django.security." in line for line in lines)


def test_what_nobody_foresaw_is_told_in_the_log(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*_: object) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(MeView, "get", fall)
    caller = calling(thandi)
    caller.client.raise_request_exception = False
    with told_by("") as told:
        answer = caller.get("me")
    assert "Traceback (most recent call last)" in told.getvalue()
    assert f"ERROR django.request [{answer['X-Request-ID']}] Internal Server Error: /api/v1/me" in told.getvalue()
    assert "ZeroDivisionError: nobody foresaw this" in told.getvalue()


def test_what_nobody_foresaw_is_a_bare_500(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*_: object) -> None:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr(MeView, "get", fall)
    caller = calling(thandi)
    caller.client.raise_request_exception = False
    answer = caller.get("me")
    problem(answer, 500, "internal_error")
    assert b"secret" not in answer.content
    assert "RateLimit-Limit" in answer


@pytest.mark.parametrize("error", [OperationalError("server closed"), psycopg_pool.PoolTimeout("none left")])
def test_a_database_out_of_reach_is_a_503(thandi: Person, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fall(*_: object) -> None:
        raise error

    monkeypatch.setattr(MeView, "get", fall)
    answer = calling(thandi).get("me")
    problem(answer, 503, "temporarily_unavailable")
    assert answer["Retry-After"] == "2"


def test_a_statement_that_takes_too_long_is_a_503(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(*_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '10ms'")
            cursor.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr(MeView, "get", sleep)
    problem(calling(thandi).get("me"), 503, "temporarily_unavailable")


def test_facts_reach_the_answer_only_when_there_are_some(thandi: Person) -> None:
    class Refused(DomainError):
        code, status, title = "refused", 409, "No"

    with_facts, without = problem_of(Refused(left="1.00")), problem_of(Refused())
    assert with_facts is not None
    assert without is not None
    request: Any = type("Request", (), {"request_id": "r"})()
    assert json.loads(with_facts.answer(request).content)["facts"] == {"left": "1.00"}
    assert "facts" not in json.loads(without.answer(request).content)


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-123_X.y", True), ("x" * 65, False), ("a b", False), ("é", False), ("", False)]
)
def test_a_request_keeps_a_plain_id_of_the_client(client: Client, given: str, kept: bool) -> None:
    answer = client.get(V1 + "nope", headers={"X-Request-ID": given})
    assert (answer["X-Request-ID"] == given) is kept
    assert body_of(answer)["request_id"] == answer["X-Request-ID"]  # type: ignore[arg-type]


def test_nothing_was_written_by_any_of_it(db: None) -> None:
    for raw in MALFORMED.values():
        Caller().post("auth/register", raw)
    assert not User.objects.exists()
