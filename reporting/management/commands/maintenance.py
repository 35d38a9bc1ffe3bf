"""`maintenance daily|weekly|monthly`: look at what has to be looked at, and keep the report."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mymoolah.common.clock import iso_utc, now
from reporting.maintenance import SECTIONS, Level
from reporting.maintenance.mail import verdict
from reporting.maintenance.reports import Kind, MaintenanceUnderWay, run
from reporting.models import MaintenanceReport


class Command(BaseCommand):
    help = (
        "Look at what has to be looked at every day, week or month, keep the report for the back-office (Maintenance), "
        "and have it mailed to MYMOOLAH_OPERATORS_MAIL. "
        + " ".join(f"{kind}: {', '.join(one.title.lower() for one in SECTIONS[kind])}." for kind in Kind)
        + " It changes little: the daily one verifies what changed in the ledger if nobody has today, the weekly one runs "
        "ANALYZE, the monthly one forgets devices that were signed out a year ago. A period has one report: a second "
        "run shows that one and does nothing, so beat and people may both ask. With --again another report is added, and "
        "the first stays. Exits 1 if a section could not look, or while somebody else is at it; what sections find is in "
        "the report, and is no failure."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=[str(kind) for kind in Kind])
        parser.add_argument("--again", action="store_true", help="look anew although this period has a report")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a list")

    def handle(self, **options: Any) -> None:
        try:
            outcome = run(Kind(options["kind"]), now=now(), again=options["again"])
        except MaintenanceUnderWay as refusal:
            raise CommandError(f"{refusal}; nothing was done.") from refusal
        report = outcome.report
        if options["json"]:
            self.stdout.write(json.dumps(_object(report, is_new=outcome.is_new), indent=2))
        elif options["verbosity"] > 0:
            self._print(report, is_new=outcome.is_new)
        if report.failed:
            raise CommandError(f"Could not look: {', '.join(report.failed)}. The log says why.")

    def _print(self, report: MaintenanceReport, *, is_new: bool) -> None:
        if not is_new:
            self.stdout.write(f"There is a report of {iso_utc(report.started_at)} already; --again makes another.")
        styles = {Level.WARNING: self.style.ERROR, Level.NOTICE: self.style.WARNING}
        for title, findings in groupby(report.findings, key=lambda one: one["section_title"]):
            self.stdout.write(f"{title}:")
            for one in findings:
                style = styles.get(one["level"], str)
                self.stdout.write(style(f"  {one['level']:<7}  {one['title']}: {one['found']}"))
                if one["advice"]:
                    self.stdout.write(f"{'':11}→ {one['advice']}")
        seconds = (report.ended_at - report.started_at).total_seconds()
        self.stdout.write(f"{str(report).capitalize()}: {verdict(report)} ({seconds:.1f} s).")


def _object(report: MaintenanceReport, *, is_new: bool) -> dict[str, Any]:
    return {
        "kind": report.kind,
        "begins_on": report.begins_on.isoformat(),
        "attempt": report.attempt,
        "is_new": is_new,
        "started_at": iso_utc(report.started_at),
        "ended_at": iso_utc(report.ended_at),
        "warnings": report.warnings_count,
        "notices": report.notices_count,
        "failed": report.failed,
        "findings": report.findings,
    }
