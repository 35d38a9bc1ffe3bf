"""Keep row history of vouchers. A new table and triggers.

A trigger takes SHARE ROW EXCLUSIVE on vouchers, for a moment: writers wait for it. Going back forgets the history.
"""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import mymoolah.common.history
from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("vouchers", "0005_guard_vouchers"),
        ("accounts", "0005_keep_row_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="VoucherHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "transaction_id",
                    models.BigIntegerField(db_default=mymoolah.common.history.CurrentTransaction(), db_index=True),
                ),
                ("role", models.CharField(db_default=mymoolah.common.history.SessionRole(), max_length=63)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("pending_payment", "Pending Payment"),
                            ("redeemed", "Redeemed"),
                            ("expired", "Expired"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=15,
                    ),
                ),
                ("balance", models.DecimalField(decimal_places=2, max_digits=19)),
                ("original_amount", models.DecimalField(decimal_places=2, max_digits=19)),
                ("currency", models.CharField(max_length=3)),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "vouchers_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voucher",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "vouchers_history" ("balance", "currency", "expires_at", "original_amount", "pgh_created_at", "pgh_label", "pgh_obj_id", "status") SELECT old_values."balance", old_values."currency", old_values."expires_at", old_values."original_amount", NOW(), \'update\', old_values."id", old_values."status" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."balance" IS DISTINCT FROM (new_values."balance") OR old_values."currency" IS DISTINCT FROM (new_values."currency") OR old_values."expires_at" IS DISTINCT FROM (new_values."expires_at") OR old_values."original_amount" IS DISTINCT FROM (new_values."original_amount") OR old_values."status" IS DISTINCT FROM (new_values."status")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="2c03028abfe213ca3841b8068f8d9f8fafb79984",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_ef7e1",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="vouchers",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="voucher",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "vouchers_history" ("balance", "currency", "expires_at", "original_amount", "pgh_created_at", "pgh_label", "pgh_obj_id", "status") SELECT old_values."balance", old_values."currency", old_values."expires_at", old_values."original_amount", NOW(), \'delete\', old_values."id", old_values."status" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="209f33d978ec48f668a91e1ab51c0769d27a593e",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_c7858",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="vouchers",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="voucherhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="vouchers.voucher",
            ),
        ),
        RunFile("accounts", "seal_row_history_v1.sql"),
    ]
