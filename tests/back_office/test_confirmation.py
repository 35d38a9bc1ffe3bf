"""Before something that matters the password is asked for again, and what was typed is not lost."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts import kyc_desk, lockout
from accounts.audit import Origin
from accounts.models import AuditEvent, KycSubmission, User
from accounts.staff_session import CONFIRMED_AT
from mymoolah.common.clock import now
from tests.back_office.house import PASSWORD, colleague, page_of, signed_in
from tests.back_office.test_kyc_desk import case_of
from tests.back_office.test_people import opened
from tests.back_office.test_proposals import an_adjustment, deed
from tests.conftest import Ledger, Person, person
from tests.proposals import pair
from transactions.models import Proposal

pytestmark = pytest.mark.usefixtures("ledger")

ASKS = "Is it still you?"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any, worker_at_hand: None) -> None:
    settings.DOCUMENTS_DIR = tmp_path / "documents"


def long_ago(client: Client) -> None:
    """As if the password had been given eleven minutes ago."""
    session = client.session
    session[CONFIRMED_AT] -= 11 * 60
    session.save()


def confirmed(client: Client, question: Any, password: str = PASSWORD, **headers: Any) -> Any:
    """Fill in the page that asks, as a browser does."""
    html = question.content.decode()
    action = re.search(r'<form method="post" action="([^"]*)"', html)
    assert action
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html):
        fields.setdefault(name, []).append(unescape(value))
    return client.post(unescape(action[1]), {**fields, "confirmed_by_password": password}, **headers)


@pytest.fixture
def claimed(ledger: Ledger) -> tuple[KycSubmission, User]:
    """A case that an officer has claimed."""
    case, officer = case_of(person("lerato", tier=0)), colleague("kyc")
    kyc_desk.claim(case=case.public_id, origin=Origin(actor_id=officer.pk), now=now())
    return KycSubmission.objects.get(pk=case.pk), officer


def reject(client: Client, case: KycSubmission) -> Any:
    body = {"reason": "Blurred & cut <off>", "version": case.version}
    return client.post(f"/admin/kyc/cases/{case.public_id}/reject?tier=1", body)


def test_whoever_has_just_signed_in_is_not_asked(claimed: tuple[KycSubmission, User]) -> None:
    case, officer = claimed
    assert reject(signed_in(officer), case).status_code == 302
    case.refresh_from_db()
    assert case.status == "rejected"


def test_the_password_is_asked_for_and_then_it_is_done_with_all_that_was_typed(
    claimed: tuple[KycSubmission, User],
) -> None:
    case, officer = claimed
    client = signed_in(officer)
    long_ago(client)
    question = reject(client, case)
    assert ASKS in question.content.decode()
    assert "no-store" in question["Cache-Control"]
    case.refresh_from_db()
    assert case.status == "pending"

    key = client.session.session_key
    answer = confirmed(client, question)
    assert answer.status_code == 302
    assert answer["Location"].endswith("?tier=1")
    case.refresh_from_db()
    assert (case.status, case.reason) == ("rejected", "Blurred & cut <off>")
    assert client.session.session_key != key


def test_a_wrong_password_does_nothing_and_is_written_down(claimed: tuple[KycSubmission, User]) -> None:
    case, officer = claimed
    client = signed_in(officer)
    long_ago(client)
    again = confirmed(client, reject(client, case), "something-else")
    assert "This is not your current password." in again.content.decode()
    assert "something-else" not in again.content.decode()
    case.refresh_from_db()
    assert case.status == "pending"
    assert AuditEvent.objects.get(verb="staff.confirmation_refused").actor_id == officer.pk
    assert confirmed(client, again).status_code == 302


def test_too_many_wrong_passwords_lock_the_right_one_out_too(claimed: tuple[KycSubmission, User]) -> None:
    case, officer = claimed
    client = signed_in(officer)
    long_ago(client)
    question = reject(client, case)
    for _ in range(lockout.MOST_FAILURES["account"]):
        question = confirmed(client, question, "something-else")
    assert "Too many wrong passwords" in confirmed(client, question).content.decode()
    case.refresh_from_db()
    assert case.status == "pending"


def test_a_stranger_at_the_sign_in_keeps_no_colleague_from_confirming(claimed: tuple[KycSubmission, User]) -> None:
    case, officer = claimed
    client = signed_in(officer)
    long_ago(client)
    question = reject(client, case)
    for _ in range(lockout.MOST_FAILURES["account"]):
        Client().post("/admin/login/", {"username": officer.email, "password": "something-else"})
    assert lockout.locked_seconds(email=officer.email) > 0
    assert confirmed(client, question).status_code == 302
    case.refresh_from_db()
    assert case.status == "rejected"


def test_without_redis_nobody_confirms(claimed: tuple[KycSubmission, User], settings: Any) -> None:
    case, officer = claimed
    client = signed_in(officer)
    long_ago(client)
    question = reject(client, case)
    away = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    settings.CACHES = away
    assert ASKS in confirmed(client, question).content.decode()
    case.refresh_from_db()
    assert case.status == "pending"


def test_what_can_be_undone_asks_nothing() -> None:
    case, client = case_of(person("lerato", tier=0)), signed_in(colleague("kyc"))
    long_ago(client)
    assert client.post(f"/admin/kyc/cases/{case.public_id}/claim", {}).status_code == 302
    case.refresh_from_db()
    assert case.assignee_id is not None


def test_the_number_of_a_document_is_not_shown_before(claimed: tuple[KycSubmission, User]) -> None:
    case, officer = claimed
    client = signed_in(officer)
    long_ago(client)
    question = client.post(f"/admin/kyc/cases/{case.public_id}/number")
    assert ASKS in question.content.decode()
    assert not AuditEvent.objects.filter(verb="kyc.number_shown").exists()
    assert "kyc-number" in confirmed(client, question).content.decode()


def test_a_proposal_is_not_approved_before(thandi: Person) -> None:
    proposal, checker = an_adjustment(thandi), User.objects.get(pk=pair()[1])
    checker.set_password(PASSWORD)
    checker.save()
    client = signed_in(checker)
    long_ago(client)
    question = client.post(deed(proposal, "approve"), {"seen": bytes(proposal.preview_digest).hex(), "note": "Seen"})
    assert ASKS in question.content.decode()
    proposal.refresh_from_db()
    assert proposal.status == Proposal.Status.PROPOSED
    assert confirmed(client, question).status_code == 302
    proposal.refresh_from_db()
    assert (proposal.status, proposal.note) == (Proposal.Status.APPROVED, "Seen")


def test_no_role_is_given_before() -> None:
    client, sam = signed_in(colleague("administrator")), colleague("support")
    long_ago(client)
    roles = [Group.objects.get(name=name).pk for name in ("finance", "operator")]
    question = client.post(page_of(sam), {**opened(client, sam), "groups": roles})
    assert ASKS in question.content.decode()
    assert [group.name for group in sam.groups.all()] == ["support"]
    assert confirmed(client, question).status_code == 302
    assert {group.name for group in sam.groups.all()} == {"finance", "operator"}  # both of one field arrived


def test_nobody_is_led_away_by_where_he_claims_to_come_from(claimed: tuple[KycSubmission, User]) -> None:
    case, officer = claimed
    client = signed_in(officer)
    for elsewhere in ("https://evil.example/admin/", "//evil.example/admin/", "javascript:alert(1)", "/api/v1/me"):
        long_ago(client)
        body = {"version": case.version, "reason": "x", "confirmed_from": elsewhere}
        html = client.post(f"/admin/kyc/cases/{case.public_id}/reject", body).content.decode()
        assert 'name="confirmed_from" value="/admin/"' in html
        assert elsewhere not in html


def test_a_session_that_does_not_say_when_has_to_ask(claimed: tuple[KycSubmission, User]) -> None:
    case, officer = claimed
    client = signed_in(officer)
    session = client.session
    del session[CONFIRMED_AT]
    session.save()
    assert ASKS in reject(client, case).content.decode()
