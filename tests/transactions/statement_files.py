"""Asking for statements, reading them back, and a long history to ask about."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pypdf
from django.http import HttpResponse, StreamingHttpResponse
from psycopg import sql

from tests.api import calling
from tests.conftest import Person, Sql
from tests.transactions.legs import leg
from transactions import posting
from transactions.models import Kind, Transaction
from transactions.posting import House
from wallets.models import Wallet

BANK = House(Wallet.Kind.ADJUSTMENTS, 0)


def asked(who: Person, from_day: str, to_day: str, **query: str) -> HttpResponse:
    return calling(who).get("statements", **{"from": from_day, "to": to_day}, **query)


def content(answer: HttpResponse | StreamingHttpResponse) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[union-attr, arg-type]


def csv_rows(answer: HttpResponse) -> list[dict[str, str]]:
    text = content(answer).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


def pdf_of(answer: HttpResponse) -> pypdf.PdfReader:
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf"), answer.content
    return pypdf.PdfReader(io.BytesIO(answer.content))


def pay(
    source: Person | House,
    target: Person | House,
    amount: str,
    *,
    at: dt.datetime,
    kind: Kind = Kind.DEMO_MONEY,
    **more: Any,
) -> None:
    """Post one leg, whose currency is that of the person at its end."""
    people = [end for end in (source, target) if isinstance(end, Person)]
    posting.post([leg(source, target, amount, kind=kind, currency=people[0].wallet.currency, **more)], at=at)


def recomputed(who: Person, *, starts_at: dt.datetime, ends_at: dt.datetime) -> dict[str, Any]:
    """What a statement has to say, added up entry by entry."""
    opening = total_in = total_out = Decimal("0.00")
    ids = []
    for entry in Transaction.objects.filter(wallet_id=who.wallet.pk).order_by("sequence"):
        received = entry.amount if entry.type == "received" else Decimal(0)
        sent = entry.amount if entry.type == "sent" else Decimal(0)
        if entry.created_at < starts_at:
            opening += received - sent
        elif entry.created_at < ends_at:
            total_in, total_out = total_in + received, total_out + sent
            ids.append(f"{who.wallet.number}-{entry.sequence}")
    return {
        "opening_balance": str(opening),
        "closing_balance": str(opening + total_in - total_out),
        "total_in": str(total_in),
        "total_out": str(total_out),
        "entry_count": len(ids),
        "ids": ids,
    }


def write_history(admin_sql: Sql, who: Person, other: Person, *, entries: int, starts_at: dt.datetime) -> None:
    """Give `who` an even number of entries, one a minute: 3.00 of demo money, 1.00 to `other`, and so on.

    As the kernel would have written them, but all at once; the three wallets have no entry yet.
    """
    assert entries % 2 == 0
    (house,) = Wallet.objects.filter(kind=BANK.kind, currency="ZAR").order_by("stripe")[who.wallet.pk % 16 :][:1]
    ends = {
        "mine": who.wallet.pk,
        "theirs": other.wallet.pk,
        "house": house.pk,
        "me": who.user.pk,
        "them": other.user.pk,
    }
    values = {"entries": entries, "starts_at": starts_at, **ends}
    admin_sql(HISTORY.format(**{name: sql.Literal(value) for name, value in values.items()}))
    admin_sql("ANALYZE transfers, transactions, wallets")


HISTORY = sql.SQL("""
WITH plan AS (
    SELECT
        i,
        i % 2 = 1 AS is_paid_in,
        (i + 1) / 2 AS paid_in,
        i / 2 AS paid_out,
        lpad(to_hex({mine}), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(i), 12, '0') AS id,
        {starts_at}::timestamptz + i * interval '1 minute' AS at
    FROM generate_series(1, {entries}) AS i
),
made AS (
    INSERT INTO transfers (
        id, kind, from_wallet_id, to_wallet_id, amount, currency, reference, group_id, initiated_by_id, created_at
    )
    SELECT
        id::uuid, CASE WHEN is_paid_in THEN 'demo_money' ELSE 'transfer' END,
        CASE WHEN is_paid_in THEN {house} ELSE {mine} END, CASE WHEN is_paid_in THEN {mine} ELSE {theirs} END,
        CASE WHEN is_paid_in THEN 3.00 ELSE 1.00 END, 'ZAR', 'Lunch of day ' || i, id::uuid, {me}, at
    FROM plan
),
entry AS (
    INSERT INTO transactions (
        transfer_id, wallet_id, user_id, type, amount, currency, sequence,
        balance_after, total_received_after, total_sent_after, created_at
    )
    SELECT
        id::uuid, {mine}, {me}::bigint, CASE WHEN is_paid_in THEN 'received' ELSE 'sent' END,
        CASE WHEN is_paid_in THEN 3.00 ELSE 1.00 END, 'ZAR', i, 3 * paid_in - paid_out, 3 * paid_in, paid_out, at
    FROM plan
    UNION ALL
    SELECT id::uuid, {house}, NULL, 'sent', 3.00, 'ZAR', paid_in, -3 * paid_in, 0, 3 * paid_in, at
    FROM plan WHERE is_paid_in
    UNION ALL
    SELECT id::uuid, {theirs}, {them}, 'received', 1.00, 'ZAR', paid_out, paid_out, paid_out, 0, at
    FROM plan WHERE NOT is_paid_in
)
UPDATE wallets AS w SET
    sequence = h.received_count + h.sent_count, received_count = h.received_count, sent_count = h.sent_count,
    balance = h.received - h.sent, total_received = h.received, total_sent = h.sent,
    last_entry_at = {starts_at}::timestamptz + ({entries} - h.early) * interval '1 minute'
FROM (
    VALUES
        ({mine}, {entries} / 2, {entries} / 2, 3.00 * ({entries} / 2), 1.00 * ({entries} / 2), 0),
        ({house}, 0, {entries} / 2, 0, 3.00 * ({entries} / 2), 1),
        ({theirs}, {entries} / 2, 0, 1.00 * ({entries} / 2), 0, 0)
) AS h (wallet_id, received_count, sent_count, received, sent, early)
WHERE w.id = h.wallet_id
""")
