"""Give people, devices and KYC cases the names that staff use. No table is touched."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_follow_kyc_further"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="kycdocument",
            options={"verbose_name": "KYC document", "verbose_name_plural": "KYC documents"},
        ),
        migrations.AlterModelOptions(
            name="kycnote",
            options={"verbose_name": "KYC note", "verbose_name_plural": "KYC notes"},
        ),
        migrations.AlterModelOptions(
            name="kycsubmission",
            options={
                "permissions": [("decide_kycsubmission", "Can decide KYC submissions")],
                "verbose_name": "KYC case",
                "verbose_name_plural": "KYC cases",
            },
        ),
        migrations.AlterModelOptions(
            name="loginsession",
            options={"verbose_name": "device", "verbose_name_plural": "devices"},
        ),
        migrations.AlterModelOptions(
            name="user",
            options={"verbose_name": "person", "verbose_name_plural": "people"},
        ),
        migrations.AlterField(
            model_name="user",
            name="id_verified",
            field=models.BooleanField(db_default=False, default=False, verbose_name="identity verified"),
        ),
        migrations.AlterField(
            model_name="user",
            name="is_staff",
            field=models.BooleanField(db_default=False, default=False, verbose_name="colleague"),
        ),
        migrations.AlterField(
            model_name="user",
            name="kyc_status",
            field=models.CharField(
                choices=[
                    ("not_started", "Not Started"),
                    ("pending", "Pending"),
                    ("verified", "Verified"),
                    ("rejected", "Rejected"),
                ],
                db_default="not_started",
                default="not_started",
                max_length=11,
                verbose_name="KYC status",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="kyc_tier",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="KYC tier"),
        ),
        migrations.AlterField(
            model_name="userhistory",
            name="id_verified",
            field=models.BooleanField(db_default=False, default=False, verbose_name="identity verified"),
        ),
        migrations.AlterField(
            model_name="userhistory",
            name="is_staff",
            field=models.BooleanField(db_default=False, default=False, verbose_name="colleague"),
        ),
        migrations.AlterField(
            model_name="userhistory",
            name="kyc_status",
            field=models.CharField(
                choices=[
                    ("not_started", "Not Started"),
                    ("pending", "Pending"),
                    ("verified", "Verified"),
                    ("rejected", "Rejected"),
                ],
                db_default="not_started",
                default="not_started",
                max_length=11,
                verbose_name="KYC status",
            ),
        ),
        migrations.AlterField(
            model_name="userhistory",
            name="kyc_tier",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="KYC tier"),
        ),
    ]
