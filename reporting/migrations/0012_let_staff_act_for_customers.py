"""Let support, KYC officers, finance and administrators do something for customers. Rows of three small tables; no lock that
waits. Going back leaves them: nobody can see a table that is not there.
"""

from django.db import migrations

from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0011_name_the_views"),
        ("accounts", "0020_let_staff_act_for_customers"),
        ("wallets", "0006_say_who_wanted_a_freeze"),
    ]

    operations = [SyncRoles()]
