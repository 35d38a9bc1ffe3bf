"""Show query times by hour to whoever sees them one by one. A view; no table is locked."""

from typing import Any

from django.db import migrations, models
from django_pgviews.db.migrations.operations import RegisterViewOperation

from reporting.roles import SyncRoles


class RegisterView(RegisterViewOperation):
    """What the library's own does, with a way back: the columns that the view reads go next."""

    reversible = True

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.execute(f"DROP VIEW IF EXISTS {schema_editor.quote_name(self.db_name)}")


class Migration(migrations.Migration):
    dependencies = [("reporting", "0017_index_query_times_by_hour")]

    operations = [
        migrations.CreateModel(
            name="QueryPerformanceHour",
            fields=[
                (
                    "id",
                    models.CharField(
                        help_text="The hour in UTC, and the label", max_length=135, primary_key=True, serialize=False
                    ),
                ),
                ("query_type", models.CharField(max_length=120)),
                ("hour", models.DateTimeField(help_text="Its beginning")),
                (
                    "samples_count",
                    models.BigIntegerField(
                        help_text="Statements of sampled requests and tasks", verbose_name="samples"
                    ),
                ),
                (
                    "p50_ms",
                    models.DecimalField(
                        decimal_places=3, help_text="Of the samples", max_digits=12, null=True, verbose_name="p50, ms"
                    ),
                ),
                ("p95_ms", models.DecimalField(decimal_places=3, max_digits=12, null=True, verbose_name="p95, ms")),
                ("p99_ms", models.DecimalField(decimal_places=3, max_digits=12, null=True, verbose_name="p99, ms")),
                (
                    "slow_count",
                    models.BigIntegerField(help_text="All slow statements, sampled or not", verbose_name="slow"),
                ),
                ("slowest_ms", models.DecimalField(decimal_places=3, max_digits=12, verbose_name="slowest, ms")),
                (
                    "rows_returned",
                    models.BigIntegerField(help_text="That the samples returned, all together", verbose_name="rows"),
                ),
            ],
            options={
                "verbose_name": "hour of query times",
                "verbose_name_plural": "query times by hour",
                "db_table": "query_performance_hourly",
                "abstract": False,
                "managed": False,
                "base_manager_name": "objects",
            },
        ),
        RegisterView(
            name="QueryPerformanceHour",
            materialized=False,
            db_name="query_performance_hourly",
        ),
        SyncRoles(),
    ]
