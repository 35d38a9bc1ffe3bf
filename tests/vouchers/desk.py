"""What customers ask of vouchers, in few words. `at` is what the clock of the door says."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from accounts import audit
from accounts.models import User
from mymoolah.common.clock import now
from mymoolah.common.crypto import decrypt
from mymoolah.common.money import Money
from tests.conftest import Person, Sql
from transactions.posting import IdempotencyKey
from vouchers.models import Voucher
from vouchers.numbers import CODE_CONTEXT
from vouchers.selectors import Redeemed
from vouchers.services import ending, issuing, redeeming
from vouchers.services.ending import Cancelled
from wallets.models import Wallet

STANDARD, TOP_UP, EASYPAY_VOUCHER, CASH_OUT = Voucher.Type
# What a customer pays for one, or has held, besides its face.
COSTS = {STANDARD: "0.00", TOP_UP: "6.33", EASYPAY_VOUCHER: "2.88", CASH_OUT: "9.20"}


def key(name: str | None, *asked: object) -> IdempotencyKey:
    """The key of this name, or a new one, for what is asked."""
    return IdempotencyKey("user:desk", name or uuid.uuid4().hex, hashlib.sha256(repr(asked).encode()).digest())


def issued(
    who: Person, voucher_type: str = STANDARD, amount: str = "100.00", *, at: dt.datetime | None = None, **named: Any
) -> issuing.Issued:
    money = Money.parse(amount, named.get("currency", "ZAR"))
    return issuing.issue_voucher(
        user_public_id=who.user.public_id,
        voucher_type=Voucher.Type(voucher_type),
        amount=money,
        key=key(named.get("key"), "issue", who.user.pk, voucher_type, money),
        now=at or now(),
    )


def issue(who: Person, voucher_type: str = STANDARD, amount: str = "100.00", **named: Any) -> Voucher:
    return issued(who, voucher_type, amount, **named).voucher


def code_of(voucher: Voucher) -> str:
    assert voucher.code_encrypted is not None
    return decrypt(voucher.code_encrypted, context=CODE_CONTEXT)


def redeem(
    who: Person, what: Voucher | str, amount: str | None = None, *, at: dt.datetime | None = None, **named: Any
) -> Redeemed:
    return redeeming.redeem_voucher(
        user_public_id=who.user.public_id,
        code=code_of(what) if isinstance(what, Voucher) else what,
        amount=None if amount is None else Money.parse(amount, named.get("currency", "ZAR")),
        key=key(named.get("key"), "redeem", who.user.pk, what, amount),
        now=at or now(),
        origin=audit.SYSTEM,
    )


def cancel(who: Person, voucher: Voucher, *, at: dt.datetime | None = None, **named: Any) -> Cancelled:
    return ending.cancel_voucher(
        user_public_id=who.user.public_id,
        voucher_public_id=voucher.public_id,
        key=key(named.get("key"), "cancel", who.user.pk, voucher.public_id),
        now=at or now(),
        origin=audit.SYSTEM,
    )


def at_once(race: Callable[..., list[Any]], *works: Callable[[], object]) -> list[Any]:
    """Do these at the same moment; what each returned or raised, in their order."""
    answers: list[Any] = [None] * len(works)
    turns = iter(range(len(works)))

    def one() -> None:
        turn = next(turns)
        try:
            answers[turn] = works[turn]()
        except Exception as error:  # noqa: BLE001 - an answer like any other; the test compares them
            answers[turn] = error

    race(len(works), one)
    return answers


def many(sql: Sql, who: Person, count: int, status: str, *, created: str = "now()") -> None:
    """Standard vouchers that nobody has paid for, thousands a second; `created` is SQL that may name the count `i`."""
    sql(
        f"""
        INSERT INTO vouchers (
            public_id, user_id, voucher_type, status, code_encrypted, code_index, original_amount, balance, currency,
            expires_at, created_at
        )
        SELECT
            gen_random_uuid(), %s, 'standard', %s, 'sealed', sha256(gen_random_uuid()::text::bytea), 50, %s, 'ZAR',
            now() + interval '1 year', {created}
        FROM generate_series(1, %s) AS i
        """,  # noqa: S608 - our own words
        who.user.pk,
        status,
        50 if status == "active" else 0,
        count,
    )


def plan_of(statement: str, *values: str | uuid.UUID) -> dict[str, Any]:
    """The plan by which a statement was run, with the blocks it looked at once the catalogue was read."""
    plans: list[dict[str, Any]] = []
    with transaction.atomic(), connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values or None)
            (found,) = cursor.fetchone() or ("[]",)
            plans = json.loads(found) if isinstance(found, str) else found
    plan: dict[str, Any] = plans[0]["Plan"]
    return plan


def buffers(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def spent(who: Person) -> tuple[Decimal, Decimal]:
    """What counts against the limits of this day and this month."""
    wallet = Wallet.objects.get(pk=who.wallet.pk)
    return wallet.spent_day_amount, wallet.spent_month_amount


def state_of(voucher: Voucher) -> tuple[str, Decimal]:
    row = Voucher.objects.get(pk=voucher.pk)
    return row.status, row.balance


def stop(model: type[User | Wallet], who: Person, status: str) -> None:
    """Freeze or close somebody's wallet, suspend himself."""
    model._default_manager.filter(pk=who.user.pk if model is User else who.wallet.pk).update(status=status)
