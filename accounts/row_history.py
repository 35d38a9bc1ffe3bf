"""What rows were before, and after: the reading side of row history."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection
from psycopg import sql

from mymoolah.common.history import RowHistory

MOST_CHANGES = 100


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of one row. `before` is empty where the row began, `after` where it ended."""

    table: str
    row_id: int
    label: str
    at: dt.datetime
    role: str
    before: dict[str, Any]
    after: dict[str, Any]

    def differences(self) -> dict[str, tuple[Any, Any]]:
        """Each kept column that changed, with what it was and what it became."""
        columns = self.before or self.after
        return {
            column: (self.before.get(column), self.after.get(column))
            for column in columns
            if self.before.get(column) != self.after.get(column)
        }


def changes_in(*, transaction_id: int | None, may_see: Callable[[str], bool]) -> list[Change]:
    """What one database transaction changed, in tables that a permission of the reader shows; at most one hundred rows.

    One query, or none. Each table of history is asked along its index of transactions.
    """
    models = [model for model in history_models() if may_see(model.seen_with)]
    if transaction_id is None or not models:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("{changes} ORDER BY table_name, history_id LIMIT {most}").format(
                changes=sql.SQL(" UNION ALL ").join([_changes_of(model) for model in models]),
                most=sql.Literal(MOST_CHANGES),
            ),
            {"transaction": transaction_id},
        )
        return [
            Change(table=table, row_id=row_id, label=label, at=at, role=role, before=_read(before), after=_read(after))
            for table, _, row_id, label, at, role, before, after in cursor.fetchall()
        ]


def _read(columns: str | None) -> dict[str, Any]:
    """Django leaves JSON of a raw query as text. Amounts stay what PostgreSQL wrote, to the cent."""
    return json.loads(columns, parse_float=str) if columns else {}


def history_models() -> list[type[RowHistory]]:
    return [model for model in apps.get_models() if issubclass(model, RowHistory)]


@cache
def _changes_of(model: type[RowHistory]) -> sql.Composed:
    """The changes of one table. What came after is what stood there before the next change, or stands there now."""
    kept = [
        str(field.column)
        for field in model._meta.concrete_fields
        if not field.name.startswith("pgh_") and field.name not in {"transaction_id", "role"}
    ]

    def columns(alias: str) -> sql.Composed:
        pairs = [sql.SQL("{}, {}").format(sql.Literal(name), sql.Identifier(alias, name)) for name in kept]
        return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))

    tracked: Any = model.pgh_tracked_model
    return sql.SQL(
        """
        SELECT
            {name} AS table_name,
            h.pgh_id AS history_id,
            h.pgh_obj_id AS row_id,
            h.pgh_label AS label,
            h.pgh_created_at AS changed_at,
            h.role,
            CASE WHEN h.pgh_label <> 'insert' THEN {before} END AS before,
            CASE
                WHEN h.pgh_label = 'insert' THEN {before}
                WHEN h.pgh_label <> 'delete' THEN coalesce(
                    (
                        SELECT {next}
                        FROM {history} AS n
                        WHERE
                            n.pgh_obj_id = h.pgh_obj_id
                            AND n.pgh_id > h.pgh_id
                            AND n.pgh_label IN ('update', 'delete')
                        ORDER BY n.pgh_id
                        LIMIT 1
                    ),
                    (SELECT {live} FROM {table} AS t WHERE t.id = h.pgh_obj_id)
                )
            END AS after
        FROM {history} AS h
        WHERE h.transaction_id = %(transaction)s
        """
    ).format(
        name=sql.Literal(tracked._meta.db_table),
        history=sql.Identifier(model._meta.db_table),
        table=sql.Identifier(tracked._meta.db_table),
        before=columns("h"),
        next=columns("n"),
        live=columns("t"),
    )
