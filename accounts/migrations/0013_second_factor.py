"""Keep staff's second factor, and an epoch for each user that ends his sessions in the back-office.

Takes ACCESS EXCLUSIVE on users for a moment (the column comes with a constant, no row is rewritten) and SHARE ROW
EXCLUSIVE on users_groups and users_user_permissions for the triggers; the new tables are empty. Sessions that are open
end: they do not say what this release asks of them.
"""

import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_index_kyc_decisions_by_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="session_epoch",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Sessions in the back-office that began in another one are over",
            ),
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="second_factor",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("key_encrypted", models.TextField()),
                (
                    "last_step",
                    models.BigIntegerField(
                        help_text="Thirty seconds' steps since 1970; codes until this one are used up"
                    ),
                ),
                ("enrolled_at", models.DateTimeField()),
            ],
            options={
                "db_table": "second_factors",
                "permissions": [("reset_secondfactor", "Can reset a colleague's second factor")],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("last_step__gt", 0)), name="second_factors_used_a_code")
                ],
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BinaryField(help_text="HMAC-SHA256 of the code, for this colleague", max_length=32)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "factor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to="accounts.secondfactor",
                    ),
                ),
            ],
            options={
                "db_table": "recovery_codes",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("factor", "digest"), name="uq_recovery_codes_factor_digest"),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(django.db.models.functions.text.Length("digest"), 32),
                        name="recovery_codes_keep_a_digest",
                    ),
                ],
            },
        ),
        RunFile(
            "accounts",
            "staff_sessions_v1.sql",
            reverse="""
            DROP TRIGGER users_user_permissions_end_sessions ON users_user_permissions;
            DROP TRIGGER users_groups_end_sessions ON users_groups;
            DROP TRIGGER users_standing_ends_sessions ON users;
            DROP FUNCTION end_sessions_of_role();
            DROP FUNCTION end_sessions_of_user();
            """,
        ),
    ]
