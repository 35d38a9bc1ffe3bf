"""Index the people who are not active, for the list's filter: a few rows of a large table. SHARE UPDATE EXCLUSIVE on users;
reads and writes go on.

If it fails half-way: drop the INVALID index and run again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0023_keep_who_somebody_is")]

    operations = [
        AddIndexConcurrently(
            "user",
            models.Index(condition=~models.Q(status="active"), fields=["status", "id"], name="ix_users_not_active"),
        ),
    ]
