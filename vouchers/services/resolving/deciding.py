"""What all decisions about suspense have in common."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from django.db import transaction

from accounts.audit import Origin
from accounts.decisions import Decision, record_decision, require_finance
from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.ids import uuid7
from mymoolah.common.retries import with_retries
from transactions import posting
from transactions.posting import IdempotencyKey, Leg
from vouchers import selectors
from vouchers.models import SuspenseItem, Voucher
from vouchers.policies import policy_of
from wallets.models import Wallet

Story = Literal["cash_in", "spent", "cash_out", "refund"]


class SuspenseItemNotFound(NotFound):
    code, title = "suspense_item_not_found", "There is no such suspense item"


class SuspenseItemResolved(DomainError):
    code, status, title = "suspense_item_resolved", 409, "This suspense item has been resolved"


class ResolutionDoesNotFit(DomainError):
    code, status, title = "resolution_does_not_fit", 409, "This is no way to resolve this suspense item"


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A suspense item after a decision: resolved, or, where a release was taken back, the one that is open again."""

    item: SuspenseItem
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Case:
    """An item, its voucher, both locked, and the id that the first transfer of the decision is to have."""

    item: SuspenseItem
    voucher: Voucher | None
    first_id: uuid.UUID
    now: dt.datetime

    @property
    def story(self) -> Story:
        """What happened: money came in at a till, or belongs to a closed wallet, or a till paid out, or sold, too much."""
        till = "cash_in" if self.voucher is None else policy_of(self.voucher).till
        if self.item.direction == SuspenseItem.Direction.OWED_TO_CUSTOMER:
            return "cash_in" if till == "cash_in" else "refund"
        assert till is not None
        return till

    def require(self, *stories: Story) -> None:
        """:raises ResolutionDoesNotFit: something else happened"""
        if self.story not in stories:
            raise ResolutionDoesNotFit(happened=self.story)

    def of_voucher(self, *stories: Story, is_live: bool = False) -> tuple[Voucher, Wallet]:
        """The voucher that it happened with, and its issuer's wallet.

        :raises ResolutionDoesNotFit: something else happened, or the voucher is not live though it must be
        """
        self.require(*stories)
        assert self.voucher is not None
        if is_live and self.voucher.status != policy_of(self.voucher).first_status:
            raise ResolutionDoesNotFit(voucher_status=self.voucher.status)
        return self.voucher, selectors.wallet_of(self.voucher)


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What resolves an item."""

    resolution: SuspenseItem.Resolution
    group: list[Leg]
    hold_id: int | None = None


def resolve(  # noqa: PLR0917 - within this package, and the first six are the same everywhere
    compose: Callable[[Case], Ruling],
    item_public_id: uuid.UUID,
    decision: Decision,
    key: IdempotencyKey,
    now: dt.datetime,
    origin: Origin,
    **facts: object,
) -> Resolved:
    """Resolve an open item, once for each `key`, by the group that `compose` makes."""

    def once() -> Resolved:
        first_id = uuid7()
        with transaction.atomic():
            if posting.claim(key, produces="transfer", id=first_id) is not None:
                return Resolved(item=SuspenseItem.objects.get(public_id=item_public_id), replayed=True)
            require_finance(decision)
            item = lock(item_public_id)
            if item.resolved_at is not None:
                raise SuspenseItemResolved(resolution=item.resolution)
            ruling = compose(Case(item=item, voucher=lock_voucher(item), first_id=first_id, now=now))
            first, *rest = ruling.group
            item.resolution, item.resolution_transfer_id, item.resolved_at = ruling.resolution, first_id, now
            item.resolved_by_id, item.approved_by_id = decision.proposed_by, decision.approved_by
            item.save(update_fields=["resolution", "resolution_transfer", "resolved_at", "resolved_by", "approved_by"])
            record_decision(
                "suspense.resolved",
                subject_type="suspense_item",
                subject_id=item_public_id,
                decision=decision,
                origin=origin,
                resolution=ruling.resolution.value,
                transfer=str(first_id),
                amount=f"{item.amount:.2f}",
                currency=item.currency,
                **facts,
            )
            posting.post([replace(first, id=first_id), *rest], decision=decision, hold_id=ruling.hold_id)
            return Resolved(item=item)

    return with_retries(once)


def lock(item_public_id: uuid.UUID) -> SuspenseItem:
    try:
        return SuspenseItem.objects.select_for_update(no_key=True).get(public_id=item_public_id)
    except SuspenseItem.DoesNotExist:
        raise SuspenseItemNotFound from None


def lock_voucher(item: SuspenseItem) -> Voucher | None:
    """Lock the voucher of a locked item, lest it ends meanwhile; an unknown number has none."""
    if item.voucher_id is None:
        return None
    locked = Voucher.objects.select_related("user").select_for_update(no_key=True, of=("self",))
    return locked.get(pk=item.voucher_id)
