"""The table of legs, as far as tills' reports go that cannot be applied: one function a row (docs/money.md).

`wallet_id` is the issuer's; what concerns an unknown number takes the stripe of its report.
"""

from __future__ import annotations

from mymoolah.common.money import Money
from transactions.models import Kind
from transactions.posting import House, Leg
from vouchers.legs import LABELS
from vouchers.models import TillEvent, Voucher
from wallets.models import Wallet

UNKNOWN = "EasyPay payment"


def paid_in_doubt(event: TillEvent, voucher: Voucher | None, stripe: int) -> Leg:
    """EC→SU a: we owe somebody what came in"""
    return _suspense(event, voucher, Wallet.Kind.EASYPAY_CLEARING, Wallet.Kind.SUSPENSE, stripe)


def spent_in_doubt(event: TillEvent, voucher: Voucher, stripe: int) -> Leg:
    """SU→EC a: we owe the till what was spent there"""
    return _suspense(event, voucher, Wallet.Kind.SUSPENSE, Wallet.Kind.EASYPAY_CLEARING, stripe)


def paid_out_in_doubt(event: TillEvent, voucher: Voucher, stripe: int) -> Leg:
    """SU→CC a: we owe the till what it paid out"""
    return _suspense(event, voucher, Wallet.Kind.SUSPENSE, Wallet.Kind.CASHOUT_CLEARING, stripe)


def _suspense(event: TillEvent, voucher: Voucher | None, source: Wallet.Kind, target: Wallet.Kind, stripe: int) -> Leg:
    metadata = {"provider_reference": event.provider_reference}
    if voucher is not None:
        metadata["voucher"] = str(voucher.public_id)
    return Leg(
        kind=Kind.SUSPENSE,
        source=House(source, stripe),
        target=House(target, stripe),
        amount=Money(event.amount, event.currency),
        reference=LABELS[Voucher.Type(voucher.voucher_type)] if voucher else UNKNOWN,
        metadata=metadata,
    )
