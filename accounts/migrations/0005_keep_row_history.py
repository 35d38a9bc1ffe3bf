"""Keep row history of people, their roles, and identity checks; note on audit events which transaction wrote them.

New tables and triggers. A trigger takes SHARE ROW EXCLUSIVE on its table, for a moment: writers wait for it. The new
column of audit_events is null for what was there before, so that no row is rewritten: ACCESS EXCLUSIVE, for a moment.
Going back forgets the history that was kept.
"""

import django.contrib.auth.models
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import mymoolah.common.history
from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_tell_kyc_documents_apart"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="KycDocumentHistory",
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
                    "kind",
                    models.CharField(
                        choices=[("identity", "Identity"), ("proof_of_address", "Proof Of Address")],
                        db_default="identity",
                        default="identity",
                        max_length=16,
                    ),
                ),
                ("content_type", models.CharField(max_length=40)),
                ("size_bytes", models.PositiveIntegerField(help_text="Of what is kept, before encryption")),
            ],
            options={
                "db_table": "kyc_documents_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="KycSubmissionHistory",
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
                    "id_type",
                    models.CharField(choices=[("sa_id", "South African ID"), ("passport", "Passport")], max_length=8),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("approved", "Approved"), ("rejected", "Rejected")],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("granted_tier", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "kyc_submissions_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RoleHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "transaction_id",
                    models.BigIntegerField(db_default=mymoolah.common.history.CurrentTransaction(), db_index=True),
                ),
                ("role", models.CharField(db_default=mymoolah.common.history.SessionRole(), max_length=63)),
                ("name", models.CharField(max_length=150, verbose_name="name")),
            ],
            options={
                "db_table": "auth_group_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RolePermissionHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "transaction_id",
                    models.BigIntegerField(db_default=mymoolah.common.history.CurrentTransaction(), db_index=True),
                ),
                ("role", models.CharField(db_default=mymoolah.common.history.SessionRole(), max_length=63)),
            ],
            options={
                "db_table": "auth_group_permissions_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="UserHistory",
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
                        choices=[("active", "Active"), ("suspended", "Suspended"), ("closed", "Closed")],
                        db_default="active",
                        default="active",
                        max_length=9,
                    ),
                ),
                (
                    "kyc_status",
                    models.CharField(
                        choices=[
                            ("not_started", "Not Started"),
                            ("pending", "Pending"),
                            ("verified", "Verified"),
                            ("rejected", "Rejected"),
                        ],
                        db_default="not_started",
                        default="not_started",
                        max_length=11,
                    ),
                ),
                ("id_verified", models.BooleanField(db_default=False, default=False)),
                ("kyc_tier", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("is_staff", models.BooleanField(db_default=False, default=False)),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("email_verified_at", models.DateTimeField(blank=True, null=True)),
                ("phone_verified_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "users_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="UserPermissionHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "transaction_id",
                    models.BigIntegerField(db_default=mymoolah.common.history.CurrentTransaction(), db_index=True),
                ),
                ("role", models.CharField(db_default=mymoolah.common.history.SessionRole(), max_length=63)),
            ],
            options={
                "db_table": "users_user_permissions_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="UserRoleHistory",
            fields=[
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "transaction_id",
                    models.BigIntegerField(db_default=mymoolah.common.history.CurrentTransaction(), db_index=True),
                ),
                ("role", models.CharField(db_default=mymoolah.common.history.SessionRole(), max_length=63)),
            ],
            options={
                "db_table": "users_groups_history",
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="UserRole",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("accounts.user_groups",),
        ),
        migrations.CreateModel(
            name="UserPermission",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("accounts.user_user_permissions",),
        ),
        migrations.CreateModel(
            name="RolePermission",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("auth.group_permissions",),
        ),
        migrations.CreateModel(
            name="Role",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("auth.group",),
            managers=[
                ("objects", django.contrib.auth.models.GroupManager()),
            ],
        ),
        migrations.AddField(
            model_name="auditevent",
            name="transaction_id",
            field=models.BigIntegerField(editable=False, help_text="Whose row history this event explains", null=True),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="transaction_id",
            field=models.BigIntegerField(
                db_default=mymoolah.common.history.CurrentTransaction(),
                editable=False,
                help_text="Whose row history this event explains",
                null=True,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="kycdocument",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_documents_history" ("content_type", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "size_bytes", "submission_id") SELECT new_values."content_type", new_values."kind", NOW(), \'insert\', new_values."id", new_values."size_bytes", new_values."submission_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="5c3cc31dd06c4e4adc94542b7c9cad03a786ad6c",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_documents_history" ("content_type", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "size_bytes", "submission_id") SELECT old_values."content_type", old_values."kind", NOW(), \'update\', old_values."id", old_values."size_bytes", old_values."submission_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."content_type" IS DISTINCT FROM (new_values."content_type") OR old_values."kind" IS DISTINCT FROM (new_values."kind") OR old_values."size_bytes" IS DISTINCT FROM (new_values."size_bytes") OR old_values."submission_id" IS DISTINCT FROM (new_values."submission_id")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="9b146458618f5d83ed186dfd2580ec16a1f7dda0",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_documents_history" ("content_type", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "size_bytes", "submission_id") SELECT old_values."content_type", old_values."kind", NOW(), \'file\', old_values."id", old_values."size_bytes", old_values."submission_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."path" IS DISTINCT FROM (new_values."path") OR old_values."sha256" IS DISTINCT FROM (new_values."sha256")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="c711eb29ecf2d730c444740b6c136c79eb664005",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_documents_history" ("content_type", "kind", "pgh_created_at", "pgh_label", "pgh_obj_id", "size_bytes", "submission_id") SELECT old_values."content_type", old_values."kind", NOW(), \'delete\', old_values."id", old_values."size_bytes", old_values."submission_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="7f7b911b5191153a0cd3eb60a6715e0aa2ef02d5",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_submissions_history" ("decided_at", "granted_tier", "id_type", "pgh_created_at", "pgh_label", "pgh_obj_id", "reviewer_id", "second_reviewer_id", "status", "user_id") SELECT new_values."decided_at", new_values."granted_tier", new_values."id_type", NOW(), \'insert\', new_values."id", new_values."reviewer_id", new_values."second_reviewer_id", new_values."status", new_values."user_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="962e219443fc5d76454d79a567cbd8184ee48f07",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_submissions_history" ("decided_at", "granted_tier", "id_type", "pgh_created_at", "pgh_label", "pgh_obj_id", "reviewer_id", "second_reviewer_id", "status", "user_id") SELECT old_values."decided_at", old_values."granted_tier", old_values."id_type", NOW(), \'update\', old_values."id", old_values."reviewer_id", old_values."second_reviewer_id", old_values."status", old_values."user_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."decided_at" IS DISTINCT FROM (new_values."decided_at") OR old_values."granted_tier" IS DISTINCT FROM (new_values."granted_tier") OR old_values."id_type" IS DISTINCT FROM (new_values."id_type") OR old_values."reviewer_id" IS DISTINCT FROM (new_values."reviewer_id") OR old_values."second_reviewer_id" IS DISTINCT FROM (new_values."second_reviewer_id") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."user_id" IS DISTINCT FROM (new_values."user_id")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="71582e8aafcb22c6dc1a22be424476c251dbd86b",
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
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_submissions_history" ("decided_at", "granted_tier", "id_type", "pgh_created_at", "pgh_label", "pgh_obj_id", "reviewer_id", "second_reviewer_id", "status", "user_id") SELECT old_values."decided_at", old_values."granted_tier", old_values."id_type", NOW(), \'identity\', old_values."id", old_values."reviewer_id", old_values."second_reviewer_id", old_values."status", old_values."user_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."id_number_encrypted" IS DISTINCT FROM (new_values."id_number_encrypted") OR old_values."id_number_index" IS DISTINCT FROM (new_values."id_number_index") OR old_values."passport_expires_on" IS DISTINCT FROM (new_values."passport_expires_on")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="5a56198ed02514c9e1ae8d1e3edf66067227fd82",
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
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "kyc_submissions_history" ("decided_at", "granted_tier", "id_type", "pgh_created_at", "pgh_label", "pgh_obj_id", "reviewer_id", "second_reviewer_id", "status", "user_id") SELECT old_values."decided_at", old_values."granted_tier", old_values."id_type", NOW(), \'delete\', old_values."id", old_values."reviewer_id", old_values."second_reviewer_id", old_values."status", old_values."user_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="3a13bda7c6282ffdd9c2fe4f0990951ac94a3817",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_632e8",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="kyc_submissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_history" ("email_verified_at", "id_verified", "is_staff", "is_superuser", "kyc_status", "kyc_tier", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_verified_at", "status") SELECT new_values."email_verified_at", new_values."id_verified", new_values."is_staff", new_values."is_superuser", new_values."kyc_status", new_values."kyc_tier", NOW(), \'insert\', new_values."id", new_values."phone_verified_at", new_values."status" FROM ( SELECT new_values.* FROM new_values WHERE (new_values."is_staff" OR new_values."is_superuser") ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="45e8cb8d1be290a2c67b8ebf77b8266909178d1a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_3867c",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="users",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_history" ("email_verified_at", "id_verified", "is_staff", "is_superuser", "kyc_status", "kyc_tier", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_verified_at", "status") SELECT old_values."email_verified_at", old_values."id_verified", old_values."is_staff", old_values."is_superuser", old_values."kyc_status", old_values."kyc_tier", NOW(), \'update\', old_values."id", old_values."phone_verified_at", old_values."status" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."email_verified_at" IS DISTINCT FROM (new_values."email_verified_at") OR old_values."id_verified" IS DISTINCT FROM (new_values."id_verified") OR old_values."is_staff" IS DISTINCT FROM (new_values."is_staff") OR old_values."is_superuser" IS DISTINCT FROM (new_values."is_superuser") OR old_values."kyc_status" IS DISTINCT FROM (new_values."kyc_status") OR old_values."kyc_tier" IS DISTINCT FROM (new_values."kyc_tier") OR old_values."phone_verified_at" IS DISTINCT FROM (new_values."phone_verified_at") OR old_values."status" IS DISTINCT FROM (new_values."status")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="5a89d9016e56735454059a4ff700c85556205114",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_0e890",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="users",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="profile_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_history" ("email_verified_at", "id_verified", "is_staff", "is_superuser", "kyc_status", "kyc_tier", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_verified_at", "status") SELECT old_values."email_verified_at", old_values."id_verified", old_values."is_staff", old_values."is_superuser", old_values."kyc_status", old_values."kyc_tier", NOW(), \'profile\', old_values."id", old_values."phone_verified_at", old_values."status" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."email" IS DISTINCT FROM (new_values."email") OR old_values."first_name" IS DISTINCT FROM (new_values."first_name") OR old_values."last_name" IS DISTINCT FROM (new_values."last_name") OR old_values."phone" IS DISTINCT FROM (new_values."phone")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="aa7f5821c1068da08cc90d1e48492c221268fb84",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_profile_update_cda4d",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="users",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="password_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_history" ("email_verified_at", "id_verified", "is_staff", "is_superuser", "kyc_status", "kyc_tier", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_verified_at", "status") SELECT old_values."email_verified_at", old_values."id_verified", old_values."is_staff", old_values."is_superuser", old_values."kyc_status", old_values."kyc_tier", NOW(), \'password\', old_values."id", old_values."phone_verified_at", old_values."status" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."password" IS DISTINCT FROM (new_values."password")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="ecd8b847e927a9f5a0f8842271883a3eb14fe6e7",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_password_update_cf375",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="users",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_history" ("email_verified_at", "id_verified", "is_staff", "is_superuser", "kyc_status", "kyc_tier", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone_verified_at", "status") SELECT old_values."email_verified_at", old_values."id_verified", old_values."is_staff", old_values."is_superuser", old_values."kyc_status", old_values."kyc_tier", NOW(), \'delete\', old_values."id", old_values."phone_verified_at", old_values."status" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="2e77a6cfe6abae1e45e4bd7f1b96328164bf06a7",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_19f14",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="users",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="kycdocumenthistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.kycdocument",
            ),
        ),
        migrations.AddField(
            model_name="kycdocumenthistory",
            name="submission",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="accounts.kycsubmission",
            ),
        ),
        migrations.AddField(
            model_name="kycsubmissionhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.kycsubmission",
            ),
        ),
        migrations.AddField(
            model_name="kycsubmissionhistory",
            name="reviewer",
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
            name="second_reviewer",
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
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="rolepermissionhistory",
            name="group",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="auth.group",
            ),
        ),
        migrations.AddField(
            model_name="rolepermissionhistory",
            name="permission",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="auth.permission",
            ),
        ),
        migrations.AddField(
            model_name="userhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="userpermissionhistory",
            name="permission",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="auth.permission",
            ),
        ),
        migrations.AddField(
            model_name="userpermissionhistory",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="userrolehistory",
            name="group",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="auth.group",
            ),
        ),
        migrations.AddField(
            model_name="userrolehistory",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                db_tablespace="",
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="userrolehistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.userrole",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userrole",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_groups_history" ("group_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id") SELECT new_values."group_id", NOW(), \'insert\', new_values."id", new_values."user_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="ac4a81a263197adf86e7a971392f2b065c1d99c2",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_c200e",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="users_groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userrole",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_groups_history" ("group_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id") SELECT old_values."group_id", NOW(), \'update\', old_values."id", old_values."user_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."group_id" IS DISTINCT FROM (new_values."group_id") OR old_values."user_id" IS DISTINCT FROM (new_values."user_id")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="111155dd97588ac7c79affd60af6b7a8aa693887",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_1017d",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="users_groups",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userrole",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_groups_history" ("group_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id") SELECT old_values."group_id", NOW(), \'delete\', old_values."id", old_values."user_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="c7c5cf0a35ea130ae6149aa8ac87c313b98999b9",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_15b35",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="users_groups",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="userpermissionhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.userpermission",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userpermission",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_user_permissions_history" ("permission_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id") SELECT new_values."permission_id", NOW(), \'insert\', new_values."id", new_values."user_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="6f10686911580e5095be1010c680ea3a8dec5725",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_7116a",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="users_user_permissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userpermission",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_user_permissions_history" ("permission_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id") SELECT old_values."permission_id", NOW(), \'update\', old_values."id", old_values."user_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."permission_id" IS DISTINCT FROM (new_values."permission_id") OR old_values."user_id" IS DISTINCT FROM (new_values."user_id")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="fd7821ddc2a3373bbfc92167b119087a68a01d2d",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_56aa0",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="users_user_permissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="userpermission",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "users_user_permissions_history" ("permission_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id") SELECT old_values."permission_id", NOW(), \'delete\', old_values."id", old_values."user_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="f02a3b81096d2f5c92231edb1a5d7460a1a8d0d9",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_773da",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="users_user_permissions",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="rolepermissionhistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.rolepermission",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolepermission",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "auth_group_permissions_history" ("group_id", "permission_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."group_id", new_values."permission_id", NOW(), \'insert\', new_values."id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="3314c6d97374c07437f7333e83052bd987fc2d13",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_febfb",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="auth_group_permissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolepermission",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "auth_group_permissions_history" ("group_id", "permission_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."group_id", old_values."permission_id", NOW(), \'update\', old_values."id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."group_id" IS DISTINCT FROM (new_values."group_id") OR old_values."permission_id" IS DISTINCT FROM (new_values."permission_id")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="6760427db9a72437885d9c807cbf87697adb1926",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_837ed",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="auth_group_permissions",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolepermission",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "auth_group_permissions_history" ("group_id", "permission_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."group_id", old_values."permission_id", NOW(), \'delete\', old_values."id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="2205fc4ac81199b56f82e525bdeb7c893c3da3f3",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ff00d",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="auth_group_permissions",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="rolehistory",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.role",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="role",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "auth_group_history" ("name", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."name", NOW(), \'insert\', new_values."id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="665048295a30f1f240f3eb51524e47fc6d28b534",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_d9a3a",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="auth_group",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="role",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "auth_group_history" ("name", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."name", NOW(), \'update\', old_values."id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."name" IS DISTINCT FROM (new_values."name")) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="37bc74651619a44a354ef38e42f04757553959b0",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_023a0",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="auth_group",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="role",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "auth_group_history" ("name", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."name", NOW(), \'delete\', old_values."id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="f42ab1900015a265b69b0dd10e8123b42986faa4",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_d75a6",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="auth_group",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="userrolehistory",
            index=models.Index(fields=["user"], name="ix_users_groups_history_user"),
        ),
        RunFile("accounts", "seal_row_history_v1.sql"),
    ]
