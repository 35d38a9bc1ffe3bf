"""Running a query from a file: one statement, rows as dictionaries, named by their columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.utils import CursorWrapper

from mymoolah.common.sql import read


def rows(app: str, name: str, **values: Any) -> list[dict[str, Any]]:
    """The rows of `<app>/sql/queries/<name>`, whose parameters are written `%(name)s`."""
    with connection.cursor() as cursor:
        cursor.execute(read(app, f"queries/{name}"), values)
        columns = [column.name for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


@contextmanager
def reading_only(*, using: str = DEFAULT_DB_ALIAS) -> Iterator[CursorWrapper]:
    """A cursor in a transaction that may not write, and is rolled back with every setting that was made in it."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
        yield cursor
        transaction.set_rollback(True, using=using)
