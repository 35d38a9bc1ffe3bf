"""Make the ledger append-only and tie each head to its entry.

Takes SHARE ROW EXCLUSIVE on wallets and transactions for the key: both are empty, or nearly so, when this runs.
"""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [("transactions", "0001_initial"), ("wallets", "0002_seed_limits_and_house")]

    operations = [
        RunFile(
            "transactions",
            "guards_v1.sql",
            reverse="""
            ALTER TABLE wallets DROP CONSTRAINT wallets_head_is_an_entry;
            DROP TRIGGER wallets_head_moves_forward ON wallets;
            DROP TRIGGER transfers_append_only ON transfers;
            DROP TRIGGER transactions_append_only ON transactions;
            DROP TRIGGER idempotency_keys_append_only ON idempotency_keys;
            ALTER TABLE wallets RESET (fillfactor, autovacuum_vacuum_scale_factor);
            """,
        )
    ]
