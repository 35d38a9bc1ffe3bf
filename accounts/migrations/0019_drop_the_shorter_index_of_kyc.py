"""Drop the index by KYC status and verified identity, whose columns the one with the id begins with.

Takes SHARE UPDATE EXCLUSIVE on users, and waits for whoever uses the index; reads and writes go on.
"""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("accounts", "0018_index_people_by_kyc_status"),
    ]

    operations = [
        RemoveIndexConcurrently("user", "ix_users_kyc"),
    ]
