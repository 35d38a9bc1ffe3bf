"""The dashboard: one query, every figure as the views have it, whatever the history."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from mymoolah.common.clock import iso_utc, now
from reporting.models import UserFinancialSummary
from tests.api import body_of, calling, problem
from tests.conftest import Person, fund, send
from vouchers.models import Voucher
from wallets.models import Wallet
from wallets.services import open_wallet


def dashboard(who: Person) -> Any:
    return body_of(calling(who).get("dashboard"))


def as_json(value: object) -> object:
    if isinstance(value, dt.datetime):
        return iso_utc(value)
    return value if value is None or isinstance(value, bool | int | str) else f"{value:.2f}"


def view_of(who: Person) -> list[dict[str, object]]:
    rows = UserFinancialSummary.objects.filter(user=who.user).order_by("wallet_id").values()
    hidden = {"user_id", "wallet_id"}
    return [{name: as_json(value) for name, value in row.items() if name not in hidden} for row in rows]


def test_the_dashboard_is_one_query(
    thandi: Person, sipho: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fund(thandi, "100.00")
    send(thandi, sipho, "10.00")
    with django_assert_num_queries(1):
        answer = calling(thandi).get("dashboard")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["RateLimit-Limit"] == "300"


def test_a_customer_without_history_sees_zeros(thandi: Person) -> None:
    body = dashboard(thandi)
    assert body.keys() == {"summaries", "recent_transactions", "as_of"}
    assert body["recent_transactions"] == []
    assert body["summaries"] == [
        {
            "kyc_status": "verified",
            "id_verified": True,
            "wallet_number": thandi.wallet.number,
            "wallet_status": "active",
            "wallet_balance": "0.00",
            "available_balance": "0.00",
            "wallet_currency": "ZAR",
            "total_vouchers": 0,
            "active_vouchers": 0,
            "pending_vouchers": 0,
            "active_voucher_value": "0.00",
            "pending_voucher_value": "0.00",
            "total_transactions": 0,
            "total_received": "0.00",
            "total_sent": "0.00",
            "last_transaction_date": None,
        }
    ]
    assert abs(dt.datetime.fromisoformat(body["as_of"]) - now()) < dt.timedelta(minutes=1)


def test_summaries_are_the_view_column_by_column_in_every_currency(thandi: Person, sipho: Person) -> None:
    open_wallet(user=thandi.user, currency="USD")
    fund(thandi, "1000.00")
    for amount in ("10.00", "20.50", "30.25"):
        send(thandi, sipho, amount)
    for number in range(3):
        Voucher.objects.create(
            user=thandi.user,
            voucher_type=Voucher.Type.EASYPAY_TOPUP,
            status=Voucher.Status.PENDING_PAYMENT,
            easypay_number=f"9506300000000{number}",
            original_amount=50 + number,
            balance=0,
            currency="ZAR",
            expires_at=now() + dt.timedelta(days=30),
            created_at=now(),
        )
    summaries = dashboard(thandi)["summaries"]
    assert summaries == view_of(thandi)
    assert [one["wallet_currency"] for one in summaries] == ["ZAR", "USD"]
    assert (summaries[0]["total_transactions"], summaries[0]["total_sent"]) == (4, "60.75")
    assert (summaries[0]["pending_vouchers"], summaries[0]["pending_voucher_value"]) == (3, "153.00")


def test_the_five_newest_entries_are_those_of_the_list(thandi: Person, sipho: Person) -> None:
    fund(thandi, "1000.00")
    for _ in range(3):
        send(thandi, sipho, "10.00")
        send(sipho, thandi, "5.00")
    recent = dashboard(thandi)["recent_transactions"]
    assert recent == body_of(calling(thandi).get("transactions", limit=5))["results"]
    assert [entry["id"] for entry in recent] == [f"{thandi.wallet.number}-{n}" for n in (7, 6, 5, 4, 3)]
    assert recent[0]["counterparty"] == {"name": "Sipho M.", "wallet": f"…{sipho.wallet.number[-4:]}"}
    assert dashboard(sipho)["recent_transactions"][-1]["counterparty"]["name"] == "Thandi M."


def test_nobody_sees_anothers_dashboard(thandi: Person, naledi: Person) -> None:
    fund(thandi, "100.00")
    body = dashboard(naledi)
    assert [one["wallet_number"] for one in body["summaries"]] == [naledi.wallet.number]
    assert body["recent_transactions"] == []


def test_no_id_of_a_row_leaves_the_bank(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    body = dashboard(thandi)
    assert not {"user_id", "wallet_id", "id"} & body["summaries"][0].keys()
    assert all("-" in entry["id"] for entry in body["recent_transactions"])


def test_an_account_that_is_gone_has_no_dashboard(thandi: Person) -> None:
    caller = calling(Person(type(thandi.user)(public_id="00000000-0000-4000-8000-000000000000"), thandi.wallet))
    problem(caller.get("dashboard"), 404, "unknown_user")
    problem(caller.get("me"), 404, "unknown_user")


@pytest.mark.sql
def test_the_query_is_index_probes_only(thandi: Person) -> None:
    fund(thandi, "100.00")
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'customer_dashboard'")
        (source,) = cursor.fetchone() or ("",)
        body = source.split("RETURN (", 1)[1].rsplit(");", 2)[0].replace("p_user", "%s")
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute("EXPLAIN " + body, [thandi.user.public_id])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan" not in plan, plan
    assert "uq_transactions_wallet_sequence" in plan or "uq_transactions_head" in plan, plan
    assert Wallet.objects.filter(kind="customer").count() == 1
