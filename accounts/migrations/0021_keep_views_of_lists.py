"""Keep views of lists under names. A new table; no other is locked."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0020_let_staff_act_for_customers"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("page", models.CharField(help_text="kyc_queue, or the list's model: wallets.wallet", max_length=60)),
                ("name", models.CharField(max_length=40)),
                (
                    "query",
                    models.CharField(
                        help_text="Of the address; only what the list knows, and nobody's name", max_length=500
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "shared_with",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
            ],
            options={
                "db_table": "saved_views",
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "page", "name"), name="uq_saved_views_owner_page_name"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name", ""), _negated=True), models.Q(("query", ""), _negated=True)
                        ),
                        name="saved_views_are_not_empty",
                    ),
                ],
            },
        ),
        RunFile("accounts", "saved_views_v1.sql"),
    ]
