"""What is read across all apps."""

from __future__ import annotations

import uuid

from django.db import connection

from mymoolah.common import read_cache
from mymoolah.common.errors import NotFound


class UnknownCustomer(NotFound):
    code, title = "unknown_user", "There is no such account"


def get_dashboard(*, user_public_id: uuid.UUID) -> str:
    """A customer's wallets, totals and five latest entries, as JSON that PostgreSQL writes itself. One query.

    :raises UnknownCustomer: nobody has this id
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT customer_dashboard(%s)", [user_public_id])
        row = cursor.fetchone()
    text: str | None = row[0] if row else None
    if text is None:
        raise UnknownCustomer
    return text


def kept_dashboard(*, user_public_id: uuid.UUID) -> bytes:
    """The same, or what was read before and is still so. One query, or none.

    :raises UnknownCustomer: nobody has this id
    """
    return read_cache.read(
        read_cache.DASHBOARD, lambda: get_dashboard(user_public_id=user_public_id).encode(), owner=user_public_id
    )
