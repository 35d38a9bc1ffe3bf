"""Add the function that answers a customer's dashboard. A function only: no table is locked."""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [("reporting", "0003_create_roles"), ("transactions", "0002_guard_the_ledger")]

    operations = [RunFile("reporting", "customer_dashboard_v1.sql", reverse="DROP FUNCTION customer_dashboard;")]
