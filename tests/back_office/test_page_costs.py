"""Every list of the back-office, asked in every way it offers: few queries, and none goes through a large table.

The same pages at a million customers are measured by `manage.py benchmark back_office`.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from reporting.benchmarks import reading
from reporting.benchmarks.back_office import Cost, first_look, neighbours, staff
from reporting.benchmarks.reading import Statement, plan_of
from reporting.benchmarks.staff_pages import list_pages, unknown_routes
from tests.back_office.house import Furnished
from tests.conftest import Ledger

USERS = 20_000
SMALL_TABLE_BLOCKS = 64  # half a MiB: what is larger here is counted in hundreds of MiB at a million customers
MOST_QUERIES_OF_A_LIST = 10
MOST_BLOCKS_OF_A_LIST = 1_500  # of 8 KiB; fifty rows with three related ones each are about 600


@pytest.fixture
def clients(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Client]]:
    """A bank of twenty thousand customers, and one colleague of each role."""
    monkeypatch.setattr(reading, "LARGE_TABLE_BLOCKS", SMALL_TABLE_BLOCKS)
    call_command(
        "load_customers", users=USERS, vouchers=20_000, transactions=60_000, desk=True, verbosity=0, stdout=StringIO()
    )
    with transaction.atomic(), staff() as everybody:
        yield everybody
        transaction.set_rollback(True)


def test_no_list_goes_through_a_table_or_asks_much(clients: dict[str, Client]) -> None:
    who = neighbours()
    costs = [
        first_look(page, clients)
        for model_admin in list(admin.site._registry.values())
        for page in list_pages(model_admin, who)
        if "the next page" not in page.name
    ]
    assert len(costs) > 200
    assert [told(cost) for cost in costs if cost.status != 200] == []
    assert [told(cost) for cost in costs if cost.whole_tables] == []
    assert [told(cost) for cost in costs if len(cost.statements) > MOST_QUERIES_OF_A_LIST] == []
    assert [told(cost) for cost in costs if cost.blocks > MOST_BLOCKS_OF_A_LIST] == []
    assert_that_a_scan_would_be_seen()


def told(cost: Cost) -> str:
    tables = ", ".join(cost.whole_tables)
    return f"{cost.page.name}: {cost.status}, {len(cost.statements)} queries, {cost.blocks} blocks, {tables}"


def assert_that_a_scan_would_be_seen() -> None:
    """A search that no index answers, and one that goes along the wrong index."""
    for statement in (
        "SELECT id FROM users WHERE first_name LIKE '%x%'",
        "SELECT id FROM users WHERE first_name LIKE '%x%' ORDER BY id DESC LIMIT 50",
    ):
        assert plan_of(Statement(statement, None)).whole_tables == {"users"}


def test_no_page_with_a_parameter_lacks_an_example(house: Furnished) -> None:
    """Whoever adds one tells what stands for it, or `benchmark back_office` would not measure it."""
    with transaction.atomic(), staff():
        assert unknown_routes(neighbours()) == [], "in reporting/benchmarks/staff_pages.py"
        transaction.set_rollback(True)
