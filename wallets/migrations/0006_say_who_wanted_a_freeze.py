"""Say who wanted a wallet frozen, and keep that in its row history.

The columns are added without rewriting: ACCESS EXCLUSIVE on wallets and their history for a moment, and SHARE ROW EXCLUSIVE
for the triggers; postings wait that long. Going back forgets who it was.
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("wallets", "0005_keep_row_history"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="wallet",
            options={
                "permissions": [
                    ("freeze_wallet", "Can freeze wallets, and undo what a customer froze"),
                    ("unfreeze_wallet", "Can undo what the bank froze"),
                ]
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="wallet",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="wallet",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="wallet",
            name="frozen_by",
            field=models.CharField(
                blank=True,
                choices=[("customer", "Customer"), ("bank", "Bank")],
                help_text="Who wanted it; unknown counts as the bank",
                max_length=8,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="wallethistory",
            name="frozen_by",
            field=models.CharField(
                blank=True,
                choices=[("customer", "Customer"), ("bank", "Bank")],
                help_text="Who wanted it; unknown counts as the bank",
                max_length=8,
                null=True,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wallet",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."frozen_by" IS DISTINCT FROM (NEW."frozen_by") OR OLD."status" IS DISTINCT FROM (NEW."status"))',
                    func='INSERT INTO "wallets_history" ("frozen_by", "pgh_created_at", "pgh_label", "pgh_obj_id", "status") VALUES (OLD."frozen_by", NOW(), \'update\', OLD."id", OLD."status"); RETURN NULL;',
                    hash="e665937c1a7150351ac5bf4b2c47d25e21242867",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_9f615",
                    table="wallets",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wallet",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "wallets_history" ("frozen_by", "pgh_created_at", "pgh_label", "pgh_obj_id", "status") VALUES (OLD."frozen_by", NOW(), \'delete\', OLD."id", OLD."status"); RETURN NULL;',
                    hash="77834fd8555b4309dafd30babfe1ab68e6f6e61a",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_85ee2",
                    table="wallets",
                    when="AFTER",
                ),
            ),
        ),
        RunFile("accounts", "seal_row_history_v1.sql"),
        RunFile("wallets", "frozen_by_v1.sql", reverse="DROP TRIGGER wallets_frozen_by_is_known ON wallets"),
    ]
