"""Name what staff may do for customers. Permissions only: no table is touched, no lock is taken."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_drop_the_shorter_index_of_kyc"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="kycsubmission",
            options={
                "permissions": [
                    ("decide_kycsubmission", "Can decide KYC submissions"),
                    ("reveal_kycsubmission", "Can look at a customer's whole identity number"),
                ],
                "verbose_name": "KYC case",
                "verbose_name_plural": "KYC cases",
            },
        ),
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("assist_user", "Can end sessions, unlock sign-in and send codes"),
                    ("suspend_user", "Can suspend and reinstate accounts"),
                    ("close_user", "Can close accounts"),
                    ("reopen_user", "Can reopen closed accounts"),
                ],
                "verbose_name": "person",
                "verbose_name_plural": "people",
            },
        ),
    ]
