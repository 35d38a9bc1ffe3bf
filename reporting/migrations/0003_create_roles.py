"""Make the groups of staff and give them what reporting/roles.py says. Rows of three small tables; no lock that waits.

Going back leaves the groups: people may be in them by then, and without these permissions they could do nothing.
"""

from django.db import migrations

from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0002_allow_refresh"),
        ("accounts", "0002_guard_and_grant"),
        ("wallets", "0002_seed_limits_and_house"),
        ("transactions", "0004_seed_fees"),
        ("vouchers", "0002_keep_totals"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [SyncRoles()]
