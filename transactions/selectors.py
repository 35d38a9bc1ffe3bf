"""What is read about transfers and their entries."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from django.db import connection

from mymoolah.common.clock import iso_utc, start_of_day
from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.money import Money
from mymoolah.common.pagination import Page, PageRequest, Position, cut
from mymoolah.common.sql.queries import rows
from transactions.models import Transfer
from transactions.posting import IdempotencyKey, IdempotencyKeyReused, NotPermitted, SameWallet, UserNotActive
from wallets.services import WalletNotFound

# A page that filters by kind looks at this many entries at most, so that a rare kind costs no walk through a long
# history: it may then be short, and `next` goes on from where it stopped.
LONGEST_LOOK = 2_000
HOUSE_NAME = "MyMoolah"


class RecipientNotFound(NotFound):
    code, title = "recipient_not_found", "Nobody can be paid at this number or address"


class RecipientCannotReceive(DomainError):
    """Frozen, closed, full, or no wallet in this currency: one answer, without facts, for all of it."""

    code, status, title = "recipient_cannot_receive", 409, "This person cannot receive the money"


class NoWalletInCurrency(DomainError):
    code, status, title = "wrong_currency", 409, "You have no wallet in this currency"
    example = {"currency": "USD"}


class TransactionNotFound(NotFound):
    code, title = "transaction_not_found", "There is no such transaction"


class TransferNotFound(NotFound):
    code, title = "transfer_not_found", "There is no such transfer"


@dataclass(frozen=True)
class Recipient:
    """Whom a customer wants to pay: a wallet's number, or a phone (E.164) or e-mail address (small letters)."""

    by: Literal["number", "phone", "email"]
    value: str

    def __str__(self) -> str:
        return f"{self.by}:{self.value}"


@dataclass(frozen=True, kw_only=True)
class Route:
    """From which wallet to which a payment goes, and who its ends are."""

    payer_id: int
    payer_wallet_id: int
    recipient_wallet_id: int
    recipient_number: str
    recipient_name: str  # first name and initial
    is_active: bool  # the recipient and his wallet


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the sender of a transfer is told, now and whenever he asks again: nothing in it can change."""

    transfer_id: uuid.UUID
    kind: str
    amount: Decimal
    currency: str
    reference: str
    recipient_number: str
    balance_after: Decimal
    created_at: dt.datetime
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class EntryFilter:
    """Which entries to list; days are those of Johannesburg, both included."""

    wallet_number: str | None = None
    type: str | None = None
    kind: str | None = None
    from_day: dt.date | None = None
    to_day: dt.date | None = None


def get_route(*, user_public_id: uuid.UUID, recipient: Recipient, currency: str) -> Route:
    """Find both wallets of a payment. One query.

    Who may not send learns nothing about others: neither a name nor who is a customer.

    :raises NoWalletInCurrency: the payer has none
    :raises UserNotActive, NotPermitted: the payer is suspended, or his tier sends nothing
    :raises RecipientNotFound: nobody has this number or verified contact
    :raises RecipientCannotReceive: somebody has, but no wallet of this currency
    :raises SameWallet: it is the payer's own
    """
    named: dict[str, str | None] = {"number": None, "phone": None, "email": None, recipient.by: recipient.value}
    found = rows("transactions", "payment_route.sql", user=user_public_id, currency=currency, **named)
    if not found or found[0]["payer_wallet_id"] is None:
        raise NoWalletInCurrency(currency=currency)
    row = found[0]
    if not row.pop("payer_is_active"):
        raise UserNotActive(end="payer")
    tier = row.pop("payer_tier")
    if not row.pop("payer_may_send"):
        raise NotPermitted(tier=tier)
    if row.pop("recipient_id") is None:
        raise RecipientNotFound
    if row["recipient_wallet_id"] is None:
        raise RecipientCannotReceive
    if row["recipient_wallet_id"] == row["payer_wallet_id"]:
        raise SameWallet
    return Route(**row)


def get_payee_name(*, user_public_id: uuid.UUID, recipient: Recipient, amount: Money) -> Route:
    """Whom a payment would reach. One query.

    How full the recipient's wallet is plays no part: trying amounts would tell his balance.

    :raises DomainError: those of `get_route`
    """
    route = get_route(user_public_id=user_public_id, recipient=recipient, currency=amount.currency)
    if not route.is_active:
        raise RecipientCannotReceive
    return route


def get_receipt(*, transfer_id: uuid.UUID) -> Receipt:
    """What the sender was told of a transfer that was posted before. One query."""
    (row,) = rows("transactions", "receipt.sql", transfer=transfer_id)
    return Receipt(**row, replayed=True)


def get_ends(*, transfer_id: uuid.UUID) -> tuple[int, int]:
    """The wallets a transfer went from and to. One query."""
    from_id, to_id = Transfer.objects.values_list("from_wallet_id", "to_wallet_id").get(pk=transfer_id)
    return from_id, to_id


def find_receipt(*, key: IdempotencyKey) -> Receipt | None:
    """The answer that a key got before, if it did. Two queries.

    :raises IdempotencyKeyReused: it was given to another request
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k.request_hash, k.produced_id FROM idempotency_keys AS k WHERE k.actor = %s AND k.key = %s",
            [key.actor, key.key],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    if bytes(row[0]) != key.request_hash:
        raise IdempotencyKeyReused
    return get_receipt(transfer_id=row[1])


