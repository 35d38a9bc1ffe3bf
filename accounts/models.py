"""Customers and staff, their sessions, identity checks and the audit trail."""

from __future__ import annotations

import re
import uuid
from typing import Any, ClassVar, Final

import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, Group, PermissionsMixin
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.indexes import OpClass
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Length, Lower, Now
from django.db.models.lookups import Exact
from django.utils.crypto import salted_hmac

from accounts.audit_words import subject_in_words, verb_in_words
from mymoolah.common import read_cache
from mymoolah.common.history import CurrentTransaction, changed, deleted, history_of, inserted, updated


def plain_email(email: str) -> str:
    """An e-mail address as it is kept: ASCII, so that no two look the same, in small letters.

    Asked before the letters are made small, which would turn the Kelvin sign into a k.

    :raises ValidationError: other letters are in it, or a space
    """
    if not re.fullmatch(r"[!-~]+", email, re.ASCII):
        raise ValidationError("Write this in plain letters, a domain of other letters as xn--….", code="not_ascii")
    return email.lower()


class UserManager(BaseUserManager["User"]):
    def with_email(self, email: str) -> models.QuerySet[User]:
        """The account of this address, whatever its case: `iexact` compares capitals, which no index holds."""
        return self.alias(lower_email=Lower("email")).filter(lower_email=email.lower())

    def get_by_natural_key(self, username: str | None) -> User:
        return self.with_email(username or "").get()

    def create_superuser(self, email: str, password: str, **fields: object) -> User:
        """Make an account for emergencies; everyday staff have roles."""
        user = self.model(email=plain_email(email), is_staff=True, is_superuser=True, **fields)
        user.set_password(password)
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            AuditEvent.objects.using(self._db).create(
                verb="staff.superuser_created", subject_type="user", subject_id=str(user.public_id)
            )
        return user


# What of a person stands in answers to him, and in answers to others.
SHOWN_FIELDS: Final = frozenset({"first_name", "last_name", "kyc_status", "id_verified", "kyc_tier"})
NAMED_FIELDS: Final = frozenset({"first_name", "last_name"})


