"""Indexes that cost without serving. None that a rule stands on is ever named: not unique ones, not a constraint's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reporting.database_health.findings import Check, Finding, Row, Server, Severity
from reporting.database_health.thresholds import IDLE_INDEX_BYTES, UNUSED_INDEX_DAYS
from reporting.database_health.words import counted, sized


def unused(rows: Sequence[Row], server: Server) -> Iterator[Finding]:
    large = [row for row in rows if row["bytes"] >= IDLE_INDEX_BYTES]
    if large and server.counted_days < UNUSED_INDEX_DAYS:
        yield Finding(
            severity=Severity.WELL,
            subject=counted(len(large), "index", "indexes"),
            says=f"not used in the {counted(int(server.counted_days), 'day')} that were counted so far; ask again after "
            f"{UNUSED_INDEX_DAYS}",
            facts={"indexes": [row["index_name"] for row in large]},
        )
        return
    for row in large:
        key = "; it begins with a foreign key, so deleting what that names would read all of it"
        yield Finding(
            severity=Severity.LOOK,
            subject=row["index_name"],
            says=f"{sized(row['bytes'])} on {row['table_name']}, never used in {counted(int(server.counted_days), 'day')}",
            advice="See that no standby uses it (db_health --database there), then drop it CONCURRENTLY in a migration"
            f"{key if row['leads_with_a_key'] else ''}.",
            facts=row,
        )


def redundant(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    small = [row for row in rows if row["bytes"] < IDLE_INDEX_BYTES]
    if small:
        yield Finding(
            severity=Severity.WELL,
            subject=counted(len(small), "small index", "small indexes"),
            says=f"{', '.join(row['index_name'] for row in small)}: another answers all that they answer, and they cost little",
            facts={"indexes": {row["index_name"]: row["other_name"] for row in small}},
        )
    for row in rows:
        if row in small:
            continue
        yield Finding(
            severity=Severity.LOOK,
            subject=row["index_name"],
            says=f"{sized(row['bytes'])} on {row['table_name']}: {row['other_name']} answers all that it answers",
            advice="Drop it CONCURRENTLY in a migration, and look at the plans of what used it (manage.py explain).",
            facts=row,
        )


def invalid(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    for row in rows:
        if row["is_being_built"]:
            yield Finding(
                severity=Severity.WELL,
                subject=row["index_name"],
                says=f"is being built on {row['table_name']}",
                facts=row,
            )
            continue
        yield Finding(
            severity=Severity.CRITICAL if row["is_unique"] else Severity.LOOK,
            subject=row["index_name"],
            says=f"on {row['table_name']} was not built to its end"
            f"{', so what it shall keep unique may not be' if row['is_unique'] else ''}",
            advice="Drop it CONCURRENTLY and run its migration again; if it was REINDEX that failed, REINDEX CONCURRENTLY.",
            facts=row,
        )


CHECKS: Final = (
    Check(name="invalid_indexes", title="Invalid indexes", judge=invalid, well="none"),
    Check(name="redundant_indexes", title="Redundant indexes", judge=redundant, well="none"),
    Check(name="unused_indexes", title="Unused indexes", judge=unused, well="none that is worth dropping"),
)
