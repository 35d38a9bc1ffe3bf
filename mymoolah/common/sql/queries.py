"""Running a query from a file: one statement, rows as dictionaries, named by their columns."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from mymoolah.common.sql import read


def rows(app: str, name: str, **values: Any) -> list[dict[str, Any]]:
    """The rows of `<app>/sql/queries/<name>`, whose parameters are written `%(name)s`."""
    return rows_from(DEFAULT_DB_ALIAS, app, name, **values)


def rows_from(using: str, app: str, name: str, /, **values: Any) -> list[dict[str, Any]]:
    """The same of a named connection: a replica's, say."""
    with connections[using].cursor() as cursor:
        cursor.execute(read(app, f"queries/{name}"), values)
        columns = [column.name for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
