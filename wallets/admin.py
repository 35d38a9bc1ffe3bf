"""What staff see of wallets. Nothing here changes money, and nothing ever will: that is the kernel's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from accounts.admin import UserAdmin, by_owner
from accounts.audit_admin import AuditEventAdmin
from mymoolah.common.admin import NOBODY, UUID, LargeTableAdmin, Panel, Search, badge, link, money
from wallets.models import Hold, TierLimit, Wallet

NUMBER = r"[1-9][0-9]{9}"


def id_of(number: str) -> int | None:
    return Wallet.objects.filter(number=number).values_list("pk", flat=True).first()


def live_holds_of(number: str) -> Q:
    wallet_id = id_of(number)
    return NOBODY if wallet_id is None else Q(wallet=wallet_id, status=Hold.Status.HELD)


class WhoseFilter(admin.SimpleListFilter):
    """Customers' wallets unless the house's are asked for: nobody telephones about a stripe."""

    title = "whose"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = [
            (kind.value, f"The house: {kind.label.lower()}") for kind in Wallet.Kind if kind != Wallet.Kind.CUSTOMER
        ]
        return [("customers", "Customers"), *kinds, ("all", "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        choices = super().choices(changelist)
        next(choices)  # Django's own way to say "all", which is not what comes when nothing is asked
        return choices

    def value(self) -> str:
        return super().value() or "customers"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() == "all" or any(name in request.GET for name in ("q", "user")):
            return queryset
        return queryset.filter(kind=Wallet.Kind.CUSTOMER if self.value() == "customers" else self.value())


@admin.register(Wallet)
class WalletAdmin(LargeTableAdmin):
    list_display = ("number", "user", "kind", "stripe", "state", "balance", "held", "last_entry_at")
    list_filter = (WhoseFilter,)
    list_select_related = ("user",)
    searches: ClassVar[list[Search]] = [Search("number", NUMBER, lambda text: Q(number=text)), *by_owner()]
    linked: ClassVar = {"user": ()}
    fieldsets = (
        (None, {"fields": (("number", "owner"), ("kind", "stripe"), ("status", "created_at"))}),
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

    @admin.display(description="Customer")
    def owner(self, wallet: Wallet) -> str:
        return link(wallet.user, wallet.user.name) if wallet.user else "the house"

    @admin.display(description="Available")
    def available(self, wallet: Wallet) -> str:
        return money(wallet.balance - wallet.held, wallet.currency)


@admin.register(Hold)
class HoldAdmin(LargeTableAdmin):
    list_display = (
        "public_id",
        "wallet",
        "amount",
        "captured_amount",
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


def limits_of(subject_id: str) -> TierLimit | None:
    """The row of `2 ZAR`."""
    tier, _, currency = subject_id.partition(" ")
    return TierLimit.objects.filter(tier=tier, currency=currency).first() if tier.isdecimal() else None


AuditEventAdmin.subjects |= {
    "wallet": lambda number: Wallet.objects.filter(number=number).first(),
    "tier_limit": limits_of,
}
UserAdmin.searches.insert(0, Search("wallet number", NUMBER, lambda text: Q(wallets__number=text)))
