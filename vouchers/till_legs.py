"""The table of legs, as far as suspense goes: one function a row, in and out of it (docs/money.md).

`wallet_id` is the issuer's; what concerns an unknown number takes the `stripe` of its report.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from mymoolah.common.money import Money
from transactions.models import Kind
from transactions.posting import House, Leg
from vouchers.legs import LABELS, fees
from vouchers.models import SuspenseItem, TillEvent, Voucher
from vouchers.policies import policy_of
from wallets.models import Wallet

Bearer = Literal["till", "bank", "customer"]

UNKNOWN = "EasyPay payment"


# Into suspense, by a till's report ----------------------------------------------------------------------------------
def paid_in_doubt(event: TillEvent, voucher: Voucher | None, stripe: int) -> Leg:
    """EC→SU a: we owe somebody what came in"""
    return _suspense(event, voucher, Wallet.Kind.EASYPAY_CLEARING, Wallet.Kind.SUSPENSE, stripe)


def spent_in_doubt(event: TillEvent, voucher: Voucher, stripe: int) -> Leg:
    """SU→EC a: we owe the till what was spent there"""
    return _suspense(event, voucher, Wallet.Kind.SUSPENSE, Wallet.Kind.EASYPAY_CLEARING, stripe)


def paid_out_in_doubt(event: TillEvent, voucher: Voucher, stripe: int) -> Leg:
    """SU→CC a: we owe the till what it paid out"""
    return _suspense(event, voucher, Wallet.Kind.SUSPENSE, Wallet.Kind.CASHOUT_CLEARING, stripe)


# Out of it, by two of finance ---------------------------------------------------------------------------------------
def released(item: SuspenseItem, voucher: Voucher | None, wallet_id: int, **checks: bool) -> Leg:
    """SU→C a"""
    return _release(item, voucher, House(Wallet.Kind.SUSPENSE, wallet_id), wallet_id, **checks)


def returned(item: SuspenseItem, voucher: Voucher | None, stripe: int) -> Leg:
    """SU→EC a"""
    source, target = (House(kind, stripe) for kind in (Wallet.Kind.SUSPENSE, Wallet.Kind.EASYPAY_CLEARING))
    return _release(item, voucher, source, target)


def paid_outside(item: SuspenseItem, voucher: Voucher, wallet_id: int) -> Leg:
    """SU→BK a"""
    source, target = (House(kind, wallet_id) for kind in (Wallet.Kind.SUSPENSE, Wallet.Kind.BANK))
    return _release(item, voucher, source, target)


def spent_after_all(
    item: SuspenseItem, voucher: Voucher, wallet_id: int, *, bearer: Bearer | None, to_suspense: bool
) -> list[Leg]:
    """VL→SU a, VL→C F-a, to suspense where the wallet is closed; of a > F: VL→SU F, and the rest is borne"""
    liability = House(Wallet.Kind.VOUCHER_LIABILITY, wallet_id)
    suspense = House(Wallet.Kind.SUSPENSE, wallet_id)
    taken, left = _shares(item, voucher)
    group = [_resolution(item, voucher, liability, suspense, taken)]
    if left:
        refund = _leg(
            item,
            voucher,
            Kind.VOUCHER_REFUND,
            liability,
            suspense if to_suspense else wallet_id,
            left,
            gives_back=None if to_suspense else voucher.issue_transfer_id,
        )
        group.append(refund)
    return [*group, *_excess(item, voucher, wallet_id, bearer)]


def paid_out_after_all(item: SuspenseItem, voucher: Voucher, wallet_id: int, *, bearer: Bearer | None) -> list[Leg]:
    """C→SU min(a, F), C→FI f, C→VC v, out of its hold; of a > F the rest is borne"""
    taken, _ = _shares(item, voucher)
    principal = _resolution(item, voucher, wallet_id, House(Wallet.Kind.SUSPENSE, wallet_id), taken)
    return [principal, *fees(voucher, wallet_id), *_excess(item, voucher, wallet_id, bearer)]


def borne(item: SuspenseItem, voucher: Voucher, wallet_id: int, *, bearer: Bearer, amount: Decimal) -> Leg:
    """EC→SU or CC→SU (the till bears it), AD→SU (the bank), C→SU (the customer)"""
    is_spent = policy_of(voucher).till == "spent"
    clearing = Wallet.Kind.EASYPAY_CLEARING if is_spent else Wallet.Kind.CASHOUT_CLEARING
    sources: dict[Bearer, int | House] = {
        "till": House(clearing, wallet_id),
        "bank": House(Wallet.Kind.ADJUSTMENTS, wallet_id),
        "customer": wallet_id,
    }
    return _resolution(item, voucher, sources[bearer], House(Wallet.Kind.SUSPENSE, wallet_id), amount)


# All ----------------------------------------------------------------------------------------------------------------
def _shares(item: SuspenseItem, voucher: Voucher) -> tuple[Decimal, Decimal]:
    """What of a voucher's face a till's report takes, and what it leaves."""
    taken = min(item.amount, voucher.original_amount)
    return taken, voucher.original_amount - taken


def _excess(item: SuspenseItem, voucher: Voucher, wallet_id: int, bearer: Bearer | None) -> list[Leg]:
    excess = item.amount - voucher.original_amount
    if excess <= 0:
        return []
    assert bearer is not None
    return [borne(item, voucher, wallet_id, bearer=bearer, amount=excess)]


def _release(
    item: SuspenseItem, voucher: Voucher | None, source: int | House, target: int | House, **demands: Any
) -> Leg:
    return _leg(item, voucher, Kind.RELEASE, source, target, item.amount, **demands)


def _resolution(item: SuspenseItem, voucher: Voucher, source: int | House, target: int | House, amount: Decimal) -> Leg:
    return _leg(item, voucher, Kind.RESOLUTION, source, target, amount)


def _leg(  # noqa: PLR0917 - private, and every call reads as the row it is
    item: SuspenseItem,
    voucher: Voucher | None,
    kind: Kind,
    source: int | House,
    target: int | House,
    amount: Decimal,
    **demands: Any,
) -> Leg:
    return Leg(
        kind=kind,
        source=source,
        target=target,
        amount=Money(amount, item.currency),
        reference=_reference(voucher),
        metadata={"suspense_item": str(item.public_id), **_named(voucher)},
        **demands,
    )


def _suspense(event: TillEvent, voucher: Voucher | None, source: Wallet.Kind, target: Wallet.Kind, stripe: int) -> Leg:
    return Leg(
        kind=Kind.SUSPENSE,
        source=House(source, stripe),
        target=House(target, stripe),
        amount=Money(event.amount, event.currency),
        reference=_reference(voucher),
        metadata={"provider_reference": event.provider_reference, **_named(voucher)},
    )


def _reference(voucher: Voucher | None) -> str:
    return UNKNOWN if voucher is None else LABELS[Voucher.Type(voucher.voucher_type)]


def _named(voucher: Voucher | None) -> dict[str, str]:
    return {} if voucher is None else {"voucher": str(voucher.public_id)}
