"""Sending money through the API: what is moved, what is refused, and what is answered when asked again."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from mymoolah.common.money import Money
from tests.api import Caller, body_of, calling, errors_of, problem
from tests.conftest import Person, balance, fund, person, send
from transactions.models import IdempotencyKey, Transaction, Transfer
from wallets.models import TierLimit, Wallet
from wallets.services import open_wallet


def order(to: str = "sipho@example.com", amount: Any = "10.00", **changed: Any) -> dict[str, Any]:
    return {"to": to, "amount": amount, "currency": "ZAR", "reference": "Lunch", **changed}


def previewed(*to: str, **changed: Any) -> dict[str, Any]:
    """What is asked before an order: the same, without the reference that only its receiver reads."""
    return {name: value for name, value in order(*to, **changed).items() if name != "reference"}


def pay(who: Person, body: Any, key: str | None = None) -> Any:
    return calling(who).post("transfers", body, Idempotency_Key=key or uuid.uuid4().hex)


@pytest.fixture
def rich(ledger: object, thandi: Person) -> Person:
    fund(thandi, "1000.00")
    return thandi


@pytest.mark.parametrize("to", ["number", "sipho@EXAMPLE.com", "+27 82 111 0002", "0821110002"])
def test_a_payment_reaches_a_number_a_phone_or_an_address(rich: Person, sipho: Person, to: str) -> None:
    answer = pay(rich, order(sipho.wallet.number if to == "number" else to, "120.50"))
    assert answer.status_code == 201
    body = body_of(answer)
    assert uuid.UUID(body.pop("id")).version == 7
    assert body.pop("created_at").endswith("Z")
    assert body == {
        "kind": "transfer",
        "amount": "120.50",
        "currency": "ZAR",
        "reference": "Lunch",
        "to": {"wallet": f"…{sipho.wallet.number[-4:]}"},
        "balance_after": "879.50",
    }
    assert "Idempotency-Replayed" not in answer
    assert (balance(rich), balance(sipho)) == (Money.parse("879.50"), Money.parse("120.50"))
    assert Transfer.objects.get(kind="transfer").initiated_by_id == rich.user.id


def test_a_payment_is_two_queries(
    rich: Person, sipho: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        pay(rich, order())


MALFORMED: dict[str, dict[str, Any]] = {
    "negative": {"amount": "-1"},
    "zero": {"amount": "0"},
    "zero with cents": {"amount": "0.00"},
    "three decimals": {"amount": "0.001"},
    "an exponent": {"amount": "1e400"},
    "a small exponent": {"amount": "1e1"},
    "NaN": {"amount": "NaN"},
    "infinity": {"amount": "Infinity"},
    "a JSON number": {"amount": 10},
    "a JSON fraction": {"amount": 10.5},
    "full-width digits": {"amount": "\uff11\uff12"},
    "a comma": {"amount": "1,000.00"},
    "a space": {"amount": " 10.00"},
    "a line end": {"amount": "10.00\n"},
    "a plus": {"amount": "+10"},
    "too many digits": {"amount": "9" * 18},
    "a currency sign": {"amount": "R10"},
    "true": {"amount": True},
    "a list": {"amount": ["10.00"]},
    "null": {"amount": None},
    "no text": {"amount": ""},
    "small currency": {"currency": "zar"},
    "half a currency": {"currency": "ZA"},
    "a currency by number": {"currency": 710},
    "no currency": {"currency": None},
    "nobody": {"to": ""},
    "somebody by number": {"to": 1234567890},
    "a word": {"to": "sipho"},
    "too few digits": {"to": "123456789"},
    "a phone that cannot be": {"to": "+27"},
    "a phone without number": {"to": "0"},
    "a wallet in other digits": {"to": "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10"},
    "half an address": {"to": "sipho@"},
    "an endless address": {"to": "x" * 300 + "@example.com"},
    "an object": {"to": {"email": "x"}},
    "a long reference": {"reference": "x" * 141},
    "a number as reference": {"reference": 7},
    "lines in the reference": {"reference": "a\nb"},
    "a null reference": {"reference": None},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_payment_is_a_problem_and_moves_nothing(thandi: Person, sipho: Person, name: str) -> None:
    (field,) = MALFORMED[name]
    assert list(errors_of(pay(thandi, order(**MALFORMED[name])))) == [field]
    if field != "reference":
        answer = calling(thandi).post("transfers/preview", previewed(**MALFORMED[name]))
        assert list(errors_of(answer)) == [field]
    assert not Transfer.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_a_payment_without_its_fields_names_them(thandi: Person) -> None:
    assert errors_of(pay(thandi, {})) == {"to": ["required"], "amount": ["required"], "currency": ["required"]}


@pytest.mark.parametrize("key", ["", "   "])
def test_a_payment_without_a_key_is_refused(thandi: Person, sipho: Person, key: str) -> None:
    problem(calling(thandi).post("transfers", order(), Idempotency_Key=key), 400, "idempotency_key_required")
    problem(calling(thandi).post("transfers", order()), 400, "idempotency_key_required")


@pytest.mark.parametrize("key", ["x" * 256, "é", "a\tb", "a\x7fb"])
def test_a_key_that_is_none_is_refused(thandi: Person, sipho: Person, key: str) -> None:
    assert errors_of(pay(thandi, order(), key)) == {"Idempotency-Key": ["invalid_key"]}


def test_a_key_may_be_255_characters_of_print(rich: Person, sipho: Person) -> None:
    assert pay(rich, order(), "~! " * 84 + "end").status_code == 201


def test_an_amount_below_one_rand_is_too_small(rich: Person, sipho: Person) -> None:
    assert problem(pay(rich, order(amount="0.99")), 400, "amount_too_small")["facts"] == {"least": "1.00"}


def test_unknown_recipients_are_not_found(rich: Person, sipho: Person) -> None:
    for to in ("1234567897", "nobody@example.com", "082 999 0000", "+1 650 253 0000"):
        assert "facts" not in problem(pay(rich, order(to)), 404, "recipient_not_found")
    house = Wallet.objects.filter(kind="fee_income")[0]
    problem(pay(rich, order(house.number)), 404, "recipient_not_found")


def test_who_may_not_send_learns_nothing_about_others(rich: Person, sipho: Person, settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False
    for changed, status, code in (
        ({"kyc_tier": 0}, 409, "not_permitted"),
        ({"status": "closed"}, 403, "account_suspended"),
    ):
        User.objects.filter(pk=rich.user.pk).update(**changed)
        for to in ("nobody@example.com", "sipho@example.com", sipho.wallet.number, rich.wallet.number):
            problem(pay(rich, order(to)), status, code)
            problem(calling(rich).post("transfers/preview", previewed(to)), status, code)


def test_an_amount_that_nobody_can_send_looks_for_nobody(rich: Person, sipho: Person) -> None:
    for to in ("nobody@example.com", "sipho@example.com"):
        problem(pay(rich, order(to, amount="0.99")), 400, "amount_too_small")


@pytest.mark.parametrize(("field", "to"), [("email", "sipho@example.com"), ("phone", "0821110002")])
def test_a_contact_that_is_not_verified_cannot_be_paid(rich: Person, sipho: Person, field: str, to: str) -> None:
    User.objects.filter(pk=sipho.user.pk).update(**{f"{field}_verified_at": None})
    problem(pay(rich, order(to)), 404, "recipient_not_found")
    assert pay(rich, order(sipho.wallet.number)).status_code == 201


def test_staff_cannot_be_paid(rich: Person, sipho: Person) -> None:
    User.objects.filter(pk=sipho.user.pk).update(is_staff=True)
    problem(pay(rich, order()), 404, "recipient_not_found")


@pytest.mark.parametrize("trouble", ["frozen", "closed", "suspended", "account closed", "full", "other currency"])
def test_whoever_cannot_receive_is_refused_in_one_way(rich: Person, sipho: Person, trouble: str) -> None:
    to, currency = sipho.wallet.number, "ZAR"
    if trouble in {"frozen", "closed"}:
        Wallet.objects.filter(pk=sipho.wallet.pk).update(status=trouble)
    elif trouble in {"suspended", "account closed"}:
        User.objects.filter(pk=sipho.user.pk).update(status=trouble.rpartition(" ")[2])
    elif trouble == "full":
        fund(sipho, "99995.00")
    else:
        to, currency = "sipho@example.com", "USD"
        open_wallet(user=rich.user, currency="USD")
        TierLimit.objects.using("owner").create(
            tier=2,
            currency="USD",
            **dict.fromkeys(("per_transfer_amount", "per_day_amount", "per_month_amount", "highest_balance"), 1000),
            may_send=True,
            may_cash_out=False,
        )
    refusal = problem(pay(rich, order(to, currency=currency)), 409, "recipient_cannot_receive")
    assert "facts" not in refusal
    assert balance(rich) == Money.parse("1000.00")


def test_a_wallet_of_another_currency_cannot_receive(rich: Person, sipho: Person) -> None:
    dollars = open_wallet(user=sipho.user, currency="USD")
    problem(pay(rich, order(dollars.number)), 409, "recipient_cannot_receive")


def test_refusals_of_ones_own_wallet_say_why(rich: Person, sipho: Person) -> None:
    short = problem(pay(rich, order(amount="1000.01")), 409, "insufficient_funds")
    assert short["facts"] == {"available": "1000.00", "needed": "1000.01"}
    limit = problem(pay(rich, order(amount="25000.01")), 409, "limit_exceeded")
    assert limit["facts"] == {"period": "transfer", "limit": "25000.00", "left": "25000.00"}
    assert problem(pay(rich, order(currency="USD")), 409, "wrong_currency")["facts"] == {"currency": "USD"}
    problem(pay(rich, order(rich.wallet.number)), 409, "same_wallet")
    problem(pay(rich, order("thandi@example.com")), 409, "same_wallet")
    User.objects.filter(pk=rich.user.pk).update(kyc_tier=0)
    problem(pay(rich, order()), 409, "not_permitted")
    User.objects.filter(pk=rich.user.pk).update(status="suspended")
    problem(pay(rich, order()), 403, "account_suspended")
    User.objects.filter(pk=rich.user.pk).update(status="active", kyc_tier=2)
    Wallet.objects.filter(pk=rich.wallet.pk).update(status="frozen")
    problem(pay(rich, order()), 409, "wallet_frozen")
    assert balance(rich) == Money.parse("1000.00")
    assert not IdempotencyKey.objects.exists()


def test_a_refused_key_may_be_used_again(rich: Person, sipho: Person) -> None:
    problem(pay(rich, order(amount="5000.00"), "k"), 409, "insufficient_funds")
    assert pay(rich, order(amount="10.00"), "k").status_code == 201


def test_a_repeat_is_answered_alike_byte_for_byte(rich: Person, sipho: Person) -> None:
    first, second = (pay(rich, order(amount="10.5", reference=" Tea ✓ "), "k") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second["Idempotency-Replayed"] == "true"
    assert balance(rich) == Money.parse("989.50")


CHANGES: dict[str, Callable[[Person, Person], object]] = {
    "the recipient closed": lambda _, to: User.objects.filter(pk=to.user.pk).update(status="closed"),
    "her wallet froze": lambda _, to: Wallet.objects.filter(pk=to.wallet.pk).update(status="frozen"),
    "her address changed": lambda _, to: User.objects.filter(pk=to.user.pk).update(email="new@example.com"),
    "her name changed": lambda _, to: User.objects.filter(pk=to.user.pk).update(first_name="S", last_name="X"),
    "the sender froze": lambda who, _: Wallet.objects.filter(pk=who.wallet.pk).update(status="frozen"),
    "the sender fell to tier 0": lambda who, _: User.objects.filter(pk=who.user.pk).update(kyc_tier=0),
    "the sender spent the rest": lambda who, to: send(who, to, "990.00"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_repeat_is_answered_alike_whatever_has_changed(rich: Person, sipho: Person, change: str) -> None:
    first = pay(rich, order(), "k")
    assert first.status_code == 201
    CHANGES[change](rich, sipho)
    after = balance(rich)
    again = pay(rich, order(), "k")
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotency-Replayed"] == "true"
    assert balance(rich) == after


def test_a_repeat_to_an_address_that_is_now_somebody_elses_is_answered_alike(
    rich: Person, sipho: Person, naledi: Person
) -> None:
    first = pay(rich, order(), "k")
    User.objects.filter(pk=sipho.user.pk).update(email="old@example.com")
    User.objects.filter(pk=naledi.user.pk).update(email="sipho@example.com")
    assert pay(rich, order(), "k").content == first.content
    assert balance(naledi) == Money.parse("0.00")


@pytest.mark.parametrize(
    "change", [{"amount": "10.01"}, {"to": "naledi@example.com"}, {"to": "nobody@example.com"}, {"reference": "Tea"}]
)
def test_a_key_with_another_request_is_refused(
    rich: Person, sipho: Person, naledi: Person, change: dict[str, str]
) -> None:
    pay(rich, order(), "k")
    problem(pay(rich, order(**change), "k"), 422, "idempotency_key_reused")
    assert balance(rich) == Money.parse("990.00")


def test_two_spellings_of_one_request_are_one(rich: Person, sipho: Person) -> None:
    first = pay(rich, order("0821110002", "10"), "k")
    assert pay(rich, order("+27 82 111 0002", "10.00"), "k").content == first.content


def test_two_customers_may_use_one_key(rich: Person, sipho: Person, naledi: Person) -> None:
    fund(naledi, "10.00")
    assert pay(rich, order(), "k").status_code == 201
    answer = pay(naledi, order(), "k")
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer


def test_twenty_at_once_with_one_key_are_one_transfer_and_one_answer(
    rich: Person, sipho: Person, race: Callable[..., list[Any]]
) -> None:
    answers = race(20, lambda: pay(rich, order(), "k"))
    assert Counter(answer.status_code for answer in answers) == {201: 20}, answers
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 19
    assert Transfer.objects.filter(kind="transfer").count() == 1
    assert balance(sipho) == Money.parse("10.00")


def test_a_key_in_flight_is_told_to_wait(rich: Person, sipho: Person) -> None:
    claim = "SELECT claim_idempotency_key(%s, 'k', %s, 'transfer', %s)"
    with connections["owner"].cursor() as other:
        other.execute("BEGIN")
        other.execute(claim, [f"user:{rich.user.public_id}", b"0" * 32, uuid.uuid4()])
        answer = pay(rich, order(), "k")
        other.execute("ROLLBACK")
    problem(answer, 409, "idempotency_in_flight")
    assert pay(rich, order(), "k").status_code == 201


def test_a_wallet_that_stays_locked_is_a_503(rich: Person, sipho: Person) -> None:
    with connections["owner"].cursor() as other:
        other.execute("BEGIN")
        other.execute("SELECT FROM wallets WHERE id = %s FOR UPDATE", [rich.wallet.pk])
        answer = pay(rich, order(), "k")
        other.execute("ROLLBACK")
    problem(answer, 503, "temporarily_unavailable")
    assert pay(rich, order(), "k").status_code == 201


def test_a_preview_shows_whom_and_moves_nothing(
    thandi: Person, sipho: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        answer = calling(thandi).post("transfers/preview", previewed(amount="5000"))
    assert body_of(answer) == {
        "to": {"name": "Sipho M.", "wallet": f"…{sipho.wallet.number[-4:]}"},
        "amount": "5000.00",
        "currency": "ZAR",
        "fee": "0.00",
    }
    assert not Transaction.objects.exists()


def test_a_preview_refuses_as_a_payment_would(thandi: Person, sipho: Person) -> None:
    preview = "transfers/preview"
    problem(calling(thandi).post(preview, previewed("nobody@example.com")), 404, "recipient_not_found")
    problem(calling(thandi).post(preview, previewed("thandi@example.com")), 409, "same_wallet")
    problem(calling(thandi).post(preview, previewed(currency="USD")), 409, "wrong_currency")
    Wallet.objects.filter(pk=sipho.wallet.pk).update(status="frozen")
    problem(calling(thandi).post(preview, previewed()), 409, "recipient_cannot_receive")


def test_a_preview_does_not_tell_how_full_a_wallet_is(thandi: Person, sipho: Person) -> None:
    fund(sipho, "99999.00")
    assert calling(thandi).post("transfers/preview", previewed(amount="5000")).status_code == 200


def test_a_transfer_is_shown_to_its_two_ends_only(
    rich: Person, sipho: Person, naledi: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sent = body_of(pay(rich, order()))
    address = f"transfers/{sent['id']}"
    with django_assert_num_queries(1):
        mine = body_of(calling(rich).get(address))
    his = body_of(calling(sipho).get(address))
    assert (mine["type"], mine["balance_after"], mine["counterparty"]["name"]) == ("sent", "990.00", "Sipho M.")
    assert (his["type"], his["balance_after"], his["counterparty"]["name"]) == ("received", "10.00", "Thandi M.")
    assert {mine[name] == sent[name] for name in ("id", "kind", "amount", "reference", "created_at")} == {True}
    problem(calling(naledi).get(address), 404, "transfer_not_found")
    problem(calling(rich).get(f"transfers/{uuid.uuid4()}"), 404, "transfer_not_found")


def test_nobody_pays_without_signing_in(sipho: Person) -> None:
    problem(Caller().post("transfers", order(), Idempotency_Key="k"), 401, "not_authenticated")


def test_a_payer_in_another_currency_pays_in_it(ledger: object) -> None:
    lerato, musa = person("lerato", currency="USD"), person("musa", currency="USD")
    answer = pay(lerato, order("musa@example.com", currency="USD"))
    problem(answer, 409, "not_permitted")  # no tier has limits in dollars yet
    assert balance(musa) == Money.parse("0.00", "USD")
