"""Suspending and reinstating an account."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from accounts.audit import SYSTEM
from accounts.decisions import ReasonNeeded
from accounts.models import LoginSession, User
from accounts.services import UnknownUser
from accounts.sessions import InvalidCredentials, sign_in, start_session
from accounts.staff_deeds import NotAllowed, OwnAccount, StaffAccount, StalePage
from accounts.standing import NotSuspendable, NotSuspended, reinstate_account, suspend_account
from mymoolah.common.clock import now
from reporting.roles import ROLES
from tests.api import Caller, body_of, calling, problem
from tests.back_office.house import PASSWORD, colleague, emergency, signed_in
from tests.conftest import Ledger, Person, fund, send
from tests.staff import by, officer, told_of, why
from transactions.posting import UserNotActive
from transactions.selectors import RecipientCannotReceive


def suspend(user: User, *, role: str = "kyc", seen: str = "active", **changed: Any) -> None:
    asked = {"why": why("fraud"), "origin": by(role), **changed}
    suspend_account(user=user.public_id, seen=seen, now=now(), **asked)


def reinstate(user: User, *, role: str = "kyc", seen: str = "suspended", **changed: Any) -> None:
    reinstate_account(user=user.public_id, seen=seen, **{"why": why("cleared"), "origin": by(role), **changed})


def status(user: User) -> str:
    return User.objects.get(pk=user.pk).status


@pytest.mark.usefixtures("worker_at_hand")
def test_a_suspended_customer_is_signed_out_and_moves_no_money(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    fund(thandi, "100.00")
    tokens = start_session(user=thandi.user, device="A telephone", now=now(), origin=SYSTEM)
    suspend(thandi.user)
    problem(Caller().post("auth/token/refresh", {"refresh": tokens.refresh}), 401, "refresh_token_invalid")
    with pytest.raises(InvalidCredentials):
        sign_in(email=thandi.user.email, password="a-good-long-passphrase", device="", now=now(), origin=SYSTEM)
    order = {"to": "sipho@example.com", "amount": "10.00", "currency": "ZAR"}
    refusal = problem(calling(thandi).post("transfers", order, Idempotency_Key="k"), 403, "account_suspended")
    assert "call us" in refusal["title"]
    with pytest.raises(RecipientCannotReceive):
        send(sipho, thandi, "1.00")
    assert LoginSession.objects.filter(user=thandi.user, revoked_at=None).count() == 0
    reinstate(thandi.user)
    assert body_of(calling(thandi).post("transfers", order, Idempotency_Key="k"))["amount"] == "10.00"
    assert LoginSession.objects.filter(user=thandi.user, revoked_at=None).count() == 0
    assert [message.to for message in mail.outbox] == [["thandi@example.com"], ["thandi@example.com"]]


def test_each_is_one_event_with_its_reason(thandi: Person, ledger: Ledger) -> None:
    suspend(thandi.user)
    reinstate(thandi.user, role="administrator")
    events = told_of("account.suspended"), told_of("account.reinstated")
    assert [event.facts for event in events] == [
        {"reason": "fraud", "words": "Case 17"},
        {"reason": "cleared", "words": "Case 17"},
    ]
    assert [event.actor and event.actor.email for event in events] == ["kyc@example.com", "administrator@example.com"]
    assert {event.subject_id for event in events} == {str(thandi.user.public_id)}


@pytest.mark.parametrize("role", sorted(ROLES))
def test_only_kyc_officers_and_administrators_suspend(thandi: Person, ledger: Ledger, role: str) -> None:
    if role in {"kyc", "administrator"}:
        suspend(thandi.user, role=role)
        reinstate(thandi.user, role=role)
    else:
        with pytest.raises(NotAllowed):
            suspend(thandi.user, role=role)
        suspend(thandi.user)
        with pytest.raises(NotAllowed):
            reinstate(thandi.user, role=role)


def test_a_colleague_is_for_administrators_a_superuser_for_superusers_oneself_for_nobody(ledger: Ledger) -> None:
    support, root = colleague("support"), emergency()
    with pytest.raises(StaffAccount):
        suspend(support)
    client = signed_in(support)
    assert client.get("/admin/").status_code == 200
    suspend(support, role="administrator")
    assert client.get("/admin/").status_code == 302
    with pytest.raises(StaffAccount):
        suspend(root, role="administrator")
    for role in ("administrator", "kyc"):
        with pytest.raises(OwnAccount):
            suspend(officer(role), role=role)
    assert status(root) == "active"


def test_a_colleague_who_is_reinstated_signs_in_anew(ledger: Ledger) -> None:
    support = colleague("support")
    client = signed_in(support)
    suspend(support, role="administrator")
    reinstate(support, role="administrator")
    assert client.get("/admin/").status_code == 302
    client.post("/admin/login/", {"username": support.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 200


def test_what_an_old_page_decided_and_what_makes_no_sense_is_refused(thandi: Person, ledger: Ledger) -> None:
    with pytest.raises(StalePage):
        reinstate(thandi.user)
    with pytest.raises(NotSuspended):
        reinstate(thandi.user, seen="active")
    suspend(thandi.user)
    with pytest.raises(StalePage):
        suspend(thandi.user)
    with pytest.raises(NotSuspendable):
        suspend(thandi.user, seen="suspended")
    User.objects.filter(pk=thandi.user.pk).update(status="closed")
    with pytest.raises(NotSuspended):
        reinstate(thandi.user, seen="closed")
    for reason in (why("asked"), why("fraud", " ")):
        with pytest.raises(ReasonNeeded):
            suspend(thandi.user, why=reason)
    thandi.user.public_id = uuid.uuid4()
    with pytest.raises(UnknownUser):
        suspend(thandi.user)


def test_of_two_at_once_one_wins(thandi: Person, race: Callable[..., list[Any]]) -> None:
    by("kyc")
    answers = race(4, lambda: suspend(thandi.user))
    assert Counter(type(answer) for answer in answers) == {type(None): 1, StalePage: 3}
    assert told_of("account.suspended").facts["reason"] == "fraud"


def test_money_that_races_a_suspension_moves_whole_or_not_at_all(
    thandi: Person, sipho: Person, race: Callable[..., list[Any]]
) -> None:
    fund(thandi, "100.00")
    by("kyc")
    turns = iter(range(6))

    def one() -> Any:
        return suspend(thandi.user) if next(turns) == 3 else send(thandi, sipho, "1.00")

    answers = race(6, one)
    assert not [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, UserNotActive)]
    with pytest.raises(UserNotActive):
        send(thandi, sipho, "1.00")
