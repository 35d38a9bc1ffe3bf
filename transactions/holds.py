"""Holding money back, freeing it again, paying out of it. The kernel alone writes holds (transactions/sql/holds_v1.sql)."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from django.db import Error, transaction

from mymoolah.common.errors import DomainError
from mymoolah.common.money import Money
from mymoolah.common.retries import with_retries
from mymoolah.common.sql.queries import rows
from transactions import posting
from transactions.models import Kind
from transactions.posting import House, IdempotencyKey, Leg, Posted, UnknownHold
from wallets.models import Hold

logger = logging.getLogger(__name__)

BATCH = 500
OWNER_MARK = ":"  # in a purpose: `voucher:<public id>` is a hold that this voucher alone resolves


class HoldHasAnOwner(DomainError):
    code, status, title = "hold_has_an_owner", 409, "What this hold is for decides what becomes of it"


@dataclass(frozen=True, kw_only=True)
class Held:
    """A hold as it was placed: nothing in it can change."""

    public_id: uuid.UUID
    wallet_id: int
    amount: Money
    purpose: str
    expires_at: dt.datetime | None
    held_at: dt.datetime
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Freed:
    """A hold as it was given back."""

    public_id: uuid.UUID
    wallet_id: int
    amount: Money
    freed_at: dt.datetime
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What became of the holds that were due: those that failed stay held, and are tried again by the next sweep."""

    expired: int
    failed: int


def place_hold(
    *, wallet_id: int, amount: Money, purpose: str, expires_at: dt.datetime | None, key: IdempotencyKey
) -> Held:
    """Hold back `amount` of a customer's money, once for each `key`. Without `expires_at` it is held until resolved.

    :raises InsufficientFunds, WalletNotActive, UserNotActive, UnknownWallet, WrongCurrency: nothing was written
    :raises InvalidAmount: nothing was written
    :raises HoldHasAnOwner: such a purpose is for whoever places holds in a transaction of its own
    :raises IdempotencyKeyReused: `key` already carries another request
    """
    if OWNER_MARK in purpose:
        raise HoldHasAnOwner(purpose=purpose)

    def once() -> Held:
        public_id = uuid.uuid4()
        with transaction.atomic():
            made = posting.claim(key, produces="hold", id=public_id)
            if made is None:
                place(
                    hold_id=next_hold_id(),
                    public_id=public_id,
                    wallet_id=wallet_id,
                    amount=amount,
                    purpose=purpose,
                    expires_at=expires_at,
                )
            else:
                posting.tell_again(wallet_id)
            hold = Hold.objects.get(public_id=made or public_id)
        return Held(
            public_id=hold.public_id,
            wallet_id=hold.wallet_id,
            amount=Money(hold.amount, hold.currency),
            purpose=hold.purpose,
            expires_at=hold.expires_at,
            held_at=hold.created_at,
            replayed=made is not None,
        )

    return with_retries(once)


def capture_hold(
    *,
    hold_public_id: uuid.UUID,
    target: int | House,
    amount: Money,
    key: IdempotencyKey,
    initiated_by: int | None = None,
    reference: str = "",
) -> Posted:
    """Pay `amount` out of a hold, once for each `key`; what is left of it is free again.

    :raises HoldResolved, HoldExpired, CaptureExceedsHold: nothing was written
    :raises WrongCurrency, WalletClosed, SameWallet, UnknownWallet: nothing was written
    :raises UnknownHold, HoldHasAnOwner: there is none that is anybody's to capture
    :raises IdempotencyKeyReused: `key` already carries another request
    """
    hold = _hold(hold_public_id)
    leg = Leg(kind=Kind.CAPTURE, source=hold.wallet_id, target=target, amount=amount, reference=reference)
    return with_retries(lambda: posting.post([leg], key=key, initiated_by=initiated_by, hold_id=hold.id))[0]


