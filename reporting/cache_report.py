"""How the read cache does: what was counted of it, what Redis says of itself, and whether anybody may use it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import redis
from django.conf import settings
from prometheus_client import Metric

from mymoolah.common import read_cache
from mymoolah.common.read_cache import storage
from mymoolah.common.sql.queries import rows

OUTCOMES: Final = ("hit", "miss", "bypass", "computation", "error")


@dataclass(frozen=True, kw_only=True)
class FamilyCounts:
    """How answers of one kind came about."""

    name: str
    is_kept: bool
    counts: Mapping[str, int]

    @property
    def hit_share(self) -> float | None:
        """Of all that were looked for; None: none was."""
        looked_for = self.counts["hit"] + self.counts["miss"]
        return self.counts["hit"] / looked_for if looked_for else None


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What Redis says of itself; a limit of 0 is none."""

    used_bytes: int
    limit_bytes: int
    evicted_count: int
    keys_count: int


@dataclass(frozen=True, kw_only=True)
class Report:
    is_on: bool
    is_closed: bool
    epoch: int
    opened_at: dt.datetime | None
    closed_at: dt.datetime | None
    families: tuple[FamilyCounts, ...]
    told_count: int = 0
    not_told_count: int = 0
    memory: Memory | None = None
    objection: str | None = None
    """Why Redis is not used: what it says of itself, or that it does not answer."""

    @property
    def is_open(self) -> bool:
        return self.is_on and not self.is_closed and self.objection is None


def state_in_words(found: Report) -> str:
    """Whether answers are kept, and if not, why."""
    if not found.is_on:
        return "The read cache is switched off (MYMOOLAH_READ_CACHE)."
    if found.objection is not None:
        return f"The read cache is not used: {found.objection}."
    if found.is_closed:
        return (
            "The read cache is closed: a writer could not tell Redis of a change, or a migration or a load began it "
            "anew. Who reads a dashboard opens it, some seconds later."
        )
    return "The read cache is in use."


def report(metrics: Iterable[Metric]) -> Report:
    """One query, and a few short questions to Redis. `metrics`: where what was counted is found, among all else."""
    [gate] = rows("reporting", "read_cache.sql")
    counted = _counted(metrics)
    families = tuple(
        FamilyCounts(
            name=one.name,
            is_kept=settings.READ_CACHE and one.name in settings.READ_CACHE_FAMILIES,
            counts={outcome: counted.get((one.name, outcome), 0) for outcome in OUTCOMES},
        )
        for one in read_cache.FAMILIES
    )
    memory, objection = None, None
    try:
        objection = storage.objection_to(storage.client())
        memory = memory_of(storage.client())
    except redis.RedisError:
        objection = "Redis does not answer"
    return Report(
        is_on=settings.READ_CACHE,
        **gate,
        families=families,
        told_count=counted.get(("", "done"), 0),
        not_told_count=counted.get(("", "failed"), 0),
        memory=memory,
        objection=objection,
    )


def memory_of(client: storage.Client) -> Memory:
    """:raises redis.exceptions.RedisError: it cannot be asked"""
    memory: dict[str, Any] = client.info("memory")
    stats: dict[str, Any] = client.info("stats")
    return Memory(
        used_bytes=int(memory["used_memory"]),
        limit_bytes=int(memory["maxmemory"]),
        evicted_count=int(stats["evicted_keys"]),
        keys_count=int(client.dbsize()),
    )


def _counted(metrics: Iterable[Metric]) -> dict[tuple[str, str], int]:
    """By family and outcome; what was told of changes has no family."""
    return {
        (sample.labels.get("family", ""), sample.labels["outcome"]): int(sample.value)
        for metric in metrics
        if metric.name in {"mymoolah_read_cache", "mymoolah_read_cache_invalidations"}
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
