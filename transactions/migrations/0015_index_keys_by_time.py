"""Index idempotency keys by time, by block ranges: what verifies the ledger since it last held finds the new ones. SHARE
UPDATE EXCLUSIVE on idempotency_keys; reads and writes go on. Built in one pass; a hundred kilobytes then.

If it fails half-way: drop the INVALID index and run again.
"""

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("transactions", "0014_hold_the_wallet_that_is_looked_at")]

    operations = [
        AddIndexConcurrently(
            "idempotencykey",
            django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["created_at"], name="ix_idempotency_keys_time"
            ),
        )
    ]
