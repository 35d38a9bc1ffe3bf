"""How the caches do: Redis's own counters since the last report, or since it was started, and the read cache's.

Redis counts all that lies in it: rate limits, locks and the query log. What the read cache hits and misses is counted by
the processes of this machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django_redis import get_redis_connection
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from mymoolah.common import metrics_folder
from mymoolah.common.admin import shown
from reporting.cache_report import Report, report, state_in_words
from reporting.database_health.words import share, sized
from reporting.maintenance.findings import Facts, Finding, Level, Occasion, grade
from reporting.maintenance.thresholds import (
    CACHE_HITS_NOTICE_SHARE,
    CACHE_MEMORY_NOTICE_SHARE,
    CACHE_MEMORY_WARNING_SHARE,
    CACHE_READS_MIN,
    FAMILY_HITS_NOTICE_SHARE,
)

COUNTERS: Final = ("keyspace_hits", "keyspace_misses", "evicted_keys")


def look(occasion: Occasion) -> Iterator[Finding]:
    try:
        info = get_redis_connection("default").info()
    except (ConnectionInterrupted, RedisError) as error:
        yield Finding(
            level=Level.WARNING,
            title="Redis",
            found=f"does not answer ({type(error).__name__})",
            advice="Start it: until then sign-in and payments are refused.",
        )
        return
    yield from judge(info, occasion)
    yield from kept_answers(report(metrics_folder.counted_in(settings.METRICS_DIR)))


def kept_answers(found: Report) -> Iterator[Finding]:
    """What `cache_stats` tells means."""
    is_well = found.is_open or not found.is_on
    ill = Level.NOTICE if found.objection is None else Level.WARNING
    yield Finding(
        level=Level.OK if is_well else ill,
        title="Read cache",
        found=state_in_words(found),
        advice="" if is_well else "Customers are answered from PostgreSQL meanwhile. See docs/runbook.md.",
    )
    for family in found.families:
        looked_up = family.counts["hit"] + family.counts["miss"]
        if not family.is_kept or not looked_up:
            continue
        is_low = looked_up >= CACHE_READS_MIN and (family.hit_share or 0.0) < FAMILY_HITS_NOTICE_SHARE
        yield Finding(
            level=Level.NOTICE if is_low else Level.OK,
            title=f"Read cache: {family.name}",
            found=f"{family.counts['hit']:,} of {looked_up:,} answers were kept ones ({share(family.hit_share or 0.0)})",
            advice="Kept in vain: leave it out of MYMOOLAH_READ_CACHE_FAMILIES." if is_low else "",
            facts=dict(family.counts),
        )


def judge(info: Facts, occasion: Occasion) -> Iterator[Finding]:
    """What Redis's INFO means."""
    counted = {name: int(info[name]) for name in COUNTERS}
    before = occasion.before("Hits")
    # With another run id, or after CONFIG RESETSTAT, it counts from zero again.
    goes_on = before.get("run_id") == info["run_id"] and all(counted[name] >= before[name] for name in COUNTERS)
    since = f"since the report of {shown(occasion.earlier_at)}" if goes_on else "since Redis was started"
    new = {name: counted[name] - (before[name] if goes_on else 0) for name in COUNTERS}
    hits, reads = new["keyspace_hits"], new["keyspace_hits"] + new["keyspace_misses"]
    is_low = reads >= CACHE_READS_MIN and hits / reads < CACHE_HITS_NOTICE_SHARE
    yield Finding(
        level=Level.NOTICE if is_low else Level.OK,
        title="Hits",
        found=f"{hits:,} of {reads:,} reads of a key found it ({share(hits / reads)}), {since}"
        if reads
        else f"nothing was read {since}",
        advice="See which keys are asked for in vain; what is never found had better not be asked for."
        if is_low
        else "",
        facts={**counted, "run_id": info["run_id"]},
    )
    evicted = new["evicted_keys"]
    yield Finding(
        level=Level.NOTICE if evicted else Level.OK,
        title="Evictions",
        found=f"{evicted:,} keys gave way to others, {since}",
        advice="Raise Redis's maxmemory: counters of rate limits give way like all else." if evicted else "",
    )
    yield memory(int(info["used_memory"]), int(info["maxmemory"]))


def memory(used_bytes: int, allowed_bytes: int) -> Finding:
    if not allowed_bytes:
        return Finding(level=Level.OK, title="Memory", found=f"{sized(used_bytes)} are used, without a limit")
    used_share = used_bytes / allowed_bytes
    level = grade(used_share, notice=CACHE_MEMORY_NOTICE_SHARE, warning=CACHE_MEMORY_WARNING_SHARE)
    return Finding(
        level=level,
        title="Memory",
        found=f"{sized(used_bytes)} of {sized(allowed_bytes)} are used ({share(used_share)})",
        advice=""
        if level == Level.OK
        else "Raise Redis's maxmemory, and look at the queue: nobody may be emptying it.",
    )
