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


def a_voucher(who: Person, status: str, amount: str, *, left: str | None = None) -> Voucher:
    """A row that is not saved: pending ones are top-ups, all others standard; `left` is an active one's balance."""
    common: dict[str, Any] = {
        "user": who.user,
        "status": status,
        "original_amount": amount,
        "balance": (left or amount) if status == "active" else "0.00",
        "currency": who.wallet.currency,
        "expires_at": MOMENT + dt.timedelta(days=30),
        "created_at": MOMENT,
    }
    if status == "pending_payment":
        return Voucher(voucher_type="easypay_topup", easypay_number=f"95063{next(_numbers)}5", **common)
    return Voucher(voucher_type="standard", code_encrypted="sealed", code_index=os.urandom(32), **common)


def issue(who: Person, status: str, amount: str, *, left: str | None = None) -> Voucher:
    """Save a voucher and pay for what the bank still owes for it."""
    voucher = a_voucher(who, status, amount, left=left)
    voucher.save()
    if status == "active":
        owed = Money.parse(left or amount, who.wallet.currency)
        target = House(Wallet.Kind.VOUCHER_LIABILITY, who.wallet.pk)
        posting.post([Leg(kind=Kind.VOUCHER_ISSUE, source=who.wallet.pk, target=target, amount=owed)])
    return voucher
