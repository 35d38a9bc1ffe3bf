"""Let administrators and auditors see everybody's views of lists. Rows of a small table; no lock that waits."""

from django.db import migrations

from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0012_let_staff_act_for_customers"),
        ("accounts", "0021_keep_views_of_lists"),
    ]

    operations = [SyncRoles()]
