"""Add one-time codes. Its foreign key takes SHARE ROW EXCLUSIVE on users, for a moment: the new table is empty."""

import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_guard_and_grant"),
    ]

    operations = [
        migrations.CreateModel(
            name="OneTimeCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("email", "confirm an e-mail address"),
                            ("phone", "confirm a phone number"),
                            ("password", "choose a new password"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "target",
                    models.CharField(
                        help_text="Where it was sent; confirmed, it becomes the user's contact", max_length=254
                    ),
                ),
                (
                    "code_digest",
                    models.BinaryField(help_text="HMAC-SHA256 of the secret, for this user and target", max_length=32),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, help_text="Wrong codes tried")),
                ("sent_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "counted_from",
                    models.DateTimeField(help_text="When the hour began in which `sent_count` were sent"),
                ),
                ("sent_count", models.PositiveSmallIntegerField(default=1)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="one_time_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "one_time_codes",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "purpose"), name="uq_one_time_codes_user_purpose"),
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["email", "phone", "password"])),
                        name="one_time_codes_purpose_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("attempts__lte", 5)), name="one_time_codes_attempts_are_few"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("sent_at"))),
                        name="one_time_codes_end_after_start",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            django.db.models.functions.text.Length("code_digest"), 32
                        ),
                        name="one_time_codes_keep_a_digest",
                    ),
                ],
            },
        ),
        RunFile("accounts", "privileges_v2.sql"),
    ]
