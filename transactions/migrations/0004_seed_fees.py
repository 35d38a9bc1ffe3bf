"""Seed what EasyPay services cost (design, section 6). A new table: no lock that waits."""

import datetime as dt
from decimal import Decimal

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FEES = {"easypay_topup": "5.50", "easypay_voucher": "2.50", "easypay_cashout": "8.00"}
FROM = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2)))


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rules = apps.get_model("transactions", "FeeRule").objects.using(schema_editor.connection.alias)
    for kind, amount in FEES.items():
        rules.create(kind=kind, currency="ZAR", fee_amount=Decimal(amount), vat_rate=Decimal("0.15"), valid_from=FROM)


def clear(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("transactions", "FeeRule").objects.using(schema_editor.connection.alias).filter(
        valid_from=FROM
    ).delete()


class Migration(migrations.Migration):
    dependencies = [("transactions", "0003_add_the_kernel")]

    operations = [migrations.RunPython(seed, clear)]
