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
            DROP FUNCTION post_transfers, posted_group, claim_idempotency_key, claim_key, house_wallet;
            DROP FUNCTION refuse_inactive, refuse_over_limit, refuse;
            DROP TYPE posting_leg;
            """,
        )
    ]
