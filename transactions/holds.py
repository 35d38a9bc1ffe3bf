"""Holding money back, freeing it again, and paying out of it. The kernel alone writes holds (transactions/sql/holds_v1.sql)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Literal

from mymoolah.common.money import Money
from transactions import posting


# For whoever holds money within a database transaction of his own, last in it ------------------------------------------
def next_hold_id() -> int:
    """The id for a hold that `place` is about to make: who refers to it (a voucher) is written before."""
    hold_id: int = posting.call("SELECT nextval('holds_id_seq')")
    return hold_id


def place(
    *,
    hold_id: int,
    public_id: uuid.UUID,
    wallet_id: int,
    amount: Money,
    purpose: str,
    expires_at: dt.datetime | None,
    check_limits: Literal["send", "cash_out"] | None = None,
    spent: Money | None = None,
) -> dt.datetime:
    """Hold back `amount` of a customer's money; the moment it is held from.

    With `check_limits`, `spent` of it counts against his limits at once. Without `expires_at` its owner decides.

    :raises InsufficientFunds, LimitExceeded, NotPermitted, WalletNotActive, UserNotActive: nothing was written
    :raises UnknownWallet, WrongCurrency, InvalidAmount: nothing was written
    """
    assert spent is None or (spent.currency == amount.currency and spent.amount <= amount.amount)
    held_at: dt.datetime = posting.call(
        "SELECT place_hold(%s, %s, %s, %s, %s, %s, %s, %s, %s, NULL)",
        hold_id,
        public_id,
        wallet_id,
        amount.amount,
        amount.currency,
        purpose,
        expires_at,
        check_limits,
        spent and spent.amount,
    )
    return held_at


def free(*, hold_id: int, status: Literal["voided", "expired"], check_active: bool = False) -> dt.datetime:
    """Give held money back to its wallet, and what of it was spent to the limits; the moment it is free from.

    With `check_active` the customer asks, and neither he nor his wallet may be stopped.

    :raises HoldResolved: it is no longer held, or `expired` before its time
    :raises UnknownHold, WalletNotActive, UserNotActive: nothing was written
    """
    freed_at: dt.datetime = posting.call("SELECT void_hold(%s, %s, %s, NULL)", hold_id, status, check_active)
    return freed_at
