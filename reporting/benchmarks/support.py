"""What a question to the support assistant takes, from HTTP's side of the application to the row that is kept."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, Final

from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test import Client, override_settings

from accounts import tokens
from mymoolah.common.clock import now
from reporting.benchmarks.dashboard import Customer, customer_with_entries
from reporting.benchmarks.series import Options, Series, percentile
from reporting.support.intents import Intent
from reporting.support.models import SupportArticle

ARTICLES: Final = 1_000
SHORT_HISTORY: Final = 10
QUESTIONS: Final[dict[Intent, str]] = {
    Intent.BALANCE: "whats my balance pls",
    Intent.TRANSACTIONS: "show me my last transactions",
    Intent.TRANSFER_STATUS: "did my R100 arrive",
    Intent.DUPLICATE_CHARGE: "I was charged twice",
    Intent.VOUCHER_PROBLEM: "my voucher is not loading",
    Intent.TOPUP_HOW: "how do i put cash in at the till",
    Intent.KYC_STATUS: "is my id approved",
    Intent.OUT_OF_SCOPE: "can i get a visa card",
}
"""Nothing that opens a ticket: what is measured is taken back, and a ticket is audited."""


def run(options: Options) -> dict[str, Any]:
    """Milliseconds of one question after the other over the WSGI application, with a thousand articles; taken back."""
    longest, short = customer_with_entries(), customer_with_entries(SHORT_HISTORY)
    found: dict[str, Any] = {}
    with override_settings(RATELIMIT_ENABLE=False), transaction.atomic():
        _write_articles()
        client = Client(headers={"host": "localhost"})
        for customer in (longest, short):
            took = [_round(client, customer, seconds=options.seconds) for _ in range(options.rounds + 1)][1:]
            found[f"{'longest' if customer is longest else 'short'} history ({customer})"] = {
                "median": Series("ms", [percentile(one, 0.5) for one in took]),
                "p99": Series("ms", [percentile(one, 0.99) for one in took]),
                "questions in a round": min(len(one) for one in took),
            }
        transaction.set_rollback(True)
    return found


def _write_articles() -> None:
    """As many as a bank of some years has, in words that questions share."""
    moment, texts = now(), list(SupportArticle.objects.filter(status="approved").values_list("title", "body"))
    if not texts:
        raise CommandError("There are no articles: run migrate first.")
    there = SupportArticle.objects.count()
    SupportArticle.objects.bulk_create(
        SupportArticle(
            slug=f"measured-{number}",
            title=f"{texts[number % len(texts)][0]} {number}",
            body=f"{texts[number % len(texts)][1]} {texts[(number * 7 + 1) % len(texts)][1]}",
            status="approved",
            approved_at=moment,
            created_at=moment,
        )
        for number in range(max(ARTICLES - there, 0))
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM support_articles")


def _round(client: Client, customer: Customer, *, seconds: int) -> list[float]:
    """How long each question took, in milliseconds, asked one after the other for so many seconds."""
    token = tokens.issue_access_token(
        user_public_id=customer.public_id, session_public_id=uuid.uuid4(), role="customer", now=now()
    )
    took: list[float] = []
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        for message in QUESTIONS.values():
            begun = time.perf_counter()
            answer = client.post(
                "/api/v1/support/messages",
                json.dumps({"message": message}),
                content_type="application/json",
                headers={"Authorization": f"Bearer {token}"},
            )
            took.append((time.perf_counter() - begun) * 1_000)
            if answer.status_code != 200:
                raise CommandError(f"A question was answered {answer.status_code}")
    return took
