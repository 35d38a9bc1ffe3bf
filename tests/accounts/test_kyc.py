"""Proving who one is: what is asked, what is refused, what becomes of it, and what a tier allows meanwhile."""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django import DjangoAssertNumQueries

from accounts import audit, kyc
from accounts.audit import Origin
from accounts.kyc import HighestTierReached, Identity, SubmissionPending
from accounts.kyc_identity import InvalidIdNumber, identity_number, masked_identity_number
from accounts.models import AuditEvent, KycDocument, KycSubmission, User
from accounts.services import UnknownUser
from mymoolah.common import crypto
from mymoolah.common.clock import business_day, now
from mymoolah.common.money import Money
from mymoolah.common.parsers import LARGEST_FILE_BYTES, LARGEST_UPLOAD_BYTES
from mymoolah.common.sql.queries import rows
from tests.accounts.papers import (
    MASKED,
    PASSPORT,
    PDF,
    THANDIS_ID,
    photograph,
    picture,
    sa_id,
    sa_id_of,
    sent_as,
    submitting,
)
from tests.api import V1, Caller, access_token, body_of, calling, errors_of, problem
from tests.conftest import Ledger, Person, fund, person, send
from transactions import posting
from transactions.models import Kind
from transactions.posting import Leg
from wallets.models import TierLimit
from wallets.services import open_wallet

PENDING, APPROVED, REJECTED = KycSubmission.Status.PENDING, KycSubmission.Status.APPROVED, KycSubmission.Status.REJECTED
TODAY = dt.date(2026, 6, 15)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.DOCUMENTS_DIR = tmp_path / "documents"
    settings.RATELIMIT_ENABLE = False
    return tmp_path / "documents"


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def lerato(db: None) -> Person:
    """Registered a moment ago."""
    return person("lerato", tier=0)


@pytest.fixture
def kagiso(db: None) -> Person:
    """Verified, without a proof of address."""
    return person("kagiso", tier=1)


@pytest.fixture
def officer(db: None) -> User:
    return User.objects.create(email="officer@example.com", first_name="Olwethu", last_name="Zulu", is_staff=True)


def decided(case: KycSubmission, officer: User, status: str, *, reason: str = "", tier: int = 0) -> None:
    """What the desk does."""
    second = None
    if tier == 2:
        second, _ = User.objects.get_or_create(email="second@example.com", is_staff=True)
    KycSubmission.objects.filter(pk=case.pk).update(
        status=status,
        reviewer=officer,
        second_reviewer=second,
        decided_at=now(),
        reason=reason,
        granted_tier=tier or None,
        waits_for=None,
        version=F("version") + 1,
    )
    known = {"kyc_status": "verified", "id_verified": True, "kyc_tier": tier} if tier else {"kyc_status": "rejected"}
    User.objects.filter(pk=case.user_id).update(**known)


# Identity numbers ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "number"),
    [
        (THANDIS_ID, THANDIS_ID),
        ("750330 5044 08 9", THANDIS_ID),
        (sa_id("000229004408"), sa_id("000229004408")),
        (sa_id("750330504418"), sa_id("750330504418")),  # a resident, not a citizen
        (sa_id_of(TODAY), sa_id_of(TODAY)),
    ],
)
def test_an_identity_number_is_read_however_it_is_spaced(typed: str, number: str) -> None:
    assert identity_number(typed, id_type="sa_id", today=TODAY) == number


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "invalid_id_number"),
        ("750330504408", "invalid_id_number"),
        ("75033050440890", "invalid_id_number"),
        ("750330504408X", "invalid_id_number"),
        ("-503305044089", "invalid_id_number"),
        ("\uff17503305044089", "invalid_id_number"),
        (sa_id("751330504408"), "invalid_birth_date"),
        (sa_id("750230504408"), "invalid_birth_date"),
        (sa_id("750000504408"), "invalid_birth_date"),
        (sa_id("010229504408"), "invalid_birth_date"),
        (sa_id("750330504428"), "invalid_citizenship"),
        (sa_id("750330504498"), "invalid_citizenship"),
        ("7503305044088", "invalid_check_digit"),
        ("7503305044098", "invalid_check_digit"),
    ],
)
def test_an_identity_number_that_cannot_be_one_is_refused_by_name(typed: str, code: str) -> None:
    with pytest.raises(InvalidIdNumber) as caught:
        identity_number(typed, id_type="sa_id", today=TODAY)
    assert caught.value.code == code


