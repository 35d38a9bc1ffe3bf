"""Opening an account, and what a customer sees of and does to her wallets."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from tests.api import Caller, body_of, calling, errors_of, problem
from tests.conftest import Person, Sql, fund, send
from transactions import posting
from transactions.models import Kind
from transactions.posting import Leg
from wallets.models import TierLimit, Wallet
from wallets.services import open_wallet

LERATO = {
    "email": "Lerato@Example.com",
    "phone": "082 111 0009",
    "password": "a-good-long-passphrase",
    "first_name": "Lerato",
    "last_name": "Molefe",
}


def register(**changed: Any) -> Any:
    return Caller().post("auth/register", {name: v for name, v in {**LERATO, **changed}.items() if v is not ...})


@pytest.mark.django_db
def test_registering_opens_an_account_with_a_rand_wallet() -> None:
    answer = register()
    assert answer.status_code == 201
    user, wallet = body_of(answer)["user"], body_of(answer)["wallet"]
    assert (user["email"], user["phone"], user["kyc_tier"]) == ("lerato@example.com", "+27821110009", 0)
    assert (user["email_verified"], user["phone_verified"]) == (False, False)
    assert (wallet["currency"], wallet["balance"], wallet["status"]) == ("ZAR", "0.00", "active")
    assert wallet["limits"]["left_today"] is None
    assert Wallet.objects.filter(number=wallet["number"], user__email="lerato@example.com").exists()
    token = Caller().post("auth/token", {"email": "lerato@example.com", "password": LERATO["password"]})
    assert token.status_code == 200


@pytest.mark.parametrize("taken", [{"email": "THANDI@example.com"}, {"phone": "+27 82 111 0001"}])
def test_an_address_or_phone_that_is_taken_is_refused_without_saying_which(
    thandi: Person, taken: dict[str, str]
) -> None:
    found = problem(register(**taken), 409, "already_registered")
    assert "facts" not in found
    assert not User.objects.filter(first_name="Lerato").exists()
    assert Wallet.objects.filter(kind="customer").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", 7),
        ("email", ...),
        ("email", "x" * 250 + "@example.com"),
        ("phone", "12"),
        ("phone", "+999123456789"),
        ("phone", 27821110009),
        ("phone", "082 111 0009 ext 5"),
        ("password", "short"),
        ("password", "password1234"),
        ("password", "1234567890123"),
        ("password", "lerato@example.com"),
        ("password", 1234567890),
        ("password", "x" * 129),
        ("first_name", ""),
        ("first_name", None),
        ("last_name", "x" * 81),
        ("last_name", {"x": 1}),
    ],
)
def test_registering_refuses_a_malformed_field_and_opens_nothing(field: str, value: Any) -> None:
    assert field in errors_of(register(**{field: value}))
    assert not User.objects.exists()


def test_wallets_show_money_and_what_the_limits_leave_in_one_query(
    thandi: Person, sipho: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fund(thandi, "1000.00")
    send(thandi, sipho, "120.50")
    with django_assert_num_queries(1):
        body = body_of(calling(thandi).get("wallets"))
    assert (body["next"], body["previous"]) == (None, None)
    assert body["results"] == [
        {
            "number": thandi.wallet.number,
            "currency": "ZAR",
            "status": "active",
            "balance": "879.50",
            "available": "879.50",
            "held": "0.00",
            "limits": {
                "tier": 2,
                "may_send": True,
                "may_cash_out": True,
                "per_transfer": "25000.00",
                "per_day": "50000.00",
                "per_month": "100000.00",
                "left_today": "49879.50",
                "left_this_month": "99879.50",
                "highest_balance": "100000.00",
            },
        }
    ]
    one = calling(thandi).get(f"wallets/{thandi.wallet.number}")
    assert body_of(one) == body["results"][0]


def test_counters_of_an_earlier_day_or_month_read_as_nothing_spent(
    ledger: object, thandi: Person, sipho: Person
) -> None:
    long_ago = now() - dt.timedelta(days=40)
    fund(thandi, "1000.00", at=long_ago)
    leg = Leg(
        kind=Kind.TRANSFER,
        source=thandi.wallet.pk,
        target=sipho.wallet.pk,
        amount=Money.parse("100.00"),
        check_limits="send",
    )
    posting.post([leg], at=long_ago)
    assert Wallet.objects.get(pk=thandi.wallet.pk).spent_month_amount == 100
    limits = body_of(calling(thandi).get(f"wallets/{thandi.wallet.number}"))["limits"]
    assert (limits["left_today"], limits["left_this_month"]) == ("50000.00", "100000.00")


def test_a_currency_without_limits_allows_nothing(thandi: Person) -> None:
    wallet = open_wallet(user=thandi.user, currency="USD")
    limits = body_of(calling(thandi).get(f"wallets/{wallet.number}"))["limits"]
    assert not TierLimit.objects.filter(currency="USD").exists()
    assert (limits["may_send"], limits["left_today"], limits["highest_balance"]) == (False, None, None)
    assert [one["currency"] for one in body_of(calling(thandi).get("wallets"))["results"]] == ["ZAR", "USD"]


def test_a_strangers_wallet_is_not_there(thandi: Person, naledi: Person) -> None:
    problem(calling(naledi).get(f"wallets/{thandi.wallet.number}"), 404, "wallet_not_found")
    problem(calling(naledi).post(f"wallets/{thandi.wallet.number}/freeze"), 404, "wallet_not_found")
    house = Wallet.objects.filter(kind="bank")[0]
    problem(calling(naledi).get(f"wallets/{house.number}"), 404, "wallet_not_found")
    assert Wallet.objects.get(pk=thandi.wallet.pk).status == "active"


@pytest.mark.parametrize(
    "number",
    [
        "0123456789",
        "123",
        "12345678901",
        "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10",
        "%00123456789",
        "x",
    ],
)
def test_a_number_that_cannot_be_one_is_not_found(thandi: Person, number: str) -> None:
    problem(calling(thandi).get(f"wallets/{number}"), 404, "not_found")


def test_freezing_stops_a_wallet_and_is_told_once(ledger: object, thandi: Person, sipho: Person, app_sql: Sql) -> None:
    fund(thandi, "100.00")
    for _ in range(2):
        answer = calling(thandi).post(f"wallets/{thandi.wallet.number}/freeze")
        assert (answer.status_code, body_of(answer)["status"]) == (200, "frozen")
    event = AuditEvent.objects.get(verb="wallet.frozen")
    assert (event.actor_id, event.subject_id) == (thandi.user.id, thandi.wallet.number)
    body = {"to": sipho.wallet.number, "amount": "1.00", "currency": "ZAR"}
    problem(calling(thandi).post("transfers", body, Idempotency_Key="k"), 409, "wallet_frozen")


def test_a_closed_wallet_cannot_be_frozen(thandi: Person) -> None:
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="closed")
    problem(calling(thandi).post(f"wallets/{thandi.wallet.number}/freeze"), 409, "wallet_not_active")
