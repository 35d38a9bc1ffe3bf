"""Keep row history of fees. A new table and triggers: SHARE ROW EXCLUSIVE on fee_rules, for a moment."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import mymoolah.common.history
from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0007_drop_the_first_kernel"),
        ("accounts", "0005_keep_row_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeeRuleHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "transaction_id",
                    models.BigIntegerField(db_default=mymoolah.common.history.CurrentTransaction(), db_index=True),
                ),
                ("role", models.CharField(db_default=mymoolah.common.history.SessionRole(), max_length=63)),
                ("kind", models.CharField(max_length=20)),
                ("currency", models.CharField(max_length=3)),
                ("fee_amount", models.DecimalField(decimal_places=2, max_digits=19)),
                ("vat_rate", models.DecimalField(decimal_places=4, max_digits=5)),
                ("valid_from", models.DateTimeField()),
            ],
            options={
                "db_table": "fee_rules_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="feerule",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "fee_rules_history" ("currency", "fee_amount", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "valid_from", "vat_rate") SELECT new_values."currency", new_values."fee_amount", new_values."kind", NOW(), \'insert\', new_values."id", new_values."valid_from", new_values."vat_rate" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="11cc995b87b36386e8c01bbd3f4c6be3e42dba80",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_182bf",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="fee_rules",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="feerule",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "fee_rules_history" ("currency", "fee_amount", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "valid_from", "vat_rate") SELECT old_values."currency", old_values."fee_amount", old_values."kind", NOW(), \'update\', old_values."id", old_values."valid_from", old_values."vat_rate" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."currency" IS DISTINCT FROM (new_values."currency") OR old_values."fee_amount" IS DISTINCT FROM (new_values."fee_amount") OR old_values."kind" IS DISTINCT FROM (new_values."kind") OR old_values."valid_from" IS DISTINCT FROM (new_values."valid_from") OR old_values."vat_rate" IS DISTINCT FROM (new_values."vat_rate")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="4d8b34b0d7148e0fa8db0b4609e5f4a9f8f14476",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_960da",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="fee_rules",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="feerule",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "fee_rules_history" ("currency", "fee_amount", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "valid_from", "vat_rate") SELECT old_values."currency", old_values."fee_amount", old_values."kind", NOW(), \'delete\', old_values."id", old_values."valid_from", old_values."vat_rate" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="30993d864796012b16dd266e02400c2d83d7ee27",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_e93a5",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="fee_rules",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="feerulehistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="transactions.feerule",
            ),
        ),
        RunFile("accounts", "seal_row_history_v1.sql"),
    ]