def test_nobody_is_born_tomorrow() -> None:
    today = business_day(now())
    assert identity_number(sa_id_of(today), id_type="sa_id", today=today)
    if today.month == today.day == 12:  # pragma: no cover
        pytest.skip("tomorrow may be next year")
    with pytest.raises(InvalidIdNumber) as caught:
        identity_number(sa_id_of(today), id_type="sa_id", today=today - dt.timedelta(days=1))
    assert caught.value.code == "birth_date_in_future"


@pytest.mark.parametrize("typed", ["A12345", "a 123 45", "A12345678901"])
def test_passport_numbers_are_letters_and_digits(typed: str) -> None:
    assert identity_number(typed, id_type="passport", today=TODAY) == typed.replace(" ", "").upper()


@pytest.mark.parametrize("typed", ["A1234", "A123456789012", "A1234-56", "Ä123456", "A12345\u0661", "A1234/5"])
def test_a_passport_number_that_cannot_be_one_is_refused(typed: str) -> None:
    with pytest.raises(InvalidIdNumber) as caught:
        identity_number(typed, id_type="passport", today=TODAY)
    assert caught.value.code == "invalid_passport_number"


def test_little_is_shown_of_a_number() -> None:
    assert masked_identity_number(THANDIS_ID, id_type="sa_id") == MASKED
    assert masked_identity_number("A01234567", id_type="passport") == "******567"


# Submitting ---------------------------------------------------------------------------------------------------------
def test_a_submission_waits_for_a_decision(lerato: Person, folder: Path) -> None:
    answer = submitting(lerato, [picture(), sent_as("bill.pdf", PDF)], kinds=["identity", "proof_of_address"])
    assert answer.status_code == 201, answer.content
    body = body_of(answer)
    assert uuid.UUID(body.pop("id")) == KycSubmission.objects.get().public_id
    assert body.pop("submitted_at").endswith("Z")
    kept = [str(one) for one in KycDocument.objects.order_by("pk").values_list("public_id", flat=True)]
    assert [document.pop("id") for document in body["documents"]] == kept
    assert body == {
        "status": "pending",
        "reason": None,
        "id_type": "sa_id",
        "id_number": MASKED,
        "passport_expires_on": None,
        "documents": [
            {"kind": "identity", "content_type": "image/jpeg", "asked_again": None},
            {"kind": "proof_of_address", "content_type": "application/pdf", "asked_again": None},
        ],
        "decided_at": None,
    }
    user = User.objects.get(pk=lerato.user.pk)
    assert (user.kyc_status, user.kyc_tier, user.id_verified) == ("pending", 0, False)
    assert len(files_in(folder)) == 2


def test_the_number_is_stored_encrypted_and_found_by_its_index(lerato: Person) -> None:
    submitting(lerato, id_number="750330 5044 08 9")
    case = KycSubmission.objects.get()
    assert THANDIS_ID not in case.id_number_encrypted
    assert crypto.decrypt(case.id_number_encrypted, context="kyc_submissions.id_number") == THANDIS_ID
    assert bytes(case.id_number_index) == crypto.blind_index(THANDIS_ID, context="kyc_submissions.id_number")


def test_the_trail_says_what_was_sent_and_nothing_personal(lerato: Person) -> None:
    submitting(lerato, [picture(), picture("PNG"), PDF], kinds=["identity", "identity", "proof_of_address"])
    event = AuditEvent.objects.get(verb="kyc.submitted")
    case = KycSubmission.objects.get()
    assert (event.actor, event.subject_type, event.subject_id) == (lerato.user, "kyc_submission", str(case.public_id))
    assert event.facts == {"id_type": "sa_id", "documents": {"identity": 2, "proof_of_address": 1}}
    assert event.address == "127.0.0.1"
    assert event.request_id


