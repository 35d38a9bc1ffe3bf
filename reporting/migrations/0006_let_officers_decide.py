"""Give the KYC role what the desk asks for, and let those who look at cases read their notes. Rows; no lock that waits."""

from django.db import migrations

from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0005_show_receivables"),
        ("accounts", "0006_kyc_desk"),
    ]

    operations = [SyncRoles()]
