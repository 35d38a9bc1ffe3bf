"""Let finance propose and decide, and take the books out as files; let auditors look. Rows of three small tables; no lock
that waits. Going back leaves them: nobody can see a table that is not there.
"""

from django.db import migrations

from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0007_let_auditors_take_copies"),
        ("transactions", "0009_keep_proposals"),
    ]

    operations = [SyncRoles()]
