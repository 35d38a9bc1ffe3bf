"""Numbers of one kind, taken several times."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Options:
    """What whoever measures may choose; `say` tells how far it is."""

    rounds: int
    seconds: int
    beside: str
    say: Callable[[str], None]


@dataclass(frozen=True)
class Series:
    """What was measured in each round, in `unit`."""

    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        return f"{self.median:,.2f} {self.unit} ({min(self.values):,.2f} to {max(self.values):,.2f})"


def ratio(first: Series, second: Series) -> Series:
    """Round by round, how many times `second` the `first` is."""
    return Series("times", [a / b for a, b in zip(first.values, second.values, strict=True)])


def in_turns(
    measures: Mapping[str, Callable[[], float]], options: Options, *, unit: str, settle: bool = False, what: str = ""
) -> dict[str, Series]:
    """Take every measure once a round, so that what else the machine does falls on all of them alike.

    `settle` takes one round first that does not count.
    """
    series = {name: Series(unit) for name in measures}
    for number in range(-1 if settle else 0, options.rounds):
        for name, measure in measures.items():
            value = measure()
            if number >= 0:
                series[name].values.append(value)
                options.say(f"round {number + 1} of {options.rounds}: {what}{name}: {value:,.2f} {unit}")
    return series


def milliseconds(work: Callable[[], Any], *, times: int = 1) -> float:
    """How long `work` takes on average, over `times` calls in a row."""
    begun = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - begun) * 1000 / times


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the others lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
