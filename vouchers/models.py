"""Vouchers, what became of them, and what tills reported."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from mymoolah.common.history import deleted, history_of, updated
from mymoolah.common.money import Money
from transactions.models import Transfer
from wallets.models import Hold, Wallet, money_field

LIVE = ["active", "pending_payment"]


class Voucher(models.Model):
    class Type(models.TextChoices):
        STANDARD = "standard"
        EASYPAY_TOPUP = "easypay_topup"
        EASYPAY_VOUCHER = "easypay_voucher"
        EASYPAY_CASHOUT = "easypay_cashout"

    class Status(models.TextChoices):
        ACTIVE = "active"
        PENDING_PAYMENT = "pending_payment"
        REDEEMED = "redeemed"
        EXPIRED = "expired"
        CANCELLED = "cancelled"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="vouchers", db_index=False)
    voucher_type = models.CharField(max_length=15, choices=Type)
    status = models.CharField(max_length=15, choices=Status)
    code_encrypted = models.TextField(null=True, blank=True, help_text="16 digits, encrypted; standard vouchers only")
    code_index = models.BinaryField(max_length=32, null=True, help_text="Keyed blind index of the code")
    easypay_number = models.CharField(max_length=14, null=True, blank=True)
    original_amount = money_field()
    balance = money_field()
    currency = models.CharField(max_length=3)
    fee_amount = money_field(default=0, db_default=0)
    vat_amount = money_field(default=0, db_default=0)
    issue_transfer = models.ForeignKey(
        Transfer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="What its issuer paid for it; none where nothing was paid, or only held",
    )
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, null=True, blank=True, related_name="voucher")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "vouchers"
        permissions = [("cancel_voucher", "Can cancel EasyPay vouchers and cash-outs for customers")]
        constraints = [
            models.UniqueConstraint(
                fields=["code_index"], condition=Q(code_index__isnull=False), name="uq_vouchers_code_index"
            ),
            models.UniqueConstraint(
                fields=["easypay_number"], condition=Q(easypay_number__isnull=False), name="uq_vouchers_easypay_number"
            ),
            models.CheckConstraint(
                condition=Q(voucher_type__in=["standard", "easypay_topup", "easypay_voucher", "easypay_cashout"]),
                name="vouchers_type_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["active", "pending_payment", "redeemed", "expired", "cancelled"]),
                name="vouchers_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    voucher_type="standard",
                    code_encrypted__isnull=False,
                    code_index__isnull=False,
                    easypay_number__isnull=True,
                )
                # A comparison with NULL is no refusal in a CHECK, so that a number is there is said as well.
                | (
                    ~Q(voucher_type="standard")
                    & Q(code_index__isnull=True, easypay_number__isnull=False, easypay_number__regex=r"^9[0-9]{13}$")
                ),
                name="vouchers_number_fits_type",
            ),
            models.CheckConstraint(
                condition=Q(original_amount__gt=0, balance__gte=0, balance__lte=F("original_amount")),
                name="vouchers_balance_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(status="active", balance__gt=0) | (~Q(status="active") & Q(balance=0)),
                name="vouchers_only_active_ones_owe",
            ),
            models.CheckConstraint(
                condition=~Q(status="pending_payment") | Q(voucher_type__in=["easypay_topup", "easypay_cashout"]),
                name="vouchers_pending_fits_type",
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(voucher_type__in=["standard", "easypay_voucher"]),
                name="vouchers_active_fits_type",
            ),
            models.CheckConstraint(
                condition=Q(fee_amount__gte=0, vat_amount__gte=0), name="vouchers_fees_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(voucher_type="easypay_cashout", hold__isnull=False)
                | (~Q(voucher_type="easypay_cashout") & Q(hold=None)),
                name="vouchers_cash_out_has_a_hold",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "status", "voucher_type"], name="ix_vouchers_user_status_type"),
            BrinIndex(fields=["created_at"], name="ix_vouchers_time", autosummarize=True),
            models.Index(
                fields=["user", "currency"],
                include=["status", "balance", "original_amount"],
                condition=Q(status__in=LIVE),
                name="ix_vouchers_live",
            ),
            models.Index(fields=["expires_at"], condition=Q(status__in=LIVE), name="ix_vouchers_live_expiry"),
            models.Index(fields=["user", "created_at", "id"], name="ix_vouchers_user_created"),
        ]

    def __str__(self) -> str:
        return f"{self.voucher_type} {self.original_amount} {self.currency} ({self.public_id})"

    @property
    def cost(self) -> Money:
        """Face, fee and VAT: what its issuer pays, or has held, in the end."""
        return Money(self.original_amount + self.fee_amount + self.vat_amount, self.currency)


class VoucherRedemption(models.Model):
    """A part of a voucher's value that reached a wallet or a till."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="redemptions")
    wallet = models.ForeignKey(
        Wallet, on_delete=models.PROTECT, null=True, related_name="+", help_text="None: paid at a till"
    )
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="+")
    amount = money_field()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "voucher_redemptions"
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="redemptions_amount_is_positive")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} ({self.public_id})"


