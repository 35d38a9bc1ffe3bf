"""Name who approved a transfer, and keep what customers owe. The column is added to transfers without rewriting it: ACCESS
EXCLUSIVE for a moment. The rest are new tables.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0004_seed_fees"),
        ("wallets", "0003_say_what_holds_count_and_capture"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="transfer",
            name="approved_by",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="The second of the two people that finance's decisions need",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="kind",
            field=models.CharField(
                choices=[
                    ("transfer", "Transfer"),
                    ("voucher_issue", "Voucher Issue"),
                    ("voucher_redeem", "Voucher Redeem"),
                    ("voucher_refund", "Voucher Refund"),
                    ("top_up", "Top Up"),
                    ("voucher_spent", "Voucher Spent"),
                    ("cash_out", "Cash Out"),
                    ("fee", "Fee"),
                    ("vat", "Vat"),
                    ("suspense", "Suspense"),
                    ("release", "Release"),
                    ("capture", "Capture"),
                    ("resolution", "Resolution"),
                    ("reversal", "Reversal"),
                    ("collection", "Collection"),
                    ("adjustment", "Adjustment"),
                    ("settlement", "Settlement"),
                    ("demo_money", "Demo Money"),
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="Receivable",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=19)),
                ("collected_amount", models.DecimalField(db_default=0, decimal_places=2, default=0, max_digits=19)),
                ("currency", models.CharField(max_length=3)),
                ("created_at", models.DateTimeField()),
                (
                    "transfer",
                    models.OneToOneField(
                        help_text="The forced reversal, paid by the bank",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receivable",
                        to="transactions.transfer",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="receivables", to="wallets.wallet"
                    ),
                ),
            ],
            options={
                "db_table": "receivables",
            },
        ),
        migrations.CreateModel(
            name="ReceivableCollection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=19)),
                ("created_at", models.DateTimeField()),
                (
                    "receivable",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="collections",
                        to="transactions.receivable",
                    ),
                ),
                (
                    "transfer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="transactions.transfer"
                    ),
                ),
            ],
            options={
                "db_table": "receivable_collections",
            },
        ),
        migrations.AddIndex(
            model_name="receivable",
            index=models.Index(
                condition=models.Q(("collected_amount__lt", models.F("amount"))),
                fields=["created_at"],
                name="ix_receivables_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="receivable",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount__gt", 0), ("collected_amount__gte", 0), ("collected_amount__lte", models.F("amount"))
                ),
                name="receivables_collected_within_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="receivablecollection",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="collections_amount_is_positive"
            ),
        ),
    ]
