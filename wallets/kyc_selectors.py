"""A customer's tier together with what it means for her money."""

from __future__ import annotations

import uuid
from typing import Any

from accounts import kyc_selectors
from mymoolah.common.sql.queries import rows


def get_kyc(*, user_public_id: uuid.UUID) -> dict[str, Any]:
    """Where a customer stands, what the tier allows in each currency, and what it takes for the next. Two queries.

    :raises UnknownUser: nobody has this id
    """
    standing = kyc_selectors.get_kyc(user_public_id=user_public_id)
    return {**standing, "limits": rows("wallets", "kyc_limits.sql", user=user_public_id)}
