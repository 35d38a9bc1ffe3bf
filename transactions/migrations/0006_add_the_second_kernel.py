"""Add the kernel that knows holds, gives spending back and names approvers, beside the first: processes of the release
before this one go on posting by theirs. Functions only, and triggers on new tables: nothing waits for a lock.
"""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0005_name_approvers_and_receivables"),
        ("wallets", "0004_guard_holds"),
    ]

    operations = [
        RunFile(
            "transactions",
            "receivables_v1.sql",
            reverse="""
            DROP TRIGGER receivables_only_fall ON receivables;
            DROP TRIGGER receivables_stay ON receivables;
            DROP TRIGGER receivable_collections_append_only ON receivable_collections;
            """,
        ),
        RunFile(
            "transactions",
            "post_transfers_v2.sql",
            reverse="""
            DROP FUNCTION post_transfers(transfer_leg[], text, text, bytea, bigint, bigint, bigint, timestamptz);
            DROP FUNCTION lock_hold, refuse_unless_amount, spent_with, spent_without;
            DROP TYPE transfer_leg;
            """,
        ),
        RunFile(
            "transactions",
            "holds_v1.sql",
            reverse="""
            DROP FUNCTION place_hold, void_hold, expire_hold, require_active_wallet;
            REVOKE USAGE ON SEQUENCE holds_id_seq FROM :"app_role";
            """,
        ),
    ]
