"""How the database is, asked of PostgreSQL's own statistics: what was found, how grave it is, what to do about it.

`findings` says what a finding is, `thresholds` what is called grave and why, `examining` asks within its time. Each check
is a query of `reporting/sql/health` and a function that judges its rows; the functions stand in modules by subject.
"""

from __future__ import annotations

from typing import Final

from reporting.database_health import indexes, replication, sessions, statements, tables, upkeep
from reporting.database_health.examining import Examination, examine
from reporting.database_health.findings import Check, Finding, Section, Severity

__all__ = ["CHECKS", "Check", "Examination", "Finding", "Section", "Severity", "examine"]

CHECKS: Final = (
    *sessions.CHECKS,
    *replication.CHECKS,
    *upkeep.CHECKS,
    *statements.CHECKS,
    *tables.CHECKS,
    *indexes.CHECKS,
)
