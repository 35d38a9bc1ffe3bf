"""What a run under load tells."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from reporting.benchmarks.series import percentile

LIMIT_MS = 250.0
ARRIVAL_SECONDS = 10.0
RECOVERY_SECONDS = 30.0
RIGHT = {200, 201, 409}  # a refusal for want of money or limits is a right answer


class Answer(NamedTuple):
    """As `locustfile.py` writes it down."""

    asked_at: float  # seconds since 1970
    ms: float
    what: str
    status: int  # 0 where there was none
    code: str  # of a refusal

    @property
    def is_right(self) -> bool:
        return self.status in RIGHT

    @property
    def ended_at(self) -> float:
        return self.asked_at + self.ms / 1000


@dataclass
class Run:
    """What Locust saw, in one run at one rate."""

    rate: int
    seconds: float
    answers: list[Answer]
    orders: list[dict[str, Any]]
    cpu_seconds: dict[str, float]
    kept: dict[str, int]
    """How often each kind of answer was found in the cache, or was not."""
    killed_at: float | None = None  # seconds since 1970

    @cached_property
    def steady(self) -> list[Answer]:
        """Without the seconds in which customers were still arriving."""
        arrived = min(answer.asked_at for answer in self.answers) + ARRIVAL_SECONDS
        return [answer for answer in self.answers if answer.asked_at >= arrived]

    @property
    def failed(self) -> int:
        return sum(not answer.is_right for answer in self.steady)

    @property
    def p99(self) -> float:
        return percentile([answer.ms for answer in self.steady], 0.99)

    @property
    def answered_a_second(self) -> float:
        times = [answer.asked_at for answer in self.steady]
        return len(times) / (max(times) - min(times))

    @property
    def is_borne(self) -> bool:
        """At the rate that was meant, in time, and without an error."""
        return self.p99 < LIMIT_MS and self.failed == 0 and self.answered_a_second > 0.95 * self.rate


def figures(run: Run) -> dict[str, Any]:
    """What is told of the long run."""
    steady, kinds = run.steady, defaultdict(list)
    for answer in steady:
        kinds[answer.what].append(answer.ms)
    told: dict[str, Any] = {
        "rate": run.rate,
        "answered a second": round(run.answered_a_second, 1),
        "answers": len(steady),
        "failed": run.failed,
        "ms": _spread([answer.ms for answer in steady]),
        "ms by kind": {name: _spread(times) for name, times in sorted(kinds.items())},
        "statuses": dict(Counter(f"{answer.status} {answer.code}".strip() for answer in steady)),
        "answers kept": run.kept,
        "CPU seconds": {name: round(used, 1) for name, used in run.cpu_seconds.items()},
        "share of both cores": {
            name: round(used / run.seconds / (os.cpu_count() or 1), 3) for name, used in run.cpu_seconds.items()
        },
    }
    if run.killed_at is not None:
        wrong = [answer.ended_at - run.killed_at for answer in steady if answer.status == 0 or answer.status >= 500]
        told["last failure, seconds after the kill"] = round(max(wrong), 1) if wrong else None
        calm = [
            answer.ms
            for answer in steady
            if answer.ended_at < run.killed_at or answer.asked_at > run.killed_at + RECOVERY_SECONDS
        ]
        told["ms, without the 30 seconds after the kill"] = _spread(calm)
    return told


def _spread(times: Sequence[float]) -> dict[str, float]:
    return {
        "many": len(times),
        **{f"p{share:g}": round(percentile(times, share / 100), 1) for share in (50, 90, 99)},
        "most": round(max(times), 1),
    }
