"""What is wrong right now for a customer, the worst first: this is what the caller asks about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from django.urls import reverse

from accounts import lockout
from accounts.models import KycSubmission, User
from mymoolah.common.admin import plain_money, shown
from mymoolah.common.errors import Unavailable
from reporting.customer_selectors import Row
from reporting.support.models import SupportTicket
from reporting.support.staff_words import about
from vouchers.models import SuspenseItem
from wallets.freezing import HOW_TO_STOP_IT, NOT_STOPPED
from wallets.models import Wallet

Level = Literal["stop", "warn", "note"]
ORDER: tuple[Level, ...] = ("stop", "warn", "note")
STILL_TYPED = dt.timedelta(minutes=10)
WAITS_FOR = {
    KycSubmission.WaitsFor.OFFICER: "an officer has to look at them",
    KycSubmission.WaitsFor.SECOND_OFFICER: "a second officer has to look at them",
    KycSubmission.WaitsFor.CUSTOMER: "the customer was asked for one of them again",
}
LEVELS: dict[int, Level] = {
    SupportTicket.Priority.URGENT: "stop",
    SupportTicket.Priority.HIGH: "warn",
    SupportTicket.Priority.NORMAL: "note",
}


@dataclass(frozen=True, kw_only=True)
class Trouble:
    level: Level
    title: str
    text: str = ""
    address: str = ""
    is_big: bool = False


def sorted_troubles(*parts: Iterable[Trouble]) -> list[Trouble]:
    found = [trouble for part in parts for trouble in part]
    return sorted(found, key=lambda trouble: ORDER.index(trouble.level))


def of_account(customer: User) -> Iterator[Trouble]:
    text = "The customer can neither sign in nor move money."
    if customer.status == User.Status.CLOSED:
        yield Trouble(level="stop", title="This account is closed", text=text, is_big=True)
    if customer.status == User.Status.SUSPENDED:
        yield Trouble(level="stop", title="This account is suspended", text=text, is_big=True)
    for contact, verified_at in (("e-mail", customer.email_verified_at), ("phone", customer.phone_verified_at)):
        if verified_at is None and (contact == "e-mail" or customer.phone):
            yield Trouble(
                level="note", title=f"The {contact} is not confirmed", text=f"Nobody can pay to this {contact} yet."
            )


def of_sign_in(customer: User) -> Iterator[Trouble]:
    try:
        seconds = lockout.locked_seconds(email=customer.email)
    except Unavailable:
        yield Trouble(level="note", title="Whether signing in is locked cannot be told now", text="Redis is away.")
        return
    if seconds:
        minutes = -(-seconds // 60)
        yield Trouble(
            level="stop",
            title="Signing in is locked",
            text=f"Too many wrong passwords; {minutes} more minute{'' if minutes == 1 else 's'}, or a new password.",
        )


def of_codes(codes: Iterable[Row], now: dt.datetime) -> Iterator[Trouble]:
    """Whether a message arrived nobody knows; that its code was not used, the customer can be asked about.

    For a while after it was sent, nothing is wrong: it is still being typed.
    """
    for code in codes:
        if code["expires_at"] > now and code["sent_at"] > now - STILL_TYPED:
            continue
        state = "good until" if code["expires_at"] > now else "over since"
        tries = f", {code['attempts']} wrong tries" if code["attempts"] else ""
        yield Trouble(
            level="note",
            title=f"A code to {code['purpose_name']} was not used",
            text=f"Sent {shown(code['sent_at'])}, {state} {shown(code['expires_at'])}{tries}.",
        )


def of_wallets(wallets: Iterable[Row]) -> Iterator[Trouble]:
    for wallet in wallets:
        number, currency = wallet["number"], wallet["currency"]
        address = reverse("admin:wallets_wallet_change", args=[wallet["id"]])
        if wallet["status"] != Wallet.Status.ACTIVE:
            standing = Wallet(status=wallet["status"], frozen_by=wallet["frozen_by"]).standing
            text = f"{NOT_STOPPED} {HOW_TO_STOP_IT}" if wallet["status"] == Wallet.Status.FROZEN else ""
            yield Trouble(level="stop", title=f"Wallet {number} is {standing}", text=text, address=address)
            continue
        if not wallet["may_send"]:
            text = "This tier may receive, not send: identity documents are needed."
            yield Trouble(level="warn", title=f"Wallet {number} cannot send", text=text)
        for spent, allowed, period in (
            (wallet["used_today"], wallet["per_day_amount"], "today"),
            (wallet["used_this_month"], wallet["per_month_amount"], "this month"),
        ):
            if _is_used_up(spent, allowed):
                text = (
                    f"{plain_money(spent, currency)} of {plain_money(allowed, currency)} is spent in wallet {number}."
                )
                yield Trouble(level="warn", title=f"The limit of {period} is used up", text=text)
        if _is_used_up(wallet["balance"], wallet["highest_balance"]):
            text = f"The tier allows {plain_money(wallet['highest_balance'], currency)}; nothing more can come in."
            yield Trouble(level="warn", title=f"Wallet {number} is full", text=text)


def _is_used_up(used: Decimal, allowed: Decimal | None) -> bool:
    return allowed is not None and used >= allowed


def of_identity(customer: User, cases: Iterable[Row], *, may_open: bool) -> Iterator[Trouble]:
    """The latest case only: what came before it is history."""
    latest = next(iter(cases), None)
    if latest is None:
        return
    address = reverse("kyc_case", args=[latest["public_id"]]) if may_open else ""
    if latest["status"] == KycSubmission.Status.PENDING:
        level: Level = "warn" if latest["waits_for"] == KycSubmission.WaitsFor.CUSTOMER else "note"
        text = f"Since {shown(latest['created_at'])}: {WAITS_FOR[latest['waits_for']]}."
        yield Trouble(level=level, title="Identity documents wait", text=text, address=address)
    if customer.kyc_status == User.KycStatus.REJECTED:
        text = f"The customer reads: “{latest['reason']}”"
        yield Trouble(level="warn", title="Identity documents were rejected", text=text, address=address)


def of_receivables(receivables: Iterable[Row]) -> Iterator[Trouble]:
    for row in receivables:
        yield Trouble(
            level="warn",
            title=f"Owes the bank {plain_money(row['owed'], row['currency'])}",
            text=f"Wallet {row['wallet__number']}, since {shown(row['created_at'])}.",
            address=reverse("admin:transactions_receivable_change", args=[row["id"]]),
        )


def of_suspense(items: Iterable[Row]) -> Iterator[Trouble]:
    for row in items:
        is_theirs = row["direction"] == SuspenseItem.Direction.OWED_TO_CUSTOMER
        yield Trouble(
            level="warn",
            title=f"{plain_money(row['amount'], row['currency'])} {'waits' if is_theirs else 'is owed to a till'} in suspense",
            text=f"Since {shown(row['created_at'])}: {row['reason_name']}. Finance decides.",
            address=reverse("admin:vouchers_suspenseitem_change", args=[row["id"]]),
        )


def of_tickets(tickets: Iterable[SupportTicket]) -> Iterator[Trouble]:
    """What waits for us is as bad as it is urgent; what waits for the customer is a note, so that nobody asks twice."""
    for ticket in tickets:
        is_ours = ticket.status == SupportTicket.Status.OPEN
        taken = f"{ticket.assigned_to.name} has taken it" if ticket.assigned_to else "nobody has taken it"
        yield Trouble(
            level=LEVELS[ticket.priority] if is_ours else "note",
            title=f"A support ticket {ticket.get_status_display()}: {about(ticket.intent)}",
            text=f"{ticket.get_priority_display()}, opened {shown(ticket.created_at)}; {taken}.",
            address=reverse("support_ticket", args=[ticket.public_id]),
        )