class User(AbstractBaseUser, PermissionsMixin):
    class Status(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"
        CLOSED = "closed"

    class KycStatus(models.TextChoices):
        NOT_STARTED = "not_started"
        PENDING = "pending"
        VERIFIED = "verified"
        REJECTED = "rejected"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(max_length=254)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    phone = models.CharField(max_length=16, null=True, blank=True, help_text="E.164, as in +27821234567")
    phone_verified_at = models.DateTimeField(null=True, blank=True)
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)
    status = models.CharField(max_length=9, choices=Status, default=Status.ACTIVE, db_default=Status.ACTIVE)
    kyc_status = models.CharField(
        "KYC status", max_length=11, choices=KycStatus, default=KycStatus.NOT_STARTED, db_default=KycStatus.NOT_STARTED
    )
    id_verified = models.BooleanField("identity verified", default=False, db_default=False)
    kyc_tier = models.PositiveSmallIntegerField("KYC tier", default=0, db_default=0)
    is_staff = models.BooleanField("colleague", default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    session_epoch = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Sessions in the back-office that began in another one are over",
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["first_name", "last_name"]

    class Meta:
        db_table = "users"
        verbose_name, verbose_name_plural = "person", "people"
        permissions = [
            ("assist_user", "Can end sessions, unlock sign-in and send codes"),
            ("suspend_user", "Can suspend and reinstate accounts"),
            ("close_user", "Can close accounts"),
            ("reopen_user", "Can reopen closed accounts"),
        ]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="uq_users_email_lower"),
            models.CheckConstraint(condition=Q(email__regex=r"^[!-@\[-~]+$"), name="users_email_is_small_ascii"),
            models.UniqueConstraint(fields=["phone"], name="uq_users_phone"),
            models.CheckConstraint(
                condition=Q(status__in=["active", "suspended", "closed"]), name="users_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kyc_status__in=["not_started", "pending", "verified", "rejected"]),
                name="users_kyc_status_is_known",
            ),
            models.CheckConstraint(condition=Q(kyc_tier__lte=2), name="users_kyc_tier_is_0_to_2"),
            models.CheckConstraint(
                condition=Q(kyc_tier=0) | Q(id_verified=True, kyc_status="verified"), name="users_tier_needs_identity"
            ),
            models.CheckConstraint(
                condition=Q(phone__isnull=True) | Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"), name="users_phone_is_e164"
            ),
        ]
        indexes = [
            models.Index(fields=["kyc_status", "id_verified", "id"], name="ix_users_kyc_id"),
            models.Index(fields=["status", "id"], name="ix_users_not_active", condition=~Q(status="active")),
            models.Index(OpClass(Lower("email"), name="text_pattern_ops"), name="ix_users_email_prefix"),
            models.Index(OpClass(Lower("last_name"), name="text_pattern_ops"), name="ix_users_last_name_prefix"),
        ]

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What Django keeps in a session and compares in each request: another password or epoch ends it."""
        value = f"{self.session_epoch}.{self.password}"
        return salted_hmac("accounts.User.session", value, secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """What Django's sign-in asks; the truth is `status`."""
        return self.status == User.Status.ACTIVE

    @property
    def name(self) -> str:
        """Both names, which together make a bad password too."""
        return f"{self.first_name} {self.last_name}"

    def get_full_name(self) -> str:
        """The same, as Django and the theme ask for it."""
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and have answers to him, or that name him to others, be read anew."""
        is_new, written = self._state.adding, kwargs.get("update_fields")
        super().save(*args, **kwargs)
        if is_new or (written is not None and SHOWN_FIELDS.isdisjoint(written)):
            return
        is_renamed = written is None or not NAMED_FIELDS.isdisjoint(written)
        read_cache.changed(self.public_id, names=is_renamed, using=self._state.db or DEFAULT_DB_ALIAS)

    @property
    def is_customer(self) -> bool:
        return not (self.is_staff or self.is_superuser)


class LoginSession(models.Model):
    """One family of refresh tokens: a signed-in device."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_sessions", db_index=False)
    device = models.CharField(max_length=200, blank=True, help_text="User-Agent, cut to 200 characters")
    address = models.GenericIPAddressField(null=True)
    token_digest = models.BinaryField(max_length=32, help_text="SHA-256 of the one refresh token that is good now")
    previous_digest = models.BinaryField(max_length=32, null=True)
    rotated_at = models.DateTimeField()
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "login_sessions"
        verbose_name, verbose_name_plural = "device", "devices"
        indexes = [
            models.Index(fields=["expires_at"], name="ix_login_sessions_expiry"),
            models.Index(fields=["user", "created_at", "id"], name="ix_login_sessions_user"),
        ]

    def __str__(self) -> str:
        return f"{self.device or 'unknown device'} ({self.public_id})"


class OneTimeCode(models.Model):
    """The one secret that was last sent to somebody for a purpose. Asking again replaces it; the secret is not kept."""

    class Purpose(models.TextChoices):
        EMAIL = "email", "confirm an e-mail address"
        PHONE = "phone", "confirm a phone number"
        PASSWORD = "password", "choose a new password"

    MOST_ATTEMPTS = 5

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="one_time_codes", db_index=False)
    purpose = models.CharField(max_length=8, choices=Purpose)
    target = models.CharField(max_length=254, help_text="Where it was sent; confirmed, it becomes the user's contact")
    code_digest = models.BinaryField(max_length=32, help_text="HMAC-SHA256 of the secret, for this user and target")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Wrong codes tried")
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    counted_from = models.DateTimeField(help_text="When the hour began in which `sent_count` were sent")
    sent_count = models.PositiveSmallIntegerField(default=1)

    class Meta:
        db_table = "one_time_codes"
        constraints = [
            models.UniqueConstraint(fields=["user", "purpose"], name="uq_one_time_codes_user_purpose"),
            models.CheckConstraint(
                condition=Q(purpose__in=["email", "phone", "password"]), name="one_time_codes_purpose_is_known"
            ),
            models.CheckConstraint(condition=Q(attempts__lte=5), name="one_time_codes_attempts_are_few"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("sent_at")), name="one_time_codes_end_after_start"),
            models.CheckConstraint(condition=Exact(Length("code_digest"), 32), name="one_time_codes_keep_a_digest"),
        ]

    def __str__(self) -> str:
        return f"to {self.get_purpose_display()}"


