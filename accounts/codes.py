"""One-time codes: what is sent to somebody, and comes back to prove that it arrived.

Whoever calls holds the lock on the user's row: codes of one user are issued, tried and used one after the other.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from collections.abc import Collection

from django.utils.crypto import salted_hmac

from accounts.models import OneTimeCode, User
from mymoolah.common.errors import DomainError

Purpose = OneTimeCode.Purpose
LIFETIMES = {
    Purpose.EMAIL: dt.timedelta(minutes=10),
    Purpose.PHONE: dt.timedelta(minutes=10),
    Purpose.PASSWORD: dt.timedelta(minutes=30),
}
# Five codes an hour with five tries each: who guesses for a whole day hits one in a million 600 times at most.
MOST_SENT, COUNTED = 5, dt.timedelta(hours=1)


class TooManyCodes(DomainError):
    code, status, title = "too_many_codes", 429, "Too many codes were sent; please wait for a new one"
    example = {"seconds": 1800}

    def __init__(self, *, seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = seconds


class CodeWrong(DomainError):
    code, status, title = "code_wrong", 409, "This is not the code that was sent"
    example = {"attempts_left": 4}


class CodeExpired(DomainError):
    code, status, title = "code_expired", 409, "There is no code to compare this with; ask for a new one"


def issue(*, user: User, purpose: OneTimeCode.Purpose, target: str, now: dt.datetime) -> str:
    """Make the code to send to `target`: six digits, or for a password 256 bits. An older one is no good any more.

    :raises TooManyCodes: five were made within an hour
    """
    row = OneTimeCode.objects.filter(user=user, purpose=purpose).first() or OneTimeCode(
        user=user, purpose=purpose, counted_from=now, sent_count=0
    )
    if now - row.counted_from >= COUNTED:
        row.counted_from, row.sent_count = now, 0
    if row.sent_count >= MOST_SENT:
        raise TooManyCodes(seconds=int((row.counted_from + COUNTED - now).total_seconds()) + 1)
    code = secrets.token_urlsafe(32) if purpose == Purpose.PASSWORD else f"{secrets.randbelow(10**6):06d}"
    row.target, row.sent_at, row.expires_at = target, now, now + LIFETIMES[purpose]
    row.sent_count, row.attempts, row.used_at = row.sent_count + 1, 0, None
    row.code_digest = _digest(user, row, code)
    row.save()
    return code


def was_issued(*, user: User, purpose: OneTimeCode.Purpose, since: dt.datetime) -> bool:
    """Whether a code was made at that moment or later."""
    return OneTimeCode.objects.filter(user=user, purpose=purpose, sent_at__gte=since).exists()


def use(*, user: User, purpose: OneTimeCode.Purpose, code: str, now: dt.datetime) -> OneTimeCode | DomainError:
    """Use a code up, if it is the one that was sent; a wrong one is counted.

    Returns the refusal, lest raising it undoes the counting.
    """
    row = OneTimeCode.objects.filter(user=user, purpose=purpose).first()
    if row is None or row.used_at or row.expires_at <= now or row.attempts >= OneTimeCode.MOST_ATTEMPTS:
        return CodeExpired()
    if hmac.compare_digest(_digest(user, row, code), bytes(row.code_digest)):
        row.used_at = now
        row.save(update_fields=["used_at"])
        return row
    if purpose != Purpose.PASSWORD:  # nobody guesses 256 bits, but anybody could use the tries up
        row.attempts += 1
        row.save(update_fields=["attempts"])
    return CodeWrong(attempts_left=OneTimeCode.MOST_ATTEMPTS - row.attempts)


def forget(*, user: User, purposes: Collection[str]) -> None:
    """Make the codes that were sent for these purposes worth nothing."""
    OneTimeCode.objects.filter(user=user, purpose__in=purposes).delete()


def _digest(user: User, row: OneTimeCode, code: str) -> bytes:
    """What is kept of a code: 32 bytes that tell it to nobody without the key, and fit no other user or target.

    One to choose a new password with fits the present password only.
    """
    bound_to = user.password if row.purpose == Purpose.PASSWORD else ""
    value = "\0".join([row.purpose, str(user.public_id), row.target, bound_to, code])
    return salted_hmac("accounts.one_time_code", value, algorithm="sha256").digest()
