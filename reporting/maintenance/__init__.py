"""Maintenance: what is looked at, and seen to, every day, week and month, and the report of it.

`findings` says what a finding is, `thresholds` from when on it is worth a word and why, `reports` runs the sections of a
kind and keeps what they found. Each section is a module: a function that looks, and yields findings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reporting.maintenance import (
    analyzing,
    caches,
    database,
    errors,
    growth,
    ledger,
    old_records,
    queries,
    security,
    speed,
)
from reporting.maintenance.findings import Finding, Level, Occasion, Section
from reporting.models import MaintenanceReport

__all__ = ["SECTIONS", "Finding", "Level", "Occasion", "Section"]

SECTIONS: Final[Mapping[MaintenanceReport.Kind, Sequence[Section]]] = {
    MaintenanceReport.Kind.DAILY: (
        Section(name="cache", title="Cache", look=caches.look),
        Section(name="database", title="Database", look=database.look),
        Section(name="errors", title="Errors", look=errors.look),
        Section(name="ledger", title="Ledger", look=ledger.look_at_changes),
    ),
    MaintenanceReport.Kind.WEEKLY: (
        Section(name="queries", title="Query times", look=queries.look),
        Section(name="statements", title="Statements", look=database.look_at_statements),
        Section(name="statistics", title="Statistics of tables", look=analyzing.look),
        Section(name="indexes", title="Indexes", look=database.look_at_indexes),
        Section(name="ledger", title="Ledger", look=ledger.look_at_everything),
    ),
    MaintenanceReport.Kind.MONTHLY: (
        Section(name="speed", title="Speed", look=speed.look),
        Section(name="growth", title="Capacity", look=growth.look),
        Section(name="security", title="Security review", look=security.look),
        Section(name="old_records", title="Old records", look=old_records.look),
    ),
}
