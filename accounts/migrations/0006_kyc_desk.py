"""Let officers claim, ask again, propose and decide; keep what must hold about it in the database.

Takes ACCESS EXCLUSIVE on kyc_submissions and kyc_documents: the columns come without rewriting them, the rows are then
read once for the rules, and those of kyc_submissions written once to say whom they wait for. Nobody has decided a case
before this, so there are few. Going back loses the notes, the claims and what waits for a second officer.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from mymoolah.common.sql import RunFile

FILL = """
UPDATE kyc_submissions AS s
SET
    waits_for = CASE WHEN s.status = 'pending' THEN 'officer' END,
    sought_tier = CASE
        WHEN EXISTS (SELECT 1 FROM kyc_documents AS d WHERE d.submission_id = s.id AND d.kind = 'proof_of_address')
            AND (
                EXISTS (SELECT 1 FROM users AS u WHERE u.id = s.user_id AND u.kyc_tier > 0)
                OR EXISTS (SELECT 1 FROM kyc_documents AS d WHERE d.submission_id = s.id AND d.kind = 'identity')
            )
            THEN 2
        ELSE 1
    END
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_keep_row_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="KycNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "kyc_notes",
            },
        ),
        migrations.AlterModelOptions(
            name="kycsubmission",
            options={"permissions": [("decide_kycsubmission", "Can decide KYC submissions")]},
        ),
        migrations.AddField(
            model_name="kycdocument",
            name="asked_again_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="kycdocument",
            name="asked_again_reason",
            field=models.TextField(blank=True, db_default="", help_text="What was wrong; the customer reads it"),
        ),
        migrations.AddField(
            model_name="kycdocument",
            name="replaces",
            field=models.OneToOneField(
                blank=True,
                help_text="Sent again",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replacement",
                to="accounts.kycdocument",
            ),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="assignee",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="claimed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="is_red",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether an automatic check was red when it was last looked into",
            ),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="override_reason",
            field=models.TextField(blank=True, db_default="", help_text="Why red checks did not stand in the way"),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="proposed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="proposed_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="proposed_checks",
            field=models.JSONField(blank=True, help_text="Code and colour of each check the first saw", null=True),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="proposed_tier",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="sought_tier",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, help_text="What the documents are good for"
            ),
        ),
        migrations.AddField(
            model_name="kycsubmission",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, help_text="Grows with every change"),
        ),
        migrations.AddField(
            model_name="kycsubmission",
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
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="kycdocument",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("asked_again_at", None), ("asked_again_reason", "")),
                    models.Q(("asked_again_at__isnull", False), models.Q(("asked_again_reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="kyc_documents_asked_again_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("second_reviewer", None),
                    models.Q(("second_reviewer", models.F("user")), _negated=True),
                    _connector="OR",
                ),
                name="kyc_submissions_not_own_second_look",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("granted_tier__isnull", False), ("granted_tier__range", (1, 2)), ("status", "approved")),
                    models.Q(
                        models.Q(("status", "approved"), _negated=True),
                        ("granted_tier", None),
                        ("second_reviewer", None),
                    ),
                    _connector="OR",
                ),
                name="kyc_submissions_approval_grants_a_tier",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "approved"), _negated=True),
                    models.Q(("granted_tier", 1), ("override_reason", "")),
                    ("second_reviewer__isnull", False),
                    _connector="OR",
                ),
                name="kyc_submissions_much_needs_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "rejected"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="kyc_submissions_rejection_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("status", "pending"),
                        ("waits_for__in", ["officer", "second", "customer"]),
                        ("waits_for__isnull", False),
                    ),
                    models.Q(models.Q(("status", "pending"), _negated=True), ("assignee", None), ("waits_for", None)),
                    _connector="OR",
                ),
                name="kyc_submissions_pending_waits_for_someone",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("assignee", None), ("claimed_at", None)),
                    models.Q(("assignee__isnull", False), ("claimed_at__isnull", False)),
                    _connector="OR",
                ),
                name="kyc_submissions_claim_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("assignee", None), models.Q(("assignee", models.F("user")), _negated=True), _connector="OR"
                ),
                name="kyc_submissions_not_own_claim",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("proposed_at__isnull", False),
                        ("proposed_by__isnull", False),
                        ("proposed_checks__isnull", False),
                        ("proposed_tier__isnull", False),
                        ("proposed_tier__range", (1, 2)),
                        ("waits_for", "second"),
                        ("waits_for__isnull", False),
                    ),
                    models.Q(
                        models.Q(
                            ("waits_for", None), models.Q(("waits_for", "second"), _negated=True), _connector="OR"
                        ),
                        ("proposed_at", None),
                        ("proposed_by", None),
                        ("proposed_checks__isnull", True),
                        ("proposed_tier", None),
                    ),
                    _connector="OR",
                ),
                name="kyc_submissions_proposal_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("proposed_by", None),
                    models.Q(
                        models.Q(("proposed_by", models.F("user")), _negated=True),
                        models.Q(
                            ("assignee", None),
                            models.Q(("proposed_by", models.F("assignee")), _negated=True),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="kyc_submissions_second_is_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="kycsubmission",
            constraint=models.CheckConstraint(
                condition=models.Q(("sought_tier__range", (1, 2))), name="kyc_submissions_seek_1_or_2"
            ),
        ),
        migrations.AddField(
            model_name="kycnote",
            name="author",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="kycnote",
            name="submission",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="notes", to="accounts.kycsubmission"
            ),
        ),
        migrations.AddConstraint(
            model_name="kycnote",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="kyc_notes_say_something"
            ),
        ),
        RunFile(
            "accounts",
            "kyc_rules_v1.sql",
            reverse="""
            DROP TRIGGER kyc_notes_append_only ON kyc_notes;
            DROP TRIGGER kyc_submissions_go_forward ON kyc_submissions;
            DROP FUNCTION keep_kyc_history();
            """,
        ),
    ]
