"""Looking at the database and leaving nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.utils import CursorWrapper


@contextmanager
def reading_only(*, using: str = DEFAULT_DB_ALIAS) -> Iterator[CursorWrapper]:
    """A cursor in a transaction that may not write, and is rolled back with every setting that was made in it."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
        yield cursor
        transaction.set_rollback(True, using=using)
