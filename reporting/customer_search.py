"""Finding a customer by whatever the caller has at hand: each question is answered by an index, and by ten at most."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from django.db import connection

from accounts.models import User
from mymoolah.common.admin import UUID
from mymoolah.common.sql.queries import rows
from transactions.models import Transfer
from vouchers.models import Voucher
from wallets.models import Wallet

MOST_FOUND: Final = 10
LONGEST_CHARACTERS: Final = 120
WALLET: Final = r"[1-9][0-9]{9}"
May = Callable[[str], bool]


@dataclass(frozen=True)
class Finder:
    """Something that can be typed, who may find people by it, and whose it is."""

    name: str
    pattern: str
    permission: str
    user_ids: Callable[[str], Iterable[int | None]]
    spaced_by: str = ""
    """What people write into it to be readable, and is left out."""


def by_phone(text: str) -> Iterable[int]:
    """As it is dialled: `0821110001`, `27821110001`, `0027821110001`, `+27 (0)82 111 0001`."""
    phone = re.sub(r"^((\+|00)?270?|0)(?=[0-9]{9}$)", "+27", text)
    return User.objects.filter(phone=phone).values_list("pk", flat=True)


def by_wallet(text: str) -> Iterable[int | None]:
    """A wallet's number, or an entry's, which begins with it."""
    return Wallet.objects.filter(number=text.partition("-")[0]).values_list("user_id", flat=True)


def by_transfer(text: str) -> Iterable[int | None]:
    """Both ends of it."""
    return Transfer.objects.filter(pk=text).values_list("from_wallet__user_id", "to_wallet__user_id").first() or ()


def by_email(text: str) -> Iterable[int]:
    return _ids("accounts", "people_by_email.sql", pattern=_beginning(text), most=MOST_FOUND + 1)


def by_name(text: str) -> Iterable[int]:
    """A last name's beginning, or both names in either order: `thandi mok`, `Mokoena, Thandi`, `van der Merwe Jan`."""
    text = " ".join(text.replace(",", " ").split())
    readings = {("", text)}
    for one, _, other in (text.partition(" "), text.rpartition(" ")):
        if one and other:
            readings |= {(one, other), (other, one)}
    for first_name, last_name in sorted(readings):
        names = {"first_name": _beginning(first_name), "last_name": _beginning(last_name)}
        yield from _ids("reporting", "customers_by_name.sql", **names, most=MOST_FOUND + 1)


def _ids(app: str, query: str, **values: object) -> list[int]:
    return [row["id"] for row in rows(app, query, **values)]


def _beginning(text: str) -> str:
    return f"{connection.ops.prep_for_like_query(text.lower())}%"


LOOK: Final = "accounts.view_user"
FINDERS: Final[Sequence[Finder]] = (
    Finder("customer's id", UUID, LOOK, lambda text: User.objects.filter(public_id=text).values_list("pk", flat=True)),
    Finder("transfer", UUID, "transactions.view_transfer", by_transfer),
    Finder(
        "voucher",
        UUID,
        "vouchers.view_voucher",
        lambda text: Voucher.objects.filter(public_id=text).values_list("user_id", flat=True),
    ),
    Finder(
        "whole EasyPay number",
        r"9[0-9]{13}",
        "vouchers.view_voucher",
        lambda text: Voucher.objects.filter(easypay_number=text).values_list("user_id", flat=True),
        spaced_by=" ",
    ),
    Finder("wallet number", rf"{WALLET}(-[1-9][0-9]{{0,17}})?", "wallets.view_wallet", by_wallet, spaced_by=" "),
    Finder("phone", r"\+[0-9]+|(00)?270?[0-9]{9}|0[0-9]{9}", LOOK, by_phone, spaced_by=" ()./-"),
    Finder("beginning of an e-mail", r"\S*[@0-9.]\S*|\S+", LOOK, by_email),
    Finder("last name", r"[^\d@]+", LOOK, by_name),
)


def names_of_finders(*, may: May) -> list[str]:
    """What this person can find customers by."""
    return [finder.name for finder in FINDERS if may(finder.permission)]


def find_customers(*, text: str, may: May) -> list[User]:
    """The customers that `text` means, ten and one more at most; one query for each way to read it, and one for all."""
    text = " ".join(text.replace("\x00", "").split())[:LONGEST_CHARACTERS]
    found: set[int] = set()
    for finder in FINDERS:
        asked = text.translate(dict.fromkeys(map(ord, finder.spaced_by)))
        if may(finder.permission) and re.fullmatch(finder.pattern, asked, re.IGNORECASE):
            found |= {user_id for user_id in islice(finder.user_ids(asked), MOST_FOUND + 1) if user_id is not None}
    columns = ("public_id", "email", "phone", "first_name", "last_name", "status", "kyc_tier")
    customers = User.objects.filter(pk__in=found, is_staff=False, is_superuser=False).only(*columns)
    return list(customers.order_by("last_name", "first_name", "pk")[: MOST_FOUND + 1])
