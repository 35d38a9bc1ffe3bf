"""Keep row history of wallets' status and of limits. New tables and triggers.

A trigger takes SHARE ROW EXCLUSIVE on its table, for a moment: postings wait for it. Going back forgets the history.
"""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import mymoolah.common.history
from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("wallets", "0004_guard_holds"),
        ("accounts", "0005_keep_row_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="TierLimitHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "transaction_id",
                    models.BigIntegerField(db_default=mymoolah.common.history.CurrentTransaction(), db_index=True),
                ),
                ("role", models.CharField(db_default=mymoolah.common.history.SessionRole(), max_length=63)),
                ("tier", models.PositiveSmallIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("per_transfer_amount", models.DecimalField(blank=True, decimal_places=2, max_digits=19, null=True)),
                ("per_day_amount", models.DecimalField(blank=True, decimal_places=2, max_digits=19, null=True)),
                ("per_month_amount", models.DecimalField(blank=True, decimal_places=2, max_digits=19, null=True)),
                ("highest_balance", models.DecimalField(decimal_places=2, max_digits=19)),
                ("may_send", models.BooleanField()),
                ("may_cash_out", models.BooleanField()),
            ],
            options={
                "db_table": "tier_limits_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="WalletHistory",
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
                        choices=[("active", "Active"), ("frozen", "Frozen"), ("closed", "Closed")],
                        default="active",
                        max_length=6,
                    ),
                ),
            ],
            options={
                "db_table": "wallets_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tierlimit",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "tier_limits_history" ("currency", "highest_balance", "may_cash_out", "may_send", "per_day_amount", "per_month_amount", "per_transfer_amount", "pgh_created_at", "pgh_label", "pgh_obj_id", "tier") SELECT new_values."currency", new_values."highest_balance", new_values."may_cash_out", new_values."may_send", new_values."per_day_amount", new_values."per_month_amount", new_values."per_transfer_amount", NOW(), \'insert\', new_values."id", new_values."tier" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="858ae10775eb4635a87362b736a4202b8d77a0b9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_41b0c",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="tier_limits",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tierlimit",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "tier_limits_history" ("currency", "highest_balance", "may_cash_out", "may_send", "per_day_amount", "per_month_amount", "per_transfer_amount", "pgh_created_at", "pgh_label", "pgh_obj_id", "tier") SELECT old_values."currency", old_values."highest_balance", old_values."may_cash_out", old_values."may_send", old_values."per_day_amount", old_values."per_month_amount", old_values."per_transfer_amount", NOW(), \'update\', old_values."id", old_values."tier" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."currency" IS DISTINCT FROM (new_values."currency") OR old_values."highest_balance" IS DISTINCT FROM (new_values."highest_balance") OR old_values."may_cash_out" IS DISTINCT FROM (new_values."may_cash_out") OR old_values."may_send" IS DISTINCT FROM (new_values."may_send") OR old_values."per_day_amount" IS DISTINCT FROM (new_values."per_day_amount") OR old_values."per_month_amount" IS DISTINCT FROM (new_values."per_month_amount") OR old_values."per_transfer_amount" IS DISTINCT FROM (new_values."per_transfer_amount") OR old_values."tier" IS DISTINCT FROM (new_values."tier")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="0adf780d66384e0d08ad33a547022a146474087d",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_f0e29",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="tier_limits",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tierlimit",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "tier_limits_history" ("currency", "highest_balance", "may_cash_out", "may_send", "per_day_amount", "per_month_amount", "per_transfer_amount", "pgh_created_at", "pgh_label", "pgh_obj_id", "tier") SELECT old_values."currency", old_values."highest_balance", old_values."may_cash_out", old_values."may_send", old_values."per_day_amount", old_values."per_month_amount", old_values."per_transfer_amount", NOW(), \'delete\', old_values."id", old_values."tier" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="ec768bd04b5a3197fcb404a1186a22cf76fb93f1",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_6b887",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="tier_limits",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wallet",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."status" IS DISTINCT FROM (NEW."status"))',
                    func='INSERT INTO "wallets_history" ("pgh_created_at", "pgh_label", "pgh_obj_id", "status") VALUES (NOW(), \'update\', OLD."id", OLD."status"); RETURN NULL;',
                    hash="b3b3ccde923ee38b78e7200d72e441d36ba80be2",
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
                    func='INSERT INTO "wallets_history" ("pgh_created_at", "pgh_label", "pgh_obj_id", "status") VALUES (NOW(), \'delete\', OLD."id", OLD."status"); RETURN NULL;',
                    hash="e2cbb6a84bc30014dadd5e0eb9b166b60382ce7f",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_85ee2",
                    table="wallets",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="tierlimithistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="wallets.tierlimit",
            ),
        ),
        migrations.AddField(
            model_name="wallethistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="wallets.wallet",
            ),
        ),
        RunFile("accounts", "seal_row_history_v1.sql"),
    ]
