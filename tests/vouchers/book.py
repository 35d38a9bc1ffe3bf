"""Vouchers as the tests of totals and views need them: rows, with the money they stand for."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from typing import Any

from mymoolah.common.money import Money
from tests.conftest import Person
from transactions import posting
from transactions.models import Kind
from transactions.posting import House, Leg
from vouchers.models import Voucher
from wallets.models import Wallet

MOMENT = dt.datetime(2031, 5, 5, 10, tzinfo=dt.UTC)
_numbers = itertools.count(10_000_000)


def a_voucher(
    who: Person, status: str, amount: str, *, left: str | None = None, voucher_type: str | None = None
) -> Voucher:
    """A row that is not saved: active ones are standard, all others top-ups; `left` is an active one's balance."""
    voucher_type = voucher_type or ("standard" if status == "active" else "easypay_topup")
    number: dict[str, Any] = {"easypay_number": f"95063{next(_numbers)}5"}
    if voucher_type == "standard":
        number = {"code_encrypted": "sealed", "code_index": os.urandom(32)}
    return Voucher(
        user=who.user,
        voucher_type=voucher_type,
        status=status,
        original_amount=amount,
        balance=(left or amount) if status == "active" else "0.00",
        currency=who.wallet.currency,
        expires_at=MOMENT + dt.timedelta(days=30),
        created_at=MOMENT,
        **number,
    )


def issue(who: Person, status: str, amount: str) -> Voucher:
    """Save a voucher, paid for if it is one that is."""
    voucher = a_voucher(who, status, amount)
    if status == "active":
        target = House(Wallet.Kind.VOUCHER_LIABILITY, who.wallet.pk)
        paid = Leg(
            kind=Kind.VOUCHER_ISSUE,
            source=who.wallet.pk,
            target=target,
            amount=Money.parse(amount, who.wallet.currency),
        )
        voucher.issue_transfer_id = posting.post([paid])[0].transfer_id
    voucher.save()
    return voucher