def get_entry(*, user_public_id: uuid.UUID, number: str, sequence: int) -> dict[str, Any]:
    """One entry of a customer's wallet. One query.

    :raises TransactionNotFound: this customer has no such entry
    """
    found = rows("transactions", "entry.sql", user=user_public_id, number=number, sequence=sequence)
    if not found:
        raise TransactionNotFound
    return _entry(found[0])


def get_transfer(*, user_public_id: uuid.UUID, transfer_id: uuid.UUID) -> dict[str, Any]:
    """A transfer as one of its two ends sees it. One query.

    :raises TransferNotFound: this customer is neither
    """
    found = rows("transactions", "entry_of_transfer.sql", user=user_public_id, transfer=transfer_id)
    if not found:
        raise TransferNotFound
    entry = _entry(found[0])
    return {"id": entry.pop("transfer"), "transaction": entry.pop("id"), **entry}


def entries(*, user_public_id: uuid.UUID, only: EntryFilter, asked: PageRequest) -> Page[dict[str, Any]]:
    """A page of a customer's entries. One query, of index probes only.

    :raises WalletNotFound: the wallet of the filter is not this customer's
    """
    statement, values = _entries_query(user_public_id, only, asked)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        columns = [column.name for column in cursor.description]
        found = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    head = found[0]
    if only.wallet_number is not None and not head["wallet_count"]:
        raise WalletNotFound
    stopped = None
    if head["stopped_at"] is not None:
        stopped = [iso_utc(head["stopped_at"]), head["stopped_number"], head["stopped_sequence"]]
    matching = [row for row in found if row["sequence"] is not None]
    page = cut(asked, matching, _position, beyond=stopped)
    return Page(rows=[_entry(row) for row in page.rows], older=page.older, newer=page.newer)


def _position(row: dict[str, Any]) -> Position:
    return [iso_utc(row["created_at"]), row["number"], row["sequence"]]


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{row['number']}-{row['sequence']}",
        "transfer": str(row["transfer_id"]),
        "type": row["type"],
        "kind": row["kind"],
        "amount": f"{row['amount']:.2f}",
        "currency": row["currency"],
        "balance_after": f"{row['balance_after']:.2f}",
        "counterparty": counterparty(row["counterparty_name"], row["counterparty_number"]),
        "reference": row["reference"],
        "created_at": iso_utc(row["created_at"]),
    }


def counterparty(name: str | None, number: str) -> dict[str, str | None]:
    """The other end of a transfer, masked; without a name it is the bank itself."""
    return {"name": name or HOUSE_NAME, "wallet": masked(number) if name else None}


