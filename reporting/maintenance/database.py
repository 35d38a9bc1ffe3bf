"""What `db_health` finds, as part of a report: whatever is not well, and a word that the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reporting.database_health import CHECKS, Check, Severity, examine, indexes, statements
from reporting.database_health.words import counted
from reporting.maintenance.findings import Finding, Level, Occasion

LEVELS: Final = {
    Severity.CRITICAL: Level.WARNING,
    Severity.LOOK: Level.NOTICE,
    Severity.UNKNOWN: Level.NOTICE,
    Severity.WELL: Level.OK,
}


def look(occasion: Occasion) -> Iterator[Finding]:
    """A summary: all checks, told one by one where something is to be done."""
    yield from _summary(occasion, CHECKS)


def look_at_indexes(occasion: Occasion) -> Iterator[Finding]:
    yield from _summary(occasion, indexes.CHECKS)


def look_at_statements(occasion: Occasion) -> Iterator[Finding]:
    """Whatever the check says, what is well too: what took most time is worth knowing every week."""
    for section in examine(statements.CHECKS, now=occasion.now).sections:
        for one in section.findings:
            yield Finding(level=LEVELS[one.severity], title=one.subject, found=one.says, advice=one.advice)


def _summary(occasion: Occasion, checks: Sequence[Check]) -> Iterator[Finding]:
    sections = examine(checks, now=occasion.now).sections
    for section in sections:
        for one in section.findings:
            if one.severity != Severity.WELL:
                about = section.title if one.subject == section.title else f"{section.title}: {one.subject}"
                yield Finding(level=LEVELS[one.severity], title=about, found=one.says, advice=one.advice)
    well = [section.title for section in sections if section.severity == Severity.WELL]
    yield Finding(
        level=Level.OK,
        title="Well",
        found=f"{counted(len(well), 'check')} of {len(sections)}{': ' if well else ''}{', '.join(well)}",
    )
