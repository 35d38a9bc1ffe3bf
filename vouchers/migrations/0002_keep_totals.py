"""Keep voucher_totals by triggers. New tables only: no lock that waits."""

from django.db import migrations

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [("vouchers", "0001_initial"), ("transactions", "0004_seed_fees")]

    operations = [
        RunFile(
            "vouchers",
            "voucher_totals_v1.sql",
            reverse="""
            DROP TRIGGER vouchers_inserted_into_totals ON vouchers;
            DROP TRIGGER vouchers_updated_into_totals ON vouchers;
            DROP TRIGGER vouchers_deleted_from_totals ON vouchers;
            DROP FUNCTION keep_voucher_totals();
            """,
        )
    ]