def test_a_passport_is_kept_with_its_last_day(lerato: Person) -> None:
    body = body_of(submitting(lerato, **PASSPORT))
    assert (body["id_type"], body["id_number"]) == ("passport", "******567")
    assert body["passport_expires_on"] == "2099-12-31"
    assert KycSubmission.objects.get().passport_expires_on == dt.date(2099, 12, 31)


def test_a_passport_is_good_on_its_last_day(lerato: Person) -> None:
    last_day = business_day(now())
    assert errors_of(
        submitting(lerato, **{**PASSPORT, "passport_expires_on": str(last_day - dt.timedelta(days=1))})
    ) == {"passport_expires_on": ["passport_expired"]}
    assert submitting(lerato, **{**PASSPORT, "passport_expires_on": str(last_day)}).status_code == 201


def test_what_a_file_is_called_does_not_matter(lerato: Person) -> None:
    documents = [
        sent_as("../../etc/passwd", picture(), "text/html"),
        sent_as("photo.jpg", PDF, "image/jpeg"),
        sent_as("x" * 300 + ".exe", picture("PNG"), "application/x-msdownload"),
    ]
    body = body_of(submitting(lerato, documents))
    found = [document["content_type"] for document in body["documents"]]
    assert found == ["image/jpeg", "application/pdf", "image/png"]


def test_a_list_may_be_named_with_brackets(lerato: Person) -> None:
    answer = submitting(
        lerato,
        documents=...,
        **{"documents[]": [sent_as("a", picture()), sent_as("b", PDF)], "kinds[]": ["identity", "proof_of_address"]},
    )
    assert [document["kind"] for document in body_of(answer)["documents"]] == ["identity", "proof_of_address"]


def test_a_blank_field_is_an_absent_one(lerato: Person) -> None:
    assert submitting(lerato, passport_expires_on="", kinds="").status_code == 201


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"id_type": ...}, "id_type", "required"),
        ({"id_type": "driving_licence"}, "id_type", "invalid_choice"),
        ({"id_type": sent_as("x", b"sa_id")}, "id_type", "invalid_choice"),
        ({"id_number": ...}, "id_number", "required"),
        ({"id_number": ""}, "id_number", "required"),
        ({"id_number": "   "}, "id_number", "blank"),
        ({"id_number": "12"}, "id_number", "invalid_id_number"),
        ({"id_number": "7503305044088"}, "id_number", "invalid_check_digit"),
        ({"id_number": sa_id("750230504408")}, "id_number", "invalid_birth_date"),
        ({"id_number": "7503305044089\0"}, "id_number", "not_printable"),
        ({"id_number": "7" * 100_000}, "id_number", "max_length"),
        ({"id_number": sent_as("x", THANDIS_ID.encode())}, "id_number", "not_a_string"),
        ({**PASSPORT, "id_number": "12-34"}, "id_number", "invalid_passport_number"),
        ({**PASSPORT, "passport_expires_on": ...}, "passport_expires_on", "required"),
        ({**PASSPORT, "passport_expires_on": "2020-01-01"}, "passport_expires_on", "passport_expired"),
        ({**PASSPORT, "passport_expires_on": "20991231"}, "passport_expires_on", "invalid_date"),
        ({**PASSPORT, "passport_expires_on": "2099-02-30"}, "passport_expires_on", "invalid_date"),
        ({**PASSPORT, "passport_expires_on": "soon"}, "passport_expires_on", "invalid_date"),
        ({"passport_expires_on": "2099-12-31"}, "passport_expires_on", "not_a_passport"),
        ({"kinds": ["identity", "identity"]}, "kinds", "not_one_each"),
        ({"kinds": ["selfie"]}, "kinds", "invalid_choice"),
        ({"documents": ...}, "documents", "required"),
        ({"documents": "a text"}, "documents", "invalid"),
        ({"documents": [sent_as("x", b"")]}, "documents", "empty"),
        ({"documents": [sent_as("x.jpg", b"<html>")]}, "documents", "unknown_format"),
        ({"documents": [sent_as("x.jpg", picture()[:100])]}, "documents", "unreadable"),
        ({"documents": [sent_as("x.pdf", PDF.replace(b"/Root", b"/Encrypt"))]}, "documents", "locked"),
        ({"documents": [sent_as("x.pdf", PDF.replace(b"/Root", b"/JavaScript"))]}, "documents", "can_act"),
    ],
)
def test_a_malformed_field_is_refused_and_nothing_is_kept(
    lerato: Person, folder: Path, changed: dict[str, Any], field: str, code: str
) -> None:
    for value in changed.values():  # parameters outlive one run
        for file in value if isinstance(value, list) else [value]:
            if hasattr(file, "seek"):
                file.seek(0)
    assert errors_of(submitting(lerato, **changed)) == {field: [code]}
    assert files_in(folder) == []
    assert not KycSubmission.objects.exists()
    assert User.objects.get(pk=lerato.user.pk).kyc_status == "not_started"


