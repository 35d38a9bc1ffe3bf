"""Give the views the names that staff use. No table is touched."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0010_let_administrators_reset_telephones"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="dashboardrefresh",
            options={"verbose_name": "overview refresh", "verbose_name_plural": "overview refreshes"},
        ),
        migrations.AlterModelOptions(
            name="transactionsummary",
            options={
                "base_manager_name": "objects",
                "managed": False,
                "verbose_name": "turnover",
                "verbose_name_plural": "turnover",
            },
        ),
        migrations.AlterModelOptions(
            name="userfinancialsummary",
            options={
                "base_manager_name": "objects",
                "managed": False,
                "verbose_name": "live summary",
                "verbose_name_plural": "live summaries",
            },
        ),
        migrations.AlterModelOptions(
            name="vouchersummary",
            options={
                "base_manager_name": "objects",
                "managed": False,
                "verbose_name": "voucher summary",
                "verbose_name_plural": "voucher summaries",
            },
        ),
    ]
