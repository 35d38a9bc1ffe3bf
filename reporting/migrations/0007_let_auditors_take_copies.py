"""Let auditors and administrators take copies of the audit trail. Rows of three small tables; no lock that waits."""

from django.db import migrations

from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0006_let_officers_decide"),
        ("accounts", "0011_drop_an_index_that_another_holds"),
    ]

    operations = [SyncRoles()]
