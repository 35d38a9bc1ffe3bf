"""What the demo's customers asked the assistant, what waits for staff of it, and what staff have answered and written."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from accounts import audit
from accounts.audit import Origin
from accounts.models import AuditEvent, User
from reporting.loading.desk import LOADED
from reporting.support import articles, tickets, transcripts
from reporting.support.intents import Intent

CLERK: Final = "support@example.com"
MADE: Final = "conversations"
BETWEEN_MESSAGES: Final = dt.timedelta(minutes=2)


@dataclass(frozen=True)
class Asked:
    text: str
    intent: Intent
    is_helpful: bool | None = None
    """What the customer said of the answer, if anything."""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    email: str
    hours_ago: int
    asked: tuple[Asked, ...]
    answer: str = ""
    """What a clerk wrote on the ticket that the last question opened."""
    is_closed: bool = False


CONVERSATIONS: Final = (
    Conversation(
        email="johan@applicants.example.com",
        hours_ago=75,
        asked=(
            Asked("How do I change my phone number?", Intent.CHANGE_DETAILS, is_helpful=False),
            Asked("I need to talk to a person, my name is spelled wrong", Intent.HUMAN),
        ),
        answer="It is Botha with one t now, as in your document. Thank you for telling us.",
        is_closed=True,
    ),
    Conversation(
        email="mandla@applicants.example.com",
        hours_ago=50,
        asked=(Asked("I forgot my password, what now?", Intent.PASSWORD_OR_PIN, is_helpful=False),),
    ),
    Conversation(
        email="customer1@example.com",
        hours_ago=26,
        asked=(
            Asked("What does it cost to draw cash?", Intent.FEES, is_helpful=True),
            Asked("I want to speak to somebody about my limits, please", Intent.HUMAN),
        ),
        answer="You have our highest limits already. Which payment do you have in mind, and for when?",
    ),
    Conversation(
        email="precious@applicants.example.com",
        hours_ago=9,
        asked=(
            Asked("What documents do you need from me?", Intent.KYC_HOW, is_helpful=True),
            Asked("How can I change my password?", Intent.PASSWORD_OR_PIN, is_helpful=False),
        ),
    ),
    Conversation(
        email="customer2@example.com",
        hours_ago=5,
        asked=(Asked("I sent R350 to the wrong number this morning", Intent.WRONG_RECIPIENT),),
    ),
    Conversation(
        email="lerato@applicants.example.com",
        hours_ago=1,
        asked=(Asked("They took my phone in the taxi and somebody is using my account", Intent.LOST_PHONE_OR_FRAUD),),
    ),
)
"""An urgent one and a wrong recipient that wait, one that was answered, one that is closed, and votes."""

DRAFT: Final = {
    "slug": "choose-a-password",
    "language": "en",
    "intent": Intent.PASSWORD_OR_PIN.value,
    "title": "A password that you have forgotten",
    "body": (
        "Ask for a message to your e-mail address where you sign in: what stands in it is good for thirty minutes. Choose "
        "ten characters or more, and nothing that is easy to guess. All your other devices are signed out. A message goes "
        "to a confirmed address only: if none comes, ask for a person here."
    ),
}
"""The next version of what did not help. Somebody else has to approve it."""


@transaction.atomic
def make_conversations(*, now: dt.datetime) -> None:
    """Let everybody ask, and a clerk answer, once: what staff and customers did since stays as it is."""
    if AuditEvent.objects.filter(verb=LOADED, subject_id=MADE).exists():
        return
    clerk = User.objects.with_email(CLERK).first()
    if clerk is None or not clerk.has_perms((tickets.MAY_WORK, articles.MAY_WRITE)):
        return  # an older demo, whose people are no longer what they were
    origin = Origin(actor_id=clerk.pk)
    for conversation in CONVERSATIONS:
        customer = User.objects.with_email(conversation.email).first()
        if customer is not None:
            _hold(conversation, customer, origin, begins_at=now - dt.timedelta(hours=conversation.hours_ago))
    articles.write_article(**DRAFT, now=now, origin=origin)
    audit.record(LOADED, subject_type="load", subject_id=MADE)


def _hold(conversation: Conversation, customer: User, origin: Origin, *, begins_at: dt.datetime) -> None:
    talk: uuid.UUID | None = None
    ticket: uuid.UUID | None = None
    at = begins_at
    for asked in conversation.asked:
        said = transcripts.ask(
            user_public_id=customer.public_id, message=asked.text, conversation=talk, chosen=asked.intent, now=at
        )
        talk, ticket = said.conversation, said.ticket
        if asked.is_helpful is not None:
            transcripts.vote(user_public_id=customer.public_id, message=said.id, is_helpful=asked.is_helpful)
        at += BETWEEN_MESSAGES
    if not conversation.answer:
        return
    assert ticket is not None
    once = secrets.token_urlsafe(16)
    tickets.reply_as_staff(ticket=ticket, text=conversation.answer, once=once, seen=0, now=at, origin=origin)
    if conversation.is_closed:
        tickets.close_ticket(ticket=ticket, seen=1, now=at, origin=origin)
