"""Index identity checks by when they were decided: the day's counts. SHARE UPDATE EXCLUSIVE: officers go on deciding.

If it fails half-way: drop the INVALID index and run again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0011_drop_an_index_that_another_holds")]

    operations = [
        AddIndexConcurrently(
            "kycsubmission",
            models.Index(
                fields=["decided_at"], name="ix_kyc_decided", condition=models.Q(("decided_at__isnull", False))
            ),
        )
    ]
