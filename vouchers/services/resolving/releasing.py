"""Money in suspense that is owed to a customer: released to him, returned to the till, paid outside; and taken back."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

from django.db import transaction

from accounts import audit
from accounts.audit import Origin
from accounts.decisions import Decision, record_decision, require_finance
from mymoolah.common import read_cache
from mymoolah.common.ids import uuid7
from mymoolah.common.retries import with_retries
from transactions import posting
from transactions.corrections import mirror_legs
from transactions.models import Kind
from transactions.posting import IdempotencyKey, UnknownWallet
from vouchers import legs, selectors, till_legs
from vouchers.models import SuspenseItem, Voucher
from vouchers.services.resolving.deciding import (
    Case,
    ResolutionDoesNotFit,
    Resolved,
    Ruling,
    lock,
    lock_voucher,
    resolve,
)
from wallets.models import Wallet

RELEASES = frozenset(
    {SuspenseItem.Resolution.RELEASED, SuspenseItem.Resolution.RETURNED, SuspenseItem.Resolution.PAID_OUTSIDE}
)


def release_cash_in(
    *,
    item_public_id: uuid.UUID,
    decision: Decision,
    key: IdempotencyKey,
    now: dt.datetime,
    wallet_number: str | None = None,
    override_active: bool = False,
    override_ceiling: bool = False,
    origin: Origin = audit.SYSTEM,
) -> Resolved:
    """Give what came in at a till to its customer: the issuer of the number, or, of an unknown one, `wallet_number`.

    A top-up that was not redeemed yet is now, and costs its fee; a second payment of one costs nothing.

    :raises WalletFrozen, UserNotActive, BalanceTooHigh: nothing was written; the first two unless `override_active`, the
        third unless `override_ceiling`
    :raises WalletClosed, InsufficientFunds, WrongCurrency: nothing was written; it can be returned to the till
    :raises UnknownWallet: no customer's wallet has this number
    :raises ResolutionDoesNotFit: nothing came in at a till, or that wallet is another one than the issuer's
    :raises SuspenseItemResolved, SuspenseItemNotFound, NotOfFinance, ReasonNeeded, IdempotencyKeyReused: as it says
    """

    def compose(case: Case) -> Ruling:
        case.require("cash_in")
        voucher, wallet = case.voucher, _customers_wallet(case, wallet_number)
        group = [
            till_legs.released(
                case.item,
                voucher,
                wallet.pk,
                check_active=not override_active,
                check_ceiling=not override_ceiling,
            )
        ]
        if voucher is not None and voucher.status != Voucher.Status.REDEEMED:
            Voucher.objects.filter(pk=voucher.pk).update(status=Voucher.Status.REDEEMED)
            read_cache.changed(voucher.user.public_id)
            group += legs.fees(voucher, wallet.pk)
        return Ruling(resolution=SuspenseItem.Resolution.RELEASED, group=group)

    overrides = {"override_active": override_active, "override_ceiling": override_ceiling}
    return resolve(compose, item_public_id, decision, key, now, origin, wallet=wallet_number, **overrides)


def return_cash_in(
    *,
    item_public_id: uuid.UUID,
    decision: Decision,
    key: IdempotencyKey,
    now: dt.datetime,
    origin: Origin = audit.SYSTEM,
) -> Resolved:
    """Owe what came in at a till to the till again; a live voucher can still be paid.

    :raises ResolutionDoesNotFit: nothing came in at a till
    :raises SuspenseItemResolved, SuspenseItemNotFound, NotOfFinance, ReasonNeeded, IdempotencyKeyReused: as it says
    """

    def compose(case: Case) -> Ruling:
        case.require("cash_in")
        item, voucher = case.item, case.voucher
        stripe = (item.till_event_id or item.pk) if voucher is None else selectors.wallet_of(voucher).pk
        return Ruling(resolution=SuspenseItem.Resolution.RETURNED, group=[till_legs.returned(item, voucher, stripe)])

    return resolve(compose, item_public_id, decision, key, now, origin)


def release_refund(
    *,
    item_public_id: uuid.UUID,
    wallet_number: str,
    decision: Decision,
    key: IdempotencyKey,
    now: dt.datetime,
    origin: Origin = audit.SYSTEM,
) -> Resolved:
    """Give a refund, which found its wallet closed, to an active wallet of the same person.

    :raises WalletFrozen, WalletClosed, UserNotActive, WrongCurrency: nothing was written
    :raises UnknownWallet: no customer's wallet has this number
    :raises ResolutionDoesNotFit: it is no refund, or the wallet is another person's
    :raises SuspenseItemResolved, SuspenseItemNotFound, NotOfFinance, ReasonNeeded, IdempotencyKeyReused: as it says
    """

    def compose(case: Case) -> Ruling:
        case.require("refund")
        wallet = _named_wallet(wallet_number)
        if wallet.user_id != case.item.user_id:
            raise ResolutionDoesNotFit
        leg = till_legs.released(case.item, case.voucher, wallet.pk, check_active=True)
        return Ruling(resolution=SuspenseItem.Resolution.RELEASED, group=[leg])

    return resolve(compose, item_public_id, decision, key, now, origin, wallet=wallet_number)


def pay_refund_outside(
    *,
    item_public_id: uuid.UUID,
    decision: Decision,
    key: IdempotencyKey,
    now: dt.datetime,
    origin: Origin = audit.SYSTEM,
) -> Resolved:
    """Enter that a refund, which found its wallet closed, was paid from the bank's account.

    :raises ResolutionDoesNotFit: it is no refund
    :raises SuspenseItemResolved, SuspenseItemNotFound, NotOfFinance, ReasonNeeded, IdempotencyKeyReused: as it says
    """

    def compose(case: Case) -> Ruling:
        voucher, wallet = case.of_voucher("refund")
        group = [till_legs.paid_outside(case.item, voucher, wallet.pk)]
        return Ruling(resolution=SuspenseItem.Resolution.PAID_OUTSIDE, group=group)

    return resolve(compose, item_public_id, decision, key, now, origin)


def reverse_release(
    *,
    item_public_id: uuid.UUID,
    decision: Decision,
    key: IdempotencyKey,
    now: dt.datetime,
    origin: Origin = audit.SYSTEM,
) -> Resolved:
    """Take back what was released, returned or paid outside, fees too: it is owed again, in an item that is open.

    The voucher stays as it is.

    :raises InsufficientFunds, WalletClosed: nothing was written
    :raises AlreadyReversed: once is enough
    :raises ResolutionDoesNotFit: it was not released
    :raises SuspenseItemNotFound, NotOfFinance, ReasonNeeded, IdempotencyKeyReused: as it says
    """

    def once() -> Resolved:
        first_id = uuid7()
        with transaction.atomic():
            made = posting.claim(key, produces="transfer", id=first_id)
            if made is not None:
                return Resolved(item=SuspenseItem.objects.get(transfer_id=made), replayed=True)
            require_finance(decision)
            item = lock(item_public_id)
            if item.resolution not in RELEASES:
                raise ResolutionDoesNotFit(resolution=item.resolution)
            assert item.resolution_transfer_id is not None
            voucher = lock_voucher(item)
            first, *rest = mirror_legs(item.resolution_transfer_id, allowed={Kind.RELEASE})
            again = SuspenseItem.objects.create(
                voucher=voucher,
                user_id=item.user_id,
                direction=item.direction,
                reason=SuspenseItem.Reason.RELEASE_REVERSED,
                amount=item.amount,
                currency=item.currency,
                transfer_id=first_id,
                created_at=now,
            )
            record_decision(
                "suspense.release_reversed",
                subject_type="suspense_item",
                subject_id=item.public_id,
                decision=decision,
                origin=origin,
                opened=str(again.public_id),
                transfer=str(first_id),
                amount=f"{item.amount:.2f}",
                currency=item.currency,
            )
            posting.post([replace(first, id=first_id), *rest], decision=decision)
            return Resolved(item=again)

    return with_retries(once)


def _customers_wallet(case: Case, wallet_number: str | None) -> Wallet:
    """The issuer's wallet, which may be named; of an unknown number the one that must be."""
    named = None if wallet_number is None else _named_wallet(wallet_number)
    if case.voucher is None:
        if named is None:
            raise ResolutionDoesNotFit(detail="Name the customer's wallet.")
        return named
    wallet = selectors.wallet_of(case.voucher)
    if named is not None and named != wallet:
        raise ResolutionDoesNotFit(detail="The number belongs to another customer's voucher.")
    return wallet


def _named_wallet(number: str) -> Wallet:
    try:
        return Wallet.objects.get(number=number, kind=Wallet.Kind.CUSTOMER)
    except Wallet.DoesNotExist:
        raise UnknownWallet from None
