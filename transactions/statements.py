"""Statements: what a wallet had, got and gave in a period.

Every figure comes from PostgreSQL in one query, which also says where the period's entries begin and end. What is
posted while they are read has a higher sequence, and cannot get in between.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from mymoolah.common.clock import start_of_day
from mymoolah.common.errors import DomainError
from mymoolah.common.replica import PRIMARY, SETTLED_AFTER, Source, from_replica
from mymoolah.common.sql.queries import rows, rows_from
from wallets.services import WalletNotFound

ENTRIES_PER_PAGE = 2_000


class SeveralWallets(DomainError):
    code, status, title = "wallet_required", 400, "You have several wallets: say which one"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A wallet's period; days are those of Johannesburg, both included."""

    wallet_id: int
    number: str
    holder_name: str
    currency: str
    from_day: dt.date
    to_day: dt.date
    opening_balance: Decimal
    closing_balance: Decimal
    total_in: Decimal
    total_out: Decimal
    entry_count: int
    sequence_before: int  # of the last entry before the period, 0 if there is none
    last_sequence: int  # of the last entry before the period's end

    @property
    def is_one_page(self) -> bool:
        return self.entry_count <= ENTRIES_PER_PAGE

    @property
    def starts_at(self) -> dt.datetime:
        return start_of_day(self.from_day)

    @property
    def ends_at(self) -> dt.datetime:
        """The first moment after the period."""
        return start_of_day(self.to_day + dt.timedelta(days=1))


def get_statement(
    *, user_public_id: uuid.UUID, wallet_number: str | None, from_day: dt.date, to_day: dt.date
) -> Statement:
    """What a customer's wallet had, got and gave; of the only one, if none is named. One query of index probes.

    :raises WalletNotFound: this customer has no such wallet
    :raises SeveralWallets: none is named, and there is more than one
    """
    found = rows(
        "transactions",
        "statement.sql",
        user=user_public_id,
        number=wallet_number,
        starts_at=start_of_day(from_day),
        ends_at=start_of_day(to_day + dt.timedelta(days=1)),
    )
    if not found:
        raise WalletNotFound
    if len(found) > 1:
        raise SeveralWallets
    return Statement(**found[0], from_day=from_day, to_day=to_day)


def pages(statement: Statement) -> Iterator[list[dict[str, Any]]]:
    """The entries of a statement, oldest first, a page and one query at a time.

    By sequence and not by a cursor of the database, which PgBouncer would hand to somebody else. Those of a period that is
    over never change, so a replica that has them all may give them.
    """
    for after in range(statement.sequence_before, statement.last_sequence, ENTRIES_PER_PAGE):
        last = min(after + ENTRIES_PER_PAGE, statement.last_sequence)
        read = partial(_page, wallet_id=statement.wallet_id, after_sequence=after, last_sequence=last)
        page = from_replica(read, complete_to=statement.ends_at + SETTLED_AFTER)
        if len(page) < last - after:
            page = read(PRIMARY)  # a history that was loaded just now is older than it looks
        # Sequences have no gap: a page with fewer entries would make a statement that does not add up.
        assert len(page) == last - after, (statement.number, after, last, len(page))
        yield page


def _page(source: Source, **which: int) -> list[dict[str, Any]]:
    return rows_from(source.using, "transactions", "statement_page.sql", **which)
