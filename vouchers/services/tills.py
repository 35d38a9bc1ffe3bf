"""What tills report: a fact is stored before it is acted on, and never refused.

Locks are taken in the order report, voucher, its totals, hold, wallets ascending.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import DataError, Error, transaction

from accounts import audit
from accounts.audit import Origin
from mymoolah.common import read_cache
from mymoolah.common.errors import DomainError, Unavailable
from mymoolah.common.money import Money
from mymoolah.common.retries import with_retries
from mymoolah.common.sql.queries import rows
from transactions import posting
from transactions.posting import BalanceTooHigh, HoldResolved, Leg, UserNotActive, WalletClosed, WalletFrozen
from vouchers import legs, selectors, till_legs
from vouchers.models import SuspenseItem, TillEvent, Voucher, VoucherRedemption
from vouchers.policies import policy_of
from wallets.models import Wallet

logger = logging.getLogger(__name__)

PROVIDER: Final = "easypay"
PATIENCE: Final = dt.timedelta(minutes=1)  # for whoever received a report to act on it himself
BATCH: Final = 500
# What keeps money from its voucher's wallet, however right the report is.
HINDRANCES: Final[Mapping[type[DomainError], SuspenseItem.Reason]] = {
    WalletFrozen: SuspenseItem.Reason.WALLET_FROZEN,
    WalletClosed: SuspenseItem.Reason.WALLET_CLOSED,
    UserNotActive: SuspenseItem.Reason.ACCOUNT_SUSPENDED,
    BalanceTooHigh: SuspenseItem.Reason.BALANCE_TOO_HIGH,
    HoldResolved: SuspenseItem.Reason.LATE,
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a till says has happened; `body` is all that it sent, as it was signed."""

    provider_reference: str
    easypay_number: str
    amount: Money
    paid_at: dt.datetime
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What became of reports that waited: those that failed stay, and are tried again by the next sweep."""

    processed: int
    failed: int


def report_payment(*, report: Report, now: dt.datetime, origin: Origin = audit.SYSTEM) -> TillEvent.Result:
    """Store what a till reports, act on it, once for each reference, and tell what became of it.

    A repeat gets the first answer; one whose body differs is audited.

    :raises Unavailable: it is stored and was not acted on; the till repeats it, or `process_events` finishes it
    """
    event = with_retries(lambda: _store(report, origin))
    if event.result is not None:
        if event.voucher is not None:
            read_cache.changed(event.voucher.user.public_id)
        return TillEvent.Result(event.result)
    try:
        result = with_retries(lambda: _act_once(event.pk, now=now, origin=origin, skip_locked=False))
    except Unavailable:
        raise
    except (
        DomainError,
        DataError,
    ) as refusal:  # a fact cannot be refused: somebody has to look why this one seems to be
        logger.exception("Report %s of a till could not be acted on.", event.pk)
        raise Unavailable from refusal
    assert result is not None
    return result


def _store(report: Report, origin: Origin) -> TillEvent:
    digest = hashlib.sha256(report.body).digest()
    with transaction.atomic():
        TillEvent.objects.bulk_create(
            [
                TillEvent(
                    provider=PROVIDER,
                    provider_reference=report.provider_reference,
                    body=report.body,
                    body_sha256=digest,
                    easypay_number=report.easypay_number,
                    amount=report.amount.amount,
                    currency=report.amount.currency,
                    paid_at=report.paid_at,
                )
            ],
            ignore_conflicts=True,
        )
        event = TillEvent.objects.defer("body").get(provider=PROVIDER, provider_reference=report.provider_reference)
        if bytes(event.body_sha256) != digest:
            audit.record(
                "till.reference_reused",
                subject_type="till_event",
                subject_id=event.pk,
                origin=origin,
                provider_reference=report.provider_reference,
                first_body_sha256=bytes(event.body_sha256).hex(),
                body_sha256=digest.hex(),
            )
    return event


# What waits ---------------------------------------------------------------------------------------------------------
def count_waiting(*, now: dt.datetime) -> int:
    """How many reports wait to be acted on longer than they should. One query."""
    return TillEvent.objects.filter(result=None, received_at__lt=now - PATIENCE).count()


def process_events(
    *, now: dt.datetime, limit: int | None = None, advance: Callable[[int], object] | None = None
) -> Sweep:
    """Act on reports that were stored and no more, the oldest first, at most `limit` of them.

    Each is a transaction of its own; one that another process is at is skipped, one that fails is logged and left, so
    any number of sweeps may run at once, beside the tills' own repeats. `advance` hears of each that was looked at.
    """
    processed = failed = 0
    for event_id in _waiting(now - PATIENCE, limit):
        try:
            result = with_retries(lambda: _act_once(event_id, now=now, origin=audit.SYSTEM, skip_locked=True))  # noqa: B023 - called at once
            processed += result is not None
        except (DomainError, Error):
            logger.exception("Report %s of a till could not be acted on.", event_id)
            failed += 1
        if advance is not None:
            advance(1)
    return Sweep(processed=processed, failed=failed)


def _waiting(until: dt.datetime, limit: int | None) -> Iterator[int]:
    """The ids of reports that wait, a batch at a time, so that those which stay are passed once."""
    last_at, last_id = dt.datetime.min.replace(tzinfo=dt.UTC), 0
    while limit is None or limit > 0:
        size = BATCH if limit is None else min(BATCH, limit)
        batch = rows("vouchers", "waiting_till_events.sql", until=until, last_at=last_at, last_id=last_id, most=size)
        for row in batch:
            yield row["id"]
        if len(batch) < size:
            return
        last_at, last_id = batch[-1]["received_at"], batch[-1]["id"]
        if limit is not None:
            limit -= len(batch)


# Acting -------------------------------------------------------------------------------------------------------------
def _act_once(event_id: int, *, now: dt.datetime, origin: Origin, skip_locked: bool) -> TillEvent.Result | None:
    """Act on a stored report unless somebody has; None: somebody is at it."""
    with transaction.atomic():
        waiting = TillEvent.objects.select_for_update(no_key=True, skip_locked=skip_locked).defer("body")
        event = waiting.filter(pk=event_id).first()
        if event is None:
            return None
        if event.result is not None:
            return TillEvent.Result(event.result)
        voucher = _lock(event.easypay_number)
        reason = _doubt(event, voucher)
        if reason is None:
            assert voucher is not None
            try:
                with transaction.atomic():
                    return _apply(event, voucher, now)
            except tuple(HINDRANCES) as hindrance:
                reason = HINDRANCES[type(hindrance)]
        return _suspend(event, voucher, reason, now, origin)


def _lock(easypay_number: str) -> Voucher | None:
    try:
        found = selectors.by_easypay_number(easypay_number).select_related("user")
        return found.select_for_update(no_key=True, of=("self",)).get()
    except Voucher.DoesNotExist:
        return None


def _doubt(event: TillEvent, voucher: Voucher | None) -> SuspenseItem.Reason | None:
    """Why a report cannot be taken at its word; None: it can."""
    if voucher is None:
        return SuspenseItem.Reason.UNKNOWN_NUMBER
    if voucher.status == Voucher.Status.REDEEMED:
        return SuspenseItem.Reason.AGAIN
    if voucher.status != policy_of(voucher).first_status or event.paid_at >= voucher.expires_at:
        return SuspenseItem.Reason.LATE
    if event.amount != voucher.original_amount:
        return SuspenseItem.Reason.OTHER_AMOUNT
    return None


def _apply(event: TillEvent, voucher: Voucher, now: dt.datetime) -> TillEvent.Result:
    """Redeem a locked voucher by its report.

    :raises DomainError: one of `HINDRANCES`; nothing was written
    """
    wallet, till = selectors.wallet_of(voucher), policy_of(voucher).till
    if till == "cash_in":
        group = legs.paid_in(voucher, wallet.pk)
    elif till == "spent":
        group = legs.spent(voucher, wallet.pk)
    else:
        group = legs.paid_out(voucher, wallet.pk)
    redeem(voucher, group[0], wallet if till == "cash_in" else None, now)
    _answer(event, voucher, TillEvent.Result.APPLIED, now)
    posting.post(group, hold_id=voucher.hold_id)
    return TillEvent.Result.APPLIED


def redeem(voucher: Voucher, leg: Leg, wallet: Wallet | None, now: dt.datetime) -> None:
    """Write that a locked voucher is redeemed, all of it, by `leg`: into a wallet, or, None, at a till."""
    Voucher.objects.filter(pk=voucher.pk).update(status=Voucher.Status.REDEEMED, balance=0)
    read_cache.changed(voucher.user.public_id)
    VoucherRedemption.objects.create(
        voucher=voucher,
        wallet=wallet,
        transfer_id=leg.id,
        amount=leg.amount.amount,
        currency=leg.amount.currency,
        created_at=now,
    )


def _suspend(
    event: TillEvent, voucher: Voucher | None, reason: SuspenseItem.Reason, now: dt.datetime, origin: Origin
) -> TillEvent.Result:
    """Put what a till reported aside for finance; a voucher that is live waits with it."""
    stripe = event.pk if voucher is None else selectors.wallet_of(voucher).pk
    till = "cash_in" if voucher is None else policy_of(voucher).till
    direction = SuspenseItem.Direction.OWED_TO_TILL
    if voucher is None or till == "cash_in":
        direction = SuspenseItem.Direction.OWED_TO_CUSTOMER
        leg = till_legs.paid_in_doubt(event, voucher, stripe)
    elif till == "spent":
        leg = till_legs.spent_in_doubt(event, voucher, stripe)
    else:
        leg = till_legs.paid_out_in_doubt(event, voucher, stripe)
    item = SuspenseItem.objects.create(
        till_event=event,
        voucher=voucher,
        user_id=None if voucher is None else voucher.user_id,
        direction=direction,
        reason=reason,
        amount=event.amount,
        currency=event.currency,
        transfer_id=leg.id,
        created_at=now,
    )
    audit.record(
        "suspense.opened",
        subject_type="suspense_item",
        subject_id=item.public_id,
        origin=origin,
        direction=direction.value,
        reason=reason.value,
        amount=str(leg.amount),
        currency=event.currency,
    )
    _answer(event, voucher, TillEvent.Result.SUSPENSE, now)
    posting.post([leg])
    return TillEvent.Result.SUSPENSE


def _answer(event: TillEvent, voucher: Voucher | None, result: TillEvent.Result, now: dt.datetime) -> None:
    event.voucher, event.result, event.processed_at = voucher, result, now
    event.save(update_fields=["voucher", "result", "processed_at"])
