"""What a finding is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mymoolah.common import sql

Row = Mapping[str, Any]


class Severity(StrEnum):
    CRITICAL = "critical"
    """Money or the whole bank is at risk if nobody acts today."""
    LOOK = "look"
    """Somebody should look, in working hours."""
    UNKNOWN = "unknown"
    """Could not be read, so nobody knows."""
    WELL = "well"

    @property
    def rank(self) -> int:
        """0 is the gravest."""
        return list(Severity).index(self)


def worst(*severities: Severity) -> Severity:
    return min(severities, key=lambda severity: severity.rank)


def grade(value: float, *, look: float, critical: float) -> Severity:
    return Severity.CRITICAL if value >= critical else Severity.LOOK if value >= look else Severity.WELL


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was seen: what it is about, what was seen of it, and one sentence on what to do."""

    severity: Severity
    subject: str
    says: str
    advice: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Server:
    """Which server answers, and what this role may read of it."""

    database: str
    version: str
    is_standby: bool
    reads_all_sessions: bool
    has_statements: bool
    started_at: dt.datetime
    counted_since: dt.datetime
    counted_days: float


Judge = Callable[[Sequence[Row], Server], Iterable[Finding]]
Need = Callable[[Server], Finding | None]
"""What keeps a check from being asked at all, told in a finding."""


def nothing(_: Server) -> None:
    """Any role may ask."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A query, and what its rows mean; `well` is said where they mean nothing."""

    name: str
    title: str
    judge: Judge
    well: str = ""
    need: Need = nothing
    query: str = ""

    @property
    def statement(self) -> str:
        return self.query or sql.read("reporting", f"health/{self.name}.sql")


@dataclass(frozen=True, kw_only=True)
class Section:
    """What one check found, the gravest first; never nothing."""

    name: str
    title: str
    findings: Sequence[Finding]
    seconds: float

    @property
    def severity(self) -> Severity:
        return worst(*(finding.severity for finding in self.findings))
