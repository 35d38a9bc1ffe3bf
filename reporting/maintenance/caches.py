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
from reporting.cache_report import FamilyCounts, Report, report, state_in_words
from reporting.database_health.words import share, sized
from reporting.maintenance.counters import facts_of, since_then
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
    yield from kept_answers(report(metrics_folder.counted_in(settings.METRICS_DIR)), occasion)


def kept_answers(found: Report, occasion: Occasion) -> Iterator[Finding]:
    """What `cache_stats` tells means."""
    is_well = found.is_open or not found.is_on
    ill = Level.NOTICE if found.objection is None else Level.WARNING
    yield Finding(
        level=Level.OK if is_well else ill,
        title="Read cache",
        found=state_in_words(found),
        advice="" if is_well else "Customers are answered from PostgreSQL meanwhile. See docs/runbook.md.",
    )
    yield from (family_hits(family, occasion) for family in found.families if family.is_kept)


def family_hits(family: FamilyCounts, occasion: Occasion) -> Finding:
    title = f"Read cache: {family.name}"
    new, since = since_then(family.counts, occasion, title)
    hits, asked = new["hit"], new["hit"] + new["miss"]
    is_low = asked >= CACHE_READS_MIN and hits / asked < FAMILY_HITS_NOTICE_SHARE
    return Finding(
        level=Level.NOTICE if is_low else Level.OK,
        title=title,
        found=f"{hits:,} of {asked:,} answers were kept ones ({share(hits / asked)}), {since}"
        if asked
        else f"no answer was looked for {since}",
        advice="Kept in vain: leave it out of MYMOOLAH_READ_CACHE_FAMILIES." if is_low else "",
        facts=facts_of(family.counts),
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
