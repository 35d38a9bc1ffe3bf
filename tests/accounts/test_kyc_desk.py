"""What officers do with a case: each deed, each refusal, twice, two at once, and what the database refuses by itself."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts import audit, kyc, kyc_checks, kyc_desk
from accounts.audit import Origin
from accounts.kyc import DocumentNotAskedFor, DocumentNotFound, Identity, SubmissionNotFound
from accounts.kyc_checks import Check, Level
from accounts.kyc_desk import (
    AwaitsSecondOfficer,
    CaseDecided,
    CheckIsFinal,
    ChecksAreRed,
    ChecksChanged,
    ClaimedByAnother,
    DocumentAwaited,
    DocumentsMissing,
    FourEyes,
    IdentityTaken,
    NotAnOfficer,
    NotClaimed,
    NothingProposed,
    OwnCase,
    StaleCase,
    TextMissing,
    TextUnfit,
)
from accounts.kyc_number_looks import MOST_REVEALED, TooManyRevealed
from accounts.models import AuditEvent, KycDocument, KycNote, KycSubmission, User
from accounts.services import create_staff, rename
from mymoolah.common.clock import now
from tests.accounts.papers import MASKED, PDF, THANDIS_ID, picture, sa_id, sent_as
from tests.api import V1, Caller, body_of, calling, errors_of, problem
from tests.conftest import Ledger, Person, person, refused
from tests.description import as_described

IDENTITY, ADDRESS = KycDocument.Kind.IDENTITY, KycDocument.Kind.PROOF_OF_ADDRESS
CARD = ((IDENTITY, picture()),)
BOTH = (*CARD, (ADDRESS, PDF))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any, worker_at_hand: None) -> None:
    settings.DOCUMENTS_DIR = tmp_path / "documents"
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def lerato(ledger: Ledger) -> Person:
    """Registered a moment ago."""
    return person("lerato", tier=0)


@dataclass(frozen=True)
class Officer:
    """Somebody at the desk, who sees the case as it is unless a version is named."""

    user: User

    def __getattr__(self, deed: str) -> Callable[..., Any]:
        service = getattr(kyc_desk, deed)

        def do(case: KycSubmission, **asked: Any) -> Any:
            told: dict[str, Any] = {"version": fresh(case).version, "now": now(), **asked}
            wanted = {name: told[name] for name in told if name in service.__annotations__}
            return service(case=case.public_id, origin=Origin(actor_id=self.user.pk), **wanted)

        return do


def officer(name: str, *, role: str = "kyc") -> Officer:
    user = create_staff(
        email=f"{name}@example.com", password="a-good-long-passphrase", first_name=name, last_name="Staff", role=role
    )
    return Officer(user)


@pytest.fixture
def kagiso(ledger: Ledger) -> Officer:
    return officer("kagiso")


@pytest.fixture
def katlego(ledger: Ledger) -> Officer:
    return officer("katlego")


def case_of(who: Person, *, number: str = THANDIS_ID, documents: Any = CARD) -> KycSubmission:
    return kyc.submit(
        user_public_id=who.user.public_id,
        identity=Identity(id_type=KycSubmission.IdType.SA_ID, number=number),
        documents=list(documents),
        now=now(),
        origin=Origin(),
    )


def fresh(case: KycSubmission) -> KycSubmission:
    return KycSubmission.objects.get(pk=case.pk)


def standing(who: Person) -> tuple[str, int, bool]:
    user = User.objects.get(pk=who.user.pk)
    return user.kyc_status, user.kyc_tier, user.id_verified


def deeds(case: KycSubmission) -> list[str]:
    events = AuditEvent.objects.filter(subject_type="kyc_submission", subject_id=str(case.public_id)).order_by("pk")
    return [event.verb.removeprefix("kyc.") for event in events]


def claimed(case: KycSubmission, by: Officer) -> KycSubmission:
    by.claim(case)
    return fresh(case)


def proposed(case: KycSubmission, by: Officer, **asked: Any) -> KycSubmission:
    claimed(case, by)
    by.approve(case, **{"tier": 2, **asked})
    return fresh(case)


def check_of(case: KycSubmission, code: str) -> Check:
    return next(check for check in kyc_checks.checks_of(case, now=now()) if check.code == code)


# Approving ----------------------------------------------------------------------------------------------------------
def test_one_officer_approves_to_tier_1(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    mail.outbox.clear()
    assert kagiso.approve(case, tier=1) == "approved"
    after = fresh(case)
    assert (after.status, after.granted_tier, after.reviewer, after.second_reviewer) == (
        "approved",
        1,
        kagiso.user,
        None,
    )
    assert (after.assignee, after.waits_for, after.version) == (None, None, case.version + 1)
    assert standing(lerato) == ("verified", 1, True)
    assert deeds(case) == ["submitted", "claimed", "approved"]
    facts = AuditEvent.objects.get(verb="kyc.approved").facts
    assert facts == {"user": str(lerato.user.public_id), "tier": 1, "proposed_by": None, "overridden": False}
    [message] = mail.outbox
    assert (message.to, message.subject) == (["lerato@example.com"], "Your documents were accepted")


def test_tier_2_waits_visibly_for_a_second_officer(lerato: Person, kagiso: Officer, katlego: Officer) -> None:
    case = claimed(case_of(lerato, documents=BOTH), kagiso)
    assert case.sought_tier == 2
    assert kagiso.approve(case, tier=2) == "pending"
    between = fresh(case)
    assert (between.waits_for, between.proposed_by, between.proposed_tier) == ("second", kagiso.user, 2)
    assert ["duplicate", "green"] in (between.proposed_checks or [])
    assert standing(lerato) == ("pending", 0, False)

    claimed(case, katlego)
    katlego.confirm(case)
    after = fresh(case)
    assert (after.status, after.reviewer, after.second_reviewer) == ("approved", kagiso.user, katlego.user)
    assert (after.proposed_by, after.proposed_checks) == (None, None)
    assert standing(lerato) == ("verified", 2, True)
    assert deeds(case) == ["submitted", "claimed", "approval_proposed", "claimed", "approved"]


def test_tier_1_may_be_given_where_2_was_asked_for(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato, documents=BOTH), kagiso)
    assert kagiso.approve(case, tier=1) == "approved"
    assert standing(lerato) == ("verified", 1, True)


def test_a_lower_decision_never_lowers_a_tier(kagiso: Officer, ledger: Ledger) -> None:
    mandla = person("mandla", tier=1)
    case = claimed(case_of(mandla, documents=[(ADDRESS, PDF)]), kagiso)
    User.objects.filter(pk=mandla.user.pk).update(kyc_tier=2)
    assert kagiso.approve(case, tier=1) == "approved"
    assert standing(mandla) == ("verified", 2, True)


def test_a_rejection_never_lowers_a_tier(kagiso: Officer, ledger: Ledger) -> None:
    mandla = person("mandla", tier=1)
    case = claimed(case_of(mandla, documents=[(ADDRESS, PDF)]), kagiso)
    kagiso.reject(case, reason="The statement is a year old")
    assert standing(mandla) == ("verified", 1, True)


def test_a_tier_needs_its_documents(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    with pytest.raises(DocumentsMissing) as caught:
        kagiso.approve(case, tier=2)
    assert caught.value.facts == {"tier": 2, "missing": ["proof_of_address"]}
    assert fresh(case).version == case.version


def test_an_address_alone_is_good_for_nothing_but_tier_2(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato, documents=[(ADDRESS, PDF)]), kagiso)
    assert (case.sought_tier, case.is_red, check_of(case, "documents").level) == (1, True, Level.RED)
    for tier in (1, 2):
        with pytest.raises(DocumentsMissing):
            kagiso.approve(case, tier=tier, override_reason="She is well known")


def test_a_red_check_is_overridden_with_a_reason_and_a_second_officer(
    ledger: Ledger, kagiso: Officer, katlego: Officer
) -> None:
    young = person("young", tier=0)
    case = claimed(case_of(young, number=sa_id(f"{now():%y%m%d}504408")), kagiso)
    assert case.is_red
    with pytest.raises(ChecksAreRed) as caught:
        kagiso.approve(case, tier=1)
    assert caught.value.facts == {"checks": ["age"]}
    with pytest.raises(ChecksAreRed):
        kagiso.approve(case, tier=1, override_reason="  ")
    assert kagiso.approve(case, tier=1, override_reason=" Her guardian came along ") == "pending"
    assert AuditEvent.objects.get(verb="kyc.approval_proposed").facts == {"tier": 1, "overridden": ["age"]}
    claimed(case, katlego)
    katlego.confirm(case)
    after = fresh(case)
    assert (after.granted_tier, after.override_reason) == (1, "Her guardian came along")
    assert after.second_reviewer == katlego.user


def test_a_reason_without_a_red_check_is_not_kept(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    assert kagiso.approve(case, tier=1, override_reason="Nice person") == "approved"
    assert fresh(case).override_reason == ""


def test_nobody_is_approved_into_a_closed_account(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    User.objects.filter(pk=lerato.user.pk).update(status="closed")
    with pytest.raises(CheckIsFinal) as caught:
        kagiso.approve(case, tier=1, override_reason="Why not")
    assert caught.value.facts == {"checks": ["account"]}


# Two officers -------------------------------------------------------------------------------------------------------
def test_the_first_officer_is_not_the_second(lerato: Person, kagiso: Officer) -> None:
    case = proposed(case_of(lerato, documents=BOTH), kagiso)
    for deed in (kagiso.claim, kagiso.confirm):
        with pytest.raises(FourEyes):
            deed(case)


def test_the_second_officer_claims_first_and_needs_a_proposal(
    lerato: Person, kagiso: Officer, katlego: Officer
) -> None:
    case = case_of(lerato, documents=BOTH)
    claimed(case, katlego)
    with pytest.raises(NothingProposed):
        katlego.confirm(case)
    katlego.release(case)
    proposed(case, kagiso)
    with pytest.raises(NotClaimed):
        katlego.confirm(case)


def test_what_was_proposed_is_decided_as_it_is(lerato: Person, kagiso: Officer, katlego: Officer) -> None:
    case = proposed(case_of(lerato, documents=BOTH), kagiso)
    claimed(case, katlego)
    with pytest.raises(AwaitsSecondOfficer):
        katlego.approve(case, tier=1)
    with pytest.raises(AwaitsSecondOfficer):
        katlego.ask_again(case, document=KycDocument.objects.earliest("pk").public_id, reason="Dark")


def test_the_second_officer_hands_back_with_a_note(lerato: Person, kagiso: Officer, katlego: Officer) -> None:
    case = proposed(case_of(lerato, documents=BOTH), kagiso)
    claimed(case, katlego)
    with pytest.raises(TextMissing):
        katlego.hand_back(case, note=" ")
    katlego.hand_back(case, note="The address is another one")
    after = fresh(case)
    assert (after.waits_for, after.proposed_by, after.assignee, after.override_reason) == ("officer", None, None, "")
    assert KycNote.objects.get().text == "The address is another one"
    with pytest.raises(NothingProposed):
        katlego.hand_back(claimed(case, katlego), note="Again")


def test_the_first_officer_takes_a_proposal_back(lerato: Person, kagiso: Officer) -> None:
    case = proposed(case_of(lerato, documents=BOTH), kagiso)
    kagiso.hand_back(case, note="I looked at the wrong customer")
    assert fresh(case).waits_for == "officer"
    assert deeds(case)[-1] == "proposal_handed_back"


def test_the_second_officer_may_reject(lerato: Person, kagiso: Officer, katlego: Officer) -> None:
    case = proposed(case_of(lerato, documents=BOTH), kagiso)
    claimed(case, katlego)
    katlego.reject(case, reason="The card is somebody else's")
    after = fresh(case)
    assert (after.status, after.reviewer, after.second_reviewer) == ("rejected", katlego.user, None)


def test_what_turned_red_since_the_first_officer_looked_is_looked_at_anew(
    lerato: Person, kagiso: Officer, katlego: Officer
) -> None:
    case = proposed(case_of(lerato, documents=BOTH), kagiso)
    claimed(case, katlego)
    rename(public_id=lerato.user.public_id, last_name="Zulu", origin=Origin())
    assert check_of(case, "name").level == Level.RED
    with pytest.raises(ChecksChanged) as caught:
        katlego.confirm(case)
    assert caught.value.facts == {"checks": ["name"]}
    assert standing(lerato)[1] == 0


# Claiming -----------------------------------------------------------------------------------------------------------
def test_a_case_is_one_officers_at_a_time(lerato: Person, kagiso: Officer, katlego: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    assert (case.assignee, deeds(case)) == (kagiso.user, ["submitted", "claimed"])
    with pytest.raises(ClaimedByAnother):
        katlego.claim(case, note="I am faster")
    kagiso.claim(case)
    assert fresh(case).version == case.version  # twice is once
    for deed, asked in DEEDS.items():
        with pytest.raises(ClaimedByAnother):
            getattr(katlego, deed)(case, **asked(case))
    kagiso.release(case)
    assert claimed(case, katlego).assignee == katlego.user


def test_after_half_an_hour_a_case_is_taken_over_with_a_note(lerato: Person, kagiso: Officer, katlego: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    assert case.claimed_at is not None
    later = case.claimed_at + dt.timedelta(minutes=30)
    with pytest.raises(ClaimedByAnother):
        katlego.claim(case, note="He went home", now=later - dt.timedelta(seconds=1))
    with pytest.raises(TextMissing):
        katlego.claim(case, now=later)
    katlego.claim(case, note="He went home", now=later)
    after = fresh(case)
    assert (after.assignee, after.claimed_at) == (katlego.user, later)
    assert (KycNote.objects.get().author, deeds(case)[-1]) == (katlego.user, "taken_over")
    assert AuditEvent.objects.get(verb="kyc.taken_over").facts == {"before": str(kagiso.user.public_id)}


def asked_of(case: KycSubmission) -> uuid.UUID:
    return case.documents.earliest("pk").public_id


def _nothing(_: KycSubmission) -> dict[str, Any]:
    return {}


DEEDS: dict[str, Callable[[KycSubmission], dict[str, Any]]] = {
    "approve": lambda _: {"tier": 1},
    "reject": lambda _: {"reason": "Dark"},
    "ask_again": lambda case: {"document": asked_of(case), "reason": "Dark"},
    "hand_back": lambda _: {"note": "No"},
    "confirm": lambda _: {},
    "release": lambda _: {},
    "show_number": lambda _: {},
}


def test_nothing_is_done_to_a_case_that_nobody_claimed(lerato: Person, kagiso: Officer) -> None:
    case = case_of(lerato)
    for deed, asked in DEEDS.items():
        with pytest.raises(NotClaimed):
            getattr(kagiso, deed)(case, **asked(case))


def test_nothing_is_done_from_a_stale_page(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    for deed in DEEDS.keys() - {"show_number"}:
        with pytest.raises(StaleCase):
            getattr(kagiso, deed)(case, version=case.version - 1, **DEEDS[deed](case))
    assert deeds(case) == ["submitted", "claimed"]


def test_a_decided_case_is_decided(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    kagiso.reject(case, reason="Dark")
    before = deeds(case)
    for deed in [*DEEDS, "claim"]:
        with pytest.raises(CaseDecided):
            getattr(kagiso, deed)(case, **DEEDS.get(deed, _nothing)(case))
    assert deeds(case) == before


@pytest.mark.parametrize("role", ["administrator", "auditor", "support", "finance", "operator"])
def test_only_officers_do_anything(lerato: Person, role: str) -> None:
    case, colleague = case_of(lerato), officer(role, role=role)
    for deed in [*DEEDS, "claim", "add_note"]:
        with pytest.raises(NotAnOfficer):
            getattr(colleague, deed)(case, text="Hello", **DEEDS.get(deed, _nothing)(case))
    assert deeds(case) == ["submitted"]


def test_an_officer_who_was_suspended_decides_nothing(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    User.objects.filter(pk=kagiso.user.pk).update(status="suspended")
    with pytest.raises(NotAnOfficer):
        kagiso.approve(case, tier=1)


def test_nobody_decides_a_case_of_his_own(kagiso: Officer) -> None:
    case = case_of(Person(kagiso.user, None))  # type: ignore[arg-type]
    for deed in ("claim", "add_note", "approve"):
        with pytest.raises(OwnCase):
            getattr(kagiso, deed)(case, tier=1, text="It is me")


def test_there_is_nothing_to_do_for_a_case_that_is_not_there(kagiso: Officer) -> None:
    with pytest.raises(SubmissionNotFound):
        kyc_desk.claim(case=uuid.uuid4(), now=now(), origin=Origin(actor_id=kagiso.user.pk))


# Rejecting, notes, the number -----------------------------------------------------------------------------------------
def test_a_rejection_needs_a_reason_that_the_customer_reads(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    with pytest.raises(TextMissing):
        kagiso.reject(case, reason="\n ")
    mail.outbox.clear()
    kagiso.reject(case, reason=" The photograph is dark ")
    body = body_of(calling(lerato).get("kyc"))
    assert (body["status"], body["latest_submission"]["reason"]) == ("rejected", "The photograph is dark")
    assert standing(lerato) == ("rejected", 0, False)
    [message] = mail.outbox
    assert "dark" not in f"{message.subject} {message.body}"
    assert "dark" not in str(AuditEvent.objects.get(verb="kyc.rejected").facts)
    assert case_of(lerato).status == "pending"


def test_who_has_no_confirmed_contact_is_not_written_to(ledger: Ledger, kagiso: Officer) -> None:
    quiet = person("quiet", tier=0)
    User.objects.update(email_verified_at=None, phone_verified_at=None)
    case = claimed(case_of(quiet), kagiso)
    assert check_of(case, "contacts").level == Level.RED
    mail.outbox.clear()
    kagiso.reject(case, reason="Dark")
    assert mail.outbox == []


def test_notes_stay_inside_and_as_they_are(lerato: Person, kagiso: Officer, katlego: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    katlego.add_note(case, text=" Seen at the branch ")
    with pytest.raises(TextMissing):
        katlego.add_note(case, text="")
    assert fresh(case).version == case.version  # a note makes nobody's page stale
    assert (KycNote.objects.get().text, deeds(case)[-1]) == ("Seen at the branch", "note_added")
    assert "branch" not in calling(lerato).get("kyc").content.decode()
    kagiso.reject(case, reason="Dark")
    kagiso.add_note(case, text="She will come again")


def test_the_number_is_shown_to_who_compares_it_and_that_is_written_down(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    assert kagiso.show_number(case) == THANDIS_ID
    assert deeds(case)[-1] == "number_shown"
    assert THANDIS_ID not in str(list(AuditEvent.objects.values_list("facts", flat=True)))


def test_an_officer_looks_at_twenty_an_hour_wherever_that_is(
    lerato: Person, kagiso: Officer, race: Callable[..., list[Any]]
) -> None:
    case, moment = claimed(case_of(lerato), kagiso), now()
    for verb in ("kyc.number_shown", "identity.revealed"):
        for _ in range(MOST_REVEALED // 2 - (verb == "kyc.number_shown")):
            audit.record(verb, subject_type="user", subject_id="", origin=Origin(actor_id=kagiso.user.pk))
    answers = race(4, lambda: kagiso.show_number(case))
    assert Counter(type(answer) for answer in answers) == {str: 1, TooManyRevealed: 3}
    assert kyc_desk.show_number(
        case=case.public_id, now=moment + dt.timedelta(hours=2), origin=Origin(actor_id=kagiso.user.pk)
    )


def test_what_is_too_long_or_no_text_is_refused(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    for words in ("a\0b", "x" * (kyc_desk.TEXT_MAX + 1)):
        with pytest.raises(TextUnfit):
            kagiso.add_note(case, text=words)
        for deed, asked in (
            ("reject", {"reason": words}),
            ("ask_again", {"document": asked_of(case), "reason": words}),
        ):
            with pytest.raises(TextUnfit):
                getattr(kagiso, deed)(case, **asked)
    kagiso.add_note(case, text="x" * kyc_desk.TEXT_MAX)
    assert deeds(case) == ["submitted", "claimed", "note_added"]


# One document again -------------------------------------------------------------------------------------------------
def sending(who: Person | Caller, case: KycSubmission, document: Any, replaces: Any = None) -> Any:
    caller = who if isinstance(who, Caller) else calling(who)
    files = [sent_as("x", document)] if isinstance(document, bytes) else document
    body = {"document": files, "replaces": str(replaces or asked_of(case))}
    path = f"{V1}kyc/submissions/{case.public_id}/documents"
    return as_described(caller.client.post(path, body, headers=caller._headers({})))


def test_one_document_is_sent_again_and_the_rest_stays(lerato: Person, kagiso: Officer, katlego: Officer) -> None:
    case = claimed(case_of(lerato, documents=BOTH), kagiso)
    dark, statement = case.documents.order_by("pk")
    mail.outbox.clear()
    kagiso.ask_again(case, document=dark.public_id, reason=" The photograph is dark ")
    assert fresh(case).waits_for == "customer"
    assert [message.subject for message in mail.outbox] == ["We need one of your documents again"]

    body = body_of(calling(lerato).get("kyc"))
    assert body["status"] == "pending"
    assert [one["code"] for one in body["next_tier"]["missing"]] == ["identity_document"]
    shown = {one["id"]: one["asked_again"] for one in body["latest_submission"]["documents"]}
    assert shown == {str(dark.public_id): "The photograph is dark", str(statement.public_id): None}
    with pytest.raises(DocumentAwaited):
        kagiso.approve(case, tier=1)

    answer = sending(lerato, case, picture(colour=(9, 9, 9)))
    assert answer.status_code == 201, answer.content
    again = KycDocument.objects.latest("pk")
    shown = {one["id"]: one["asked_again"] for one in body_of(answer)["documents"]}
    assert shown == {str(statement.public_id): None, str(again.public_id): None}
    assert (again.replaces, again.kind) == (dark, "identity")
    after = fresh(case)
    assert (after.waits_for, after.assignee, after.status) == ("officer", kagiso.user, "pending")
    assert body_of(calling(lerato).get("kyc"))["next_tier"]["missing"] == []
    assert deeds(case)[-2:] == ["document_asked_again", "document_replaced"]

    kagiso.approve(case, tier=2)
    katlego.confirm(claimed(case, katlego))
    assert standing(lerato) == ("verified", 2, True)


def test_two_documents_are_awaited_until_both_came(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato, documents=BOTH), kagiso)
    documents = [document.public_id for document in case.documents.order_by("pk")]
    for document in documents:
        kagiso.ask_again(case, document=document, reason="Dark")
    sending(lerato, case, picture(colour=(1, 2, 3)), documents[0])
    assert fresh(case).waits_for == "customer"
    sending(lerato, case, picture(colour=(3, 2, 1)), documents[1])
    assert fresh(case).waits_for == "officer"


def test_a_document_is_asked_for_again_once_and_for_a_reason(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    with pytest.raises(TextMissing):
        kagiso.ask_again(case, document=asked_of(case), reason="")
    with pytest.raises(DocumentNotFound):
        kagiso.ask_again(case, document=uuid.uuid4(), reason="Dark")
    kagiso.ask_again(case, document=asked_of(case), reason="Dark")
    with pytest.raises(DocumentNotAskedFor):
        kagiso.ask_again(case, document=asked_of(case), reason="Dark")
    kagiso.reject(case, reason="She never sent it")
    assert standing(lerato)[0] == "rejected"


def test_what_was_not_asked_for_is_refused(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato, documents=BOTH), kagiso)
    problem(sending(lerato, case, picture("PNG")), 409, "document_not_asked_for")
    kagiso.ask_again(case, document=asked_of(case), reason="Dark")
    problem(sending(lerato, case, picture("PNG"), uuid.uuid4()), 404, "document_not_found")
    problem(sending(lerato, case, picture()), 409, "document_sent_before")
    assert errors_of(sending(lerato, case, b"<html>")) == {"document": ["unknown_format"]}
    assert errors_of(sending(lerato, case, [])) == {"document": ["required"]}
    assert errors_of(sending(lerato, case, picture("PNG"), "x")) == {"replaces": ["invalid"]}
    problem(sending(person("naledi"), case, picture("PNG")), 404, "submission_not_found")
    problem(sending(Caller(), case, picture("PNG")), 401, "not_authenticated")
    assert KycDocument.objects.count() == 2

    assert sending(lerato, case, picture("PNG")).status_code == 201
    problem(sending(lerato, case, picture("PNG", colour=(1, 1, 1))), 409, "document_not_asked_for")
    kagiso.reject(case, reason="Dark")
    problem(sending(lerato, case, picture("PNG", colour=(1, 1, 1))), 409, "submission_decided")


def test_a_document_sent_twice_at_once_is_kept_once(lerato: Person, kagiso: Officer, race: Any) -> None:
    case = claimed(case_of(lerato), kagiso)
    kagiso.ask_again(case, document=asked_of(case), reason="Dark")
    colours = itertools.count(1)
    answers = race(3, lambda: sending(lerato, case, picture("PNG", colour=(next(colours), 0, 0))).status_code)
    assert Counter(answers) == {201: 1, 409: 2}
    assert KycDocument.objects.count() == 2


# Two at once --------------------------------------------------------------------------------------------------------
def test_two_officers_claim_at_once_and_one_has_it(
    lerato: Person, kagiso: Officer, katlego: Officer, race: Any
) -> None:
    case, officers = case_of(lerato), iter([kagiso, katlego])
    answers = race(2, lambda: next(officers).claim(case))
    assert Counter(type(answer) for answer in answers) == {type(None): 1, ClaimedByAnother: 1}
    assert deeds(case).count("claimed") == 1


def test_an_officer_who_clicks_twice_at_once_decides_once(lerato: Person, kagiso: Officer, race: Any) -> None:
    case = claimed(case_of(lerato), kagiso)
    answers = race(4, lambda: kagiso.approve(case, tier=1, version=case.version))
    assert Counter(str(answer) if isinstance(answer, str) else type(answer) for answer in answers) == {
        "approved": 1,
        CaseDecided: 3,
    }
    assert deeds(case).count("approved") == 1


def test_approving_and_rejecting_at_once_is_one_of_them(lerato: Person, kagiso: Officer, race: Any) -> None:
    case = claimed(case_of(lerato), kagiso)
    ways: Iterator[Callable[[], Any]] = iter(
        [
            lambda: kagiso.approve(case, tier=1, version=case.version),
            lambda: kagiso.reject(case, reason="Dark", version=case.version),
        ]
    )
    answers = race(2, lambda: next(ways)())  # noqa: PLW0108 - each takes its own
    assert [type(answer) for answer in answers].count(CaseDecided) == 1
    assert standing(lerato)[0] == {"approved": "verified", "rejected": "rejected"}[fresh(case).status]


def test_confirming_and_handing_back_at_once_is_one_of_them(
    lerato: Person, kagiso: Officer, katlego: Officer, race: Any
) -> None:
    case = proposed(case_of(lerato, documents=BOTH), kagiso)
    case = claimed(case, katlego)
    ways: Iterator[Callable[[], Any]] = iter(
        [
            lambda: katlego.confirm(case, version=case.version),
            lambda: kagiso.hand_back(case, note="Wait", version=case.version),
        ]
    )
    answers = race(2, lambda: next(ways)())  # noqa: PLW0108 - each takes its own
    assert sum(answer is None for answer in answers) == 1
    assert {type(answer) for answer in answers} - {type(None)} <= {CaseDecided, StaleCase}


def test_of_two_customers_with_one_identity_one_is_approved(
    ledger: Ledger, kagiso: Officer, katlego: Officer, race: Any
) -> None:
    """Both were waiting, and neither knew of the other; the database alone sees them at once."""
    people = [person(name, tier=0) for name in ("lerato", "mandla")]
    cases = [case_of(who) for who in people]
    assert [fresh(case).is_red for case in cases] == [True, True]
    first, second = (officer("a"), officer("b"))
    for case, by in zip(cases, (first, second), strict=True):
        proposed(case, by, tier=1, override_reason="The other one is a mistake")
    claimed(cases[0], kagiso)
    claimed(cases[1], katlego)
    pairs = iter([(kagiso, fresh(cases[0])), (katlego, fresh(cases[1]))])

    def confirm() -> None:
        by, case = next(pairs)
        by.confirm(case, version=case.version)

    answers = race(2, confirm)
    assert Counter(type(answer) for answer in answers) == {type(None): 1, IdentityTaken: 1}
    assert sorted(standing(who)[1] for who in people) == [0, 1]
    loser = KycSubmission.objects.get(status="pending")
    assert check_of(loser, "duplicate").is_final


def test_the_databases_refusal_is_told_as_what_it_means(
    ledger: Ledger, kagiso: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lerato, mandla = person("lerato", tier=0), person("mandla", tier=0)
    taken = case_of(lerato)
    kagiso.approve(claimed(taken, kagiso), tier=1)
    case = claimed(case_of(mandla), kagiso)
    with pytest.raises(IdentityTaken):
        kagiso.approve(case, tier=1, override_reason="Twins")
    monkeypatch.setattr(kyc_checks, "checks_of", lambda *_, **__: [])  # as if it had been approved a moment later
    with pytest.raises(IdentityTaken):
        kagiso.approve(case, tier=1)
    assert (standing(mandla), fresh(case).status) == (("pending", 0, False), "pending")


# The automatic checks -------------------------------------------------------------------------------------------------
def test_a_good_case_is_green_but_for_what_only_eyes_can_see(lerato: Person) -> None:
    found = {check.code: check.level for check in kyc_checks.checks_of(case_of(lerato), now=now())}
    assert found == {
        "number": "green",
        "age": "green",
        "name": "look",
        "duplicate": "green",
        "documents": "green",
        "files": "green",
        "contacts": "green",
        "account": "green",
    }


def test_the_age_is_told_by_the_birthday(lerato: Person) -> None:
    case = case_of(lerato)  # born on 30 March 1975
    for day, years in (("2026-03-29", 50), ("2026-03-30", 51)):
        moment = dt.datetime.fromisoformat(f"{day}T12:00:00+02:00")
        [age] = [check for check in kyc_checks.checks_of(case, now=moment) if check.code == "age"]
        assert (age.level, age.text) == (Level.GREEN, f"Born 30 March 1975 by the number, {years} years old.")


def test_a_passport_runs_out(ledger: Ledger) -> None:
    lerato = person("lerato", tier=0)
    case = kyc.submit(
        user_public_id=lerato.user.public_id,
        identity=Identity(
            id_type=KycSubmission.IdType.PASSPORT, number="A01234567", passport_expires_on=dt.date(2099, 12, 31)
        ),
        documents=[(IDENTITY, picture())],
        now=now(),
        origin=Origin(),
    )
    found = {check.code: check.level for check in kyc_checks.checks_of(case, now=now())}
    assert (found["passport"], found["age"], found["number"]) == ("green", "look", "green")
    later = {
        check.code: check.level for check in kyc_checks.checks_of(case, now=dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
    }
    assert later["passport"] == "red"


def test_a_number_that_another_customer_has_turns_both_red(ledger: Ledger, kagiso: Officer) -> None:
    lerato, mandla = person("lerato", tier=0), person("mandla", tier=0)
    first = claimed(case_of(lerato), kagiso)
    assert not first.is_red
    second = case_of(mandla, documents=[(IDENTITY, picture("PNG"))])
    assert (fresh(first).is_red, fresh(second).is_red) == (True, True)
    with pytest.raises(StaleCase):  # the page that was green is out of date
        kagiso.approve(first, tier=1, version=first.version)
    check = check_of(first, "duplicate")
    assert (check.level, check.is_final, list(check.cases)) == (Level.RED, False, [second.public_id])


def test_an_approval_turns_those_red_who_were_sent_at_the_same_moment(ledger: Ledger, kagiso: Officer) -> None:
    """Two submissions at once do not see each other."""
    lerato, mandla = person("lerato", tier=0), person("mandla", tier=0)
    case, other = case_of(lerato), case_of(mandla, documents=[(IDENTITY, picture("PNG"))])
    KycSubmission.objects.update(is_red=False, version=F("version") + 1)
    proposed(case, officer("first"), tier=1, override_reason="Sent at once")
    kagiso.confirm(claimed(case, kagiso))
    assert fresh(other).is_red


def test_the_same_file_in_another_customers_case_is_red(ledger: Ledger) -> None:
    lerato, mandla = person("lerato", tier=0), person("mandla", tier=0)
    first = case_of(lerato)
    second = case_of(mandla, number=sa_id("800101504408"))
    assert check_of(second, "files").cases == (first.public_id,)
    assert fresh(second).is_red


def test_ones_own_earlier_case_is_no_duplicate(lerato: Person, kagiso: Officer) -> None:
    kagiso.approve(claimed(case_of(lerato), kagiso), tier=1)
    again = case_of(lerato, documents=BOTH)
    assert "approved with the same number before" in check_of(again, "duplicate").text
    assert (fresh(again).is_red, check_of(again, "files").level) == (False, Level.GREEN)


def test_a_suspended_account_is_red(lerato: Person) -> None:
    case = case_of(lerato)
    User.objects.filter(pk=lerato.user.pk).update(status="suspended")
    assert (check_of(case, "account").level, check_of(case, "account").is_final) == (Level.RED, False)


# The database by itself -----------------------------------------------------------------------------------------------
def test_the_database_refuses_what_must_not_be(lerato: Person, kagiso: Officer, katlego: Officer) -> None:
    case = case_of(lerato)
    moment, user, first, second = now(), lerato.user, kagiso.user, katlego.user
    approved = {"status": "approved", "reviewer": first, "decided_at": moment, "waits_for": None, "granted_tier": 1}
    proposal = {
        "waits_for": "second",
        "proposed_by": first,
        "proposed_at": moment,
        "proposed_tier": 2,
        "proposed_checks": [],
    }
    refusals: dict[str, dict[str, Any]] = {
        "much_needs_four_eyes": {**approved, "granted_tier": 2},
        "four_eyes_are_two": {**approved, "granted_tier": 2, "second_reviewer": first},
        "not_own_case": {**approved, "reviewer": user},
        "not_own_second_look": {**approved, "second_reviewer": user},
        "approval_grants_a_tier": {**approved, "granted_tier": None},
        "decided_by_someone": {**approved, "reviewer": None},
        "pending_waits_for_someone": {**approved, "waits_for": "officer"},
        "rejection_has_a_reason": {**approved, "status": "rejected", "granted_tier": None},
        "claim_is_whole": {"assignee": first},
        "not_own_claim": {"assignee": user, "claimed_at": moment},
        "proposal_is_whole": {**proposal, "proposed_tier": None},
        "second_is_another": {**proposal, "assignee": first, "claimed_at": moment},
        "seek_1_or_2": {"sought_tier": 3},
    }
    for rule, wrong in refusals.items():
        with pytest.raises(IntegrityError, match=f"kyc_submissions_{rule}"), transaction.atomic():
            KycSubmission.objects.filter(pk=case.pk).update(**wrong, version=F("version") + 1)
    override = {**approved, "override_reason": "Because"}
    with pytest.raises(IntegrityError, match="much_needs_four_eyes"), transaction.atomic():
        KycSubmission.objects.filter(pk=case.pk).update(**override, version=F("version") + 1)
    rows = KycSubmission.objects.filter(pk=case.pk)
    assert rows.update(**override, second_reviewer=second, version=F("version") + 1) == 1


def test_a_version_grows_and_a_decision_stands(lerato: Person, kagiso: Officer) -> None:
    case = claimed(case_of(lerato), kagiso)
    rows = KycSubmission.objects.filter(pk=case.pk)
    with refused("MM901"):
        rows.update(is_red=True)
    with refused("MM901"):
        rows.update(version=case.version - 1)
    kagiso.approve(case, tier=1)
    with refused("MM901"):
        rows.update(status="rejected", reason="No", granted_tier=None, version=F("version") + 1)
    with refused("MM901"):
        rows.update(decided_at=now(), version=F("version") + 1)


def test_notes_are_append_only(lerato: Person, kagiso: Officer, owner_sql: Any, app_sql: Any) -> None:
    kagiso.add_note(case_of(lerato), text="Seen")
    for statement in ("UPDATE kyc_notes SET text = 'x'", "DELETE FROM kyc_notes", "TRUNCATE kyc_notes"):
        with refused("MM900"):
            owner_sql(statement)
        with refused("42501"):
            app_sql(statement)


def test_a_document_is_replaced_once_and_asked_for_with_a_reason(lerato: Person) -> None:
    case = case_of(lerato, documents=BOTH)
    first, second = case.documents.order_by("pk")
    with pytest.raises(IntegrityError, match="kyc_documents_asked_again_says_why"), transaction.atomic():
        KycDocument.objects.filter(pk=first.pk).update(asked_again_at=now())
    KycDocument.objects.using("owner").filter(pk=second.pk).update(replaces=first)
    twin = KycDocument.objects.get(pk=second.pk)
    twin.pk, twin._state.adding, twin.public_id, twin.sha256, twin.path = None, True, uuid.uuid4(), b"z" * 32, "z"
    with pytest.raises(IntegrityError, match="replaces"), transaction.atomic():
        twin.save()


def test_a_claim_costs_the_same_however_long_the_queue_is(lerato: Person, kagiso: Officer) -> None:
    with CaptureQueriesContext(connection) as alone:
        kagiso.claim(case_of(lerato))
    for name in ("mandla", "precious"):
        case_of(person(name, tier=0), number=sa_id("800101504408"))
    busi = person("busi", tier=0)
    with CaptureQueriesContext(connection) as among_others:
        kagiso.claim(case_of(busi, number=sa_id("810101504408"), documents=[(IDENTITY, picture("PNG"))]))
    assert len(alone) == len(among_others)


def test_masked_numbers_stay_masked_for_the_customer(lerato: Person, kagiso: Officer) -> None:
    claimed(case_of(lerato), kagiso)
    assert body_of(calling(lerato).get("kyc"))["latest_submission"]["id_number"] == MASKED
