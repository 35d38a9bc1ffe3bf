"""The vouchers of a batch, and their rows."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from mymoolah.common.crypto import blind_index, encrypt
from reporting.loading.books import CURRENCY, NULL, Account, Rows, uuid4_text
from reporting.loading.plan import DAY_MS, EPOCH_ORDINAL, ZONE_MS, day_number, moment_text
from vouchers.models import Voucher
from vouchers.numbers import CODE_CONTEXT, easypay_account, easypay_number, with_luhn_digit
from vouchers.policies import POLICIES

CODES = 10**15
COLUMNS = (
    "id, public_id, user_id, voucher_type, status, code_encrypted, code_index, easypay_number, original_amount, "
    "balance, currency, fee_amount, vat_amount, issue_transfer_id, expires_at, created_at"
)
REDEMPTION_COLUMNS = "public_id, voucher_id, wallet_id, transfer_id, amount, currency, created_at"


@dataclass(slots=True, kw_only=True)
class Slip:
    """A voucher while its history is written; cents."""

    issuer: Account
    kind: Voucher.Type
    status: Voucher.Status
    amount: int
    balance: int
    issued_ms: int
    fee: int = 0
    vat: int = 0
    paid_by: str | None = None  # the transfer, where something was paid


@dataclass(frozen=True, kw_only=True)
class Redemption:
    slip: Slip
    account: Account
    transfer: str
    cents: int
    at_ms: int


class Codes:
    """Voucher codes for synthetic customers: repeatable, and unique because `n -> factor * n + start` is, modulo 10^15."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(f"{seed} codes")  # noqa: S311 - repeatable data, no real money
        self._start = chance.getrandbits(60) % CODES
        self._factor = (chance.getrandbits(60) % (CODES // 10)) * 10 + 3  # ends in 3: no divisor in common with 10^15

    def code(self, number: int) -> str:
        return with_luhn_digit(f"{(self._factor * number + self._start) % CODES:015d}")


def voucher_rows(
    slips: Sequence[Slip],
    redemptions: Sequence[Redemption],
    *,
    ids: Sequence[int],
    codes: Codes,
    first_voucher: int,
    first_count: int,
    chance: random.Random,
) -> tuple[Rows, Rows, str | None]:
    """The rows of vouchers and of redemptions, and the first voucher's public id.

    Vouchers are counted over the whole run, from `first_voucher` here; that count gives each its code, or its EasyPay
    number from those set aside from `first_count` on.
    """
    vouchers, redeemed = Rows("vouchers", COLUMNS), Rows("voucher_redemptions", REDEMPTION_COLUMNS)
    id_of: dict[int, int] = {}
    first_public_id: str | None = None
    for place, (slip, voucher_id) in enumerate(zip(slips, ids, strict=True)):
        id_of[id(slip)] = voucher_id
        if slip.kind == Voucher.Type.STANDARD:
            code = codes.code(first_voucher + place)
            sealed = encrypt(code, context=CODE_CONTEXT)
            number = f"{sealed}\t\\\\x{blind_index(code, context=CODE_CONTEXT).hex()}\t{NULL}"
        else:
            number = f"{NULL}\t{NULL}\t{easypay_number(easypay_account(first_count + first_voucher + place))}"
        public_id = uuid4_text(chance)
        first_public_id = first_public_id or public_id
        vouchers.add(
            f"{voucher_id}\t{public_id}\t{slip.issuer.user_id}\t{slip.kind.value}\t{slip.status.value}\t{number}"
            f"\t{slip.amount}e-2\t{slip.balance}e-2\t{CURRENCY}\t{slip.fee}e-2\t{slip.vat}e-2"
            f"\t{slip.paid_by or NULL}"
            f"\t{moment_text(expiry_ms(slip.kind, day_number(slip.issued_ms)))}\t{moment_text(slip.issued_ms)}\n"
        )
    for part in redemptions:
        redeemed.add(
            f"{uuid4_text(chance)}\t{id_of[id(part.slip)]}\t{part.account.wallet_id}\t{part.transfer}"
            f"\t{part.cents}e-2\t{CURRENCY}\t{moment_text(part.at_ms)}\n"
        )
    vouchers.finish()
    redeemed.finish()
    return vouchers, redeemed, first_public_id


@cache
def expiry_ms(kind: Voucher.Type, day: int) -> int:
    """The first moment at which a voucher of a Johannesburg day (in days from 1970-01-01) is no longer good."""
    last_day = POLICIES[kind, CURRENCY].last_day(dt.date.fromordinal(EPOCH_ORDINAL + day))
    return (last_day.toordinal() - EPOCH_ORDINAL + 1) * DAY_MS - ZONE_MS
