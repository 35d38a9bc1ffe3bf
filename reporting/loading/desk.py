"""What staff find at work in a bank of loaded customers: cases, documents, events, devices, proposals, suspense, tickets.

In proportion to the customers, as a bank of a few years has it. Cases and their documents are rows alone: only those of
the demo's five applicants can be opened as pictures.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connections, transaction
from stdnum import luhn

from accounts import audit
from accounts.kyc_identity import encrypted_number, number_index
from accounts.models import AuditEvent, KycDocument, KycNote, KycSubmission, User
from accounts.services import create_staff
from mymoolah.common.crypto import encrypt
from mymoolah.common.money import Money
from mymoolah.common.sql import read
from reporting.demo.cases import make_cases
from reporting.loading.database import OWNER
from reporting.loading.people import email
from reporting.loading.plan import HISTORY_DAYS
from reporting.support.intents import Intent
from reporting.support.models import SupportReply, SupportTicket
from reporting.support.tickets import PRIORITIES, REPLY, TRANSCRIPT
from vouchers.services import tills

LOADED: Final = "desk.loaded"
COLLEAGUES: Final = {"kyc1": "kyc", "kyc2": "kyc", "finance1": "finance", "finance2": "finance", "support1": "support"}
STEPS: Final = (
    "cases",
    "applicants",
    "events",
    "sessions",
    "query times",
    "proposals",
    "suspense",
    "tickets",
    "statistics",
)
CASES_AT_ONCE: Final = 5_000
WAITING_DAYS: Final = 14
TABLES: Final = (
    "audit_events, kyc_submissions, kyc_documents, kyc_notes, login_sessions, query_performance_logs, proposals, "
    "suspense_items, till_events, support_tickets, support_replies, users, users_history, kyc_submissions_history"
)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """How much of everything there is for so many customers."""

    users: int

    @property
    def decided_cases(self) -> int:
        return self.users // 10

    @property
    def waiting_cases(self) -> int:
        return self.users // 200

    @property
    def events(self) -> int:
        return self.users

    @property
    def sessions(self) -> int:
        return self.users // 2

    @property
    def queries(self) -> int:
        return self.users // 10

    @property
    def proposals(self) -> int:
        return self.users // 500

    @property
    def suspense_items(self) -> int:
        return self.users // 500

    @property
    def tickets(self) -> int:
        return self.users // 200


def load_desk(*, users: int, now: dt.datetime, advance: Callable[[str], object] = lambda _: None) -> bool:
    """Fill the desks of a bank of so many loaded customers, once; whether there was anything left to do.

    Each step is written down when it is done, so a run that was killed is taken up by the next.
    """
    done = set(AuditEvent.objects.using(OWNER).filter(verb=LOADED).values_list("subject_id", flat=True))
    desk = Desk(users=users)
    people = _colleagues()
    first = User.objects.get(email=email(1)).pk
    common: dict[str, Any] = {"users": users, "first_user": first, "days": HISTORY_DAYS, "until": now}
    work: dict[str, Callable[[], object]] = {
        "cases": lambda: _cases(desk, people, now=now),
        "applicants": lambda: make_cases(now=now),
        "events": lambda: _run("events", events=desk.events, officer=people["kyc1"], **common),
        "sessions": lambda: _run("sessions", sessions=desk.sessions, **common),
        "query times": lambda: _run("query_times", queries=desk.queries, **common),
        "proposals": lambda: _proposals(desk, people, first_user=first, until=now),
        "suspense": lambda: _suspense(desk, now=now),
        "tickets": lambda: _tickets(desk, people, first_user=first, now=now),
        "statistics": _settle,
    }
    for name in STEPS:
        if name not in done:
            work[name]()
            audit.record(LOADED, subject_type="load", subject_id=name)
        advance(name)
    return not set(STEPS) <= done


def _colleagues() -> dict[str, int]:
    """The ids of those who decide, each with a password that nobody knows."""
    people = {}
    for name, role in COLLEAGUES.items():
        address = f"{name}@load.example.com"
        found = User.objects.with_email(address).first() or create_staff(
            email=address, password=secrets.token_hex(), first_name=name.capitalize(), last_name="Staff", role=role
        )
        people[name] = found.pk
    return people


# Cases -----------------------------------------------------------------------------------------------------------------
def _cases(desk: Desk, people: dict[str, int], *, now: dt.datetime) -> None:
    tier_2 = _customers(tier=2, most=desk.decided_cases)
    tier_0 = _customers(tier=0, most=desk.waiting_cases)
    days = HISTORY_DAYS - WAITING_DAYS
    step = dt.timedelta(days=days) / max(desk.decided_cases, 1)
    begin = now - dt.timedelta(days=HISTORY_DAYS)
    _write_cases(_decided(user, place, begin + place * step, people) for place, user in enumerate(tier_2))
    step = dt.timedelta(days=WAITING_DAYS) / max(desk.waiting_cases, 1)
    begin = now - dt.timedelta(days=WAITING_DAYS)
    _write_cases(
        _waiting(user, desk.decided_cases + place, begin + place * step, people) for place, user in enumerate(tier_0)
    )


def _customers(*, tier: int, most: int) -> list[int]:
    people = User.objects.using(OWNER).filter(kyc_tier=tier, email__endswith="@load.example.com", is_staff=False)
    return list(people.order_by("pk").values_list("pk", flat=True)[:most])


def _case(user: int, place: int, at: dt.datetime, **facts: Any) -> KycSubmission:
    number = _id_number(place)
    return KycSubmission(
        user_id=user,
        id_type=KycSubmission.IdType.SA_ID,
        id_number_encrypted=encrypted_number(number),
        id_number_index=number_index(number),
        created_at=at,
        **facts,
    )


def _id_number(place: int) -> str:
    """Another one for each place: so many days from 1950 on, and then the next of the same day."""
    born = dt.date(1950, 1, 1) + dt.timedelta(days=place % 18_000)
    digits = f"{born:%y%m%d}{place // 18_000:04d}08"
    return digits + str(luhn.calc_check_digit(digits))


def _decided(user: int, place: int, at: dt.datetime, people: dict[str, int]) -> KycSubmission:
    return _case(
        user,
        place,
        at,
        status=KycSubmission.Status.APPROVED,
        reviewer_id=people["kyc1"],
        second_reviewer_id=people["kyc2"],
        granted_tier=2,
        sought_tier=2,
        waits_for=None,
        decided_at=at + dt.timedelta(hours=5),
    )


def _waiting(user: int, place: int, at: dt.datetime, people: dict[str, int]) -> KycSubmission:
    """One in three asks for tier 2, one in ten is red, one in twenty waits for the customer, one in 25 is claimed."""
    facts: dict[str, Any] = {"sought_tier": 2 if place % 3 == 0 else 1, "is_red": place % 10 == 3}
    if place % 20 == 7:
        facts["waits_for"] = KycSubmission.WaitsFor.CUSTOMER
    if place % 25 == 0:
        facts |= {"assignee_id": people["kyc1"], "claimed_at": at}
    if place % 30 == 1:
        facts |= {
            "waits_for": KycSubmission.WaitsFor.SECOND_OFFICER,
            "proposed_by_id": people["kyc2"],
            "proposed_at": at,
            "proposed_tier": 1,
            "proposed_checks": [],
        }
    return _case(user, place, at, **facts)


def _write_cases(cases: Iterable[KycSubmission]) -> None:
    """A batch at a time, each one transaction; those that an earlier run wrote stay."""
    batch: list[KycSubmission] = []
    written = set(KycSubmission.objects.using(OWNER).values_list("user_id", flat=True))
    for case in cases:
        if case.user_id in written:
            continue
        batch.append(case)
        if len(batch) == CASES_AT_ONCE:
            _write_batch(batch)
            batch = []
    if batch:
        _write_batch(batch)


@transaction.atomic(using=OWNER)
def _write_batch(batch: list[KycSubmission]) -> None:
    made = KycSubmission.objects.using(OWNER).bulk_create(batch)
    documents = [
        _document(case, kind)
        for case in made
        for kind in (KycDocument.Kind.IDENTITY, KycDocument.Kind.PROOF_OF_ADDRESS)[: case.sought_tier]
    ]
    KycDocument.objects.using(OWNER).bulk_create(documents)
    waiting = [case for case in made if case.status == KycSubmission.Status.PENDING]
    User.objects.using(OWNER).filter(pk__in=[case.user_id for case in waiting]).update(
        kyc_status=User.KycStatus.PENDING
    )
    notes = [
        KycNote(submission=case, author_id=case.assignee_id, text="Asked a colleague.", created_at=case.created_at)
        for case in waiting
        if case.assignee_id
    ]
    KycNote.objects.using(OWNER).bulk_create(notes)


def _document(case: KycSubmission, kind: KycDocument.Kind) -> KycDocument:
    name = uuid.uuid4()
    return KycDocument(
        public_id=name,
        submission=case,
        kind=kind,
        path=f"not-kept/{name}",
        content_type="image/jpeg",
        size_bytes=180_000,
        sha256=hashlib.sha256(name.bytes).digest(),
        created_at=case.created_at,
    )


# The rest --------------------------------------------------------------------------------------------------------------
def _run(name: str, **values: Any) -> None:
    with connections[OWNER].cursor() as cursor:
        cursor.execute(read("reporting", f"desk/{name}.sql"), values)


def _proposals(desk: Desk, people: dict[str, int], *, first_user: int, until: dt.datetime) -> None:
    maker, checker = people["finance1"], people["finance2"]
    with transaction.atomic(using=OWNER):
        _run("proposals", proposals=desk.proposals, first_user=first_user, maker=maker, until=until)
        _run("decisions", maker=maker, checker=checker, until=until)


def _suspense(desk: Desk, *, now: dt.datetime) -> None:
    """Cash that tills report for numbers that nobody has: each is posted as a till's report is."""
    for place in range(desk.suspense_items):
        reported_at = now - dt.timedelta(minutes=desk.suspense_items - place)
        report = tills.Report(
            provider_reference=f"LOAD-{place}",
            easypay_number=f"90000{place:09d}",
            amount=Money.parse("60.00"),
            paid_at=reported_at,
            body=b"{}",
        )
        tills.report_payment(report=report, now=reported_at)


