"""The measurements run, and measure what they say; how fast things are is for docs/performance.md."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reporting.benchmarks import habits, kernel
from reporting.benchmarks.dashboard import customer_with_entries
from reporting.benchmarks.series import Options, Series, in_turns, percentile, ratio


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
