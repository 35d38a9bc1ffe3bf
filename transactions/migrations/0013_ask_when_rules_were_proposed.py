"""Ask of what changes a fee or a limit that it was proposed earlier, and that the audit trail says who approved it.

A column that may be NULL: ACCESS EXCLUSIVE on `proposals` for a moment. The rest is two functions in the place of two.
Proposals from before have no transaction in which they were made; they are older than any that approves them.
"""

from django.db import migrations, models

from mymoolah.common.sql import RunFile, read


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0012_close_no_debtors_wallet"),
        ("accounts", "0022_stamp_audit_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="proposal",
            name="proposed_transaction_id",
            field=models.BigIntegerField(
                editable=False, help_text="In which it was proposed: never the one that decides", null=True
            ),
        ),
        RunFile(
            "transactions",
            "rules_change_by_two_v2.sql",
            reverse=f"""
            DROP TRIGGER proposals_name_their_transaction ON proposals;
            DROP FUNCTION stamp_proposal();
            DROP TRIGGER tier_limits_change_by_two ON tier_limits;
            DROP TRIGGER fee_rules_change_by_two ON fee_rules;
            DROP FUNCTION require_two_of_finance();
            {read("transactions", "rules_change_by_two_v1.sql")}
            """,
        ),
    ]
