"""The ledger: transfers, their entries, the keys that make them happen once, and fees."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now
from django.db.models.lookups import Exact

from accounts.models import User
from mymoolah.common.history import deleted, history_of, inserted, updated
from wallets.models import Wallet, money_field


class Kind(models.TextChoices):
    """What a transfer is, one for each step of the table of legs."""

    TRANSFER = "transfer"
    VOUCHER_ISSUE = "voucher_issue"
    VOUCHER_REDEEM = "voucher_redeem"
    VOUCHER_REFUND = "voucher_refund"
    TOP_UP = "top_up"
    VOUCHER_SPENT = "voucher_spent"
    CASH_OUT = "cash_out"
    FEE = "fee"
    VAT = "vat"
    SUSPENSE = "suspense"
    RELEASE = "release"
    CAPTURE = "capture"
    RESOLUTION = "resolution"
    REVERSAL = "reversal"
    COLLECTION = "collection"
    ADJUSTMENT = "adjustment"
    SETTLEMENT = "settlement"
    DEMO_MONEY = "demo_money"


# Nobody moves these alone: the kernel refuses them without two people (transactions/sql/post_transfers_v2.sql).
NEEDS_TWO_PEOPLE = (
    Kind.RELEASE,
    Kind.RESOLUTION,
    Kind.REVERSAL,
    Kind.COLLECTION,
    Kind.ADJUSTMENT,
    Kind.SETTLEMENT,
)


class Transfer(models.Model):
    """One movement of money between two wallets. Immutable; written by `post_transfers` only."""

    id = models.UUIDField(primary_key=True, editable=False, help_text="UUIDv7")
    kind = models.CharField(max_length=20, choices=Kind)
    from_wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+", db_index=False)
    to_wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = money_field()
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=140, blank=True)
    group_id = models.UUIDField(help_text="Rows that stand or fall together carry the id of their first")
    # No key of its own: it would lock and rewrite the user's row with every posting; verify_ledger looks it up.
    initiated_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    approved_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The second of the two people that finance's decisions need",
    )
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    metadata = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "transfers"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfers_amount_is_positive"),
            models.CheckConstraint(condition=~Q(from_wallet=F("to_wallet")), name="transfers_not_to_itself"),
            models.UniqueConstraint(
                fields=["reverses"], condition=Q(reverses__isnull=False), name="uq_transfers_reversed_once"
            ),
        ]
        indexes = [
            # A single transfer is its own group and needs no second index entry.
            models.Index(fields=["group_id"], name="ix_transfers_group", condition=~Q(group_id=F("id"))),
            # A day's transfers, which lie together as they were written: some bytes for each hundred pages.
            BrinIndex(fields=["created_at"], name="ix_transfers_time", autosummarize=True),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Transaction(models.Model):
    """One entry: a transfer as one of its two wallets sees it. Immutable; written by `post_transfers` only."""

    class Type(models.TextChoices):
        SENT = "sent"
        RECEIVED = "received"

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="entries", db_index=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="entries", db_index=False)
    # No key of its own: it is the wallet's user, which the wallet's key already proves; verify_ledger compares them.
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    type = models.CharField(max_length=8, choices=Type)
    amount = money_field()
    currency = models.CharField(max_length=3)
    sequence = models.BigIntegerField(help_text="1, 2, 3 … in each wallet, without a gap")
    balance_after = money_field()
    total_received_after = money_field()
    total_sent_after = money_field()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "transactions"
        constraints = [
            models.UniqueConstraint(fields=["wallet", "sequence"], name="uq_transactions_wallet_sequence"),
            models.UniqueConstraint(fields=["transfer", "type"], name="uq_transactions_transfer_type"),
            # What a wallet's head points at (see transactions/sql/guards.sql).
            models.UniqueConstraint(
                fields=["wallet", "sequence", "balance_after", "total_received_after", "total_sent_after"],
                name="uq_transactions_head",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="transactions_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(balance_after=F("total_received_after") - F("total_sent_after")),
                name="transactions_balance_is_in_minus_out",
            ),
        ]
        indexes = [
            models.Index(
                fields=["user", "type", "created_at"], include=["amount", "currency"], name="ix_transactions_user_type"
            ),
            models.Index(fields=["wallet", "created_at", "sequence"], name="ix_transactions_wallet_time"),
        ]
        permissions = [("export_transaction", "Can take the books out of the bank as files")]

    def __str__(self) -> str:
        return f"{self.wallet_id}-{self.sequence}"


class IdempotencyKey(models.Model):
    """A request that succeeded, and what it made. Kept for good; written by `claim_idempotency_key` only."""

    actor = models.CharField(max_length=64, help_text="user:<public id>, till:easypay, loader, finance")
    key = models.CharField(max_length=255)
    request_hash = models.BinaryField(max_length=32, help_text="SHA-256 of method, route and validated values")
    produced_kind = models.CharField(max_length=20, help_text="transfer, voucher …")
    produced_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "idempotency_keys"
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="uq_idempotency_keys_actor_key")]
        indexes = [BrinIndex(fields=["created_at"], name="ix_idempotency_keys_time", autosummarize=True)]

    def __str__(self) -> str:
        return f"{self.actor} {self.key}"


class Receivable(models.Model):
    """What a customer owes the bank since money was taken back that he no longer had (a forced reversal)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="receivables")
    transfer = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, related_name="receivable", help_text="The forced reversal, paid by the bank"
    )
    amount = money_field()
    collected_amount = money_field(default=0, db_default=0)
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "receivables"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, collected_amount__gte=0, collected_amount__lte=F("amount")),
                name="receivables_collected_within_amount",
            )
        ]
        indexes = [
            models.Index(
                fields=["created_at"], name="ix_receivables_open", condition=Q(collected_amount__lt=F("amount"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} ({self.public_id})"


class ReceivableCollection(models.Model):
    """A part of a receivable that its wallet has paid."""

    receivable = models.ForeignKey(Receivable, on_delete=models.PROTECT, related_name="collections")
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="+")
    amount = money_field()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "receivable_collections"
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="collections_amount_is_positive")]

    def __str__(self) -> str:
        return f"{self.amount} of {self.receivable_id}"