# Tickets ---------------------------------------------------------------------------------------------------------------
ASKED: Final[Mapping[Intent, str]] = {
    Intent.LOST_PHONE_OR_FRAUD: "Somebody took my phone and is using my account",
    Intent.WRONG_RECIPIENT: "I sent money to the wrong number",
    Intent.DUPLICATE_CHARGE: "The same payment went off twice",
    Intent.HUMAN: "Please let me talk to a person",
}
OF_USER_1: Final = 5
ANSWER: Final = "We have looked at it. Is there anything else?"


@transaction.atomic(using=OWNER)
def _tickets(desk: Desk, people: dict[str, int], *, first_user: int, now: dt.datetime) -> None:
    """One in ten waits for us, one in ten was answered and waits for the customer; user1 has a tenth of those closed."""
    users = _customers(tier=2, most=desk.tickets)
    if SupportTicket.objects.using(OWNER).filter(user__in=users).exists():
        return  # written by a run that was killed before it could say so
    made = [
        _ticket(user, place, count=desk.tickets, first_user=first_user, clerk=people["support1"], now=now)
        for place, user in enumerate(users)
    ]
    SupportTicket.objects.using(OWNER).bulk_create(made)
    SupportReply.objects.using(OWNER).bulk_create(
        SupportReply(
            ticket=ticket,
            author_id=people["support1"],
            is_staff=True,
            text_encrypted=encrypt(ANSWER, context=REPLY),
            key=f"load:{place}",
            request_hash=hashlib.sha256(ANSWER.encode()).digest(),
            created_at=ticket.first_replied_at,
        )
        for place, ticket in enumerate(made)
        if ticket.first_replied_at
    )


