"""Index transfers by time, by block ranges: the day's counts read a day's pages alone. SHARE UPDATE EXCLUSIVE on
transfers: postings go on. Built in one pass, a second for each million rows; a hundred kilobytes then.

If it fails half-way: drop the INVALID index and run again.
"""

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("transactions", "0009_keep_proposals")]

    operations = [
        AddIndexConcurrently(
            "transfer",
            django.contrib.postgres.indexes.BrinIndex(
                fields=["created_at"], name="ix_transfers_time", autosummarize=True
            ),
        )
    ]