class SecondFactor(models.Model):
    """What a colleague signs in with beside his password: the key of the app on his telephone."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="second_factor")
    key_encrypted = models.TextField()
    last_step = models.BigIntegerField(help_text="Thirty seconds' steps since 1970; codes until this one are used up")
    enrolled_at = models.DateTimeField()

    class Meta:
        db_table = "second_factors"
        default_permissions = ()
        permissions = [("reset_secondfactor", "Can reset a colleague's second factor")]
        constraints = [
            models.CheckConstraint(condition=Q(last_step__gt=0), name="second_factors_used_a_code"),
        ]

    def __str__(self) -> str:
        return f"since {self.enrolled_at:%Y-%m-%d}"


class RecoveryCode(models.Model):
    """One of ten codes for a day without the telephone. The code itself is not kept."""

    factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, related_name="recovery_codes", db_index=False)
    digest = models.BinaryField(max_length=32, help_text="HMAC-SHA256 of the code, for this colleague")
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "recovery_codes"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["factor", "digest"], name="uq_recovery_codes_factor_digest"),
            models.CheckConstraint(condition=Exact(Length("digest"), 32), name="recovery_codes_keep_a_digest"),
        ]

    def __str__(self) -> str:
        return f"used {self.used_at:%Y-%m-%d}" if self.used_at else "not used"


class KycSubmission(models.Model):
    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        REJECTED = "rejected"

    class IdType(models.TextChoices):
        SA_ID = "sa_id", "South African ID"
        PASSPORT = "passport"

    class WaitsFor(models.TextChoices):
        """Who has to do something next, while it is pending."""

        OFFICER = "officer"
        SECOND_OFFICER = "second"
        CUSTOMER = "customer"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="kyc_submissions")
    id_type = models.CharField(max_length=8, choices=IdType)
    id_number_encrypted = models.TextField()
    id_number_index = models.BinaryField(max_length=32, help_text="Keyed blind index: equality without decryption")
    passport_expires_on = models.DateField(null=True, blank=True, help_text="The last day it is valid")
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    reason = models.TextField(blank=True, help_text="Why it was decided so; the customer reads it")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    second_reviewer = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    granted_tier = models.PositiveSmallIntegerField(null=True, blank=True)
    override_reason = models.TextField(blank=True, db_default="", help_text="Why red checks did not stand in the way")
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, db_default=1, help_text="Grows with every change")
    sought_tier = models.PositiveSmallIntegerField(default=1, db_default=1, help_text="What the documents are good for")
    is_red = models.BooleanField(
        default=False, db_default=False, help_text="Whether an automatic check was red when it was last looked into"
    )
    waits_for = models.CharField(
        max_length=8, choices=WaitsFor, null=True, blank=True, default=WaitsFor.OFFICER, db_default=WaitsFor.OFFICER
    )
    assignee = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    proposed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_tier = models.PositiveSmallIntegerField(null=True, blank=True)
    proposed_checks = models.JSONField(null=True, blank=True, help_text="Code and colour of each check the first saw")

    class Meta:
        db_table = "kyc_submissions"
        verbose_name, verbose_name_plural = "KYC case", "KYC cases"
        permissions = [
            ("decide_kycsubmission", "Can decide KYC submissions"),
            ("reveal_kycsubmission", "Can look at a customer's whole identity number"),
        ]
        constraints = [
            # One person may be approved twice by the same document, for tier 1 and then for tier 2; two people never.
            ExclusionConstraint(
                name="kyc_identity_is_one_persons",
                expressions=[
                    ("id_type", RangeOperators.EQUAL),
                    ("id_number_index", RangeOperators.EQUAL),
                    ("user", RangeOperators.NOT_EQUAL),
                ],
                condition=Q(status="approved"),
            ),
            models.UniqueConstraint(fields=["user"], condition=Q(status="pending"), name="uq_kyc_one_pending_per_user"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "approved", "rejected"]), name="kyc_submissions_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="pending", reviewer=None, decided_at=None)
                | (~Q(status="pending") & Q(reviewer__isnull=False, decided_at__isnull=False)),
                name="kyc_submissions_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(reviewer=None) | ~Q(reviewer=models.F("user")), name="kyc_submissions_not_own_case"
            ),
            models.CheckConstraint(
                condition=Q(second_reviewer=None) | ~Q(second_reviewer=models.F("reviewer")),
                name="kyc_submissions_four_eyes_are_two",
            ),
            models.CheckConstraint(
                condition=Q(id_type="sa_id", passport_expires_on=None)
                | Q(id_type="passport", passport_expires_on__isnull=False),
                name="kyc_submissions_passports_expire",
            ),
            models.CheckConstraint(
                condition=Q(second_reviewer=None) | ~Q(second_reviewer=models.F("user")),
                name="kyc_submissions_not_own_second_look",
            ),
            models.CheckConstraint(
                condition=Q(status="approved", granted_tier__isnull=False, granted_tier__range=(1, 2))
                | (~Q(status="approved") & Q(granted_tier=None, second_reviewer=None)),
                name="kyc_submissions_approval_grants_a_tier",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved")
                | Q(granted_tier=1, override_reason="")
                | Q(second_reviewer__isnull=False),
                name="kyc_submissions_much_needs_four_eyes",
            ),
            models.CheckConstraint(
                condition=~Q(status="rejected") | ~Q(reason=""), name="kyc_submissions_rejection_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(status="pending", waits_for__isnull=False, waits_for__in=["officer", "second", "customer"])
                | (~Q(status="pending") & Q(waits_for=None, assignee=None)),
                name="kyc_submissions_pending_waits_for_someone",
            ),
            models.CheckConstraint(
                condition=Q(assignee=None, claimed_at=None) | Q(assignee__isnull=False, claimed_at__isnull=False),
                name="kyc_submissions_claim_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(assignee=None) | ~Q(assignee=models.F("user")), name="kyc_submissions_not_own_claim"
            ),
            models.CheckConstraint(
                condition=Q(
                    waits_for="second",
                    waits_for__isnull=False,
                    proposed_by__isnull=False,
                    proposed_at__isnull=False,
                    proposed_tier__isnull=False,
                    proposed_tier__range=(1, 2),
                    proposed_checks__isnull=False,
                )
                | (
                    (Q(waits_for=None) | ~Q(waits_for="second"))
                    & Q(proposed_by=None, proposed_at=None, proposed_tier=None, proposed_checks__isnull=True)
                ),
                name="kyc_submissions_proposal_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(proposed_by=None)
                | (~Q(proposed_by=models.F("user")) & (Q(assignee=None) | ~Q(proposed_by=models.F("assignee")))),
                name="kyc_submissions_second_is_another",
            ),
            models.CheckConstraint(condition=Q(sought_tier__range=(1, 2)), name="kyc_submissions_seek_1_or_2"),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="ix_kyc_submissions_queue"),
            models.Index(
                fields=["waits_for", "created_at", "id"], name="ix_kyc_waiting", condition=Q(status="pending")
            ),
            models.Index(
                fields=["sought_tier", "created_at", "id"], name="ix_kyc_waiting_tier", condition=Q(status="pending")
            ),
            models.Index(
                fields=["created_at", "id"], name="ix_kyc_waiting_red", condition=Q(status="pending", is_red=True)
            ),
            models.Index(
                fields=["assignee", "created_at", "id"],
                name="ix_kyc_claimed",
                condition=Q(status="pending", assignee__isnull=False),
            ),
            models.Index(fields=["id_number_index"], name="ix_kyc_submissions_identity"),
            models.Index(fields=["decided_at"], name="ix_kyc_decided", condition=Q(decided_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.id_type} {self.status} ({self.public_id})"


class KycDocument(models.Model):
    class Kind(models.TextChoices):
        IDENTITY = "identity"
        PROOF_OF_ADDRESS = "proof_of_address"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    submission = models.ForeignKey(KycSubmission, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.IDENTITY, db_default=Kind.IDENTITY)
    path = models.CharField(max_length=200, help_text="Below the documents' folder; encrypted there")
    content_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField(help_text="Of what is kept, before encryption")
    sha256 = models.BinaryField(max_length=32, help_text="Of what was sent, before anything was taken out of it")
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replacement", help_text="Sent again"
    )
    asked_again_at = models.DateTimeField(null=True, blank=True)
    asked_again_reason = models.TextField(blank=True, db_default="", help_text="What was wrong; the customer reads it")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "kyc_documents"
        verbose_name, verbose_name_plural = "KYC document", "KYC documents"
        constraints = [
            models.UniqueConstraint(fields=["submission", "sha256"], name="uq_kyc_documents_submission_sha256"),
            models.UniqueConstraint(fields=["path"], name="uq_kyc_documents_path"),
            models.CheckConstraint(
                condition=Q(kind__in=["identity", "proof_of_address"]), name="kyc_documents_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(asked_again_at=None, asked_again_reason="")
                | (Q(asked_again_at__isnull=False) & ~Q(asked_again_reason="")),
                name="kyc_documents_asked_again_says_why",
            ),
        ]
        indexes = [models.Index(fields=["sha256"], name="ix_kyc_documents_sha256")]

    def __str__(self) -> str:
        return f"{self.content_type} ({self.public_id})"


class KycNote(models.Model):
    """What officers tell each other about a case. Append-only; customers never see it."""

    submission = models.ForeignKey(KycSubmission, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    text = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "kyc_notes"
        verbose_name, verbose_name_plural = "KYC note", "KYC notes"
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="kyc_notes_say_something")]

    def __str__(self) -> str:
        return f"note {self.pk}"


class AuditEvent(models.Model):
    """Who did what to whom. Append-only in the database; facts hold nothing erasable and no secret."""

    actor = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, help_text="None: the system"
    )
    verb = models.CharField(max_length=60, help_text="kyc.approved, wallet.frozen")
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64, help_text="A public id, a wallet's number, a transfer's UUID")
    facts = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(db_default=Now())
    transaction_id = models.BigIntegerField(
        null=True, db_default=CurrentTransaction(), editable=False, help_text="Whose row history this event explains"
    )

    class Meta:
        db_table = "audit_events"
        permissions = [("export_auditevent", "Can take a copy of the audit trail")]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "at"], name="ix_audit_events_subject"),
            models.Index(fields=["verb", "at"], name="ix_audit_events_verb"),
            models.Index(fields=["actor", "at", "id"], name="ix_audit_events_actor"),
            models.Index(fields=["at", "id"], name="ix_audit_events_at"),
            models.Index(fields=["request_id"], name="ix_audit_events_request", condition=~Q(request_id="")),
        ]

    def __str__(self) -> str:
        return f"{verb_in_words(self.verb)}: {subject_in_words(self.subject_type, self.subject_id)}"


class SavedView(models.Model):
    """How an officer narrowed a list, kept under a name; a role's colleagues see it too if it is shared with them."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views", db_index=False)
    page = models.CharField(max_length=60, help_text="kyc_queue, or the list's model: wallets.wallet")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500, help_text="Of the address; only what the list knows, and nobody's name")
    shared_with = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "saved_views"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["owner", "page", "name"], name="uq_saved_views_owner_page_name"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(query=""), name="saved_views_are_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name


