"""What a statement reads, told by PostgreSQL's plan of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

LARGE_TABLE_BLOCKS: Final = 256
"""Of 8 KiB: reading all of a table that is smaller than two MiB is no fault."""
MOST_ROWS_THROWN_AWAY: Final = 2_000


@dataclass
class Statement:
    sql: str
    params: Any
    milliseconds: float = 0.0

    @property
    def is_query(self) -> bool:
        """Not one of those that only keep transactions in each other."""
        return not re.match(r"\s*(SAVEPOINT|RELEASE|ROLLBACK|SET)\b", self.sql)

    @property
    def is_read(self) -> bool:
        return bool(re.match(r"\s*(--[^\n]*\n\s*)*\(?(SELECT|WITH)\b", self.sql))

    def __str__(self) -> str:
        text = re.sub(r"\s+", " ", re.sub(r"(?<=SELECT ).*?(?= FROM )", "…", re.sub(r"\s+", " ", self.sql), count=1))
        return f"{self.milliseconds:,.1f} ms: {text[:160]}"

    @staticmethod
    def recorder(statements: list[Statement]) -> Callable[..., Any]:
        """For `connection.execute_wrapper`: each statement with the time until its first row."""

        def record(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
            begun = time.perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                text = sql if isinstance(sql, str) else sql.as_string(None)
                statements.append(Statement(text, params, (time.perf_counter() - begun) * 1000))

        return record


@dataclass
class Plan:
    blocks: int = 0
    whole_tables: set[str] = field(default_factory=set)
    """Large ones that many rows were read of for nothing, along whichever index."""
    indexes: set[str] = field(default_factory=set)
    sequential: set[str] = field(default_factory=set)
    """Large tables that are read in the order of their file, however soon a LIMIT ends that."""
    thrown_away: int = 0
    """Rows that were read for one answer and were none, at the step that has most of them."""


def plan_of(statement: Statement) -> Plan:
    """Run it again under EXPLAIN: how many blocks it touches, and which large tables it goes through."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement.sql}", statement.params)
        [(found,)] = cursor.fetchall()
    nodes = list(_nodes(found[0]["Plan"]))
    scanned = {node["Relation Name"] for node in nodes if _is_walk(node)}
    sequential = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    large = {name for name in scanned | sequential if _size_blocks(name) > LARGE_TABLE_BLOCKS}
    return Plan(
        blocks=_blocks(nodes[0]),
        whole_tables=scanned & large,
        indexes={node["Index Name"] for node in nodes if "Index Name" in node},
        sequential=sequential & large,
        thrown_away=max(round(_thrown_away(node)) for node in nodes),
    )


def _is_walk(node: dict[str, Any]) -> bool:
    """Whether a scan looks at many rows that nobody asked for, whichever index it goes along.

    What a LIMIT ends early is none: PostgreSQL reads the beginning of a table where that is all it takes.
    """
    rows = node["Actual Rows"] * node["Actual Loops"]
    return "Relation Name" in node and (
        _thrown_away(node) > MOST_ROWS_THROWN_AWAY or (node["Node Type"] == "Seq Scan" and rows > MOST_ROWS_THROWN_AWAY)
    )


def _thrown_away(node: dict[str, Any]) -> float:
    return float(node.get("Rows Removed by Filter", 0) * node["Actual Loops"])


def _blocks(node: dict[str, Any]) -> int:
    return int(node["Shared Hit Blocks"]) + int(node["Shared Read Blocks"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _size_blocks(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s::regclass) / 8192", [table])
        return int(cursor.fetchone()[0])
