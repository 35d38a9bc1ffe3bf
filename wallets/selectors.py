"""What is read about wallets."""

from __future__ import annotations

import uuid
from typing import Any

from mymoolah.common import read_cache
from mymoolah.common.conditional import rendered
from mymoolah.common.pagination import whole
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


# What was read before, and is still so -------------------------------------------------------------------------------
def kept_wallets(*, user_public_id: uuid.UUID) -> bytes:
    """A customer's wallets, as the API sends them. One query, or none."""
    return read_cache.read(
        read_cache.WALLETS, lambda: rendered(whole(wallets(user_public_id=user_public_id))), owner=user_public_id
    )


def kept_wallet(*, user_public_id: uuid.UUID, number: str) -> bytes:
    """One of them. One query, or none.

    :raises WalletNotFound: this customer has no such wallet
    """
    return read_cache.read(
        read_cache.WALLETS,
        lambda: rendered(get_wallet(user_public_id=user_public_id, number=number)),
        owner=user_public_id,
        asked=number,
    )


def _shape(row: dict[str, Any]) -> dict[str, Any]:
    head = {name: row.pop(name) for name in HEAD}
    return {**head, "limits": row}
