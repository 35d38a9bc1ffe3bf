"""What the loader reads from the database and writes to it, always over the owner's connection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Any

import psycopg
from django.db import IntegrityError, connections, transaction

from accounts.models import User
from reporting.loading.books import CURRENCY, HOUSE, Account, Limits, Rows
from reporting.loading.histories import Fee, House, Rules
from reporting.loading.people import spent_day, spent_on
from reporting.loading.plan import Batch, LoadRefused, moment_text
from transactions.models import FeeRule
from wallets.models import TierLimit, Wallet

OWNER = "owner"
ACTOR = "loader"
HOUSE_KINDS = (
    Wallet.Kind.ADJUSTMENTS,
    Wallet.Kind.VOUCHER_LIABILITY,
    Wallet.Kind.FEE_INCOME,
    Wallet.Kind.VAT_CONTROL,
)
LOADED_TABLES = "users, wallets, transfers, transactions, vouchers, voucher_redemptions, voucher_totals"


@dataclass(frozen=True, kw_only=True)
class Head:
    """The money of a wallet that the database has already, as a batch leaves it."""

    wallet_id: int
    stored_sequence: int | None
    values: tuple[str | int | None, ...]

    @classmethod
    def of(cls, account: Account) -> Head:
        cents = (account.balance, account.received, account.sent)
        spent = (account.spent_day_cents, account.spent_month_cents)
        return cls(
            wallet_id=account.wallet_id,
            stored_sequence=account.stored_sequence,
            values=(
                *(f"{amount}e-2" for amount in cents),
                account.received_count,
                account.sent_count,
                account.sequence,
                moment_text(account.last_ms),
                spent_on(account),
                *(f"{amount}e-2" for amount in spent),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Work:
    """A batch ready to be written: tables in the order of their keys, and heads that move on.

    Writing to shared tables changes what other batches change too (triggers keep the voucher totals of user1).
    """

    batch: Batch
    key: str
    own_tables: list[Rows]
    shared_tables: list[Rows]
    heads: list[Head]
    produced: tuple[str, str] | None  # kind and id of the first thing it makes, if it makes any


# Reading -----------------------------------------------------------------------------------------------------------
def rules(*, at: dt.datetime) -> Rules:
    """Limits and fees as finance has set them."""
    limits = {
        row.tier: Limits(
            may_send=row.may_send,
            transfer=_cents(row.per_transfer_amount),
            day=_cents(row.per_day_amount),
            half_month=_cents(row.per_month_amount) // 2,
            highest_balance=_cents(row.highest_balance),
        )
        for row in TierLimit.objects.using(OWNER).filter(currency=CURRENCY, tier__in=[0, 2])
    }
    if len(limits) < 2 or limits[0].may_send or not limits[2].may_send:
        raise LoadRefused(detail="Customers of tier 2 must be allowed to send, and those of tier 0 not.")
    return Rules(limits=limits, top_up=_fee("easypay_topup", at), easypay_voucher=_fee("easypay_voucher", at))


def _fee(kind: str, at: dt.datetime) -> Fee:
    rule = FeeRule.objects.using(OWNER).filter(kind=kind, currency=CURRENCY, valid_from__lte=at).latest("valid_from")
    vat = (rule.fee_amount * rule.vat_rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return Fee(fee=_cents(rule.fee_amount), vat=_cents(vat))


def _cents(amount: Decimal | None) -> int:
    return int((amount or 0) * 100)


def quiet_stripes(*, before: dt.datetime) -> tuple[int, ...]:
    """Stripes of the house on which nothing was posted since `before`: an earlier entry can still follow there."""
    wallets = Wallet.objects.using(OWNER).filter(kind__in=HOUSE_KINDS, currency=CURRENCY)
    all_stripes = set(wallets.values_list("stripe", flat=True))
    return tuple(sorted(all_stripes - set(wallets.filter(last_entry_at__gte=before).values_list("stripe", flat=True))))


def houses(stripes: Sequence[int]) -> dict[int, House]:
    found = {
        (wallet.stripe, wallet.kind): _account(wallet, HOUSE, user=0)
        for wallet in Wallet.objects.using(OWNER).filter(
            kind__in=HOUSE_KINDS, currency=CURRENCY, stripe__in=list(stripes)
        )
    }
    return {
        stripe: House(
            adjustments=found[stripe, Wallet.Kind.ADJUSTMENTS],
            voucher_liability=found[stripe, Wallet.Kind.VOUCHER_LIABILITY],
            fee_income=found[stripe, Wallet.Kind.FEE_INCOME],
            vat_control=found[stripe, Wallet.Kind.VAT_CONTROL],
        )
        for stripe in stripes
    }


def customer(email: str, limits: Limits) -> Account:
    wallet = Wallet.objects.using(OWNER).get(user__email=email, currency=CURRENCY)
    return _account(wallet, limits, user=1)


def _account(wallet: Wallet, limits: Limits, *, user: int) -> Account:
    return Account(
        wallet_id=wallet.pk,
        user_id=wallet.user_id,
        limits=limits,
        user=user,
        joined_ms=_milliseconds(wallet.created_at),
        balance=_cents(wallet.balance),
        received=_cents(wallet.total_received),
        sent=_cents(wallet.total_sent),
        received_count=wallet.received_count,
        sent_count=wallet.sent_count,
        last_ms=0 if wallet.last_entry_at is None else _milliseconds(wallet.last_entry_at),
        spent_day=spent_day(wallet.spent_on),
        spent_day_cents=_cents(wallet.spent_day_amount),
        spent_month_cents=_cents(wallet.spent_month_amount),
        stored_sequence=wallet.sequence,
    )


def _milliseconds(at: dt.datetime) -> int:
    """Rounded up, so that nothing comes before an entry of the same millisecond."""
    return -((dt.datetime(1970, 1, 1, tzinfo=dt.UTC) - at) // dt.timedelta(milliseconds=1))


def has_user(email: str) -> bool:
    return User.objects.using(OWNER).filter(email=email).exists()


def has_phone_between(first: str, last: str) -> bool:
    return User.objects.using(OWNER).filter(phone__gte=first, phone__lte=last).exists()


def taken_wallet_numbers(numbers: Sequence[str]) -> set[str]:
    with connections[OWNER].cursor() as cursor:
        cursor.execute("SELECT number FROM wallets WHERE number = ANY(%s)", [list(numbers)])
        return {number for (number,) in cursor.fetchall()}


def take_ids(table: str, many: int) -> list[int]:
    """Ids of rows to come, ascending."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, many])
        return [number for (number,) in cursor.fetchall()]


