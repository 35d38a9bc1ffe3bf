"""The books of one batch: accounts as the kernel would leave them, and the rows it would have written.

Amounts are integers of cents. In a row they stand as `1234e-2`, which PostgreSQL reads exactly as 12.34.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from reporting.loading.plan import day_number, moment_text, month_number

ROWS_PER_COPY = 20_000
NULL = "\\N"
CURRENCY = "ZAR"


class Rows:
    """Rows of one table in the text format of COPY, in chunks of `ROWS_PER_COPY`."""

    def __init__(self, table: str, columns: str) -> None:
        self.table = table
        self.statement = f"COPY {table} ({columns}) FROM STDIN"
        self.chunks: list[tuple[int, bytes]] = []
        self._pending: list[str] = []

    def add(self, row: str) -> None:
        """Add a line that ends with a newline."""
        self._pending.append(row)
        if len(self._pending) == ROWS_PER_COPY:
            self.finish()

    def finish(self) -> None:
        if self._pending:
            self.chunks.append((len(self._pending), "".join(self._pending).encode()))
            self._pending.clear()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a tier may do, in cents. A month counts half: the other half of this one is left to the customer."""

    may_send: bool
    transfer: int
    day: int
    half_month: int
    highest_balance: int


HOUSE = Limits(may_send=True, transfer=10**18, day=10**18, half_month=10**18, highest_balance=10**18)


@dataclass(slots=True, kw_only=True)
class Account:
    """A wallet while its history is written: what its head will say."""

    wallet_id: int
    user_id: int | None
    limits: Limits
    user: int = 0  # as in user1@load.example.com; 0 for the house
    joined_ms: int = 0
    balance: int = 0
    received: int = 0
    sent: int = 0
    received_count: int = 0
    sent_count: int = 0
    last_ms: int = 0
    spent_day: int | None = None
    spent_day_cents: int = 0
    spent_month_cents: int = 0
    stored_sequence: int | None = None  # what the database has; None while the wallet has no entry there
    top_ups: int = field(default=0)  # open or expired ones

    @property
    def sequence(self) -> int:
        return self.received_count + self.sent_count

    def has_room_for(self, cents: int) -> bool:
        return self.balance + cents <= self.limits.highest_balance

    def may_spend(self, cents: int, at_ms: int) -> bool:
        """Whether tier, limits and balance let this customer send `cents`."""
        limits = self.limits
        if not limits.may_send or cents > self.balance or cents > limits.transfer:
            return False
        today, month = self._spent(day_number(at_ms))
        return today + cents <= limits.day and month + cents <= limits.half_month

    def spend(self, cents: int, at_ms: int) -> None:
        """Count `cents` against the limits, as the kernel does for what a customer decides."""
        day = day_number(at_ms)
        today, month = self._spent(day)
        self.spent_day, self.spent_day_cents, self.spent_month_cents = day, today + cents, month + cents

    def _spent(self, day: int) -> tuple[int, int]:
        if self.spent_day is None:
            return 0, 0
        if self.spent_day == day:
            return self.spent_day_cents, self.spent_month_cents
        return 0, self.spent_month_cents if month_number(self.spent_day) == month_number(day) else 0


class Books:
    """Transfers and entries of a batch, each entry with its wallet's totals after it."""

    def __init__(self, chance: random.Random) -> None:
        self._bits = chance.getrandbits
        self.posted = 0
        self.first_transfer: str | None = None
        self.transfers = Rows(
            "transfers",
            "id, kind, from_wallet_id, to_wallet_id, amount, currency, reference, group_id, initiated_by_id, created_at",
        )
        self.entries = Rows(
            "transactions",
            "transfer_id, wallet_id, user_id, type, amount, currency, sequence, balance_after, total_received_after, "
            "total_sent_after, created_at",
        )

    def post(
        self,
        kind: str,
        payer: Account,
        payee: Account,
        cents: int,
        at_ms: int,
        *,
        reference: str = "",
        by: int | None = None,
        group: str | None = None,
    ) -> str:
        """Move `cents` at a moment that is not before the last one of either account; the transfer's id."""
        assert cents > 0
        assert payer is not payee
        assert at_ms >= payer.last_ms
        assert at_ms >= payee.last_ms
        transfer = self._uuid7(at_ms)
        self.first_transfer = self.first_transfer or transfer
        moment = moment_text(at_ms)
        initiator = NULL if by is None else by
        self.transfers.add(
            f"{transfer}\t{kind}\t{payer.wallet_id}\t{payee.wallet_id}\t{cents}e-2\t{CURRENCY}\t{reference}"
            f"\t{group or transfer}\t{initiator}\t{moment}\n"
        )
        payer.balance -= cents
        payer.sent += cents
        payer.sent_count += 1
        payer.last_ms = at_ms
        self.entries.add(_entry(transfer, payer, "sent", cents, moment))
        payee.balance += cents
        payee.received += cents
        payee.received_count += 1
        payee.last_ms = at_ms
        self.entries.add(_entry(transfer, payee, "received", cents, moment))
        self.posted += 1
        return transfer

    def _uuid7(self, at_ms: int) -> str:
        """As mymoolah.common.ids.uuid7, with repeatable chance."""
        bits = self._bits(74)
        return f"{at_ms:012x}7{bits >> 62:03x}{1 << 63 | bits & (1 << 62) - 1:016x}"


def _entry(transfer: str, account: Account, kind: str, cents: int, moment: str) -> str:
    user = NULL if account.user_id is None else account.user_id
    return (
        f"{transfer}\t{account.wallet_id}\t{user}\t{kind}\t{cents}e-2\t{CURRENCY}\t{account.sequence}"
        f"\t{account.balance}e-2\t{account.received}e-2\t{account.sent}e-2\t{moment}\n"
    )


def uuid4_text(chance: random.Random) -> str:
    """A UUID version 4 (RFC 9562, section 5.4) by repeatable chance."""
    bits = chance.getrandbits(122)
    return f"{bits >> 74:012x}4{bits >> 62 & 0xFFF:03x}{1 << 63 | bits & (1 << 62) - 1:016x}"
