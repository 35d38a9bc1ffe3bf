"""Keep reports of maintenance, and let the app ask for ANALYZE. A new table and a function; no other table is locked."""

import django.contrib.postgres.fields
import django.core.serializers.json
from django.db import migrations, models

from mymoolah.common.sql import RunFile
from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0018_see_query_times_by_hour"),
    ]

    operations = [
        migrations.CreateModel(
            name="MaintenanceReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("daily", "Daily"), ("weekly", "Weekly"), ("monthly", "Monthly")], max_length=7
                    ),
                ),
                ("begins_on", models.DateField(help_text="The day, the week's Monday, the month's first")),
                ("attempt", models.PositiveSmallIntegerField(help_text="1, unless somebody asked for it again")),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("warnings_count", models.PositiveIntegerField(verbose_name="warnings")),
                ("notices_count", models.PositiveIntegerField(verbose_name="notices")),
                (
                    "failed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        help_text="Names of the sections that could not look",
                        size=None,
                    ),
                ),
                (
                    "findings",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        help_text="section, section_title, level (ok, notice, warning), title, found, advice, facts of each",
                    ),
                ),
            ],
            options={
                "db_table": "maintenance_reports",
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "begins_on", "attempt"), name="uq_maintenance_reports_period"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["daily", "weekly", "monthly"])),
                        name="maintenance_reports_kind_is_known",
                    ),
                ],
            },
        ),
        RunFile("reporting", "maintenance_v1.sql", reverse="DROP FUNCTION analyze_table(text);"),
        SyncRoles(),
    ]
