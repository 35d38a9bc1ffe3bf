"""Add what the desk's queue and checks are read by. Takes SHARE UPDATE EXCLUSIVE on both tables; reads and writes go on.

If it fails half-way: drop the INVALID index and run again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

PENDING = models.Q(status="pending")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("accounts", "0006_kyc_desk"),
    ]

    operations = [
        AddIndexConcurrently(
            "kycsubmission",
            models.Index(fields=["waits_for", "created_at", "id"], name="ix_kyc_waiting", condition=PENDING),
        ),
        AddIndexConcurrently(
            "kycsubmission",
            models.Index(fields=["sought_tier", "created_at", "id"], name="ix_kyc_waiting_tier", condition=PENDING),
        ),
        AddIndexConcurrently(
            "kycsubmission",
            models.Index(
                fields=["created_at", "id"],
                name="ix_kyc_waiting_red",
                condition=models.Q(status="pending", is_red=True),
            ),
        ),
        AddIndexConcurrently(
            "kycsubmission",
            models.Index(
                fields=["assignee", "created_at", "id"],
                name="ix_kyc_claimed",
                condition=models.Q(status="pending", assignee__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            "kycsubmission", models.Index(fields=["id_number_index"], name="ix_kyc_submissions_identity")
        ),
        AddIndexConcurrently("kycdocument", models.Index(fields=["sha256"], name="ix_kyc_documents_sha256")),
    ]
