"""The customers of a batch and their wallets, and their rows."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from mymoolah.common.ids import luhn_digit
from reporting.loading.books import CURRENCY, NULL, Account, Rows, uuid4_text
from reporting.loading.plan import DAY_MS, Batch, day_text, moment_text

WALLET_NUMBERS = 900_000_000  # without the Luhn digit: nine digits, the first not 0
FIRST_PHONE = 710_000_000  # 071 is a prefix of mobile numbers
USER_COLUMNS = (
    "id, password, is_superuser, public_id, email, email_verified_at, phone, phone_verified_at, first_name, last_name, "
    "status, kyc_status, id_verified, kyc_tier, is_staff, created_at"
)
WALLET_COLUMNS = (
    "id, number, user_id, kind, stripe, currency, status, balance, held, total_received, total_sent, received_count, "
    "sent_count, sequence, last_entry_at, spent_on, spent_day_amount, spent_month_amount, created_at"
)
# fmt: off
FIRST_NAMES = (
    "Thandiwe", "Sipho", "Naledi", "Johan", "Aisha", "Pieter", "Nomsa", "Lerato", "Kagiso", "Zanele", "Bongani",
    "Fatima", "Willem", "Priya", "Themba", "Anika", "Mandla", "Refilwe", "Riaan", "Ayanda", "Yusuf", "Palesa",
    "Tshepo", "Chantal", "Lwazi", "Nadia", "Karabo", "Michelle", "Vusi", "Dineo", "Andries", "Zodwa",
)
LAST_NAMES = (
    "Dlamini", "Nkosi", "Botha", "Naidoo", "Mokoena", "Khumalo", "Pillay", "Ndlovu", "Fourie", "Mahlangu", "Govender",
    "Sithole", "Jacobs", "Molefe", "Zulu", "Venter", "Mthembu", "Adams", "Radebe", "Coetzee", "Maseko", "Moodley",
    "Tshabalala", "Nel", "Mabena", "Patel", "Kruger", "Sibiya", "Williams", "Phiri", "Smit",
)
# fmt: on


def email(user: int) -> str:
    return f"user{user}@load.example.com"


def phone(user: int) -> str:
    return f"+27{FIRST_PHONE + user - 1}"


def tier(user: int) -> int:
    """Every tenth customer has not shown who they are."""
    return 0 if user % 10 == 0 else 2


def is_dormant(user: int) -> bool:
    """Whether this customer never moves money. None of tier 0 is."""
    return user % 8 == 5


def joined_ms(place: int, batch: Batch) -> int:
    """Half of a batch joined in the year before its first entry, the others until shortly before its last.

    `place` counts from 0 in the batch.
    """
    if 2 * place < batch.users:
        return batch.starts_ms - 365 * DAY_MS + 365 * DAY_MS * 2 * place // (batch.users + 1)
    late = 2 * place - batch.users
    return batch.starts_ms + (batch.house_until_ms - batch.starts_ms) * late * 9 // (batch.users * 10)


class WalletNumbers:
    """Repeatable wallet numbers, unique because `n -> factor * n + start` is, modulo 900,000,000."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(f"{seed} wallets")  # noqa: S311 - repeatable data
        self._start = chance.getrandbits(60) % WALLET_NUMBERS
        self._factor = (chance.getrandbits(60) % (WALLET_NUMBERS // 30)) * 30 + 7  # nothing in common with 2, 3, 5

    def number(self, user: int, attempt: int = 0) -> str:
        """The number of a user; the next `attempt` is for one that the bank has given to somebody else already."""
        place = user + attempt * WALLET_NUMBERS // 10
        body = str(WALLET_NUMBERS // 9 + (self._factor * place + self._start) % WALLET_NUMBERS)
        return body + luhn_digit(body)


def user_rows(accounts: Sequence[Account], batch: Batch, chance: random.Random) -> Rows:
    rows = Rows("users", USER_COLUMNS)
    for user, account in enumerate(accounts, batch.first_user):
        joined = moment_text(account.joined_ms)
        verified = f"verified\tt\t{tier(user)}" if tier(user) else "not_started\tf\t0"
        rows.add(
            f"{account.user_id}\t!{chance.getrandbits(200):050x}\tf\t{uuid4_text(chance)}\t{email(user)}\t{joined}"
            f"\t{phone(user)}\t{joined}\t{_one_of(FIRST_NAMES, chance)}\t{_one_of(LAST_NAMES, chance)}"
            f"\tactive\t{verified}\tf\t{joined}\n"
        )
    rows.finish()
    return rows


def wallet_rows(accounts: Sequence[Account], numbers: Sequence[str]) -> Rows:
    """Wallets as their last entry leaves them: the key from head to entry is deferred."""
    rows = Rows("wallets", WALLET_COLUMNS)
    for account, number in zip(accounts, numbers, strict=True):
        sequence = account.sequence or NULL
        last = moment_text(account.last_ms) if account.sequence else NULL
        rows.add(
            f"{account.wallet_id}\t{number}\t{account.user_id}\tcustomer\t0\t{CURRENCY}\tactive\t{account.balance}e-2\t0"
            f"\t{account.received}e-2\t{account.sent}e-2\t{account.received_count}\t{account.sent_count}\t{sequence}"
            f"\t{last}\t{spent_on(account) or NULL}\t{account.spent_day_cents}e-2\t{account.spent_month_cents}e-2"
            f"\t{moment_text(account.joined_ms)}\n"
        )
    rows.finish()
    return rows


def spent_on(account: Account) -> str | None:
    return None if account.spent_day is None else day_text(account.spent_day)


def spent_day(date: dt.date | None) -> int | None:
    """Undo `spent_on` for what the database holds."""
    return None if date is None else date.toordinal() - dt.date(1970, 1, 1).toordinal()


def _one_of(names: Sequence[str], chance: random.Random) -> str:
    return names[int(chance.random() * len(names))]
