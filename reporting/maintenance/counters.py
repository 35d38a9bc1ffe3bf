"""What the processes of this machine have counted, in the folder of their metrics, beside how far they were last time.

Counters begin anew when all processes of a program were restarted; so each report keeps how far they were, for the next one
to go on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import Metric

from mymoolah.common.admin import shown
from reporting.maintenance.findings import Facts, Occasion


def totals(metrics: Iterable[Metric], name: str, *labels: str) -> dict[str, int]:
    """The counter `name` added up by some of its labels: `success reporting.take_days` → 12."""
    found: Counter[str] = Counter()
    for metric in metrics:
        for sample in metric.samples:
            if sample.name == name:
                found[" ".join(sample.labels[label] for label in labels)] += int(sample.value)
    return dict(found)


def since_then(totals: Mapping[str, int], occasion: Occasion, title: str) -> tuple[dict[str, int], str]:
    """What was counted since the last report whose finding of this title kept `facts_of` it, and since when that is."""
    before = occasion.before(title).get("totals", {})
    if before and all(totals.get(name, 0) >= count for name, count in before.items()):
        new = {name: count - before.get(name, 0) for name, count in totals.items()}
        return new, f"since the report of {shown(occasion.earlier_at)}"
    return dict(totals), "since the processes of this machine began to count"


def facts_of(totals: Mapping[str, int]) -> Facts:
    """What a finding keeps for `since_then`."""
    return {"totals": dict(totals)}
