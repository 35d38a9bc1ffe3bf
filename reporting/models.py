"""The read side: views as unmanaged models, and what is recorded about reading."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models, router
from django.db.models import Func, Q, Value
from django_pgviews import view as pg
from django_pgviews.exceptions import ConcurrentIndexNotDefinedError

from accounts.models import User
from mymoolah.common import sql
from reporting.support.models import (  # noqa: F401 - Django finds them here
    SupportArticle,
    SupportMessage,
    SupportReply,
    SupportTicket,
)
from wallets.models import Wallet, money_field

HOURS_BEGIN: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # any whole hour would do


class VoucherSummary(pg.ReadOnlyView):
    """A customer's vouchers in one currency. Live."""

    pk = models.CompositePrimaryKey("user", "currency")
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")
    currency = models.CharField(max_length=3)
    total_vouchers = models.BigIntegerField()
    active_count = models.BigIntegerField()
    pending_count = models.BigIntegerField()
    active_balance = money_field()
    pending_balance = money_field()
    total_value = money_field()

    sql = sql.read("reporting", "voucher_summary.sql")

    class Meta(pg.ReadOnlyView.Meta):
        abstract = False
        db_table = "voucher_summary"
        verbose_name, verbose_name_plural = "voucher summary", "voucher summaries"