def test_six_documents_are_too_many(lerato: Person) -> None:
    assert errors_of(submitting(lerato, [picture(colour=(n, 0, 0)) for n in range(6)])) == {"documents": ["too_many"]}


def test_nothing_is_looked_into_in_vain(lerato: Person, thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    submitting(lerato)
    monkeypatch.setattr(kyc, "read_documents", lambda _: pytest.fail("it was looked into"))
    assert errors_of(submitting(lerato, id_number="12")) == {"id_number": ["invalid_id_number"]}
    problem(submitting(lerato), 409, "submission_pending")
    problem(submitting(thandi), 409, "highest_tier_reached")


def test_five_documents_are_fine_and_one_of_them_twice_is_not(lerato: Person) -> None:
    five = [picture("PNG", colour=(n, 0, 0)) for n in range(5)]
    assert errors_of(submitting(lerato, [*five[:4], five[0]])) == {"documents": ["sent_twice"]}
    assert submitting(lerato, five).status_code == 201
    twin = KycDocument.objects.order_by("pk")[0]
    twin.pk, twin.public_id = None, uuid.uuid4()
    with pytest.raises(IntegrityError, match="uq_kyc_documents_submission_sha256"):
        twin.save()


def test_files_may_be_large_but_not_too_large(lerato: Person, folder: Path) -> None:
    room = b"%" * (LARGEST_FILE_BYTES - len(PDF) - 1)
    full = [b"%PDF-1.7\n" + bytes([65 + n]) + room + PDF[9:] for n in range(3)]
    assert [len(one) for one in full] == [LARGEST_FILE_BYTES] * 3
    found = problem(submitting(lerato, [full[0][:-6] + b"!" + full[0][-6:]]), 413, "body_too_large")
    assert "5 MiB" in found["detail"]
    found = problem(submitting(lerato, [*full, picture(size=(900, 900)) + b"x" * 70_000]), 413, "body_too_large")
    assert "15.1 MiB" in found["detail"]
    assert files_in(folder) == []
    assert submitting(lerato, full).status_code == 201


def test_what_is_too_large_is_not_read_at_all(lerato: Person) -> None:
    class Unread(BytesIO):
        def read(self, *_: Any) -> bytes:
            pytest.fail("it was read")

    unread: dict[str, Any] = {
        "wsgi.input": Unread(),
        "CONTENT_LENGTH": str(LARGEST_UPLOAD_BYTES + 1),
        "CONTENT_TYPE": MULTIPART_CONTENT,
    }
    headers = {"Authorization": f"Bearer {access_token(lerato.user)}"}
    answer: Any = Client().generic("POST", V1 + "kyc/submissions", headers=headers, **unread)
    problem(answer, 413, "body_too_large")


def test_texts_that_are_too_long_together_are_too_large(lerato: Person) -> None:
    problem(submitting(lerato, note="x" * 300_000), 413, "body_too_large")


def raw(who: Person, body: bytes, content_type: str = MULTIPART_CONTENT) -> Any:
    headers = {"Authorization": f"Bearer {access_token(who.user)}"}
    return Client().generic("POST", V1 + "kyc/submissions", body, content_type=content_type, headers=headers)


def form(**fields: Any) -> bytes:
    return encode_multipart(BOUNDARY, {"id_type": "sa_id", "id_number": THANDIS_ID, **fields})


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"whatever", "multipart/form-data"),
        (b"whatever", "multipart/form-data; boundary="),
        (b"whatever", "multipart/form-data; boundary=\xc3\xa4"),
        (bytes(range(256)) * 100, MULTIPART_CONTENT),
        (form(**{f"field{n}": "x" for n in range(1100)}), MULTIPART_CONTENT),
        (form(documents=[sent_as("x", b"x") for _ in range(101)]), MULTIPART_CONTENT),
        (form(id_number=["1", "2"]), MULTIPART_CONTENT),
        (form(**{"id_number[]": "1"}), MULTIPART_CONTENT),
        (
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=documents; filename=x\r\n"
            f"Content-Transfer-Encoding: base64\r\n\r\nabc\r\n--{BOUNDARY}--\r\n".encode(),
            MULTIPART_CONTENT,
        ),
        (f"--{BOUNDARY}\r\nX: {'y' * 3000}\r\n\r\nabc\r\n--{BOUNDARY}--\r\n".encode(), MULTIPART_CONTENT),
    ],
)
def test_a_body_that_is_not_one_form_is_a_problem(lerato: Person, body: bytes, content_type: str) -> None:
    assert errors_of(raw(lerato, body, content_type)) == {"body": ["malformed_multipart"]}


