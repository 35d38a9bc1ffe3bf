"""Keep what finance proposes, and guard it. A new table and a permission: no lock that waits."""

import uuid

import django.db.models.deletion
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

from mymoolah.common.sql import RunFile


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0008_keep_row_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="transaction",
            options={"permissions": [("export_transaction", "Can take the books out of the bank as files")]},
        ),
        migrations.AlterField(
            model_name="idempotencykey",
            name="actor",
            field=models.CharField(help_text="user:<public id>, till:easypay, loader, finance", max_length=64),
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "command",
                    models.CharField(help_text="Its name in transactions/proposals/commands.py", max_length=40),
                ),
                ("arguments", models.JSONField(help_text="As the command's schema reads them")),
                ("subject_type", models.CharField(help_text="What it is about, as in the audit trail", max_length=40)),
                ("subject_id", models.CharField(max_length=64)),
                ("reason", models.TextField()),
                ("proposed_at", models.DateTimeField()),
                ("preview", models.JSONField(help_text="What it would have done when it was proposed")),
                (
                    "preview_digest",
                    models.BinaryField(help_text="SHA-256 of what of it must not change unseen", max_length=32),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("proposed", "waits"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                            ("failed", "Failed"),
                        ],
                        default="proposed",
                        max_length=9,
                    ),
                ),
                (
                    "is_open",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.lookups.Exact(models.F("status"), models.Value("proposed")),
                        output_field=models.BooleanField(),
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.TextField(blank=True, help_text="What the one who decided said")),
                (
                    "result_kind",
                    models.CharField(blank=True, help_text="What it made: transfer, fee_rule …", max_length=20),
                ),
                ("result_id", models.CharField(blank=True, max_length=64)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "proposals",
                "permissions": [("decide_proposal", "Can approve or reject what a colleague proposed")],
                "default_permissions": ("add", "view"),
                "indexes": [
                    models.Index(fields=["is_open", "id"], name="ix_proposals_open_first"),
                    models.Index(fields=["subject_type", "subject_id", "id"], name="ix_proposals_subject"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["proposed", "approved", "rejected", "withdrawn", "failed"])),
                        name="proposals_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decided_by", None), ("status", "proposed")),
                            models.Q(
                                models.Q(("status", "proposed"), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="proposals_decided_by_someone",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status", "proposed"),
                            models.Q(("decided_by", models.F("proposed_by")), ("status", "withdrawn")),
                            models.Q(
                                ("status__in", ["approved", "rejected", "failed"]),
                                models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="proposals_decided_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status", "approved"),
                                models.Q(("result_kind", ""), _negated=True),
                                models.Q(("result_id", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("status", "approved"), _negated=True), ("result_id", ""), ("result_kind", "")
                            ),
                            _connector="OR",
                        ),
                        name="proposals_approved_ones_did_something",
                    ),
                    models.CheckConstraint(condition=models.Q(("reason__regex", "\\S")), name="proposals_say_why"),
                ],
            },
        ),
        RunFile(
            "transactions",
            "proposals_v1.sql",
            reverse="""
            DROP TRIGGER proposals_are_decided_once ON proposals;
            DROP TRIGGER proposals_begin_undecided ON proposals;
            DROP TRIGGER proposals_stay ON proposals;
            """,
        ),
    ]
