"""Tell what issued a voucher, what a till was answered, and who resolved a suspense item by which transfer.

The key from vouchers to transfers takes SHARE ROW EXCLUSIVE on both while vouchers are scanned once: about a second for
two million. Tills' reports and suspense items have had no writer before this release: their tables are empty.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0005_name_approvers_and_receivables"),
        ("vouchers", "0003_count_easypay_numbers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="suspenseitem",
            name="suspense_items_resolved_somehow",
        ),
        migrations.AddField(
            model_name="suspenseitem",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="suspenseitem",
            name="resolution_transfer",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="transactions.transfer",
            ),
        ),
        migrations.AddField(
            model_name="suspenseitem",
            name="resolved_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="suspenseitem",
            name="transfer",
            field=models.ForeignKey(
                db_index=False,
                help_text="The first of the group that put it here",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="transactions.transfer",
            ),
        ),
        migrations.AlterField(
            model_name="suspenseitem",
            name="transfer",
            field=models.ForeignKey(
                db_index=False,
                help_text="The first of the group that put it here",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="transactions.transfer",
            ),
        ),
        migrations.AddField(
            model_name="tillevent",
            name="processed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="voucher",
            name="issue_transfer",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="What its issuer paid for it; none where nothing was paid, or only held",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="transactions.transfer",
            ),
        ),
        migrations.AlterField(
            model_name="suspenseitem",
            name="reason",
            field=models.CharField(
                choices=[
                    ("unknown_number", "Unknown Number"),
                    ("other_amount", "another amount"),
                    ("late", "after it ended"),
                    ("again", "paid or spent before"),
                    ("wallet_frozen", "Wallet Frozen"),
                    ("wallet_closed", "Wallet Closed"),
                    ("account_suspended", "Account Suspended"),
                    ("balance_too_high", "the wallet would hold too much"),
                    ("release_reversed", "Release Reversed"),
                ],
                max_length=40,
            ),
        ),
        migrations.AlterField(
            model_name="suspenseitem",
            name="resolution",
            field=models.CharField(
                blank=True,
                choices=[
                    ("released", "released to the customer"),
                    ("returned", "returned to the till"),
                    ("paid_outside", "paid outside, from the bank"),
                    ("spent", "taken as what was spent or paid out"),
                    ("till_bears", "the till bears it"),
                    ("bank_bears", "the bank bears it"),
                    ("customer_agreed", "the customer agreed to bear it"),
                ],
                max_length=40,
            ),
        ),
        migrations.AlterField(
            model_name="tillevent",
            name="result",
            field=models.CharField(
                choices=[("applied", "Applied"), ("suspense", "Suspense")],
                help_text="What the till was told; none until it was acted on",
                max_length=8,
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="tillevent",
            index=models.Index(
                condition=models.Q(("result", None)), fields=["received_at"], name="ix_till_events_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="suspenseitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("approved_by", None),
                        ("resolution", ""),
                        ("resolution_transfer", None),
                        ("resolved_at", None),
                        ("resolved_by", None),
                    ),
                    models.Q(
                        ("resolution_transfer__isnull", False),
                        ("resolved_at__isnull", False),
                        models.Q(("resolution", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="suspense_items_resolved_somehow",
            ),
        ),
        migrations.AddConstraint(
            model_name="suspenseitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("resolved_at", None),
                    models.Q(
                        ("approved_by__isnull", False),
                        ("resolved_by__isnull", False),
                        models.Q(("resolved_by", models.F("approved_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="suspense_items_resolved_by_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="tillevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="till_events_amount_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="tillevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("processed_at", None), ("result", None)),
                    models.Q(
                        ("processed_at__isnull", False),
                        ("result__in", ["applied", "suspense"]),
                        ("result__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="till_events_result_is_known",
            ),
        ),
    ]
