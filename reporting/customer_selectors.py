"""What staff read of one customer. Each function is one query of index probes, whatever the customer's history."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import F

from accounts.kyc_identity import decrypted_number, masked_identity_number
from accounts.models import KycSubmission, LoginSession, OneTimeCode
from mymoolah.common.sql.queries import rows
from reporting.support.models import SupportTicket
from transactions.models import Receivable
from vouchers.models import SuspenseItem, Voucher, VoucherTotal
from vouchers.selectors import cancellable

Row = dict[str, Any]
Subject = tuple[str, str]
"""What a proposal or an audit event is about: its type and id."""

LATEST_ENTRIES: Final = 20
LATEST_EVENTS: Final = 30
LATEST: Final = 10
LIVE_VOUCHERS: Final = 20


def wallets(*, user_id: int, today: dt.date) -> list[Row]:
    """A customer's wallets, what the tier allows of each, and how much of that is used."""
    return rows("reporting", "customer_wallets.sql", user=user_id, today=today)


def entries(*, user_id: int) -> list[Row]:
    """The latest of all wallets, with the other end of each."""
    return rows("reporting", "customer_entries.sql", user=user_id, most=LATEST_ENTRIES)


def balances(*, user_id: int, today: dt.date, days: int) -> list[Row]:
    """What was in each wallet at the end of each of the last `days`, today as it is so far; None before it was opened."""
    first_on = today - dt.timedelta(days=days - 1)
    return rows("reporting", "customer_balances.sql", user=user_id, first_on=first_on, days=days)


def voucher_totals(*, user_id: int) -> list[Row]:
    return [{**row} for row in VoucherTotal.objects.filter(user=user_id).order_by("currency").values()]


def vouchers(*, user_id: int, now: dt.datetime) -> list[Row]:
    """The latest, and the latest that can still be cancelled, lest others of a thief hide one.

    Without what they are worth to whoever knows it: of a number its last four digits.
    """
    columns = ("id", "public_id", "voucher_type", "status", "original_amount", "balance", "currency", "easypay_number")
    his = Voucher.objects.filter(user=user_id).annotate(can_be_cancelled=cancellable(now=now))
    newest_first = his.order_by("-created_at", "-pk").values(*columns, "created_at", "expires_at", "can_be_cancelled")
    found = newest_first[:LATEST].union(newest_first.filter(can_be_cancelled=True)[:LIVE_VOUCHERS])
    return [
        {**row, "easypay_end": (row.pop("easypay_number") or "")[-4:]} for row in found.order_by("-created_at", "-id")
    ]


def sessions(*, user_id: int, now: dt.datetime) -> list[Row]:
    """The devices that signed in last; live is what can still be used."""
    found = LoginSession.objects.filter(user=user_id).order_by("-created_at", "-pk")[:LATEST]
    columns = ("id", "public_id", "device", "address", "created_at", "last_used_at", "expires_at", "revoked_at")
    return [{**row, "is_live": row["revoked_at"] is None and row["expires_at"] > now} for row in found.values(*columns)]


def kyc_cases(*, user_id: int) -> list[Row]:
    """What was submitted, the newest first; with the number masked once it was approved."""
    found = KycSubmission.objects.filter(user=user_id).order_by("-pk")[:LATEST]
    columns = ("public_id", "id_type", "status", "reason", "granted_tier", "sought_tier", "waits_for", "created_at")
    people = ("reviewer__first_name", "reviewer__last_name", "second_reviewer__first_name")
    return [
        {**row, "id_type_name": KycSubmission.IdType(row["id_type"]).label, "masked_number": _masked(row)}
        for row in found.values(*columns, *people, "second_reviewer__last_name", "decided_at", "id_number_encrypted")
    ]


def _masked(row: Row) -> str:
    """Only what somebody has compared with a document tells who is on the telephone."""
    stored = row.pop("id_number_encrypted")
    if row["status"] != KycSubmission.Status.APPROVED:
        return ""
    return masked_identity_number(decrypted_number(stored), id_type=row["id_type"])


def open_receivables(*, user_id: int) -> list[Row]:
    """What the customer owes the bank, through any wallet."""
    found = Receivable.objects.filter(wallet__user=user_id, collected_amount__lt=F("amount")).order_by("-pk")[:LATEST]
    owed = F("amount") - F("collected_amount")
    columns = ("id", "public_id", "currency", "created_at", "wallet__number")
    return [{**row} for row in found.values(*columns, owed=owed)]


def open_suspense(*, user_id: int) -> list[Row]:
    """What finance has not decided yet of this customer's money."""
    found = SuspenseItem.objects.filter(user=user_id, resolved_at=None).order_by("-pk")[:LATEST]
    columns = ("id", "public_id", "direction", "reason", "amount", "currency", "created_at")
    return [{**row, "reason_name": SuspenseItem.Reason(row["reason"]).label} for row in found.values(*columns)]


def open_tickets(*, user_id: int) -> list[SupportTicket]:
    """What a person has to look at, or the customer to answer, the most urgent first: one of each meaning at most."""
    found = SupportTicket.objects.filter(user=user_id).exclude(status=SupportTicket.Status.CLOSED)
    columns = ("public_id", "intent", "status", "priority", "created_at", "waits_since")
    people = ("assigned_to__first_name", "assigned_to__last_name")
    return list(found.select_related("assigned_to").only(*columns, *people).order_by("priority", "waits_since", "pk"))


def unused_codes(*, user_id: int) -> list[Row]:
    """The one-time codes that were sent and not used: one for each purpose, never the code."""
    found = OneTimeCode.objects.filter(user=user_id, used_at=None).order_by("purpose")
    return [
        {**row, "purpose_name": OneTimeCode.Purpose(row["purpose"]).label}
        for row in found.values("purpose", "attempts", "sent_at", "expires_at")
    ]


def proposals(*, subjects: Iterable[Subject]) -> list[Row]:
    """What finance proposed about any of `subjects`, the newest first."""
    types, ids = _columns(subjects)
    return rows("reporting", "customer_proposals.sql", types=types, ids=ids, most=LATEST)


def events(*, user_id: int, subjects: Iterable[Subject]) -> list[Row]:
    """What the customer did, and what was done to any of `subjects`, the newest first."""
    types, ids = _columns(subjects)
    found = rows("reporting", "customer_events.sql", user=user_id, types=types, ids=ids, most=LATEST_EVENTS)
    return [{**row, "facts": json.loads(row["facts"])} for row in found]


def _columns(subjects: Iterable[Subject]) -> tuple[list[str], list[str]]:
    pairs = list(subjects)
    return [kind for kind, _ in pairs], [subject_id for _, subject_id in pairs]
