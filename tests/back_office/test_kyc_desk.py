"""The KYC desk's pages: who opens them, what they cost, what they show, and that a form does what its service does."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from accounts import kyc, kyc_pages
from accounts.audit import Origin
from accounts.kyc import Identity
from accounts.kyc_desk_selectors import VIEWS, Filter, waiting_cases, waiting_counts
from accounts.kyc_pages import PageNotShown
from accounts.models import AuditEvent, KycDocument, KycNote, KycSubmission, User
from accounts.services import create_staff
from mymoolah.common.clock import now
from mymoolah.common.errors import Unavailable
from reporting.roles import ROLES
from tests.accounts.papers import PDF, THANDIS_ID, picture, sa_id
from tests.back_office.house import PASSWORD, colleague, emergency, signed_in
from tests.conftest import Person, person

CARD = ((KycDocument.Kind.IDENTITY, picture()),)
QUEUE_QUERIES, CASE_QUERIES = 7, 10


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any, worker_at_hand: None) -> None:
    settings.DOCUMENTS_DIR = tmp_path / "documents"


def pdf(pages: int = 2) -> bytes:
    output = io.BytesIO()
    canvas = Canvas(output, pageCompression=0)
    for number in range(pages):
        canvas.drawString(100, 700, f"Page {number + 1}")
        canvas.showPage()
    canvas.save()
    return output.getvalue()


def case_of(who: Person, *, number: str = THANDIS_ID, documents: Any = CARD, at: dt.datetime | None = None) -> Any:
    return kyc.submit(
        user_public_id=who.user.public_id,
        identity=Identity(id_type=KycSubmission.IdType.SA_ID, number=number),
        documents=list(documents),
        now=at or now(),
        origin=Origin(),
    )


@pytest.fixture
def lerato(ledger: object) -> Person:
    return person("lerato", tier=0)


@pytest.fixture
def case(lerato: Person) -> KycSubmission:
    found: KycSubmission = case_of(lerato)
    return found


def officer(name: str = "kyc") -> Client:
    return signed_in(
        create_staff(email=f"{name}@example.com", password=PASSWORD, first_name=name.title(), last_name="X", role="kyc")
    )


def page_of(case: KycSubmission) -> str:
    return reverse("kyc_case", args=[case.public_id])


def doing(client: Client, case: KycSubmission, deed: str, **form: Any) -> Any:
    """Send a form as the page that is open now would; the page it leads to."""
    version = KycSubmission.objects.get(pk=case.pk).version
    address = reverse("kyc_deed", args=[case.public_id, deed])
    return client.post(address, {"version": version, **form}, follow=True)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


# Who comes in -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", [*ROLES, "superuser"])
def test_who_may_look_looks_and_who_may_decide_decides(case: KycSubmission, role: str) -> None:
    client = signed_in(emergency() if role == "superuser" else colleague(role))
    looks = role in {"kyc", "auditor", "administrator", "superuser"}
    decides = role in {"kyc", "superuser"}
    document = KycDocument.objects.get().public_id
    for address in (
        reverse("kyc_queue"),
        page_of(case),
        reverse("kyc_document", args=[document]),
    ):
        assert client.get(address).status_code == (200 if looks else 403), address
    assert client.get(reverse("kyc_next")).status_code == (302 if looks else 403)
    assert ("Claim this case" in text(client.get(page_of(case)))) == decides
    before = KycSubmission.objects.values().get()
    for deed in ("release", "approve", "confirm", "hand-back", "reject", "ask-again", "note", "claim"):
        form = {"tier": "1", "document": str(document), "version": "2"}
        answer = client.post(reverse("kyc_deed", args=[case.public_id, deed]), form)
        assert answer.status_code == (302 if decides else 403), deed
    assert client.post(reverse("kyc_number", args=[case.public_id])).status_code == (200 if decides else 403)
    if not decides:
        assert KycSubmission.objects.values().get() == before
        assert not AuditEvent.objects.filter(verb__in=["kyc.claimed", "kyc.number_shown"]).exists()


def test_strangers_and_customers_are_sent_to_the_door(case: KycSubmission, lerato: Person) -> None:
    for client in (Client(), signed_in(lerato.user)):
        for address in (reverse("kyc_queue"), reverse("kyc_next"), page_of(case)):
            assert client.get(address)["Location"].startswith(reverse("admin:login"))
        assert client.post(reverse("kyc_deed", args=[case.public_id, "claim"])).status_code == 302
    assert KycSubmission.objects.get().assignee is None


def test_a_deed_is_a_form_of_our_own_page(case: KycSubmission) -> None:
    officer()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(email="kyc@example.com"))
    assert strict.post(reverse("kyc_deed", args=[case.public_id, "claim"])).status_code == 403
    assert strict.get(reverse("kyc_deed", args=[case.public_id, "claim"])).status_code == 405
    assert KycSubmission.objects.get().assignee is None


def test_what_is_not_there_is_not_found(case: KycSubmission) -> None:
    client = officer()
    assert client.get(reverse("kyc_case", args=[uuid.uuid4()])).status_code == 404
    assert client.post(reverse("kyc_deed", args=[uuid.uuid4(), "claim"])).status_code == 404
    assert client.post(reverse("kyc_deed", args=[case.public_id, "promote"])).status_code == 404
    assert client.post(reverse("kyc_number", args=[uuid.uuid4()])).status_code == 404
    assert doing(client, case, "approve", tier="3").status_code == 404
    assert doing(client, case, "ask-again", document="x").status_code == 404


# The queue ----------------------------------------------------------------------------------------------------------
def waiting(asked: Filter, *, officer_id: int = 0, **more: Any) -> list[KycSubmission]:
    return list(waiting_cases(asked, officer_id=officer_id, now=now(), **more))


def test_who_waits_longest_comes_first_and_pages_go_on_by_key(ledger: object) -> None:
    moment = now() - dt.timedelta(days=2)
    made = [
        case_of(person(f"p{n}", tier=0), number=sa_id(f"80010{n + 1}504408"), at=moment + dt.timedelta(hours=n // 2))
        for n in range(5)
    ]
    assert waiting(Filter()) == made
    for position, one in enumerate(made):  # two of them came at the same moment
        assert waiting(Filter(), after=(one.created_at, one.pk)) == made[position + 1 :]


def test_views_narrow_and_count(ledger: object) -> None:
    moment = now()
    client = officer()
    me = User.objects.get(email="kyc@example.com").pk
    old = case_of(person("old", tier=0), at=moment - dt.timedelta(days=3))
    both = case_of(
        person("both", tier=0),
        number=sa_id("800101504408"),
        documents=[(KycDocument.Kind.IDENTITY, picture("PNG")), (KycDocument.Kind.PROOF_OF_ADDRESS, PDF)],
    )
    red = case_of(person("red", tier=0), number=sa_id(f"{moment:%y%m%d}504408"), documents=[CARD[0]])
    doing(client, both, "claim")
    found = {name: waiting(view, officer_id=me) for name, view in VIEWS.items()}
    assert found == {
        "All": [old, both, red],
        "To look at": [old, red],
        "Mine": [both],
        "Second officer": [],
        "Red": [red],
        "Tier 2": [both],
        "Over a day": [old],
        "With the customer": [],
    }
    counts = waiting_counts(officer_id=me, now=now())
    assert {name: one.count for name, one in counts.items()} == {name: len(rows) for name, rows in found.items()}
    assert counts["All"].since == old.created_at
    assert counts["Second officer"].since is None


def test_the_queue_shows_names_and_colours_and_narrows_by_address(case: KycSubmission) -> None:
    client = officer()
    assert "Lerato Mokoena" in text(client.get(reverse("kyc_queue")))
    assert "Lerato Mokoena" not in text(client.get(reverse("kyc_queue"), {"risk": "red"}))
    odd = {"tier": "9", "whose": "x", "days": "-1", "waits_for": "\x00", "after": "[1, 2", "risk": "\ud7ff"}
    assert "Lerato Mokoena" in text(client.get(reverse("kyc_queue"), odd))
    for after in ('["2026-01-01T00:00:00+00:00", 99]', "[]", '["x", 1]', '["2026-01-01", null]', "9" * 5000):
        assert client.get(reverse("kyc_queue"), {"after": after}).status_code == 200


def test_the_next_case_is_one_that_can_be_claimed(ledger: object) -> None:
    client, other = officer(), officer("kyc2")
    first, second, third = (case_of(person(f"p{n}", tier=0), number=sa_id(f"80010{n + 1}504408")) for n in range(3))
    doing(other, first, "claim")
    assert client.get(reverse("kyc_next"))["Location"].startswith(page_of(second))
    doing(client, third, "claim")
    assert client.get(reverse("kyc_next"))["Location"].startswith(page_of(third))
    assert client.get(reverse("kyc_next"), {"waits_for": "second"})["Location"].startswith(reverse("kyc_queue"))
    page = client.get(page_of(second)).content.decode()
    [link] = re.findall(r'href="([^"]*)"[^>]*data-key="n"', page)
    assert client.get(link.replace("&amp;", "&"))["Location"].startswith(page_of(third))


def test_after_the_last_case_comes_the_oldest_that_the_officer_may_take(ledger: object) -> None:
    client, other = officer(), officer("kyc2")
    cases = [case_of(person(f"p{n}", tier=0), number=sa_id(f"80010{n + 1}504408")) for n in range(4)]
    doing(other, cases[0], "claim")
    doing(client, cases[2], "claim")

    def after(case: KycSubmission) -> str:
        [link] = re.findall(r'href="([^"]*)"[^>]*data-key="n"', client.get(page_of(case)).content.decode())
        where: str = client.get(link.replace("&amp;", "&"))["Location"]
        return where

    # What is claimed and what is free are walked together, so that nothing is passed over.
    for here, there in ((0, 1), (1, 2), (2, 3), (3, 1)):
        assert after(cases[here]).startswith(page_of(cases[there])), here
    for one in (cases[1], cases[3]):
        doing(other, one, "claim")
    assert after(cases[2]).startswith(reverse("kyc_queue"))
    assert "Nothing else waits in this view that you could take." in text(client.get(reverse("kyc_queue")))


def test_the_queue_and_a_case_take_a_fixed_number_of_queries(case: KycSubmission, lerato: Person) -> None:
    client = officer()

    def cost() -> list[int]:
        numbers = []
        for address in (reverse("kyc_queue"), page_of(case)):
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            numbers.append(len(queries))
        return numbers

    before = cost()
    for n in range(4):
        case_of(person(f"p{n}", tier=0))
    for n in range(3):
        doing(client, case, "note", text=f"Note {n}")
    assert cost() == before
    assert before[0] <= QUEUE_QUERIES, before
    assert before[1] <= CASE_QUERIES, before


INDEX_OF = {
    "ix_kyc_submissions_queue": Filter(),
    "ix_kyc_waiting": Filter(waits_for="second"),
    "ix_kyc_waiting_tier": Filter(tier=2),
    "ix_kyc_waiting_red": Filter(is_red=True),
    "ix_kyc_claimed": Filter(whose="mine"),
}


def test_each_filter_has_an_index(ledger: object, owner_sql: Any) -> None:
    owner_sql(
        """
        INSERT INTO users (password, is_superuser, public_id, email, first_name, last_name)
        SELECT '', FALSE, gen_random_uuid(), 'u' || n || '@example.com', 'U', 'N' FROM generate_series(1, 5000) AS n
        """
    )
    owner_sql(
        """
        INSERT INTO kyc_submissions (
            public_id, user_id, id_type, id_number_encrypted, id_number_index, status, reason, created_at, sought_tier,
            is_red, waits_for, version
        )
        SELECT
            gen_random_uuid(), u.id, 'sa_id', 'x', decode(md5(u.id::text) || md5('x'), 'hex'), 'pending', '',
            now() - u.id * interval '1 minute', 1 + (u.id % 50 = 0)::int, u.id % 40 = 0, 'officer', 1
        FROM users AS u WHERE u.email LIKE 'u%'
        """
    )
    owner_sql("ANALYZE kyc_submissions")
    owner_sql("ANALYZE users")
    for index, asked in INDEX_OF.items():
        plan = waiting_cases(asked, officer_id=7, now=now())[:50].explain()
        assert index in plan, plan
        assert "Seq Scan on kyc_submissions" not in plan


# A case ---------------------------------------------------------------------------------------------------------------
def test_a_case_shows_what_was_said_beside_checks_and_documents(case: KycSubmission) -> None:
    client = officer()
    answer = client.get(page_of(case))
    shown = text(answer)
    for told in (
        "Lerato Mokoena",
        "****** **44 08 9",
        "lerato@example.com",
        "At least 18 years old by the number.",
        "no machine reads them",
    ):
        assert told in shown
    assert "1975" not in shown
    assert THANDIS_ID not in answer.content.decode()
    assert KycDocument.objects.get().path not in answer.content.decode()
    assert not AuditEvent.objects.filter(verb="kyc.document_viewed").exists()  # nothing was looked at yet


def test_the_date_of_birth_is_told_to_whoever_has_claimed_the_case_alone(case: KycSubmission) -> None:
    client, other = officer(), officer("kyc2")
    doing(client, case, "claim")
    assert "Born 30 March 1975 by the number" in text(client.get(page_of(case)))
    assert "1975" not in text(other.get(page_of(case)))
    doing(client, case, "approve", tier="1")
    assert "1975" not in text(client.get(page_of(case)))


def test_the_number_is_shown_once_to_who_claimed_the_case(case: KycSubmission) -> None:
    client = officer()
    address = reverse("kyc_number", args=[case.public_id])
    assert THANDIS_ID not in client.post(address, follow=True).content.decode()
    doing(client, case, "claim")
    answer = client.post(address)
    assert THANDIS_ID in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert THANDIS_ID not in client.get(page_of(case)).content.decode()
    assert AuditEvent.objects.filter(verb="kyc.number_shown").count() == 1


def test_a_day_at_the_desk_by_forms_alone(lerato: Person) -> None:
    case = case_of(lerato, documents=[CARD[0], (KycDocument.Kind.PROOF_OF_ADDRESS, pdf())])
    first, second = officer("first"), officer("second")
    assert "Claim the case first" in text(doing(first, case, "approve", tier="2"))
    doing(first, case, "claim")
    assert "Another officer has claimed this case" in text(doing(second, case, "claim"))
    assert "has changed since you opened it" in text(doing(first, case, "approve", tier="2", version=1))
    assert "Please write a sentence" in text(doing(first, case, "reject", reason=" "))
    document = case.documents.earliest("pk").public_id
    shown = text(doing(first, case, "ask-again", document=str(document), reason="It is dark"))
    assert "It is dark" in shown
    assert "can only be rejected" in shown
    kyc.send_again(
        user_public_id=lerato.user.public_id,
        submission_public_id=case.public_id,
        replaces=document,
        document=picture(colour=(1, 1, 1)),
        now=now(),
        origin=Origin(),
    )
    assert "sent again" in text(first.get(page_of(case)))
    shown = text(doing(first, case, "approve", tier="2"))
    assert "Another officer has to look at it now" in shown
    assert "First X proposes tier 2" in text(second.get(page_of(case)))
    doing(second, case, "claim")
    assert "Approved by two" in text(doing(second, case, "confirm"))
    assert "has been decided already" in text(doing(second, case, "confirm"))
    assert "Approved to tier 2" in text(first.get(page_of(case)))
    assert User.objects.get(pk=lerato.user.pk).kyc_tier == 2


def test_what_an_officer_types_is_shown_as_text(case: KycSubmission) -> None:
    client = officer()
    doing(client, case, "note", text="<script>alert(1)</script>")
    html = client.get(page_of(case)).content.decode()
    assert "<script>alert" not in html
    assert KycNote.objects.get().text == "<script>alert(1)</script>"


def test_the_pages_run_no_script_but_files_of_our_own(case: KycSubmission) -> None:
    client = officer()
    for address in (reverse("kyc_queue"), page_of(case)):
        answer = client.get(address)
        body = answer.content.decode().partition('id="content"')[2]
        assert re.findall(r"<script(?![^>]*src)[^>]*>|\son\w+=", body) == []
        assert "default-src 'self'" in answer["Content-Security-Policy"]


# Pages of a PDF -------------------------------------------------------------------------------------------------------
def test_a_page_of_a_pdf_is_shown_as_a_picture_and_each_look_is_written_down(lerato: Person) -> None:
    case_of(lerato, documents=[(KycDocument.Kind.IDENTITY, pdf(12))])
    document = KycDocument.objects.get()
    client = officer()
    answer = client.get(reverse("kyc_page", args=[document.public_id, 2]))
    assert (answer["Content-Type"], answer["X-Pages-Shown"], answer["X-Pages"]) == ("image/jpeg", "10", "12")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    seen = Image.open(io.BytesIO(answer.content))
    assert max(seen.size) == 2000
    assert min(seen.convert("L").tobytes()) < 50  # there is writing on it
    [event] = AuditEvent.objects.filter(verb="kyc.document_viewed")
    assert event.facts == {"document": str(document.public_id), "page": 2}
    assert client.get(reverse("kyc_page", args=[document.public_id, 11])).status_code == 409
    assert client.get(reverse("kyc_page", args=[document.public_id, 0])).status_code == 409
    assert AuditEvent.objects.filter(verb="kyc.document_viewed").count() == 1


def test_only_a_pdf_has_pages_and_only_for_who_may_see_it(case: KycSubmission) -> None:
    document = KycDocument.objects.get().public_id
    assert officer().get(reverse("kyc_page", args=[document, 1])).status_code == 404
    assert officer("x").get(reverse("kyc_page", args=[uuid.uuid4(), 1])).status_code == 404
    assert signed_in(colleague("support")).get(reverse("kyc_page", args=[document, 1])).status_code == 403


def test_what_is_no_pdf_inside_is_not_shown() -> None:
    for broken in (PDF, b"%PDF-1.7\n%%EOF", pdf()[:400], b""):
        with pytest.raises(PageNotShown):
            kyc_pages.draw(broken, number=1)


def test_a_page_of_any_size_is_a_picture_of_a_bounded_one() -> None:
    for size in ((14_400, 14_400), (1, 14_400), (3, 3)):
        output = io.BytesIO()
        canvas = Canvas(output, pagesize=size)
        canvas.showPage()
        canvas.save()
        page = Image.open(io.BytesIO(kyc_pages.draw(output.getvalue(), number=1).content))
        assert max(page.size) <= 2001


def test_drawing_knows_no_secret_has_little_memory_and_writes_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same limits, with another program in them, which tries."""
    drawer = kyc_pages.DRAWER.read_text().partition("def main()")[0]
    tries = """
def main():
    import json, os
    found = {"environment": sorted(set(os.environ) - {"LC_CTYPE"})}
    try:
        bytearray(2 * 1024**3)
    except MemoryError:
        found["memory"] = "refused"
    try:
        with open("FILE", "wb") as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        found["file"] = type(error).__name__
    print(json.dumps({"pages": 1}))
    print(json.dumps(found))
give_up_what_is_not_needed()
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
main()
"""
    attempt = tmp_path / "attempt.py"
    attempt.write_text(drawer + tries.replace("FILE", str(tmp_path / "written")))
    monkeypatch.setattr(kyc_pages, "DRAWER", attempt)
    monkeypatch.setenv("MYMOOLAH_SECRET_KEY", "hush")
    answer = kyc_pages.draw(b"", number=1).content
    assert b'"environment": []' in answer
    assert b'"memory": "refused"' in answer
    assert b'"file": "OSError"' in answer


def test_drawing_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = tmp_path / "endless.py"
    endless.write_text("while True: pass")
    monkeypatch.setattr(kyc_pages, "DRAWER", endless)
    monkeypatch.setattr(kyc_pages, "WALL_SECONDS", 0.5)
    with pytest.raises(PageNotShown):
        kyc_pages.draw(b"", number=1)


def test_few_pages_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kyc_pages, "WAIT_SECONDS", 0)
    with kyc_pages._drawing, kyc_pages._drawing, pytest.raises(Unavailable):
        kyc_pages.draw(pdf(), number=1)
    assert kyc_pages.draw(pdf(), number=1).total_count == 2