class VoucherTotal(models.Model):
    """Counts and values of a customer's vouchers, kept by triggers (vouchers/sql/voucher_totals.sql)."""

    pk = models.CompositePrimaryKey("user", "currency")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    total_count = models.BigIntegerField(db_default=0)
    active_count = models.BigIntegerField(db_default=0)
    pending_count = models.BigIntegerField(db_default=0)
    total_value = money_field(db_default=0)
    active_value = money_field(db_default=0)
    pending_value = money_field(db_default=0)

    class Meta:
        db_table = "voucher_totals"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    active_count__gte=0,
                    pending_count__gte=0,
                    total_count__gte=F("active_count") + F("pending_count"),
                    active_value__gte=0,
                    pending_value__gte=0,
                    total_value__gte=0,
                ),
                name="voucher_totals_not_negative",
            )
        ]

    def __str__(self) -> str:
        return f"vouchers of {self.user_id} in {self.currency}"


class TillEvent(models.Model):
    """A payment callback, exactly as it was received; stored before it is acted on."""

    class Result(models.TextChoices):
        APPLIED = "applied"
        SUSPENSE = "suspense"

    provider = models.CharField(max_length=20)
    provider_reference = models.CharField(max_length=100)
    body = models.BinaryField()
    body_sha256 = models.BinaryField(max_length=32)
    easypay_number = models.CharField(max_length=14)
    amount = money_field()
    currency = models.CharField(max_length=3)
    paid_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    result = models.CharField(
        max_length=8, null=True, choices=Result, help_text="What the till was told; none until it was acted on"
    )
    processed_at = models.DateTimeField(null=True)
    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, null=True, related_name="till_events")

    class Meta:
        db_table = "till_events"
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_reference"], name="uq_till_events_reference"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="till_events_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(result=None, processed_at=None)
                | Q(result__isnull=False, result__in=["applied", "suspense"], processed_at__isnull=False),
                name="till_events_result_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["received_at"], name="ix_till_events_waiting", condition=Q(result=None)),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_reference}"


class SuspenseItem(models.Model):
    """Money that could not be applied, waiting for finance: a till's report, or a refund to a closed wallet."""

    class Direction(models.TextChoices):
        OWED_TO_CUSTOMER = "owed_to_customer"
        OWED_TO_TILL = "owed_to_till"

    class Reason(models.TextChoices):
        UNKNOWN_NUMBER = "unknown_number"
        OTHER_AMOUNT = "other_amount", "another amount"
        LATE = "late", "after it ended"
        AGAIN = "again", "paid or spent before"
        WALLET_FROZEN = "wallet_frozen"
        WALLET_CLOSED = "wallet_closed"
        ACCOUNT_SUSPENDED = "account_suspended"
        BALANCE_TOO_HIGH = "balance_too_high", "the wallet would hold too much"
        RELEASE_REVERSED = "release_reversed"

    class Resolution(models.TextChoices):
        RELEASED = "released", "released to the customer"
        RETURNED = "returned", "returned to the till"
        PAID_OUTSIDE = "paid_outside", "paid outside, from the bank"
        SPENT = "spent", "taken as what was spent or paid out"
        TILL_BEARS = "till_bears", "the till bears it"
        BANK_BEARS = "bank_bears", "the bank bears it"
        CUSTOMER_AGREED = "customer_agreed", "the customer agreed to bear it"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    till_event = models.OneToOneField(TillEvent, on_delete=models.PROTECT, null=True, related_name="suspense_item")
    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, null=True, related_name="suspense_items")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    direction = models.CharField(max_length=16, choices=Direction)
    reason = models.CharField(max_length=40, choices=Reason)
    amount = money_field()
    currency = models.CharField(max_length=3)
    transfer = models.ForeignKey(
        Transfer,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The first of the group that put it here",
    )
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=40, blank=True, choices=Resolution)
    resolution_transfer = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    resolved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        db_table = "suspense_items"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="suspense_items_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(
                    resolved_at=None, resolution="", resolution_transfer=None, resolved_by=None, approved_by=None
                )
                | (Q(resolved_at__isnull=False, resolution_transfer__isnull=False) & ~Q(resolution="")),
                name="suspense_items_resolved_somehow",
            ),
            # A comparison with NULL is no refusal in a CHECK, so that both are there is said as well.
            models.CheckConstraint(
                condition=Q(resolved_at=None)
                | (Q(resolved_by__isnull=False, approved_by__isnull=False) & ~Q(resolved_by=F("approved_by"))),
                name="suspense_items_resolved_by_two",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="ix_suspense_items_open", condition=Q(resolved_at=None)),
            models.Index(fields=["created_at"], name="ix_suspense_items_time"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.amount} {self.currency} ({self.public_id})"


# How a voucher began, its own row tells, and the ledger; so loading millions of them costs nothing more.
VoucherHistory = history_of(
    Voucher,
    updated(),
    deleted(),
    name="VoucherHistory",
    table="vouchers_history",
    columns=("status", "balance", "original_amount", "currency", "expires_at"),
    seen_with="vouchers.view_voucher",
    app="vouchers",
)
