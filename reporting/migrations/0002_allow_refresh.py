"""Let the app refresh the materialized view, and record it. A function only: no table is locked."""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [("reporting", "0001_initial"), ("vouchers", "0002_keep_totals")]

    operations = [
        RunFile("reporting", "refresh_dashboard_v1.sql", reverse="DROP FUNCTION refresh_user_dashboard_summary();")
    ]
