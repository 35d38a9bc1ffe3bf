"""Keep of cases and documents what came with the desk as well: who has a case, who proposed what, what was asked again.

Columns of two tables of history, which rows from before do not have, and their triggers anew: SHARE ROW EXCLUSIVE on
`kyc_submissions` and `kyc_documents` for a moment. The app may ask again for a document, and change nothing else of it.
"""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_second_factor"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="kycdocument",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="kycdocument",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="kycdocument",
            name="file_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="kycdocument",
            name="delete_delete",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="kycsubmission",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="kycsubmission",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="kycsubmission",
            name="identity_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="kycsubmission",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="kycdocumenthistory",
            name="asked_again_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="kycdocumenthistory",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="Sent again",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="accounts.kycdocument",
            ),
        ),
        migrations.AddField(
            model_name="kycsubmissionhistory",
            name="assignee",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="kycsubmissionhistory",
            name="is_red",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether an automatic check was red when it was last looked into",
            ),
        ),
        migrations.AddField(
            model_name="kycsubmissionhistory",
            name="proposed_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="kycsubmissionhistory",
            name="proposed_checks",
            field=models.JSONField(blank=True, help_text="Code and colour of each check the first saw", null=True),
        ),
        migrations.AddField(
            model_name="kycsubmissionhistory",
            name="proposed_tier",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="kycsubmissionhistory",
            name="sought_tier",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, help_text="What the documents are good for"
            ),
        ),
        migrations.AddField(
            model_name="kycsubmissionhistory",
            name="waits_for",
            field=models.CharField(
                blank=True,
                choices=[("officer", "Officer"), ("second", "Second Officer"), ("customer", "Customer")],
                db_default="officer",
                default="officer",
                max_length=8,
                null=True,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kycdocument",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_documents_history" ("asked_again_at", "content_type", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaces_id", "size_bytes", "submission_id") SELECT new_values."asked_again_at", new_values."content_type", new_values."kind", NOW(), \'insert\', new_values."id", new_values."replaces_id", new_values."size_bytes", new_values."submission_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="025b4aa0627b67e71373c1b5f293687704ca114c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_46a92",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="kyc_documents",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kycdocument",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_documents_history" ("asked_again_at", "content_type", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaces_id", "size_bytes", "submission_id") SELECT old_values."asked_again_at", old_values."content_type", old_values."kind", NOW(), \'update\', old_values."id", old_values."replaces_id", old_values."size_bytes", old_values."submission_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."asked_again_at" IS DISTINCT FROM (new_values."asked_again_at") OR old_values."content_type" IS DISTINCT FROM (new_values."content_type") OR old_values."kind" IS DISTINCT FROM (new_values."kind") OR old_values."replaces_id" IS DISTINCT FROM (new_values."replaces_id") OR old_values."size_bytes" IS DISTINCT FROM (new_values."size_bytes") OR old_values."submission_id" IS DISTINCT FROM (new_values."submission_id")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="7c58a2683d77ef7ddb525052fbc7821531d92009",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_600bf",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="kyc_documents",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kycdocument",
            trigger=pgtrigger.compiler.Trigger(
                name="file_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_documents_history" ("asked_again_at", "content_type", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaces_id", "size_bytes", "submission_id") SELECT old_values."asked_again_at", old_values."content_type", old_values."kind", NOW(), \'file\', old_values."id", old_values."replaces_id", old_values."size_bytes", old_values."submission_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."path" IS DISTINCT FROM (new_values."path") OR old_values."sha256" IS DISTINCT FROM (new_values."sha256")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="785516bf02f699ea84d0ba03d628468e292ec7c7",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_file_update_63a9a",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="kyc_documents",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kycdocument",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_documents_history" ("asked_again_at", "content_type", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaces_id", "size_bytes", "submission_id") SELECT old_values."asked_again_at", old_values."content_type", old_values."kind", NOW(), \'delete\', old_values."id", old_values."replaces_id", old_values."size_bytes", old_values."submission_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="74959e518ac961f1544138a22ef2361e26405f8b",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_cd1ce",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="kyc_documents",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kycsubmission",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_submissions_history" ("assignee_id", "decided_at", "granted_tier", "id_type", "is_red", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_by_id", "proposed_checks", "proposed_tier", "reviewer_id", "second_reviewer_id", "sought_tier", "status", "user_id", "waits_for") SELECT new_values."assignee_id", new_values."decided_at", new_values."granted_tier", new_values."id_type", new_values."is_red", NOW(), \'insert\', new_values."id", new_values."proposed_by_id", new_values."proposed_checks", new_values."proposed_tier", new_values."reviewer_id", new_values."second_reviewer_id", new_values."sought_tier", new_values."status", new_values."user_id", new_values."waits_for" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="4201b43374174115c4d343f8f26d6c61a3fe13be",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_78b1c",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="kyc_submissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kycsubmission",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_submissions_history" ("assignee_id", "decided_at", "granted_tier", "id_type", "is_red", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_by_id", "proposed_checks", "proposed_tier", "reviewer_id", "second_reviewer_id", "sought_tier", "status", "user_id", "waits_for") SELECT old_values."assignee_id", old_values."decided_at", old_values."granted_tier", old_values."id_type", old_values."is_red", NOW(), \'update\', old_values."id", old_values."proposed_by_id", old_values."proposed_checks", old_values."proposed_tier", old_values."reviewer_id", old_values."second_reviewer_id", old_values."sought_tier", old_values."status", old_values."user_id", old_values."waits_for" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."assignee_id" IS DISTINCT FROM (new_values."assignee_id") OR old_values."decided_at" IS DISTINCT FROM (new_values."decided_at") OR old_values."granted_tier" IS DISTINCT FROM (new_values."granted_tier") OR old_values."id_type" IS DISTINCT FROM (new_values."id_type") OR old_values."is_red" IS DISTINCT FROM (new_values."is_red") OR old_values."proposed_by_id" IS DISTINCT FROM (new_values."proposed_by_id") OR old_values."proposed_checks" IS DISTINCT FROM (new_values."proposed_checks") OR old_values."proposed_tier" IS DISTINCT FROM (new_values."proposed_tier") OR old_values."reviewer_id" IS DISTINCT FROM (new_values."reviewer_id") OR old_values."second_reviewer_id" IS DISTINCT FROM (new_values."second_reviewer_id") OR old_values."sought_tier" IS DISTINCT FROM (new_values."sought_tier") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."user_id" IS DISTINCT FROM (new_values."user_id") OR old_values."waits_for" IS DISTINCT FROM (new_values."waits_for")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="39c8ec1de4d8ff2baa30fce8c7e9fecdda52b77a",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_af83d",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="kyc_submissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kycsubmission",
            trigger=pgtrigger.compiler.Trigger(
                name="identity_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_submissions_history" ("assignee_id", "decided_at", "granted_tier", "id_type", "is_red", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_by_id", "proposed_checks", "proposed_tier", "reviewer_id", "second_reviewer_id", "sought_tier", "status", "user_id", "waits_for") SELECT old_values."assignee_id", old_values."decided_at", old_values."granted_tier", old_values."id_type", old_values."is_red", NOW(), \'identity\', old_values."id", old_values."proposed_by_id", old_values."proposed_checks", old_values."proposed_tier", old_values."reviewer_id", old_values."second_reviewer_id", old_values."sought_tier", old_values."status", old_values."user_id", old_values."waits_for" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."id_number_encrypted" IS DISTINCT FROM (new_values."id_number_encrypted") OR old_values."id_number_index" IS DISTINCT FROM (new_values."id_number_index") OR old_values."passport_expires_on" IS DISTINCT FROM (new_values."passport_expires_on")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="1e8537ea8157b5739d95a6199bb7f24bcd5b3eaa",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_identity_update_75cd2",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="kyc_submissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kycsubmission",
            trigger=pgtrigger.compiler.Trigger(
                name="words_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_submissions_history" ("assignee_id", "decided_at", "granted_tier", "id_type", "is_red", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_by_id", "proposed_checks", "proposed_tier", "reviewer_id", "second_reviewer_id", "sought_tier", "status", "user_id", "waits_for") SELECT old_values."assignee_id", old_values."decided_at", old_values."granted_tier", old_values."id_type", old_values."is_red", NOW(), \'words\', old_values."id", old_values."proposed_by_id", old_values."proposed_checks", old_values."proposed_tier", old_values."reviewer_id", old_values."second_reviewer_id", old_values."sought_tier", old_values."status", old_values."user_id", old_values."waits_for" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."override_reason" IS DISTINCT FROM (new_values."override_reason") OR old_values."reason" IS DISTINCT FROM (new_values."reason")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="b9604b9931556b39099aed017ccbb1ceaf5dcc74",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_words_update_eb373",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="kyc_submissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kycsubmission",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_submissions_history" ("assignee_id", "decided_at", "granted_tier", "id_type", "is_red", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_by_id", "proposed_checks", "proposed_tier", "reviewer_id", "second_reviewer_id", "sought_tier", "status", "user_id", "waits_for") SELECT old_values."assignee_id", old_values."decided_at", old_values."granted_tier", old_values."id_type", old_values."is_red", NOW(), \'delete\', old_values."id", old_values."proposed_by_id", old_values."proposed_checks", old_values."proposed_tier", old_values."reviewer_id", old_values."second_reviewer_id", old_values."sought_tier", old_values."status", old_values."user_id", old_values."waits_for" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="97d4720881a7a636cd8fe7839ac1af97bdaf0207",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_632e8",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="kyc_submissions",
                    when="AFTER",
                ),
            ),
        ),
        RunFile("accounts", "seal_row_history_v1.sql"),
        RunFile("accounts", "privileges_v3.sql", reverse='GRANT UPDATE ON kyc_documents TO :"app_role"'),
    ]
