"""Wallets with their running totals, holds on them, and what each tier may do."""

from __future__ import annotations

import uuid
from typing import Any

import pgtrigger
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from mymoolah.common import read_cache
from mymoolah.common.history import deleted, history_of, inserted, updated


def money_field(**options: object) -> models.DecimalField:  # type: ignore[type-arg]
    """NUMERIC(19, 2), in major units of the `currency` on the same row."""
    return models.DecimalField(max_digits=19, decimal_places=2, **options)  # type: ignore[arg-type]


class Wallet(models.Model):
    class Kind(models.TextChoices):
        CUSTOMER = "customer"
        BANK = "bank"
        VOUCHER_LIABILITY = "voucher_liability"
        EASYPAY_CLEARING = "easypay_clearing"
        CASHOUT_CLEARING = "cashout_clearing"
        FEE_INCOME = "fee_income"
        VAT_CONTROL = "vat_control"
        SUSPENSE = "suspense"
        ADJUSTMENTS = "adjustments"

    class Status(models.TextChoices):
        ACTIVE = "active"
        FROZEN = "frozen"
        CLOSED = "closed"

    class FrozenBy(models.TextChoices):
        """Who wanted it frozen, and so how it is undone."""

        CUSTOMER = "customer"
        BANK = "bank"

    number = models.CharField(max_length=10)
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="wallets", db_index=False
    )
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.CUSTOMER)
    stripe = models.PositiveSmallIntegerField(default=0)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=6, choices=Status, default=Status.ACTIVE)
    frozen_by = models.CharField(
        max_length=8, choices=FrozenBy, null=True, blank=True, help_text="Who wanted it; unknown counts as the bank"
    )
    balance = money_field(default=0, db_default=0)
    held = money_field(default=0, db_default=0)
    total_received = money_field(default=0, db_default=0)
    total_sent = money_field(default=0, db_default=0)
    received_count = models.BigIntegerField(default=0, db_default=0)
    sent_count = models.BigIntegerField(default=0, db_default=0)
    sequence = models.BigIntegerField(null=True, blank=True, help_text="Of the last entry; none while there is none")
    last_entry_at = models.DateTimeField(null=True, blank=True)
    spent_on = models.DateField(null=True, blank=True, help_text="The Johannesburg day the two counters belong to")
    spent_day_amount = money_field(default=0, db_default=0)
    spent_month_amount = money_field(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "wallets"
        permissions = [
            ("freeze_wallet", "Can freeze wallets, and undo what a customer froze"),
            ("unfreeze_wallet", "Can undo what the bank froze"),
        ]
        # A CHECK is parsed anew by every UPDATE, and postings are updates: here stands only what each of them could
        # break. The rest is refused when a row is inserted or its status changes (wallets/sql/wallet_rules_v1.sql).
        constraints = [
            models.UniqueConstraint(fields=["number"], name="uq_wallets_number"),
            models.UniqueConstraint(
                fields=["user", "currency"], condition=Q(kind="customer"), name="uq_wallets_user_currency"
            ),
            models.UniqueConstraint(
                fields=["kind", "currency", "stripe"],
                condition=~Q(kind="customer"),
                name="uq_wallets_house_kind_currency",
            ),
            models.CheckConstraint(
                condition=~Q(kind="customer") | Q(balance__gte=F("held"), held__gte=0),
                name="wallets_available_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["user", "status"], name="ix_wallets_user_status")]

    def __str__(self) -> str:
        return self.number if self.kind == Wallet.Kind.CUSTOMER else f"{self.kind} {self.currency} #{self.stripe}"

    @property
    def standing(self) -> str:
        """Its status, and of a frozen one whose wish that was."""
        if self.status != Wallet.Status.FROZEN:
            return self.status
        return f"frozen by the {self.frozen_by or Wallet.FrozenBy.BANK}"


class Hold(models.Model):
    class Status(models.TextChoices):
        HELD = "held"
        CAPTURED = "captured"
        VOIDED = "voided"
        EXPIRED = "expired"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="holds", db_index=False)
    amount = money_field()
    spent_amount = money_field(default=0, db_default=0, help_text="What of it counted against the limits when placed")
    captured_amount = money_field(default=0, db_default=0)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=Status, default=Status.HELD)
    purpose = models.CharField(max_length=60, help_text="What it is for, as in voucher:<public id>")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="None: its owner decides")
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "holds"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="holds_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["held", "captured", "voided", "expired"]), name="holds_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="held", resolved_at=None) | (~Q(status="held") & Q(resolved_at__isnull=False)),
                name="holds_resolved_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    spent_amount__gte=0,
                    spent_amount__lte=F("amount"),
                    captured_amount__gte=0,
                    captured_amount__lte=F("amount"),
                ),
                name="holds_parts_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(status="captured", captured_amount__gt=0) | (~Q(status="captured") & Q(captured_amount=0)),
                name="holds_captured_means_something",
            ),
        ]
        indexes = [
            models.Index(fields=["wallet"], name="ix_holds_live", condition=Q(status="held")),
            models.Index(
                fields=["expires_at"], name="ix_holds_expiry", condition=Q(status="held", expires_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.status} ({self.public_id})"


class TierLimit(models.Model):
    """What a tier may do in a currency. No row: refused. A limit of None: not allowed at all."""

    tier = models.PositiveSmallIntegerField()
    currency = models.CharField(max_length=3)
    per_transfer_amount = money_field(null=True, blank=True)
    per_day_amount = money_field(null=True, blank=True)
    per_month_amount = money_field(null=True, blank=True)
    highest_balance = money_field()
    may_send = models.BooleanField()
    may_cash_out = models.BooleanField()

    class Meta:
        db_table = "tier_limits"
        constraints = [
            models.UniqueConstraint(fields=["tier", "currency"], name="uq_tier_limits_tier_currency"),
            models.CheckConstraint(
                condition=Q(may_send=False, may_cash_out=False)
                | Q(
                    # A comparison with NULL is no refusal in a CHECK, so each is named.
                    per_transfer_amount__isnull=False,
                    per_day_amount__isnull=False,
                    per_month_amount__isnull=False,
                    per_transfer_amount__gt=0,
                    per_day_amount__gte=F("per_transfer_amount"),
                    per_month_amount__gte=F("per_day_amount"),
                ),
                name="tier_limits_spending_is_bounded",
            ),
            models.CheckConstraint(condition=Q(highest_balance__gte=0), name="tier_limits_ceiling_not_negative"),
        ]

    def __str__(self) -> str:
        return f"tier {self.tier} {self.currency}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and have answers that tell what a tier allows be read anew."""
        super().save(*args, **kwargs)
        read_cache.changed(limits=True, using=self._state.db or DEFAULT_DB_ALIAS)


# Row history. What a wallet holds is the ledger's to remember; every posting writes wallets, so this asks only whether
# the status changed, before anything else.
WalletHistory = history_of(
    Wallet,
    updated(),
    deleted(),
    name="WalletHistory",
    table="wallets_history",
    columns=("status", "frozen_by"),
    seen_with="wallets.view_wallet",
    app="wallets",
    level=pgtrigger.Row,
)
TierLimitHistory = history_of(
    TierLimit,
    inserted(),
    updated(),
    deleted(),
    name="TierLimitHistory",
    table="tier_limits_history",
    columns=(
        "tier",
        "currency",
        "per_transfer_amount",
        "per_day_amount",
        "per_month_amount",
        "highest_balance",
        "may_send",
        "may_cash_out",
    ),
    seen_with="wallets.view_tierlimit",
    app="wallets",
)
