"""The commands of the ledger and of wallets: what of money, fees and limits one proposes and another approves."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.db.models import Q

from mymoolah.common.clock import JOHANNESBURG
from transactions import corrections, fees
from transactions.corrections import Settlement
from transactions.models import FeeRule, Receivable, Transfer
from transactions.posting import Posted
from transactions.proposals.commands import (
    Arguments,
    Command,
    Deed,
    Facts,
    Outcome,
    Schema,
    amount_field,
    currency_field,
    money_of,
    wallet_field,
)
from wallets.limits import TIERS, Limits, set_tier_limit
from wallets.models import TierLimit, Wallet

DIRECTIONS: Final = (("credit", "Credit: the bank pays in"), ("debit", "Debit: the bank takes out"))
OVERRIDE_CEILING: Final = "Even above the highest balance of the customer's tier"


def posted(legs: Sequence[Posted]) -> Outcome:
    group_id = legs[0].transfer_id
    return Outcome(kind="transfer", id=str(group_id), group_id=group_id)


# Reversals and what is owed -------------------------------------------------------------------------------------------
class TransferSchema(Schema):
    transfer = forms.UUIDField(label="Transfer", help_text="The first of its group: fees and VAT go back with it.")


def reversal_facts(arguments: Arguments) -> Facts:
    corrections.lock_group(arguments["transfer"])
    is_reversed = Transfer.objects.filter(reverses=arguments["transfer"]).exists()
    return {f"Transfer {arguments['transfer']}": "taken back" if is_reversed else "stands"}


def reverse(arguments: Arguments, deed: Deed) -> Outcome:
    return posted(
        corrections.reverse_transfer(
            group_id=arguments["transfer"], decision=deed.decision, key=deed.key, origin=deed.origin
        )
    )


def debt_facts(arguments: Arguments) -> Facts:
    facts = reversal_facts(arguments)
    debt = Receivable.objects.filter(transfer__reverses=arguments["transfer"]).select_related("wallet").first()
    owed = f"{debt.amount:.2f} {debt.currency} by wallet {debt.wallet.number}" if debt else "nothing"
    return {**facts, "Owed to the bank for it": owed}


def force(arguments: Arguments, deed: Deed) -> Outcome:
    debt = corrections.force_reversal(
        transfer_id=arguments["transfer"], decision=deed.decision, key=deed.key, origin=deed.origin
    )
    return Outcome(kind="receivable", id=str(debt.public_id), group_id=debt.transfer_id)


class CollectionSchema(Schema):
    receivable = forms.UUIDField(label="Receivable")
    amount = amount_field()
    currency = currency_field()


def receivable_facts(arguments: Arguments) -> Facts:
    debt = Receivable.objects.select_for_update(no_key=True).filter(public_id=arguments["receivable"]).first()
    if debt is None:
        return {}
    return {f"Still owed on {debt.public_id}": f"{debt.amount - debt.collected_amount:.2f} {debt.currency}"}


def collect(arguments: Arguments, deed: Deed) -> Outcome:
    leg = corrections.collect_receivable(
        receivable_public_id=arguments["receivable"],
        amount=money_of(arguments),
        decision=deed.decision,
        key=deed.key,
        origin=deed.origin,
    )
    return posted([leg])


# Adjustments and settlements ------------------------------------------------------------------------------------------
class AdjustmentSchema(Schema):
    wallet = wallet_field()
    direction = forms.ChoiceField(choices=DIRECTIONS)
    amount = amount_field()
    currency = currency_field()
    override_ceiling = forms.BooleanField(label=OVERRIDE_CEILING, required=False)


def wallet_facts(arguments: Arguments) -> Facts:
    wallet = Wallet.objects.filter(number=arguments["wallet"], kind=Wallet.Kind.CUSTOMER).first()
    return {f"Wallet {wallet.number}": wallet.status} if wallet else {}


def adjust(arguments: Arguments, deed: Deed) -> Outcome:
    leg = corrections.adjust(
        wallet_number=arguments["wallet"],
        amount=money_of(arguments),
        direction=arguments["direction"],
        override_ceiling=arguments["override_ceiling"],
        decision=deed.decision,
        key=deed.key,
        origin=deed.origin,
    )
    return posted([leg])


class SettlementSchema(Schema):
    step = forms.ChoiceField(label="What was settled", choices=Settlement.choices)
    amount = amount_field()
    currency = currency_field()


def settle(arguments: Arguments, deed: Deed) -> Outcome:
    leg = corrections.settle(
        step=Settlement(arguments["step"]),
        amount=money_of(arguments),
        decision=deed.decision,
        key=deed.key,
        origin=deed.origin,
    )
    return posted([leg])


# Fees and limits ------------------------------------------------------------------------------------------------------
class FeeSchema(Schema):
    kind = forms.RegexField(r"\A[a-z_]{1,20}\Z", label="What costs it", help_text="As the list of fees names it.")
    currency = currency_field()
    fee_amount = amount_field("Fee without VAT", least=Decimal(0))
    vat_rate = forms.DecimalField(
        label="VAT rate", max_digits=5, decimal_places=4, min_value=Decimal(0), help_text="A fraction: 0.15 is 15 %."
    )
    valid_from = forms.DateTimeField(
        label="From", help_text="Johannesburg's time. It must still lie ahead when a colleague approves."
    )


def fee_facts(arguments: Arguments) -> Facts:
    kind, currency, at = arguments["kind"], arguments["currency"], arguments["valid_from"]
    rules = FeeRule.objects.filter(kind=kind, currency=currency)
    rule = rules.filter(valid_from__lte=at).order_by("-valid_from").first()
    moment = f"{at.astimezone(JOHANNESBURG):%Y-%m-%d %H:%M:%S}"
    following = rules.filter(valid_from__gt=at).order_by("valid_from").first()
    until = f"{following.valid_from.astimezone(JOHANNESBURG):%Y-%m-%d %H:%M:%S}" if following else "further notice"
    costs = f"{rule.fee_amount:.2f} {currency} and VAT at {rule.vat_rate:.2%}" if rule else "not offered"
    return {f"Fee of {kind} from {moment} until {until}": costs}


def set_fee(arguments: Arguments, deed: Deed) -> Outcome:
    rule = fees.set_fee(
        kind=arguments["kind"],
        fee=money_of({"amount": arguments["fee_amount"], "currency": arguments["currency"]}),
        vat_rate=arguments["vat_rate"],
        valid_from=arguments["valid_from"],
        decision=deed.decision,
        now=deed.now,
        origin=deed.origin,
    )
    return Outcome(kind="fee_rule", id=str(rule.pk))


class TierLimitSchema(Schema):
    tier = forms.TypedChoiceField(choices=[(tier, f"Tier {tier}") for tier in TIERS], coerce=int)
    currency = currency_field()
    per_transfer_amount = amount_field("Per transfer", required=False, help_text="Empty: nothing may be spent.")
    per_day_amount = amount_field("Per day", required=False)
    per_month_amount = amount_field("Per month", required=False)
    highest_balance = amount_field("Highest balance", least=Decimal(0))
    may_send = forms.BooleanField(label="May send", required=False)
    may_cash_out = forms.BooleanField(label="May cash out", required=False)


SPENDING: Final = {"per_transfer_amount": "Per transfer", "per_day_amount": "Per day", "per_month_amount": "Per month"}


def limit_facts(arguments: Arguments) -> Facts:
    which = Q(tier=arguments["tier"], currency=arguments["currency"])
    limit = TierLimit.objects.select_for_update(no_key=True).filter(which).first()
    if limit is None:
        return {}
    amounts: dict[str, Any] = {label: getattr(limit, name) for name, label in SPENDING.items()}
    amounts["Highest balance"] = limit.highest_balance
    return {
        **{
            label: "nothing" if amount is None else f"{amount:.2f} {limit.currency}"
            for label, amount in amounts.items()
        },
        "May send": "yes" if limit.may_send else "no",
        "May cash out": "yes" if limit.may_cash_out else "no",
    }


def change_limit(arguments: Arguments, deed: Deed) -> Outcome:
    limits = {name: value for name, value in arguments.items() if name not in {"tier", "currency"}}
    limit = set_tier_limit(
        tier=arguments["tier"],
        currency=arguments["currency"],
        limits=Limits(**limits),
        decision=deed.decision,
        origin=deed.origin,
    )
    return Outcome(kind="tier_limit", id=str(limit.pk))


LEDGER: Final = (
    Command(
        name="reverse_transfer",
        title="Reverse a transfer",
        group="Customers' money",
        schema=TransferSchema,
        subject=("transfer", "transfer"),
        execute=reverse,
        facts=reversal_facts,
    ),
    Command(
        name="force_reversal",
        title="Give a spent transfer back from the bank's money",
        group="Customers' money",
        schema=TransferSchema,
        subject=("transfer", "transfer"),
        execute=force,
        facts=debt_facts,
    ),
    Command(
        name="collect_receivable",
        title="Collect what a customer owes",
        group="Customers' money",
        schema=CollectionSchema,
        subject=("receivable", "receivable"),
        execute=collect,
        facts=receivable_facts,
    ),
    Command(
        name="adjust_wallet",
        title="Adjust a wallet",
        group="Customers' money",
        schema=AdjustmentSchema,
        subject=("wallet", "wallet"),
        execute=adjust,
        facts=wallet_facts,
    ),
    Command(
        name="settle",
        title="Enter a settlement",
        group="The bank's own money",
        schema=SettlementSchema,
        subject=("settlement", "step"),
        execute=settle,
    ),
    Command(
        name="set_fee",
        title="Change a fee",
        group="Rules",
        schema=FeeSchema,
        subject=("fee", "kind"),
        execute=set_fee,
        facts=fee_facts,
    ),
    Command(
        name="set_tier_limit",
        title="Change what a tier allows",
        group="Rules",
        schema=TierLimitSchema,
        subject=("tier_limit", "tier"),
        subject_id=lambda arguments: f"{arguments['tier']} {arguments['currency']}",
        execute=change_limit,
        facts=limit_facts,
    ),
)
