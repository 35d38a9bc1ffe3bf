"""Answers to customers, kept in Redis in front of PostgreSQL.

**The promise.** An answer never shows anything older than a write that was acknowledged before the request began,
whatever becomes of Redis. Money is never decided by it: only GET answers use it.

*Stamps.* An answer is stored with the stamps of its tags (random tokens) as they were before PostgreSQL was read, and is
good only while they are the current ones. Whoever changes something deletes the stamps after his COMMIT and before he
answers (`changed`), on a replay too, for the first try may have died in between. So an answer that was read before a
commit and stored after it has a stamp that is gone.

*The gate.* Who cannot delete a stamp says so in PostgreSQL: `read_cache`, one row, is closed, and he waits until nobody
acts any more on having seen it open, for one second (`permission.py`). While it is closed readers ask PostgreSQL, and writers
neither tell nor wait. Where PostgreSQL cannot be told either, he gives no answer but 503, and his client repeats. Each
closing and opening begins an epoch, which is part of every answer's key: what lay in Redis meanwhile is never found.
After an opening nobody reads or stores for two seconds, for a writer may act for one on having seen it closed.

*Redis* may lose everything, at any moment, but must not find again what it had lost (`storage.objection_to`).

A writer that is killed between his commit and his word has acknowledged nothing; what others see is then old for five
minutes at most.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import redis
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction

from mymoolah.common.clock import business_day, now, start_of_day
from mymoolah.common.crypto import blind_index
from mymoolah.common.errors import Unavailable
from mymoolah.common.metrics import READ_CACHE, READ_CACHE_BUMPS
from mymoolah.common.read_cache.permission import Gate
from mymoolah.common.read_cache.storage import Place, Store, key_of

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.005
POLLED_SECONDS: Final = 0.1  # for whoever reads the same thing already
# Of midnight: the web's clock says which day it is, PostgreSQL's what is left of the day's limits.
CLOCKS_DIFFER_SECONDS: Final = 5.0
SECONDS_OF_DAY: Final = 86_400.0
NAMES, LIMITS = "names", "limits"
NAMESPACE: Final = "read_cache"


@dataclass(frozen=True, kw_only=True)
class Family:
    """A kind of answer: besides the customer's own, which tags it depends on, and whether on the business day."""

    name: str
    tags: tuple[str, ...] = ()
    is_by_day: bool = False


# Of the five newest entries a dashboard names the other ends: a name that changes changes dashboards of others. Few do.
DASHBOARD: Final = Family(name="dashboard", tags=(NAMES,))
WALLETS: Final = Family(name="wallets", tags=(LIMITS,), is_by_day=True)
VOUCHERS: Final = Family(name="vouchers")
FAMILIES: Final = (DASHBOARD, WALLETS, VOUCHERS)

gate: Final = Gate()
store: Final = Store()


# Readers ------------------------------------------------------------------------------------------------------------
def read(family: Family, compute: Callable[[], bytes], *, owner: uuid.UUID, asked: str = "") -> bytes:
    """What `compute` reads from PostgreSQL, or has read. `asked` tells answers to one customer apart.

    What `compute` raises is raised, and kept by nobody.
    """
    place = _place(family, owner, asked)
    if place is None:
        READ_CACHE.labels(family.name, "bypass").inc()
        return compute()
    try:
        found = store.look(place)
        if found is None:
            READ_CACHE.labels(family.name, "miss").inc()
            claim = store.claim(place)
            if not claim.is_ours:
                found = _somebodys(place)
        else:
            READ_CACHE.labels(family.name, "hit").inc()
    except redis.RedisError as error:
        _failed(family, error)
        return compute()
    if found is not None:
        return found
    READ_CACHE.labels(family.name, "computation").inc()
    try:
        answer = compute()
    except Exception:
        _quietly(family, lambda: store.give_up(place))
        raise
    _quietly(family, lambda: store.put(place, claim, answer))
    return answer


def warm(
    family: Family, compute: Callable[[list[uuid.UUID]], dict[uuid.UUID, bytes]], *, owners: list[uuid.UUID]
) -> int:
    """Keep answers to those customers who have none that is good, all computed at once; how many that were.

    None where the cache cannot be used, or fails on the way.
    """
    places = {owner: place for owner in owners if (place := _place(family, owner, "")) is not None}
    try:
        wanted = {owner: place for owner, place in places.items() if store.look(place) is None}
        claims = {owner: store.claim(place) for owner, place in wanted.items()}
        answers = compute(list(claims)) if claims else {}
        READ_CACHE.labels(family.name, "computation").inc(len(answers))
        for owner, answer in answers.items():
            store.put(wanted[owner], claims[owner], answer)
    except redis.RedisError as error:
        _failed(family, error)
        return 0
    return len(answers)


