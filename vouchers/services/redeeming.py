"""Redeeming standard vouchers: whoever types the code gets the money."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

from django.db import transaction

from accounts import audit
from accounts.audit import Origin
from accounts.selectors import get_user_id
from mymoolah.common import read_cache
from mymoolah.common.ids import uuid7
from mymoolah.common.money import Money
from mymoolah.common.retries import with_retries
from transactions import posting
from transactions.posting import IdempotencyKey
from vouchers import legs, selectors
from vouchers.errors import ENDED, RedeemExceedsVoucher, VoucherExpired, VoucherNotFound, refusals
from vouchers.models import Voucher, VoucherRedemption
from vouchers.numbers import is_voucher_code
from vouchers.selectors import Redeemed


def redeem_voucher(
    *,
    user_public_id: uuid.UUID,
    code: str,
    amount: Money | None,
    key: IdempotencyKey,
    now: dt.datetime,
    origin: Origin,
) -> Redeemed:
    """Put `amount` of a voucher, or all that is left of it, into a customer's wallet, once for each `key`.

    :raises VoucherNotFound: no voucher has this code; the attempt is audited, without the code
    :raises VoucherRedeemed, VoucherExpired, VoucherCancelled, RedeemExceedsVoucher: nothing was written
    :raises NoWalletInCurrency, WalletNotActive, UserNotActive, BalanceTooHigh: nothing was written
    :raises IdempotencyKeyReused: `key` already carries another request
    """

    def once() -> Redeemed:
        transfer_id = uuid7()
        with transaction.atomic(), refusals():
            made = posting.claim(key, produces="transfer", id=transfer_id)
            if made is not None:
                read_cache.changed(user_public_id, selectors.get_issuer(transfer_id=made))
                return selectors.get_redemption(transfer_id=made, replayed=True)
            voucher = _lock(code)
            _check(voucher, amount, now)
            taken = voucher.balance if amount is None else amount.amount
            mine = selectors.get_own_wallet(user_public_id=user_public_id, currency=voucher.currency)
            leg = legs.redeem(voucher, mine.wallet_id, taken, transfer_id=transfer_id)
            voucher.balance -= taken
            if not voucher.balance:
                voucher.status = Voucher.Status.REDEEMED
            voucher.save(update_fields=["status", "balance"])
            read_cache.changed(voucher.user.public_id)  # the redeemer's wallet is the kernel's to tell of
            VoucherRedemption.objects.create(
                voucher=voucher,
                wallet_id=mine.wallet_id,
                transfer_id=transfer_id,
                amount=taken,
                currency=voucher.currency,
                created_at=now,
            )
            posting.post([leg], initiated_by=mine.user_id)
            return selectors.get_redemption(transfer_id=transfer_id)

    try:
        return with_retries(once)
    except VoucherNotFound:
        his = replace(origin, actor_id=get_user_id(public_id=user_public_id))
        audit.record("voucher.code_unknown", subject_type="user", subject_id=user_public_id, origin=his)
        raise


def _lock(code: str) -> Voucher:
    """Lock the voucher of a code; an unknown one touches one entry of an index, a mistyped one none."""
    if not is_voucher_code(code):
        raise VoucherNotFound
    try:
        return selectors.by_code(code).select_related("user").select_for_update(no_key=True, of=("self",)).get()
    except Voucher.DoesNotExist:
        raise VoucherNotFound from None


def _check(voucher: Voucher, amount: Money | None, now: dt.datetime) -> None:
    if voucher.status in ENDED:
        raise ENDED[voucher.status]
    if voucher.expires_at <= now:
        raise VoucherExpired
    if amount is not None and (amount.amount > voucher.balance or amount.currency != voucher.currency):
        raise RedeemExceedsVoucher(left=f"{voucher.balance:.2f}", currency=voucher.currency)
