"""Let finance, auditors, support and administrators see receivables and what was collected of them. Rows of three small
tables; no lock that waits. Going back leaves them: nobody can see a table that is not there.
"""

from django.db import migrations

from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0004_add_customer_dashboard"),
        ("transactions", "0005_name_approvers_and_receivables"),
    ]

    operations = [SyncRoles()]
