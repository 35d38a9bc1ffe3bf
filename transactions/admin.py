"""What staff see of the ledger: read-only here, and append-only in the database."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, Model, Q, QuerySet
from django.http import HttpRequest

from accounts.audit_admin import AuditEventAdmin
from mymoolah.common.admin import NOBODY, UUID, LargeTableAdmin, Panel, Search, badge, link, list_of, money
from transactions.models import FeeRule, IdempotencyKey, Kind, Receivable, ReceivableCollection, Transaction, Transfer
from transactions.proposal_admin import offers, proposals_about, propose_link
from wallets.admin import NUMBER, TierLimitAdmin, WalletAdmin, id_of
from wallets.models import TierLimit, Wallet

ENTRY = rf"{NUMBER}-[1-9][0-9]{{0,17}}"


BY_SEQUENCE = ("-sequence",)
"""The order of the index that an entry is found by. PostgreSQL cannot know that a wallet has each sequence once: for a
busy wallet it expects many rows, and by any other order would rather walk the whole table along that one."""


def entry(text: str) -> Q:
    """`<wallet number>-<sequence>`"""
    number, _, sequence = text.partition("-")
    wallet_id = id_of(number)
    return NOBODY if wallet_id is None else Q(wallet=wallet_id, sequence=int(sequence))


def transfer_of_entry(text: str) -> Q:
    found = Transaction.objects.filter(entry(text)).order_by(*BY_SEQUENCE)
    transfer_id = found.values_list("transfer_id", flat=True).first()
    return NOBODY if transfer_id is None else Q(pk=transfer_id)


def entries_of_wallet(text: str) -> Q:
    wallet_id = id_of(text)
    return NOBODY if wallet_id is None else Q(wallet=wallet_id)


@admin.register(Transfer)
class TransferAdmin(LargeTableAdmin):
    list_display = ("id", "kind", "from_wallet", "to_wallet", "amount_shown", "reference", "created_at")
    list_select_related = ("from_wallet", "to_wallet", "initiated_by", "approved_by", "reverses")
    searches: ClassVar[list[Search]] = [
        # A single transfer is its own group, and the index of groups leaves it out.
        Search("transfer or group id", UUID, lambda text: Q(pk=text) | (Q(group_id=text) & ~Q(group_id=F("id")))),
        Search("entry (number-sequence)", ENTRY, transfer_of_entry),
    ]
    panels: ClassVar[list[Panel]] = [
        Panel(
            "Entries",
            "transactions.view_transaction",
            ("Entry", "Type", "Wallet", "Amount", "Balance after"),
            lambda transfer: [
                (
                    link(row, f"{row.wallet.number}-{row.sequence}"),
                    row.type,
                    link(row.wallet),
                    money(row.amount, row.currency),
                    money(row.balance_after, row.currency),
                )
                for row in transfer.entries.select_related("wallet").order_by("type")
            ],
        ),
    ]

    @admin.display(description="Amount")
    def amount_shown(self, transfer: Transfer) -> str:
        return money(transfer.amount, transfer.currency)


@admin.register(Transaction)
class TransactionAdmin(LargeTableAdmin):
    list_display = ("entry", "type_shown", "kind", "amount_shown", "balance_shown", "user", "created_at")
    list_select_related = ("wallet", "user", "transfer")
    searches: ClassVar[list[Search]] = [
        Search("entry (number-sequence)", ENTRY, entry, BY_SEQUENCE),
        Search("wallet number", NUMBER, entries_of_wallet, BY_SEQUENCE),
        Search("transfer id", UUID, lambda text: Q(transfer=text)),
    ]
    linked: ClassVar = {"wallet": BY_SEQUENCE}
    fields = (
        ("entry", "transfer"),
        ("wallet", "user"),
        ("type", "created_at"),
        ("amount", "currency"),
        ("total_received_after", "total_sent_after"),
        "balance_after",
    )

    @admin.display(description="Entry")
    def entry(self, row: Transaction) -> str:
        return f"{row.wallet.number}-{row.sequence}"

    @admin.display(description="Kind")
    def kind(self, row: Transaction) -> str:
        return row.transfer.get_kind_display()

    @badge("Type", received="success", sent="info")
    def type_shown(self, row: Transaction) -> str:
        return row.type

    @admin.display(description="Amount")
    def amount_shown(self, row: Transaction) -> str:
        return money(row.amount, row.currency)

    @admin.display(description="Balance after")
    def balance_shown(self, row: Transaction) -> str:
        return money(row.balance_after, row.currency)


class OpenFilter(admin.SimpleListFilter):
    title = "what is still owed"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Not collected yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(collected_amount__lt=F("amount")) if self.value() == "1" else queryset


@admin.register(Receivable)
class ReceivableAdmin(LargeTableAdmin):
    list_display = ("public_id", "wallet", "amount_shown", "collected_shown", "owed_shown", "created_at")
    list_filter = (OpenFilter,)
    list_select_related = ("wallet", "transfer")
    searches: ClassVar[list[Search]] = [
        Search("public id", UUID, lambda text: Q(public_id=text)),
        Search("wallet number", NUMBER, entries_of_wallet),
    ]
    linked: ClassVar = {"wallet": (), "open": ("-created_at", "-pk")}
    fields = (("public_id", "created_at"), ("wallet", "transfer"), ("amount", "currency"), "collected_amount")
    panels: ClassVar[list[Panel]] = [
        Panel(
            "Collections",
            "transactions.view_receivablecollection",
            ("Amount", "Transfer", "At"),
            lambda receivable: [
                (money(row.amount, receivable.currency), link(row.transfer), row.created_at)
                for row in receivable.collections.select_related("transfer").order_by("-pk")[:20]
            ],
            lambda receivable: list_of(ReceivableCollection, receivable=receivable.pk),
        ),
    ]

    @admin.display(description="Amount")
    def amount_shown(self, receivable: Receivable) -> str:
        return money(receivable.amount, receivable.currency)

    @admin.display(description="Collected")
    def collected_shown(self, receivable: Receivable) -> str:
        return money(receivable.collected_amount, receivable.currency)

    @admin.display(description="Still owed")
    def owed_shown(self, receivable: Receivable) -> str:
        return money(receivable.amount - receivable.collected_amount, receivable.currency)


@admin.register(ReceivableCollection)
class ReceivableCollectionAdmin(LargeTableAdmin):
    list_display = ("receivable", "amount_shown", "transfer", "created_at")
    list_select_related = ("receivable", "transfer")
    linked: ClassVar = {"receivable": ()}

    @admin.display(description="Amount")
    def amount_shown(self, collection: ReceivableCollection) -> str:
        return money(collection.amount, collection.receivable.currency)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(LargeTableAdmin):
    list_display = ("actor", "key", "produced_kind", "produced_id", "created_at")
    searches: ClassVar[list[Search]] = [
        Search(
            "actor (user:…, till:…, loader, finance)",
            r"(user|till):\S+|loader|finance",
            lambda text: Q(actor=text),
            ("-key",),
        ),
    ]
    secret = ("request_hash",)


@admin.register(FeeRule)
class FeeRuleAdmin(LargeTableAdmin):
    list_display = ("kind", "currency", "fee_amount", "vat_rate", "valid_from")


def latest_entries(wallet: Wallet) -> list[tuple[object, ...]]:
    """One probe of (wallet, sequence), however long the history."""
    entries = Transaction.objects.filter(wallet=wallet).select_related("transfer")
    return [
        (
            link(row, f"{wallet.number}-{row.sequence}"),
            row.created_at,
            row.transfer.get_kind_display(),
            row.type,
            money(row.amount, row.currency),
            money(row.balance_after, row.currency),
        )
        for row in entries.order_by("-sequence")[:20]
    ]


WalletAdmin.panels.insert(
    0,
    Panel(
        "Latest entries",
        "transactions.view_transaction",
        ("Entry", "At", "Kind", "Type", "Amount", "Balance after"),
        latest_entries,
        lambda wallet: list_of(Transaction, wallet=wallet.pk),
    ),
)
WalletAdmin.panels.append(
    Panel(
        "Owed to the bank",
        "transactions.view_receivable",
        ("Receivable", "Amount", "Collected", "Since"),
        lambda wallet: [
            (
                link(row, row.public_id),
                money(row.amount, row.currency),
                money(row.collected_amount, row.currency),
                row.created_at,
            )
            for row in wallet.receivables.order_by("-pk")[:10]
        ],
        lambda wallet: list_of(Receivable, wallet=wallet.pk),
    )
)


AuditEventAdmin.subjects |= {
    "transfer": lambda number: Transfer.objects.filter(pk=number).first(),
    "receivable": lambda number: Receivable.objects.filter(public_id=number).first(),
    "fee_rule": lambda number: FeeRule.objects.filter(pk=number).first(),
}


# What finance can propose, where the need is seen ---------------------------------------------------------------------
def offered_for_transfer(transfer: Transfer) -> list[str]:
    names = {
        Kind.TRANSFER: ("reverse_transfer", "force_reversal"),
        Kind.ADJUSTMENT: ("reverse_transfer",),
        Kind.SETTLEMENT: ("reverse_transfer",),
    }
    return [propose_link(name, transfer=transfer.group_id) for name in names.get(Kind(transfer.kind), ())]


def offered_for_wallet(wallet: Wallet) -> list[str]:
    if wallet.kind != Wallet.Kind.CUSTOMER:
        return [propose_link("settle", currency=wallet.currency)]
    return [propose_link("adjust_wallet", wallet=wallet.number, currency=wallet.currency)]


def offered_for_receivable(receivable: Receivable) -> list[str]:
    owed = receivable.amount - receivable.collected_amount
    asked = {"receivable": receivable.public_id, "amount": owed, "currency": receivable.currency}
    return [propose_link("collect_receivable", **asked)] if owed else []


def offered_for_fee(rule: FeeRule) -> list[str]:
    asked = {name: getattr(rule, name) for name in ("kind", "currency", "fee_amount", "vat_rate")}
    return [propose_link("set_fee", **asked)]


def offered_for_limit(limit: TierLimit) -> list[str]:
    asked = {name: getattr(limit, name) for name in LIMITED}
    return [
        propose_link("set_tier_limit", **{name: value for name, value in asked.items() if value not in {None, False}})
    ]


LIMITED = (
    "tier",
    "currency",
    "per_transfer_amount",
    "per_day_amount",
    "per_month_amount",
    "highest_balance",
    "may_send",
    "may_cash_out",
)
TransferAdmin.panels += [
    offers(
        offered_for_transfer,
        lambda transfer: (
            f"Nothing: a {transfer.get_kind_display().lower()} stands. Transfers, adjustments and settlements can be "
            "reversed; what a till reported wrongly waits in suspense and is resolved there."
        ),
    ),
    proposals_about(lambda transfer: ("transfer", transfer.group_id)),
]
WalletAdmin.panels += [offers(offered_for_wallet), proposals_about(lambda wallet: ("wallet", wallet.number))]
ReceivableAdmin.panels += [
    offers(offered_for_receivable, lambda _: "Nothing: it is paid in full."),
    proposals_about(lambda receivable: ("receivable", receivable.public_id)),
]
FeeRuleAdmin.panels = [offers(offered_for_fee), proposals_about(lambda rule: ("fee", rule.kind))]
TierLimitAdmin.panels = [
    offers(offered_for_limit),
    proposals_about(lambda limit: ("tier_limit", f"{limit.tier} {limit.currency}")),
]
