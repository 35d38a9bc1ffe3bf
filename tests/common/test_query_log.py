"""What is recorded of statements, for whom, and what happens while Redis cannot take it."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from celery import shared_task
from django.db import connection
from django.db.utils import DataError
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django_redis import get_redis_connection

from mymoolah import launch
from mymoolah.common import query_log
from mymoolah.common.query_log import KEY, Outbox, label_of, outbox, take
from tests.api import Caller, access_token, calling
from tests.back_office.house import colleague, signed_in
from tests.conftest import Person, fund
from tests.valkey import Valkey, own_valkey
from tests.waiting import wait_until
from tests.web import THREADS, WORKERS, web_server
from transactions.models import Transfer

pytestmark = pytest.mark.usefixtures("ledger")

Row = dict[str, Any]
COLUMNS = {"query_type", "user_id", "execution_time_ms", "rows_returned", "is_sampled", "is_slow", "created_at"}
NEVER_MS = 1e9


@pytest.fixture(autouse=True)
def open_outbox(settings: Any) -> Iterator[None]:
    """Nothing is sampled and nothing is slow, but where a test says so."""
    settings.QUERY_LOG_SLOW_MS = NEVER_MS
    outbox.reopen()
    yield
    outbox.reopen()


@pytest.fixture
def all_sampled(settings: Any) -> None:
    settings.QUERY_LOG_SAMPLE_SHARE = 1.0


@pytest.fixture
def all_slow(settings: Any) -> None:
    settings.QUERY_LOG_SLOW_MS = 1e-9


def recorded() -> list[Row]:
    return [json.loads(row) for row in take(10_000)]


def ask(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@shared_task(name="tests.sleeping")
def sleeping() -> None:
    """Two statements that are soon done, and one that is not."""
    ask("SELECT 1")
    ask("SELECT pg_sleep(1.5)")
    ask("SELECT 1")


@shared_task(name="tests.failing")
def failing() -> None:
    ask("SELECT generate_series(1, 3)")
    ask("SELECT 1 / 0")


# What is recorded ---------------------------------------------------------------------------------------------------
def test_every_statement_of_a_sampled_request_is_recorded_under_its_route(thandi: Person, all_sampled: None) -> None:
    for path, route in (
        ("dashboard", "dashboard"),
        (f"wallets/{thandi.wallet.number}", "wallets/<wallet_number:number>"),
    ):
        with CaptureQueriesContext(connection) as queries:
            assert calling(thandi).get(path).status_code == 200
        rows = recorded()
        assert len(rows) == len(queries) > 0
        assert {row["query_type"] for row in rows} == {f"GET /api/v1/{route}"}
        assert {(row["is_sampled"], row["is_slow"], row["user_id"]) for row in rows} == {(True, False, None)}
        assert all(row["execution_time_ms"] > 0 for row in rows)


def test_a_request_that_is_neither_sampled_nor_slow_tells_redis_nothing(thandi: Person) -> None:
    assert calling(thandi).get("wallets").status_code == 200
    assert recorded() == []


def test_about_the_share_that_was_asked_for_is_sampled(thandi: Person, settings: Any) -> None:
    settings.QUERY_LOG_SAMPLE_SHARE, settings.RATELIMIT_ENABLE = 0.5, False
    for _ in range(60):
        calling(thandi).get("dashboard")
    assert 10 < len(recorded()) < 50  # a chance of one in a million to fail


def test_slow_statements_are_recorded_whether_sampled_or_not(thandi: Person, all_slow: None, settings: Any) -> None:
    for share in (0.0, 1.0):
        settings.QUERY_LOG_SAMPLE_SHARE = share
        calling(thandi).get("dashboard")
        [row] = recorded()
        assert (row["query_type"], row["is_slow"]) == ("GET /api/v1/dashboard", True)
        assert row["is_sampled"] is bool(share)


def test_of_a_task_that_is_not_sampled_the_slow_statement_alone_is_recorded(settings: Any) -> None:
    settings.QUERY_LOG_SLOW_MS = 1000.0
    sleeping.apply()
    slow = [row for row in recorded() if row["execution_time_ms"] >= 1500]
    assert [(row["query_type"], row["rows_returned"], row["is_sampled"]) for row in slow] == [
        ("tests.sleeping", 1, False)
    ]


def test_rows_are_those_returned_and_what_fails_is_recorded_too(all_sampled: None) -> None:
    with pytest.raises(DataError):
        failing.apply(throw=True)
    assert [(row["query_type"], row["rows_returned"]) for row in recorded()] == [
        ("tests.failing", 3),
        ("tests.failing", None),
    ]


def test_what_is_changed_is_not_returned(thandi: Person, all_sampled: None) -> None:
    assert calling(thandi).post(f"wallets/{thandi.wallet.number}/freeze").status_code == 200
    assert None in {row["rows_returned"] for row in recorded()}


def test_a_streamed_answer_is_recorded_to_its_end(thandi: Person, all_sampled: None) -> None:
    fund(thandi, "5.00")
    with CaptureQueriesContext(connection) as queries:
        answer: Any = calling(thandi).get(
            "statements", **{"from": "2000-01-01", "to": "2099-01-01", "format": "csv", "wallet": thandi.wallet.number}
        )
        body = answer.getvalue()
    assert answer.status_code == 200, body
    rows = recorded()
    assert len(rows) == len(queries) > 0
    assert {row["query_type"] for row in rows} == {"GET /api/v1/statements"}


def test_a_task_within_a_request_has_its_own_name_and_the_request_goes_on(
    thandi: Person, all_sampled: None, worker_at_hand: None
) -> None:
    """Asking for a new password hands over a task, which the tests do at once."""
    assert Caller().post("auth/password/forgot", {"email": "thandi@example.com"}).status_code == 202
    names = Counter(row["query_type"] for row in recorded())
    assert names.keys() == {"POST /api/v1/auth/password/forgot", "accounts.send_password_reset"}


def test_statements_of_nobodys_are_recorded_when_slow_under_the_commands_name(
    all_slow: None, all_sampled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "label", "other")
    ask("SELECT 1")
    assert launch.main(["manage.py", "check"]) == 0
    recorded_before = recorded()
    ask("SELECT 2")
    assert [(row["query_type"], row["is_sampled"]) for row in recorded_before[:1]] == [("other", False)]
    assert [(row["query_type"], row["is_sampled"]) for row in recorded()] == [("manage.py check", False)]


def test_a_long_task_tells_what_it_has_so_far(all_sampled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_log, "MOST_AT_ONCE", 2)
    waiting: list[int] = []

    @shared_task(name="tests.long")
    def long() -> None:
        for _ in range(5):
            ask("SELECT 1")
            waiting.append(get_redis_connection("default").llen(KEY))

    long.apply()
    assert waiting == [0, 2, 2, 4, 4]
    assert len(recorded()) == 5


# Nothing personal ---------------------------------------------------------------------------------------------------
def test_nothing_of_who_and_what_is_recorded(thandi: Person, sipho: Person, all_sampled: None, all_slow: None) -> None:
    fund(thandi, "100.00")
    payment = {"to": "sipho@example.com", "amount": "12.34", "currency": "ZAR", "reference": "Lunch with Lerato"}
    assert calling(thandi).post("transfers", payment, Idempotency_Key="key-of-thandi").status_code == 201
    transfer = Transfer.objects.get(reference="Lunch with Lerato")
    assert calling(thandi).get(f"transfers/{transfer.pk}").status_code == 200
    support = signed_in(colleague("support"))
    for address in (f"/admin/customers/{thandi.user.public_id}", "/admin/accounts/user/?q=thandi%40example.com"):
        assert support.get(address, follow=True).status_code == 200

    told = take(10_000)
    assert {"POST /api/v1/transfers", "GET /api/v1/transfers/<uuid:transfer_id>"} <= {
        json.loads(row)["query_type"] for row in told
    }
    assert all(json.loads(row).keys() == COLUMNS for row in told)
    text = " ".join(told).lower()
    secret = (
        *("thandi", "sipho", "example.com", "mokoena", "lunch", "12.34", "select ", "key-of"),
        *(thandi.wallet.number, sipho.wallet.number, thandi.user.phone or "", str(thandi.user.public_id)),
        str(transfer.pk),
    )
    assert [word for word in secret if word in text] == []


def test_staff_are_told_by_their_id_and_only_where_their_session_was_read(all_sampled: None, ledger: object) -> None:
    officer = colleague("support")
    assert signed_in(officer).get("/admin/wallets/wallet/").status_code == 200
    assert Client().get("/admin/wallets/wallet/").status_code == 302
    rows = [row for row in recorded() if row["query_type"] == "GET /admin/wallets/wallet/"]
    assert {row["user_id"] for row in rows} <= {officer.pk, None}
    assert officer.pk in {row["user_id"] for row in rows}


def test_neither_an_address_nor_an_invented_method_makes_a_label() -> None:
    assert label_of(RequestFactory().get("/nowhere/thandi@example.com")) == "GET unknown"
    assert label_of(RequestFactory().generic("THANDI", "/nowhere")) == "other unknown"


def test_one_request_after_the_other_leaves_one_wrapper_on_a_connection(thandi: Person) -> None:
    """The first connection of a thread is made inside a request, which counts its statements by a wrapper of its own."""
    connection.close()
    connection.execute_wrappers.clear()
    for _ in range(3):
        assert calling(thandi).get("wallets").status_code == 200
        connection.close()
        assert connection.execute_wrappers == [query_log.time_statement]


# Redis cannot take it -----------------------------------------------------------------------------------------------
def test_the_list_is_bounded_and_the_oldest_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_log, "MOST_WAITING", 10)
    office = Outbox()
    for number in range(5):
        office.put([{"number": 5 * number + step} for step in range(5)], label="x")
    assert [row["number"] for row in recorded()] == list(range(15, 25))
    assert office.dropped_count == 15


def test_without_redis_a_request_is_what_it_was_and_its_records_are_counted(
    thandi: Person, all_sampled: None, settings: Any
) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock?db=0"}}
    before = outbox.dropped_count
    for _ in range(3):
        assert calling(thandi).get("dashboard").status_code == 200
    assert outbox.dropped_count == before + 3
    assert take(10) == []


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    folder = Path(tempfile.mkdtemp(prefix="mm-", dir="/tmp"))
    with own_valkey(folder) as running:
        yield running
    shutil.rmtree(folder)


def test_a_redis_that_hangs_delays_once_and_is_asked_again_later(
    valkey: Valkey, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": valkey.cache_url}}
    monkeypatch.setattr(query_log, "PAUSE_SECONDS", 2.0)
    office = Outbox()
    office.put([{"number": 0}], label="x")
    valkey.fail("hangs")
    begun = time.monotonic()
    for _ in range(40):
        office.put([{"number": 1}], label="x")
    assert time.monotonic() - begun < 40 * 0.5 / 2  # each would wait for half a second
    assert office.dropped_count == 40
    valkey.recover()

    def is_taken() -> bool:
        before = office.dropped_count
        office.put([{"number": 2}], label="x")
        return office.dropped_count == before

    wait_until(is_taken)
    # What hung may have been heard all the same, once it went on.
    assert {0, 2} <= {row["number"] for row in recorded()} <= {0, 1, 2}


def test_a_redis_that_is_full_takes_none_and_nobody_minds(
    valkey: Valkey, settings: Any, thandi: Person, all_sampled: None
) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": valkey.cache_url}}
    settings.RATELIMIT_ENABLE = False
    get_redis_connection("default").config_set("maxmemory", 1)
    before = outbox.dropped_count
    assert calling(thandi).get("dashboard").status_code == 200
    assert outbox.dropped_count == before + 1


# As production serves -----------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_in_processes_with_threads_and_pools_each_request_has_its_own_records(thandi: Person) -> None:
    tokens = access_token(thandi.user)
    paths = ["dashboard", "wallets"] * 40
    with web_server(QUERY_LOG_SAMPLE_SHARE="1", QUERY_LOG_SLOW_MS=str(NEVER_MS), RATELIMIT_ENABLE="off") as web:
        get_redis_connection("default").delete(KEY)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda path: web.ask("GET", path, token=tokens).status, paths))
        assert set(answers) == {200}
        of_wallets = queries_of(lambda: calling(thandi).get("wallets"))
        wait_until(lambda: get_redis_connection("default").llen(KEY) >= 40 * (1 + of_wallets), 60)
        names = Counter(row["query_type"] for row in recorded())
    expected = {"GET /api/v1/dashboard": 40, "GET /api/v1/wallets": 40 * of_wallets}
    assert names.keys() == expected.keys()
    # The first requests of a process besides look up types that Django wants to know.
    assert 0 <= names.total() - sum(expected.values()) <= WORKERS * THREADS


def queries_of(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)
