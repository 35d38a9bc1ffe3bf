"""Money: an exact amount of one currency, never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from mymoolah.common.errors import DomainError

CURRENCY = "ZAR"
CENT = Decimal("0.01")
LARGEST = Decimal("99999999999999999.99")  # NUMERIC(19, 2)
PLAIN_DECIMAL = re.compile(r"[0-9]{1,17}(\.[0-9]{1,2})?", re.ASCII)
CURRENCY_CODE = re.compile(r"[A-Z]{3}", re.ASCII)


class InvalidAmount(DomainError):
    code, status, title = "invalid_amount", 400, "This is not an amount of money"


@dataclass(frozen=True)
class Money:
    """An amount in major units (rand, not cents) with at most two decimals."""

    amount: Decimal
    currency: str = CURRENCY

    def __post_init__(self) -> None:
        if not self.amount.is_finite() or abs(self.amount) > LARGEST:
            raise InvalidAmount
        if self.amount != self.amount.quantize(CENT):
            raise InvalidAmount(detail="At most two decimals.")
        if not CURRENCY_CODE.fullmatch(self.currency):
            raise InvalidAmount(detail="A currency is three capital letters.")
        object.__setattr__(self, "amount", self.amount.quantize(CENT))

    @classmethod
    def parse(cls, text: str, currency: str = CURRENCY) -> Money:
        """Read what a customer typed: digits, and at most two decimals after a point.

        :raises InvalidAmount: signs, exponents, spaces, thousands marks, NaN, more decimals, other digits
        """
        if not PLAIN_DECIMAL.fullmatch(text):
            raise InvalidAmount(detail='Write an amount as a string such as "120.00".')
        return cls(Decimal(text), currency)

    def __str__(self) -> str:
        return f"{self.amount:.2f}"
