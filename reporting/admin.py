"""What staff see of the views: the overview of all customers with its age, and the live summaries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin import UserAdmin, by_owner
from accounts.models import User
from mymoolah.common.admin import NOBODY, UUID, LargeTableAdmin, Search, badge, money, own_pages, shown
from mymoolah.common.clock import now
from reporting.models import (
    BusinessDay,
    DashboardRefresh,
    LedgerVerification,
    MaintenanceReport,
    QueryPerformanceHour,
    QueryPerformanceLog,
    TableSize,
    TransactionSummary,
    UserDashboardSummary,
    UserFinancialSummary,
)
from reporting.support import admin as support_admin  # noqa: F401 - Django finds its pages by this module
from wallets.admin import NUMBER
from wallets.models import Wallet

LABEL = "[ -~]{1,120}"


def customer_page(user: User) -> str | None:
    """A customer is looked at on the customer page; colleagues have their form in People."""
    return reverse("customer_page", args=[user.public_id]) if user.is_customer else None


own_pages[User] = customer_page
UserAdmin.change_form_outer_before_template = "admin/customer/from_people.html"


def by_number(text: str) -> Q:
    wallet_id = Wallet.objects.filter(number=text).values_list("pk", flat=True).first()
    return NOBODY if wallet_id is None else Q(wallet=wallet_id)


def owner_of_number(text: str) -> Q:
    """The overview has an index on its customers, not on its wallets."""
    user_id = Wallet.objects.filter(number=text).values_list("user_id", flat=True).first()
    return NOBODY if user_id is None else Q(user=user_id)


def customer(text: str) -> Q:
    user_id = User.objects.filter(public_id=text).values_list("pk", flat=True).first()
    return NOBODY if user_id is None else Q(user=user_id)


@admin.register(UserDashboardSummary)
class CustomerOverviewAdmin(LargeTableAdmin):
    """One row per wallet of an active customer, as of the last refresh; its page is the customer's own, live."""

    list_display = (
        "name",
        "kyc",
        "balance_shown",
        "active_shown",
        "pending_shown",
        "total_transactions",
        "received_shown",
        "sent_shown",
        "last_transaction_date",
    )
    ordering = ("-user_id", "-wallet_currency")  # the one index of the materialized view
    searches: ClassVar[list[Search]] = [
        Search("wallet number", NUMBER, owner_of_number),
        Search("public id", UUID, customer),
        *by_owner(),
    ]
    linked: ClassVar = {"user": ()}
    list_before_template = "admin/overview_age.html"

    def changelist_view(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "refresh": latest_refresh()})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        wallet = get_object_or_404(Wallet.objects.select_related("user").exclude(user=None), pk=object_id)
        assert wallet.user is not None
        return redirect("customer_page", wallet.user.public_id)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """No row of the overview has a history; and it would be sought by its wallet, which no index holds."""
        return self.change_view(request, object_id)

    @admin.display(description="Customer")
    def name(self, row: UserDashboardSummary) -> str:
        return f"{row.first_name} {row.last_name}"

    @badge("KYC", verified="success", pending="info", rejected="danger")
    def kyc(self, row: UserDashboardSummary) -> str:
        return row.kyc_status

    @admin.display(description="Balance")
    def balance_shown(self, row: UserDashboardSummary) -> str:
        return money(row.wallet_balance, row.wallet_currency)

    @admin.display(description="Active vouchers")
    def active_shown(self, row: UserDashboardSummary) -> str:
        return count_and_value(row.active_vouchers, row.active_voucher_value, row.wallet_currency)

    @admin.display(description="Pending vouchers")
    def pending_shown(self, row: UserDashboardSummary) -> str:
        return count_and_value(row.pending_vouchers, row.pending_voucher_value, row.wallet_currency)

    @admin.display(description="Received")
    def received_shown(self, row: UserDashboardSummary) -> str:
        return money(row.total_received, row.wallet_currency)

    @admin.display(description="Sent")
    def sent_shown(self, row: UserDashboardSummary) -> str:
        return money(row.total_sent, row.wallet_currency)


def count_and_value(count: int, value: object, currency: str) -> str:
    return format_html("{} · {}", count, money(value, currency)) if count else "0"


def latest_refresh() -> dict[str, object] | None:
    """When the overview was taken, its age, and what that cost."""
    refresh = DashboardRefresh.objects.order_by("-started_at").first()
    if refresh is None:
        return None
    return {
        "at": refresh.started_at,
        "age": in_words(now() - refresh.started_at),
        "duration_s": f"{refresh.duration_ms / 1000:.1f}",
        "rows": f"{refresh.rows_count:,}",
    }


def in_words(age: dt.timedelta) -> str:
    seconds = max(int(age.total_seconds()), 0)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


@admin.register(TransactionSummary)
class TransactionSummaryAdmin(LargeTableAdmin):
    list_display = ("wallet", "user", "currency", "total_transactions", "received", "sent", "last_transaction_date")
    list_select_related = ("wallet", "user")
    estimate_from = Wallet._meta.db_table
    searches: ClassVar[list[Search]] = [Search("wallet number", NUMBER, by_number), *by_owner()]
    linked: ClassVar = {"user": ()}

    @admin.display(description="Received")
    def received(self, row: TransactionSummary) -> str:
        return count_and_value(row.received_count, row.total_received, row.currency)

    @admin.display(description="Sent")
    def sent(self, row: TransactionSummary) -> str:
        return count_and_value(row.sent_count, row.total_sent, row.currency)


