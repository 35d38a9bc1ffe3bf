"""Tell what a document is for, when a passport ends, and that an identity is one person's, who may be approved again.

Takes ACCESS EXCLUSIVE on kyc_submissions and kyc_documents while it reads them once and builds two indexes: no time at
all, since nothing has written there yet. Going back fails once somebody was approved twice by the same document.
"""

import django.contrib.postgres.constraints
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_one_time_codes"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="kycsubmission",
            name="uq_kyc_approved_identity",
        ),
        migrations.AddField(
            model_name="kycdocument",
            name="kind",
            field=models.CharField(
                choices=[("identity", "Identity"), ("proof_of_address", "Proof Of Address")],
                db_default="identity",
                default="identity",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="passport_expires_on",
            field=models.DateField(blank=True, help_text="The last day it is valid", null=True),
        ),
        migrations.AlterField(
            model_name="kycdocument",
            name="sha256",
            field=models.BinaryField(help_text="Of what was sent, before anything was taken out of it", max_length=32),
        ),
        migrations.AlterField(
            model_name="kycdocument",
            name="size_bytes",
            field=models.PositiveIntegerField(help_text="Of what is kept, before encryption"),
        ),
        migrations.AddConstraint(
            model_name="kycdocument",
            constraint=models.UniqueConstraint(fields=("path",), name="uq_kyc_documents_path"),
        ),
        migrations.AddConstraint(
            model_name="kycdocument",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["identity", "proof_of_address"])), name="kyc_documents_kind_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("status", "approved")),
                expressions=[("id_type", "="), ("id_number_index", "="), ("user", "<>")],
                name="kyc_identity_is_one_persons",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("id_type", "sa_id"), ("passport_expires_on", None)),
                    models.Q(("id_type", "passport"), ("passport_expires_on__isnull", False)),
                    _connector="OR",
                ),
                name="kyc_submissions_passports_expire",
            ),
        ),
    ]
