"""Issuing vouchers of every type."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from mymoolah.common import read_cache
from mymoolah.common.crypto import blind_index, encrypt
from mymoolah.common.money import Money
from mymoolah.common.retries import with_retries
from transactions import holds, posting
from transactions.fees import get_fee
from transactions.posting import IdempotencyKey
from vouchers import legs, selectors
from vouchers.errors import refusals
from vouchers.models import Voucher
from vouchers.numbers import CODE_CONTEXT, next_easypay_number, voucher_code
from vouchers.policies import Policy, get_policy

CODE_ATTEMPTS = 5


class OutOfCodes(Exception):
    """Several random codes in a row were taken: time to lengthen them."""


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A voucher that was issued; on a replay, as it is by now."""

    voucher: Voucher
    replayed: bool = False


def issue_voucher(
    *,
    user_public_id: uuid.UUID,
    voucher_type: Voucher.Type,
    amount: Money,
    key: IdempotencyKey,
    now: dt.datetime,
) -> Issued:
    """Make a voucher of `amount`, once for each `key`; its issuer pays, or has the money held, as its policy says.

    :raises VoucherNotOffered, AmountOutOfRange, NoWalletInCurrency, FeeNotSet, TooManyOpenVouchers: nothing was written
    :raises InsufficientFunds, LimitExceeded, NotPermitted, WalletNotActive, UserNotActive: nothing was written
    :raises EasyPayNumbersExhausted: there is no number left for it
    :raises IdempotencyKeyReused: `key` already carries another request
    """

    def once() -> Issued:
        public_id = uuid.uuid4()
        with transaction.atomic(), refusals():
            made = posting.claim(key, produces="voucher", id=public_id)
            read_cache.changed(user_public_id)
            if made is not None:
                return Issued(voucher=Voucher.objects.get(public_id=made), replayed=True)
            policy = get_policy(voucher_type=voucher_type, currency=amount.currency)
            policy.check_amount(amount)
            issuer = selectors.get_own_wallet(user_public_id=user_public_id, currency=amount.currency)
            voucher = Voucher(
                public_id=public_id,
                user_id=issuer.user_id,
                voucher_type=voucher_type,
                status=policy.first_status,
                original_amount=amount.amount,
                balance=policy.first_balance(amount.amount),
                currency=amount.currency,
                expires_at=policy.expiry(now),
                created_at=now,
            )
            if policy.has_fee:
                fee = get_fee(kind=voucher_type, currency=amount.currency, at=now)
                voucher.fee_amount, voucher.vat_amount = fee.fee.amount, fee.vat.amount
            _pay(voucher, issuer, policy)
        return Issued(voucher=voucher)

    return with_retries(once)


def _pay(voucher: Voucher, issuer: selectors.OwnWallet, policy: Policy) -> None:
    if policy.at_issue == "debited":
        group = legs.issue(voucher, issuer.wallet_id, policy)
        voucher.issue_transfer_id = group[0].id
        _save(voucher, policy)
        posting.post(group, initiated_by=issuer.user_id)
    elif policy.at_issue == "held":
        voucher.hold_id = holds.next_hold_id()
        _save(voucher, policy)
        holds.place(
            hold_id=voucher.hold_id,
            public_id=uuid.uuid4(),
            wallet_id=issuer.wallet_id,
            amount=voucher.cost,
            purpose=f"voucher:{voucher.public_id}",
            expires_at=None,
            check_limits=policy.limits,
            spent=Money(voucher.original_amount, voucher.currency),
        )
    else:
        _save(voucher, policy)
        posting.require_active_wallet(issuer.wallet_id)


def _save(voucher: Voucher, policy: Policy) -> None:
    if not policy.has_code:
        voucher.easypay_number = next_easypay_number()
        voucher.save(force_insert=True)
        return
    for _ in range(CODE_ATTEMPTS):
        voucher.code_encrypted, voucher.code_index = _sealed(voucher_code())
        try:
            with transaction.atomic():
                voucher.save(force_insert=True)
        except IntegrityError as error:
            if "uq_vouchers_code_index" not in str(error):
                raise
        else:
            return
    raise OutOfCodes


def _sealed(code: str) -> tuple[str, bytes]:
    """What is stored of a code; it stands in no frame that talks to the database, so no traceback can tell it."""
    return encrypt(code, context=CODE_CONTEXT), blind_index(code, context=CODE_CONTEXT)
