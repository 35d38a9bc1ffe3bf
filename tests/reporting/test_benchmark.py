"""The measurements run, and measure what they say; how fast things are is for docs/performance.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_redis import get_redis_connection

from mymoolah.common.query_log import KEY, take
from reporting.benchmarks import cache, habits, kernel, money, query_log, watching, web
from reporting.benchmarks.dashboard import customer_with_entries
from reporting.benchmarks.load import Load, Request, _client
from reporting.benchmarks.series import Options, Series, in_turns, percentile, ratio
from reporting.support.models import SupportArticle, SupportMessage, SupportTicket
from tests.conftest import Person, fund, send
from tests.web import database_url
from transactions.models import Kind

ROOT = Path(__file__).parents[2]


def measured(name: str, *options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("benchmark", name, "--rounds=2", "--seconds=1", "--json", *options, verbosity=0, stdout=out)
    results: dict[str, Any] = json.loads(out.getvalue())
    return results


@pytest.fixture
def crowd(ledger: None) -> None:
    call_command("load_customers", users=20, vouchers=40, transactions=400, verbosity=0, stdout=StringIO())


def test_rounds_take_every_measure_in_turn() -> None:
    taken: list[str] = []
    said: list[str] = []

    def count() -> float:
        taken.append("a")
        return len(taken)

    measures = {"a": count, "b": lambda: 2.0}

    series = in_turns(measures, Options(rounds=3, seconds=1, beside="", say=said.append), unit="ms", settle=True)

    assert series["a"].values == [2.0, 3.0, 4.0]
    assert len(said) == 6
    assert ratio(series["a"], series["b"]).values == [1.0, 1.5, 2.0]
    assert str(series["a"]) == "3.00 ms (2.00 to 4.00)"


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([5, 1, 4, 2, 3], 0.5) == 3
    assert percentile([1, 2], 0.99) == 2
    assert Series("ms", [3, 1, 2]).median == 2


def test_the_dashboard_is_measured_for_the_longest_and_a_short_history(crowd: None) -> None:
    longest, short = customer_with_entries(), customer_with_entries(10)
    results = measured("dashboard")

    assert longest.entries > short.entries > 0
    assert list(results) == [f"longest history ({longest})", f"short history ({short})", "ratio"]
    assert len(results["ratio"]["rounds"]) == 2


def test_the_habits_tell_the_same_totals_but_for_the_join_side_by_side(crowd: None) -> None:
    customer = customer_with_entries(habits.HISTORY)

    assert habits._from_view(customer) == habits._sums_in_python(customer)
    assert habits._side_by_side(customer)[2] > customer.entries
    assert habits._side_by_side(customer)[3] > habits._from_view(customer)[3] > Decimal(0)
    assert len(measured("habits")["one query"]["rounds"]) == 2


def test_one_query_is_one_query(crowd: None) -> None:
    from reporting import selectors

    customer = customer_with_entries()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        selectors.get_dashboard(user_public_id=customer.public_id)

    assert len(queries) == 1


def test_a_benchmark_without_customers_says_what_to_do(ledger: None) -> None:
    with pytest.raises(CommandError, match="run load_customers first"):
        measured("dashboard")


def test_a_refresh_wants_another_database_to_stand_beside(ledger: None) -> None:
    with pytest.raises(CommandError, match="--beside"):
        measured("refresh")


def test_http_is_measured_on_a_server_of_its_own(crowd: None, monkeypatch: pytest.MonkeyPatch) -> None:
    results = measured("http")

    assert results["dashboard (/api/v1/dashboard)"]["rate"]["median"] > 0
    assert len(results["ratio of rates"]["rounds"]) == 2


@pytest.mark.slow
def test_the_record_of_query_times_is_measured_off_on_and_sampled(
    crowd: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(query_log, "TURNS", 3)
    settings.QUERY_LOG_SLOW_MS = 1e9
    get_redis_connection("default").delete(KEY)

    results = measured("query_log")

    for path in query_log.PATHS.values():
        cpu = next(value for name, value in results.items() if name.startswith("CPU") and path in name)
        assert {len(cpu[way]["rounds"]) for way in (query_log.OFF, query_log.ON, query_log.ALL)} == {2}
        assert any(name.startswith("rate") and path in name for name in results)
    names = Counter(json.loads(row)["query_type"] for row in take(10_000))
    sampled = 3 * 3 * query_log.REQUESTS_PER_TURN  # rounds, with the one that does not count, by turns
    # What the web server sampled, one in a hundred, comes on top; and it is all that came of requests not sampled here.
    assert names["GET /api/v1/dashboard"] >= sampled


def test_what_was_not_sent_is_left_in_its_order() -> None:
    """Three clients had a and d, b and e, c: the first sent both of its requests, the second one, the third none."""
    assert Load(sent=[2, 1, 0]).left("abcde") == ["c", "e"]


def test_answers_that_are_wrong_or_missing_are_counted_and_are_no_right_ones() -> None:
    class Moody(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = {"/refused": (409, b'{"code": "wallet_frozen"}'), "/broken": (500, b"<html>")}.get(
                self.path, (200, b'{"result": "suspense"}')
            )
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
            pass

    right, other = Request("GET", "/", {}), Request("GET", "/", {}, contains=b"applied")
    requests = [right, other, Request("GET", "/refused", {}), Request("GET", "/broken", {}), right]
    with HTTPServer(("127.0.0.1", 0), Moody) as server:
        Thread(target=server.serve_forever).start()
        asked = _client(requests, port=server.server_port, seconds=30, again=False)
        server.shutdown()
    unheard = _client([right], port=server.server_port, seconds=30, again=False)

    assert (asked.right_answers, asked.sent) == (2, [5])
    assert asked.errors == {"200 suspense": 1, "409 wallet_frozen": 1, "500": 1}
    assert (unheard.right_answers, unheard.errors) == (0, {"no answer: ConnectionRefusedError": 1})


@pytest.mark.slow
def test_money_is_measured_over_http_without_an_error_and_without_a_cent_astray(
    ledger: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(money, "CUSTOMERS", 20)
    monkeypatch.setattr(money, "MOST_PER_SECOND", 120)

    results = measured("money", "--rounds=1")

    assert results["errors"] == 0
    assert Decimal(results["drift"]) == Decimal(results["all wallets together"]) == 0
    assert results["verify_ledger"]["checks"] > 0
    assert results["verify_ledger"]["broken"] == []
    for name in (money.TRANSFERS, money.TO_ONE, money.REDEEM, money.TILL):
        scene = results[name]
        assert scene["right answers"] == scene["in the ledger"] > 0
        assert scene["errors"] == {}
        assert Decimal(scene["drift"]) == 0
        assert {len(scene[figure]["rounds"]) for figure in ("rate", "p50", "p99")} == {1}
        assert scene[f"beside {money.BARE_TILL if name == money.TILL else money.BARE}"]["median"] > 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [money.DATABASE])
        assert cursor.fetchone() == (0,)


def test_money_that_moves_unasked_and_answers_that_are_wrong_are_told(
    ledger: None, thandi: Person, sipho: Person
) -> None:
    """Somebody else is at work meanwhile: one transfer nobody was told of, one top-up that was put aside."""
    fund(thandi, "50.00")
    scene = money.Scene("", None, list, kind=Kind.TRANSFER, gain=Decimal("1.00"))

    def ask(port: int, requests: object, *, seconds: int, again: bool = False) -> Load:
        send(thandi, sipho, "2.00")
        return Load(seconds=2.0, latencies=[1.0, 3.0], errors=Counter({"200 suspense": 1}), sent=[3])

    assert money._play(scene, ask, 0, 2) == 1.0
    assert (scene.tally.right_answers, scene.tally.in_the_ledger) == (2, 1)
    assert scene.tally.drift == Decimal("-2.00")
    assert scene.tally.errors == {"200 suspense": 1}


def test_the_bare_requests_are_signed_in_and_ask_the_database_nothing(thandi: Person, client: Client) -> None:
    customer = money.Customer(thandi.user.public_id, thandi.wallet.number)
    till = money._till("OPTIONS", "95063123456785")
    headers = web.signed_in(customer.public_id)

    with CaptureQueriesContext(connection) as queries:
        assert client.options(money.TRANSFER_PATH, headers=headers).status_code == 405
        answer = client.generic("OPTIONS", till.path, till.body or b"", "application/json", headers=till.headers)
        assert answer.status_code == 405

    assert len(queries) == 0
    assert client.options(money.TRANSFER_PATH).status_code == 401
    assert client.options(money.TILL_PATH).status_code == 401


@pytest.mark.slow
def test_the_kernel_is_measured_beside_tpc_b_and_leaves_nothing_behind(
    ledger: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "CUSTOMERS", 500)
    monkeypatch.setattr(kernel, "TPCB_SCALE", 1)
    monkeypatch.setattr(kernel, "CLIENTS", (2,))

    results = measured("kernel", "--rounds=1")

    assert results["2 clients, simple protocol"]["kernel"]["median"] > 0
    assert results["calls of many, 1 client"]["ratio"]["median"] > 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'mymoolah_benchmark%'")
        assert cursor.fetchone() == (0,)


@pytest.mark.usefixtures("kept_answers")
def test_kept_answers_are_measured_beside_none_kept(crowd: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "TURNS", 3)
    monkeypatch.setattr(cache, "PATHS", {"dashboard": "/api/v1/dashboard"})
    results = measured("cache")
    assert list(results) == [
        "CPU of dashboard (/api/v1/dashboard)",
        "time of dashboard (/api/v1/dashboard)",
        "over HTTP, dashboard (/api/v1/dashboard)",
    ]
    for name in list(results)[:2]:
        assert {len(results[name][mode]["rounds"]) for mode in (cache.HITS, cache.MISSES, cache.WITHOUT)} == {2}


def test_being_watched_is_measured_beside_not_being_watched(crowd: None) -> None:
    """In a process of its own, where it counts as the web server does."""
    addresses = {
        "DATABASE_URL": database_url(),
        "REDIS_URL": str(settings.CACHES["default"]["LOCATION"]),
        "MYMOOLAH_DATA_DIR": str(settings.DATA_DIR),
        "DATABASE_POOL_SIZE": "4",
    }
    command = [sys.executable, "manage.py", "benchmark", "watching", "--rounds=2", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **addresses}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {path: len(series["ratio"]["rounds"]) for path, series in json.loads(done.stdout).items()} == {
        f"{what} ({path})": 2 for what, path in watching.PATHS.items()
    }


def test_support_asks_what_opens_no_ticket_and_leaves_nothing(crowd: None) -> None:
    results = measured("support")
    for history in results.values():
        assert 0 < history["median"]["median"] <= history["p99"]["median"]
        assert len(history["p99"]["rounds"]) == 2
    assert not SupportMessage.objects.exists()
    assert not SupportTicket.objects.exists()
    assert not SupportArticle.objects.filter(slug__startswith="measured").exists()
