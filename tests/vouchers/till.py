"""What a till says and how it signs it, and every wallet that moves because of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from accounts import audit
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from tests.api import Caller, body_of
from tests.conftest import Person, Sql
from transactions.models import Transaction
from transactions.posting import IdempotencyKey
from vouchers.models import Voucher, VoucherRedemption
from vouchers.services.ending import cancel_voucher
from vouchers.services.issuing import issue_voucher
from vouchers.till_authentication import signature
from wallets.models import Hold, Wallet

PATH = "callbacks/easypay/payments"
TOP_UP, SPENT, CASH_OUT = Voucher.Type.EASYPAY_TOPUP, Voucher.Type.EASYPAY_VOUCHER, Voucher.Type.EASYPAY_CASHOUT
UNKNOWN_NUMBER = "92021123456786"
_references = itertools.count(1)


def a_key() -> IdempotencyKey:
    return IdempotencyKey("user:somebody", uuid.uuid4().hex, hashlib.sha256(b"this").digest())


def issue(who: Person, voucher_type: Voucher.Type, amount: str = "100.00") -> Voucher:
    issued = issue_voucher(
        user_public_id=who.user.public_id,
        voucher_type=voucher_type,
        amount=Money.parse(amount),
        key=a_key(),
        now=now(),
    )
    return issued.voucher


def cancel(who: Person, voucher: Voucher) -> None:
    cancel_voucher(
        user_public_id=who.user.public_id,
        voucher_public_id=voucher.public_id,
        key=a_key(),
        now=now(),
        origin=audit.SYSTEM,
    )


def end_term(owner_sql: Sql, voucher: Voucher, *, ago: dt.timedelta = dt.timedelta(hours=1)) -> None:
    """Let the term of a voucher be over since a while."""
    owner_sql("UPDATE vouchers SET expires_at = %s WHERE id = %s", now() - ago, voucher.pk)


def number_of(voucher: Voucher) -> str:
    assert voucher.easypay_number is not None
    return voucher.easypay_number


def payment(number: str | Voucher, amount: str = "100.00", **changed: Any) -> dict[str, Any]:
    """What a till tells, of a new reference unless one is named."""
    return {
        "easypay_number": number_of(number) if isinstance(number, Voucher) else number,
        "amount": amount,
        "provider_reference": f"EP-{next(_references)}",
        "paid_at": now().isoformat(),
        **changed,
    }


def sent(body: Any, *, secret: str | None = None, timestamp: int | str | None = None, **headers: str) -> HttpResponse:
    """Send `body`, bytes as they are, signed by the till unless `headers` say otherwise."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = signed_headers(raw, secret=secret, timestamp=timestamp)
    return Caller().post(PATH, raw, **{name: value for name, value in {**signed, **headers}.items() if value})


def signed_headers(raw: bytes, *, secret: str | None = None, timestamp: int | str | None = None) -> dict[str, str]:
    at = str(int(time.time()) if timestamp is None else timestamp)
    signed = signature(secret or settings.EASYPAY_SECRETS[0], timestamp=at, body=raw)
    return {"X_Timestamp": at, "X_Signature": signed}


def told(body: Any) -> str:
    """What the till is answered."""
    answer = sent(body)
    assert answer.status_code == 200, answer.content
    assert set(body_of(answer)) == {"result"}
    result: str = body_of(answer)["result"]
    return result


def status_of(voucher: Voucher) -> str:
    return Voucher.objects.values_list("status", flat=True).get(pk=voucher.pk)


# Every wallet -------------------------------------------------------------------------------------------------------
def every_wallet() -> dict[str, tuple[Decimal, Decimal]]:
    """Balance and held of each customer's wallet by its number, and of each wallet of the house by its kind."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for wallet in Wallet.objects.all():
        name = wallet.number if wallet.kind == Wallet.Kind.CUSTOMER else f"{wallet.kind} {wallet.currency}"
        balance, held = found.get(name, (Decimal(0), Decimal(0)))
        found[name] = (balance + wallet.balance, held + wallet.held)
    return found


Moves = Mapping[Person | str, str | tuple[str, str]]


@contextmanager
def moves(expected: Moves) -> Iterator[None]:
    """Assert what moves meanwhile in which wallets, a customer's or one of the house: balance, and held if it does.

    And that nothing moves in any other wallet.
    """
    before = every_wallet()
    yield
    after = every_wallet()
    moved = {
        name: (after[name][0] - balance, after[name][1] - held)
        for name, (balance, held) in before.items()
        if after[name] != (balance, held)
    }
    wanted = {}
    for who, change in expected.items():
        name = f"{who} ZAR" if isinstance(who, str) else who.wallet.number
        balance, held = (change, "0") if isinstance(change, str) else change
        wanted[name] = (Decimal(balance), Decimal(held))
    assert moved == wanted


def in_doubt(kind: Voucher.Type | None, amount: str) -> Moves:
    if kind == SPENT:
        return {"suspense": f"-{amount}", "easypay_clearing": amount}
    if kind == CASH_OUT:
        return {"suspense": f"-{amount}", "cashout_clearing": amount}
    return {"easypay_clearing": f"-{amount}", "suspense": amount}


def done(kind: Voucher.Type | None, customer: Person) -> Moves:
    if kind == SPENT:
        return {"voucher_liability": "-100.00", "easypay_clearing": "100.00"}
    if kind == CASH_OUT:
        costs: Moves = {"cashout_clearing": "100.00", "fee_income": "8.00", "vat_control": "1.20"}
        return {**costs, customer: ("-109.20", "-109.20")}
    return {customer: "93.67", "easypay_clearing": "-100.00", "fee_income": "5.50", "vat_control": "0.83"}


def redeemed_by(voucher: Voucher, *, into: Wallet | None) -> None:
    voucher.refresh_from_db()
    assert (voucher.status, voucher.balance) == ("redeemed", 0)
    redemption = VoucherRedemption.objects.get(voucher=voucher)
    assert redemption.amount == voucher.original_amount
    assert redemption.wallet == into
    entries = Transaction.objects.filter(transfer__group_id=redemption.transfer_id, type="sent").order_by("pk")
    kinds = {TOP_UP: ["top_up", "fee", "vat"], SPENT: ["voucher_spent"], CASH_OUT: ["cash_out", "fee", "vat"]}
    assert [entry.transfer.kind for entry in entries] == kinds[Voucher.Type(voucher.voucher_type)]
    if voucher.hold_id:
        assert Hold.objects.get(pk=voucher.hold_id).status == "captured"
