"""Count EasyPay numbers by a sequence of their own. A new sequence: no lock that waits."""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [("vouchers", "0002_keep_totals")]

    operations = [RunFile("vouchers", "easypay_accounts_v1.sql", reverse="DROP SEQUENCE easypay_accounts;")]