@pytest.mark.parametrize("body", [b"", b"whatever", f"--{BOUNDARY}--".encode(), b"\r\n" * 5000])
def test_a_body_without_fields_lacks_them(lerato: Person, body: bytes) -> None:
    lacking = {name: ["required"] for name in ("id_type", "id_number", "documents")}
    assert errors_of(raw(lerato, body)) == lacking


def test_an_upload_that_was_cut_short_is_refused(lerato: Person) -> None:
    whole = form(documents=[sent_as("x.jpg", picture(size=(600, 600)))])
    start = whole.index(b"\xff\xd8\xff")
    for cut in range(start + 10, len(whole) - len(BOUNDARY) - 20, 997):
        assert "documents" in errors_of(raw(lerato, whole[:cut]))
    assert not KycSubmission.objects.exists()


def test_chance_never_makes_it_fail(lerato: Person, settings: Any) -> None:
    import random

    chance = random.Random(11)
    whole = form(documents=[sent_as("x.pdf", PDF)], kinds="identity", passport_expires_on="2099-12-31")
    for _ in range(200):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 9)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        assert raw(lerato, bytes(broken)).status_code < 500


def test_what_is_not_utf8_is_no_number(lerato: Person) -> None:
    for strange in (b"\xff", b"\xed\xb3\xbf", b"\x00", b"\r\n"):
        body = form(documents=[sent_as("x", PDF)]).replace(
            THANDIS_ID.encode(), THANDIS_ID[:-1].encode() + strange + b"9"
        )
        [code] = errors_of(raw(lerato, body))["id_number"]
        assert code in {"invalid_id_number", "not_printable"}


def test_json_is_not_read_here_nor_forms_elsewhere(lerato: Person) -> None:
    problem(calling(lerato).post("kyc/submissions", {"id_type": "sa_id"}), 415, "unsupported_media_type")
    headers = {"Authorization": f"Bearer {access_token(lerato.user)}"}
    answer: Any = Client().post(V1 + "me/password", {"current_password": "x"}, headers=headers)
    problem(answer, 415, "unsupported_media_type")


# Once at a time -----------------------------------------------------------------------------------------------------
def test_only_one_submission_waits(lerato: Person, folder: Path) -> None:
    assert submitting(lerato).status_code == 201
    before = files_in(folder)
    problem(submitting(lerato, [PDF]), 409, "submission_pending")
    assert files_in(folder) == before
    assert KycSubmission.objects.count() == 1


