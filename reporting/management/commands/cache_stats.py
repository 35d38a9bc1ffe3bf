"""`cache_stats`: how the read cache does."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from mymoolah.common import metrics_folder
from mymoolah.common.clock import iso_utc
from reporting.cache_report import Report, report, state_in_words


class Command(BaseCommand):
    help = (
        "Say how the read cache does: whether anybody may use it and if not, why; hits, misses, bypasses, computations "
        "and errors of each kind of answer, as web, worker and beat of this machine have counted them; memory, keys and "
        "evictions as Redis says. Reads nobody's answer and changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, **options: Any) -> None:
        found = report(metrics_folder.counted_in(settings.METRICS_DIR))
        if options["json"]:
            self.stdout.write(json.dumps(_object(found), indent=2))
        elif options["verbosity"] > 0:
            self._print(found)

    def _print(self, found: Report) -> None:
        style = self.style.SUCCESS if found.is_open else self.style.WARNING
        self.stdout.write(style(state_in_words(found)))
        titles = ("hits", "misses", "bypasses", "computed", "errors")
        self.stdout.write("".join([f"{'':<10}", *(f"{title:>12}" for title in titles), f"{'of those asked':>16}"]))
        for one in found.families:
            share = "" if one.hit_share is None else f"{one.hit_share:.1%} hits"
            counts = "".join(f"{count:>12,}" for count in one.counts.values())
            self.stdout.write(f"{one.name:<10}{counts}{share:>16}{'' if one.is_kept else '  not kept'}")
        self.stdout.write(f"Told of {found.told_count:,} changes; closed for {found.not_told_count:,} that it was not.")
        if found.memory is not None:
            limit = f" of {found.memory.limit_bytes:,}" if found.memory.limit_bytes else ", without a limit"
            self.stdout.write(
                f"Redis holds {found.memory.keys_count:,} keys in {found.memory.used_bytes:,}{limit} bytes, "
                f"and has let {found.memory.evicted_count:,} go early."
            )


def _object(found: Report) -> dict[str, Any]:
    return {
        "is_on": found.is_on,
        "is_open": found.is_open,
        "objection": found.objection,
        "epoch": found.epoch,
        "opened_at": found.opened_at and iso_utc(found.opened_at),
        "closed_at": found.closed_at and iso_utc(found.closed_at),
        "families": {
            one.name: {
                "is_kept": one.is_kept,
                "hits": one.counts["hit"],
                "misses": one.counts["miss"],
                "bypasses": one.counts["bypass"],
                "computations": one.counts["computation"],
                "errors": one.counts["error"],
            }
            for one in found.families
        },
        "invalidations": found.told_count,
        "failed_invalidations": found.not_told_count,
        "memory": None
        if found.memory is None
        else {
            "used_bytes": found.memory.used_bytes,
            "limit_bytes": found.memory.limit_bytes,
            "keys": found.memory.keys_count,
            "evictions": found.memory.evicted_count,
        },
    }
