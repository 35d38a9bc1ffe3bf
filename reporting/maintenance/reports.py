"""Running the sections of a kind, and keeping what they found: one report of each day, week and month."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction

from mymoolah.common.clock import business_day
from mymoolah.common.errors import DomainError
from mymoolah.common.retries import sqlstate
from reporting.maintenance import SECTIONS, mail
from reporting.maintenance.findings import Finding, Level, Occasion, Section
from reporting.models import MaintenanceReport

logger = logging.getLogger(__name__)

Kind = MaintenanceReport.Kind
LOCK_KEYS: Final = {Kind.DAILY: 6250161, Kind.WEEKLY: 6250162, Kind.MONTHLY: 6250163}  # of the advisory locks
FAILED: Final = "Could not look"


class MaintenanceUnderWay(DomainError):
    code, status, title = "maintenance_under_way", 409, "This maintenance is under way"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    report: MaintenanceReport
    is_new: bool


def period_of(kind: Kind, *, now: dt.datetime) -> dt.date:
    """The first day of the Johannesburg day, week (from Monday) or month that `now` is in."""
    today = business_day(now)
    if kind == Kind.WEEKLY:
        return today - dt.timedelta(days=today.weekday())
    return today.replace(day=1) if kind == Kind.MONTHLY else today


def run(kind: Kind, *, now: dt.datetime, again: bool = False, sections: Sequence[Section] | None = None) -> Outcome:
    """Look at everything of a kind, keep the report of this period, and mail it; if there is one already, that is it.

    A section that fails is a finding of its own and keeps none of the others back. `again` makes another report of a
    period that has one, and leaves the first as it is. `sections` are all of the kind, unless some are named.

    :raises MaintenanceUnderWay: somebody else is at it; nothing was done
    """
    begins_on, begun = period_of(kind, now=now), time.monotonic()
    with alone(LOCK_KEYS[kind]):
        before = MaintenanceReport.objects.filter(kind=kind, begins_on=begins_on).order_by("-attempt").first()
        if before is not None and not again:
            return Outcome(report=before, is_new=False)
        findings = list(_look(kind, SECTIONS[kind] if sections is None else sections, now))
        findings.append(("mail", "Mail", mail.told(settings.OPERATORS_MAIL)))
        levels = [finding.level for _, _, finding in findings]
        with transaction.atomic():
            report = MaintenanceReport.objects.create(
                kind=kind,
                begins_on=begins_on,
                attempt=1 if before is None else before.attempt + 1,
                started_at=now,
                ended_at=now + dt.timedelta(seconds=time.monotonic() - begun),
                warnings_count=levels.count(Level.WARNING),
                notices_count=levels.count(Level.NOTICE),
                failed=[name for name, _, finding in findings if finding.title == FAILED],
                findings=[_object(*found) for found in findings],
            )
            mail.send(report, to=settings.OPERATORS_MAIL)
    return Outcome(report=report, is_new=True)


@contextmanager
def alone(key: int) -> Iterator[None]:
    """Hold an advisory lock while sections have their own transactions: in one of another connection, which does nothing.

    Locks of a session would outlive it behind PgBouncer. An idle transaction that has read no table keeps vacuum from
    nothing; it ends with this process.

    :raises MaintenanceUnderWay: somebody else holds it
    """
    guard = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        guard.set_autocommit(False)
        with guard.cursor() as cursor:
            cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
            if cursor.fetchone() == (False,):
                raise MaintenanceUnderWay
        yield
    finally:
        if guard.is_usable():
            guard.rollback()  # now, and not whenever PostgreSQL hears that the connection was closed
        guard.close()


def _look(kind: Kind, sections: Sequence[Section], now: dt.datetime) -> Iterator[tuple[str, str, Finding]]:
    for section in sections:
        try:
            for finding in section.look(_occasion(kind, section, now)):
                yield section.name, section.title, finding
        except Exception as error:  # whatever it is, the other sections are worth as much
            logger.exception("The section %s of maintenance failed", section.name)
            yield section.name, section.title, _failed(error)


def _failed(error: Exception) -> Finding:
    """What the report says of an error: its kind. Its own words may hold somebody's values, and stand in the log."""
    code = error.code if isinstance(error, DomainError) else sqlstate(error) if isinstance(error, Error) else None
    return Finding(
        level=Level.WARNING,
        title=FAILED,
        found=f"{type(error).__name__}{f' ({code})' if code else ''}; what it had found by then stands here",
        advice="See the log of this moment, then run manage.py maintenance again with --again.",
    )


def _occasion(kind: Kind, section: Section, now: dt.datetime) -> Occasion:
    """With the facts of the last report in which the section could look: one that failed may have kept none."""
    could_look = MaintenanceReport.objects.filter(kind=kind).exclude(failed__contains=[section.name])
    earlier = could_look.order_by("-begins_on", "-attempt").first()
    if earlier is None:
        return Occasion(now=now)
    facts = {one["title"]: one["facts"] for one in earlier.findings if one["section"] == section.name and one["facts"]}
    return Occasion(now=now, earlier=facts, earlier_at=earlier.started_at)


def _object(name: str, title: str, finding: Finding) -> dict[str, Any]:
    return {
        "section": name,
        "section_title": title,
        "level": finding.level,
        "title": finding.title,
        "found": finding.found,
        "advice": finding.advice,
        "facts": dict(finding.facts),
    }
