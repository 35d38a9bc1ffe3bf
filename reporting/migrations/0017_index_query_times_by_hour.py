"""Index query times by hour and label. SHARE UPDATE EXCLUSIVE on query_performance_logs; reads and writes go on.

If it fails half-way: drop the INVALID index and run again.
"""

import datetime as dt

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("reporting", "0016_tell_samples_from_slow_statements")]

    operations = [
        AddIndexConcurrently(
            "queryperformancelog",
            models.Index(
                models.Func(
                    models.Value(dt.timedelta(hours=1)),
                    "created_at",
                    models.Value(dt.datetime(2000, 1, 1, tzinfo=dt.UTC)),
                    function="date_bin",
                ),
                models.F("query_type"),
                name="ix_query_performance_hour",
            ),
        ),
    ]
