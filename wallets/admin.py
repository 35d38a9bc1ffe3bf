"""What staff see of wallets. Nothing here changes money, and nothing ever will: that is the kernel's."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import Q

from accounts.admin import UserAdmin, by_owner
from accounts.audit_admin import AuditEventAdmin
from accounts.models import User
from mymoolah.common.admin import NOBODY, UUID, LargeTableAdmin, Panel, Search, badge, link, list_of, money
from wallets.models import Hold, TierLimit, Wallet

NUMBER = r"[1-9][0-9]{9}"


def id_of(number: str) -> int | None:
    return Wallet.objects.filter(number=number).values_list("pk", flat=True).first()


def live_holds_of(number: str) -> Q:
    wallet_id = id_of(number)
    return NOBODY if wallet_id is None else Q(wallet=wallet_id, status=Hold.Status.HELD)


@admin.register(Wallet)
class WalletAdmin(LargeTableAdmin):
    list_display = ("number", "user", "kind", "stripe", "state", "balance_shown", "held_shown", "last_entry_at")
    list_filter = ("kind",)
    list_select_related = ("user",)
    searches: ClassVar[list[Search]] = [Search("number", NUMBER, lambda text: Q(number=text)), *by_owner()]
    linked: ClassVar = {"user": ()}
    fieldsets = (
        (None, {"fields": (("number", "user"), ("kind", "stripe"), ("status", "created_at"))}),
        (
            "Money",
            {
                "fields": (
                    ("balance", "currency"),
                    ("held", "available"),
                    ("total_received", "received_count"),
                    ("total_sent", "sent_count"),
                    ("sequence", "last_entry_at"),
                    ("spent_day_amount", "spent_month_amount"),
                    "spent_on",
                )
            },
        ),
    )
    panels: ClassVar[list[Panel]] = [
        Panel(
            "Live holds",
            "wallets.view_hold",
            ("Hold", "Amount", "For", "Ends"),
            lambda wallet: [
                (link(hold, hold.public_id), money(hold.amount, hold.currency), hold.purpose, hold.expires_at)
                for hold in wallet.holds.filter(status=Hold.Status.HELD).order_by("-pk")[:10]
            ],
        )
    ]

    @badge("Status", active="success", frozen="info", closed="warning")
    def state(self, wallet: Wallet) -> str:
        return wallet.status

    @admin.display(description="Balance")
    def balance_shown(self, wallet: Wallet) -> str:
        return money(wallet.balance, wallet.currency)

    @admin.display(description="Held")
    def held_shown(self, wallet: Wallet) -> str:
        return money(wallet.held, wallet.currency)

    @admin.display(description="Available")
    def available(self, wallet: Wallet) -> str:
        return f"{wallet.balance - wallet.held:.2f}"


@admin.register(Hold)
class HoldAdmin(LargeTableAdmin):
    list_display = (
        "public_id",
        "wallet",
        "amount_shown",
        "captured_shown",
        "state",
        "purpose",
        "created_at",
        "expires_at",
    )
    list_select_related = ("wallet",)
    searches: ClassVar[list[Search]] = [
        Search("public id", UUID, lambda text: Q(public_id=text)),
        Search("wallet number (its live holds)", NUMBER, live_holds_of),
    ]
    fields = (
        ("public_id", "wallet"),
        ("amount", "currency"),
        ("spent_amount", "captured_amount"),
        ("status", "purpose"),
        ("created_at", "expires_at"),
        "resolved_at",
    )

    @badge("Status", held="info", captured="success", voided="warning", expired="warning")
    def state(self, hold: Hold) -> str:
        return hold.status

    @admin.display(description="Amount")
    def amount_shown(self, hold: Hold) -> str:
        return money(hold.amount, hold.currency)

    @admin.display(description="Captured")
    def captured_shown(self, hold: Hold) -> str:
        return money(hold.captured_amount, hold.currency) if hold.captured_amount else "-"


@admin.register(TierLimit)
class TierLimitAdmin(LargeTableAdmin):
    list_display = (
        "tier",
        "currency",
        "per_transfer_amount",
        "per_day_amount",
        "per_month_amount",
        "highest_balance",
        "may_send",
        "may_cash_out",
    )
    ordering = ("-tier", "-currency")


def wallets_of(user: User) -> list[tuple[object, ...]]:
    return [
        (
            link(wallet, wallet.number),
            wallet.status,
            money(wallet.balance, wallet.currency),
            money(wallet.held, wallet.currency),
            wallet.last_entry_at,
        )
        for wallet in user.wallets.order_by("currency")
    ]


def limits_of(subject_id: str) -> TierLimit | None:
    """The row of `2 ZAR`."""
    tier, _, currency = subject_id.partition(" ")
    return TierLimit.objects.filter(tier=tier, currency=currency).first() if tier.isdecimal() else None


AuditEventAdmin.subjects |= {
    "wallet": lambda number: Wallet.objects.filter(number=number).first(),
    "tier_limit": limits_of,
}
UserAdmin.searches.insert(0, Search("wallet number", NUMBER, lambda text: Q(wallets__number=text)))
UserAdmin.panels.insert(
    0,
    Panel(
        "Wallets",
        "wallets.view_wallet",
        ("Number", "Status", "Balance", "Held", "Last entry"),
        wallets_of,
        lambda user: list_of(Wallet, user=user.pk),
    ),
)
