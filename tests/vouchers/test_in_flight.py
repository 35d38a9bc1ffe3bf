"""A money call asked for again while it is still under way, over HTTP: told to wait, then answered alike."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.http import HttpResponse

from tests.api import body_of, calling, problem
from tests.conftest import Ledger, Person, Sql, balance, fund
from tests.vouchers.desk import CASH_OUT, EASYPAY_VOUCHER, STANDARD
from transactions.models import Transfer
from vouchers.numbers import voucher_code

Ask = Callable[[str], HttpResponse]

SLOW = """
CREATE FUNCTION take_a_while() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(3); RETURN NULL; END $$;
CREATE TRIGGER take_a_while AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION take_a_while();
"""


def order(voucher_type: str) -> dict[str, str]:
    return {"voucher_type": voucher_type, "amount": "100.00", "currency": "ZAR"}


def made(who: Person, voucher_type: str) -> Any:
    return body_of(calling(who).post("vouchers", order(voucher_type), Idempotency_Key=uuid.uuid4().hex))


def asking(who: Person, path: str, body: Any = None) -> Ask:
    return lambda key: calling(who).post(path, body, Idempotency_Key=key)


PAYMENT = {"to": "sipho@example.com", "amount": "10.00", "currency": "ZAR", "reference": "Lunch"}
CALLS: dict[str, tuple[Callable[[Person, Person], Ask], str]] = {
    "transfer": (lambda thandi, _: asking(thandi, "transfers", PAYMENT), "transfers"),
    "issue": (lambda thandi, _: asking(thandi, "vouchers", order(STANDARD)), "transfers"),
    "issue a held one": (lambda thandi, _: asking(thandi, "vouchers", order(CASH_OUT)), "holds"),
    "redeem": (
        lambda thandi, sipho: asking(sipho, "vouchers/redeem", {"code": made(thandi, STANDARD)["code"]}),
        "transfers",
    ),
    "cancel": (
        lambda thandi, _: asking(thandi, f"vouchers/{made(thandi, EASYPAY_VOUCHER)['id']}/cancel"),
        "transfers",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_who_asks_again_meanwhile_is_told_to_wait_and_then_gets_the_answer(
    name: str, ledger: Ledger, thandi: Person, sipho: Person, admin_sql: Sql
) -> None:
    fund(thandi, "1000.00")
    prepare, table = CALLS[name]
    ask = prepare(thandi, sipho)
    before = Transfer.objects.count()
    admin_sql(SLOW.format(table=table))
    # In production five seconds; the rest is the same.
    admin_sql(f'ALTER ROLE "{settings.DATABASE_APP_ROLE}" IN DATABASE "{ledger.name}" SET lock_timeout = \'1s\'')
    connections.close_all()

    def once(_: int) -> HttpResponse:
        try:
            return ask("k")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(once, range(3)))
    admin_sql(f"ALTER TABLE {table} DISABLE TRIGGER take_a_while")

    assert Counter(answer.status_code // 100 for answer in answers) == {2: 1, 4: 2}
    first = min(answers, key=lambda answer: answer.status_code)
    for answer in answers:
        if answer is not first:
            problem(answer, 409, "idempotency_in_flight")
            assert answer["Retry-After"] == "5"
    again = ask("k")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (again["Idempotency-Replayed"], "Idempotency-Replayed" in first) == ("true", False)
    assert len({row.group_id for row in Transfer.objects.order_by("pk")[before:]}) == (0 if table == "holds" else 1)


@pytest.mark.usefixtures("one_window")
def test_asking_again_for_what_was_redeemed_is_no_guess(ledger: Ledger, thandi: Person, sipho: Person) -> None:
    fund(thandi, "1000.00")
    code = made(thandi, STANDARD)["code"]
    first = calling(sipho).post("vouchers/redeem", {"code": code}, Idempotency_Key="k")
    assert (first.status_code, first["RateLimit-Limit"], first["RateLimit-Remaining"]) == (200, "10", "9")
    for _ in range(12):
        again = calling(sipho).post("vouchers/redeem", {"code": code}, Idempotency_Key="k")
        assert (again.status_code, again.content, again["RateLimit-Limit"]) == (200, first.content, "60")
        guess = calling(sipho).post("vouchers/redeem", {"code": voucher_code()}, Idempotency_Key="k")
        problem(guess, 422, "idempotency_key_reused")
    left = [
        calling(sipho).post("vouchers/redeem", {"code": voucher_code()}, Idempotency_Key=f"guess {number}")
        for number in range(10)
    ]
    assert Counter(answer.status_code for answer in left) == {404: 9, 429: 1}
    assert balance(sipho).amount == 100


@pytest.mark.usefixtures("one_window")
def test_a_strangers_key_makes_no_guess_free(ledger: Ledger, thandi: Person, sipho: Person) -> None:
    fund(thandi, "1000.00")
    made(thandi, STANDARD)
    assert calling(thandi).post("transfers", PAYMENT, Idempotency_Key="hers").status_code == 201
    answers = [
        calling(sipho).post("vouchers/redeem", {"code": voucher_code()}, Idempotency_Key="hers") for _ in range(11)
    ]
    assert Counter(answer.status_code for answer in answers) == {404: 10, 429: 1}
