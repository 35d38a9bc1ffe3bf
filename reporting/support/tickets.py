"""Tickets: what a person of the staff has to look at, and what is written on it from both sides."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts import audit
from accounts.audit import Origin
from accounts.models import User
from accounts.notices import tell
from accounts.staff_deeds import officer_with, require_seen
from mymoolah.common.clock import iso_utc
from mymoolah.common.crypto import decrypt, encrypt
from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.metrics import SUPPORT_TICKETS
from mymoolah.common.pagination import Page, PageRequest, cut
from reporting.support.intents import Intent
from reporting.support.models import SupportReply, SupportTicket
from reporting.support.references import without_what_is_worth_money
from transactions.posting import IdempotencyKey, IdempotencyKeyReused

MAY_WORK: Final = "reporting.work_supportticket"
TRANSCRIPT, REPLY = "support_tickets.transcript", "support_replies.text"
LONGEST_REPLY: Final = 2_000
MOST_UNANSWERED: Final = 50
"""Replies of a customer that one of ours has to follow before there can be more: its page shows them all."""
Status, Priority = SupportTicket.Status, SupportTicket.Priority

PRIORITIES: Final[Mapping[Intent, SupportTicket.Priority]] = {
    Intent.LOST_PHONE_OR_FRAUD: Priority.URGENT,
    Intent.WRONG_RECIPIENT: Priority.HIGH,
    Intent.DUPLICATE_CHARGE: Priority.HIGH,
    Intent.HUMAN: Priority.NORMAL,
}
"""What opens a ticket by itself, and how soon somebody should look."""


class TicketNotFound(NotFound):
    code, title = "ticket_not_found", "There is no such ticket"


class TicketClosed(DomainError):
    code, status, title = "ticket_closed", 409, "This ticket is closed: ask again to open another one"


class TicketFull(DomainError):
    code, status, title = (
        "ticket_full",
        409,
        "Much has been written that we have not answered: please wait for our answer",
    )


class NotYours(DomainError):
    code, status, title = "own_account", 403, "Nobody works on a ticket of his own"


# What happens to it -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Reached:
    """The ticket that what a customer said has reached."""

    ticket: SupportTicket
    is_told: bool
    """Whether it stands there: too much that we have not answered may."""


def open_ticket(
    *, user_id: int, conversation: uuid.UUID, intent: Intent, said: list[dict[str, str]], now: dt.datetime
) -> Reached:
    """Let a person look: at a new ticket with what was `said`, or at the open one of this customer and intent.

    To that, what the customer said last is added.
    """
    with transaction.atomic():
        ticket = _open(user_id, intent)
        if ticket is None:
            try:
                with transaction.atomic():
                    ticket = SupportTicket.objects.create(
                        user_id=user_id,
                        conversation=conversation,
                        intent=intent,
                        priority=PRIORITIES[intent],
                        transcript_encrypted=encrypt(json.dumps(said), context=TRANSCRIPT),
                        created_at=now,
                        waits_since=now,
                    )
            except IntegrityError:  # another request of the same customer was quicker
                ticket = _open(user_id, intent)
                assert ticket is not None
            else:
                SUPPORT_TICKETS.labels(intent.value).inc()
                audit.record(
                    "support_ticket.opened",
                    subject_type="support_ticket",
                    subject_id=ticket.public_id,
                    origin=Origin(actor_id=user_id),
                    intent=intent.value,
                )
                return Reached(ticket=ticket, is_told=True)
        asked = next(line["text"] for line in reversed(said) if line["by"] == "customer")
        return _tell(ticket, text=asked, now=now)


def go_on(*, user_id: int, intents: Iterable[str], text: str, now: dt.datetime) -> Reached | None:
    """Add what a customer says after he asked for help with `intents`: to the most urgent of these tickets, if one is open.

    "Which of these was it?" is answered here, whatever the assistant makes of the answer.
    """
    with transaction.atomic():
        mine = SupportTicket.objects.select_for_update(no_key=True).filter(user=user_id, intent__in=list(intents))
        ticket = mine.exclude(status=Status.CLOSED).order_by("priority", "-pk").first()
        return _tell(ticket, text=text, now=now) if ticket else None


def _tell(ticket: SupportTicket, *, text: str, now: dt.datetime) -> Reached:
    is_told = not _is_full(ticket)
    if is_told:
        _add(ticket, author_id=ticket.user_id, is_staff=False, text=text[:LONGEST_REPLY], now=now)
    if ticket.status != Status.OPEN:
        ticket.status, ticket.waits_since = Status.OPEN, now
        ticket.save(update_fields=["status", "waits_since"])
    return Reached(ticket=ticket, is_told=is_told)


def _open(user_id: int, intent: Intent) -> SupportTicket | None:
    mine = SupportTicket.objects.select_for_update(no_key=True).filter(user=user_id, intent=intent)
    return mine.exclude(status=Status.CLOSED).first()


def reply_as_customer(
    *, user_public_id: uuid.UUID, ticket: uuid.UUID, text: str, key: IdempotencyKey, now: dt.datetime
) -> tuple[dict[str, Any], bool]:
    """Write on a ticket of one's own, once for each key; what was written, and whether it had been before.

    :raises TicketNotFound, TicketClosed, TicketFull, IdempotencyKeyReused: nothing was written
    """
    with transaction.atomic():
        found = SupportTicket.objects.select_for_update(no_key=True).filter(
            user__public_id=user_public_id, public_id=ticket
        )
        mine = found.first()
        if mine is None:
            raise TicketNotFound
        before = SupportReply.objects.filter(author=mine.user_id, key=key.key).first()
        if before is not None:
            if bytes(before.request_hash) != key.request_hash:
                raise IdempotencyKeyReused
            return _shape_reply(before), True
        _require_open(mine)
        if _is_full(mine):
            raise TicketFull
        try:
            with transaction.atomic():
                written = _add(mine, author_id=mine.user_id, is_staff=False, text=text, now=now, key=key)
        except IntegrityError as error:  # written on another ticket at this very moment
            raise IdempotencyKeyReused from error
        if mine.status == Status.WAITING:
            mine.status, mine.waits_since = Status.OPEN, now
            mine.save(update_fields=["status", "waits_since"])
    return _shape_reply(written), False


def reply_as_staff(
    *, ticket: uuid.UUID, text: str, once: str, seen: int, now: dt.datetime, origin: Origin
) -> SupportTicket:
    """Answer a customer, who reads it by the API; the ticket is the answerer's from then on, and waits for the customer.

    Where more than the `seen` replies were on it, it waits for us still. `once` is the form's own: sent twice with the
    same words, they are written once.

    :raises NotAllowed, NotYours, TicketNotFound, TicketClosed: nothing was written
    """
    with transaction.atomic():
        officer, found = _locked(ticket, origin)
        key = _form_key(officer, ticket=ticket, once=once, text=text)
        if SupportReply.objects.filter(author=officer.pk, key=key.key).exists():
            return found
        _require_open(found)
        if found.replies.count() == seen:
            found.status = Status.WAITING
        _add(found, author_id=officer.pk, is_staff=True, text=text, now=now, key=key)
        found.assigned_to = officer
        found.first_replied_at = found.first_replied_at or now
        found.save(update_fields=["status", "assigned_to", "first_replied_at"])
        _record("support_ticket.answered", found, origin)
        tell(found.user, "We have answered your question", "Open MyMoolah to read it.")
    return found


def take_ticket(*, ticket: uuid.UUID, origin: Origin) -> SupportTicket:
    """Say that one works on it; another's is taken over.

    :raises NotAllowed, NotYours, TicketNotFound, TicketClosed: nothing was changed
    """
    with transaction.atomic():
        officer, found = _locked(ticket, origin)
        _require_open(found)
        found.assigned_to = officer
        found.save(update_fields=["assigned_to"])
        _record("support_ticket.taken", found, origin)
    return found


def close_ticket(*, ticket: uuid.UUID, seen: int, now: dt.datetime, origin: Origin) -> SupportTicket:
    """End it. What was written stays to be read for as long as transcripts are kept.

    `seen` is how many replies were on the page: what came since must not go unread with it.

    :raises NotAllowed, NotYours, TicketNotFound, TicketClosed, StalePage: nothing was changed
    """
    with transaction.atomic():
        _, found = _locked(ticket, origin)
        _require_open(found)
        require_seen(seen=str(seen), present=str(found.replies.count()))
        found.status, found.closed_at = Status.CLOSED, now
        found.save(update_fields=["status", "closed_at"])
        _record("support_ticket.closed", found, origin)
    return found


def read_as_staff(
    *, ticket: uuid.UUID, origin: Origin
) -> tuple[SupportTicket, list[dict[str, str]], list[dict[str, Any]]]:
    """A ticket, what was said before it and what was written on it since. That it was read is audited.

    :raises TicketNotFound: there is no such ticket
    """
    with transaction.atomic():
        found = SupportTicket.objects.select_related("user", "assigned_to").filter(public_id=ticket).first()
        if found is None:
            raise TicketNotFound
        _record("support_ticket.read", found, origin)
        return found, transcript_of(found), replies_of(found)


def _locked(ticket: uuid.UUID, origin: Origin) -> tuple[User, SupportTicket]:
    officer = officer_with(MAY_WORK, origin=origin)
    found = SupportTicket.objects.select_for_update(no_key=True).filter(public_id=ticket).first()
    if found is None:
        raise TicketNotFound
    if found.user_id == officer.pk:
        raise NotYours
    return officer, found


def _require_open(ticket: SupportTicket) -> None:
    if ticket.status == Status.CLOSED:
        raise TicketClosed


def _is_full(ticket: SupportTicket) -> bool:
    """Whether the customer has written as much as he can before we answer; we always can."""
    ours = ticket.replies.filter(is_staff=True).aggregate(last=Max("pk"))["last"] or 0
    return ticket.replies.filter(pk__gt=ours).count() >= MOST_UNANSWERED


def _add(
    ticket: SupportTicket,
    *,
    author_id: int,
    is_staff: bool,
    text: str,
    now: dt.datetime,
    key: IdempotencyKey | None = None,
) -> SupportReply:
    return SupportReply.objects.create(
        ticket=ticket,
        author_id=author_id,
        is_staff=is_staff,
        text_encrypted=encrypt(without_what_is_worth_money(text), context=REPLY),
        key=key.key if key else f"assistant:{uuid.uuid4()}",
        request_hash=key.request_hash if key else hashlib.sha256(text.encode()).digest(),
        created_at=now,
    )


def _form_key(officer: User, *, ticket: uuid.UUID, once: str, text: str) -> IdempotencyKey:
    digest = hashlib.sha256(f"{ticket} {text}".encode())
    return IdempotencyKey(f"user:{officer.public_id}", f"{once}:{digest.hexdigest()}", digest.digest())


def _record(verb: str, ticket: SupportTicket, origin: Origin) -> None:
    audit.record(verb, subject_type="support_ticket", subject_id=ticket.public_id, origin=origin, intent=ticket.intent)


# What is read of it -----------------------------------------------------------------------------------------------------
def tickets(*, user_public_id: uuid.UUID, asked: PageRequest) -> Page[dict[str, Any]]:
    """A customer's tickets, newest first. One query."""
    found = SupportTicket.objects.filter(user__public_id=user_public_id)
    if asked.cursor is not None:
        beyond = {"pk__gt" if asked.backwards else "pk__lt": asked.cursor.position[0]}
        found = found.filter(**beyond)
    rows = [_shape(row) for row in found.order_by("pk" if asked.backwards else "-pk")[: asked.limit + 1]]
    page = cut(asked, rows, lambda row: [row["pk"]])
    for row in rows:
        del row["pk"]
    return page


