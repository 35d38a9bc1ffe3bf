"""What docs/scale.md builds on: that the tables, as they are defined, can be cut in parts and spread over servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import IntegrityError

from reporting.hot_queries import HOT_QUERIES
from tests.conftest import Ledger, Person, Sql, fund, send

pytestmark = pytest.mark.sql

PARTITIONS = (Path(__file__).parent / "partitions.sql").read_text()
WHOSE = {"public_id", "user_id", "wallet_id", "number", "code_index", "easypay_number", "actor", "subject_type", "id"}
"""What an index of a customer's query begins with: whom it is about, or the one thing that is looked for."""
OF_THE_HOUSE = {"kyc_queue", "overview", "suspense", "expiring_vouchers", "expiring_holds"}


def test_the_keys_of_the_ledger_hold_in_partitions(
    thandi: Person, sipho: Person, ledger: Ledger, owner_sql: Sql
) -> None:
    fund(thandi, "100.00")
    send(thandi, sipho, "30.00")
    for statement in PARTITIONS.split(";\n"):
        owner_sql(statement)

    counts = "SELECT (SELECT count(*) FROM {0}transactions), (SELECT count(*) FROM {0}transfers)"
    assert owner_sql(counts.format("partitioned.")) == owner_sql(counts.format("")) == [(4, 2)]
    wallet = thandi.wallet.pk
    with pytest.raises(IntegrityError, match="head_is_an_entry"):  # a head that comes from no entry
        owner_sql("UPDATE partitioned.wallets SET balance = balance + 1 WHERE id = %s", wallet)
    with pytest.raises(IntegrityError, match="wallet_id_sequence"):  # a place in the chain taken twice
        owner_sql("UPDATE partitioned.transactions SET sequence = 1 WHERE wallet_id = %s", wallet)
    [(plan,)] = owner_sql(
        "EXPLAIN (FORMAT JSON) SELECT * FROM partitioned.transactions WHERE wallet_id = %s ORDER BY sequence DESC LIMIT 5",
        wallet,
    )
    text = json.dumps(plan)
    assert ("transactions_0" in text) != ("transactions_1" in text)  # one of the two is asked


@pytest.mark.parametrize("name", [name for name in HOT_QUERIES if name not in OF_THE_HOUSE])
def test_a_query_about_a_customer_carries_whom_it_is_about(name: str, ledger: Ledger, owner_sql: Sql) -> None:
    indexes = [one for wanted in HOT_QUERIES[name].indexes for one in wanted.split("|")]
    first = owner_sql(
        """
        SELECT i.indexrelid::regclass::text, a.attname
        FROM pg_index AS i
        INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indexrelid::regclass::text = ANY (%s)
        """,
        indexes,
    )
    assert {index for index, _ in first} == set(indexes)
    assert {column for _, column in first} <= WHOSE