def is_in_use() -> bool:
    """Whether this process may read and store; one that finds the cache closed for long enough opens it."""
    return _epoch() is not None


def _place(family: Family, owner: uuid.UUID, asked: str) -> Place | None:
    """Where the answer lies; None: this process is not to use the cache now."""
    if not settings.READ_CACHE or family.name not in settings.READ_CACHE_FAMILIES:
        return None
    if connections[DEFAULT_DB_ALIAS].in_atomic_block:  # what it sees is its own, and may be older than a stamp
        return None
    parts = [owner.hex, asked]
    if family.is_by_day:
        moment = now()
        today = business_day(moment)
        since_midnight = (moment - start_of_day(today)).total_seconds()
        if not CLOCKS_DIFFER_SECONDS <= since_midnight < SECONDS_OF_DAY - CLOCKS_DIFFER_SECONDS:
            return None
        parts.append(today.isoformat())
    epoch = _epoch()
    if epoch is None:
        return None
    key = key_of(epoch=epoch, family=family.name, what=blind_index("\0".join(parts), context=NAMESPACE).hex())
    return Place(key=key, tags=[user_tag(owner), *family.tags])


def _epoch() -> str | None:
    try:
        epoch = gate.epoch()
        if epoch is None and not gate.may_open:
            return None
        if not store.breaker.lets_through():
            return None
        is_suitable = store.is_suitable()  # asks Redis whenever it has failed: whoever tries need not say how it went
        store.breaker.went_well()
        if not is_suitable:
            return None
        if epoch is None:
            gate.open()
    except redis.RedisError as error:
        logger.warning("The read cache does not answer: %s", type(error).__name__)
        store.failed()
        return None
    except Error:  # whoever computes meets it too, and says so
        return None
    return epoch


def _somebodys(place: Place) -> bytes | None:
    """What somebody else is about to store, if that is soon."""
    deadline = time.monotonic() + POLLED_SECONDS
    while time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        found = store.look(place)
        if found is not None:
            return found
    return None


def _quietly(family: Family, do: Callable[[], None]) -> None:
    try:
        do()
    except redis.RedisError as error:
        _failed(family, error)


def _failed(family: Family, error: redis.RedisError) -> None:
    READ_CACHE.labels(family.name, "error").inc()
    if isinstance(error, redis.ResponseError) and not isinstance(error, redis.exceptions.ReadOnlyError):
        return  # it answers, and is full
    logger.warning("The read cache does not answer: %s", type(error).__name__)
    store.failed()


# Writers ------------------------------------------------------------------------------------------------------------
def user_tag(public_id: uuid.UUID) -> str:
    """A name for somebody that tells nobody who he is."""
    return f"user:{blind_index(str(public_id), context=NAMESPACE).hex()}"


def changed(*owners: uuid.UUID, names: bool = False, limits: bool = False, using: str = DEFAULT_DB_ALIAS) -> None:
    """Once this transaction has committed, have no answer to these customers be good that was read before.

    `names`: nor one that names one of them to somebody else; `limits`: nor one that tells anybody what his tier allows.
    Called after the statement where there is no transaction.

    :raises Unavailable: neither Redis nor PostgreSQL could be told, so nothing may be acknowledged, though it happened
    """
    tags = [*map(user_tag, owners), *([NAMES] if names else []), *([LIMITS] if limits else [])]
    if tags:
        transaction.on_commit(lambda: _tell(tags), using=using)


def forget() -> None:
    """Have no answer be good that was read before now: for whoever changes rows of many at once, by SQL of his own.

    :raises django.db.Error: the database cannot be told
    """
    gate.close()


def _tell(tags: list[str]) -> None:
    if gate.is_closed():
        return
    if settings.READ_CACHE:
        try:
            store.bump(tags)
        except redis.RedisError as error:
            READ_CACHE_BUMPS.labels("failed").inc()
            logger.warning("The read cache is closed, for it could not be told of a change: %s", type(error).__name__)
        else:
            READ_CACHE_BUMPS.labels("done").inc(len(tags))
            return
    try:
        gate.close()
    except Error as error:
        raise Unavailable from error
