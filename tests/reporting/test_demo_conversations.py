"""What a new demo has at its support desk: something of everything, through the real services, once."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.audit import Origin
from accounts.models import User
from mymoolah.common.clock import now
from reporting.demo.cases import make_cases
from reporting.demo.conversations import CONVERSATIONS, make_conversations
from reporting.demo.people import make_people
from reporting.support import transcripts
from reporting.support.models import SupportArticle, SupportMessage, SupportReply, SupportTicket
from reporting.support.understanding import understand
from tests.conftest import Ledger


@pytest.fixture
def people(ledger: Ledger) -> None:
    make_people(password="moolah-demo", now=now())
    make_cases(now=now())


def test_a_new_demo_has_work_for_its_desk_and_no_more_the_second_time(people: None) -> None:
    moment = now()
    make_conversations(now=moment)
    tickets = SupportTicket.objects.order_by("priority", "created_at").select_related("user", "assigned_to")
    assert [
        (one.user.first_name, one.intent, one.status, one.assigned_to.first_name if one.assigned_to else None)
        for one in tickets
    ] == [
        ("Lerato", "lost_phone_or_fraud", "open", None),
        ("Sipho", "wrong_recipient", "open", None),
        ("Johan", "human", "closed", "Sindi"),
        ("Thandi", "human", "waiting", "Sindi"),
    ]
    assert all(moment - dt.timedelta(days=4) < one.waits_since < moment for one in tickets)
    assert SupportMessage.objects.filter(is_helpful=True).count() == 2
    assert SupportMessage.objects.filter(is_helpful=False).count() == 3
    [draft] = SupportArticle.objects.filter(status="draft")
    assert (draft.version, draft.author and draft.author.email) == (2, "support@example.com")
    assert SupportArticle.objects.get(slug=draft.slug, status="approved").unhelpful_count == 2

    customer = User.objects.with_email("customer1@example.com").get()
    transcripts.erase(user_public_id=customer.public_id, conversation=None, origin=Origin())
    counts = [model.objects.count() for model in (SupportMessage, SupportTicket, SupportReply, SupportArticle)]
    make_conversations(now=now())
    assert [model.objects.count() for model in (SupportMessage, SupportTicket, SupportReply, SupportArticle)] == counts


def test_a_demo_whose_clerk_has_another_role_begins_all_the_same(people: None) -> None:
    User.objects.with_email("support@example.com").get().groups.clear()
    make_conversations(now=now())
    assert not SupportMessage.objects.exists()


def test_what_they_ask_means_what_they_are_answered() -> None:
    asked = [one for conversation in CONVERSATIONS for one in conversation.asked]
    assert [(one.text, understand(one.text).intent) for one in asked] == [(one.text, one.intent) for one in asked]
