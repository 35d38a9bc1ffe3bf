"""What a loaded bank gives its staff to do: in proportion, once, and the ledger holds."""

from __future__ import annotations

from collections import Counter
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import AuditEvent, KycDocument, KycSubmission, LoginSession, User
from mymoolah.common.clock import now
from reporting.demo.cases import APPLICANTS
from reporting.loading.desk import LOADED, STEPS, Desk, load_desk
from reporting.models import QueryPerformanceLog
from reporting.support.models import SupportReply, SupportTicket
from reporting.support.tickets import replies_of, transcript_of
from tests.conftest import Ledger
from transactions.models import Proposal
from vouchers.models import SuspenseItem

USERS = 1_000
MODELS = (
    AuditEvent,
    KycSubmission,
    KycDocument,
    LoginSession,
    QueryPerformanceLog,
    Proposal,
    SuspenseItem,
    SupportTicket,
    SupportReply,
    User,
)


class Killed(Exception):
    pass


@pytest.fixture
def loaded(ledger: Ledger) -> None:
    load_customers()


def load_customers(**options: bool) -> None:
    call_command(
        "load_customers", users=USERS, vouchers=0, transactions=2_000, verbosity=0, stdout=StringIO(), **options
    )


def test_a_desk_is_as_full_as_there_are_customers_and_no_fuller_the_second_time(loaded: None) -> None:
    load_customers(desk=True)
    desk, cases = Desk(users=USERS), KycSubmission.objects.all()
    before = {model: model.objects.count() for model in MODELS}

    assert cases.filter(status="approved").count() == desk.decided_cases == 100
    assert cases.filter(status="pending").count() == desk.waiting_cases + len(APPLICANTS) == 5 + len(APPLICANTS)
    assert User.objects.filter(kyc_status="pending").count() == desk.waiting_cases + len(APPLICANTS)
    assert LoginSession.objects.count() == desk.sessions
    assert AuditEvent.objects.count() >= desk.events
    assert SuspenseItem.objects.filter(resolved_at=None).count() == desk.suspense_items == 2
    assert Proposal.objects.count() == desk.proposals == 2
    assert SupportTicket.objects.count() == desk.tickets == 5
    assert Counter(SupportTicket.objects.values_list("status", flat=True)) == {"open": 1, "waiting": 1, "closed": 3}
    [waiting] = SupportTicket.objects.filter(status="waiting")
    assert waiting.assigned_to is not None
    assert waiting.assigned_to.email == "support1@load.example.com"
    assert [line["by"] for line in transcript_of(waiting)] == ["customer"]
    assert [reply["by"] for reply in replies_of(waiting)] == ["staff"]

    assert load_desk(users=USERS, now=now()) is False
    assert {model: model.objects.count() for model in MODELS} == before


@pytest.mark.parametrize("step", ["cases", "suspense", "tickets"])
def test_a_run_that_was_killed_is_taken_up_where_it_was(loaded: None, step: str) -> None:
    def is_killed_after(name: str) -> None:
        if name == step:
            raise Killed

    with pytest.raises(Killed):
        load_desk(users=USERS, now=now(), advance=is_killed_after)
    load_desk(users=USERS, now=now())

    assert KycSubmission.objects.filter(status="approved").count() == 100
    assert AuditEvent.objects.filter(verb=LOADED).count() == len(STEPS)
    assert LoginSession.objects.count() == Desk(users=USERS).sessions
