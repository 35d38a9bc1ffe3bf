"""What staff freeze and unfreeze. A freeze is the customer's wish or the bank's, and is undone accordingly.

What a customer wanted frozen (a lost telephone) is undone for whoever is asked questions first and answers them; what
the bank wanted frozen is undone by finance or an administrator only. The bank's wish goes before the customer's.

A frozen wallet neither sends nor receives, and no voucher is made from it or redeemed into it. Money that returns to its
owner still comes back into it, and vouchers made before are used, or cancelled, as if it were active.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db import models, transaction

from accounts import audit
from accounts.audit import Origin
from accounts.models import User
from accounts.notices import tell
from accounts.staff_deeds import NotAllowed, Why, locked_person, officer_with, require_seen
from mymoolah.common import read_cache
from mymoolah.common.errors import DomainError
from wallets.models import Wallet
from wallets.services import CannotFreeze, WalletNotFound

MAY_FREEZE: Final = "wallets.freeze_wallet"
MAY_UNFREEZE: Final = "wallets.unfreeze_wallet"
NOT_STOPPED: Final = "Vouchers and cash-outs made before can still be used, at a till or by whoever has the code, until they are cancelled."
HOW_TO_STOP_IT: Final = (
    "EasyPay vouchers and cash-outs the customer cancels in the app, or support beside each on the customer page; "
    "standard vouchers two of finance cancel."
)


class FreezeReason(models.TextChoices):
    LOST = "lost", "The customer asks: a telephone or a card is lost"
    ASKED = "asked", "The customer asks for another reason"
    TAKEOVER = "takeover", "Somebody else seems to use the account"
    FRAUD = "fraud", "Fraud is suspected"
    ORDERED = "ordered", "A court or an authority orders it"
    OTHER = "other", "Something else"


CUSTOMERS_WISH: Final = frozenset({FreezeReason.LOST, FreezeReason.ASKED})


class UnfreezeReason(models.TextChoices):
    ASKED = "asked", "The customer asks for it"
    CLEARED = "cleared", "Looked into, and nothing was wrong"
    LIFTED = "lifted", "The order was lifted"
    MISTAKE = "mistake", "Frozen by mistake"
    OTHER = "other", "Something else"


class Question(models.TextChoices):
    """What a caller has to know before what he froze is undone. Other answers than these are in no message of ours."""

    BORN = "born", "Date of birth, as in the identity document"
    CONTACTS = "contacts", "The e-mail address and the phone number of the account"
    LATEST = "latest", "What was last paid or received, and about how much"


class NotFrozen(DomainError):
    code, status, title = "wallet_not_frozen", 409, "Only a frozen wallet can be unfrozen"


class QuestionsOpen(DomainError):
    code, status, title = "questions_open", 409, "Ask the caller every question first, and tick what was answered right"


def freeze_for_cause(*, number: str, seen: str, why: Why, origin: Origin) -> Wallet:
    """Stop a customer's wallet from sending and receiving; one that the customer froze may become the bank's.

    :raises WalletNotFound, NotAllowed, OwnAccount, StaffAccount, ReasonNeeded: nothing was done
    :raises StalePage: it is no longer what the page showed (`seen`, a `Wallet.standing`)
    :raises CannotFreeze: it is closed, or frozen for as good a reason
    """
    why.require(FreezeReason, in_words=why.reason not in CUSTOMERS_WISH)
    wanted_by = Wallet.FrozenBy.CUSTOMER if why.reason in CUSTOMERS_WISH else Wallet.FrozenBy.BANK
    with transaction.atomic():
        person, wallet = _locked(number, officer_with(MAY_FREEZE, origin=origin))
        require_seen(seen=seen, present=wallet.standing)
        becomes_the_banks = wallet.frozen_by == Wallet.FrozenBy.CUSTOMER and wanted_by == Wallet.FrozenBy.BANK
        if wallet.status != Wallet.Status.ACTIVE and not becomes_the_banks:
            raise CannotFreeze(status=wallet.status)
        _set(person, wallet, Wallet.Status.FROZEN, wanted_by)
        audit.record(
            "wallet.frozen",
            subject_type="wallet",
            subject_id=number,
            origin=origin,
            frozen_by=wanted_by.value,
            **why.facts(),
        )
        text = (
            f"It neither sends nor receives until it is unfrozen. {NOT_STOPPED} EasyPay vouchers and cash-outs you can "
            "cancel in the app, or we for you; please call us about those and others, or if you have questions."
        )
        tell(person, f"Your wallet ending in {number[-4:]} {'stays' if becomes_the_banks else 'is'} frozen", text)
    return wallet


def unfreeze_wallet(*, number: str, seen: str, why: Why, answered: Collection[str] = (), origin: Origin) -> Wallet:
    """Let a frozen wallet send and receive again.

    :raises WalletNotFound, NotAllowed, OwnAccount, StaffAccount, ReasonNeeded, StalePage: nothing was done; who may
        depends on who wanted it frozen
    :raises NotFrozen: it is active or closed
    :raises QuestionsOpen: the customer froze it, and not every `Question` was answered
    """
    why.require(UnfreezeReason, in_words=True)
    with transaction.atomic():
        officer = officer_with(MAY_FREEZE, MAY_UNFREEZE, origin=origin)
        person, wallet = _locked(number, officer)
        require_seen(seen=seen, present=wallet.standing)
        if wallet.status != Wallet.Status.FROZEN:
            raise NotFrozen(status=wallet.status)
        if wallet.frozen_by != Wallet.FrozenBy.CUSTOMER:
            if not officer.has_perm(MAY_UNFREEZE):
                raise NotAllowed(detail="The bank froze it: finance or an administrator can undo that.")
        elif not set(Question.values) <= set(answered):
            raise QuestionsOpen
        frozen_by = wallet.frozen_by
        _set(person, wallet, Wallet.Status.ACTIVE, None)
        audit.record(
            "wallet.unfrozen",
            subject_type="wallet",
            subject_id=number,
            origin=origin,
            frozen_by=frozen_by,
            answered=sorted(set(answered) & set(Question.values)),
            **why.facts(),
        )
        text = "It sends and receives as before. If you did not ask for this, please call us at once."
        tell(person, f"Your wallet ending in {number[-4:]} works again", text)
    return wallet


def _locked(number: str, officer: User) -> tuple[User, Wallet]:
    """A customer and one of his wallets, locked in this order."""
    owners = Wallet.objects.filter(number=number, kind=Wallet.Kind.CUSTOMER).values_list("user__public_id", flat=True)
    owner = owners.first()
    if owner is None:
        raise WalletNotFound
    person = locked_person(public_id=owner, officer=officer)
    return person, Wallet.objects.select_for_update(no_key=True).get(number=number)


def _set(person: User, wallet: Wallet, status: Wallet.Status, frozen_by: Wallet.FrozenBy | None) -> None:
    wallet.status, wallet.frozen_by = status, frozen_by
    wallet.save(update_fields=["status", "frozen_by"])
    read_cache.changed(person.public_id)
