"""The commands of vouchers: what of suspense and lost vouchers one of finance proposes and another approves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms

from transactions.models import Transaction, Transfer
from transactions.proposals.commands import Arguments, Command, Deed, Facts, Outcome, Schema, wallet_field
from vouchers import selectors
from vouchers.models import SuspenseItem, Voucher
from vouchers.services.ending import cancel_for_customer
from vouchers.services.resolving import (
    Resolved,
    bear,
    pay_refund_outside,
    release_cash_in,
    release_refund,
    resolve_paid_out,
    resolve_spent,
    return_cash_in,
    reverse_release,
)
from vouchers.services.resolving.deciding import Case
from wallets.models import Wallet

BEARERS: Final = (("till", "The till"), ("bank", "The bank"), ("customer", "The customer, who agreed"))
EXCESS_BEARERS: Final = (("", "Nobody: it is not more than the face"), *BEARERS[:2])


# What they are told ---------------------------------------------------------------------------------------------------
class ItemSchema(Schema):
    item = forms.UUIDField(label="Suspense item")


class ReleaseSchema(ItemSchema):
    wallet_number = wallet_field(
        "Into wallet", required=False, help_text="Only where the till named a number that nobody knows."
    )
    override_active = forms.BooleanField(label="Even into a frozen wallet", required=False)
    override_ceiling = forms.BooleanField(label="Even above the highest balance of his tier", required=False)


class RefundSchema(ItemSchema):
    wallet_number = wallet_field("Into wallet", help_text="Another wallet of the same person.")


class ExcessSchema(ItemSchema):
    bearer = forms.ChoiceField(label="Who bears what is more than the face", choices=EXCESS_BEARERS, required=False)


class BearerSchema(ItemSchema):
    bearer = forms.ChoiceField(label="Who bears it", choices=BEARERS)


class VoucherSchema(Schema):
    voucher = forms.UUIDField(label="Voucher")


# What they change besides money ---------------------------------------------------------------------------------------
def item_facts(arguments: Arguments) -> Facts:
    """The item and its voucher, locked in the order of the services."""
    item = SuspenseItem.objects.select_for_update(no_key=True).filter(public_id=arguments["item"]).first()
    if item is None:
        return {}
    stands = item.get_resolution_display() if item.resolved_at else "open"
    facts = {f"Suspense item {item.public_id}": stands}
    if item.voucher_id:
        facts |= _voucher_facts(Voucher.objects.select_for_update(no_key=True).get(pk=item.voucher_id))
    return facts


def release_facts(arguments: Arguments) -> Facts:
    facts = item_facts(arguments)
    release = SuspenseItem.objects.filter(public_id=arguments["item"]).values("resolution_transfer")
    again = SuspenseItem.objects.filter(transfer__in=Transfer.objects.filter(reverses__in=release)).first()
    return {**facts, "Opened again": f"{again.amount:.2f} {again.currency}" if again else "no"}


def voucher_facts(arguments: Arguments) -> Facts:
    voucher = Voucher.objects.select_for_update(no_key=True).filter(public_id=arguments["voucher"]).first()
    return _voucher_facts(voucher) if voucher else {}


def _voucher_facts(voucher: Voucher) -> Facts:
    worth = f"{voucher.balance:,.2f} {voucher.currency}"
    return {f"Voucher {voucher.public_id}": f"{voucher.get_status_display().lower()}, worth {worth}"}


# What they do -----------------------------------------------------------------------------------------------------------
def resolved(service: Callable[..., Resolved]) -> Callable[[Arguments, Deed], Outcome]:
    def execute(arguments: Arguments, deed: Deed) -> Outcome:
        asked: dict[str, Any] = {name: value for name, value in arguments.items() if name != "item"}
        absent: dict[str, Any] = {name: None for name in ("bearer", "wallet_number") if asked.get(name) == ""}
        done = service(
            item_public_id=arguments["item"],
            decision=deed.decision,
            key=deed.key,
            now=deed.now,
            origin=deed.origin,
            **{**asked, **absent},
        )
        return _outcome(done.item)

    return execute


def _outcome(item: SuspenseItem) -> Outcome:
    """An item that is resolved; or, where a release was taken back, the one that is open again."""
    group_id = item.resolution_transfer_id or item.transfer_id
    is_spent = item.resolution == SuspenseItem.Resolution.SPENT and item.voucher is not None
    hold_id = item.voucher.hold_id if item.voucher and is_spent else None
    return Outcome(kind="transfer", id=str(group_id), group_id=group_id, hold_id=hold_id)


def cancel(arguments: Arguments, deed: Deed) -> Outcome:
    voucher = cancel_for_customer(
        voucher_public_id=arguments["voucher"],
        decision=deed.decision,
        key=deed.key,
        now=deed.now,
        origin=deed.origin,
    ).voucher
    return Outcome(kind="voucher", id=str(voucher.public_id), group_id=_refund_of(voucher).group_id)


def _refund_of(voucher: Voucher) -> Transfer:
    """What has just given it back: the last entry of its issuer's wallet, which this transaction has locked."""
    wallet = selectors.wallet_of(voucher)
    if wallet.status == Wallet.Status.CLOSED:
        return SuspenseItem.objects.select_related("transfer").filter(voucher=voucher).latest("pk").transfer
    return Transaction.objects.select_related("transfer").filter(wallet=wallet).latest("sequence").transfer


SUSPENSE_COMMANDS: Final = (
    ("release_cash_in", "Release a payment to the customer", ReleaseSchema, release_cash_in),
    ("return_cash_in", "Return a payment to the till", ItemSchema, return_cash_in),
    ("release_refund", "Release a refund into another wallet", RefundSchema, release_refund),
    ("pay_refund_outside", "Enter that a refund was paid outside", ItemSchema, pay_refund_outside),
    ("resolve_spent", "Take it as what was spent", ExcessSchema, resolve_spent),
    ("resolve_paid_out", "Take it as what was paid out", ExcessSchema, resolve_paid_out),
    ("bear", "Let somebody bear it", BearerSchema, bear),
)

COMMANDS: Final = (
    *(
        Command(
            name=name,
            title=title,
            group="Suspense",
            schema=schema,
            subject=("suspense_item", "item"),
            execute=resolved(service),
            facts=item_facts,
        )
        for name, title, schema, service in SUSPENSE_COMMANDS
    ),
    Command(
        name="reverse_release",
        title="Take a release back",
        group="Suspense",
        schema=ItemSchema,
        subject=("suspense_item", "item"),
        execute=resolved(reverse_release),
        facts=release_facts,
    ),
    Command(
        name="cancel_voucher",
        title="Cancel a voucher for its customer",
        group="Customers' money",
        schema=VoucherSchema,
        subject=("voucher", "voucher"),
        execute=cancel,
        facts=voucher_facts,
    ),
)
STORIES: Final = {
    "cash_in": ("release_cash_in", "return_cash_in"),
    "refund": ("release_refund", "pay_refund_outside"),
    "spent": ("resolve_spent", "bear"),
    "cash_out": ("resolve_paid_out", "bear"),
}


def fitting(item: SuspenseItem) -> tuple[str, ...]:
    """The commands that may resolve an item as it stands, or take its release back."""
    if item.resolved_at is not None:
        can_go_back = item.resolution in {"released", "returned", "paid_outside"}
        return ("reverse_release",) if can_go_back else ()
    case = Case(item=item, voucher=item.voucher, first_id=item.public_id, now=item.created_at)
    return STORIES[case.story]
