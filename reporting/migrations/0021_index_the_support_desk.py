"""Add what answered tickets and the list of all tickets are read by. SHARE UPDATE EXCLUSIVE on support_tickets; reads and writes go on.

If it fails half-way: drop the INVALID index and run again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("reporting", "0020_add_the_support_assistant")]

    operations = [
        AddIndexConcurrently(
            "supportticket",
            models.Index(
                fields=["assigned_to", "waits_since", "id"],
                name="ix_support_tickets_answered",
                condition=models.Q(status="waiting"),
            ),
        ),
        AddIndexConcurrently("supportticket", models.Index(fields=["status", "id"], name="ix_support_tickets_status")),
        AddIndexConcurrently("supportticket", models.Index(fields=["intent", "id"], name="ix_support_tickets_intent")),
    ]