def void_hold(*, hold_public_id: uuid.UUID, key: IdempotencyKey) -> Freed:
    """Give all of a hold back to its wallet, once for each `key`.

    :raises HoldResolved: it is no longer held
    :raises UnknownHold, HoldHasAnOwner: there is none that is anybody's to void
    :raises IdempotencyKeyReused: `key` already carries another request
    """
    hold = _hold(hold_public_id)

    def once() -> bool:
        with transaction.atomic():
            is_repeat = posting.claim(key, produces="hold", id=hold.public_id) is not None
            if is_repeat:
                posting.tell_again(hold.wallet_id)
            else:
                free(hold_id=hold.id, status="voided")
        return is_repeat

    is_repeat = with_retries(once)
    hold.refresh_from_db()
    assert hold.resolved_at is not None
    return Freed(
        public_id=hold.public_id,
        wallet_id=hold.wallet_id,
        amount=Money(hold.amount, hold.currency),
        freed_at=hold.resolved_at,
        replayed=is_repeat,
    )


def _hold(public_id: uuid.UUID) -> Hold:
    hold = Hold.objects.filter(public_id=public_id).first()
    if hold is None:
        raise UnknownHold
    if OWNER_MARK in hold.purpose:
        raise HoldHasAnOwner(purpose=hold.purpose)
    return hold


# What is due ------------------------------------------------------------------------------------------------------------
def count_due(*, now: dt.datetime) -> int:
    """How many holds are held past their time. One query."""
    return Hold.objects.filter(status=Hold.Status.HELD, expires_at__lte=now).count()


def expire_holds(
    *, now: dt.datetime, limit: int | None = None, advance: Callable[[int], object] | None = None
) -> Sweep:
    """Free the holds that are held past their time, the longest overdue first, at most `limit` of them.

    Each is a transaction of its own and one that fails is logged and left, so any number of sweeps may run at once, and
    each hold expires once. The database decides by its own clock; `now` only says where to look. `advance` hears of each
    hold that was looked at.
    """
    expired = failed = 0
    for hold_id in _due(now, limit):
        try:
            expired += _expire(hold_id)
        except (DomainError, Error):
            logger.exception("Hold %s could not be expired.", hold_id)
            failed += 1
        if advance is not None:
            advance(1)
    return Sweep(expired=expired, failed=failed)


def _due(now: dt.datetime, limit: int | None) -> Iterator[int]:
    """The ids of due holds, a batch at a time, so that those which stay held are passed once."""
    last_at, last_id = dt.datetime.min.replace(tzinfo=dt.UTC), 0
    while limit is None or limit > 0:
        size = BATCH if limit is None else min(BATCH, limit)
        batch = rows("transactions", "due_holds.sql", now=now, last_at=last_at, last_id=last_id, most=size)
        for row in batch:
            yield row["id"]
        if len(batch) < size:
            return
        last_at, last_id = batch[-1]["expires_at"], batch[-1]["id"]
        if limit is not None:
            limit -= len(batch)


def _expire(hold_id: int) -> bool:
    """Whether it was this call that expired the hold; it is another's when that one holds the lock."""
    is_expired: bool = with_retries(lambda: posting.changing("expire_hold", hold_id, hold_id=hold_id))
    return is_expired


# For whoever holds money within a database transaction of his own, last in it -------------------------------------------
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

    With `check_limits`, `spent` of it counts against his limits at once. Without `expires_at` its owner decides, and so
    he does when `purpose` names him (`voucher:<public id>`).

    :raises InsufficientFunds, LimitExceeded, NotPermitted, WalletNotActive, UserNotActive: nothing was written
    :raises UnknownWallet, WrongCurrency, InvalidAmount: nothing was written
    """
    assert spent is None or (spent.currency == amount.currency and spent.amount <= amount.amount)
    held_at: dt.datetime = posting.changing(
        "place_hold",
        hold_id,
        public_id,
        wallet_id,
        amount.amount,
        amount.currency,
        purpose,
        expires_at,
        check_limits,
        spent and spent.amount,
        None,
        wallet_id=wallet_id,
    )
    return held_at


def free(*, hold_id: int, status: Literal["voided", "expired"]) -> dt.datetime:
    """Give held money back to its wallet, and what of it was spent to the limits; the moment it is free from.

    Neither a freeze nor a suspension is in its way: the money stays where it is.

    :raises HoldResolved: it is no longer held, or `expired` before its time
    :raises UnknownHold: nothing was written
    """
    check_active = False
    freed_at: dt.datetime = posting.changing("void_hold", hold_id, status, check_active, None, hold_id=hold_id)
    return freed_at
