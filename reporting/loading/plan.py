"""What is loaded, shared out over batches; each is one database transaction, and the unit of taking up again.

The histories of all batches run over the same days. Two kinds of wallets are touched by more than one batch, and time
must never go back in any wallet: the house's, so each batch has stripes of its own; and user1's, so each batch deals
with user1 in a slice of the days that is its own. Where there are more batches than stripes, batches that share a
stripe follow each other in time there too: they deal with the house in a window of their own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from mymoolah.common.clock import start_of_day
from mymoolah.common.errors import DomainError

HISTORY_DAYS = 1_000  # shorter than the 36 months of a standard voucher, so none has expired
DAY_MS = 86_400_000
ZONE_MS = 7_200_000  # Johannesburg is two hours ahead of UTC, and has had no summer time since 1944
EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()
MOST_USERS = 10_000_000  # one range of mobile numbers
MOST_ENTRIES_OF_USER1 = 1_000_000  # a tenth of all, but what 1,000 days within half of the monthly limit have room for
MOST_ENTRIES_PER_USER = 1_000


class LoadRefused(DomainError):
    code, status, title = "load_refused", 409, "This cannot be loaded"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What was asked for. `entries` are rows of `transactions`."""

    users: int
    vouchers: int
    entries: int
    seed: int

    def check(self) -> None:
        """:raises LoadRefused: no histories of this size exist that the rules allow"""
        if self.users < 1 or self.vouchers < 0 or self.entries < 0:
            raise LoadRefused(detail="There must be at least one user, and no negative number of anything.")
        if self.entries % 2:
            raise LoadRefused(detail="Every transfer writes two transactions: their number must be even.")
        if self.users > MOST_USERS:
            raise LoadRefused(detail=f"At most {MOST_USERS:,} users: each has a phone number of its own.")
        if self.entries > MOST_ENTRIES_PER_USER * (self.users - 1):
            raise LoadRefused(
                detail=f"At most {MOST_ENTRIES_PER_USER:,} transactions for each user besides user1: more would not "
                "fit the limits."
            )

    @property
    def user1_entries(self) -> int:
        return min(self.entries // 10, MOST_ENTRIES_OF_USER1)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The part of one transaction. Moments are Unix milliseconds, periods half-open; users count from 1."""

    number: int
    first_user: int
    users: int
    transfers: int
    user1_transfers: int
    vouchers: int
    user1_vouchers: int
    first_voucher: int
    stripes: tuple[int, ...]
    starts_ms: int
    ends_ms: int
    house_from_ms: int
    house_until_ms: int
    user1_from_ms: int
    user1_until_ms: int
    is_last: bool


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run: it is stored when it starts, and read back when it is taken up again."""

    order: Order
    ends_on: dt.date  # the last day with entries
    first_count: int  # of the EasyPay numbers set aside, one for each voucher
    stripes: tuple[int, ...]
    batches: int

    @property
    def starts_ms(self) -> int:
        return self.ends_ms - HISTORY_DAYS * DAY_MS

    @property
    def ends_ms(self) -> int:
        return int(start_of_day(self.ends_on + dt.timedelta(days=1)).timestamp()) * 1000

    def batch(self, number: int) -> Batch:
        order, sharing = self.order, len(self.stripes)
        round_first = number - number % sharing
        round_after = min(round_first + sharing, self.batches)
        first_user, first_voucher = (whole * number // self.batches for whole in (order.users, order.vouchers))
        return Batch(
            number=number,
            first_user=first_user + 1,
            users=self._share(order.users, number),
            transfers=self._share(order.entries // 2, number),
            user1_transfers=self._share(order.user1_entries, number),
            vouchers=self._share(order.vouchers, number),
            user1_vouchers=self._share(order.vouchers // 20, number),
            first_voucher=first_voucher,
            stripes=self.stripes[number % sharing :: self.batches],
            starts_ms=self._boundary_ms(round_first),
            ends_ms=self.ends_ms,
            house_from_ms=self._boundary_ms(round_first),
            house_until_ms=self._boundary_ms(round_after),
            user1_from_ms=self._boundary_ms(number),
            user1_until_ms=self._boundary_ms(number + 1),
            is_last=number == self.batches - 1,
        )

    def _share(self, whole: int, number: int) -> int:
        return whole * (number + 1) // self.batches - whole * number // self.batches

    def _boundary_ms(self, number: int) -> int:
        return self.starts_ms + HISTORY_DAYS * DAY_MS * number // self.batches

    def as_facts(self) -> dict[str, Any]:
        return asdict(self) | {"ends_on": self.ends_on.isoformat()}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Plan:
        return cls(
            order=Order(**facts["order"]),
            ends_on=dt.date.fromisoformat(facts["ends_on"]),
            first_count=facts["first_count"],
            stripes=tuple(facts["stripes"]),
            batches=facts["batches"],
        )


def batches_needed(order: Order, users_per_batch: int) -> int:
    """So many that each has at most `users_per_batch` users, with 5 transfers and 2 vouchers for each."""
    needs = (order.users, order.entries // 10, order.vouchers // 2)
    return min(max(1, *(-(-need // users_per_batch) for need in needs)), order.users)


# Johannesburg's calendar, in numbers ---------------------------------------------------------------------------------
def day_number(at_ms: int) -> int:
    """Days from 1970-01-01 to the Johannesburg day of this moment."""
    return (at_ms + ZONE_MS) // DAY_MS


@cache
def day_text(day: int) -> str:
    return dt.date.fromordinal(EPOCH_ORDINAL + day).isoformat()


@cache
def month_number(day: int) -> int:
    date = dt.date.fromordinal(EPOCH_ORDINAL + day)
    return date.year * 12 + date.month


def moment_text(at_ms: int) -> str:
    """As PostgreSQL reads a timestamptz."""
    day, rest = divmod(at_ms + ZONE_MS, DAY_MS)
    seconds, milliseconds = divmod(rest, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{day_text(day)} {minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{milliseconds:03d}+02"
