"""What was asked and answered: kept encrypted for a while, shown to whom it belongs, erased when he wants or in time."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from accounts import audit
from accounts.audit import Origin
from accounts.models import User
from accounts.selectors import get_user_id
from accounts.services import UnknownUser
from mymoolah.common import sql
from mymoolah.common.clock import iso_utc
from mymoolah.common.crypto import decrypt, encrypt
from mymoolah.common.errors import NotFound
from mymoolah.common.metrics import SUPPORT_CONFIDENCE, SUPPORT_MESSAGES, SUPPORT_VOTES
from mymoolah.common.pagination import Page, PageRequest, cut
from reporting.support import articles, language_model, tickets
from reporting.support.assistant import Answer, answer_to, not_understood
from reporting.support.intents import Intent
from reporting.support.links import going_on
from reporting.support.models import SupportMessage, SupportReply, SupportTicket
from reporting.support.references import without_what_is_worth_money
from reporting.support.understanding import Picked, picked
from reporting.support.wording import ENGLISH, label, phrase

QUESTION, ANSWER = "support_messages.question", "support_messages.answer"
LONGEST_MESSAGE: Final = 2_000
TOLD_TO_STAFF: Final = 10
"""How many of the last questions and answers of a conversation a ticket begins with."""
LOCK_KEY: Final = 6250156  # of the advisory lock
ROWS_FORGOTTEN_AT_ONCE: Final = 5_000
TICKETS_FORGOTTEN_AT_ONCE: Final = 500


class ConversationNotFound(NotFound):
    code, title = "conversation_not_found", "There is no such conversation"


class MessageNotFound(NotFound):
    code, title = "message_not_found", "There is no such message"


@dataclass(frozen=True, kw_only=True)
class Said:
    """A question that was answered, as its row keeps it."""

    id: uuid.UUID
    conversation: uuid.UUID
    answer: Answer
    text: str
    ticket: uuid.UUID | None


def ask(
    *, user_public_id: uuid.UUID, message: str, conversation: uuid.UUID | None, chosen: Intent | None, now: dt.datetime
) -> Said:
    """Answer a customer's question and keep both, opening a ticket where a person has to look.

    Without a message he has tapped on what he means (`chosen`). What answers a question of ours is taken as its answer.
    Where an operator has set a language model, it is asked before anything is locked, once: which of two meanings it
    is, or for a kinder tone; without one, or when it fails, all is as it would be.

    :raises UnknownUser, ConversationNotFound: nothing was kept
    """
    user_id, *names = _who(user_public_id)
    before = _last(user_id, conversation) if conversation else None
    message, found = _answered(message, chosen, before=before, user_public_id=user_public_id, now=now)
    asked_of_model: dict[str, Any] = {"question": message, "budget_of": str(user_public_id), "names": names}
    is_unclear = found.clarify is not None
    if found.clarify:
        meanings = [Intent(one["intent"]) for one in found.clarify]
        meant = language_model.choose(candidates=meanings, **asked_of_model)
        if meant is not None:
            certain = answer_to(message, user_public_id=user_public_id, chosen=meant, now=now)
            found = replace(certain, confidence=found.confidence)
    talk, reached = conversation or uuid.uuid4(), None
    found = replace(found, links=[going_on(link, conversation=talk) for link in found.links])
    kept_message, text = without_what_is_worth_money(message), found.text
    if not is_unclear:  # one question, one wait
        text = language_model.rephrase(
            template_answer=text, data=found.facts, language=found.language, **asked_of_model
        )
    with transaction.atomic():
        if found.clarify is None and found.intent in tickets.PRIORITIES:
            said = [*_said_so_far(user_id, talk), *_lines(kept_message, found.text)]
            reached = tickets.open_ticket(user_id=user_id, conversation=talk, intent=found.intent, said=said, now=now)
            text = f"{text}\n{_where(reached, 'ticket', found.language)}"
        elif conversation is not None:
            asked_for = _asked_for_help(user_id, talk)
            reached = tickets.go_on(user_id=user_id, intents=asked_for, text=kept_message, now=now)
            text = f"{text}\n{_where(reached, 'ticket_added', found.language)}" if reached else text
        kept = SupportMessage.objects.create(
            user_id=user_id,
            conversation=talk,
            question_encrypted=encrypt(kept_message, context=QUESTION),
            answer_encrypted=encrypt(text, context=ANSWER),
            intent=found.intent,
            runner_up=found.runner_up or "",
            confidence=found.confidence,
            language=found.language,
            article_id=found.article_id,
            created_at=now,
        )
    SUPPORT_MESSAGES.labels(found.intent.value, "clarified" if found.clarify else "answered").inc()
    SUPPORT_CONFIDENCE.labels("clarified" if found.clarify else "answered").observe(found.confidence)
    ticket = reached.ticket.public_id if reached else None
    return Said(id=kept.public_id, conversation=talk, answer=found, text=text, ticket=ticket)


def _answered(
    message: str,
    chosen: Intent | None,
    *,
    before: SupportMessage | None,
    user_public_id: uuid.UUID,
    now: dt.datetime,
) -> tuple[str, Answer]:
    """What was said (of a tap, what it is called), and the answer: to the question before it, where that was asked about."""
    about, language = message, None
    was_asked = before is not None and before.runner_up != ""
    if chosen is None and before is not None and was_asked and (which := picked(message)):
        if which is Picked.NEITHER:
            return message, not_understood(language=before.language)
        chosen = Intent(before.intent if which is Picked.FIRST else before.runner_up)
        about, language = decrypt(before.question_encrypted, context=QUESTION), before.language
        message = f"{message} ({label(chosen, language=language)})"
    elif chosen is not None and not message:
        language = before.language if before else ENGLISH
        about = message = label(chosen, language=language)
        if before is not None and was_asked:
            about = decrypt(before.question_encrypted, context=QUESTION)
    return message, answer_to(about, user_public_id=user_public_id, chosen=chosen, language=language, now=now)


def _where(reached: tickets.Reached, name: str, language: str) -> str:
    """On which ticket a person reads it, or that too much waits there already."""
    return phrase(name if reached.is_told else "ticket_full", language=language, ticket=str(reached.ticket.public_id))


def _asked_for_help(user_id: int, conversation: uuid.UUID) -> list[str]:
    """What of a conversation opened a ticket, or went on with one."""
    found = SupportMessage.objects.filter(user=user_id, conversation=conversation, runner_up="")
    return list(found.filter(intent__in=tickets.PRIORITIES).values_list("intent", flat=True).distinct())


def _who(user_public_id: uuid.UUID) -> tuple[int, str, str]:
    """The id of a customer, and names that nobody else need see."""
    found = User.objects.filter(public_id=user_public_id).values_list("id", "first_name", "last_name").first()
    if found is None:
        raise UnknownUser
    return found


def _last(user_id: int, conversation: uuid.UUID) -> SupportMessage:
    """:raises ConversationNotFound: nothing was said in it, by this customer"""
    found = SupportMessage.objects.filter(user=user_id, conversation=conversation).order_by("-pk").first()
    if found is None:
        raise ConversationNotFound
    return found


def _said_so_far(user_id: int, conversation: uuid.UUID) -> list[dict[str, str]]:
    found = SupportMessage.objects.filter(user=user_id, conversation=conversation).order_by("-pk")[:TOLD_TO_STAFF]
    return [
        line
        for one in reversed(found)
        for line in _lines(
            decrypt(one.question_encrypted, context=QUESTION), decrypt(one.answer_encrypted, context=ANSWER)
        )
    ]


def _lines(question: str, answer: str) -> list[dict[str, str]]:
    return [{"by": "customer", "text": question}, {"by": "assistant", "text": answer}]


def messages(*, user_public_id: uuid.UUID, asked: PageRequest) -> Page[dict[str, Any]]:
    """All that a customer asked and was answered, newest first: the copy of his data. One query."""
    found = SupportMessage.objects.filter(user=get_user_id(public_id=user_public_id))
    if asked.cursor is not None:
        beyond = {"pk__gt" if asked.backwards else "pk__lt": asked.cursor.position[0]}
        found = found.filter(**beyond)
    rows = [_shape(row) for row in found.order_by("pk" if asked.backwards else "-pk")[: asked.limit + 1]]
    page = cut(asked, rows, lambda row: [row["pk"]])
    for row in rows:
        del row["pk"]
    return page


def _shape(kept: SupportMessage) -> dict[str, Any]:
    return {
        "pk": kept.pk,
        "id": str(kept.public_id),
        "conversation": str(kept.conversation),
        "message": decrypt(kept.question_encrypted, context=QUESTION),
        "answer": decrypt(kept.answer_encrypted, context=ANSWER),
        "intent": kept.intent,
        "confidence": kept.confidence,
        "helpful": kept.is_helpful,
        "created_at": iso_utc(kept.created_at),
    }


def vote(*, user_public_id: uuid.UUID, message: uuid.UUID, is_helpful: bool) -> None:
    """Say whether an answer helped; said again, it is changed.

    :raises MessageNotFound: this customer was never answered so
    """
    with transaction.atomic():
        found = SupportMessage.objects.select_for_update(no_key=True, of=("self",)).filter(
            user__public_id=user_public_id, public_id=message
        )
        kept = found.first()
        if kept is None:
            raise MessageNotFound
        if kept.article_id is not None:
            articles.count_vote(article_id=kept.article_id, is_helpful=is_helpful, was=kept.is_helpful)
        changed = kept.is_helpful is not is_helpful
        kept.is_helpful = is_helpful
        kept.save(update_fields=["is_helpful"])
    if changed:
        SUPPORT_VOTES.labels(kept.intent, "yes" if is_helpful else "no").inc()


# Forgetting ---------------------------------------------------------------------------------------------------------------
def erase(*, user_public_id: uuid.UUID, conversation: uuid.UUID | None, origin: Origin) -> None:
    """Erase what a customer asked and was answered, in one conversation or all, and what its closed tickets say.

    Open ones stay until they are closed: whoever stole a phone must not take back the call for help.

    :raises UnknownUser, ConversationNotFound: nothing was erased
    """
    user_id = get_user_id(public_id=user_public_id)
    which: dict[str, Any] = {"user": user_id, **({"conversation": conversation} if conversation else {})}
    with transaction.atomic():
        count, _ = SupportMessage.objects.filter(**which).delete()
        closed = list(
            SupportTicket.objects.filter(**which, status=SupportTicket.Status.CLOSED)
            .exclude(transcript_encrypted="")
            .values_list("pk", flat=True)
        )
        if conversation is not None and not count and not closed:
            raise ConversationNotFound
        _empty(closed)
        audit.record(
            "support_transcripts.erased",
            subject_type="user",
            subject_id=user_public_id,
            origin=origin,
            messages=count,
            tickets=len(closed),
        )


def _empty(ticket_ids: list[int]) -> None:
    """Forget what tickets say; that they were stays."""
    SupportReply.objects.filter(ticket__in=ticket_ids).delete()
    SupportTicket.objects.filter(pk__in=ticket_ids).update(transcript_encrypted="")


def forget(*, now: dt.datetime) -> int:
    """Forget what is older than SUPPORT_KEPT_DAYS, a batch and its commit at a time; how many rows that were.

    A ticket is forgotten so long after it was closed. Where somebody else is at it, this leaves it to him.
    """
    ends_at, forgotten = now - dt.timedelta(days=settings.SUPPORT_KEPT_DAYS), 0
    while count := _forget_batch(ends_at):
        forgotten += count
    return forgotten


@transaction.atomic
def _forget_batch(ends_at: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_KEY])
        if cursor.fetchone() == (False,):
            return 0
        statement = sql.read("reporting", "support/forget_messages.sql")
        cursor.execute(statement, {"ends_at": ends_at, "most": ROWS_FORGOTTEN_AT_ONCE})
        count = int(cursor.rowcount)
    old = SupportTicket.objects.filter(status=SupportTicket.Status.CLOSED, closed_at__lt=ends_at)
    found = list(
        old.exclude(transcript_encrypted="")
        .order_by("closed_at")
        .values_list("pk", flat=True)[:TICKETS_FORGOTTEN_AT_ONCE]
    )
    _empty(found)
    return count + len(found)
