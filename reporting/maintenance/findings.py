"""What a finding of maintenance is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Facts = Mapping[str, Any]


class Level(StrEnum):
    WARNING = "warning"
    """Somebody has to act, or a section could not look."""
    NOTICE = "notice"
    """Worth a look in working hours."""
    OK = "ok"


def grade(value: float, *, notice: float, warning: float) -> Level:
    return Level.WARNING if value >= warning else Level.NOTICE if value >= notice else Level.OK


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at: what was found of it, and a sentence on what to do.

    It is read in mails and kept for good: of people it names colleagues alone, by their user names, and nobody else.
    """

    level: Level
    title: str
    found: str
    advice: str = ""
    facts: Facts = field(default_factory=dict)
    """Figures for the next report of the kind to compare with."""


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """When a section looks, and the facts that its last report of the same kind kept, by their finding's title."""

    now: dt.datetime
    earlier: Mapping[str, Facts] = field(default_factory=dict)
    earlier_at: dt.datetime | None = None

    def before(self, title: str) -> Facts:
        return self.earlier.get(title, {})


@dataclass(frozen=True, kw_only=True)
class Section:
    name: str
    title: str
    look: Callable[[Occasion], Iterable[Finding]]