def _ticket(user: int, place: int, *, count: int, first_user: int, clerk: int, now: dt.datetime) -> SupportTicket:
    status = {0: SupportTicket.Status.OPEN, 1: SupportTicket.Status.WAITING}.get(
        place % 10, SupportTicket.Status.CLOSED
    )
    is_closed, is_open = status == SupportTicket.Status.CLOSED, status == SupportTicket.Status.OPEN
    days = HISTORY_DAYS if is_closed else WAITING_DAYS
    at = now - dt.timedelta(days=days) * (count - place) / count
    intent = list(ASKED)[place // 10 % len(ASKED)]
    said = [{"by": "customer", "text": ASKED[intent]}]
    return SupportTicket(
        user_id=first_user if is_closed and place % 10 == OF_USER_1 else user,
        conversation=uuid.uuid4(),
        intent=intent,
        status=status,
        priority=PRIORITIES[intent],
        transcript_encrypted=encrypt(json.dumps(said), context=TRANSCRIPT),
        assigned_to_id=None if is_open else clerk,
        created_at=at,
        waits_since=at,
        first_replied_at=None if is_open else min(at + dt.timedelta(hours=3), now),
        closed_at=min(at + dt.timedelta(days=1), now) if is_closed else None,
    )


def _settle() -> None:
    with connections[OWNER].cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {TABLES}")
