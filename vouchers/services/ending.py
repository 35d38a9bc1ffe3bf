"""Cancelling and expiring vouchers: what was paid or held for them goes back."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from django.db import Error, transaction

from accounts import audit
from accounts.audit import Origin
from accounts.decisions import Decision, record_decision, require_finance
from mymoolah.common import read_cache
from mymoolah.common.errors import DomainError
from mymoolah.common.retries import with_retries
from transactions import holds, posting
from transactions.posting import IdempotencyKey
from vouchers import legs, selectors
from vouchers.errors import (
    ENDED,
    VoucherExpired,
    VoucherNotCancellable,
    VoucherNotFound,
    VoucherUnderReview,
    refusals,
)
from vouchers.models import LIVE, SuspenseItem, Voucher
from vouchers.policies import policy_of
from wallets.models import Wallet

logger = logging.getLogger(__name__)

ZERO = Decimal("0.00")


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """A voucher that was cancelled."""

    voucher: Voucher
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What became of the vouchers that were due: those that failed stay, and are tried again by the next sweep."""

    expired: int
    failed: int


def cancel_voucher(
    *,
    user_public_id: uuid.UUID,
    voucher_public_id: uuid.UUID,
    key: IdempotencyKey,
    now: dt.datetime,
    origin: Origin,
) -> Cancelled:
    """Cancel a customer's own voucher, once for each `key`; face, fee and VAT come back, or are no longer held.

    Also while his wallet is frozen: that stops nobody at a till, so whoever froze it ends here what a thief made.

    :raises VoucherNotFound: he has no such voucher
    :raises VoucherNotCancellable, VoucherRedeemed, VoucherExpired, VoucherCancelled, VoucherUnderReview: as it says
    :raises IdempotencyKeyReused: `key` already carries another request
    """

    def once() -> Cancelled:
        with transaction.atomic(), refusals():
            made = posting.claim(key, produces="voucher", id=voucher_public_id)
            if made is not None:
                return _cancelled_before(made)
            voucher = _lock(public_id=voucher_public_id, user__public_id=user_public_id)
            if not policy_of(voucher).is_cancellable:
                raise VoucherNotCancellable(voucher_type=voucher.voucher_type)
            _check(voucher, now)
            _end(voucher, status="cancelled", initiated_by=voucher.user_id, now=now)
            audit.record(
                "voucher.cancelled",
                subject_type="voucher",
                subject_id=voucher_public_id,
                origin=replace(origin, actor_id=voucher.user_id),
            )
            return Cancelled(voucher=voucher)

    return with_retries(once)


def cancel_for_customer(
    *,
    voucher_public_id: uuid.UUID,
    decision: Decision,
    key: IdempotencyKey,
    now: dt.datetime,
    origin: Origin,
) -> Cancelled:
    """Cancel a voucher that customers cannot cancel themselves (a lost code), by two of finance, once for each `key`.

    :raises NotOfFinance, ReasonNeeded: nothing was written
    :raises VoucherNotFound, VoucherRedeemed, VoucherExpired, VoucherCancelled, VoucherUnderReview: as it says
    :raises VoucherNotCancellable: its issuer can cancel it himself
    """

    def once() -> Cancelled:
        with transaction.atomic(), refusals():
            made = posting.claim(key, produces="voucher", id=voucher_public_id)
            if made is not None:
                return _cancelled_before(made)
            require_finance(decision)
            voucher = _lock(public_id=voucher_public_id)
            if policy_of(voucher).is_cancellable:
                raise VoucherNotCancellable(voucher_type=voucher.voucher_type)
            _check(voucher, now)
            _end(voucher, status="cancelled", decision=decision, now=now)
            record_decision(
                "voucher.cancelled_by_finance",
                subject_type="voucher",
                subject_id=voucher_public_id,
                decision=decision,
                origin=origin,
            )
            return Cancelled(voucher=voucher)

    return with_retries(once)