# Row history -------------------------------------------------------------------------------------------------------
class UserRole(User.groups.through):  # type: ignore[misc,name-defined]
    """Who has which role: what Django keeps for itself, under a name that triggers can be declared for."""

    class Meta:
        proxy = True
        default_permissions = ()


class UserPermission(User.user_permissions.through):  # type: ignore[misc,name-defined]
    class Meta:
        proxy = True
        default_permissions = ()


class Role(Group):
    class Meta:
        proxy = True
        default_permissions = ()


class RolePermission(Group.permissions.through):  # type: ignore[misc,name-defined]
    class Meta:
        proxy = True
        default_permissions = ()


UserHistory = history_of(
    User,
    # Customers begin in great numbers, and `created_at` tells when; a colleague begins because somebody wanted it.
    inserted(pgtrigger.Q(new__is_staff=True) | pgtrigger.Q(new__is_superuser=True)),
    updated(),
    changed("profile", "email", "phone", "first_name", "last_name"),
    changed("password", "password"),
    deleted(),
    name="UserHistory",
    table="users_history",
    columns=(
        "status",
        "kyc_status",
        "id_verified",
        "kyc_tier",
        "is_staff",
        "is_superuser",
        "email_verified_at",
        "phone_verified_at",
    ),
    seen_with="accounts.view_user",
    app="accounts",
)
UserRoleHistory = history_of(
    UserRole,
    inserted(),
    updated(),
    deleted(),
    name="UserRoleHistory",
    table="users_groups_history",
    columns=("user", "group"),
    indexes=[models.Index(fields=["user"], name="ix_users_groups_history_user")],
    seen_with="auth.view_group",
    app="accounts",
)
UserPermissionHistory = history_of(
    UserPermission,
    inserted(),
    updated(),
    deleted(),
    name="UserPermissionHistory",
    table="users_user_permissions_history",
    columns=("user", "permission"),
    seen_with="auth.view_group",
    app="accounts",
)
RoleHistory = history_of(
    Role,
    inserted(),
    updated(),
    deleted(),
    name="RoleHistory",
    table="auth_group_history",
    columns=("name",),
    seen_with="auth.view_group",
    app="accounts",
)
RolePermissionHistory = history_of(
    RolePermission,
    inserted(),
    updated(),
    deleted(),
    name="RolePermissionHistory",
    table="auth_group_permissions_history",
    columns=("group", "permission"),
    seen_with="auth.view_group",
    app="accounts",
)
KycSubmissionHistory = history_of(
    KycSubmission,
    inserted(),
    updated(),
    changed("identity", "id_number_encrypted", "id_number_index", "passport_expires_on"),
    changed("words", "reason", "override_reason"),
    deleted(),
    name="KycSubmissionHistory",
    table="kyc_submissions_history",
    # Not `version`: every change is one, and its row says so.
    columns=(
        "user",
        "id_type",
        "status",
        "waits_for",
        "sought_tier",
        "is_red",
        "assignee",
        "proposed_by",
        "proposed_tier",
        "proposed_checks",
        "reviewer",
        "second_reviewer",
        "granted_tier",
        "decided_at",
    ),
    seen_with="accounts.view_kycsubmission",
    app="accounts",
)
KycDocumentHistory = history_of(
    KycDocument,
    inserted(),
    updated(),
    changed("file", "path", "sha256"),
    deleted(),
    name="KycDocumentHistory",
    table="kyc_documents_history",
    columns=("submission", "kind", "content_type", "size_bytes", "replaces", "asked_again_at"),
    seen_with="accounts.view_kycdocument",
    app="accounts",
)