# Writing -----------------------------------------------------------------------------------------------------------
def write(work: Work, *, wait_for_turn: Callable[[], None], advance: Callable[[str, int], object]) -> None:
    """Put a batch into the database: all of it or nothing, under every key, check and trigger.

    Keys are checked after each chunk instead of at the commit, so that neither memory nor silence grows with the
    batch; only a new head must wait for its entry. `advance` is told the table and the number of rows of each chunk;
    `wait_for_turn` is called before the first lock that another batch may hold or want.

    :raises LoadRefused: somebody else wrote these rows, or to the same wallets, meanwhile
    """
    try:
        with transaction.atomic(using=OWNER), connections[OWNER].cursor() as cursor:
            _claim(work)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS wallets_head_is_an_entry DEFERRED")
            for rows in work.own_tables:
                _copy(cursor, rows, advance)
            wait_for_turn()
            for rows in work.shared_tables:
                _copy(cursor, rows, advance)
            for head in sorted(work.heads, key=lambda head: head.wallet_id):
                _move_head(head)
    except (IntegrityError, psycopg.IntegrityError) as error:  # COPY speaks psycopg's own
        raise LoadRefused(detail=f"Money was moved, or customers were added, beside the load: {error}") from error


def _copy(cursor: Any, rows: Rows, advance: Callable[[str, int], object]) -> None:
    """`cursor` is psycopg's own, through Django's wrapper, which has no types for COPY."""
    while rows.chunks:
        count, text = rows.chunks.pop(0)
        with cursor.copy(rows.statement) as copy:
            copy.write(text)
        advance(rows.table, count)


def _claim(work: Work) -> None:
    if work.produced is None:
        return
    with connections[OWNER].cursor() as cursor:
        cursor.execute(
            "SELECT claim_idempotency_key(%s, %s, %s, %s, %s::uuid)",
            [ACTOR, work.key, sha256(work.key.encode()).digest(), *work.produced],
        )
        (claimed_by,) = cursor.fetchone()
    if claimed_by is not None:
        raise LoadRefused(detail="Another run of this load is under way.")


def _move_head(head: Head) -> None:
    with connections[OWNER].cursor() as cursor:
        cursor.execute(
            """
            UPDATE wallets
            SET
                balance = %s::numeric,
                total_received = %s::numeric,
                total_sent = %s::numeric,
                received_count = %s,
                sent_count = %s,
                sequence = %s,
                last_entry_at = %s,
                spent_on = %s,
                spent_day_amount = %s::numeric,
                spent_month_amount = %s::numeric
            WHERE id = %s AND sequence IS NOT DISTINCT FROM %s
            """,
            [*head.values, head.wallet_id, head.stored_sequence],
        )
        if cursor.rowcount != 1:
            raise LoadRefused(detail="Money was moved beside the load, on wallets that it needs.")


def settle() -> None:
    """Leave the tables as if they had long been in use: visibility maps, statistics, and the materialized view."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {LOADED_TABLES}")
        cursor.execute("SELECT refresh_user_dashboard_summary()")
