"""Vouchers through the API: what customers see and do, what they are told twice, and that a code shows nowhere else."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from mymoolah.common.clock import iso_utc, now
from mymoolah.common.money import Money
from tests.api import Caller, body_of, calling, errors_of, problem
from tests.conftest import Ledger, Person, Sql, balance, fund, send
from tests.tables import digests
from tests.vouchers import desk
from tests.vouchers.book import a_voucher
from tests.vouchers.desk import CASH_OUT, EASYPAY_VOUCHER, STANDARD, TOP_UP, code_of, state_of, stop
from tests.vouchers.till import payment, told
from transactions import posting
from transactions.models import IdempotencyKey
from vouchers import selectors
from vouchers.models import Voucher, VoucherTotal
from vouchers.numbers import is_voucher_code, voucher_code
from vouchers.policies import policy_of
from vouchers.services import issuing
from vouchers.services.ending import expire_vouchers
from wallets.models import Wallet
from wallets.services import open_wallet

EASYPAY = [TOP_UP, EASYPAY_VOUCHER, CASH_OUT]
NOBODYS = uuid.UUID("3f0c9d5e-2b0a-4f57-9c0e-6f1d2a7b8c90")
Race = Callable[..., list[Any]]


def order(voucher_type: str = STANDARD, amount: Any = "100.00", **changed: Any) -> dict[str, Any]:
    return {"voucher_type": voucher_type, "amount": amount, "currency": "ZAR", **changed}


def issue(who: Person, body: Any = None, key: str | None = None) -> HttpResponse:
    return calling(who).post("vouchers", order() if body is None else body, Idempotency_Key=key or uuid.uuid4().hex)


def cancel(who: Person, voucher_id: object, key: str | None = None) -> HttpResponse:
    return calling(who).post(f"vouchers/{voucher_id}/cancel", Idempotency_Key=key or uuid.uuid4().hex)


def redeem(who: Person, code: Any, amount: Any = None, key: str | None = None, **request: str) -> HttpResponse:
    body = {"code": code} if amount is None else {"code": code, "amount": amount}
    caller = calling(who)
    caller.client = Client(**request)  # type: ignore[arg-type]
    return caller.post("vouchers/redeem", body, Idempotency_Key=key or uuid.uuid4().hex)


def listed(who: Person, **query: Any) -> list[str]:
    return [one["id"] for page in pages(who, **query) for one in page]


def pages(who: Person, **query: Any) -> Iterator[list[dict[str, Any]]]:
    caller = calling(who)
    body = body_of(caller.get("vouchers", **query))
    yield body["results"]
    while body["next"]:
        body = body_of(caller.follow(body["next"]))
        yield body["results"]


@pytest.fixture
def uncounted(settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def rich(ledger: object, thandi: Person) -> Person:
    fund(thandi, "20000.00")
    return thandi


# Issuing ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("voucher_type", Voucher.Type)
def test_a_voucher_is_made_and_shown_whole(rich: Person, voucher_type: Voucher.Type) -> None:
    answer = issue(rich, order(voucher_type))
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer
    voucher = Voucher.objects.get()
    policy = policy_of(voucher)
    body = body_of(answer)
    assert body == {
        "id": str(voucher.public_id),
        "voucher_type": voucher_type,
        "status": policy.first_status,
        "amount": "100.00",
        "balance": str(policy.first_balance(Decimal("100.00"))),
        "currency": "ZAR",
        "fee": str(voucher.fee_amount),
        "vat": str(voucher.vat_amount),
        "easypay_number": voucher.easypay_number,
        "expires_at": iso_utc(voucher.expires_at),
        "created_at": iso_utc(voucher.created_at),
        "code": code_of(voucher) if voucher_type == STANDARD else None,
    }
    assert body_of(calling(rich).get(f"vouchers/{voucher.public_id}")) == body


MALFORMED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no type": ({"voucher_type": ""}, ["voucher_type"]),
    "another type": ({"voucher_type": "gift"}, ["voucher_type"]),
    "a type by number": ({"voucher_type": 1}, ["voucher_type"]),
    "a JSON number": ({"amount": 100}, ["amount"]),
    "zero": ({"amount": "0.00"}, ["amount"]),
    "negative": ({"amount": "-5"}, ["amount"]),
    "three decimals": ({"amount": "5.001"}, ["amount"]),
    "small letters": ({"currency": "zar"}, ["currency"]),
    "nothing": ({"voucher_type": None, "amount": None, "currency": None}, ["voucher_type", "amount", "currency"]),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_order_makes_none(rich: Person, what: str) -> None:
    changed, wrong = MALFORMED[what]
    before = digests()
    assert list(errors_of(issue(rich, order(**changed)))) == wrong
    assert digests() == before


def test_refusals_say_why(rich: Person, sipho: Person) -> None:
    assert problem(issue(rich, order(amount="4.99")), 400, "amount_out_of_range")["facts"] == {
        "least": "5.00",
        "most": "4000.00",
    }
    assert problem(issue(rich, order(currency="USD")), 409, "voucher_not_offered")["facts"] == {
        "voucher_type": "standard",
        "currency": "USD",
    }
    assert problem(issue(sipho, order(EASYPAY_VOUCHER)), 409, "insufficient_funds")["facts"] == {
        "available": "0.00",
        "needed": "102.88",
    }
    for _ in range(10):
        assert issue(sipho, order(TOP_UP)).status_code == 201
    assert problem(issue(sipho, order(TOP_UP)), 409, "too_many_open_vouchers")["facts"] == {"most": 10}
    User.objects.filter(pk=rich.user.pk).update(kyc_tier=0)
    problem(issue(rich), 409, "not_permitted")
    stop(User, rich, "suspended")
    problem(issue(rich), 403, "account_suspended")
    stop(Wallet, rich, "frozen")
    problem(issue(rich), 409, "wallet_frozen")


def test_a_wallet_in_dollars_is_offered_none(rich: Person) -> None:
    open_wallet(user=rich.user, currency="USD")
    problem(issue(rich, order(currency="USD")), 409, "voucher_not_offered")


CHANGES: dict[str, Callable[[Person, Person, Voucher], object]] = {
    "nothing": lambda *_: None,
    "a part was redeemed": lambda _, other, voucher: desk.redeem(other, voucher, "30.00"),
    "all was redeemed": lambda _, other, voucher: desk.redeem(other, voucher),
    "it expired": lambda _, __, voucher: expire_vouchers(now=voucher.expires_at),
    "her wallet froze": lambda who, *_: stop(Wallet, who, "frozen"),
    "she spent the rest": lambda who, other, _: send(who, other, str(balance(who))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_repeat_shows_the_voucher_as_it_was_made_byte_for_byte(rich: Person, sipho: Person, change: str) -> None:
    first = issue(rich, key="k")
    CHANGES[change](rich, sipho, Voucher.objects.get())
    after = digests()
    again = issue(rich, order(amount="100"), key="k")
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotency-Replayed"] == "true"
    for other in (order(amount="100.01"), order(TOP_UP)):
        problem(issue(rich, other, key="k"), 422, "idempotency_key_reused")
    assert digests() == after


@pytest.mark.parametrize("voucher_type", EASYPAY)
def test_a_repeat_of_one_for_a_till_shows_it_as_it_was_made(rich: Person, voucher_type: str) -> None:
    first = issue(rich, order(voucher_type), key="k")
    cancel(rich, body_of(first)["id"])
    assert issue(rich, order(voucher_type), key="k").content == first.content


def test_ten_at_once_with_one_key_are_one_voucher_and_one_answer(rich: Person, race: Race) -> None:
    answers = race(10, lambda: issue(rich, key="k"))
    assert Counter(answer.status_code for answer in answers) == {201: 10}, answers
    assert len({answer.content for answer in answers}) == 1
    assert Voucher.objects.count() == 1


@pytest.mark.parametrize("path", ["vouchers", "vouchers/redeem", f"vouchers/{NOBODYS}/cancel"])
def test_what_moves_money_needs_a_key(rich: Person, path: str) -> None:
    body = {"vouchers": order(), "vouchers/redeem": {"code": voucher_code()}}.get(path, {})
    problem(calling(rich).post(path, body), 400, "idempotency_key_required")
    assert errors_of(calling(rich).post(path, body, Idempotency_Key="é")) == {"Idempotency-Key": ["invalid_key"]}


def test_a_key_of_one_route_is_not_that_of_another(rich: Person) -> None:
    made = body_of(issue(rich, order(TOP_UP), key="k"))
    problem(cancel(rich, made["id"], key="k"), 422, "idempotency_key_reused")
    problem(redeem(rich, voucher_code(), key="k"), 422, "idempotency_key_reused")


# Cancelling ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("voucher_type", EASYPAY)
def test_a_cancelled_voucher_is_shown_so_now_and_when_asked_again(rich: Person, voucher_type: str) -> None:
    made = body_of(issue(rich, order(voucher_type)))
    first, second = (cancel(rich, made["id"], key="k") for _ in range(2))
    assert first.status_code == 200
    del made["code"]
    assert body_of(first) == {**made, "status": "cancelled", "balance": "0.00"}
    assert (second.content, second["Idempotency-Replayed"]) == (first.content, "true")
    assert "Idempotency-Replayed" not in first
    problem(cancel(rich, made["id"]), 409, "voucher_cancelled")


def test_a_cash_out_that_a_thief_made_is_stopped_in_the_frozen_wallet(rich: Person) -> None:
    made = body_of(issue(rich, order(CASH_OUT)))
    calling(rich).post(f"wallets/{rich.wallet.number}/freeze")
    problem(issue(rich, order(CASH_OUT)), 409, "wallet_frozen")
    first, second = (cancel(rich, made["id"], key="k") for _ in range(2))
    assert (first.status_code, second.status_code, second.content) == (200, 200, first.content)
    wallet = body_of(calling(rich).get(f"wallets/{rich.wallet.number}"))
    assert (wallet["status"], wallet["available"], wallet["held"]) == ("frozen", wallet["balance"], "0.00")
    assert told(payment(made["easypay_number"])) == "suspense"
    assert balance(rich) == Money.parse(wallet["balance"])


def test_a_cancelled_top_up_that_was_paid_after_all_is_still_told_to_be_cancelled(thandi: Person) -> None:
    made = body_of(issue(thandi, order(TOP_UP)))
    first = cancel(thandi, made["id"], key="k")
    Voucher.objects.update(status="redeemed")  # as the release of a late payment does
    assert cancel(thandi, made["id"], key="k").content == first.content
    assert body_of(calling(thandi).get(f"vouchers/{made['id']}"))["status"] == "redeemed"


def test_a_key_cancels_one_voucher_only(rich: Person) -> None:
    one, other = (body_of(issue(rich, order(TOP_UP)))["id"] for _ in range(2))
    cancel(rich, one, key="k")
    problem(cancel(rich, other, key="k"), 422, "idempotency_key_reused")
    assert Voucher.objects.get(public_id=other).status == "pending_payment"


def test_cancelling_is_refused_with_reasons(rich: Person, naledi: Person) -> None:
    standard = body_of(issue(rich))["id"]
    refusal = problem(cancel(rich, standard), 409, "voucher_not_cancellable")
    assert refusal["facts"] == {"voucher_type": "standard"}
    top_up = body_of(issue(rich, order(TOP_UP)))["id"]
    for who, voucher_id in ((naledi, top_up), (rich, uuid.uuid4())):
        problem(cancel(who, voucher_id), 404, "voucher_not_found")
    assert Voucher.objects.get(public_id=top_up).status == "pending_payment"


# Redeeming ----------------------------------------------------------------------------------------------------------
def test_a_part_of_a_voucher_reaches_a_wallet(rich: Person, sipho: Person) -> None:
    fund(sipho, "12.34")
    code = body_of(issue(rich))["code"]
    answer = redeem(sipho, code, "30.00")
    assert answer.status_code == 200
    body = body_of(answer)
    assert uuid.UUID(body.pop("id")).version == 4
    entry = body_of(calling(sipho).get(f"transactions/{sipho.wallet.number}-2"))
    assert (entry["kind"], entry["reference"], entry["counterparty"]["name"]) == (
        "voucher_redeem",
        "Voucher",
        "MyMoolah",
    )
    assert body == {
        "amount": "30.00",
        "currency": "ZAR",
        "wallet": sipho.wallet.number,
        "balance_after": "42.34",
        "left": "70.00",
        "created_at": entry["created_at"],
    }
    rest = body_of(redeem(rich, code))
    assert (rest["amount"], rest["left"], rest["wallet"]) == ("70.00", "0.00", rich.wallet.number)
    problem(redeem(sipho, code), 409, "voucher_redeemed")


@pytest.mark.parametrize("form", ["{0} {1} {2} {3}", "{0}-{1}-{2}-{3}", " {0}{1} {2}-{3} ", "{0}{1}{2}{3}"])
def test_a_code_may_be_typed_in_groups(rich: Person, sipho: Person, form: str) -> None:
    code = body_of(issue(rich))["code"]
    typed = form.format(*re.findall("....", code))
    first = redeem(sipho, typed, key="k")
    assert first.status_code == 200
    assert redeem(sipho, code, key="k").content == first.content


@pytest.mark.parametrize(
    "code",
    [
        "",
        "1",
        "4" * 15,
        "4" * 17,
        4111111111111111,
        None,
        True,
        ["4111111111111111"],
        "\uff14" * 16,
        "4111-1111-1111-111a",
        "4111  1111 1111 1111",
        "-4111111111111111",
        "4111111111111111\n",
        "4111.1111.1111.1111",
    ],
    ids=repr,
)
def test_what_has_not_sixteen_digits_is_malformed_and_not_repeated(sipho: Person, code: Any) -> None:
    answer = redeem(sipho, code)
    assert list(errors_of(answer)) == ["code"]
    assert len(str(code)) < 14 or str(code).strip() not in answer.content.decode()
    assert not AuditEvent.objects.filter(verb="voucher.code_unknown").exists()


@pytest.mark.parametrize("amount", ["0.00", "-1", 5, "1.001"])
def test_a_malformed_amount_redeems_nothing(rich: Person, sipho: Person, amount: Any) -> None:
    code = body_of(issue(rich))["code"]
    assert list(errors_of(redeem(sipho, code, amount))) == ["amount"]
    assert balance(sipho).amount == 0


def test_unknown_and_mistyped_codes_are_told_alike_and_audited(rich: Person, sipho: Person) -> None:
    code = body_of(issue(rich))["code"]
    mistyped = str((int(code[0]) + 1) % 10) + code[1:]
    assert not is_voucher_code(mistyped)
    told = [problem(redeem(sipho, wrong), 404, "voucher_not_found") for wrong in (mistyped, voucher_code())]
    for body in told:
        del body["request_id"]
    assert told[0] == told[1]
    events = AuditEvent.objects.filter(verb="voucher.code_unknown", actor=sipho.user)
    assert [(event.facts, event.address) for event in events] == [({}, "127.0.0.1")] * 2
    assert not IdempotencyKey.objects.filter(actor=f"user:{sipho.user.public_id}").exists()


def test_redeeming_is_refused_with_reasons(rich: Person, sipho: Person, owner_sql: Sql) -> None:
    code = body_of(issue(rich))["code"]
    assert problem(redeem(sipho, code, "100.01"), 409, "redeem_exceeds_voucher")["facts"] == {
        "left": "100.00",
        "currency": "ZAR",
    }
    fund(sipho, "99950.00")
    problem(redeem(sipho, code), 409, "balance_too_high")
    stop(Wallet, sipho, "frozen")
    problem(redeem(sipho, code), 409, "wallet_frozen")
    owner_sql("UPDATE vouchers SET expires_at = now()")
    problem(redeem(rich, code), 409, "voucher_expired")
    expire_vouchers(now=now())
    problem(redeem(rich, code), 409, "voucher_expired")


def test_a_repeated_redemption_is_answered_alike_whatever_has_changed(
    rich: Person, sipho: Person, naledi: Person
) -> None:
    code = body_of(issue(rich))["code"]
    first = redeem(sipho, code, "30", key="k")
    redeem(naledi, code)
    send(sipho, naledi, "30.00")
    stop(Wallet, sipho, "frozen")
    again = redeem(sipho, code, "30.00", key="k")
    assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (200, first.content, "true")
    for other_code, amount in ((code, None), (code, "30.01"), (voucher_code(), "30.00")):
        problem(redeem(sipho, other_code, amount, key="k"), 422, "idempotency_key_reused")
    assert balance(naledi) == Money.parse("100.00")


def test_ten_customers_of_one_code_at_once_get_its_money_once(rich: Person, race: Race, uncounted: None) -> None:
    code = body_of(issue(rich))["code"]
    answers = race(10, lambda: redeem(rich, code))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 9}, answers
    assert balance(rich) == Money.parse("20000.00")


# A code shows nowhere else ------------------------------------------------------------------------------------------
def test_a_code_is_in_no_log_no_table_no_key_and_no_other_answer(
    rich: Person, sipho: Person, admin_sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []

    def heard(answer: HttpResponse) -> HttpResponse:
        said.append(answer.content.decode() + str(answer.headers))
        return answer

    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "django.db.backends"):
        connection.force_debug_cursor = True
        try:
            code = body_of(issue(rich, key="k"))["code"]
            unknown = voucher_code()
            mistyped = code[:-1] + str((int(code[-1]) + 5) % 10)
            for tried, amount in ((code, "0.5"), (code, "500"), (unknown, None), (mistyped, None), (code + "1", None)):
                heard(redeem(sipho, tried, amount))
            heard(redeem(sipho, code, "1.001"))
            heard(redeem(sipho, code))
            heard(redeem(sipho, code))
            heard(calling(rich).get("vouchers"))
            heard(calling(rich).get("transactions"))
        finally:
            connection.force_debug_cursor = False
    logged = "\n".join(record.getMessage() for record in caplog.records) + caplog.text
    assert 'FROM "vouchers"' in logged  # it heard the database's statements too
    stored = "\n".join(
        str(row)
        for (table,) in admin_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for row in admin_sql(f"SELECT t::text FROM {table} AS t")  # noqa: S608 - our own tables
    )
    assert "voucher.code_unknown" in stored
    for secret in (code, unknown, mistyped):
        grouped = " ".join(re.findall("....", secret))
        for place in (logged, stored, *said):
            assert secret not in place
            assert grouped not in place
    assert [len(bytes(digest)) for (digest,) in admin_sql("SELECT request_hash FROM idempotency_keys")] == [32] * 3


def test_what_a_key_keeps_of_a_code_cannot_be_worked_out_without_our_secret(
    rich: Person, sipho: Person, settings: Any
) -> None:
    code = body_of(issue(rich))["code"]
    redeem(sipho, code, key="k")
    settings.BLIND_INDEX_KEY = "A" * 43 + "="
    problem(redeem(sipho, code, key="k"), 422, "idempotency_key_reused")


@pytest.mark.parametrize("when", ["redeemed", "issued"])
def test_a_traceback_with_all_its_variables_tells_no_code(
    rich: Person, sipho: Person, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    code = body_of(issue(rich))["code"] if when == "redeemed" else voucher_code()

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the kernel is gone")

    monkeypatch.setattr(posting, "post", fails)
    monkeypatch.setattr(issuing, "voucher_code", lambda: code)
    with pytest.raises(RuntimeError) as caught:
        redeem(sipho, code) if when == "redeemed" else issue(rich)
    ours = [
        frame for frame in _frames(caught.value) if "/vouchers/" in frame.filename and "/tests/" not in frame.filename
    ]
    assert ours
    shown = "\n".join(f"{frame.filename} {frame.name} {frame.locals}" for frame in ours)
    assert code not in shown


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.TracebackException.from_exception(error, capture_locals=True).stack)


# Showing and listing ------------------------------------------------------------------------------------------------
def test_a_voucher_is_its_issuers_to_see(
    rich: Person, naledi: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = body_of(issue(rich))
    with django_assert_num_queries(1):
        answer = calling(rich).get(f"vouchers/{made['id']}")
    assert body_of(answer) == made
    assert answer["Cache-Control"] == "no-store"
    problem(calling(naledi).get(f"vouchers/{made['id']}"), 404, "voucher_not_found")
    problem(calling(rich).get(f"vouchers/{uuid.uuid4()}"), 404, "voucher_not_found")
    problem(calling(rich).get("vouchers/1"), 404, "not_found")
    assert listed(naledi) == []


def test_one_that_is_over_and_not_yet_swept_says_so_by_its_end(rich: Person, owner_sql: Sql) -> None:
    made = body_of(issue(rich))
    owner_sql("UPDATE vouchers SET expires_at = now()")
    shown = body_of(calling(rich).get(f"vouchers/{made['id']}"))
    assert shown["status"] == "active"
    assert shown["expires_at"] < iso_utc(now())
    expire_vouchers(now=now())
    assert body_of(calling(rich).get(f"vouchers/{made['id']}"))["status"] == "expired"


def test_the_list_shows_all_without_codes_newest_first_in_one_query(
    rich: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = [body_of(issue(rich, order(voucher_type))) for voucher_type in Voucher.Type]
    code = made[0]["code"]
    for voucher in made:
        del voucher["code"]
    with django_assert_num_queries(1):
        answer = calling(rich).get("vouchers")
    assert body_of(answer) == {"results": made[::-1], "next": None, "previous": None}
    assert code not in answer.content.decode()


def test_pages_hold_each_voucher_once_also_when_times_are_equal(thandi: Person) -> None:
    moment = now()
    rows = [a_voucher(thandi, "cancelled", "50.00") for _ in range(18)]
    for place, row in enumerate(rows):
        row.created_at = moment + dt.timedelta(minutes=place // 6)
    Voucher.objects.bulk_create(rows)
    everything = [str(row.public_id) for row in reversed(rows)]
    assert listed(thandi) == everything
    for limit in (1, 5, 17, 18):
        found = list(pages(thandi, limit=limit))
        assert [one["id"] for page in found for one in page] == everything
        assert {len(page) for page in found[:-1]} <= {limit}


@pytest.mark.parametrize("query", [{}, {"status": "cancelled"}])
def test_going_back_shows_the_pages_one_came_from(thandi: Person, query: dict[str, str]) -> None:
    Voucher.objects.bulk_create(a_voucher(thandi, "cancelled", "50.00") for _ in range(7))
    caller = calling(thandi)
    first = body_of(caller.get("vouchers", limit=3, **query))
    second = body_of(caller.follow(first["next"]))
    third = body_of(caller.follow(second["next"]))
    assert (len(third["results"]), third["next"]) == (1, None)
    assert body_of(caller.follow(third["previous"]))["results"] == second["results"]
    back = body_of(caller.follow(second["previous"]))
    assert (back["results"], back["previous"]) == (first["results"], None)


def test_filters_combine_and_each_page_looks_no_further_than_it_may(
    thandi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = ["cancelled", "expired", "redeemed"]
    rows = [a_voucher(thandi, status, "50.00") for _ in range(6) for status in statuses]
    rows += [a_voucher(thandi, "redeemed", "50.00", voucher_type=STANDARD) for _ in range(2)]
    Voucher.objects.bulk_create(rows)
    newest_first = rows[::-1]

    def expected(**wanted: str) -> list[str]:
        return [
            str(row.public_id)
            for row in newest_first
            if all(getattr(row, name) == value for name, value in wanted.items())
        ]

    for look in (2_000, 7, 4):
        monkeypatch.setattr(selectors, "LONGEST_LOOK", look)
        for status in statuses:
            assert listed(thandi, limit=3, status=status) == expected(status=status)
        assert listed(thandi, limit=3, voucher_type=STANDARD) == expected(voucher_type=STANDARD)
        both = {"status": "redeemed", "voucher_type": TOP_UP.value}
        assert listed(thandi, limit=3, **both) == expected(**both)
        assert listed(thandi, limit=3, status="active") == []
    assert [len(page) for page in pages(thandi, limit=3, status="active")] == [0] * 6


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "open"}, "status"),
        ({"status": ""}, "status"),
        ({"voucher_type": "gift"}, "voucher_type"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"cursor": "x"}, "cursor"),
    ],
)
def test_a_malformed_filter_is_a_problem(thandi: Person, query: dict[str, str], field: str) -> None:
    assert list(errors_of(calling(thandi).get("vouchers", **query))) == [field]


def test_no_id_of_a_row_leaves_with_a_cursor(thandi: Person) -> None:
    Voucher.objects.bulk_create(a_voucher(thandi, "cancelled", "50.00") for _ in range(3))
    address = body_of(calling(thandi).get("vouchers", limit=1))["next"]
    cursor = re.search("cursor=([^&]+)", address)
    assert cursor is not None
    newest = Voucher.objects.latest("pk")
    assert signing.loads(cursor[1].replace("%3A", ":"), salt="cursor:vouchers") == [False, str(newest.public_id)]


@pytest.mark.parametrize("query", [{}, {"status": "expired"}, {"voucher_type": "easypay_topup"}])
def test_page_ten_thousand_costs_what_the_first_costs(
    ledger: Ledger, thandi: Person, sipho: Person, owner_sql: Sql, query: dict[str, str]
) -> None:
    ledger.is_broken = True  # nobody has paid for these
    for who in (thandi, sipho):
        desk.many(owner_sql, who, 5000, "cancelled", created="now() - i * interval '1 minute'")
    owner_sql("VACUUM ANALYZE vouchers")
    oldest = Voucher.objects.filter(user=thandi.user).order_by("created_at", "id")[30]
    cost = []
    for cursor in (None, [False, str(oldest.public_id)]):
        address = {"limit": 25, **query}
        if cursor is not None:
            address["cursor"] = signing.dumps(cursor, salt="cursor:vouchers")
        with CaptureQueriesContext(connection) as captured:
            assert calling(thandi).get("vouchers", **address).status_code == 200
        (statement,) = captured.captured_queries
        plan = desk.plan_of(statement["sql"].replace("%", "%%"))
        assert "ix_vouchers_user_created" in json.dumps(plan)
        assert "Seq Scan" not in json.dumps(plan)
        cost.append(desk.buffers(plan))
    assert cost[1] <= cost[0] + 6, cost
    assert cost[0] <= (300 if query else 60), cost


# Who, how often, and as described -----------------------------------------------------------------------------------
ROUTES = [("get", "vouchers"), ("post", "vouchers"), ("post", "vouchers/redeem")]
ROUTES += [("get", f"vouchers/{NOBODYS}"), ("post", f"vouchers/{NOBODYS}/cancel")]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_and_staff_have_no_vouchers(thandi: Person, method: str, path: str) -> None:
    problem(getattr(Caller(), method)(path), 401, "not_authenticated")
    User.objects.filter(pk=thandi.user.pk).update(is_staff=True)
    thandi.user.refresh_from_db()
    problem(getattr(calling(thandi), method)(path), 403, "wrong_role")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_each_route_is_counted_in_its_group(thandi: Person, method: str, path: str) -> None:
    answer = getattr(calling(thandi), method)(path)
    limit = {"get": "300", "post": "60"}[method] if "redeem" not in path else "10"
    assert answer["RateLimit-Limit"] == limit


def test_the_dashboard_follows(rich: Person, sipho: Person) -> None:
    code = body_of(issue(rich))["code"]
    issue(rich, order(TOP_UP))
    redeem(sipho, code, "30.00")
    (summary,) = body_of(calling(rich).get("dashboard"))["summaries"]
    assert (summary["active_vouchers"], summary["active_voucher_value"]) == (1, "70.00")
    assert (summary["pending_vouchers"], summary["pending_voucher_value"]) == (1, "100.00")
    assert VoucherTotal.objects.get(user=rich.user).total_count == 2
    assert state_of(Voucher.objects.get(voucher_type=STANDARD))[1] == Decimal("70.00")
