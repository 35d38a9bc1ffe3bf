"""What people meet while PostgreSQL is away, busy or just back, on a real web server, which nobody restarts."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from tests.api import access_token
from tests.back_office.house import colleague
from tests.conftest import ADMIN_URL, Ledger, Person, balance, database_of_its_own, fund, servers_home
from tests.postgres import HOME, OwnPostgres, own_postgres
from tests.waiting import wait_until
from tests.web import Answer, Web, web_server

pytestmark = pytest.mark.slow

# It is 0.7 seconds for a connection, and what a busy machine adds.
DELAY_SECONDS = 4
READS = ("me", "dashboard", "wallets", "transactions", "vouchers", "kyc", "auth/sessions")


@pytest.fixture(scope="module")
def postgres(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[OwnPostgres]:
    if not settings.EMBEDDED:
        pytest.skip("the servers are somebody else's")
    with django_db_blocker.unblock(), own_postgres(servers_home(request.config)) as server:
        yield server


@pytest.fixture
def ledger(postgres: OwnPostgres, django_db_blocker: Any) -> Iterator[Ledger]:
    with django_db_blocker.unblock(), postgres.in_use(), database_of_its_own(HOME) as fresh:
        yield fresh


@pytest.fixture
def web(ledger: Ledger) -> Iterator[Web]:
    with web_server(RATELIMIT_ENABLE="off") as running:
        yield running


def pay(web: Web, token: str, key: str = "") -> Answer:
    order = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR", "reference": "Lunch"}
    return web.ask("POST", "transfers", order, token=token, Idempotency_Key=key or uuid.uuid4().hex)


def staff_cookie(role: str) -> str:
    client = Client()
    client.force_login(colleague(role))
    return f"staff={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def waits(answer: Answer) -> None:
    assert (answer.status, answer.code) == (503, "temporarily_unavailable"), answer
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.seconds < DELAY_SECONDS


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_after_a_restart_nobody_is_told_to_try_again(
    postgres: OwnPostgres, web: Web, thandi: Person, sipho: Person, how: signal.Signals
) -> None:
    fund(thandi, "100.00")
    token = access_token(thandi.user)
    with ThreadPoolExecutor(24) as pool:  # so that the pools of both processes are full
        statuses = list(pool.map(lambda _: web.ask("GET", "dashboard", token=token).status, range(200)))
    assert Counter(statuses) == {200: 200}

    postgres.end(how)
    postgres.start()
    connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        writes = pool.map(lambda _: pay(web, token).status, range(20))
        reads = pool.map(lambda _: web.ask("GET", "wallets", token=token).status, range(60))
        assert Counter(writes) == {201: 20}
        assert Counter(reads) == {200: 60}
    assert balance(sipho).amount == 20


def test_while_it_is_away_everybody_is_told_to_wait_and_then_served_again(
    postgres: OwnPostgres, web: Web, thandi: Person, sipho: Person
) -> None:
    fund(thandi, "100.00")
    token, cookie = access_token(thandi.user), staff_cookie("support")
    assert web.ask("GET", "/admin/wallets/wallet/", Cookie=cookie).status == 200

    postgres.end()
    for path in READS:
        waits(web.ask("GET", path, token=token))
    waits(pay(web, token, "k"))
    for page in ("/admin/", "/admin/wallets/wallet/", "/admin/books/house/"):
        answer = web.ask("GET", page, Cookie=cookie)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert b"The bank does not answer just now" in answer.body
        assert b"Traceback" not in answer.body
        assert answer.seconds < DELAY_SECONDS
    ready = web.ask("GET", "/readyz")
    assert (ready.status, ready.headers["Retry-After"]) == (503, "5")
    assert ready.seconds < DELAY_SECONDS
    assert web.ask("GET", "/healthz").status == 200

    postgres.start()
    connections.close_all()
    wait_until(lambda: all(web.ask("GET", "dashboard", token=token).status == 200 for _ in range(8)), 20)
    assert (web.ask("GET", "/readyz").status, web.ask("GET", "/admin/", Cookie=cookie).status) == (200, 200)
    assert [pay(web, token, "k").status for _ in range(2)] == [201, 201]
    assert balance(sipho).amount == 1


def test_a_web_process_that_starts_before_the_database_serves_once_that_is_there(
    postgres: OwnPostgres, ledger: Ledger, thandi: Person
) -> None:
    token = access_token(thandi.user)
    postgres.end()
    connections.close_all()
    with web_server(RATELIMIT_ENABLE="off") as web:
        waits(web.ask("GET", "me", token=token))
        assert web.ask("GET", "/healthz").status == 200
        postgres.start()
        wait_until(lambda: web.ask("GET", "me", token=token).status == 200, 20)


@contextlib.contextmanager
def wallets_locked(ledger: Ledger) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(os.environ[ADMIN_URL], dbname=ledger.name) as admin:
        admin.execute("LOCK TABLE wallets IN ACCESS EXCLUSIVE MODE")
        yield admin
        admin.rollback()


def test_while_every_connection_is_taken_the_rest_is_told_so_at_once(ledger: Ledger, thandi: Person) -> None:
    token = access_token(thandi.user)
    with psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as admin:  # so that whoever waits for a lock goes on
        admin.execute(f'ALTER ROLE mymoolah_app IN DATABASE "{ledger.name}" SET lock_timeout = 0')
    # A pool of two in each of two processes, and twelve threads: some are left to say no.
    with web_server(RATELIMIT_ENABLE="off", DATABASE_POOL_SIZE="2") as web, ThreadPoolExecutor(16) as pool:
        ended = threading.Event()

        def look() -> set[int]:
            seen: set[int] = set()
            while not ended.is_set():
                seen.add(web.ask("GET", "wallets", token=token).status)
            return seen

        with wallets_locked(ledger), psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as admin:

            def all_wait() -> bool:
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
                return admin.execute(waiting, [ledger.name]).fetchone() == (4,)

            hanging = [pool.submit(look) for _ in range(8)]
            try:
                wait_until(all_wait)
                for answer in (web.ask("GET", "auth/sessions", token=token), web.ask("GET", "me", token=token)):
                    waits(answer)
                ready = web.ask("GET", "/readyz")
                assert (ready.status, ready.seconds < DELAY_SECONDS) == (503, True)
                alive = web.ask("GET", "/healthz")
                assert (alive.status, alive.seconds < DELAY_SECONDS) == (200, True)
            finally:
                ended.set()
        assert set().union(*(one.result() for one in hanging)) <= {200, 503}
        wait_until(lambda: all(web.ask("GET", "wallets", token=token).status == 200 for _ in range(8)), 20)
