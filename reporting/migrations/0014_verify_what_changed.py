"""Remember up to where each verification looked, for the next one to go on from there. Columns that may be NULL: ACCESS
EXCLUSIVE on ledger_verifications, for a moment.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0013_let_auditors_see_kept_views"),
        ("transactions", "0015_index_keys_by_time"),
        ("vouchers", "0008_index_vouchers_by_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="ledgerverification",
            name="changes_since",
            field=models.DateTimeField(
                help_text="Only what changed since then was looked at; null: everything", null=True
            ),
        ),
        migrations.AddField(
            model_name="ledgerverification",
            name="snapshot_at",
            field=models.DateTimeField(help_text="What was committed by then was looked at", null=True),
        ),
        migrations.AddField(
            model_name="ledgerverification",
            name="horizon",
            field=models.BigIntegerField(help_text="Transactions before this one were over by then", null=True),
        ),
    ]
