"""Index devices by whose they are and by when they signed in: a page shows the latest of somebody who has thousands.

SHARE UPDATE EXCLUSIVE: people go on signing in. If it fails half-way: drop the INVALID index and run again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0015_call_people_people")]

    operations = [
        AddIndexConcurrently(
            "loginsession", models.Index(fields=["user", "created_at", "id"], name="ix_login_sessions_user")
        ),
    ]
