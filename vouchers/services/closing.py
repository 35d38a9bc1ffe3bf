"""Closing an account with everything that belongs to it, and opening it again.

It stands here because only vouchers know all that may still be open: what a customer has, is owed, or owes.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from django.db import models, transaction
from django.db.models import F

from accounts import audit
from accounts.audit import Origin
from accounts.models import AuditEvent, KycSubmission, User
from accounts.notices import tell
from accounts.sessions import end_sessions
from accounts.staff_deeds import Why, locked_person, officer_with, require_seen
from mymoolah.common import read_cache
from mymoolah.common.errors import DomainError
from mymoolah.common.retries import with_retries
from transactions.models import Receivable
from vouchers.models import LIVE, SuspenseItem, Voucher
from wallets.models import Wallet

MAY_CLOSE: Final = "accounts.close_user"
MAY_REOPEN: Final = "accounts.reopen_user"
REOPENED_WITHIN: Final = dt.timedelta(days=30)


class ClosingReason(models.TextChoices):
    ASKED = "asked", "The customer asks for it"
    FRAUD = "fraud", "The bank ends it: fraud or misuse"
    DECEASED = "deceased", "The customer has died, and the estate is settled"
    TWICE = "twice", "The customer has another account"
    COLLEAGUE = "colleague", "A colleague left"
    OTHER = "other", "Something else"


class ReopeningReason(models.TextChoices):
    ASKED = "asked", "The customer asks for it"
    MISTAKE = "mistake", "Closed by mistake"
    OTHER = "other", "Something else"


class AlreadyClosed(DomainError):
    code, status, title = "already_closed", 409, "This account is closed already"


class AccountNotEmpty(DomainError):
    code, status, title = "account_not_empty", 409, "Something of this account is still open"


class CannotReopen(DomainError):
    code, status, title = "cannot_reopen", 409, "Only an account that was closed within 30 days can be reopened"


def close_account(*, user: uuid.UUID, seen: str, why: Why, now: dt.datetime, origin: Origin) -> None:
    """End an account, its wallets and its sessions, if nothing is left in it.

    :raises NotAllowed, UnknownUser, OwnAccount, StaffAccount, ReasonNeeded: nothing was done
    :raises StalePage: the account is no longer what the page showed (`seen`, a status)
    :raises AlreadyClosed: it is
    :raises AccountNotEmpty: its detail names everything that is still open
    """
    why.require(ClosingReason, in_words=True)

    def work() -> None:
        with transaction.atomic():
            person = locked_person(public_id=user, officer=officer_with(MAY_CLOSE, origin=origin))
            require_seen(seen=seen, present=person.status)
            if person.status == User.Status.CLOSED:
                raise AlreadyClosed
            # Locked before anything is looked at: whoever pays, or makes a voucher, has done so or finds them closed.
            wallets = list(Wallet.objects.select_for_update(no_key=True).filter(user=person).order_by("id"))
            still_open = list(_what_is_open(person, wallets))
            if still_open:
                raise AccountNotEmpty(detail=f"{'; '.join(still_open)}.")
            before = [[wallet.number, wallet.status, wallet.frozen_by] for wallet in wallets]
            Wallet.objects.filter(user=person).update(status=Wallet.Status.CLOSED, frozen_by=None)
            read_cache.changed(person.public_id)
            person.status = User.Status.CLOSED
            person.save(update_fields=["status"])
            audit.record(
                "account.closed", subject_type="user", subject_id=user, origin=origin, wallets=before, **why.facts()
            )
            end_sessions(user=person, keep=None, now=now, origin=origin)
            tell(person, "Your MyMoolah account is closed", "If you did not ask for this, please call us at once.")

    with_retries(work)


def reopen_account(*, user: uuid.UUID, why: Why, now: dt.datetime, origin: Origin) -> None:
    """Take a closing of the last thirty days back: wallets are what they were, the account is suspended.

    Whoever reinstates it then has looked at it.

    :raises NotAllowed, UnknownUser, OwnAccount, StaffAccount, ReasonNeeded: nothing was done
    :raises CannotReopen: it is not closed, or was too long ago
    """
    why.require(ReopeningReason, in_words=True)
    with transaction.atomic():
        person = locked_person(public_id=user, officer=officer_with(MAY_REOPEN, origin=origin))
        closings = AuditEvent.objects.filter(subject_type="user", subject_id=str(user), verb="account.closed")
        closing = closings.order_by("-at").first()
        if person.status != User.Status.CLOSED or closing is None or closing.at <= now - REOPENED_WITHIN:
            raise CannotReopen
        for number, status, frozen_by in closing.facts["wallets"]:
            Wallet.objects.filter(user=person, number=number).update(status=status, frozen_by=frozen_by)
        read_cache.changed(person.public_id)
        person.status = User.Status.SUSPENDED
        person.save(update_fields=["status"])
        audit.record("account.reopened", subject_type="user", subject_id=user, origin=origin, **why.facts())


def _what_is_open(person: User, wallets: Sequence[Wallet]) -> Iterator[str]:
    for wallet in wallets:
        if wallet.balance or wallet.held:
            held = f", {wallet.held:,.2f} of it held" if wallet.held else ""
            yield f"wallet {wallet.number} holds {wallet.balance:,.2f} {wallet.currency}{held}"
    owed = Receivable.objects.filter(wallet__user=person, collected_amount__lt=F("amount"))
    counts = {
        "live voucher": Voucher.objects.filter(user=person, status__in=LIVE).count(),
        "amount owed to the bank": owed.count(),
        "amount in suspense": SuspenseItem.objects.filter(user=person, resolved_at=None).count(),
        "identity check that waits": person.kyc_submissions.filter(status=KycSubmission.Status.PENDING).count(),
    }
    yield from (f"{what}: {count}" for what, count in counts.items() if count)
