"""Keep the figures of each day, and each verification of the ledger. Four new tables; no other is locked."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from mymoolah.common.sql import RunFile
from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0008_let_finance_propose"),
        ("accounts", "0012_index_kyc_decisions_by_time"),
        ("transactions", "0010_index_transfers_by_time"),
        ("vouchers", "0007_index_suspense_by_time"),
    ]

    operations = [
        migrations.CreateModel(
            name="BusinessDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("taken_at", models.DateTimeField()),
                (
                    "is_closed",
                    models.BooleanField(help_text="Taken after everything that was on its way at midnight had arrived"),
                ),
                ("active_customers", models.BigIntegerField(help_text="Whose money moved, in or out, in any currency")),
                ("kyc_submitted", models.BigIntegerField()),
                ("kyc_approved", models.BigIntegerField()),
                ("kyc_rejected", models.BigIntegerField()),
                ("kyc_waiting", models.BigIntegerField(help_text="As the day ended")),
                (
                    "set_aside",
                    models.BigIntegerField(
                        help_text="Payments at tills that could not be applied and went to suspense"
                    ),
                ),
            ],
            options={
                "db_table": "business_days",
                "indexes": [
                    models.Index(condition=models.Q(("is_closed", False)), fields=["day"], name="ix_business_days_open")
                ],
            },
        ),
        migrations.CreateModel(
            name="BusinessDayMoney",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "currency", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("in_count", models.BigIntegerField()),
                (
                    "in_amount",
                    models.DecimalField(
                        decimal_places=2, help_text="From the house's wallets to customers'", max_digits=19
                    ),
                ),
                ("out_count", models.BigIntegerField()),
                (
                    "out_amount",
                    models.DecimalField(
                        decimal_places=2, help_text="From customers' wallets to the house's", max_digits=19
                    ),
                ),
                ("between_count", models.BigIntegerField()),
                (
                    "between_amount",
                    models.DecimalField(decimal_places=2, help_text="From customer to customer", max_digits=19),
                ),
                (
                    "voucher_float",
                    models.DecimalField(
                        decimal_places=2,
                        help_text="What the bank owed for live vouchers as the day ended",
                        max_digits=19,
                    ),
                ),
                (
                    "day",
                    models.ForeignKey(
                        db_column="day",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="money",
                        to="reporting.businessday",
                    ),
                ),
            ],
            options={
                "db_table": "business_day_money",
            },
        ),
        migrations.CreateModel(
            name="BusinessDayRefusal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "code", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "code",
                    models.CharField(help_text="Of the problem that was answered: insufficient_funds", max_length=60),
                ),
                ("count", models.BigIntegerField()),
                (
                    "day",
                    models.ForeignKey(
                        db_column="day",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusals",
                        to="reporting.businessday",
                    ),
                ),
            ],
            options={
                "db_table": "business_day_refusals",
            },
        ),
        migrations.CreateModel(
            name="LedgerVerification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("finished_at", models.DateTimeField()),
                ("duration_ms", models.PositiveBigIntegerField()),
                ("checks_count", models.PositiveIntegerField()),
                (
                    "broken",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80),
                        help_text="Names of the checks that did not hold",
                        size=None,
                    ),
                ),
            ],
            options={
                "db_table": "ledger_verifications",
                "indexes": [models.Index(fields=["-finished_at"], name="ix_ledger_verifications_latest")],
            },
        ),
        RunFile("reporting", "days_v1.sql"),
        SyncRoles(),
    ]
