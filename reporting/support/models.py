"""What the support assistant keeps: what was asked and answered, what people work on, and what they wrote for everybody."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from accounts.models import User

LANGUAGES = ("en", "zu", "xh", "af", "st")


class SupportTicket(models.Model):
    """Something that a person has to look at. Of each customer and intent one is open at a time."""

    class Status(models.TextChoices):
        OPEN = "open", "waits for us"
        WAITING = "waiting", "waits for the customer"
        CLOSED = "closed"

    class Priority(models.IntegerChoices):
        URGENT = 1
        HIGH = 2
        NORMAL = 3

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="support_tickets", db_index=False)
    conversation = models.UUIDField(editable=False)
    intent = models.CharField(max_length=40)
    status = models.CharField(max_length=7, choices=Status, default=Status.OPEN)
    priority = models.PositiveSmallIntegerField(choices=Priority)
    transcript_encrypted = models.TextField(blank=True, help_text="What was said before it; nothing once forgotten")
    assigned_to = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    waits_since = models.DateTimeField(help_text="When the customer last said something")
    first_replied_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "support_tickets"
        default_permissions = ("view",)
        permissions = [("work_supportticket", "Can answer, take and close support tickets")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "intent"], condition=~Q(status="closed"), name="uq_support_tickets_open_intent"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "waiting", "closed"]), name="support_tickets_status_is_known"
            ),
            models.CheckConstraint(condition=Q(priority__in=[1, 2, 3]), name="support_tickets_priority_is_known"),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False) | (~Q(status="closed") & Q(closed_at=None)),
                name="support_tickets_closed_once",
            ),
        ]
        indexes = [
            # The queue: what is urgent first, and of that what has waited longest.
            models.Index(
                fields=["priority", "waits_since", "id"], condition=Q(status="open"), name="ix_support_tickets_queue"
            ),
            # What somebody has answered and the customer has not, the newest first.
            models.Index(
                fields=["assigned_to", "waits_since", "id"],
                condition=Q(status="waiting"),
                name="ix_support_tickets_answered",
            ),
            models.Index(fields=["user", "id"], name="ix_support_tickets_user"),
            models.Index(fields=["status", "id"], name="ix_support_tickets_status"),
            models.Index(fields=["intent", "id"], name="ix_support_tickets_intent"),
            models.Index(
                fields=["closed_at"],
                condition=Q(status="closed") & ~Q(transcript_encrypted=""),
                name="ix_support_tickets_to_forget",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.intent} ({self.public_id})"


class SupportReply(models.Model):
    """What staff or the customer wrote on a ticket."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    ticket = models.ForeignKey(SupportTicket, on_delete=models.CASCADE, related_name="replies", db_index=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    is_staff = models.BooleanField(help_text="Written by one of us")
    text_encrypted = models.TextField()
    key = models.CharField(max_length=255, help_text="So that it is written once")
    request_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "support_replies"
        default_permissions = ()
        verbose_name_plural = "support replies"
        constraints = [
            models.UniqueConstraint(fields=["author", "key"], name="uq_support_replies_once"),
        ]
        indexes = [models.Index(fields=["ticket", "id"], name="ix_support_replies_ticket")]

    def __str__(self) -> str:
        return f"reply {self.public_id}"


class SupportArticle(models.Model):
    """An answer that people wrote once for everybody. One version of each is approved at a time, by somebody else.

    PostgreSQL keeps beside it what it is searched by (reporting/sql/support_v1.sql), which no row of Python needs.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        APPROVED = "approved"
        RETIRED = "retired"

    slug = models.SlugField(max_length=60, db_index=False)
    language = models.CharField(max_length=2, choices=[(one, one) for one in LANGUAGES], default="en")
    version = models.PositiveIntegerField(default=1)
    intent = models.CharField(max_length=40, blank=True, help_text="What it answers best")
    title = models.CharField(max_length=120)
    body = models.TextField(max_length=4_000)
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    author = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="None: the system",
    )
    approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    helpful_count = models.PositiveIntegerField(default=0, db_default=0)
    unhelpful_count = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "support_articles"
        default_permissions = ("view",)
        permissions = [
            ("write_supportarticle", "Can write support articles"),
            ("approve_supportarticle", "Can approve and retire support articles of others"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["slug", "language", "version"], name="uq_support_articles_version"),
            models.UniqueConstraint(
                fields=["slug", "language"], condition=Q(status="approved"), name="uq_support_articles_approved"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "approved", "retired"]), name="support_articles_status_is_known"
            ),
            models.CheckConstraint(condition=Q(language__in=LANGUAGES), name="support_articles_language_is_known"),
            models.CheckConstraint(
                condition=Q(status="draft", approved_by=None, approved_at=None)
                | (~Q(status="draft") & Q(approved_at__isnull=False)),
                name="support_articles_approved_some_time",
            ),
            # What the system came with has no author, and nobody to approve it; whatever a person wrote has both.
            models.CheckConstraint(
                condition=Q(status="draft")
                | Q(author=None, approved_by=None)
                | Q(author__isnull=False, approved_by__isnull=False),
                name="support_articles_approved_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(author=None) | Q(approved_by=None) | ~Q(approved_by=F("author")),
                name="support_articles_approved_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} {self.language} v{self.version}"


class SupportMessage(models.Model):
    """One question of a customer and its answer, the texts of both encrypted."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    conversation = models.UUIDField()
    question_encrypted = models.TextField()
    answer_encrypted = models.TextField()
    intent = models.CharField(max_length=40)
    runner_up = models.CharField(max_length=40, blank=True, help_text="Where it asked which of two was meant")
    confidence = models.FloatField()
    language = models.CharField(max_length=2)
    article = models.ForeignKey(SupportArticle, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    is_helpful = models.BooleanField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "support_messages"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="support_messages_confidence_is_a_share"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "conversation", "id"], name="ix_support_messages_user"),
            models.Index(fields=["user", "id"], name="ix_support_messages_latest"),
            models.Index(fields=["created_at"], name="ix_support_messages_time"),
        ]

    def __str__(self) -> str:
        return f"{self.intent} ({self.public_id})"
