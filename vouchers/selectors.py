"""What is read about vouchers."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from mymoolah.common import read_cache
from mymoolah.common.clock import iso_utc
from mymoolah.common.crypto import blind_index, decrypt
from mymoolah.common.pagination import Page, PageRequest, Position, cut
from mymoolah.common.sql.queries import rows
from transactions.selectors import NoWalletInCurrency
from vouchers.errors import VoucherNotFound
from vouchers.models import LIVE, SuspenseItem, Voucher, VoucherRedemption
from vouchers.numbers import CODE_CONTEXT
from vouchers.policies import LATE_MESSAGES, POLICIES, policy_of
from wallets.models import Wallet

# A filtered page looks at this many vouchers at most, so that a rare status costs no walk through a long history: it may
# then be short, and `next` goes on from where it stopped.
LONGEST_LOOK = 2_000
# How many due vouchers are looked up at once. All that were made on one day end at one moment, and each batch sorts what
# is left of them: many small batches would sort a busy day over and over.
BATCH = 5_000


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


@dataclass(frozen=True, kw_only=True)
class VoucherFilter:
    """Which vouchers to list."""

    status: str | None = None
    voucher_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Due:
    """The vouchers of one type whose term is over, and what would go back for them: paid, fees and VAT, or held."""

    voucher_type: str
    currency: str
    count: int
    amount: Decimal


# What customers see of a voucher --------------------------------------------------------------------------------------
def get_voucher(*, user_public_id: uuid.UUID, public_id: uuid.UUID) -> dict[str, Any]:
    """A voucher as its issuer sees it, with its code. One query.

    :raises VoucherNotFound: he has issued no such voucher
    """
    try:
        voucher = Voucher.objects.get(public_id=public_id, user__public_id=user_public_id)
    except Voucher.DoesNotExist:
        raise VoucherNotFound from None
    return with_code(voucher, shown(voucher))


def vouchers(*, user_public_id: uuid.UUID, only: VoucherFilter, asked: PageRequest) -> Page[dict[str, Any]]:
    """A page of what a customer has issued, without codes. One query, along one index whatever the filter."""
    is_filtered = only != VoucherFilter()
    look = LONGEST_LOOK if is_filtered else asked.limit + 1
    order, beyond = ("ASC", ">") if asked.backwards else ("DESC", "<")
    values: dict[str, Any] = {"user": user_public_id, "look": look, "most": asked.limit + 2}
    reach = ""
    if asked.cursor is not None:
        reach = f"""
            AND (v.created_at, v.id) {beyond} (SELECT b.created_at, b.id FROM vouchers AS b WHERE b.public_id = %(at)s)
        """  # noqa: S608 - only keywords and placeholders are put together
        (values["at"],) = asked.cursor.position
    wanted = ["TRUE"]
    for name, value in (("status", only.status), ("voucher_type", only.voucher_type)):
        if value is not None:
            wanted.append(f"c.{name} = %({name})s")
            values[name] = value
    statement = f"""
        WITH c AS (
            SELECT
                w.*,
                row_number() OVER (ORDER BY w.created_at {order}, w.id {order}) AS place
            FROM users AS u
            CROSS JOIN LATERAL (
                SELECT
                    v.id, v.public_id, v.voucher_type, v.status, v.easypay_number, v.original_amount, v.balance,
                    v.currency, v.fee_amount, v.vat_amount, v.expires_at, v.created_at
                FROM vouchers AS v
                WHERE v.user_id = u.id {reach}
                ORDER BY v.created_at {order}, v.id {order}
                LIMIT %(look)s
            ) AS w
            WHERE u.public_id = %(user)s
        )
        SELECT d.*
        FROM (SELECT c.*, {" AND ".join(wanted)} AS is_wanted FROM c) AS d
        WHERE d.is_wanted OR d.place = %(look)s
        ORDER BY d.place
        LIMIT %(most)s
    """  # noqa: S608 - only keywords, column names and placeholders are put together
    found: list[Any] = list(Voucher.objects.raw(statement, values))  # with `place` and `is_wanted`, which no field is
    stopped = _position(found[-1]) if is_filtered and found and found[-1].place == look else None
    page = cut(asked, [voucher for voucher in found if voucher.is_wanted], _position, beyond=stopped)
    return Page(rows=[shown(voucher) for voucher in page.rows], older=page.older, newer=page.newer)


def kept_vouchers(*, user_public_id: uuid.UUID, only: VoucherFilter, asked: PageRequest) -> Page[dict[str, Any]]:
    """The same; of a first page what was read before, if it is still so. One query, or none."""

    def found() -> Page[dict[str, Any]]:
        return vouchers(user_public_id=user_public_id, only=only, asked=asked)

    if asked.cursor is not None:
        return found()
    text = read_cache.read(
        read_cache.VOUCHERS,
        lambda: json.dumps(asdict(found())).encode(),
        owner=user_public_id,
        asked=json.dumps([only.status, only.voucher_type, asked.limit]),
    )
    return Page(**json.loads(text))


def _position(voucher: Voucher) -> Position:
    return [str(voucher.public_id)]


def shown(voucher: Voucher) -> dict[str, Any]:
    """A voucher as its issuer sees it now."""
    return _shown(voucher, voucher.status, voucher.balance)


def as_issued(voucher: Voucher) -> dict[str, Any]:
    """A voucher as it was when it was issued: nothing in it can change."""
    policy = policy_of(voucher)
    return _shown(voucher, policy.first_status, policy.first_balance(voucher.original_amount))


def as_cancelled(voucher: Voucher) -> dict[str, Any]:
    """A voucher as it was when it was cancelled; a top-up that a till took money for may be redeemed after all."""
    return _shown(voucher, Voucher.Status.CANCELLED, Decimal(0))


def with_code(voucher: Voucher, body: dict[str, Any]) -> dict[str, Any]:
    """Add the code, which only the issuer may see."""
    sealed = voucher.code_encrypted
    return {**body, "code": None if sealed is None else decrypt(sealed, context=CODE_CONTEXT)}


def _shown(voucher: Voucher, status: str, balance: Decimal) -> dict[str, Any]:
    return {
        "id": str(voucher.public_id),
        "voucher_type": str(voucher.voucher_type),
        "status": str(status),
        "amount": f"{voucher.original_amount:.2f}",
        "balance": f"{balance:.2f}",
        "currency": voucher.currency,
        "fee": f"{voucher.fee_amount:.2f}",
        "vat": f"{voucher.vat_amount:.2f}",
        "easypay_number": voucher.easypay_number,
        "expires_at": iso_utc(voucher.expires_at),
        "created_at": iso_utc(voucher.created_at),
    }


# What services need ---------------------------------------------------------------------------------------------------
def by_code(code: str) -> QuerySet[Voucher]:
    """The voucher of a code, if there is one: an unknown code is one probe of an index."""
    return Voucher.objects.filter(code_index=blind_index(code, context=CODE_CONTEXT))


def by_easypay_number(easypay_number: str) -> QuerySet[Voucher]:
    """By its unique key and without an order, lest a planner without statistics walks another index."""
    return Voucher.objects.filter(easypay_number=easypay_number)


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


def get_issuer(*, transfer_id: uuid.UUID) -> uuid.UUID:
    """Who had issued the voucher that was redeemed by a transfer. One query."""
    issuer: uuid.UUID = VoucherRedemption.objects.values_list("voucher__user__public_id", flat=True).get(
        transfer_id=transfer_id
    )
    return issuer


def wallet_of(voucher: Voucher) -> Wallet:
    """The wallet of a voucher's issuer, in its currency. One query."""
    return Wallet.objects.get(kind=Wallet.Kind.CUSTOMER, user_id=voucher.user_id, currency=voucher.currency)


def is_under_review(voucher: Voucher) -> bool:
    """Whether finance has yet to decide about something that happened with this voucher. One query."""
    return SuspenseItem.objects.filter(voucher=voucher, resolved_at=None).exists()


def cancellable(*, now: dt.datetime) -> Q:
    """Which vouchers their customers, and staff for them, can cancel: what `services.ending` asks of one."""
    types = sorted({voucher_type for (voucher_type, _), policy in POLICIES.items() if policy.is_cancellable})
    waits_for_finance = Exists(SuspenseItem.objects.filter(voucher=OuterRef("pk"), resolved_at=None))
    return Q(voucher_type__in=types, status__in=LIVE, expires_at__gt=now) & Q(~waits_for_finance)


# What is due ----------------------------------------------------------------------------------------------------------
def due_totals(*, now: dt.datetime) -> list[Due]:
    """What the sweep would find, by type and currency. One query."""
    found = rows("vouchers", "due_totals.sql", standard_until=now, easypay_until=now - LATE_MESSAGES)
    return [Due(**row) for row in found]


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