class FeeRule(models.Model):
    """What a kind of service costs from a moment on. The amount is without VAT; the rate is a fraction (0.15)."""

    kind = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    fee_amount = money_field()
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4)
    valid_from = models.DateTimeField()

    class Meta:
        db_table = "fee_rules"
        constraints = [
            models.UniqueConstraint(fields=["kind", "currency", "valid_from"], name="uq_fee_rules_kind_from"),
            models.CheckConstraint(
                condition=Q(fee_amount__gte=0, vat_rate__gte=0, vat_rate__lt=1), name="fee_rules_are_sane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.fee_amount} {self.currency} from {self.valid_from:%Y-%m-%d}"


FeeRuleHistory = history_of(
    FeeRule,
    inserted(),
    updated(),
    deleted(),
    name="FeeRuleHistory",
    table="fee_rules_history",
    columns=("kind", "currency", "fee_amount", "vat_rate", "valid_from"),
    seen_with="transactions.view_feerule",
    app="transactions",
)


class Proposal(models.Model):
    """What somebody of finance asks a colleague to approve: a command, its arguments, and what it would do.

    What was asked never changes; what became of it is decided once (transactions/sql/proposals_v1.sql).
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", "waits"
        APPROVED = "approved"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"
        FAILED = "failed"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    command = models.CharField(max_length=40, help_text="Its name in transactions/proposals/commands.py")
    arguments = models.JSONField(help_text="As the command's schema reads them")
    subject_type = models.CharField(max_length=40, help_text="What it is about, as in the audit trail")
    subject_id = models.CharField(max_length=64)
    reason = models.TextField()
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    proposed_at = models.DateTimeField()
    preview = models.JSONField(help_text="What it would have done when it was proposed")
    preview_digest = models.BinaryField(max_length=32, help_text="SHA-256 of what of it must not change unseen")
    status = models.CharField(max_length=9, choices=Status, default=Status.PROPOSED)
    is_open = models.GeneratedField(
        expression=Exact(F("status"), Value("proposed")), output_field=models.BooleanField(), db_persist=True
    )
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, help_text="What the one who decided said")
    result_kind = models.CharField(max_length=20, blank=True, help_text="What it made: transfer, fee_rule …")
    result_id = models.CharField(max_length=64, blank=True)
    proposed_transaction_id = models.BigIntegerField(
        null=True, editable=False, help_text="In which it was proposed: never the one that decides"
    )
    transaction_id = models.BigIntegerField(
        null=True, editable=False, help_text="In which it was decided: its audit events and row history have the same"
    )

    class Meta:
        db_table = "proposals"
        default_permissions = ("add", "view")
        permissions = [("decide_proposal", "Can approve or reject what a colleague proposed")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["proposed", "approved", "rejected", "withdrawn", "failed"]),
                name="proposals_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status="proposed", decided_by=None, decided_at=None)
                | (~Q(status="proposed") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="proposals_decided_by_someone",
            ),
            # A comparison with NULL is no refusal in a CHECK; that somebody decided is said above.
            models.CheckConstraint(
                condition=Q(status="proposed")
                | Q(status="withdrawn", decided_by=F("proposed_by"))
                | (Q(status__in=["approved", "rejected", "failed"]) & ~Q(decided_by=F("proposed_by"))),
                name="proposals_decided_by_another",
            ),
            models.CheckConstraint(
                condition=Q(status="approved") & ~Q(result_kind="") & ~Q(result_id="")
                | ~Q(status="approved") & Q(result_kind="", result_id=""),
                name="proposals_approved_ones_did_something",
            ),
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="proposals_say_why"),
        ]
        indexes = [
            models.Index(fields=["is_open", "id"], name="ix_proposals_open_first"),
            models.Index(fields=["subject_type", "subject_id", "id"], name="ix_proposals_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.command} ({self.public_id})"
