"""The numbers on vouchers: codes, which are bearer money, and EasyPay numbers, which a till reads."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import secrets
from functools import cache, lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections

from mymoolah.common.errors import DomainError
from mymoolah.common.ids import luhn_digit
from mymoolah.common.retries import sqlstate

logger = logging.getLogger(__name__)

CODE = re.compile(r"[0-9]{16}", re.ASCII)
CODE_CONTEXT = "voucher.code"  # of a code's encryption and of its blind index
RECEIVER = "5063"
HALF = 10_000
ACCOUNTS = HALF * HALF
ROUNDS = 10  # as many as FF1 of NIST SP 800-38G
WARN_FROM = ACCOUNTS * 80 // 100
SEQUENCE_EXHAUSTED = "2200H"


class EasyPayNumbersExhausted(DomainError):
    """Every account below our receiver number was given out: EasyPay must assign another receiver."""

    code, status, title = "easypay_numbers_exhausted", 503, "No EasyPay number is left to give out"
    retry_after_seconds = 3600


def voucher_code() -> str:
    """Sixteen digits: fifteen from the system's secure random source, then a Luhn digit."""
    return with_luhn_digit(f"{secrets.randbelow(10**15):015d}")


def is_voucher_code(text: str) -> bool:
    """Whether `text` can be a code at all; a typing mistake of one digit cannot."""
    return CODE.fullmatch(text) is not None and with_luhn_digit(text[:-1]) == text


def with_luhn_digit(digits: str) -> str:
    return digits + luhn_digit(digits)


def next_easypay_number(*, using: str = DEFAULT_DB_ALIAS) -> str:
    """Take an EasyPay number that nobody has or will have. One that is not used is lost; there are enough.

    :raises EasyPayNumbersExhausted: all were given out
    """
    return easypay_number(easypay_account(take_counts(1, using=using)[0]))


def easypay_number(account: int, receiver: str = RECEIVER) -> str:
    """`9`, the receiver's 4 digits, the account's 8, and the Luhn digit of those twelve (not of the 9)."""
    if not 0 <= account < ACCOUNTS:
        raise ValueError(f"An account has eight digits, this is {account}.")
    return "9" + with_luhn_digit(f"{receiver}{account:08d}")


def take_counts(many: int, *, using: str = DEFAULT_DB_ALIAS) -> list[int]:
    """Advance the count of EasyPay numbers by `many`; the counts that now are the caller's, ascending.

    :raises EasyPayNumbersExhausted: fewer were left
    """
    try:
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT nextval('easypay_accounts') FROM generate_series(1, %s)", [many])
            counts = [count for (count,) in cursor.fetchall()]
    except Error as error:
        if sqlstate(error) == SEQUENCE_EXHAUSTED:
            raise EasyPayNumbersExhausted from error
        raise
    if counts and counts[-1] >= WARN_FROM:
        logger.warning("%d of %d EasyPay numbers are given out: ask for another receiver", counts[-1] + 1, ACCOUNTS)
    return counts


def easypay_account(count: int) -> int:
    """The account that is given out as number `count`: a permutation of all eight-digit numbers.

    A balanced Feistel network on two halves of four digits that are added modulo 10,000, so that every result is an
    account and no two counts share one. Without the key nobody can tell the next account from those before.
    """
    if not 0 <= count < ACCOUNTS:
        raise ValueError(f"{count} is not below {ACCOUNTS}.")
    return permuted(count, half=HALF, key=_key(settings.BLIND_INDEX_KEY))


def permuted(number: int, *, half: int, key: bytes) -> int:
    """Where `key` sends `number` among the `half * half` numbers from 0."""
    left, right = divmod(number, half)
    for turn in range(ROUNDS):
        left, right = right, (left + _mixed(key, turn, right)) % half
    return left * half + right


@lru_cache(maxsize=ROUNDS * HALF)
def _mixed(key: bytes, turn: int, right: int) -> int:
    return int.from_bytes(hmac.digest(key, b"%d:%d" % (turn, right), hashlib.sha256)[:8], "big")


@cache
def _key(blind_index_key: str) -> bytes:
    """A key for this one purpose (HKDF, RFC 5869). Like the blind indexes, it must stay for as long as its numbers."""
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"mymoolah easypay accounts 1")
    return derivation.derive(base64.urlsafe_b64decode(blind_index_key))