def get_ticket(*, user_public_id: uuid.UUID, ticket: uuid.UUID) -> dict[str, Any]:
    """A ticket of one's own, with all that was written on it. Two queries.

    :raises TicketNotFound: this customer has no such ticket
    """
    found = SupportTicket.objects.filter(user__public_id=user_public_id, public_id=ticket).first()
    if found is None:
        raise TicketNotFound
    told = _shape(found)
    del told["pk"]
    return {**told, "transcript": transcript_of(found), "replies": replies_of(found)}


def replies_of(ticket: SupportTicket) -> list[dict[str, Any]]:
    return [_shape_reply(reply) for reply in ticket.replies.order_by("pk")]


def transcript_of(ticket: SupportTicket) -> list[dict[str, str]]:
    """What was said before it; nothing once it was forgotten."""
    if not ticket.transcript_encrypted:
        return []
    said: list[dict[str, str]] = json.loads(decrypt(ticket.transcript_encrypted, context=TRANSCRIPT))
    return said


def _shape(ticket: SupportTicket) -> dict[str, Any]:
    return {
        "pk": ticket.pk,
        "id": str(ticket.public_id),
        "conversation": str(ticket.conversation),
        "intent": ticket.intent,
        "status": ticket.status,
        "created_at": iso_utc(ticket.created_at),
        "first_replied_at": ticket.first_replied_at and iso_utc(ticket.first_replied_at),
        "closed_at": ticket.closed_at and iso_utc(ticket.closed_at),
    }


def _shape_reply(reply: SupportReply) -> dict[str, Any]:
    return {
        "id": str(reply.public_id),
        "by": "staff" if reply.is_staff else "customer",
        "text": decrypt(reply.text_encrypted, context=REPLY),
        "created_at": iso_utc(reply.created_at),
    }
