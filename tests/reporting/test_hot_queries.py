"""The hot queries at a hundred thousand customers: each goes along its index, and one that does not is noticed."""

from __future__ import annotations

import json
import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mymoolah.common.clock import now
from reporting.hot_queries import HOT_QUERIES, Explained, explain, get_sample
from tests.conftest import ADMIN_URL, Ledger, Person, Sql, fund, send, superuser

CROWD = (Path(__file__).parent / "crowd.sql").read_text()
CUSTOMERS = 100_000


@pytest.fixture
def bank(ledger: Ledger, owner_sql: Sql) -> None:
    """A hundred thousand customers, with the statistics that autovacuum would have taken of them."""
    if ADMIN_URL not in os.environ:
        pytest.skip(f"{ADMIN_URL} is not set")
    ledger.is_broken = True  # the crowd's books do not add up
    with superuser(ledger.name) as run:
        for statement in CROWD.split(";\n"):
            if statement.strip():
                run(statement)
        run("REFRESH MATERIALIZED VIEW user_dashboard_summary")
        run("VACUUM ANALYZE")


def explained(name: str) -> Explained:
    sample = get_sample(customer="crowd1@example.com")  # who has ten thousand entries and as many vouchers
    assert sample is not None
    return explain(HOT_QUERIES[name], sample, now=now())


def faults() -> dict[str, list[str]]:
    found = {name: list(explained(name).faults) for name in HOT_QUERIES}
    return {name: faults for name, faults in found.items() if faults}


@pytest.mark.slow
@pytest.mark.sql
def test_every_hot_query_goes_along_its_index_at_a_hundred_thousand_customers(bank: None, owner_sql: Sql) -> None:
    assert owner_sql("SELECT count(*) >= %s FROM wallets WHERE kind = 'customer'", CUSTOMERS) == [(True,)]
    assert faults() == {}

    # A check that cannot fail is none: without its index each of these is noticed, and no other.
    dropped = {
        "vouchers": "ix_vouchers_user_created",
        "audit_by_subject": "ix_audit_events_subject",
        "expiring_holds": "ix_holds_expiry",
        "suspense": "ix_suspense_items_open",
        "entries": "ix_transactions_wallet_time",
    }
    owner_sql(f"DROP INDEX {', '.join(dropped.values())}")
    noticed = faults()
    for name, index in dropped.items():
        assert f"does not go along {index}" in noticed[name], name
    assert noticed.keys() == {*dropped, "vouchers_deep", "entries_deep", "statement", "support_vouchers"}
    assert "reads audit_events from end to end" in noticed["audit_by_subject"]


def told(*arguments: str, **options: object) -> str:
    output = StringIO()
    call_command("explain", *arguments, stdout=output, **options)
    return output.getvalue()


@pytest.mark.sql
@pytest.mark.parametrize("name", HOT_QUERIES)
def test_each_is_explained_in_a_bank_of_two(thandi: Person, sipho: Person, ledger: Ledger, name: str) -> None:
    fund(thandi, "100.00")
    send(thandi, sipho, "10.00")
    text = told(name, customer=thandi.wallet.number)
    assert text.startswith(f"{name}: {HOT_QUERIES[name].what}")
    assert "Buffers: " in text
    assert "(actual " in text
    about = [str(thandi.user.public_id), thandi.wallet.number, thandi.user.email]
    assert [value for value in about if value in text] == []
    found = json.loads(told(name, json=True))
    assert found["plans"]
    assert found["blocks"] >= 0


@pytest.mark.sql
def test_they_are_listed_and_only_of_customers_who_exist(thandi: Person, ledger: Ledger) -> None:
    assert [line.split()[0] for line in told().splitlines()] == list(HOT_QUERIES)
    assert json.loads(told(json=True)).keys() == HOT_QUERIES.keys()
    assert "Buffers: " in told("wallets", customer=thandi.user.email.upper())
    for nobody in ("nobody@example.com", "1000000009"):
        with pytest.raises(CommandError, match="Nobody has this"):
            told("wallets", customer=nobody)
    with pytest.raises(CommandError, match="invalid choice"):
        told("everything")


@pytest.mark.sql
def test_nobody_is_explained_in_an_empty_bank(ledger: Ledger) -> None:
    with pytest.raises(CommandError, match="no customers yet"):
        told("dashboard")
