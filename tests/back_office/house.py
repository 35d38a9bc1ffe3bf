"""One row of everything that staff can look at, with secrets that must not be seen."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts import audit
from accounts.decisions import Decision
from accounts.kyc_identity import encrypted_number
from accounts.models import (
    AuditEvent,
    KycDocument,
    KycNote,
    KycSubmission,
    LoginSession,
    OneTimeCode,
    RecoveryCode,
    SavedView,
    SecondFactor,
    User,
)
from accounts.services import create_staff
from mymoolah.common.clock import business_day, now
from mymoolah.common.crypto import encrypt
from mymoolah.common.history import RowHistory
from mymoolah.common.money import Money
from reporting.models import (
    BusinessDay,
    BusinessDayMoney,
    BusinessDayRefusal,
    DashboardRefresh,
    LedgerVerification,
    MaintenanceReport,
    QueryPerformanceHour,
    QueryPerformanceLog,
    TableSize,
    TransactionSummary,
    UserDashboardSummary,
    UserFinancialSummary,
    VoucherSummary,
)
from reporting.support.models import SupportArticle, SupportMessage, SupportReply, SupportTicket
from reporting.support.tickets import TRANSCRIPT
from tests.conftest import Person, fund
from transactions import posting
from transactions.models import (
    FeeRule,
    IdempotencyKey,
    Kind,
    Proposal,
    Receivable,
    ReceivableCollection,
    Transaction,
    Transfer,
)
from transactions.posting import House, Leg
from vouchers.models import SuspenseItem, TillEvent, Voucher, VoucherRedemption, VoucherTotal
from wallets.models import Hold, TierLimit, Wallet

OURS = [
    model
    for app in ("accounts", "wallets", "transactions", "vouchers", "reporting")
    for model in apps.get_app_config(app).get_models()
    # Row history is shown beside audit events; what it follows of Django's own has no page of ours.
    if not issubclass(model, RowHistory) and not model._meta.proxy
]
HOLDING_SECRETS = {
    OneTimeCode: "nobody decides anything by it, and it holds a secret's digest",
    SecondFactor: "shown to colleagues on a page of its own, and holds a secret",
    RecoveryCode: "it holds nothing but a secret's digest",
    SupportMessage: "what customers ask is theirs; of a ticket its page shows what was said",
    SupportReply: "shown on the page of its ticket, to whoever sees that",
}
NOT_REGISTERED = {
    **HOLDING_SECRETS,
    # Django's admin cannot show a model with a composite primary key.
    VoucherTotal: "shown on the customer page",
    VoucherSummary: "the same row under the API's names",
    BusinessDayMoney: "drawn, with a table of its figures, on the start page",
    BusinessDayRefusal: "likewise",
}
REGISTERED: list[type[Model]] = [*[model for model in OURS if model not in NOT_REGISTERED], Group]
PASSWORD = "a-good-long-passphrase"
EASYPAY_NUMBER = "95063123456785"
ID_NUMBER = "8001015009087"
SECRETS = (
    "the-encrypted-code",
    ID_NUMBER,
    "argon2",
    "the-raw-body",
    "the-folder-of-documents",
    EASYPAY_NUMBER,
    *(bytes([letter] * 32).hex() for letter in b"cirtpd"),
    *((chr(letter) * 32) for letter in b"cirtpd"),
)


@dataclass
class Furnished:
    """The row of each model that its page is tried with."""

    rows: dict[type[Model], Model] = field(default_factory=dict)

    def page(self, model: type[Model]) -> str:
        return page_of(self.rows[model])


def furnish(thandi: Person, sipho: Person) -> Furnished:
    moment = now()
    fund(thandi, "500.00")
    leg = Leg(kind=Kind.TRANSFER, source=thandi.wallet.pk, target=sipho.wallet.pk, amount=Money.parse("12.50"))
    key = posting.IdempotencyKey(actor=f"user:{thandi.user.public_id}", key="one", request_hash=b"r" * 32)
    late = Leg(
        kind=Kind.SUSPENSE,
        source=House(Wallet.Kind.EASYPAY_CLEARING, 0),
        target=House(Wallet.Kind.SUSPENSE, 0),
        amount=Money.parse("60.00"),
    )
    suspended = posting.post([late])[0]
    posted = posting.post([leg], key=key, initiated_by=thandi.user.pk)[0]
    liability = House(Wallet.Kind.VOUCHER_LIABILITY, 0)
    issued, redeemed = posting.post(
        [
            Leg(kind=Kind.VOUCHER_ISSUE, source=thandi.wallet.pk, target=liability, amount=Money.parse("40.00")),
            Leg(kind=Kind.VOUCHER_REDEEM, source=liability, target=sipho.wallet.pk, amount=Money.parse("40.00")),
        ]
    )
    forced, collected = take_back(posted.transfer_id, thandi, sipho)
    common: dict[str, Any] = {"currency": "ZAR", "created_at": moment}
    hold = Hold.objects.using("owner").create(
        wallet_id=thandi.wallet.pk,
        amount=Decimal(5),
        status="voided",
        purpose="voucher:x",
        resolved_at=moment,
        **common,
    )
    voucher = Voucher.objects.create(
        user=thandi.user,
        voucher_type="standard",
        status="redeemed",
        code_encrypted="the-encrypted-code",
        code_index=b"c" * 32,
        issue_transfer_id=issued.transfer_id,
        original_amount=Decimal(40),
        balance=0,
        expires_at=moment,
        **common,
    )
    Voucher.objects.create(
        user=thandi.user,
        voucher_type="easypay_topup",
        status="pending_payment",
        easypay_number=EASYPAY_NUMBER,
        original_amount=Decimal(60),
        balance=0,
        expires_at=moment + dt.timedelta(days=30),
        **common,
    )
    case = KycSubmission.objects.create(
        user=thandi.user,
        id_type="sa_id",
        id_number_encrypted=encrypted_number(ID_NUMBER),
        id_number_index=b"i" * 32,
        created_at=moment,
    )
    event = TillEvent.objects.create(
        provider="easypay",
        provider_reference="REF-1",
        body=b"the-raw-body",
        body_sha256=b"d" * 32,
        easypay_number=EASYPAY_NUMBER,
        amount=Decimal(60),
        currency="ZAR",
        paid_at=moment,
        result="suspense",
        processed_at=moment,
        voucher=voucher,
    )
    audit.record("wallet.opened", subject_type="wallet", subject_id=thandi.wallet.number)
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_user_dashboard_summary()")
    refresh = DashboardRefresh.objects.create(
        started_at=moment - dt.timedelta(minutes=3), duration_ms=1500, rows_count=2, changes_seen=9
    )
    receivable = Receivable.objects.create(
        wallet=sipho.wallet,
        transfer_id=forced,
        amount=Decimal("12.50"),
        collected_amount=Decimal("12.50"),
        **common,
    )
    made: list[Model] = [
        thandi.user,
        LoginSession.objects.create(
            user=thandi.user,
            device="A telephone",
            token_digest=b"t" * 32,
            previous_digest=b"p" * 32,
            rotated_at=moment,
            created_at=moment,
            last_used_at=moment,
            expires_at=moment,
        ),
        case,
        KycDocument.objects.create(
            submission=case,
            path="the-folder-of-documents/1",
            content_type="image/png",
            size_bytes=9,
            sha256=b"d" * 32,
            created_at=moment,
        ),
        KycNote.objects.create(submission=case, author=sipho.user, text="The photograph is dark", created_at=moment),
        AuditEvent.objects.latest("pk"),
        thandi.wallet,
        hold,
        TierLimit.objects.get(tier=2),
        Transfer.objects.get(pk=posted.transfer_id),
        Transaction.objects.get(wallet=thandi.wallet, sequence=2),
        IdempotencyKey.objects.get(),
        FeeRule.objects.earliest("pk"),
        voucher,
        event,
        VoucherRedemption.objects.create(
            voucher=voucher, wallet=sipho.wallet, transfer_id=redeemed.transfer_id, amount=Decimal(40), **common
        ),
        SuspenseItem.objects.create(
            till_event=event,
            voucher=voucher,
            user=thandi.user,
            direction="owed_to_customer",
            reason="late",
            amount=Decimal(60),
            transfer_id=suspended.transfer_id,
            **common,
        ),
        receivable,
        ReceivableCollection.objects.create(
            receivable=receivable, transfer_id=collected, amount=Decimal("12.50"), created_at=moment
        ),
        Proposal.objects.create(
            command="adjust_wallet",
            arguments={
                "wallet": thandi.wallet.number,
                "direction": "credit",
                "amount": "7.00",
                "currency": "ZAR",
                "override_ceiling": False,
            },
            subject_type="wallet",
            subject_id=thandi.wallet.number,
            reason="Case 17",
            proposed_by=thandi.user,
            proposed_at=moment,
            preview={"wallets": [], "house": [], "facts": []},
            preview_digest=b"v" * 32,
        ),
        TransactionSummary.objects.get(wallet=thandi.wallet),
        UserFinancialSummary.objects.get(wallet=thandi.wallet),
        UserDashboardSummary.objects.get(wallet=thandi.wallet),
        refresh,
        QueryPerformanceLog.objects.create(
            query_type="GET /api/v1/dashboard",
            execution_time_ms=Decimal("1.5"),
            is_sampled=True,
            is_slow=False,
            created_at=moment,
        ),
        QueryPerformanceHour.objects.get(),
        TableSize.objects.create(taken_on=business_day(moment), table_name="wallets", bytes=8192),
        BusinessDay.objects.create(
            day=business_day(moment),
            taken_at=moment,
            is_closed=False,
            active_customers=2,
            kyc_submitted=1,
            kyc_approved=0,
            kyc_rejected=0,
            kyc_waiting=1,
            set_aside=1,
        ),
        SavedView.objects.create(
            owner=sipho.user, page="wallets.wallet", name="The house", query="whose=bank", created_at=moment
        ),
        LedgerVerification.objects.create(finished_at=moment, duration_ms=1500, checks_count=27, broken=[]),
        MaintenanceReport.objects.create(
            kind="daily",
            begins_on=business_day(moment),
            attempt=1,
            started_at=moment,
            ended_at=moment,
            warnings_count=1,
            notices_count=0,
            failed=[],
            findings=[
                {
                    "section": "cache",
                    "section_title": "Cache",
                    "level": level,
                    "title": title,
                    "found": found,
                    "advice": advice,
                    "facts": {},
                }
                for level, title, found, advice in (
                    ("ok", "Hits", "9 of 10 reads of a key found it", ""),
                    ("warning", "Memory", "256.0 MiB of 256.0 MiB are used (100.0%)", "Raise Redis's maxmemory."),
                )
            ],
        ),
        SupportTicket.objects.create(
            user=thandi.user,
            conversation=uuid.uuid4(),
            intent="human",
            priority=SupportTicket.Priority.NORMAL,
            transcript_encrypted=encrypt('[{"by": "customer", "text": "Is anybody there?"}]', context=TRANSCRIPT),
            created_at=moment,
            waits_since=moment,
        ),
        SupportArticle.objects.earliest("pk"),
        Group.objects.get(name="kyc"),
    ]
    return Furnished({type(row): row for row in made})


def take_back(transfer_id: uuid.UUID, thandi: Person, sipho: Person) -> tuple[uuid.UUID, uuid.UUID]:
    """Reverse a payment of Thandi's to Sipho that he could not pay back at once, and collect it: both transfers' ids."""
    adjustments = House(Wallet.Kind.ADJUSTMENTS, 0)
    amount = Money.parse("12.50")
    # They stand for two of finance here, so that the house has no more people than its tests count.
    decision = Decision(proposed_by=thandi.user.pk, approved_by=sipho.user.pk, reason="Paid by mistake")
    forced = Leg(kind=Kind.REVERSAL, source=adjustments, target=thandi.wallet.pk, amount=amount, reverses=transfer_id)
    collected = Leg(kind=Kind.COLLECTION, source=sipho.wallet.pk, target=adjustments, amount=amount)
    return tuple(posting.post([leg], decision=decision)[0].transfer_id for leg in (forced, collected))  # type: ignore[return-value]


def colleague(role: str) -> User:
    return create_staff(
        email=f"{role}@example.com", password=PASSWORD, first_name=role.capitalize(), last_name="Staff", role=role
    )


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def emergency() -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD, first_name="Root", last_name="Staff")


def label(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


def list_page(model: type[Model], query: str = "") -> str:
    return reverse(f"admin:{label(model)}_changelist") + query


def page_of(row: Model) -> str:
    return reverse(f"admin:{label(type(row))}_change", args=[row.pk])


def page_class(model: type[Model]) -> Any:
    return admin.site.get_model_admin(model)
