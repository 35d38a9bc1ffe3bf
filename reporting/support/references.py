"""What a message names: a transfer, a number, an amount. Only the signed-in customer's own are then looked for."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from mymoolah.common.money import InvalidAmount, Money

UUID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)
EASYPAY: Final = re.compile(r"(?<![0-9])9(?:[ -]?[0-9]){13}(?![0-9])", re.ASCII)
# R120, R 1 250,50, R1,250.00, 120 rand, 120.00 ZAR
AMOUNT: Final = re.compile(
    r"(?:\bR\s?|\bZAR\s?)(?P<after>[0-9]{1,3}(?:[ ,][0-9]{3})+(?:[.,][0-9]{2})?|[0-9]{1,10}(?:[.,][0-9]{1,2})?)(?![0-9])"
    r"|(?<![0-9.,])(?P<before>[0-9]{1,10}(?:[.,][0-9]{1,2})?)\s?(?:rand\b|zar\b|bucks\b)",
    re.ASCII | re.IGNORECASE,
)
# Voucher codes, numbers of cash-outs, identity numbers and cards: thirteen digits or more of any script with no letter
# between them, however they are spaced. An id of ours is none of these, and staff look for it.
WORTH_MONEY: Final = re.compile(rf"(?P<id>{UUID.pattern})|\d(?:[\W_]{{0,40}}\d){{12,}}", re.IGNORECASE)
ENDS_SHOWN: Final = 4
CENTS: Final = re.compile(r"[.,]([0-9]{1,2})$", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class References:
    transfer: uuid.UUID | None = None
    easypay_number: str | None = None
    amount: Decimal | None = None


def references_in(message: str) -> References:
    """The first of each that a message names."""
    transfer, number, amount = UUID.search(message), EASYPAY.search(message), AMOUNT.search(message)
    return References(
        transfer=uuid.UUID(transfer[0]) if transfer else None,
        easypay_number=re.sub(r"[ -]", "", number[0]) if number else None,
        amount=_amount(amount["after"] or amount["before"]) if amount else None,
    )


def printable(text: str) -> str:
    """A text in lines, without what is neither printed nor a space: nothing in it turns the writing around."""
    return "".join(one if one.isprintable() or one in "\n\u200d" else " " for one in text.replace("\r\n", "\n"))


def without_what_is_worth_money(text: str) -> str:
    """A text as it may be kept and read by staff: of a code or number that whoever knows it could use, the last four."""

    def masked(found: re.Match[str]) -> str:
        if found["id"]:
            return found[0]
        digits = re.sub(r"[\W_]", "", found[0])
        return "•" * (len(digits) - ENDS_SHOWN) + digits[-ENDS_SHOWN:]

    return WORTH_MONEY.sub(masked, text)


def _amount(written: str) -> Decimal | None:
    """What `1 250,50` or `1,250.50` says; None for what is no amount."""
    cents = CENTS.search(written)
    whole = re.sub(r"[ .,]", "", written[: cents.start()] if cents else written)
    try:
        return Money.parse(f"{whole}.{cents[1]}" if cents else whole).amount
    except InvalidAmount:
        return None
