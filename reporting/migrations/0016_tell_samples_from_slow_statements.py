"""Tell sampled statements from those recorded for being slow, and leave room for the names of routes.

ACCESS EXCLUSIVE on query_performance_logs for a moment: constant defaults and a longer varchar rewrite nothing.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reporting", "0015_remember_table_sizes")]

    operations = [
        migrations.AddField(
            "queryperformancelog",
            "is_sampled",
            models.BooleanField(
                default=True, help_text="All statements of its request or task are here, the fast ones too"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "queryperformancelog",
            "is_slow",
            models.BooleanField(default=False, help_text="Took longer than QUERY_LOG_SLOW_MS said at the time"),
            preserve_default=False,
        ),
        migrations.AlterField(
            "queryperformancelog",
            "query_type",
            models.CharField(help_text="GET /api/v1/dashboard, the name of a task, or a command", max_length=120),
        ),
    ]
