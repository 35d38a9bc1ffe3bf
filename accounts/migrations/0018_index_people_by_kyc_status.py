"""Let the people list be narrowed by KYC status, and go on by key there.

Takes SHARE UPDATE EXCLUSIVE on users; reads and writes go on. If it fails half-way: drop the INVALID index and run again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("accounts", "0017_drop_the_index_of_devices_that_another_holds"),
    ]

    operations = [
        AddIndexConcurrently("user", models.Index(fields=["kyc_status", "id_verified", "id"], name="ix_users_kyc_id")),
    ]
