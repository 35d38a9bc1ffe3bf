"""Let fees and limits change only as two people of finance decided, in the database too.

A column that may be NULL and triggers on three small tables: a short ACCESS EXCLUSIVE lock on `proposals`, SHARE ROW
EXCLUSIVE on `tier_limits` and `fee_rules`. Proposals that were decided before have no transaction.
"""

from django.db import migrations, models

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0010_index_transfers_by_time"),
        ("wallets", "0005_keep_row_history"),
        ("accounts", "0002_guard_and_grant"),
    ]

    operations = [
        migrations.AddField(
            model_name="proposal",
            name="transaction_id",
            field=models.BigIntegerField(
                editable=False,
                help_text="In which it was decided: its audit events and row history have the same",
                null=True,
            ),
        ),
        RunFile(
            "transactions",
            "rules_change_by_two_v1.sql",
            reverse="""
            DROP TRIGGER proposals_name_their_transaction ON proposals;
            DROP FUNCTION stamp_proposal();
            DROP TRIGGER tier_limits_change_by_two ON tier_limits;
            DROP TRIGGER fee_rules_change_by_two ON fee_rules;
            DROP FUNCTION require_two_of_finance();
            GRANT UPDATE, DELETE ON tier_limits TO :"app_role";
            """,
        ),
    ]
