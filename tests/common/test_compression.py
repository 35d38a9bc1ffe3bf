"""Long answers travel compressed to who can read them so; what holds a secret never does."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from django.http import HttpResponse

from tests.api import V1, Caller, body_of, calling
from tests.conftest import Ledger, Person, fund, send
from transactions import statements

YEAR = {"from": "2026-01-01", "to": "2027-12-31"}


def ask(who: Person, address: str, accept: str = "gzip", method: str = "get", **query: Any) -> HttpResponse:
    caller = calling(who)
    headers = {**caller._headers({}), "Accept-Encoding": accept}
    answer: HttpResponse = getattr(caller.client, method)(V1 + address, query, headers=headers)
    return answer


@pytest.fixture
def busy(thandi: Person, sipho: Person) -> Person:
    fund(thandi, "1000.00")
    for _ in range(20):
        send(thandi, sipho, "1.00")
    return thandi


def test_a_list_travels_compressed(busy: Person) -> None:
    plain, packed = ask(busy, "transactions", ""), ask(busy, "transactions", "br, gzip")
    assert packed["Content-Encoding"] == "gzip"
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 3
    assert json.loads(gzip.decompress(packed.content)) == body_of(plain)
    assert "Content-Encoding" not in plain
    assert "Accept-Encoding" in plain["Vary"]
    assert packed["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["", "identity", "br", "gzip;q=0", "gzip; q=0.00, br", "*;q=0"])
def test_who_does_not_read_it_gets_it_plain(busy: Person, accept: str) -> None:
    answer = ask(busy, "transactions", accept)
    assert "Content-Encoding" not in answer
    assert "Accept-Encoding" in answer["Vary"]
    assert len(body_of(answer)["results"]) == 21


def test_a_head_says_what_a_get_would_be(busy: Person) -> None:
    asked = ask(busy, "transactions", method="head")
    assert asked["Content-Encoding"] == "gzip"
    assert 300 < int(asked["Content-Length"]) < 2_000


def test_statements_travel_compressed_but_for_a_pdf(busy: Person) -> None:
    for name in ("json", "csv"):
        plain, packed = ask(busy, "statements", "", format=name, **YEAR), ask(busy, "statements", format=name, **YEAR)
        assert gzip.decompress(packed.content) == plain.content
    pdf = ask(busy, "statements", format="pdf", **YEAR)
    assert "Content-Encoding" not in pdf
    assert len(zlib.compress(pdf.content)) > 0.85 * len(pdf.content)


def test_a_long_statement_is_compressed_as_it_is_read(
    ledger: Ledger, busy: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "ENTRIES_PER_PAGE", 5)
    answer: Any = ask(busy, "statements", format="csv", **YEAR)
    assert answer.streaming
    assert "Content-Length" not in answer
    text = gzip.decompress(b"".join(answer.streaming_content)).decode()
    assert text.count("\n") > 21


def test_what_holds_a_secret_or_is_short_is_never_compressed(busy: Person) -> None:
    body = {"voucher_type": "standard", "amount": "50.00", "currency": "ZAR"}
    caller = calling(busy)
    headers = {"Accept-Encoding": "gzip"}
    made = caller.post("vouchers", body, Idempotency_Key="k", **headers)
    signed_in = Caller().post(
        "auth/token", {"email": "thandi@example.com", "password": "a-good-long-passphrase"}, **headers
    )
    assert (made.status_code, signed_in.status_code) == (201, 200)
    shown = [ask(busy, address) for address in (f"vouchers/{body_of(made)['id']}", "dashboard", "wallets", "me", "kyc")]
    for answer in (made, signed_in, *shown):
        assert len(answer.content) > 200
        assert "Content-Encoding" not in answer


def test_the_schema_travels_compressed(client: Any) -> None:
    answer = client.get("/api/schema", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert b"openapi: 3" in gzip.decompress(answer.content)
