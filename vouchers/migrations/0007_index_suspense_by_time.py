"""Index suspense items by time, resolved ones too: the day's counts. SHARE UPDATE EXCLUSIVE: tills go on reporting.

If it fails half-way: drop the INVALID index and run again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("vouchers", "0006_keep_row_history")]

    operations = [
        AddIndexConcurrently("suspenseitem", models.Index(fields=["created_at"], name="ix_suspense_items_time"))
    ]
