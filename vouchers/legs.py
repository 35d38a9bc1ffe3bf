"""The table of legs, as far as vouchers go: which money each step moves, one function a row (docs/money.md).

`wallet_id` is the issuer's. Legs of nothing (a fee of 0.00) are left out.
"""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from mymoolah.common.money import Money
from transactions.models import Kind
from transactions.posting import House, Leg
from vouchers.models import Voucher
from vouchers.policies import Policy
from wallets.models import Wallet

LABELS = {
    Voucher.Type.STANDARD: "Voucher",
    Voucher.Type.EASYPAY_TOPUP: "EasyPay top-up",
    Voucher.Type.EASYPAY_VOUCHER: "EasyPay voucher",
    Voucher.Type.EASYPAY_CASHOUT: "EasyPay cash-out",
}


def issue(voucher: Voucher, wallet_id: int, policy: Policy) -> list[Leg]:
    """C→VL F, C→FI f, C→VC v"""
    face = _leg(
        voucher,
        Kind.VOUCHER_ISSUE,
        wallet_id,
        House(Wallet.Kind.VOUCHER_LIABILITY, wallet_id),
        voucher.original_amount,
        check_active=True,
        check_limits=policy.limits,
    )
    return [face, *fees(voucher, wallet_id)]


def redeem(voucher: Voucher, redeemer_wallet_id: int, amount: Decimal, *, transfer_id: uuid.UUID) -> Leg:
    """VL→R r, R being the redeemer's wallet"""
    liability = House(Wallet.Kind.VOUCHER_LIABILITY, redeemer_wallet_id)
    return _leg(
        voucher,
        Kind.VOUCHER_REDEEM,
        liability,
        redeemer_wallet_id,
        amount,
        id=transfer_id,
        check_active=True,
        check_ceiling=True,
    )


def refund(voucher: Voucher, wallet_id: int, rest: Decimal, *, to_suspense: bool) -> list[Leg]:
    """VL→C b, FI→C f, VC→C v; to suspense where the wallet is closed"""
    target: int | House = House(Wallet.Kind.SUSPENSE, wallet_id) if to_suspense else wallet_id
    parts = (
        (Kind.VOUCHER_REFUND, Wallet.Kind.VOUCHER_LIABILITY, rest),
        (Kind.FEE, Wallet.Kind.FEE_INCOME, voucher.fee_amount),
        (Kind.VAT, Wallet.Kind.VAT_CONTROL, voucher.vat_amount),
    )
    spent = None if to_suspense else voucher.issue_transfer_id
    return [
        _leg(
            voucher,
            kind,
            House(house, wallet_id),
            target,
            amount,
            gives_back=spent if kind == Kind.VOUCHER_REFUND else None,
        )
        for kind, house, amount in parts
        if amount
    ]


def fees(voucher: Voucher, wallet_id: int) -> list[Leg]:
    """C→FI f, C→VC v"""
    parts = (
        (Kind.FEE, Wallet.Kind.FEE_INCOME, voucher.fee_amount),
        (Kind.VAT, Wallet.Kind.VAT_CONTROL, voucher.vat_amount),
    )
    return [_leg(voucher, kind, wallet_id, House(house, wallet_id), amount) for kind, house, amount in parts if amount]


def paid_in(voucher: Voucher, wallet_id: int) -> list[Leg]:
    """EC→C F, C→FI f, C→VC v"""
    till = House(Wallet.Kind.EASYPAY_CLEARING, wallet_id)
    face = _leg(voucher, Kind.TOP_UP, till, wallet_id, voucher.original_amount, check_active=True, check_ceiling=True)
    return [face, *fees(voucher, wallet_id)]


def spent(voucher: Voucher, wallet_id: int) -> list[Leg]:
    """VL→EC F"""
    liability, till = (House(kind, wallet_id) for kind in (Wallet.Kind.VOUCHER_LIABILITY, Wallet.Kind.EASYPAY_CLEARING))
    return [_leg(voucher, Kind.VOUCHER_SPENT, liability, till, voucher.original_amount)]


def paid_out(voucher: Voucher, wallet_id: int) -> list[Leg]:
    """C→CC F, C→FI f, C→VC v; out of its hold"""
    till = House(Wallet.Kind.CASHOUT_CLEARING, wallet_id)
    return [_leg(voucher, Kind.CASH_OUT, wallet_id, till, voucher.original_amount), *fees(voucher, wallet_id)]


def _leg(
    voucher: Voucher, kind: Kind, source: int | House, target: int | House, amount: Decimal, **demands: Any
) -> Leg:
    return Leg(
        kind=kind,
        source=source,
        target=target,
        amount=Money(amount, voucher.currency),
        reference=LABELS[Voucher.Type(voucher.voucher_type)],
        metadata={"voucher": str(voucher.public_id)},
        **demands,
    )
