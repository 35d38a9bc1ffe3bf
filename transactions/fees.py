"""What services cost: read as of a moment, and changed from a moment on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from mymoolah.common.errors import DomainError
from mymoolah.common.money import Money
from mymoolah.common.sql.queries import rows


class FeeNotSet(DomainError):
    code, status, title = "fee_not_set", 409, "Nobody has said yet what this costs"


@dataclass(frozen=True, kw_only=True)
class Fee:
    """What a service costs: the fee without VAT, and the VAT on it."""

    fee: Money
    vat: Money


def get_fee(*, kind: str, currency: str, at: dt.datetime) -> Fee:
    """What `kind` costs at a moment, by the newest rule that is in force then. One query.

    :raises FeeNotSet: no rule is, in this currency
    """
    found = rows("transactions", "fee_at.sql", kind=kind, currency=currency, at=at)
    if not found:
        raise FeeNotSet(kind=kind, currency=currency)
    (row,) = found
    return Fee(fee=Money(row["fee_amount"], currency), vat=Money(row["vat_amount"], currency))
