"""What lies in Redis: sealed answers, the stamps they are good with, and who is at work on which.

Keys: `stamp:<tag>`, a random token that whoever changes something deletes; `read:<epoch>:<release>:<family>:<what>`, an
answer with the stamps that were there before it was read; `lease:<…>`, for as long as one process reads it anew. Each of
them expires, and none is missed by more than a moment's work.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import redis
from cryptography.exceptions import InvalidTag
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from mymoolah.common.breaker import Breaker
from mymoolah.common.crypto import decrypt_bytes, encrypt_bytes
from mymoolah.common.read_cache.release import fingerprint

PATIENCE_SECONDS: Final = 0.1
LOOKED_AT_SECONDS: Final = 60.0  # how long what was found out about a Redis is believed
PAUSE_SECONDS: Final = 5.0  # after Redis has failed a reader, before one asks it again
KEPT_SECONDS: Final = 300  # an answer, a tenth more or less: what was warmed together does not end together
STAMP_KEPT_SECONDS: Final = 3600
LEASE_MS: Final = 2_000  # of somebody who died over it
LARGEST_BYTES: Final = 64 * 1024
STAMP_BYTES: Final = 16
UNSUITABLE: Final = "Redis keeps what it holds on a disk, or is or was a copy of another: it could have old answers"
NOT_SAID: Final = "Redis does not say whether it keeps what it holds on a disk (CONFIG GET is not allowed)"

Client = redis.Redis


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an answer lies, and what it is good with."""

    key: str
    tags: Sequence[str]

    @property
    def stamps(self) -> list[str]:
        return [f"stamp:{tag}" for tag in self.tags]

    @property
    def lease(self) -> str:
        return f"lease:{self.key}"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What was taken before an answer is read anew; `is_ours`: nobody else is at it."""

    stamps: bytes
    is_ours: bool


class Store:
    """The way to Redis, of one process."""

    def __init__(self) -> None:
        self.breaker = Breaker(pause_seconds=PAUSE_SECONDS)
        self.objection: str | None = None
        """Why this Redis is not used."""
        self._looked_at: float | None = None

    def failed(self) -> None:
        """Leave it alone for a while, and look at it anew then: it may be another."""
        self.breaker.failed()
        self._looked_at = None

    def is_suitable(self) -> bool:
        """Whether it forgets what it holds when it ends, and has nobody else's word for anything.

        :raises redis.exceptions.RedisError: it cannot be asked
        """
        moment = time.monotonic()
        if self._looked_at is None or moment - self._looked_at > LOOKED_AT_SECONDS:
            self.objection = objection_to(client())
            self._looked_at = moment
        return self.objection is None

    def look(self, place: Place) -> bytes | None:
        """The answer, if there is one and its stamps are those of now. One round trip.

        :raises redis.exceptions.RedisError: it cannot be asked
        """
        found = cast("list[bytes | None]", client().mget([place.key, *place.stamps]))
        if None in found:
            return None
        value, *stamps = cast("list[bytes]", found)
        length = STAMP_BYTES * len(stamps)
        if value[:length] != b"".join(stamps):
            return None
        try:
            return decrypt_bytes(value[length:], context=_context(place, value[:length]))
        except (KeyError, InvalidTag):  # under a key that was retired; or somebody has been at it
            return None

    def claim(self, place: Place) -> Claim:
        """Take the stamps, which are made where there are none, before the answer is read. One round trip.

        :raises redis.exceptions.RedisError: it cannot be asked
        """
        made = [os.urandom(STAMP_BYTES) for _ in place.tags]
        pipeline = client().pipeline(transaction=False)
        for name, stamp in zip(place.stamps, made, strict=True):
            pipeline.set(name, stamp, nx=True, get=True, ex=STAMP_KEPT_SECONDS)
        pipeline.set(place.lease, b"1", nx=True, px=LEASE_MS)
        *found, is_ours = pipeline.execute()
        stamps = b"".join(old or new for old, new in zip(found, made, strict=True))
        return Claim(stamps=stamps, is_ours=bool(is_ours))

    def put(self, place: Place, claim: Claim, answer: bytes) -> None:
        """:raises redis.exceptions.RedisError: it cannot be asked, or is full"""
        pipeline = client().pipeline(transaction=False)
        if len(answer) <= LARGEST_BYTES:
            sealed = encrypt_bytes(answer, context=_context(place, claim.stamps))
            pipeline.set(place.key, claim.stamps + sealed, px=_kept_ms())
        pipeline.delete(place.lease)
        pipeline.execute()

    def give_up(self, place: Place) -> None:
        """:raises redis.exceptions.RedisError: it cannot be asked"""
        client().delete(place.lease)

    def bump(self, tags: Sequence[str]) -> None:
        """Have every answer with one of these tags be good no more. A full Redis does this too.

        :raises redis.exceptions.RedisError: it may not have been done
        """
        client().delete(*(f"stamp:{tag}" for tag in tags))


def client() -> Client:
    return _client(settings.READ_CACHE_URL)


@lru_cache(maxsize=4)
def _client(url: str) -> Client:
    return redis.Redis.from_url(
        url,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def objection_to(asked: Client) -> str | None:
    """Why this Redis cannot be the cache's; None: it can.

    :raises redis.exceptions.RedisError: it cannot be asked
    """
    try:
        kept: dict[Any, Any] = {**asked.config_get("save"), **asked.config_get("appendonly")}
    except redis.ResponseError:
        return NOT_SAID
    said = {_text(name): _text(value) for name, value in kept.items()}
    replication: dict[str, Any] = asked.info("replication")
    # The second id is of whom it followed, before it was made a master.
    is_of_its_own = _text(replication["role"]) == "master" and not _text(replication["master_replid2"]).strip("0")
    if said.get("save") != "" or said.get("appendonly") != "no" or not is_of_its_own:
        return UNSUITABLE
    return None


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def key_of(*, epoch: str, family: str, what: str) -> str:
    return f"read:{epoch}:{fingerprint()}:{family}:{what}"


def _context(place: Place, stamps: bytes) -> str:
    return f"{place.key} {stamps.hex()}"


def _kept_ms() -> int:
    return int(KEPT_SECONDS * 1000 * random.uniform(0.9, 1.1))  # noqa: S311 - spreads ends, hides nothing
