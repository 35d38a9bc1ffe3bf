"""What customers meet while Redis is away or hangs, on a real web server: reads go on, and it heals by itself."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.api import access_token
from tests.conftest import Person, balance, fund
from tests.valkey import Valkey, own_valkey
from tests.web import Answer, Web, web_server

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ledger")]

READS = ("me", "dashboard", "wallets", "transactions", "vouchers", "kyc", "auth/sessions")
PASSWORD = "a-good-long-passphrase"
# One wait of half a second, and what a busy machine adds.
DELAY_SECONDS = 2.5


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    folder = Path(tempfile.mkdtemp(prefix="mm-", dir="/tmp"))
    with own_valkey(folder) as running:
        yield running
    shutil.rmtree(folder)


@pytest.fixture
def web(valkey: Valkey, ledger: object) -> Iterator[Web]:
    # All statements are recorded, so each of the requests would tell Redis of its own.
    named = {"REDIS_URL": valkey.cache_url, "MYMOOLAH_BROKER_URL": valkey.broker_url, "QUERY_LOG_SAMPLE_SHARE": "1"}
    with web_server(**named) as running:
        yield running


def waits(answer: Answer) -> None:
    assert (answer.status, answer.code) == (503, "temporarily_unavailable"), answer
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("how", ["gone", "hangs"])
def test_while_redis_is_away_reads_go_on_and_money_and_sign_in_wait_and_all_heals(
    how: str, web: Web, valkey: Valkey, thandi: Person, sipho: Person
) -> None:
    fund(thandi, "100.00")
    token = access_token(thandi.user)
    payment = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR", "reference": "Lunch"}
    credentials = {"email": "thandi@example.com", "password": PASSWORD}
    before = {path: web.ask("GET", path, token=token) for path in READS}
    assert {answer.status for answer in before.values()} == {200}
    assert web.ask("POST", "auth/password/forgot", {"email": "thandi@example.com"}).status == 202

    valkey.fail(how)
    for path, answer in before.items():
        during = web.ask("GET", path, token=token)
        assert during.status == 200, during
        assert "RateLimit-Limit" not in during.headers
        assert during.seconds < DELAY_SECONDS
        if path != "dashboard":  # which says when it was read
            assert during.body == answer.body
    for asked in (
        web.ask("POST", "auth/token", credentials),
        web.ask("POST", "auth/password/forgot", {"email": "thandi@example.com"}),
        web.ask("POST", "transfers", payment, token=token, Idempotency_Key="k"),
        web.ask("POST", "vouchers", {}, token=token, Idempotency_Key="k"),
        web.ask("POST", "vouchers/redeem", {"code": "4111111111111111"}, token=token, Idempotency_Key="k"),
    ):
        waits(asked)
        assert asked.seconds < DELAY_SECONDS
    assert balance(sipho).amount == 0

    valkey.recover()
    # Each of the processes has connections from before; none of them costs a customer an answer.
    for _ in range(10):
        answer = web.ask("GET", "me", token=token)
        assert (answer.status, "RateLimit-Limit" in answer.headers) == (200, True)
    assert web.ask("POST", "auth/token", credentials).status == 200
    assert web.ask("POST", "auth/password/forgot", {"email": "thandi@example.com"}).status == 202
    assert web.ask("POST", "transfers", payment, token=token, Idempotency_Key="k").status == 201


@pytest.mark.parametrize("how", ["gone", "hangs"])
def test_while_only_the_broker_is_away_who_needs_a_message_waits_and_nobody_else(
    how: str, valkey: Valkey, thandi: Person, sipho: Person
) -> None:
    fund(thandi, "100.00")
    token = access_token(thandi.user)
    payment = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR", "reference": "Lunch"}
    with web_server(MYMOOLAH_BROKER_URL=valkey.broker_url) as web:
        valkey.fail(how)
        for email in ("thandi@example.com", "nobody@example.com"):
            answer = web.ask("POST", "auth/password/forgot", {"email": email})
            waits(answer)
            assert answer.seconds < DELAY_SECONDS
        new_phone = {"phone": "0829990009", "current_password": PASSWORD}
        waits(web.ask("PATCH", "me", new_phone, token=token))
        change = {"current_password": PASSWORD, "new_password": "another-good-passphrase"}
        assert web.ask("POST", "me/password", change, token=token).status == 204
        assert web.ask("POST", "transfers", payment, token=token, Idempotency_Key="k").status == 201
        valkey.recover()
        for _ in range(4):
            assert web.ask("POST", "auth/password/forgot", {"email": "thandi@example.com"}).status == 202


def test_of_a_hundred_requests_at_once_to_two_processes_the_limit_is_let_through(web: Web, thandi: Person) -> None:
    token = access_token(thandi.user)
    first = web.ask("POST", "transfers", {}, token=token)
    if int(first.headers["RateLimit-Reset"]) < 30:
        time.sleep(int(first.headers["RateLimit-Reset"]) + 1.1)  # a window has its last second in it
        first = web.ask("POST", "transfers", {}, token=token)
    assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("60", "59")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: web.ask("POST", "transfers", {}, token=token), range(100)))

    assert Counter(answer.status for answer in answers) == {400: 59, 429: 41}
    told = sorted(int(answer.headers["RateLimit-Remaining"]) for answer in answers if answer.status == 400)
    assert told == list(range(59))
    assert all(1 <= int(answer.headers["Retry-After"]) <= 60 for answer in answers if answer.status == 429)
