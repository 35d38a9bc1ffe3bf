"""Index the audit trail by who did it and by time. Ids besides, since many
events may have one time. SHARE UPDATE EXCLUSIVE: events go on being written.

If it fails half-way: drop the INVALID index and run again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0009_write_old_emails_small")]

    operations = [
        AddIndexConcurrently("auditevent", models.Index(fields=["actor", "at", "id"], name="ix_audit_events_actor")),
        AddIndexConcurrently("auditevent", models.Index(fields=["at", "id"], name="ix_audit_events_at")),
    ]
