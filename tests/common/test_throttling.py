"""Rate limits: counted per user and group, told in headers, and what happens while Redis is away."""

from __future__ import annotations

import time
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from mymoolah.common.throttling import usage_of
from tests.api import V1, Caller, calling, problem
from tests.conftest import Person, fund
from tests.description import as_described

pytestmark = pytest.mark.usefixtures("one_window")

WRONG = {"email": "thandi@example.com", "password": "not-my-passphrase"}
PAYMENT = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR"}


def guess(number: int, client: Client) -> HttpResponse:
    """Try to sign in as a customer of this number, whom nobody knows."""
    return Caller(client=client).post("auth/token", {"email": f"user{number}@example.com", "password": "not-it"})


@pytest.fixture
def few(settings: Any) -> None:
    """Limits low enough to reach."""
    fewer = {"reads": 3, "money": 2, "sign_in_address": 7, "codes": 4, "codes_address": 6}
    fewer |= {"previews": 2, "previews_address": 3}
    fewer |= {"documents": 2, "documents_address": 3}
    settings.RATE_LIMITS_PER_MINUTE = {**settings.RATE_LIMITS_PER_MINUTE, **fewer}


@pytest.fixture
def no_redis(settings: Any) -> None:
    """A cache whose server is not there."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock?db=0"}}


def test_every_limited_answer_tells_what_is_left(thandi: Person, few: None) -> None:
    left = []
    for _ in range(3):
        answer = calling(thandi).get("me")
        assert answer.status_code == 200
        assert answer["RateLimit-Limit"] == "3"
        assert 1 <= int(answer["RateLimit-Reset"]) <= 60
        left.append(answer["RateLimit-Remaining"])
    assert left == ["2", "1", "0"]
    answer = calling(thandi).get("dashboard")
    problem(answer, 429, "rate_limited")
    assert answer["RateLimit-Remaining"] == "0"
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_one_customers_haste_is_not_anothers(thandi: Person, naledi: Person, few: None) -> None:
    answers = [calling(thandi).get("me") for _ in range(4)]
    problem(answers[-1], 429, "rate_limited")
    assert calling(naledi).get("me").status_code == 200


def test_groups_are_counted_apart(thandi: Person, few: None) -> None:
    answers = [calling(thandi).post("transfers", PAYMENT) for _ in range(3)]
    problem(answers[-1], 429, "rate_limited")
    assert calling(thandi).get("me").status_code == 200


def test_refusals_carry_the_headers_too(thandi: Person) -> None:
    for answer in (calling(thandi).get("wallets/1234567897"), calling(thandi).post("transfers", PAYMENT)):
        assert "RateLimit-Remaining" in answer


def test_an_account_is_tried_five_times_a_minute_from_wherever(thandi: Person) -> None:
    for number in range(5):
        client = Client(REMOTE_ADDR=f"10.0.0.{number}")
        problem(Caller(client=client).post("auth/token", WRONG), 401, "invalid_credentials")
    right = {"email": "THANDI@example.com ", "password": "a-good-long-passphrase"}
    answer = Caller(client=Client(REMOTE_ADDR="10.0.0.9")).post("auth/token", right)
    problem(answer, 429, "rate_limited")
    assert answer["RateLimit-Limit"] == "5"


def test_an_address_tries_few_accounts_a_minute(db: None, few: None) -> None:
    for number in range(7):
        problem(guess(number, Client()), 401, "invalid_credentials")
    answer = guess(8, Client())
    problem(answer, 429, "rate_limited")
    assert answer["RateLimit-Limit"] == "7"
    neighbour = Client(REMOTE_ADDR="10.9.9.9")
    problem(Caller(client=neighbour).post("auth/token", WRONG), 401, "invalid_credentials")


def try_code(who: Person, address: str = "10.0.0.1") -> HttpResponse:
    caller = calling(who)
    caller.client = Client(REMOTE_ADDR=address)
    return caller.post("vouchers/redeem", {"code": "4111 1111 1111 1112"}, Idempotency_Key="k")


def test_codes_are_tried_ten_times_a_minute_and_thirty_from_one_address(settings: Any) -> None:
    limits = settings.RATE_LIMITS_PER_MINUTE
    assert (limits["codes"], limits["codes_address"]) == (10, 30)


def test_a_customer_tries_few_codes_a_minute_from_wherever(thandi: Person, naledi: Person, few: None) -> None:
    for number in range(4):
        problem(try_code(thandi, f"10.0.0.{number}"), 404, "voucher_not_found")
    answer = try_code(thandi, "10.0.0.9")
    problem(answer, 429, "rate_limited")
    assert answer["RateLimit-Limit"] == "4"
    problem(try_code(naledi, "10.0.0.9"), 404, "voucher_not_found")


def test_an_address_tries_few_codes_a_minute_whoever_signs_in_there(
    thandi: Person, sipho: Person, naledi: Person, few: None
) -> None:
    for who in (thandi, sipho) * 3:
        problem(try_code(who), 404, "voucher_not_found")
    answer = try_code(naledi)
    problem(answer, 429, "rate_limited")
    assert answer["RateLimit-Limit"] == "6"
    problem(try_code(naledi, "10.9.9.9"), 404, "voucher_not_found")


def look(
    who: Person, address: str = "10.0.0.1", *, to: str = "nobody@example.com", path: str = "transfers"
) -> HttpResponse:
    """Ask whether somebody can be paid: by a preview, or by a payment."""
    caller = calling(who)
    caller.client = Client(REMOTE_ADDR=address)
    asked = {"to": to, "amount": "1.00", "currency": "ZAR"}
    return caller.post(path, asked, **({"Idempotency_Key": uuid.uuid4().hex} if path == "transfers" else {}))


def test_who_has_used_up_his_looks_learns_nothing_by_payments(
    thandi: Person, sipho: Person, few: None, settings: Any, ledger: object
) -> None:
    settings.RATE_LIMITS_PER_MINUTE = {**settings.RATE_LIMITS_PER_MINUTE, "money": 9}
    problem(look(thandi, "10.0.0.1"), 404, "recipient_not_found")
    problem(look(thandi, "10.0.0.2", to="sipho@example.com"), 409, "insufficient_funds")
    for path in ("transfers", "transfers/preview"):
        for to in ("nobody@example.com", "sipho@example.com"):
            answer = look(thandi, "10.0.0.3", to=to, path=path)
            problem(answer, 429, "rate_limited")
            assert answer["RateLimit-Limit"] == "2"


def test_a_payment_that_was_made_is_told_again_without_a_look(
    thandi: Person, sipho: Person, few: None, settings: Any, ledger: object
) -> None:
    settings.RATE_LIMITS_PER_MINUTE = {**settings.RATE_LIMITS_PER_MINUTE, "money": 9}
    fund(thandi, "100.00")
    paid = [calling(thandi).post("transfers", PAYMENT, Idempotency_Key="rent") for _ in range(2)]
    for _ in range(2):
        problem(look(thandi), 404, "recipient_not_found")
    paid.append(calling(thandi).post("transfers", PAYMENT, Idempotency_Key="rent"))
    assert [answer.status_code for answer in paid] == [201] * 3
    assert len({answer.content for answer in paid}) == 1
    problem(calling(thandi).post("transfers", PAYMENT, Idempotency_Key="more"), 429, "rate_limited")


def test_an_address_looks_few_times_whoever_signs_in_there(
    thandi: Person, sipho: Person, naledi: Person, few: None
) -> None:
    for who in (thandi, sipho, naledi):
        problem(look(who, path="transfers/preview"), 404, "recipient_not_found")
    problem(look(naledi, path="transfers/preview"), 429, "rate_limited")
    problem(look(naledi, "10.9.9.9", path="transfers/preview"), 404, "recipient_not_found")


def test_changing_a_contact_counts_as_a_code(thandi: Person, few: None) -> None:
    answers = [calling(thandi).patch("me", {"first_name": "Thandi"}) for _ in range(5)]
    problem(answers[-1], 429, "rate_limited")
    assert answers[-1]["RateLimit-Limit"] == "4"
    assert calling(thandi).get("me").status_code == 200


def send_document(who: Person, path: str, address: str) -> HttpResponse:
    caller = calling(who)
    caller.client = Client(REMOTE_ADDR=address)
    sent: Any = caller.client.post(V1 + path, {}, headers=caller._headers({}))
    return as_described(sent)


@pytest.mark.parametrize("path", ["kyc/submissions", "kyc/submissions/0b3f3d5e-6c1c-4c0e-9d0e-2f6a1c7b8e90/documents"])
def test_an_address_sends_few_documents_a_minute_whoever_signs_in_there(
    thandi: Person, sipho: Person, naledi: Person, few: None, path: str
) -> None:
    for who in (thandi, sipho, sipho):
        problem(send_document(who, path, "10.0.0.1"), 400, "validation_error")
    answer = send_document(naledi, path, "10.0.0.1")
    problem(answer, 429, "rate_limited")
    assert answer["RateLimit-Limit"] == "3"
    problem(send_document(naledi, path, "10.9.9.9"), 400, "validation_error")
    answer = send_document(sipho, path, "10.0.0.2")
    problem(answer, 429, "rate_limited")
    assert answer["RateLimit-Limit"] == "2"


def test_addresses_of_ipv4_in_the_clothes_of_ipv6_are_those_of_ipv4(db: None, few: None) -> None:
    for number in range(8):
        problem(guess(number, Client(REMOTE_ADDR=f"::ffff:10.0.0.{number}")), 401, "invalid_credentials")
    answers = [
        guess(number, Client(REMOTE_ADDR=f"{clothes}10.0.0.99"))
        for number, clothes in enumerate(["::ffff:", ""] * 4, start=10)
    ]
    problem(answers[-1], 429, "rate_limited")
    assert [answer.status_code for answer in answers[:-1]] == [401] * 7


def test_all_addresses_of_one_ipv6_network_count_as_one(db: None, few: None) -> None:
    answers = [guess(number, Client(REMOTE_ADDR=f"2001:db8:1:2::{number:x}")) for number in range(8)]
    problem(answers[-1], 429, "rate_limited")


def test_behind_a_proxy_the_address_it_saw_counts(db: None, few: None, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    forwarded = [f"6.6.6.6, 10.1.1.{number}" for number in range(8)]
    answers = [
        guess(number, Client(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=seen))
        for number, seen in enumerate(forwarded)
    ]
    problem(answers[-1], 401, "invalid_credentials")


def test_switched_off_nothing_is_counted(thandi: Person, few: None, settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False
    answers = [calling(thandi).get("me") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert not any("RateLimit-Limit" in answer for answer in answers)


def test_a_second_that_ends_while_a_request_is_counted_is_no_redis_away(monkeypatch: pytest.MonkeyPatch) -> None:
    begins = int(time.time())
    # The library looks twice for each request; a window ends in one of these sixty pairs of seconds.
    ticks = [begins + second + later for second in range(60) for later in (0, 1)]
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=iter(ticks).__next__))
    request: Any = RequestFactory().post("/")

    usages = [usage_of(request, "money", "thandi") for _ in range(60)]

    assert all(usage is not None and usage.reset_seconds >= 1 for usage in usages)


def test_while_redis_is_away_reads_go_on(thandi: Person, no_redis: None) -> None:
    for path in ("me", "dashboard", "wallets", "transactions"):
        answer = calling(thandi).get(path)
        assert answer.status_code == 200
        assert "RateLimit-Limit" not in answer


def test_while_redis_is_away_money_and_sign_in_wait(thandi: Person, no_redis: None) -> None:
    for answer in (
        calling(thandi).post("transfers", PAYMENT),
        calling(thandi).post("transfers/preview", PAYMENT),
        try_code(thandi),
        Caller().post("auth/token", {"email": "thandi@example.com", "password": "a-good-long-passphrase"}),
        Caller().post("auth/register", {}),
    ):
        problem(answer, 503, "temporarily_unavailable")


def test_while_redis_is_away_a_wallet_can_still_be_frozen(thandi: Person, no_redis: None) -> None:
    assert calling(thandi).post(f"wallets/{thandi.wallet.number}/freeze").status_code == 200