def _cancelled_before(public_id: uuid.UUID) -> Cancelled:
    voucher = Voucher.objects.select_related("user").get(public_id=public_id)
    read_cache.changed(voucher.user.public_id)
    return Cancelled(voucher=voucher, replayed=True)


# What is due --------------------------------------------------------------------------------------------------------
def expire_vouchers(
    *, now: dt.datetime, limit: int | None = None, advance: Callable[[int], object] | None = None
) -> Sweep:
    """End the vouchers whose term is over, the longest overdue first, at most `limit` of them.

    Candidates are looked up in batches; each ends in a transaction of its own, so that wallets are never locked out of
    order, and one that another sweep holds is skipped: any number may run at once, and each voucher expires once. One
    that fails is logged and left. EasyPay vouchers wait 72 hours for tills' late messages, those with an open suspense
    item for finance. `advance` hears of each voucher that was looked at.
    """
    expired = failed = 0
    for voucher_id in selectors.due_vouchers(now=now, limit=limit):
        try:
            expired += with_retries(lambda: _expire(voucher_id, now))  # noqa: B023 - called at once
        except (DomainError, Error):
            logger.exception("Voucher %s could not be expired.", voucher_id)
            failed += 1
        if advance is not None:
            advance(1)
    return Sweep(expired=expired, failed=failed)


def _expire(voucher_id: int, now: dt.datetime) -> bool:
    with transaction.atomic(), refusals():
        voucher = (
            Voucher.objects.select_related("user")
            .select_for_update(no_key=True, skip_locked=True, of=("self",))
            .filter(pk=voucher_id, status__in=LIVE)
            .first()
        )
        if voucher is None or voucher.expires_at + policy_of(voucher).grace > now or selectors.is_under_review(voucher):
            return False
        _end(voucher, status="expired", now=now)
        audit.record("voucher.expired", subject_type="voucher", subject_id=voucher.public_id)
        return True


# Both ---------------------------------------------------------------------------------------------------------------
def _lock(**which: object) -> Voucher:
    try:
        return Voucher.objects.select_related("user").select_for_update(no_key=True, of=("self",)).get(**which)
    except Voucher.DoesNotExist:
        raise VoucherNotFound from None


def _check(voucher: Voucher, now: dt.datetime) -> None:
    if voucher.status in ENDED:
        raise ENDED[voucher.status]
    if selectors.is_under_review(voucher):
        raise VoucherUnderReview
    if voucher.expires_at <= now:
        raise VoucherExpired


def _end(
    voucher: Voucher,
    *,
    status: Literal["cancelled", "expired"],
    now: dt.datetime,
    initiated_by: int | None = None,
    decision: Decision | None = None,
) -> None:
    """Give back what was paid for a locked voucher, or free what is held; a closed wallet's money goes to suspense."""
    policy, wallet = policy_of(voucher), selectors.wallet_of(voucher)
    rest = voucher.balance
    voucher.status, voucher.balance = Voucher.Status(status), ZERO
    voucher.save(update_fields=["status", "balance"])
    read_cache.changed(voucher.user.public_id)
    if policy.at_issue == "held":
        assert voucher.hold_id is not None
        holds.free(hold_id=voucher.hold_id, status="expired" if status == "expired" else "voided")
    elif policy.at_issue == "debited":
        is_closed = wallet.status == Wallet.Status.CLOSED
        group = legs.refund(voucher, wallet.pk, rest, to_suspense=is_closed)
        if is_closed:
            SuspenseItem.objects.create(
                voucher=voucher,
                user_id=voucher.user_id,
                direction=SuspenseItem.Direction.OWED_TO_CUSTOMER,
                reason=SuspenseItem.Reason.WALLET_CLOSED,
                amount=rest + voucher.fee_amount + voucher.vat_amount,
                currency=voucher.currency,
                transfer_id=group[0].id,
                created_at=now,
            )
        posting.post(group, initiated_by=initiated_by, decision=decision)
