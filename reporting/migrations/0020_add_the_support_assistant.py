"""Keep what the support assistant is asked, its tickets and its articles, and let staff work on them. New tables; no other is locked."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from mymoolah.common.sql import RunFile
from reporting.roles import SyncRoles


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0019_keep_maintenance_reports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SupportArticle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(db_index=False, max_length=60)),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "en"), ("zu", "zu"), ("xh", "xh"), ("af", "af"), ("st", "st")],
                        default="en",
                        max_length=2,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "intent",
                    models.CharField(blank=True, help_text="What it answers best", max_length=40),
                ),
                ("title", models.CharField(max_length=120)),
                ("body", models.TextField(max_length=4000)),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("approved", "Approved"), ("retired", "Retired")],
                        default="draft",
                        max_length=8,
                    ),
                ),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("helpful_count", models.PositiveIntegerField(db_default=0, default=0)),
                ("unhelpful_count", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "approved_by",
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
                    "author",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="None: the system",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "support_articles",
                "permissions": [
                    ("write_supportarticle", "Can write support articles"),
                    ("approve_supportarticle", "Can approve and retire support articles of others"),
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="SupportMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("conversation", models.UUIDField()),
                ("question_encrypted", models.TextField()),
                ("answer_encrypted", models.TextField()),
                ("intent", models.CharField(max_length=40)),
                (
                    "runner_up",
                    models.CharField(blank=True, help_text="Where it asked which of two was meant", max_length=40),
                ),
                ("confidence", models.FloatField()),
                ("language", models.CharField(max_length=2)),
                ("is_helpful", models.BooleanField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "article",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="reporting.supportarticle",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "support_messages",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SupportTicket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("conversation", models.UUIDField(editable=False)),
                (
                    "intent",
                    models.CharField(max_length=40),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "waits for us"), ("waiting", "waits for the customer"), ("closed", "Closed")],
                        default="open",
                        max_length=7,
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField(choices=[(1, "Urgent"), (2, "High"), (3, "Normal")])),
                (
                    "transcript_encrypted",
                    models.TextField(blank=True, help_text="What was said before it; nothing once forgotten"),
                ),
                ("created_at", models.DateTimeField()),
                ("waits_since", models.DateTimeField(help_text="When the customer last said something")),
                ("first_replied_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "assigned_to",
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
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="support_tickets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "support_tickets",
                "permissions": [("work_supportticket", "Can answer, take and close support tickets")],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="SupportReply",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("is_staff", models.BooleanField(help_text="Written by one of us")),
                ("text_encrypted", models.TextField()),
                ("key", models.CharField(help_text="So that it is written once", max_length=255)),
                ("request_hash", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="reporting.supportticket",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "support replies",
                "db_table": "support_replies",
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="supportarticle",
            constraint=models.UniqueConstraint(
                fields=("slug", "language", "version"), name="uq_support_articles_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="supportarticle",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "approved")),
                fields=("slug", "language"),
                name="uq_support_articles_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportarticle",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["draft", "approved", "retired"])),
                name="support_articles_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportarticle",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__in", ("en", "zu", "xh", "af", "st"))),
                name="support_articles_language_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportarticle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_at", None), ("approved_by", None), ("status", "draft")),
                    models.Q(models.Q(("status", "draft"), _negated=True), ("approved_at__isnull", False)),
                    _connector="OR",
                ),
                name="support_articles_approved_some_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportarticle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "draft"),
                    models.Q(("approved_by", None), ("author", None)),
                    models.Q(("approved_by__isnull", False), ("author__isnull", False)),
                    _connector="OR",
                ),
                name="support_articles_approved_by_someone",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportarticle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("author", None),
                    ("approved_by", None),
                    models.Q(("approved_by", models.F("author")), _negated=True),
                    _connector="OR",
                ),
                name="support_articles_approved_by_another",
            ),
        ),
        migrations.AddIndex(
            model_name="supportmessage",
            index=models.Index(fields=["user", "conversation", "id"], name="ix_support_messages_user"),
        ),
        migrations.AddIndex(
            model_name="supportmessage",
            index=models.Index(fields=["user", "id"], name="ix_support_messages_latest"),
        ),
        migrations.AddIndex(
            model_name="supportmessage",
            index=models.Index(fields=["created_at"], name="ix_support_messages_time"),
        ),
        migrations.AddConstraint(
            model_name="supportmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("confidence__gte", 0), ("confidence__lte", 1)),
                name="support_messages_confidence_is_a_share",
            ),
        ),
        migrations.AddIndex(
            model_name="supportticket",
            index=models.Index(
                condition=models.Q(("status", "open")),
                fields=["priority", "waits_since", "id"],
                name="ix_support_tickets_queue",
            ),
        ),
        migrations.AddIndex(
            model_name="supportticket",
            index=models.Index(fields=["user", "id"], name="ix_support_tickets_user"),
        ),
        migrations.AddIndex(
            model_name="supportticket",
            index=models.Index(
                condition=models.Q(("status", "closed"), models.Q(("transcript_encrypted", ""), _negated=True)),
                fields=["closed_at"],
                name="ix_support_tickets_to_forget",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportticket",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "closed"), _negated=True),
                fields=("user", "intent"),
                name="uq_support_tickets_open_intent",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportticket",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "waiting", "closed"])),
                name="support_tickets_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportticket",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority__in", [1, 2, 3])), name="support_tickets_priority_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="supportticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", False), ("status", "closed")),
                    models.Q(models.Q(("status", "closed"), _negated=True), ("closed_at", None)),
                    _connector="OR",
                ),
                name="support_tickets_closed_once",
            ),
        ),
        migrations.AddIndex(
            model_name="supportreply",
            index=models.Index(fields=["ticket", "id"], name="ix_support_replies_ticket"),
        ),
        migrations.AddConstraint(
            model_name="supportreply",
            constraint=models.UniqueConstraint(fields=("author", "key"), name="uq_support_replies_once"),
        ),
        RunFile(
            "reporting",
            "support_v1.sql",
            reverse="DROP INDEX ix_support_articles_search; ALTER TABLE support_articles DROP COLUMN search;",
        ),
        RunFile("reporting", "support_articles_v1.sql", reverse=migrations.RunSQL.noop),  # they go with their table
        SyncRoles(),
    ]