class TransactionSummary(pg.ReadOnlyView):
    """What went through a customer's wallet in one currency. Live."""

    wallet = models.OneToOneField(Wallet, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")
    currency = models.CharField(max_length=3)
    total_transactions = models.BigIntegerField()
    received_count = models.BigIntegerField()
    sent_count = models.BigIntegerField()
    total_received = money_field()
    total_sent = money_field()
    last_transaction_date = models.DateTimeField(null=True)

    sql = sql.read("reporting", "transaction_summary.sql")

    class Meta(pg.ReadOnlyView.Meta):
        abstract = False
        db_table = "transaction_summary"
        verbose_name = verbose_name_plural = "turnover"

    def __str__(self) -> str:
        return f"turnover of wallet {self.wallet}"


class UserFinancialSummary(pg.ReadOnlyView):
    """A customer's wallet with everything the dashboard shows. Live."""

    wallet = models.OneToOneField(Wallet, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")
    kyc_status = models.CharField("KYC status", max_length=11)
    id_verified = models.BooleanField("identity verified")
    wallet_number = models.CharField(max_length=10)
    wallet_status = models.CharField(max_length=6)
    wallet_balance = money_field()
    available_balance = money_field()
    wallet_currency = models.CharField(max_length=3)
    total_vouchers = models.BigIntegerField()
    active_vouchers = models.BigIntegerField()
    pending_vouchers = models.BigIntegerField()
    active_voucher_value = money_field()
    pending_voucher_value = money_field()
    total_transactions = models.BigIntegerField()
    total_received = money_field()
    total_sent = money_field()
    last_transaction_date = models.DateTimeField(null=True)

    sql = sql.read("reporting", "user_financial_summary.sql")

    class Meta(pg.ReadOnlyView.Meta):
        abstract = False
        db_table = "user_financial_summary"
        verbose_name, verbose_name_plural = "live summary", "live summaries"

    def __str__(self) -> str:
        return f"wallet {self.wallet_number}"


class UserDashboardSummary(pg.ReadOnlyMaterializedView):
    """A wallet of an active customer as of the last refresh, whose time `DashboardRefresh` records."""

    wallet = models.OneToOneField(Wallet, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)
    kyc_status = models.CharField("KYC status", max_length=11)
    id_verified = models.BooleanField("identity verified")
    wallet_balance = money_field()
    wallet_currency = models.CharField(max_length=3)
    total_vouchers = models.BigIntegerField()
    active_vouchers = models.BigIntegerField()
    active_voucher_value = money_field()
    pending_vouchers = models.BigIntegerField()
    pending_voucher_value = money_field()
    total_transactions = models.BigIntegerField()
    total_received = money_field()
    total_sent = money_field()
    last_transaction_date = models.DateTimeField(null=True)

    sql = sql.read("reporting", "user_dashboard_summary.sql")
    concurrent_index = "user_id, wallet_currency"

    class Meta(pg.ReadOnlyMaterializedView.Meta):
        abstract = False
        db_table = "user_dashboard_summary"
        verbose_name = verbose_name_plural = "customer overview"

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}, {self.wallet_currency}"

    @classmethod
    def refresh(cls, concurrently: bool = False, strict: bool = False) -> None:
        """As the library does it, but by a function of the owner's, for the app is not the owner.

        The other kind, which blocks readers, is for `migrate` to fill a view that is empty.

        :raises ConcurrentIndexNotDefinedError: if `strict` and the view has no unique index
        """
        if concurrently and strict and cls._concurrent_index is None:
            raise ConcurrentIndexNotDefinedError(cls.__name__)
        alias, statement = (
            (router.db_for_write(cls), "SELECT refresh_user_dashboard_summary()")
            if concurrently
            else ("owner", "REFRESH MATERIALIZED VIEW user_dashboard_summary")
        )
        with connections[alias].cursor() as cursor:
            cursor.execute(statement)


class DashboardRefresh(models.Model):
    """One refresh of the materialized view, and the change counters of its sources that it has seen."""

    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    rows_count = models.BigIntegerField()
    changes_seen = models.BigIntegerField(help_text="Rows ever written to the view's tables, by PostgreSQL's own count")

    class Meta:
        db_table = "dashboard_refreshes"
        verbose_name, verbose_name_plural = "overview refresh", "overview refreshes"
        indexes = [models.Index(fields=["-started_at"], name="ix_dashboard_refreshes_latest")]

    def __str__(self) -> str:
        return f"{self.rows_count} rows in {self.duration_ms} ms"


class QueryPerformanceLog(models.Model):
    """One statement that ran: of a sampled request or task, or slow, or both. mymoolah/common/query_log.py records it."""

    query_type = models.CharField(max_length=120, help_text="GET /api/v1/dashboard, the name of a task, or a command")
    execution_time_ms = models.DecimalField(max_digits=12, decimal_places=3)
    rows_returned = models.BigIntegerField(null=True)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    is_sampled = models.BooleanField(help_text="All statements of its request or task are here, the fast ones too")
    is_slow = models.BooleanField(help_text="Took longer than QUERY_LOG_SLOW_MS said at the time")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "query_performance_logs"
        indexes = [
            models.Index(fields=["query_type", "created_at"], name="ix_query_performance_type_time"),
            # As query_performance_hourly.sql writes its hour.
            models.Index(
                Func(Value(dt.timedelta(hours=1)), "created_at", Value(HOURS_BEGIN), function="date_bin"),
                "query_type",
                name="ix_query_performance_hour",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.query_type} {self.execution_time_ms} ms"


class QueryPerformanceHour(pg.ReadOnlyView):
    """How long the statements of one label took in one hour. Live; ask for a few hours, each is computed anew."""

    id = models.CharField(max_length=135, primary_key=True, help_text="The hour in UTC, and the label")
    query_type = models.CharField(max_length=120)
    hour = models.DateTimeField(help_text="Its beginning")
    samples_count = models.BigIntegerField("samples", help_text="Statements of sampled requests and tasks")
    p50_ms = models.DecimalField("p50, ms", max_digits=12, decimal_places=3, null=True, help_text="Of the samples")
    p95_ms = models.DecimalField("p95, ms", max_digits=12, decimal_places=3, null=True)
    p99_ms = models.DecimalField("p99, ms", max_digits=12, decimal_places=3, null=True)
    slow_count = models.BigIntegerField("slow", help_text="All slow statements, sampled or not")
    slowest_ms = models.DecimalField("slowest, ms", max_digits=12, decimal_places=3)
    rows_returned = models.BigIntegerField("rows", help_text="That the samples returned, all together")

    sql = sql.read("reporting", "query_performance_hourly.sql")

    class Meta(pg.ReadOnlyView.Meta):
        abstract = False
        db_table = "query_performance_hourly"
        verbose_name, verbose_name_plural = "hour of query times", "query times by hour"

    def __str__(self) -> str:
        return f"{self.query_type}, {self.id.partition(' ')[0]}"


class BusinessDay(models.Model):
    """What happened on one Johannesburg day, for the start page's charts. A day that is closed is never taken again."""

    day = models.DateField(primary_key=True)
    taken_at = models.DateTimeField()
    is_closed = models.BooleanField(help_text="Taken after everything that was on its way at midnight had arrived")
    active_customers = models.BigIntegerField(help_text="Whose money moved, in or out, in any currency")
    kyc_submitted = models.BigIntegerField()
    kyc_approved = models.BigIntegerField()
    kyc_rejected = models.BigIntegerField()
    kyc_waiting = models.BigIntegerField(help_text="As the day ended")
    set_aside = models.BigIntegerField(help_text="Payments at tills that could not be applied and went to suspense")

    class Meta:
        db_table = "business_days"
        indexes = [models.Index(fields=["day"], condition=Q(is_closed=False), name="ix_business_days_open")]

    def __str__(self) -> str:
        return f"{self.day}"


class BusinessDayMoney(models.Model):
    """What moved on one Johannesburg day in one currency, and what vouchers were worth as it ended."""

    pk = models.CompositePrimaryKey("day", "currency")
    day = models.ForeignKey(BusinessDay, on_delete=models.CASCADE, related_name="money", db_column="day")
    currency = models.CharField(max_length=3)
    in_count = models.BigIntegerField()
    in_amount = money_field(help_text="From the house's wallets to customers'")
    out_count = models.BigIntegerField()
    out_amount = money_field(help_text="From customers' wallets to the house's")
    between_count = models.BigIntegerField()
    between_amount = money_field(help_text="From customer to customer")
    voucher_float = money_field(help_text="What the bank owed for live vouchers as the day ended")

    class Meta:
        db_table = "business_day_money"

    def __str__(self) -> str:
        return f"{self.day_id} {self.currency}"


class BusinessDayRefusal(models.Model):
    """How many payments were refused on one Johannesburg day for one reason, as far as Redis remembered."""

    pk = models.CompositePrimaryKey("day", "code")
    day = models.ForeignKey(BusinessDay, on_delete=models.CASCADE, related_name="refusals", db_column="day")
    code = models.CharField(max_length=60, help_text="Of the problem that was answered: insufficient_funds")
    count = models.BigIntegerField()

    class Meta:
        db_table = "business_day_refusals"

    def __str__(self) -> str:
        return f"{self.day_id} {self.code}"


class TableSize(models.Model):
    """How many bytes a table took on one Johannesburg day, its indexes included; kept for a quarter."""

    taken_on = models.DateField()
    table_name = models.CharField(max_length=63)
    bytes = models.BigIntegerField()

    class Meta:
        db_table = "table_sizes"
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["table_name", "taken_on"], name="uq_table_sizes_name_day")]

    def __str__(self) -> str:
        return f"{self.table_name} on {self.taken_on}"


