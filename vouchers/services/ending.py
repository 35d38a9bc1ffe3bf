"""Cancelling and expiring vouchers: what was paid or held for them goes back.

What a customer can cancel himself, one of the staff cancels for who calls: money only returns to its owner, into the same
wallet. A voucher with a code is worth what is left of it to whoever knows that, so it takes two of finance.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

from django.db import Error, models, transaction

from accounts import audit
from accounts.audit import Origin
from accounts.decisions import Decision, record_decision, require_finance
from accounts.models import User
from accounts.notices import tell
from accounts.staff_deeds import Why, locked_person, officer_with
from mymoolah.common import read_cache
from mymoolah.common.errors import DomainError
from mymoolah.common.retries import with_retries
from transactions import holds, posting
from transactions.posting import IdempotencyKey, WalletClosed
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
MAY_CANCEL: Final = "vouchers.cancel_voucher"


class CancelReason(models.TextChoices):
    STOLEN = "stolen", "The customer asks: somebody else made it"
    ASKED = "asked", "The customer asks for another reason"
    TAKEOVER = "takeover", "Somebody else seems to use the account"
    FRAUD = "fraud", "Fraud is suspected"
    OTHER = "other", "Something else"


CUSTOMERS_WISH: Final = frozenset({CancelReason.STOLEN, CancelReason.ASKED})


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
            require_cancellable(voucher, now=now)
            _end(voucher, status="cancelled", initiated_by=voucher.user_id, now=now)
            audit.record(
                "voucher.cancelled",
                subject_type="voucher",
                subject_id=voucher_public_id,
                origin=replace(origin, actor_id=voucher.user_id),
            )
            return Cancelled(voucher=voucher)

    return with_retries(once)


def cancel_for_cause(
    *, voucher_public_id: uuid.UUID, why: Why, key: IdempotencyKey, now: dt.datetime, origin: Origin
) -> Cancelled:
    """Cancel for a customer what he can cancel himself, once for each `key`, and tell him; also while he is frozen out.

    :raises NotAllowed, OwnAccount, StaffAccount, ReasonNeeded: nothing was written
    :raises VoucherNotFound: nobody has such a voucher
    :raises VoucherNotCancellable, VoucherRedeemed, VoucherExpired, VoucherCancelled, VoucherUnderReview: as it says
    :raises WalletClosed: what comes back could not reach its owner
    :raises IdempotencyKeyReused: `key` already carries another request
    """
    why.require(CancelReason, in_words=why.reason not in CUSTOMERS_WISH)

    def once() -> Cancelled:
        with transaction.atomic(), refusals():
            officer = officer_with(MAY_CANCEL, origin=origin)
            made = posting.claim(key, produces="voucher", id=voucher_public_id)
            if made is not None:
                return _cancelled_before(made)
            # Its owner before it, as wherever staff do something for somebody: who closes the account waits, or has.
            person = locked_person(public_id=_owner_of(voucher_public_id), officer=officer)
            voucher = _lock(public_id=voucher_public_id)
            require_cancellable(voucher, now=now)
            wallet = selectors.wallet_of(voucher)
            if wallet.status == Wallet.Status.CLOSED:
                raise WalletClosed
            _end(voucher, status="cancelled", initiated_by=officer.pk, now=now)
            audit.record(
                "voucher.cancelled_by_staff",
                subject_type="voucher",
                subject_id=voucher_public_id,
                origin=origin,
                voucher_type=voucher.voucher_type,
                **why.facts(),
            )
            _tell_of_cancel(person, voucher, wallet)
            return Cancelled(voucher=voucher)

    return with_retries(once)


def _owner_of(voucher_public_id: uuid.UUID) -> uuid.UUID:
    owner = Voucher.objects.filter(public_id=voucher_public_id).values_list("user__public_id", flat=True).first()
    if owner is None:
        raise VoucherNotFound
    return owner


def _tell_of_cancel(person: User, voucher: Voucher, wallet: Wallet) -> None:
    cost, end = f"{voucher.cost.amount:,.2f} {voucher.currency}", wallet.number[-4:]
    what_comes_back = {
        "debited": f"{cost}, fee and VAT included, came back into your wallet ending in {end}.",
        "held": f"{cost} that was held for it, fee and VAT included, is free again in your wallet ending in {end}.",
        "nothing": "Nothing had been paid for it; please pay nothing to its number any more.",
    }[policy_of(voucher).at_issue]
    assert voucher.easypay_number is not None
    label = f"{legs.LABELS[Voucher.Type(voucher.voucher_type)]} ending in {voucher.easypay_number[-4:]}"
    tell(
        person, f"Your {label} is cancelled", f"{what_comes_back} If you did not ask for this, please call us at once."
    )


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


def require_cancellable(voucher: Voucher, *, now: dt.datetime) -> None:
    """What its customer, and staff for him, can cancel as things stand (`selectors.cancellable`). One query.

    :raises VoucherNotCancellable, VoucherRedeemed, VoucherExpired, VoucherCancelled, VoucherUnderReview: as it says
    """
    if not policy_of(voucher).is_cancellable:
        raise VoucherNotCancellable(voucher_type=voucher.voucher_type)
    _check(voucher, now)


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
