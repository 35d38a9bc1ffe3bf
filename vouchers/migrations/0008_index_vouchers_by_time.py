"""Index vouchers by time, by block ranges: what verifies the ledger since it last held finds the new ones. SHARE UPDATE
EXCLUSIVE on vouchers; reads and writes go on. Built in one pass; a hundred kilobytes then.

If it fails half-way: drop the INVALID index and run again.
"""

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("vouchers", "0007_index_suspense_by_time")]

    operations = [
        AddIndexConcurrently(
            "voucher",
            django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["created_at"], name="ix_vouchers_time"
            ),
        )
    ]
