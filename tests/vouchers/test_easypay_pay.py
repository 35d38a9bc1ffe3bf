"""The command that plays the till, against a server that really listens."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import CommandError, call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connections

from mymoolah.common.clock import now
from tests.conftest import Ledger, Person, fund
from tests.vouchers.till import CASH_OUT, SPENT, TOP_UP, UNKNOWN_NUMBER, done, issue, moves, number_of
from vouchers.models import TillEvent, Voucher


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        pass


class Closing(WSGIHandler):
    """Leaves no database connection behind in the thread that answered."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        try:
            return super().__call__(environ, start_response)
        finally:
            connections.close_all()


@pytest.fixture
def address(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The application on a port of its own, until the test ends."""
    monkeypatch.setattr(django_settings, "ALLOWED_HOSTS", ["127.0.0.1"])
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(Closing())
    yield from serving(server)


def serving(server: HTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def pay(*arguments: str, **options: Any) -> str:
    output = StringIO()
    call_command("easypay_pay", *arguments, stdout=output, **options)
    return output.getvalue()


@pytest.mark.parametrize("kind", [TOP_UP, SPENT, CASH_OUT])
def test_it_pays_whatever_the_number_is_for(kind: Voucher.Type, address: str, thandi: Person) -> None:
    fund(thandi, "500.00")
    number = number_of(issue(thandi, kind))
    with moves(done(kind, thandi)):
        said = pay(number, "100.00", "--url", address)
    event = TillEvent.objects.get()
    assert said == f"Applied: R100.00 on {number} (reference {event.provider_reference}).\n"
    assert abs((now() - event.paid_at).total_seconds()) < 60


def test_it_says_what_went_to_suspense(address: str) -> None:
    said = pay(UNKNOWN_NUMBER, "70", "--reference", "slip 7", "--url", address + "/")
    assert said == f"In suspense, for finance to decide: R70 on {UNKNOWN_NUMBER} (reference slip 7).\n"


def test_the_same_reference_counts_once_and_each_new_one_again(address: str) -> None:
    for _ in range(2):
        pay(UNKNOWN_NUMBER, "70", "--reference", "EP-1", "--url", address)
    pay(UNKNOWN_NUMBER, "70", "--url", address)
    pay(UNKNOWN_NUMBER, "70", "--url", address, verbosity=0)
    assert TillEvent.objects.count() == 3


def test_as_json_it_says_all_that_it_sent(address: str) -> None:
    moment = "2026-03-01T09:30:00+02:00"
    said = json.loads(
        pay(UNKNOWN_NUMBER, "70.00", "--reference", "EP-1", "--paid-at", moment, "--url", address, "--json")
    )
    assert said == {
        "result": "suspense",
        "easypay_number": UNKNOWN_NUMBER,
        "amount": "70.00",
        "provider_reference": "EP-1",
        "paid_at": moment,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("123", "70.00"), "easypay_number: Fourteen digits."),
        ((UNKNOWN_NUMBER, "a lot"), "amount: Write an amount"),
        ((UNKNOWN_NUMBER, "70.00", "--paid-at", "yesterday"), "paid_at: Write a moment"),
        ((UNKNOWN_NUMBER, "70.00", "--paid-at", "2999-01-01T00:00:00Z"), "paid_at: This moment has not come yet."),
    ],
)
def test_what_the_server_refuses_is_told_in_one_line(address: str, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        pay(*arguments, "--url", address)
    assert str(caught.value).startswith("The server refused it (400). ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not TillEvent.objects.exists()


def test_another_secret_is_told(address: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from vouchers.management.commands import easypay_pay

    monkeypatch.setattr(easypay_pay, "signature", lambda *_, **__: "0" * 64)
    with pytest.raises(CommandError, match=r"refused it \(401\).*another EASYPAY_SECRET\?$"):
        pay(UNKNOWN_NUMBER, "70.00", "--url", address)
    settings.EASYPAY_SECRETS = []
    with pytest.raises(CommandError, match="no secret to sign with"):
        pay(UNKNOWN_NUMBER, "70.00", "--url", address)


def test_without_a_server_it_says_how_to_start_one() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(CommandError, match=r"No server answers at .*; `make demo` starts one\.$"):
        pay(UNKNOWN_NUMBER, "70.00", "--url", f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://127.0.0.1:eighty", ""])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(CommandError, match="is not an address such as"):
        pay(UNKNOWN_NUMBER, "70.00", "--url", url)


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"hello"), (200, b"[]"), (200, b'{"result": "great"}'), (404, b"<html>"), (500, b"{}")]
)
def test_something_else_that_listens_there_is_told(status: int, body: bytes) -> None:
    class Stranger(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
            pass

    serving_stranger = serving(HTTPServer(("127.0.0.1", 0), Stranger))
    url = next(serving_stranger)
    try:
        with pytest.raises(CommandError, match=rf"What answered \({status}\) is not the API of this bank"):
            pay(UNKNOWN_NUMBER, "70.00", "--url", url)
    finally:
        serving_stranger.close()  # type: ignore[attr-defined]