@admin.register(UserFinancialSummary)
class UserFinancialSummaryAdmin(LargeTableAdmin):
    list_display = (
        "wallet_number",
        "user",
        "kyc_status",
        "wallet_status",
        "balance_shown",
        "available_shown",
        "total_vouchers",
        "total_transactions",
        "last_transaction_date",
    )
    list_select_related = ("wallet", "user")
    estimate_from = Wallet._meta.db_table
    searches: ClassVar[list[Search]] = [Search("wallet number", NUMBER, by_number), *by_owner()]
    linked: ClassVar = {"user": ()}

    @admin.display(description="Balance")
    def balance_shown(self, row: UserFinancialSummary) -> str:
        return money(row.wallet_balance, row.wallet_currency)

    @admin.display(description="Available")
    def available_shown(self, row: UserFinancialSummary) -> str:
        return money(row.available_balance, row.wallet_currency)


@admin.register(DashboardRefresh)
class DashboardRefreshAdmin(LargeTableAdmin):
    list_display = ("started_at", "duration_ms", "rows_count", "changes_seen")


@admin.register(BusinessDay)
class BusinessDayAdmin(LargeTableAdmin):
    list_display = (
        "day",
        "active_customers",
        "kyc_submitted",
        "kyc_approved",
        "kyc_rejected",
        "kyc_waiting",
        "set_aside",
        "taken_at",
        "is_closed",
    )


@admin.register(LedgerVerification)
class LedgerVerificationAdmin(LargeTableAdmin):
    list_display = ("finished_at", "result", "looked_at", "checks_count", "duration_ms")

    @badge("Result", holds="success", broken="danger")
    def result(self, row: LedgerVerification) -> str:
        return str(row)

    @admin.display(description="Looked at")
    def looked_at(self, row: LedgerVerification) -> str:
        return f"changes since {shown(row.changes_since)}" if row.changes_since else "everything"


@admin.register(MaintenanceReport)
class MaintenanceReportAdmin(LargeTableAdmin):
    list_display = ("begins_on", "kind", "verdict", "warnings_count", "notices_count", "started_at", "attempt")
    fields = ("kind", "begins_on", "attempt", "started_at", "ended_at", "warnings_count", "notices_count")
    change_form_outer_before_template = "admin/maintenance_report.html"

    class Media:
        css: ClassVar = {"all": ("mymoolah/start.css", "mymoolah/database_health.css")}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """The list does without what was found, which is long."""
        return super().get_queryset(request).defer("findings")

    @badge("Verdict", well="success", look="info", act="warning", failed="danger")
    def verdict(self, row: MaintenanceReport) -> str:
        if row.failed:
            return "failed"
        return "act" if row.warnings_count else "look" if row.notices_count else "well"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        report = context.get("original")
        context["cards"] = [] if report is None else maintenance_cards(report)
        return super().render_change_form(request, context, *args, **kwargs)


# As the page of the database's health marks what it finds.
MARKS: Final = {"warning": ("critical", "!", "Warning"), "notice": ("look", "?", "To look at"), "ok": ("well", "✓", "")}


def maintenance_cards(report: MaintenanceReport) -> list[dict[str, Any]]:
    """A card a section, the gravest findings first in each."""
    grave = list(MARKS)
    return [
        {
            "name": name,
            "title": title,
            "rows": [
                {
                    "about": one["title"],
                    "says": one["found"],
                    "advice": one["advice"],
                    **dict(zip(("severity", "mark", "word"), MARKS[one["level"]], strict=True)),
                }
                for one in sorted(findings, key=lambda one: grave.index(one["level"]))
            ],
        }
        for (name, title), findings in groupby(report.findings, lambda one: (one["section"], one["section_title"]))
    ]


@admin.register(TableSize)
class TableSizeAdmin(LargeTableAdmin):
    list_display = ("taken_on", "table_name", "size")

    @admin.display(description="MiB")
    def size(self, row: TableSize) -> str:
        return f"{row.bytes / 1024**2:,.1f}"


@admin.register(QueryPerformanceLog)
class QueryPerformanceLogAdmin(LargeTableAdmin):
    list_display = ("created_at", "query_type", "execution_time_ms", "rows_returned", "is_sampled", "is_slow", "user")
    list_select_related = ("user",)
    searches: ClassVar[list[Search]] = [
        Search("route, task or command", LABEL, lambda text: Q(query_type=text), ("-created_at", "-pk"))
    ]


class DaysFilter(admin.SimpleListFilter):
    """The last day unless more is asked for: what is shown is computed as it is asked for."""

    title = "how far back"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        longer = sorted({7, settings.QUERY_LOG_KEPT_DAYS} - {1})
        return [("1", "A day"), *((str(days), f"{days} days") for days in longer)]

    def choices(self, changelist: Any) -> Iterator[Any]:
        choices = super().choices(changelist)
        next(choices)  # Django's own way to say "all", which is not what comes when nothing is asked
        return choices

    def value(self) -> str:
        return super().value() or "1"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        known = [days for days, _ in self.lookup_choices]
        days = int(self.value() if self.value() in known else known[0])
        return queryset.filter(hour__gte=now() - dt.timedelta(days=days))


@admin.register(QueryPerformanceHour)
class QueryPerformanceHourAdmin(LargeTableAdmin):
    list_display = (
        "hour",
        "query_type",
        "samples_count",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "slow_count",
        "slowest_ms",
        "rows_returned",
    )
    list_display_links = ("query_type",)
    list_filter = (DaysFilter,)
    ordering = ("-hour", "-query_type")
    searches: ClassVar[list[Search]] = [Search("route, task or command", LABEL, lambda text: Q(query_type=text))]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """By what its id is made of, which an index has; the id itself would be sought in all hours."""
        hour, _, label = object_id.partition(" ")
        try:
            at = dt.datetime.strptime(hour, "%Y-%m-%dT%HZ").replace(tzinfo=dt.UTC)
        except ValueError:
            return None
        return self.get_queryset(request).filter(hour=at, query_type=label).first()
