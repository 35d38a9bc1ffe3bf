"""Where Python meets the posting kernel: one call, and a table from SQLSTATE to error.

The kernel is `transactions/sql/post_transfers_v2.sql` and, beside it, `holds_v1.sql`; it alone writes transfers, entries,
holds and the money of wallets.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from django.db import DEFAULT_DB_ALIAS, Error, connections

from accounts.decisions import Decision, TwoPeopleNeeded
from mymoolah.common import read_cache
from mymoolah.common.errors import DomainError, NotFound, Unavailable
from mymoolah.common.ids import uuid7
from mymoolah.common.money import InvalidAmount, Money
from mymoolah.common.retries import sqlstate
from transactions.models import Kind
from wallets.models import Wallet


class WalletNotActive(DomainError):
    code, status, title = "wallet_not_active", 409, "This wallet is not active"
    example = {"end": "payer", "status": "frozen"}


class WalletFrozen(WalletNotActive):
    code, status, title = "wallet_frozen", 409, "This wallet is frozen: please call us"


class WalletClosed(WalletNotActive):
    code, status, title = "wallet_closed", 409, "This wallet is closed"
    example = {"end": "payer", "status": "closed"}


class SameWallet(DomainError):
    code, status, title = "same_wallet", 409, "A wallet cannot pay itself"


class InsufficientFunds(DomainError):
    code, status, title = "insufficient_funds", 409, "There is not enough money available"
    example = {"available": "80.00", "needed": "120.00"}


class LimitExceeded(DomainError):
    code, status, title = "limit_exceeded", 409, "This is more than your limit allows"
    example = {"period": "day", "limit": "5000.00", "left": "80.00"}  # or `transfer`, or `month`


class BalanceTooHigh(DomainError):
    code, status, title = "balance_too_high", 409, "The wallet would hold more than it may"
    example = {"highest": "3000.00"}


class WrongCurrency(DomainError):
    code, status, title = "wrong_currency", 409, "The wallets do not hold this currency"


class IdempotencyKeyReused(DomainError):
    code, status, title = "idempotency_key_reused", 422, "This idempotency key belongs to another request"


class IdempotencyInFlight(DomainError):
    code, status, title = "idempotency_in_flight", 409, "The first request with this key is still under way"
    retry_after_seconds = 5


class NotPermitted(DomainError):
    code, status, title = "not_permitted", 409, "Your tier does not allow this yet"
    example = {"tier": 0}


class UserNotActive(DomainError):
    code, status, title = "account_suspended", 403, "This account may not move money: please call us"
    example = {"end": "payer"}


class UnknownWallet(NotFound):
    code, title = "wallet_not_found", "There is no such wallet"


class UnknownHold(NotFound):
    code, title = "hold_not_found", "There is no such hold"


class HoldResolved(DomainError):
    code, status, title = "hold_resolved", 409, "This hold cannot be resolved, or not again"


class HoldExpired(DomainError):
    code, status, title = "hold_expired", 409, "This hold has expired"


class CaptureExceedsHold(DomainError):
    code, status, title = "capture_exceeds_hold", 409, "This is more than is held"


class UnknownTransfer(NotFound):
    code, title = "transfer_not_found", "There is no such transfer"


class NotReversible(DomainError):
    code, status, title = "not_reversible", 409, "This cannot be reversed"


REFUSALS: Mapping[str, type[DomainError]] = {
    "MM001": WalletNotActive,
    "MM002": SameWallet,
    "MM003": InsufficientFunds,
    "MM004": LimitExceeded,
    "MM005": BalanceTooHigh,
    "MM006": WrongCurrency,
    "MM007": IdempotencyKeyReused,
    "MM008": InvalidAmount,
    "MM009": NotPermitted,
    "MM010": UnknownWallet,
    "MM011": UserNotActive,
    "MM012": TwoPeopleNeeded,
    "MM013": UnknownHold,
    "MM014": HoldResolved,
    "MM015": HoldExpired,
    "MM016": CaptureExceedsHold,
    "MM017": UnknownTransfer,
    "MM018": NotReversible,
}
NOT_ACTIVE: Mapping[object, type[WalletNotActive]] = {"frozen": WalletFrozen, "closed": WalletClosed}


@dataclass(frozen=True)
class House:
    """A wallet of the bank's own; each posting uses one of its stripes."""

    kind: Wallet.Kind
    stripe: int


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's key for one request of one actor; `request_hash` is 32 bytes over what was asked."""

    actor: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One movement of a group. `source` and `target` are wallet ids or wallets of the house.

    The checks are what the step demands of customers' wallets: `check_active` both ends, `check_limits` the sender's
    tier and spending, `check_ceiling` the receiver's highest balance once the whole group is posted. `gives_back` is the
    transfer by which `target` once spent this money: it counts no longer against his limits.
    """

    kind: Kind
    source: int | House
    target: int | House
    amount: Money
    reference: str = ""
    reverses: uuid.UUID | None = None
    gives_back: uuid.UUID | None = None
    metadata: Mapping[str, Any] | None = None
    check_active: bool = False
    check_limits: Literal["send", "cash_out"] | None = None
    check_ceiling: bool = False
    id: uuid.UUID = field(default_factory=uuid7)


@dataclass(frozen=True, kw_only=True)
class Posted:
    """One leg as it stands in the ledger for good."""

    transfer_id: uuid.UUID
    from_sequence: int
    from_balance_after: Decimal
    to_sequence: int
    to_balance_after: Decimal
    posted_at: dt.datetime
    replayed: bool


def post(
    legs: Sequence[Leg],
    *,
    key: IdempotencyKey | None = None,
    initiated_by: int | None = None,
    decision: Decision | None = None,
    hold_id: int | None = None,
    at: dt.datetime | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> list[Posted]:
    """Post `legs` as one group, once for each `key`: one statement, all or nothing.

    Without a key the caller has claimed one already, in the same database transaction. With `hold_id` the group is paid
    out of that hold, which is captured. `decision` stands for `initiated_by`, and is needed where finance decides. `at`
    is for tests and loading.

    :raises DomainError: one of `REFUSALS`; nothing was written
    :raises IdempotencyInFlight: the first request with this key has not ended within the lock timeout
    """
    values: list[Any] = []
    rows = [_row(leg, values) for leg in legs]
    actor, text, digest = (key.actor, key.key, key.request_hash) if key else (None, None, None)
    proposed_by, approved_by = (decision.proposed_by, decision.approved_by) if decision else (initiated_by, None)
    statement = f"""
        SELECT
            transfer_id, from_sequence, from_balance_after, to_sequence, to_balance_after, posted_at, replayed,
            (SELECT owners_of(%s::bigint[])) AS owners
        FROM post_transfers(ARRAY[{", ".join(rows)}]::transfer_leg[], %s, %s, %s, %s, %s, %s, %s)
    """  # noqa: S608 - only placeholders are joined
    try:
        with connections[using].cursor() as cursor:
            cursor.execute(
                statement, [_customers(legs), *values, actor, text, digest, proposed_by, approved_by, hold_id, at]
            )
            columns = [column.name for column in cursor.description]
            found = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    except Error as error:
        refusal = translated(error)
        if refusal is error:
            raise  # as it is: its cause says what PostgreSQL said, and whether to try again
        raise refusal from error
    owners = [row.pop("owners") for row in found]
    read_cache.changed(*owners[0], using=using)  # on a replay too: who posted it may have died before he told
    return [Posted(**row) for row in found]


def claim(key: IdempotencyKey, *, produces: Literal["transfer", "voucher", "hold"], id: uuid.UUID) -> uuid.UUID | None:  # noqa: A002
    """Claim `key` for what this database transaction is about to make; None: go on.

    Otherwise the id of what the first request with this key made: answer from that.

    :raises IdempotencyKeyReused: `key` already carries another request
    :raises IdempotencyInFlight: the first request with this key has not ended within the lock timeout
    """
    made: uuid.UUID | None = call(
        "SELECT claim_idempotency_key(%s, %s, %s, %s, %s)", key.actor, key.key, key.request_hash, produces, id
    )
    return made


def require_active_wallet(wallet_id: int) -> None:
    """Refuse what the owner of a wallet asks for while it or he is not active, where no posting would.

    :raises WalletNotActive, UserNotActive: one of them is not
    """
    call("SELECT require_active_wallet(%s)", wallet_id)


def changing(function: str, *values: Any, wallet_id: int | None = None, hold_id: int | None = None) -> Any:
    """What a function of the kernel returns that changes what a wallet shows: his who owns it, or the hold.

    :raises DomainError: one of `REFUSALS`; nothing was written
    """
    arguments = ", ".join(["%s"] * len(values))
    whose, which = ("owners_of(ARRAY[%s]::bigint[])", wallet_id) if hold_id is None else ("owners_of_hold(%s)", hold_id)
    returned, owners = _row_of(f"SELECT {function}({arguments}), {whose}", *values, which)
    read_cache.changed(*owners)
    return returned


def tell_again(*wallet_ids: int) -> None:
    """Have answers to the owners of these wallets be read anew: on a repeat, for the first try may have died over it."""
    read_cache.changed(*call("SELECT owners_of(%s::bigint[])", list(wallet_ids)))


def call(statement: str, *values: Any) -> Any:
    """The one value that a statement of the kernel returns.

    :raises DomainError: one of `REFUSALS`; nothing was written
    """
    return _row_of(statement, *values)[0]


def _row_of(statement: str, *values: Any) -> tuple[Any, ...]:
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(statement, values)
            row: tuple[Any, ...] = cursor.fetchone()
            return row
    except Error as error:
        refusal = translated(error)
        if refusal is error:
            raise  # as it is: its cause says what PostgreSQL said, and whether to try again
        raise refusal from error


def _customers(legs: Sequence[Leg]) -> list[int]:
    return [end for leg in legs for end in (leg.source, leg.target) if not isinstance(end, House)]


def _row(leg: Leg, values: list[Any]) -> str:
    currency = leg.amount.currency
    values += [leg.id, leg.kind.value]
    source, target = (_wallet(end, currency, values) for end in (leg.source, leg.target))
    values += [
        leg.amount.amount,
        currency,
        leg.reference,
        leg.reverses,
        leg.gives_back,
        None if leg.metadata is None else json.dumps(dict(leg.metadata)),
        leg.check_active,
        leg.check_limits,
        leg.check_ceiling,
    ]
    return f"ROW(%s::uuid, %s, {source}, {target}, %s, %s, %s, %s::uuid, %s::uuid, %s::jsonb, %s, %s, %s)::transfer_leg"


def _wallet(end: int | House, currency: str, values: list[Any]) -> str:
    if isinstance(end, House):
        values += [end.kind.value, currency, end.stripe]
        return "house_wallet(%s, %s, %s)"
    values.append(end)
    return "%s"


def translated(error: Error) -> Exception:
    """The refusal that a database error stands for, or the error itself when it is none."""
    state = sqlstate(error)
    diagnostics = getattr(error.__cause__, "diag", None)
    if state == "55P03" and "claim_key(" in (getattr(diagnostics, "context", None) or ""):
        return IdempotencyInFlight()
    if state == "55P03":
        return Unavailable()
    refusal = REFUSALS.get(state or "")
    if refusal is None:
        return error
    facts = json.loads(getattr(diagnostics, "message_detail", None) or "{}")
    if refusal is WalletNotActive:
        refusal = NOT_ACTIVE.get(facts.get("status"), WalletNotActive)
    return refusal(**facts)
