"""Listing what was sent and received: pages, filters, and what they cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from mymoolah.common.clock import JOHANNESBURG
from mymoolah.common.money import Money
from tests.api import body_of, calling, errors_of, problem
from tests.conftest import Person, fund, send
from transactions import posting, selectors
from transactions.models import Kind
from transactions.posting import House, Leg
from wallets.models import Wallet
from wallets.services import open_wallet

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=JOHANNESBURG)


def listed(who: Person, **query: Any) -> list[str]:
    return [entry["id"] for entry in body_of(calling(who).get("transactions", **query))["results"]]


def pages(who: Person, **query: Any) -> Iterator[list[str]]:
    caller = calling(who)
    answer = caller.get("transactions", **query)
    while True:
        body = body_of(answer)
        yield [entry["id"] for entry in body["results"]]
        if body["next"] is None:
            return
        answer = caller.follow(body["next"])


def post(who: Person, amount: str, *, at: dt.datetime, kind: Kind = Kind.DEMO_MONEY) -> None:
    leg = Leg(
        kind=kind,
        source=House(Wallet.Kind.ADJUSTMENTS, 0),
        target=who.wallet.pk,
        amount=Money.parse(amount, who.wallet.currency),
    )
    posting.post([leg], at=at)


@pytest.fixture
def dollars(thandi: Person) -> Person:
    """Thandi's second wallet, in another currency."""
    if not Wallet.objects.filter(kind="adjustments", currency="USD").exists():
        house = [
            Wallet(kind="adjustments", stripe=stripe, currency="USD", number=f"98765432{stripe}0") for stripe in (0,)
        ]
        Wallet.objects.bulk_create(house)
    return Person(thandi.user, open_wallet(user=thandi.user, currency="USD"))


def test_an_entry_tells_who_what_and_what_was_left(
    thandi: Person, sipho: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "12.30")
    with django_assert_num_queries(1):
        body = body_of(calling(thandi).get("transactions"))
    assert (body["next"], body["previous"]) == (None, None)
    newest = body["results"][0]
    assert newest.pop("created_at").endswith("Z")
    assert newest == {
        "id": f"{thandi.wallet.number}-2",
        "transfer": str(sent.transfer_id),
        "type": "sent",
        "kind": "transfer",
        "amount": "12.30",
        "currency": "ZAR",
        "balance_after": "87.70",
        "counterparty": {"name": "Sipho M.", "wallet": f"…{sipho.wallet.number[-4:]}"},
        "reference": "Lunch",
    }
    assert body["results"][1]["counterparty"] == {"name": "MyMoolah", "wallet": None}
    with django_assert_num_queries(1):
        one = calling(thandi).get(f"transactions/{newest['id']}")
    assert {name: body_of(one)[name] for name in newest} == newest


def test_a_strangers_entries_are_not_there(thandi: Person, naledi: Person) -> None:
    fund(thandi, "100.00")
    assert listed(naledi) == []
    problem(calling(naledi).get(f"transactions/{thandi.wallet.number}-1"), 404, "transaction_not_found")
    problem(calling(naledi).get("transactions", wallet=thandi.wallet.number), 404, "wallet_not_found")
    problem(calling(thandi).get(f"transactions/{thandi.wallet.number}-2"), 404, "transaction_not_found")


@pytest.mark.parametrize(
    "entry", ["1-1", "1234567897-0", "1234567897", "1234567897-" + "9" * 19, "1234567897-\uff11", "x"]
)
def test_an_id_that_cannot_be_one_is_not_found(thandi: Person, entry: str) -> None:
    problem(calling(thandi).get(f"transactions/{entry}"), 404, "not_found")


def test_pages_hold_each_entry_once_newest_first_also_when_times_are_equal(thandi: Person, dollars: Person) -> None:
    for minute in range(3):
        for _ in range(3):
            post(thandi, "1.00", at=NOON + dt.timedelta(minutes=minute))
            post(dollars, "1.00", at=NOON + dt.timedelta(minutes=minute))
    everything = listed(thandi)
    assert len(everything) == 18
    assert everything[-1].endswith("-1")
    for limit in (1, 2, 5, 17, 18):
        found = list(pages(thandi, limit=limit))
        assert [entry for page in found for entry in page] == everything
        assert {len(page) for page in found[:-1]} <= {limit}


