"""Name a permission to cancel vouchers for customers. No table changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("vouchers", "0008_index_vouchers_by_time")]

    operations = [
        migrations.AlterModelOptions(
            name="voucher",
            options={
                "permissions": [("cancel_voucher", "Can cancel EasyPay vouchers and cash-outs for customers")],
            },
        ),
    ]