class LedgerVerification(models.Model):
    """One run of `verify_ledger` that came to its end."""

    finished_at = models.DateTimeField()
    duration_ms = models.PositiveBigIntegerField()
    checks_count = models.PositiveIntegerField()
    broken = ArrayField(models.CharField(max_length=80), help_text="Names of the checks that did not hold")
    changes_since = models.DateTimeField(
        null=True, help_text="Only what changed since then was looked at; null: everything"
    )
    snapshot_at = models.DateTimeField(null=True, help_text="What was committed by then was looked at")
    horizon = models.BigIntegerField(null=True, help_text="Transactions before this one were over by then")

    class Meta:
        db_table = "ledger_verifications"
        indexes = [models.Index(fields=["-finished_at"], name="ix_ledger_verifications_latest")]

    def __str__(self) -> str:
        return "broken" if self.broken else "holds"


class MaintenanceReport(models.Model):
    """What maintenance found on one Johannesburg day, or in the week or month that begins with it. Only ever added."""

    class Kind(models.TextChoices):
        DAILY = "daily"
        WEEKLY = "weekly"
        MONTHLY = "monthly"

    kind = models.CharField(max_length=7, choices=Kind)
    begins_on = models.DateField(help_text="The day, the week's Monday, the month's first")
    attempt = models.PositiveSmallIntegerField(help_text="1, unless somebody asked for it again")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    warnings_count = models.PositiveIntegerField("warnings")
    notices_count = models.PositiveIntegerField("notices")
    failed = ArrayField(models.CharField(max_length=40), help_text="Names of the sections that could not look")
    findings = models.JSONField(
        encoder=DjangoJSONEncoder,
        help_text="section, section_title, level (ok, notice, warning), title, found, advice, facts of each",
    )

    class Meta:
        db_table = "maintenance_reports"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["kind", "begins_on", "attempt"], name="uq_maintenance_reports_period"),
            models.CheckConstraint(
                condition=Q(kind__in=["daily", "weekly", "monthly"]), name="maintenance_reports_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} maintenance of {self.begins_on}"
