"""What is read about vouchers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from mymoolah.common.sql.queries import rows
from transactions.selectors import NoWalletInCurrency
from vouchers.models import SuspenseItem, Voucher
from vouchers.policies import LATE_MESSAGES
from wallets.models import Wallet

BATCH = 500


@dataclass(frozen=True, kw_only=True)
class OwnWallet:
    """Which wallet a customer pays from, or gets money into."""

    user_id: int
    wallet_id: int
    number: str


@dataclass(frozen=True, kw_only=True)
class Redeemed:
    """A part of a voucher that reached a wallet, as of that moment: nothing in it can change."""

    public_id: uuid.UUID
    transfer_id: uuid.UUID
    amount: Decimal
    currency: str
    wallet_number: str
    balance_after: Decimal
    left_after: Decimal
    created_at: dt.datetime
    replayed: bool = False


def get_own_wallet(*, user_public_id: uuid.UUID, currency: str) -> OwnWallet:
    """One query.

    :raises NoWalletInCurrency: he has none
    """
    found = rows("vouchers", "own_wallet.sql", user=user_public_id, currency=currency)
    if not found:
        raise NoWalletInCurrency(currency=currency)
    return OwnWallet(**found[0])


def get_redemption(*, transfer_id: uuid.UUID, replayed: bool = False) -> Redeemed:
    """What a redemption gave, now and whenever it is asked again. One query."""
    (row,) = rows("vouchers", "redemption.sql", transfer=transfer_id)
    return Redeemed(**row, replayed=replayed)


def wallet_of(voucher: Voucher) -> Wallet:
    """The wallet of a voucher's issuer, in its currency. One query."""
    return Wallet.objects.get(kind=Wallet.Kind.CUSTOMER, user_id=voucher.user_id, currency=voucher.currency)


def is_under_review(voucher: Voucher) -> bool:
    """Whether finance has yet to decide about something that happened with this voucher. One query."""
    return SuspenseItem.objects.filter(voucher=voucher, resolved_at=None).exists()


def due_vouchers(*, now: dt.datetime, limit: int | None = None) -> Iterator[int]:
    """The ids of vouchers whose term is over, a batch at a time, so that those which stay are passed once."""
    last_at, last_id = dt.datetime.min.replace(tzinfo=dt.UTC), 0
    while limit is None or limit > 0:
        size = BATCH if limit is None else min(BATCH, limit)
        batch = rows(
            "vouchers",
            "due_vouchers.sql",
            standard_until=now,
            easypay_until=now - LATE_MESSAGES,
            last_at=last_at,
            last_id=last_id,
            most=size,
        )
        for row in batch:
            yield row["id"]
        if len(batch) < size:
            return
        last_at, last_id = batch[-1]["expires_at"], batch[-1]["id"]
        if limit is not None:
            limit -= len(batch)
