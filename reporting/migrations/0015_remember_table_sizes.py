"""Remember how large tables are, and let operators look at the database. A new table; no other is locked."""

from django.db import migrations, models

from mymoolah.common.sql import RunFile
from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0014_verify_what_changed"),
    ]

    operations = [
        migrations.CreateModel(
            name="TableSize",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("taken_on", models.DateField()),
                ("table_name", models.CharField(max_length=63)),
                ("bytes", models.BigIntegerField()),
            ],
            options={
                "db_table": "table_sizes",
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(fields=("table_name", "taken_on"), name="uq_table_sizes_name_day")
                ],
            },
        ),
        RunFile("reporting", "table_sizes_v1.sql"),
        SyncRoles(),
    ]
