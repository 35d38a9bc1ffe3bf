"""`db_health`: ask PostgreSQL how it is."""

from __future__ import annotations

import json
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from mymoolah.common.clock import iso_utc, now
from reporting.database_health import CHECKS, Examination, Finding, Section, Severity, examine

WORDS: Final = {
    Severity.CRITICAL: "CRITICAL",
    Severity.LOOK: "LOOK",
    Severity.UNKNOWN: "unknown",
    Severity.WELL: "well",
}


class Command(BaseCommand):
    help = (
        "Ask PostgreSQL's own statistics how the database is: sessions, locks, replication, upkeep, slow statements, "
        "tables and indexes; each finding with its severity and what to do about it. Reads no customer's row, shows no "
        "statement as another session sent it, and changes nothing. Exits 1 if a finding is critical. Ends by itself in "
        "seconds, whatever the database is busy with."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a list")
        parser.add_argument(
            "--database",
            choices=list(connections),
            default=DEFAULT_DB_ALIAS,
            help="which of the settings' databases to ask (default: %(default)s)",
        )

    def handle(self, **options: Any) -> None:
        examination = examine(CHECKS, now=now(), using=options["database"])
        if options["json"]:
            self.stdout.write(json.dumps(_object(examination), indent=2, default=str))
        elif options["verbosity"] > 0:
            self._print(examination)
        critical = [one for section in examination.sections for one in section.findings if _is_critical(one)]
        if critical:
            raise CommandError("\n".join(f"{one.subject}: {one.says}" for one in critical))

    def _print(self, examination: Examination) -> None:
        server = examination.server
        self.stdout.write(
            f"{server.database}, PostgreSQL {server.version}{', a standby' if server.is_standby else ''}; "
            f"counted since {iso_utc(server.counted_since)}"
        )
        for section in examination.sections:
            for finding in section.findings:
                self.stdout.write(self._style(finding.severity)(_line(section, finding)))
                if finding.advice:
                    self.stdout.write(f"{'':9}  → {finding.advice}")
        told = ", ".join(f"{count} {WORDS[severity].lower()}" for severity, count in examination.counts.items())
        self.stdout.write(f"{told} ({examination.seconds:.1f} s).")

    def _style(self, severity: Severity) -> Any:
        styles = {Severity.CRITICAL: self.style.ERROR, Severity.LOOK: self.style.WARNING}
        return styles.get(severity, lambda line: line)


def _is_critical(finding: Finding) -> bool:
    return finding.severity == Severity.CRITICAL


def _line(section: Section, finding: Finding) -> str:
    about = "" if finding.subject == section.title else f"{finding.subject}: "
    return f"{WORDS[finding.severity]:<9}  {section.title}: {about}{finding.says}"


def _object(examination: Examination) -> dict[str, Any]:
    server = examination.server
    return {
        "severity": examination.severity,
        "database": server.database,
        "version": server.version,
        "is_standby": server.is_standby,
        "counted_since": iso_utc(server.counted_since),
        "seconds": round(examination.seconds, 3),
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "severity": section.severity,
                "seconds": round(section.seconds, 3),
                "findings": [
                    {
                        "severity": one.severity,
                        "subject": one.subject,
                        "says": one.says,
                        "advice": one.advice,
                        "facts": dict(one.facts),
                    }
                    for one in section.findings
                ],
            }
            for section in examination.sections
        ],
    }
