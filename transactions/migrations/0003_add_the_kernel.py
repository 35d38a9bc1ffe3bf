"""Add the posting kernel. Functions only: no table is locked."""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [("transactions", "0002_guard_the_ledger")]

    operations = [
        RunFile(
            "transactions",
            "post_transfers_v1.sql",
            reverse="""
            DROP FUNCTION post_transfers, posted_group, check_spend, refuse, claim_idempotency_key, house_wallet;
            DROP TYPE posting_leg;
            """,
        )
    ]
