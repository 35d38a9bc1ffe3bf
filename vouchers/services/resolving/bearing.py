"""Money in suspense that is owed to a till: what it reported counts after all, or somebody bears it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Final, Literal

from accounts import audit
from accounts.audit import Origin
from accounts.decisions import Decision
from transactions.posting import IdempotencyKey
from vouchers import till_legs
from vouchers.models import SuspenseItem, Voucher
from vouchers.services.resolving.deciding import Case, ResolutionDoesNotFit, Resolved, Ruling, resolve
from vouchers.services.tills import redeem
from vouchers.till_legs import Bearer
from wallets.models import Wallet

BORNE: Final[dict[Bearer, SuspenseItem.Resolution]] = {
    "till": SuspenseItem.Resolution.TILL_BEARS,
    "bank": SuspenseItem.Resolution.BANK_BEARS,
    "customer": SuspenseItem.Resolution.CUSTOMER_AGREED,
}


def resolve_spent(
    *,
    item_public_id: uuid.UUID,
    decision: Decision,
    key: IdempotencyKey,
    now: dt.datetime,
    bearer: Literal["till", "bank"] | None = None,
    origin: Origin = audit.SYSTEM,
) -> Resolved:
    """Take what a till reported as what was spent: a live EasyPay voucher is redeemed, what it leaves goes back.

    `bearer` says who bears what is more than the voucher's face, and is for that case alone.

    :raises ResolutionDoesNotFit: no live EasyPay voucher waits for this, or nobody, or somebody needlessly, bears the rest
    :raises SuspenseItemResolved, SuspenseItemNotFound, NotOfFinance, ReasonNeeded, IdempotencyKeyReused: as it says
    """

    def compose(case: Case) -> Ruling:
        voucher, wallet = case.of_voucher("spent", is_live=True)
        _check_bearer(case.item, voucher, bearer)
        is_closed = wallet.status == Wallet.Status.CLOSED
        group = till_legs.spent_after_all(case.item, voucher, wallet.pk, bearer=bearer, to_suspense=is_closed)
        redeem(voucher, replace(group[0], id=case.first_id), None, case.now)
        if is_closed and case.item.amount < voucher.original_amount:
            SuspenseItem.objects.create(
                voucher=voucher,
                user_id=voucher.user_id,
                direction=SuspenseItem.Direction.OWED_TO_CUSTOMER,
                reason=SuspenseItem.Reason.WALLET_CLOSED,
                amount=voucher.original_amount - case.item.amount,
                currency=voucher.currency,
                transfer_id=case.first_id,
                created_at=case.now,
            )
        return Ruling(resolution=SuspenseItem.Resolution.SPENT, group=group)

    return resolve(compose, item_public_id, decision, key, now, origin, bearer=bearer)


def resolve_paid_out(
    *,
    item_public_id: uuid.UUID,
    decision: Decision,
    key: IdempotencyKey,
    now: dt.datetime,
    bearer: Literal["till", "bank"] | None = None,
    origin: Origin = audit.SYSTEM,
) -> Resolved:
    """Take what a till reported as what was paid out: out of the hold of a live cash-out, which is redeemed.

    What the till paid out, fee and VAT are paid; the rest of the hold is free again. `bearer` says who bears what is more
    than the face, and is for that case alone.

    :raises ResolutionDoesNotFit: no live cash-out waits for this, or nobody, or somebody needlessly, bears the rest
    :raises SuspenseItemResolved, SuspenseItemNotFound, NotOfFinance, ReasonNeeded, IdempotencyKeyReused: as it says
    """

    def compose(case: Case) -> Ruling:
        voucher, wallet = case.of_voucher("cash_out", is_live=True)
        _check_bearer(case.item, voucher, bearer)
        group = till_legs.paid_out_after_all(case.item, voucher, wallet.pk, bearer=bearer)
        redeem(voucher, replace(group[0], id=case.first_id), None, case.now)
        return Ruling(resolution=SuspenseItem.Resolution.SPENT, group=group, hold_id=voucher.hold_id)

    return resolve(compose, item_public_id, decision, key, now, origin, bearer=bearer)


def bear(
    *,
    item_public_id: uuid.UUID,
    bearer: Bearer,
    decision: Decision,
    key: IdempotencyKey,
    now: dt.datetime,
    origin: Origin = audit.SYSTEM,
) -> Resolved:
    """Let the till, the bank, or the customer who agreed to it, bear what a till sold or paid out in vain.

    The voucher stays as it is: a live one can be used, cancelled, and ends in its time.

    :raises InsufficientFunds, WalletClosed: of the customer; nothing was written
    :raises ResolutionDoesNotFit: nothing is owed to a till
    :raises SuspenseItemResolved, SuspenseItemNotFound, NotOfFinance, ReasonNeeded, IdempotencyKeyReused: as it says
    """

    def compose(case: Case) -> Ruling:
        voucher, wallet = case.of_voucher("spent", "cash_out")
        leg = till_legs.borne(case.item, voucher, wallet.pk, bearer=bearer, amount=case.item.amount)
        return Ruling(resolution=BORNE[bearer], group=[leg])

    return resolve(compose, item_public_id, decision, key, now, origin)


def _check_bearer(item: SuspenseItem, voucher: Voucher, bearer: Bearer | None) -> None:
    if (item.amount > voucher.original_amount) != (bearer is not None):
        raise ResolutionDoesNotFit(detail="Say who bears what is more than the face, and only that.")
