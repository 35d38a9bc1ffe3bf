"""Sign-in that is locked for a while: wrong passwords, counted in Redis across processes, by account and by address.

A try is counted before its password is looked at, and taken back when that was right: however many come at once, no
more passwords of an account are tried than the limit says. An account that nobody has is counted like any other.

A library (django-axes) reads, decides and writes in three steps, so that tries at the same moment slip through, and
keeps the addresses that were typed in tables of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django_redis import get_redis_connection
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from mymoolah.common.addresses import network_of
from mymoolah.common.errors import DomainError, Unavailable

LOCK_SECONDS = 15 * 60
# An address may be that of a whole town behind one mobile network.
MOST_FAILURES = {"account": 10, "address": 100}
# A code has a million values, of which three are good at a time: whoever has the password needs 700 days on average.
MOST_WRONG_CODES = {"account": 5, "address": 100}
# Counted apart: whoever has the password would begin anew with each sign-in, and a stranger at the sign-in would keep a
# colleague who is signed in from confirming anything.
LIMITS = {"sign_in": MOST_FAILURES, "second_factor": MOST_WRONG_CODES, "confirmation": MOST_FAILURES}

# Answers how many seconds the longest lock still lasts, 0 if none, and which try this is for each counter.
COUNT = """
local locked = 0
for i, key in ipairs(KEYS) do
    if tonumber(redis.call('GET', key) or 0) >= tonumber(ARGV[i + 1]) then
        locked = math.max(locked, redis.call('TTL', key), 1)
    end
end
if locked > 0 then
    return {locked}
end
local answer = {0}
for i, key in ipairs(KEYS) do
    answer[i + 1] = redis.call('INCR', key)
    if answer[i + 1] == 1 then
        redis.call('EXPIRE', key, ARGV[1])
    end
end
return answer
"""
FORGIVE = """
redis.call('DEL', KEYS[1])
if tonumber(redis.call('GET', KEYS[2]) or 0) > 0 then
    redis.call('DECR', KEYS[2])
end
"""
TAKE_BACK = """
for _, key in ipairs(KEYS) do
    if tonumber(redis.call('GET', key) or 0) > 0 then
        redis.call('DECR', key)
    end
end
"""

LOCKED_FOR = """
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
    return 0
end
return math.max(redis.call('TTL', KEYS[1]), 1)
"""


class SignInLocked(DomainError):
    code, status, title = "sign_in_locked", 429, "Too many wrong passwords: please wait, or choose a new one"
    example = {"seconds": 840}

    def __init__(self, *, seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = seconds


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try of a password: the `tries`-th for each of its counters."""

    keys: Sequence[str]
    tries: Sequence[int]
    what: str = "sign_in"

    def succeeded(self) -> None:
        """The account starts anew; the address has failed no more often than before."""
        if self.keys:
            _run(FORGIVE, self.keys)

    def taken_back(self) -> None:
        """As if it had not been made: what went wrong says nothing about the password."""
        if self.keys:
            _run(TAKE_BACK, self.keys)

    def failed(self) -> list[str]:
        """What this failure has locked, from now on: `account`, `address`, both or neither."""
        if not self.keys:
            return []
        counters = zip(LIMITS[self.what].items(), self.keys, self.tries, strict=True)
        locked = [(what, key) for (what, most), key, tries in counters if tries == most]
        for _, key in locked:
            _run("redis.call('EXPIRE', KEYS[1], ARGV[1])", [key], LOCK_SECONDS)
        return [what for what, _ in locked]


def count_attempt(*, email: str, address: str | None, what: str = "sign_in") -> Attempt:
    """Count somebody's try of a password, of a `second_factor`, or of a password in a session (`confirmation`).

    :raises SignInLocked: the account, or the network of this address, has failed too often
    :raises Unavailable: Redis is away, and nobody counts
    """
    if not settings.RATELIMIT_ENABLE:
        return Attempt(keys=(), tries=())
    keys = [_account_key(email, what), cache.make_key(f"{what}:address:{network_of(address)}")]
    locked_seconds, *tries = _run(COUNT, keys, LOCK_SECONDS, *LIMITS[what].values())
    if locked_seconds:
        raise SignInLocked(seconds=locked_seconds)
    return Attempt(keys=keys, tries=tries, what=what)


def locked_seconds(*, email: str) -> int:
    """How much longer wrong passwords keep an account locked, 0 if they do not. An address' own lock is not told.

    :raises Unavailable: Redis is away
    """
    if not settings.RATELIMIT_ENABLE:
        return 0
    return int(_run(LOCKED_FOR, [_account_key(email, "sign_in")], MOST_FAILURES["account"]))


def is_locked(*, email: str) -> bool:
    """Whether wrong passwords keep an account locked, as far as can be told."""
    try:
        return locked_seconds(email=email) > 0
    except Unavailable:
        return False


def unlock_account(*, email: str, what: str = "sign_in") -> None:
    """Forget an account's failures: its owner has proved otherwise who he is.

    :raises Unavailable: Redis is away
    """
    if settings.RATELIMIT_ENABLE:
        _run("redis.call('DEL', KEYS[1])", [_account_key(email, what)])


def _account_key(email: str, what: str) -> str:
    digest = hashlib.sha256(email.strip().lower().encode()).hexdigest()
    return str(cache.make_key(f"{what}:account:{digest}"))


def _run(script: str, keys: Sequence[str], *values: int) -> Any:
    try:
        return get_redis_connection("default").eval(script, len(keys), *keys, *values)
    except (ConnectionInterrupted, RedisError) as error:
        raise Unavailable from error
