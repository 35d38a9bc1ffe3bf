"""How tables are read and how they grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reporting.database_health.findings import Check, Finding, Row, Server, Severity
from reporting.database_health.thresholds import (
    GROWTH_DAYS,
    GROWTH_LOOK_BYTES,
    GROWTH_LOOK_SHARE,
    HIT_BLOCKS_MIN,
    INDEX_HIT_LOOK_SHARE,
    LARGE_TABLE_ROWS,
    READS_PER_REFRESH,
    TABLE_HIT_LOOK_SHARE,
    WHOLE_READS_PER_DAY,
)
from reporting.database_health.words import counted, share, sized

SHOWN_TABLES: Final = 10


def sequential_scans(rows: Sequence[Row], server: Server) -> Iterator[Finding]:
    days = max(server.counted_days, 1)
    for row in rows:
        if row["rows_count"] < LARGE_TABLE_ROWS:
            continue
        meant = row["refreshes_per_day"] * READS_PER_REFRESH
        reads_per_day = row["rows_read"] / row["rows_count"] / days
        if reads_per_day - meant > WHOLE_READS_PER_DAY:
            yield Finding(
                severity=Severity.LOOK,
                subject=row["table_name"],
                says=f"its {row['rows_count']:,} rows ({sized(row['bytes'])}) were read from end to end {reads_per_day:,.0f} "
                f"times a day, {meant:,.0f} of them for the overview",
                advice="Find the statement under slow statements, and give it an index or a WHERE that an index answers.",
                facts={**row, "whole_reads_per_day": round(reads_per_day, 1)},
            )


def hit_rates(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    if not rows:
        return
    kinds = (
        ("Tables", "table", "all_table", TABLE_HIT_LOOK_SHARE),
        ("Indexes", "index", "all_index", INDEX_HIT_LOOK_SHARE),
    )
    for subject, one, every, look in kinds:
        hits, reads = int(rows[0][f"{every}_hits"]), int(rows[0][f"{every}_reads"])
        worst = max(rows, key=lambda row: int(row[f"{one}_reads"]))
        if hits + reads < HIT_BLOCKS_MIN:
            yield Finding(severity=Severity.WELL, subject=subject, says="too little was read yet to tell")
            continue
        rate = hits / (hits + reads)
        is_low = rate < look
        yield Finding(
            severity=Severity.LOOK if is_low else Severity.WELL,
            subject=subject,
            says=f"{share(rate)} of blocks were found in PostgreSQL's memory; most were missed of {worst['table_name']}",
            advice="Give shared_buffers up to a quarter of the machine's memory, then more memory; first see that no statement "
            "reads what it need not."
            if is_low
            else "",
            facts={"hits": hits, "reads": reads, "hit_share": round(rate, 4), "most_missed": worst["table_name"]},
        )


def sizes(rows: Sequence[Row], _: Server) -> Iterator[Finding]:
    if rows:
        yield Finding(
            severity=Severity.WELL,
            subject="The database",
            says=f"{sized(rows[0]['database_bytes'])}, of which tables and indexes "
            f"{sized(sum(row['bytes'] for row in rows))}",
            facts={"bytes": rows[0]["database_bytes"]},
        )
    for place, row in enumerate(rows):
        grown = growth(row)
        is_fast = grown is not None and grown >= max(GROWTH_LOOK_BYTES, GROWTH_LOOK_SHARE * row["earlier_bytes"])
        if not is_fast and place >= SHOWN_TABLES:
            continue
        grew = (
            "no earlier size is remembered yet"
            if grown is None
            else f"{sized(grown)} more than {counted(row['earlier_days'], 'day')} ago"
        )
        yield Finding(
            severity=Severity.LOOK if is_fast else Severity.WELL,
            subject=row["table_name"],
            says=f"{sized(row['bytes'])}, indexes {sized(row['index_bytes'])} of it; {grew}",
            advice="See whether the disk lasts, and what docs/runbook.md says of a table that grows."
            if is_fast
            else "",
            facts=row,
        )


def growth(row: Row) -> int | None:
    """In bytes, over the days that are remembered, at most a month."""
    return None if row["earlier_bytes"] is None else int(row["bytes"] - row["earlier_bytes"])


CHECKS: Final = (
    Check(
        name="sequential_scans",
        title="Large tables read from end to end",
        judge=sequential_scans,
        well=f"none more than {WHOLE_READS_PER_DAY} times a day",
    ),
    Check(name="hit_rates", title="Found in memory", judge=hit_rates, well="nothing was read yet"),
    Check(name="sizes", title=f"Sizes, and growth in up to {GROWTH_DAYS} days", judge=sizes, well="there is no table"),
)