def test_two_submissions_at_once_are_one(ledger: Ledger, race: Callable[..., list[Any]], folder: Path) -> None:
    lerato = person("lerato", tier=0)
    answers = race(4, lambda: submit(lerato))
    assert Counter(type(answer) for answer in answers) == {KycSubmission: 1, SubmissionPending: 3}
    assert KycSubmission.objects.count() == KycDocument.objects.count() == len(files_in(folder)) == 1
    assert AuditEvent.objects.filter(verb="kyc.submitted").count() == 1


def submit(who: Person, **changed: Any) -> KycSubmission:
    asked: dict[str, Any] = {
        "user_public_id": who.user.public_id,
        "identity": Identity(id_type=KycSubmission.IdType.SA_ID, number=THANDIS_ID),
        "documents": [(KycDocument.Kind.IDENTITY, picture())],
        "now": now(),
        "origin": Origin(),
    }
    return kyc.submit(**{**asked, **changed})


def test_a_transaction_that_fails_leaves_neither_row_nor_file(
    ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lerato = person("lerato", tier=0)

    def fail(*_: Any, **__: Any) -> None:
        assert len(files_in(folder)) == 1
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        submit(lerato)
    assert files_in(folder) == []
    assert not KycSubmission.objects.exists()
    assert User.objects.get(pk=lerato.user.pk).kyc_status == "not_started"


def test_somebody_who_is_gone_submits_nothing(lerato: Person) -> None:
    with pytest.raises(UnknownUser):
        submit(replace(lerato, user=User(public_id=uuid.uuid4())))


def test_who_has_the_highest_tier_has_nothing_to_show(thandi: Person, folder: Path) -> None:
    problem(submitting(thandi), 409, "highest_tier_reached")
    with pytest.raises(HighestTierReached):
        submit(thandi)
    assert files_in(folder) == []


def test_a_rejection_is_explained_and_another_try_is_welcome(lerato: Person, officer: User) -> None:
    submitting(lerato)
    decided(KycSubmission.objects.get(), officer, REJECTED, reason="The photograph is blurred")
    body = body_of(calling(lerato).get("kyc"))
    assert body["status"] == "rejected"
    assert (body["latest_submission"]["status"], body["latest_submission"]["reason"]) == (
        "rejected",
        "The photograph is blurred",
    )
    assert body["latest_submission"]["decided_at"].endswith("Z")
    assert body["next_tier"]["missing"][0]["code"] == "identity_document"
    assert submitting(lerato).status_code == 201
    body = body_of(calling(lerato).get("kyc"))
    assert (body["status"], body["latest_submission"]["reason"]) == ("pending", None)
    assert KycSubmission.objects.count() == 2


def test_a_reason_that_is_not_for_the_customer_stays_inside(lerato: Person, officer: User) -> None:
    submitting(lerato)
    decided(KycSubmission.objects.get(), officer, APPROVED, reason="Known to me", tier=1)
    assert body_of(calling(lerato).get("kyc"))["latest_submission"]["reason"] is None


def test_a_verified_customer_stays_verified_while_she_asks_for_more(kagiso: Person, officer: User) -> None:
    earlier = submit(kagiso)
    decided(earlier, officer, APPROVED, tier=1)
    answer = submitting(kagiso, [PDF], kinds=["proof_of_address"])
    assert (answer.status_code, body_of(answer)["status"]) == (201, "pending")
    user = User.objects.get(pk=kagiso.user.pk)
    assert (user.kyc_status, user.kyc_tier, user.id_verified) == ("verified", 1, True)
    body = body_of(calling(kagiso).get("kyc"))
    assert (body["status"], body["tier"]) == ("verified", 1)
    assert body["next_tier"] == {"tier": 2, "missing": []}
    decided(KycSubmission.objects.latest("pk"), officer, APPROVED, tier=2)  # by the same identity, again
    assert body_of(calling(kagiso).get("kyc"))["next_tier"] is None


def test_an_identity_that_somebody_else_has_is_taken_in_like_any_other(
    kagiso: Person, lerato: Person, officer: User
) -> None:
    decided(submit(kagiso), officer, APPROVED, tier=1)
    first = submitting(person("naledi", tier=0), id_number=sa_id("800101504408"))
    second = submitting(lerato)
    assert first.status_code == second.status_code == 201
    assert body_of(first).keys() == body_of(second).keys()
    case = KycSubmission.objects.get(user=lerato.user)
    with pytest.raises(IntegrityError, match="kyc_identity_is_one_persons"), transaction.atomic():
        decided(case, officer, APPROVED, tier=1)


def test_the_database_knows_what_a_submission_is(lerato: Person) -> None:
    case = submit(lerato)
    for wrong in ({"id_type": "passport"}, {"passport_expires_on": TODAY}, {"id_type": "other"}):
        with pytest.raises(IntegrityError, match="kyc_submissions_passports_expire"), transaction.atomic():
            KycSubmission.objects.filter(pk=case.pk).update(**wrong, version=F("version") + 1)
    selfie = KycDocument.objects.get()
    selfie.pk, selfie.kind = None, "selfie"
    with pytest.raises(IntegrityError, match="kyc_documents_kind_is_known"), transaction.atomic():
        selfie.save()


# Where one stands ---------------------------------------------------------------------------------------------------
def test_kyc_says_where_one_stands_in_two_queries(
    lerato: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        body = body_of(calling(lerato).get("kyc"))
    [requirement] = body["next_tier"].pop("missing")
    assert requirement.pop("detail")
    assert requirement == {"code": "identity_document"}
    assert body == {
        "status": "not_started",
        "tier": 0,
        "next_tier": {"tier": 1},
        "latest_submission": None,
        "limits": [
            {
                "currency": "ZAR",
                "may_send": False,
                "may_cash_out": False,
                "per_transfer": None,
                "per_day": None,
                "per_month": None,
                "used_today": "0.00",
                "used_this_month": "0.00",
                "left_today": None,
                "left_this_month": None,
                "highest_balance": "3000.00",
            }
        ],
    }


def test_many_submissions_cost_no_more_queries(
    lerato: Person, officer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for attempt in range(4):
        submitting(lerato, [picture("PNG", colour=(attempt, n, 0)) for n in range(3)])
        decided(KycSubmission.objects.latest("pk"), officer, REJECTED, reason=f"Attempt {attempt}")
    with django_assert_num_queries(2):
        latest = body_of(calling(lerato).get("kyc"))["latest_submission"]
    assert (latest["reason"], len(latest["documents"])) == ("Attempt 3", 3)


@pytest.mark.parametrize(
    ("tier", "kinds", "missing"),
    [
        (0, [], ["identity_document"]),
        (0, ["identity"], []),
        (0, ["proof_of_address"], ["identity_document"]),
        (1, [], ["proof_of_address"]),
        (1, ["identity"], ["proof_of_address"]),
        (1, ["identity", "proof_of_address"], []),
    ],
)
def test_what_was_sent_is_not_missing(db: None, tier: int, kinds: list[str], missing: list[str]) -> None:
    lerato = person("lerato", tier=tier)
    if kinds:
        submitting(lerato, [picture("PNG", colour=(n, 0, 0)) for n, _ in enumerate(kinds)], kinds=kinds)
    found = body_of(calling(lerato).get("kyc"))["next_tier"]
    assert (found["tier"], [one["code"] for one in found["missing"]]) == (tier + 1, missing)


def test_the_highest_tier_has_no_next(thandi: Person) -> None:
    body = body_of(calling(thandi).get("kyc"))
    assert (body["status"], body["tier"], body["next_tier"]) == ("verified", 2, None)


def test_limits_tell_what_is_used_and_left_in_each_currency(ledger: Ledger, thandi: Person, sipho: Person) -> None:
    TierLimit.objects.using("owner").create(
        tier=2,
        currency="USD",
        per_transfer_amount=10,
        per_day_amount=20,
        per_month_amount=30,
        highest_balance=100,
        may_send=True,
        may_cash_out=False,
    )
    open_wallet(user=thandi.user, currency="USD")
    fund(thandi, "1000.00")
    send(thandi, sipho, "120.50")
    dollars, rand = body_of(calling(thandi).get("kyc"))["limits"]
    assert (rand["currency"], rand["used_today"], rand["used_this_month"]) == ("ZAR", "120.50", "120.50")
    assert (rand["left_today"], rand["left_this_month"]) == ("49879.50", "99879.50")
    assert (dollars["currency"], dollars["used_today"], dollars["left_today"]) == ("USD", "0.00", "20.00")
    [wallet, _] = body_of(calling(thandi).get("wallets"))["results"]
    assert {name: rand[name] for name in wallet["limits"].keys() & rand.keys()} == {
        name: value for name, value in wallet["limits"].items() if name != "tier"
    }


def test_used_and_left_add_up_to_what_is_allowed(ledger: Ledger, thandi: Person, sipho: Person) -> None:
    fund(thandi, "900.00")
    for _ in range(3):
        send(thandi, sipho, "33.33")
    [row] = rows("wallets", "kyc_limits.sql", user=thandi.user.public_id)
    for period in ("today", "this_month"):
        allowed = row["per_day" if period == "today" else "per_month"]
        assert float(row[f"used_{period}"]) + float(row[f"left_{period}"]) == pytest.approx(float(allowed))
    assert row["used_today"] == "99.99"


def test_counters_of_long_ago_read_as_nothing_used(ledger: Ledger, thandi: Person, sipho: Person) -> None:
    long_ago = now() - dt.timedelta(days=40)
    fund(thandi, "1000.00", at=long_ago)
    leg = Leg(
        kind=Kind.TRANSFER,
        source=thandi.wallet.pk,
        target=sipho.wallet.pk,
        amount=Money.parse("100.00"),
        check_limits="send",
    )
    posting.post([leg], at=long_ago)
    [row] = rows("wallets", "kyc_limits.sql", user=thandi.user.public_id)
    assert (row["used_today"], row["used_this_month"]) == ("0.00", "0.00")
    assert (row["left_today"], row["left_this_month"]) == ("50000.00", "100000.00")


# Who may ask --------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_nobody_is_let_in_without_a_token() -> None:
    problem(Caller().get("kyc"), 401, "not_authenticated")
    problem(submitting(Caller()), 401, "not_authenticated")


def test_staff_have_no_tier(clerk: User) -> None:
    staff = Caller(access_token(clerk))
    problem(staff.get("kyc"), 403, "wrong_role")
    problem(submitting(staff), 403, "wrong_role")
    assert not KycSubmission.objects.exists()


def test_a_stranger_sees_only_her_own(lerato: Person, naledi: Person) -> None:
    submitting(lerato)
    body = body_of(calling(naledi).get("kyc"))
    assert (body["latest_submission"], body["status"]) == (None, "verified")


def test_other_methods_are_refused(lerato: Person) -> None:
    problem(calling(lerato).get("kyc/submissions"), 405, "method_not_allowed")
    problem(calling(lerato).post("kyc", {}), 405, "method_not_allowed")


def test_five_submissions_a_minute_are_enough(lerato: Person, settings: Any) -> None:
    settings.RATELIMIT_ENABLE = True
    for _ in range(5):
        answer = submitting(lerato, id_number="12")
        assert (answer.status_code, answer["RateLimit-Limit"]) == (400, "5")
    problem(submitting(lerato), 429, "rate_limited")
    assert calling(lerato).get("kyc").status_code == 200


# Nothing personal ---------------------------------------------------------------------------------------------------
def test_neither_logs_nor_the_trail_nor_answers_hold_a_number_or_a_name(
    lerato: Person, officer: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "7503305044088"
    answers = [
        submitting(lerato, id_number=wrong),
        submitting(lerato, [sent_as("lerato-molefe.jpg", photograph())]),
        submitting(lerato),
        calling(lerato).get("kyc"),
    ]
    assert [answer.status_code for answer in answers] == [400, 201, 409, 200]
    told = caplog.text + json.dumps(list(AuditEvent.objects.values_list("facts", flat=True)))
    told += b"".join(answer.content for answer in answers).decode()
    for secret in (THANDIS_ID, wrong, "lerato-molefe", "documents/", KycDocument.objects.get().path):
        assert secret not in told
