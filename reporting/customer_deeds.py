"""What staff can do for a customer: each deed, who may, when it fits, and what will happen. Rules are the services'."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db import models

from accounts import care, contacts, passwords, standing
from accounts.audit import Origin
from accounts.lockout import is_locked
from accounts.models import LoginSession, User
from mymoolah.common.admin import plain_money
from mymoolah.common.clock import now
from reporting.customer_forms import (
    AnsweredForm,
    CancelForm,
    ContactForm,
    FreezeForm,
    SessionForm,
    TakeOverForm,
    WhyForm,
)
from transactions.posting import IdempotencyKey
from vouchers.legs import LABELS
from vouchers.models import Voucher
from vouchers.policies import policy_of
from vouchers.services import closing, ending
from wallets import freezing
from wallets.models import Wallet

SHOWN_SECONDS: Final = 60
"""How long a whole identity number is on the screen."""


@dataclass(frozen=True)
class About:
    """Whom a deed is done for, and to which wallet or voucher of his."""

    customer: User
    wallet: Wallet | None = None
    voucher: Voucher | None = None

    @property
    def name(self) -> str:
        """What is added to the title of the deed."""
        if self.wallet is not None:
            return f" {self.wallet.number}"
        return "" if self.voucher is None else f": {label_of(self.voucher)}"


@dataclass(frozen=True)
class Asked:
    """A form that was filled in, about whom, by whom and when."""

    about: About
    form: Any
    origin: Origin
    moment: dt.datetime

    @property
    def customer(self) -> User:
        return self.about.customer

    @property
    def seen(self) -> str:
        return str(self.form.cleaned_data["seen"])

    @property
    def number(self) -> str:
        assert self.about.wallet is not None
        return self.about.wallet.number

    @property
    def voucher(self) -> Voucher:
        assert self.about.voucher is not None
        return self.about.voucher

    @property
    def key(self) -> IdempotencyKey:
        """What makes a form about a voucher happen once, however often it is sent."""
        request = hashlib.sha256(f"cancel {self.voucher.public_id}".encode()).digest()
        return IdempotencyKey(f"staff:{self.origin.actor_id}", self.form.cleaned_data["once"], request)


@dataclass(frozen=True, kw_only=True)
class Deed:
    title: str
    what_happens: str
    permissions: Collection[str]
    """One of them is enough."""
    reasons: type[models.TextChoices]
    do: Callable[[Asked], str]
    """What it was, in a sentence; a refusal is raised."""
    fits: Callable[[User], bool] = lambda _: True
    """Whether it can be done as things stand; one query at most."""
    fits_wallet: Callable[[Wallet], bool] | None = None
    """Where it is done to one wallet."""
    check_voucher: Callable[[Voucher], None] | None = None
    """Where it is done to one voucher: raises what stands in the way."""
    in_words: bool = True
    is_danger: bool = False
    form: type[WhyForm] = WhyForm


# What is done -----------------------------------------------------------------------------------------------------------
def _freeze(asked: Asked) -> str:
    freezing.freeze_for_cause(number=asked.number, seen=asked.seen, why=asked.form.why, origin=asked.origin)
    return f"Wallet {asked.number} is frozen: it neither sends nor receives. {freezing.NOT_STOPPED}"


def _take_over(asked: Asked) -> str:
    freezing.freeze_for_cause(number=asked.number, seen=asked.seen, why=asked.form.why, origin=asked.origin)
    return f"Wallet {asked.number} is now frozen by the bank: only finance or an administrator can undo that."


def _cancel_voucher(asked: Asked) -> str:
    voucher, cost = asked.voucher, plain_money(asked.voucher.cost.amount, asked.voucher.currency)
    ending.cancel_for_cause(
        voucher_public_id=voucher.public_id,
        why=asked.form.why,
        key=asked.key,
        now=asked.moment,
        origin=asked.origin,
    )
    came_back = {
        "debited": f"{cost} came back into the customer's wallet.",
        "held": f"{cost} is no longer held in the customer's wallet.",
        "nothing": "Nothing had been paid for it.",
    }
    return f"The {label_of(voucher)} is cancelled. {came_back[policy_of(voucher).at_issue]}"


def _unfreeze(asked: Asked) -> str:
    freezing.unfreeze_wallet(
        number=asked.number,
        seen=asked.seen,
        why=asked.form.why,
        answered=asked.form.cleaned_data.get("answered", ()),
        origin=asked.origin,
    )
    return f"Wallet {asked.number} sends and receives again."


def _suspend(asked: Asked) -> str:
    standing.suspend_account(
        user=asked.customer.public_id, seen=asked.seen, why=asked.form.why, now=asked.moment, origin=asked.origin
    )
    return "The account is suspended, and every session has ended."


def _reinstate(asked: Asked) -> str:
    standing.reinstate_account(user=asked.customer.public_id, seen=asked.seen, why=asked.form.why, origin=asked.origin)
    return "The account is active again."


def _close(asked: Asked) -> str:
    closing.close_account(
        user=asked.customer.public_id, seen=asked.seen, why=asked.form.why, now=asked.moment, origin=asked.origin
    )
    return "The account and its wallets are closed."


def _reopen(asked: Asked) -> str:
    closing.reopen_account(user=asked.customer.public_id, why=asked.form.why, now=asked.moment, origin=asked.origin)
    return "The account is open again, and suspended until somebody reinstates it."


def _end_sessions(asked: Asked) -> str:
    session: LoginSession | None = asked.form.cleaned_data["session"]
    common = {"user": asked.customer.public_id, "why": asked.form.why, "now": asked.moment, "origin": asked.origin}
    if session is not None:
        care.end_one_session(session=session.public_id, **common)
        return "The session has ended."
    count = care.end_every_session(**common)
    return f"{count} session{'' if count == 1 else 's'} ended."


def _unlock(asked: Asked) -> str:
    care.unlock_sign_in(user=asked.customer.public_id, why=asked.form.why, origin=asked.origin)
    return "Sign-in is unlocked: the customer can try again."


def _send_code(asked: Asked) -> str:
    care.send_contact_code(
        user=asked.customer.public_id,
        contact=asked.form.cleaned_data["contact"],
        why=asked.form.why,
        now=asked.moment,
        origin=asked.origin,
    )
    return "A new code is on its way."


def _send_reset(asked: Asked) -> str:
    care.send_password_reset(user=asked.customer.public_id, why=asked.form.why, now=asked.moment, origin=asked.origin)
    return "The customer gets an e-mail to choose a new password with."


def _reveal(asked: Asked) -> str:
    return care.reveal_number(user=asked.customer.public_id, why=asked.form.why, now=asked.moment, origin=asked.origin)


def label_of(voucher: Voucher) -> str:
    """`EasyPay cash-out …1234`"""
    end = f" \N{HORIZONTAL ELLIPSIS}{voucher.easypay_number[-4:]}" if voucher.easypay_number else ""
    return f"{LABELS[Voucher.Type(voucher.voucher_type)]}{end}"


def _is_open(person: User) -> bool:
    return person.status != User.Status.CLOSED


DEEDS: Final = {
    "freeze": Deed(
        title="Freeze wallet",
        what_happens="From now on the wallet neither sends nor receives, and no voucher is made from it or redeemed into "
        f"it. {freezing.NOT_STOPPED} {freezing.HOW_TO_STOP_IT} The customer is told, not why.",
        permissions=[freezing.MAY_FREEZE],
        reasons=freezing.FreezeReason,
        do=_freeze,
        fits_wallet=lambda wallet: wallet.status == Wallet.Status.ACTIVE,
        in_words=False,
        is_danger=True,
        form=FreezeForm,
    ),
    "take-over": Deed(
        title="Take over frozen wallet",
        what_happens="The customer froze it. From now on the bank does, and only finance or an administrator can undo "
        "that, whatever a caller answers. The customer is told, not why.",
        permissions=[freezing.MAY_FREEZE],
        reasons=freezing.FreezeReason,
        do=_take_over,
        fits_wallet=lambda wallet: (
            wallet.status == Wallet.Status.FROZEN and wallet.frozen_by == Wallet.FrozenBy.CUSTOMER
        ),
        is_danger=True,
        form=TakeOverForm,
    ),
    "unfreeze": Deed(
        title="Unfreeze wallet",
        what_happens="The wallet sends and receives again. The customer is told.",
        permissions=[freezing.MAY_FREEZE, freezing.MAY_UNFREEZE],
        reasons=freezing.UnfreezeReason,
        do=_unfreeze,
        fits_wallet=lambda wallet: wallet.status == Wallet.Status.FROZEN,
        form=AnsweredForm,
    ),
    "cancel-voucher": Deed(
        title="Cancel voucher",
        what_happens="The voucher ends for good. What was paid for it comes back into the customer's wallet, fee and VAT "
        "too, or is no longer held there, also while the wallet is frozen. The customer is told, not why. What a till "
        "did with it and has not reported yet is decided by finance then.",
        permissions=[ending.MAY_CANCEL],
        reasons=ending.CancelReason,
        do=_cancel_voucher,
        check_voucher=lambda voucher: ending.require_cancellable(voucher, now=now()),
        in_words=False,
        is_danger=True,
        form=CancelForm,
    ),
    "suspend": Deed(
        title="Suspend account",
        what_happens="Signing in and moving money stop at once, and every session ends. The customer is told, not why.",
        permissions=[standing.MAY_SUSPEND],
        reasons=standing.SuspensionReason,
        do=_suspend,
        fits=lambda person: person.status == User.Status.ACTIVE,
        is_danger=True,
    ),
    "reinstate": Deed(
        title="Reinstate account",
        what_happens="Signing in and moving money work again. The customer is told.",
        permissions=[standing.MAY_SUSPEND],
        reasons=standing.ReinstatementReason,
        do=_reinstate,
        fits=lambda person: person.status == User.Status.SUSPENDED,
    ),
    "close": Deed(
        title="Close account",
        what_happens="The account, its wallets and its sessions end. It is refused while anything is left in it. An "
        "administrator can take it back within 30 days.",
        permissions=[closing.MAY_CLOSE],
        reasons=closing.ClosingReason,
        do=_close,
        fits=lambda person: person.status != User.Status.CLOSED,
        is_danger=True,
    ),
    "reopen": Deed(
        title="Reopen account",
        what_happens="Wallets are what they were; the account is suspended until somebody reinstates it.",
        permissions=[closing.MAY_REOPEN],
        reasons=closing.ReopeningReason,
        do=_reopen,
        fits=lambda person: person.status == User.Status.CLOSED,
    ),
    "end-sessions": Deed(
        title="End sessions",
        what_happens="Whoever is signed in there has to sign in anew, after fifteen minutes at the latest.",
        permissions=[care.MAY_ASSIST],
        reasons=care.CareReason,
        do=_end_sessions,
        fits=_is_open,
        in_words=False,
        form=SessionForm,
    ),
    "unlock": Deed(
        title="Unlock sign-in",
        what_happens="Wrong passwords typed so far are forgotten. Ask who is calling first.",
        permissions=[care.MAY_ASSIST],
        reasons=care.CareReason,
        do=_unlock,
        fits=lambda person: _is_open(person) and is_locked(email=person.email),
        in_words=False,
    ),
    "send-code": Deed(
        title="Send a code again",
        what_happens="A new six-digit code goes to the contact that waits to be confirmed, and an older one is no good "
        "any more. You do not see it, and never ask for it.",
        permissions=[care.MAY_ASSIST],
        reasons=care.CareReason,
        do=_send_code,
        fits=lambda person: person.is_customer and bool(contacts.contacts_to_confirm(person)),
        in_words=False,
        form=ContactForm,
    ),
    "send-reset": Deed(
        title="Send a password reset",
        what_happens="The confirmed e-mail address gets a message to choose a new password with, good for 30 minutes.",
        permissions=[care.MAY_ASSIST],
        reasons=care.CareReason,
        do=_send_reset,
        fits=passwords.may_reset,
        in_words=False,
    ),
    "reveal": Deed(
        title="Show the ID number",
        what_happens=f"The whole number is shown for {SHOWN_SECONDS} seconds, once. That you looked, and why, is kept.",
        permissions=[care.MAY_REVEAL],
        reasons=care.RevealReason,
        do=_reveal,
        fits=care.has_number,
    ),
}
MATTERS: Final = {"unfreeze", "suspend", "reinstate", "close", "reopen", "reveal"}
"""What asks for the password again."""
