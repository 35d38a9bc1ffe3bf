"""Let administrators reset a colleague's second factor. Rows of two small tables; no lock that waits."""

from django.db import migrations

from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_second_factor"),
        ("reporting", "0009_count_the_days"),
    ]

    operations = [SyncRoles()]
