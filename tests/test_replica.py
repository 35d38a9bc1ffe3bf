"""What is read from a real streaming replica, what never is, and what happens when it lags, goes away or is promoted."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from mymoolah.common import replica
from mymoolah.common.clock import business_day, now
from mymoolah.common.money import Money
from mymoolah.common.replica import ALIAS, PRIMARY, Copy, Measured, Source, from_replica
from tests.api import access_token
from tests.back_office.house import colleague
from tests.conftest import Ledger, Person, Sql, database_of_its_own, fund, servers_home
from tests.postgres import HOME, OwnPostgres, Replica, own_postgres, replica_of
from tests.waiting import wait_until
from tests.web import Answer, Web, database_url, web_server
from transactions import posting
from transactions.models import Kind
from transactions.posting import Leg

WALLETS = "/admin/wallets/wallet/"
NOTICE = re.compile(
    rb'id="source">Read from a copy of the database that may lack the last (?:([0-9]+) seconds|second)\.'
)
DELAY_SECONDS = 4
TOKEN = "t" * 32


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
def copy(postgres: OwnPostgres, ledger: Ledger) -> Iterator[Replica]:
    with replica_of(postgres, database=ledger.name) as running:
        yield running


@pytest.fixture
def cookie(ledger: Ledger) -> str:
    client = Client()
    client.force_login(colleague("finance"))
    return f"staff={client.cookies[settings.SESSION_COOKIE_NAME].value}; csrftoken={TOKEN}"


@pytest.fixture
def march(ledger: Ledger, thandi: Person, sipho: Person) -> dict[str, str]:
    """A period that is long over, in which Thandi got a hundred rand from Sipho."""
    fund(sipho, "100.00", at=now() - dt.timedelta(days=41))
    leg = Leg(kind=Kind.TRANSFER, source=sipho.wallet.pk, target=thandi.wallet.pk, amount=Money.parse("100.00"))
    posting.post([leg], at=now() - dt.timedelta(days=40))
    first, last = business_day(now()) - dt.timedelta(days=60), business_day(now()) - dt.timedelta(days=20)
    return {"from": first.isoformat(), "to": last.isoformat()}


def statement(web: Web, token: str, period: dict[str, str]) -> dict[str, Any]:
    answer = web.ask("GET", f"statements?from={period['from']}&to={period['to']}", token=token)
    assert answer.status == 200, answer
    found: dict[str, Any] = json.loads(answer.body)
    return found


def balance_listed(answer: Answer, who: Person) -> str:
    """What the list of wallets shows in the row of this one."""
    [row] = re.findall(rf"<tr(?:(?!</tr>).)*{who.wallet.number}.*?</tr>", answer.body.decode(), re.DOTALL)
    found = re.search(r">([0-9.,]+) ZAR<", row)
    assert found is not None, row
    return found[1]


@pytest.mark.slow
@pytest.mark.sql
def test_lists_and_periods_that_are_over_are_read_there_and_nothing_else(
    copy: Replica, cookie: str, thandi: Person, march: dict[str, str], owner_sql: Sql
) -> None:
    token = access_token(thandi.user)
    to_today = {**march, "to": business_day(now()).isoformat()}
    copy.catch_up()
    with web_server(DATABASE_REPLICA_URL=copy.url, DATABASE_REPLICA_MAX_LAG_SECONDS="3600") as web:
        wait_until(lambda: NOTICE.search(web.ask("GET", WALLETS, Cookie=cookie).body) is not None)
        copy.pause()
        fund(thandi, "50.00")
        owner_sql("UPDATE users SET first_name = 'The' || lower(first_name) WHERE first_name IN ('Thandi', 'Sipho')")

        # Old, and says so: the list, and what is long settled.
        listed = web.ask("GET", WALLETS, Cookie=cookie)
        assert balance_listed(listed, thandi) == "100.00"
        assert NOTICE.search(listed.body)
        closed = statement(web, token, march)
        assert [entry["counterparty"]["name"] for entry in closed["entries"]] == ["Sipho M."]

        # Never old: what a customer has and is called, a period that is not over, the books that say they are live.
        assert (closed["closing_balance"], closed["name"]) == ("100.00", "Thethandi Mokoena")
        [wallet] = json.loads(web.ask("GET", "wallets", token=token).body)["results"]
        assert wallet["balance"] == "150.00"
        [summary] = json.loads(web.ask("GET", "dashboard", token=token).body)["summaries"]
        assert summary["wallet_balance"] == "150.00"
        assert len(json.loads(web.ask("GET", "transactions", token=token).body)["results"]) == 2
        assert json.loads(web.ask("GET", "me", token=token).body)["first_name"] == "Thethandi"
        today = statement(web, token, to_today)
        assert (today["closing_balance"], today["entries"][0]["counterparty"]["name"]) == ("150.00", "Thesipho M.")
        assert b"150.00" in web.ask("GET", "/admin/books/house/", Cookie=cookie).body

        # Whoever has just done something sees what he did.
        did = web.ask("POST", "/admin/books/house.csv", Cookie=cookie, X_CSRFToken=TOKEN)
        assert did.status == 200, did
        changed = re.search(rf"{replica.HAS_CHANGED}=1", did.headers["Set-Cookie"])
        assert changed is not None, did.headers
        after = web.ask("GET", WALLETS, Cookie=f"{cookie}; {changed[0]}")
        assert (balance_listed(after, thandi), NOTICE.search(after.body)) == ("150.00", None)

        copy.resume()
        wait_until(lambda: balance_listed(web.ask("GET", WALLETS, Cookie=cookie), thandi) == "150.00")
        assert NOTICE.search(web.ask("GET", WALLETS, Cookie=cookie).body)


@pytest.mark.slow
@pytest.mark.sql
def test_a_copy_that_lags_is_left_alone_until_it_has_caught_up(
    copy: Replica, cookie: str, thandi: Person, march: dict[str, str]
) -> None:
    copy.catch_up()
    with web_server(DATABASE_REPLICA_URL=copy.url, DATABASE_REPLICA_MAX_LAG_SECONDS="3") as web:

        def look() -> tuple[str, bool]:
            listed = web.ask("GET", WALLETS, Cookie=cookie)
            said = NOTICE.search(listed.body)
            assert said is None or int(said[1] or 1) <= 3
            return balance_listed(listed, thandi), said is not None

        def is_right(shown: tuple[str, bool]) -> bool:
            """What is old is said to be, and what is not said to be is not."""
            assert shown in {("100.00", True), ("150.00", False)}
            return shown == ("150.00", False)

        wait_until(lambda: look() == ("100.00", True))
        copy.pause()
        fund(thandi, "50.00")
        wait_until(lambda: all(is_right(look()) for _ in range(10)))  # both processes find it too old by now
        assert all(is_right(look()) for _ in range(10))
        copy.resume()
        wait_until(lambda: look() == ("150.00", True))


@pytest.mark.slow
@pytest.mark.sql
def test_while_the_copy_is_away_the_primary_answers_and_when_it_is_promoted_too(
    copy: Replica, cookie: str, thandi: Person, march: dict[str, str]
) -> None:
    token = access_token(thandi.user)
    copy.catch_up()
    with web_server(DATABASE_REPLICA_URL=copy.url) as web:

        def is_from_copy() -> bool:
            listed = web.ask("GET", WALLETS, Cookie=cookie)
            assert (listed.status, balance_listed(listed, thandi)) == (200, "100.00")
            assert listed.seconds < DELAY_SECONDS
            return NOTICE.search(listed.body) is not None

        wait_until(is_from_copy)
        copy.stop()
        assert not any(is_from_copy() for _ in range(12))
        assert statement(web, token, march)["closing_balance"] == "100.00"
        assert web.ask("GET", "/readyz").status == 200
        copy.start()
        wait_until(is_from_copy)

        copy.ask("SELECT pg_promote()")
        # Each process notices when it measures next.
        wait_until(lambda: not any(is_from_copy() for _ in range(12)))
        assert statement(web, token, march)["closing_balance"] == "100.00"


def health(copy: Replica, database: str) -> tuple[bool, list[dict[str, Any]]]:
    """Whether `db_health` was asked of a standby, and what it says of replication."""
    named = {"DATABASE_URL": database_url(), "DATABASE_REPLICA_URL": copy.url, "REDIS_URL": str(settings.REDIS_URL)}
    asked = subprocess.run(
        [sys.executable, "manage.py", "db_health", "--json", "--database", database],
        env={**os.environ, **named},
        cwd=settings.BASE_DIR,
        check=True,
        stdout=subprocess.PIPE,
    )
    told = json.loads(asked.stdout)
    [section] = [one for one in told["sections"] if one["name"] == "replication"]
    return bool(told["is_standby"]), section["findings"]


@pytest.mark.slow
@pytest.mark.sql
def test_db_health_sees_the_standby_from_either_side(copy: Replica) -> None:
    copy.catch_up()

    is_standby, [seen] = health(copy, "default")
    assert (is_standby, seen["severity"], seen["facts"]["is_streaming"]) == (False, "well", True)
    is_standby, [seen] = health(copy, ALIAS)
    assert (is_standby, seen["severity"], seen["subject"]) == (True, "well", "this server")

    copy.pause()
    _, [seen] = health(copy, ALIAS)
    assert seen["severity"] == "look"
    assert "its replay is paused" in seen["says"]


# Without a server ---------------------------------------------------------------------------------------------------
@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[[Measured | None], Copy]:
    """A process that has just measured this."""

    def know(measured: Measured | None) -> Copy:
        copy = Copy()
        copy._last = measured
        monkeypatch.setitem(settings.DATABASES, ALIAS, {})
        monkeypatch.setattr(replica, "copy", copy)
        monkeypatch.setattr(replica, "measure", lambda: measured)
        return copy

    return know


def measured(*, lag_seconds: float = 0.0, complete_to: dt.datetime | None = None) -> Measured:
    return Measured(at_seconds=time.monotonic(), lag_seconds=lag_seconds, complete_to=complete_to or now())


def where(source: Source) -> str:
    return source.using


def test_without_a_replica_the_primary_is_read() -> None:
    assert from_replica(where) == "default"


def test_a_period_is_read_there_only_if_all_of_it_is_there(known: Callable[..., Copy]) -> None:
    moment = now()
    known(measured(complete_to=moment))
    assert from_replica(where, complete_to=moment) == ALIAS
    assert from_replica(where, complete_to=moment + dt.timedelta(microseconds=1)) == "default"


def test_what_lags_too_much_or_was_never_measured_is_not_read(known: Callable[..., Copy]) -> None:
    known(measured(lag_seconds=settings.DATABASE_REPLICA_MAX_LAG_SECONDS - 1))
    assert from_replica(where) == ALIAS
    known(measured(lag_seconds=settings.DATABASE_REPLICA_MAX_LAG_SECONDS))
    assert from_replica(where) == "default"
    known(None)
    assert from_replica(where) == "default"


@pytest.mark.django_db
def test_in_a_transaction_the_primary_is_read(known: Callable[..., Copy]) -> None:
    known(measured())
    assert from_replica(where) == "default"


def test_what_fails_there_is_read_again_and_the_copy_left_alone_for_a_while(known: Callable[..., Copy]) -> None:
    known(measured())
    asked = []

    def read(source: Source) -> str:
        asked.append(source.using)
        if source != PRIMARY:
            raise OperationalError("canceling statement due to conflict with recovery")
        return "read"

    assert [from_replica(read), from_replica(read)] == ["read", "read"]
    assert asked == [ALIAS, "default", "default"]
