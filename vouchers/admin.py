"""What staff see of vouchers and tills. Codes and numbers that are worth money are never shown in full."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format

from accounts.admin import by_owner
from accounts.audit_admin import AuditEventAdmin
from mymoolah.common.admin import UUID, LargeTableAdmin, Panel, Search, badge, link, list_of, masked, money
from mymoolah.common.clock import last_day_before
from transactions.proposal_admin import offers, proposals_about, propose_link
from vouchers.models import LIVE, SuspenseItem, TillEvent, Voucher, VoucherRedemption
from vouchers.policies import policy_of
from vouchers.proposals import fitting

EASYPAY = r"9[0-9]{13}"
BY_TIME = ("-created_at", "-pk")


class Amount:
    @admin.display(description="Amount")
    def amount_shown(self, row: Any) -> str:
        return money(row.amount, row.currency)


class EasyPayNumber:
    @admin.display(description="EasyPay number")
    def number_shown(self, row: Any) -> str:
        return masked(row.easypay_number)


@admin.register(Voucher)
class VoucherAdmin(EasyPayNumber, LargeTableAdmin):
    list_display = (
        "public_id",
        "user",
        "voucher_type",
        "state",
        "amount_shown",
        "balance_shown",
        "number_shown",
        "created_at",
        "last_good_day",
    )
    list_select_related = ("user", "hold", "issue_transfer")
    secret = ("code_encrypted", "code_index")
    searches: ClassVar[list[Search]] = [
        Search("public id", UUID, lambda text: Q(public_id=text)),
        Search("EasyPay number", EASYPAY, lambda text: Q(easypay_number=text)),
        *by_owner(ordering=BY_TIME),
    ]
    linked: ClassVar = {"user": BY_TIME}
    fields = (
        ("public_id", "user"),
        ("voucher_type", "status"),
        ("original_amount", "balance"),
        ("currency", "issue_transfer"),
        ("fee_amount", "vat_amount"),
        "hold",
        "number_shown",
        ("created_at", "last_good_day"),
    )
    panels: ClassVar[list[Panel]] = [
        Panel(
            "Redemptions",
            "vouchers.view_voucherredemption",
            ("Redemption", "Amount", "Into", "At"),
            lambda voucher: [
                (
                    link(row, row.public_id),
                    money(row.amount, row.currency),
                    link(row.wallet) if row.wallet else "a till",
                    row.created_at,
                )
                for row in voucher.redemptions.select_related("wallet").order_by("-pk")[:20]
            ],
            lambda voucher: list_of(VoucherRedemption, voucher=voucher.pk),
        )
    ]

    @badge("Status", active="success", pending_payment="info", expired="warning", cancelled="warning")
    def state(self, voucher: Voucher) -> str:
        return voucher.status

    @admin.display(description="Amount")
    def amount_shown(self, voucher: Voucher) -> str:
        return money(voucher.original_amount, voucher.currency)

    @admin.display(description="Balance")
    def balance_shown(self, voucher: Voucher) -> str:
        return money(voucher.balance, voucher.currency)

    @admin.display(description="Last good day")
    def last_good_day(self, voucher: Voucher) -> str:
        return date_format(last_day_before(voucher.expires_at))


@admin.register(VoucherRedemption)
class VoucherRedemptionAdmin(Amount, LargeTableAdmin):
    list_display = ("public_id", "voucher", "wallet", "amount_shown", "created_at")
    list_select_related = ("voucher", "wallet", "transfer")
    searches: ClassVar[list[Search]] = [Search("public id", UUID, lambda text: Q(public_id=text))]
    linked: ClassVar = {"voucher": ()}


class WaitingFilter(admin.SimpleListFilter):
    title = "waiting reports"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Not acted on yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(result=None) if self.value() == "1" else queryset


@admin.register(TillEvent)
class TillEventAdmin(Amount, EasyPayNumber, LargeTableAdmin):
    list_display = (
        "provider_reference",
        "provider",
        "number_shown",
        "amount_shown",
        "answer",
        "paid_at",
        "received_at",
        "processed_at",
    )
    list_filter = (WaitingFilter,)
    list_select_related = ("voucher",)
    secret = ("body", "body_sha256")
    searches: ClassVar[list[Search]] = [
        Search("reference", r"\S+", lambda text: Q(provider="easypay", provider_reference=text))
    ]
    linked: ClassVar = {"voucher": (), "waiting": ("-received_at", "-pk")}
    fields = (
        ("provider", "provider_reference"),
        ("number_shown", "voucher"),
        ("amount", "currency"),
        ("paid_at", "received_at"),
        ("answer", "processed_at"),
    )

    @badge("Answer", applied="success", suspense="info", waiting="warning")
    def answer(self, event: TillEvent) -> str:
        return event.result or "waiting"


class OpenFilter(admin.SimpleListFilter):
    title = "open items"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Open")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(resolved_at=None) if self.value() == "1" else queryset


@admin.register(SuspenseItem)
class SuspenseItemAdmin(Amount, LargeTableAdmin):
    list_display = (
        "public_id",
        "direction",
        "reason",
        "amount_shown",
        "user",
        "created_at",
        "resolved_at",
        "resolution",
    )
    list_filter = (OpenFilter,)
    list_select_related = (
        "user",
        "voucher",
        "till_event",
        "transfer",
        "resolution_transfer",
        "resolved_by",
        "approved_by",
    )
    searches: ClassVar[list[Search]] = [Search("public id", UUID, lambda text: Q(public_id=text)), *by_owner()]
    linked: ClassVar = {"user": (), "voucher": (), "open": BY_TIME}
    fields = (
        ("public_id", "created_at"),
        ("direction", "reason"),
        ("amount", "currency"),
        ("user", "voucher"),
        ("till_event", "transfer"),
        ("resolution", "resolved_at"),
        ("resolved_by", "approved_by"),
        "resolution_transfer",
    )


AuditEventAdmin.subjects |= {
    "voucher": lambda number: Voucher.objects.filter(public_id=number).first(),
    "suspense_item": lambda number: SuspenseItem.objects.filter(public_id=number).first(),
    "till_event": lambda number: TillEvent.objects.filter(pk=number).first(),
}


# What finance can propose, where the need is seen ---------------------------------------------------------------------
def offered_for_item(item: SuspenseItem) -> list[str]:
    return [propose_link(name, item=item.public_id) for name in fitting(item)]


def offered_for_voucher(voucher: Voucher) -> list[str]:
    is_lost_one = voucher.status == Voucher.Status.ACTIVE and not policy_of(voucher).is_cancellable
    return [propose_link("cancel_voucher", voucher=voucher.public_id)] if is_lost_one else []


def nothing_for_voucher(voucher: Voucher) -> str:
    """Why finance cannot propose anything about a voucher."""
    if voucher.status not in LIVE:
        return f"Nothing: it is {voucher.get_status_display().lower()}, and that stands."
    if voucher.suspense_items.filter(resolved_at=None).exists():
        return "Nothing here: what a till reported of it waits in suspense, and is resolved there."
    return "Nothing: its customer can cancel it, and when it expires it ends by itself and gives back what it holds."


SuspenseItemAdmin.panels = [
    offers(offered_for_item, lambda _: "Nothing: it is resolved, and that stands."),
    proposals_about(lambda item: ("suspense_item", item.public_id)),
]
VoucherAdmin.panels += [
    offers(offered_for_voucher, nothing_for_voucher),
    proposals_about(lambda voucher: ("voucher", voucher.public_id)),
]