def test_going_back_shows_the_pages_one_came_from(thandi: Person) -> None:
    for second in range(7):
        post(thandi, "1.00", at=NOON + dt.timedelta(seconds=second))
    caller = calling(thandi)
    first = body_of(caller.get("transactions", limit=3))
    second_page = body_of(caller.follow(first["next"]))
    third = body_of(caller.follow(second_page["next"]))
    assert third["next"] is None
    assert body_of(caller.follow(third["previous"]))["results"] == second_page["results"]
    back = body_of(caller.follow(second_page["previous"]))
    assert (back["results"], back["previous"]) == (first["results"], None)
    post(thandi, "1.00", at=NOON + dt.timedelta(seconds=9))
    newer = body_of(caller.follow(body_of(caller.follow(back["next"]))["previous"]))
    assert newer["results"] == first["results"]
    assert [entry["id"] for entry in body_of(caller.follow(newer["previous"]))["results"]] == [
        f"{thandi.wallet.number}-8"
    ]


def test_days_are_those_of_johannesburg_both_included(thandi: Person) -> None:
    midnight = dt.datetime(2026, 3, 10, tzinfo=JOHANNESBURG)
    for at in (midnight - dt.timedelta(microseconds=1), midnight, midnight + dt.timedelta(days=1)):
        post(thandi, "1.00", at=at)
    ids = [f"{thandi.wallet.number}-{sequence}" for sequence in (1, 2, 3)]
    assert listed(thandi, **{"from": "2026-03-10", "to": "2026-03-10"}) == [ids[1]]
    assert listed(thandi, **{"from": "2026-03-10"}) == [ids[2], ids[1]]
    assert listed(thandi, to="2026-03-09") == [ids[0]]


def test_filters_by_wallet_type_and_kind_combine(thandi: Person, sipho: Person, dollars: Person) -> None:
    fund(thandi, "100.00")
    send(thandi, sipho, "5.00")
    send(sipho, thandi, "2.00")
    post(dollars, "7.00", at=NOON)
    number = thandi.wallet.number
    assert listed(thandi, wallet=number) == [f"{number}-3", f"{number}-2", f"{number}-1"]
    assert listed(thandi, wallet=dollars.wallet.number) == [f"{dollars.wallet.number}-1"]
    assert listed(thandi, type="sent") == [f"{number}-2"]
    assert listed(thandi, type="received", wallet=number) == [f"{number}-3", f"{number}-1"]
    assert listed(thandi, type="received", kind="transfer") == [f"{number}-3"]
    assert listed(thandi, kind="fee") == []
    assert len(listed(thandi, kind="demo_money")) == 2


def test_a_rare_kind_costs_bounded_looks_and_is_found_in_the_end(
    thandi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "LONGEST_LOOK", 4)
    post(thandi, "1.00", at=NOON, kind=Kind.TOP_UP)
    for second in range(1, 10):
        post(thandi, "1.00", at=NOON + dt.timedelta(seconds=second))
    found = list(pages(thandi, kind="top_up"))
    assert found == [[], [], [f"{thandi.wallet.number}-1"]]
    found = list(pages(thandi, kind="demo_money", limit=2))
    assert [entry for page in found for entry in page] == listed(thandi)[:-1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"wallet": "x"}, "wallet"),
        ({"wallet": "0123456789"}, "wallet"),
        ({"wallet": "\0"}, "wallet"),
        ({"type": "stolen"}, "type"),
        ({"type": ""}, "type"),
        ({"kind": "gift"}, "kind"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": "20260301"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": ""}, "cursor"),
    ],
)
def test_a_malformed_filter_is_a_problem(thandi: Person, query: dict[str, str], field: str) -> None:
    assert list(errors_of(calling(thandi).get("transactions", **query))) == [field]


@pytest.mark.parametrize(
    "query",
    [{}, {"wallet": "mine"}, {"type": "sent"}, {"type": "received"}, {"kind": "transfer"}, {"from": "2026-01-01"}],
)
def test_no_page_reads_a_whole_table(thandi: Person, sipho: Person, query: dict[str, str]) -> None:
    """Plans are made as if the tables were large: what remains then is what an index cannot answer."""
    fund(thandi, "100.00")
    for _ in range(3):
        send(thandi, sipho, "1.00")
    if query.get("wallet") == "mine":
        query = {"wallet": thandi.wallet.number}
    answer = body_of(calling(thandi).get("transactions", limit=1, **query))
    with CaptureQueriesContext(connection) as captured:
        calling(thandi).get("transactions", limit=1, **query)
        if answer["next"]:
            calling(thandi).follow(answer["next"])
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        for one in captured.captured_queries:
            cursor.execute("EXPLAIN " + one["sql"])
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan, plan
            index = "ix_transactions_user_type" if "type" in query else "ix_transactions_wallet_time"
            assert index in plan, plan
