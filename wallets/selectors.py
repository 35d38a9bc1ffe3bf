"""What is read about wallets."""

from __future__ import annotations

import uuid
from typing import Any

from mymoolah.common.sql.queries import rows
from wallets.services import WalletNotFound

HEAD = ("number", "currency", "status", "balance", "available", "held")


def wallets(*, user_public_id: uuid.UUID) -> list[dict[str, Any]]:
    """A customer's wallets with what their limits leave. One query."""
    return [_shape(row) for row in rows("wallets", "wallets_of.sql", user=user_public_id, number=None)]


def get_wallet(*, user_public_id: uuid.UUID, number: str) -> dict[str, Any]:
    """One of a customer's wallets. One query.

    :raises WalletNotFound: this customer has no such wallet
    """
    found = rows("wallets", "wallets_of.sql", user=user_public_id, number=number)
    if not found:
        raise WalletNotFound
    return _shape(found[0])


def _shape(row: dict[str, Any]) -> dict[str, Any]:
    head = {name: row.pop(name) for name in HEAD}
    return {**head, "limits": row}