def masked(number: str) -> str:
    """A wallet's number, of which others see the last four digits."""
    return f"…{number[-4:]}"


def _entries_query(user_public_id: uuid.UUID, only: EntryFilter, asked: PageRequest) -> tuple[str, dict[str, Any]]:
    """One statement: each wallet's newest entries by index, merged, then told who is at the other end.

    A filter by type walks (user_id, type, created_at), any other page (wallet_id, created_at, sequence).
    """
    look = LONGEST_LOOK if only.kind else asked.limit + 1
    values: dict[str, Any] = {"user": user_public_id, "look": look, "limit": asked.limit + 1}
    order, beyond = ("ASC", ">") if asked.backwards else ("DESC", "<")
    mine, reach = "", ["t.wallet_id = m.id"]
    if only.wallet_number is not None:
        mine, values["wallet"] = "AND w.number = %(wallet)s", only.wallet_number
    if only.type is not None:
        # `+ 0` keeps the planner away from the index by wallet, where the type would be looked for row by row.
        reach, values["type"] = ["t.user_id = m.user_id", "t.type = %(type)s", "t.wallet_id + 0 = m.id"], only.type
    if only.from_day is not None:
        reach.append("t.created_at >= %(from)s")
        values["from"] = start_of_day(only.from_day)
    if only.to_day is not None:
        reach.append("t.created_at < %(to)s")
        values["to"] = start_of_day(only.to_day + dt.timedelta(days=1))
    if asked.cursor is not None:
        reach.append(f"t.created_at {beyond}= %(at)s")
        reach.append(f"(t.created_at, m.number, t.sequence) {beyond} (%(at)s, %(number)s, %(sequence)s)")
        values["at"], values["number"], values["sequence"] = asked.cursor.position
    if only.kind is not None:
        values["kind"] = only.kind
    by = f"ORDER BY c.created_at {order}, c.number {order}, c.sequence {order}"
    return (
        f"""
        WITH mine AS (
            SELECT w.id, w.number, w.user_id
            FROM users AS p
            INNER JOIN wallets AS w ON w.user_id = p.id AND w.kind = 'customer'
            WHERE p.public_id = %(user)s {mine}
        ),
        c AS (
            SELECT m.number, e.*
            FROM mine AS m
            CROSS JOIN LATERAL (
                SELECT
                    t.sequence, t.transfer_id, t.type, t.amount, t.currency, t.balance_after, t.created_at
                FROM transactions AS t
                WHERE {" AND ".join(reach)}
                ORDER BY t.created_at {order}, t.sequence {order}
                LIMIT %(look)s
            ) AS e
            ORDER BY e.created_at {order}, m.number {order}, e.sequence {order}
            LIMIT %(look)s
        )
        SELECT
            (SELECT count(*) FROM mine) AS wallet_count,
            s.created_at AS stopped_at,
            s.number AS stopped_number,
            s.sequence AS stopped_sequence,
            d.*
        FROM (SELECT 1) AS one_row
        LEFT JOIN (
            SELECT c.created_at, c.number, c.sequence FROM c {by} OFFSET {look - 1} LIMIT {1 if only.kind else 0}
        ) AS s ON TRUE
        LEFT JOIN (
            SELECT
                c.*,
                f.kind,
                f.reference,
                o.number AS counterparty_number,
                u.first_name || ' ' || left(u.last_name, 1) || '.' AS counterparty_name
            FROM c
            INNER JOIN transfers AS f ON f.id = c.transfer_id
            INNER JOIN wallets AS o ON o.id = CASE c.type WHEN 'sent' THEN f.to_wallet_id ELSE f.from_wallet_id END
            LEFT JOIN users AS u ON u.id = o.user_id
            {"WHERE f.kind = %(kind)s" if only.kind else ""}
            {by}
            LIMIT %(limit)s
        ) AS d ON TRUE
        ORDER BY d.created_at {order}, d.number {order}, d.sequence {order}
        """,  # noqa: S608 - only keywords, column names and placeholders are put together
        values,
    )
