"""What a document may be, what is kept of it, where it lies, and who sees it."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import logging
import os
import stat
import struct
import subprocess
import sys
import time
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from accounts import kyc_documents, kyc_files
from accounts.kyc_documents import (
    CanAct,
    Document,
    DocumentRefused,
    Locked,
    TooManyPixels,
    UnknownFormat,
    Unreadable,
    read_documents,
)
from accounts.models import AuditEvent, KycDocument, KycSubmission
from mymoolah.common import crypto
from mymoolah.common.clock import now
from mymoolah.common.errors import Unavailable
from reporting.roles import ROLES
from tests.accounts.papers import PDF, TELEPHONE, photograph, picture, submitting
from tests.back_office.house import colleague, emergency, signed_in
from tests.conftest import Person, person

WIDE = (3, 1)


def read_document(sent: bytes) -> Document:
    [document] = read_documents([sent])
    return document


def opened(document: Document) -> Image.Image:
    image = Image.open(io.BytesIO(document.content))
    image.load()
    return image


# What is in it ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sent", "content_type"),
    [
        (picture(), "image/jpeg"),
        (picture(progressive=True), "image/jpeg"),
        (picture(mode="L", colour=7), "image/jpeg"),
        (picture(mode="CMYK", colour=(1, 2, 3, 4)), "image/jpeg"),
        (picture("PNG"), "image/png"),
        (picture("PNG", mode="1", colour=1), "image/png"),
        (picture("PNG", mode="P", colour=1), "image/png"),
        (picture("PNG", mode="LA", colour=(7, 7)), "image/png"),
        (picture("PNG", mode="RGBA", colour=(1, 2, 3, 4)), "image/png"),
        (PDF, "application/pdf"),
    ],
)
def test_pictures_and_pdfs_of_every_kind_are_read(sent: bytes, content_type: str) -> None:
    document = read_document(sent)
    assert (document.content_type, document.sha256) == (content_type, hashlib.sha256(sent).digest())
    if content_type != "application/pdf":
        assert opened(document).size == (60, 40)
        assert opened(document).mode in {"L", "RGB", "RGBA"}


def test_a_picture_stays_what_it_shows() -> None:
    for kind in ("JPEG", "PNG"):
        red, green, blue = opened(read_document(picture(kind))).getpixel((5, 5))  # type: ignore[misc]
        assert abs(red - 200) + abs(green - 30) + abs(blue - 30) < 9
    grey = opened(read_document(picture("PNG", mode="I;16", colour=0x8000)))
    assert grey.getpixel((5, 5)) == 0x80


def test_nothing_is_kept_but_what_can_be_seen() -> None:
    sent = photograph()
    assert TELEPHONE.encode() in sent
    document = read_document(sent)
    assert TELEPHONE.encode() not in document.content
    assert b"Thandi" not in document.content
    assert b"Exif" not in document.content
    assert not opened(document).getexif()
    assert opened(document).info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_texts_and_places_in_a_png_are_left_out() -> None:
    from PIL import PngImagePlugin

    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", TELEPHONE)
    texts.add_itxt("XML:com.adobe.xmp", "<gps>26 S</gps>", zip=True)
    document = read_document(picture("PNG", pnginfo=texts, exif=Image.Exif().tobytes(), dpi=(72, 72)))
    assert opened(document).info == {}


def test_a_photograph_taken_sideways_is_turned_before_that_is_forgotten() -> None:
    assert opened(read_document(photograph(orientation=6))).size == (40, 60)


def test_what_hangs_behind_a_picture_is_cut_off() -> None:
    for kind in ("JPEG", "PNG"):
        document = read_document(picture(kind) + b"<html><script>alert(1)</script>" + PDF)
        assert b"script" not in document.content
        assert b"%PDF" not in document.content


def test_an_animation_keeps_its_first_picture() -> None:
    red, blue = Image.new("RGB", WIDE, "red"), Image.new("RGB", WIDE, "blue")
    output = io.BytesIO()
    red.save(output, "PNG", save_all=True, append_images=[blue])
    kept = opened(read_document(output.getvalue()))
    assert getattr(kept, "n_frames", 1) == 1
    assert kept.getpixel((0, 0)) == (255, 0, 0)


def scans(count: int) -> bytes:
    """A JPEG that asks for `count` passes."""
    sent = picture(progressive=True)
    start = sent.rindex(b"\xff\xda")
    return sent[:start] + sent[start:-2] * count + sent[-2:]


def claiming(width: int, height: int) -> bytes:
    """A PNG that says it is as large as that, and is not."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + picture("PNG")[33:]


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        (b"x", UnknownFormat),
        (b"hello, I am a photograph", UnknownFormat),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnknownFormat),
        (b"<html><script>alert(1)</script>" + picture(), UnknownFormat),
        (b"junk" + PDF, UnknownFormat),
        (b"PK\x03\x04" + PDF, UnknownFormat),
        (picture("GIF"), UnknownFormat),
        (picture("TIFF"), UnknownFormat),
        (picture("WEBP"), UnknownFormat),
        (picture("BMP"), UnknownFormat),
        (picture()[:200], Unreadable),
        (picture(size=(600, 400))[:-200], Unreadable),
        (picture("PNG")[:60], Unreadable),
        (b"\xff\xd8\xff", Unreadable),
        (b"\x89PNG\r\n\x1a\n", Unreadable),
        (b"\xff\xd8\xff" + PDF, Unreadable),
        (b"\x89PNG\r\n\x1a\n" + os.urandom(2000), Unreadable),
        (claiming(600, 400), Unreadable),
        (claiming(6_000, 5_001), TooManyPixels),
        (claiming(12_000, 12_000), TooManyPixels),
        (claiming(2**31 - 1, 2**31 - 1), TooManyPixels),
        (scans(200), Unreadable),
        (PDF[:-8], Unreadable),
        (b"%PDF-", Unreadable),
        (PDF + b" " * 1100, Unreadable),
        (PDF.replace(b"/Root", b"/Encrypt 5 0 R /Root"), Locked),
        (PDF.replace(b"/Type", b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >> /Type"), CanAct),
        (PDF.replace(b"/Type", b"/OpenAction << /S /J#61va#53cript /JS (app.alert(1)) >> /Type"), CanAct),
        (PDF.replace(b"/Type", b"/A << /S /Launch /F (cmd.exe) >> /Type"), CanAct),
        (PDF.replace(b"/Type", b"/Names << /EmbeddedFiles 7 0 R >> /Type"), CanAct),
    ],
)
def test_anything_else_is_refused(sent: bytes, refusal: type[DocumentRefused]) -> None:
    with pytest.raises(DocumentRefused) as caught:
        read_document(sent)
    assert type(caught.value) is refusal


def test_a_bomb_is_refused_before_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kyc_documents, "_seen", lambda *_: pytest.fail("it was drawn"))
    for size in ((6_000, 5_001), (9_000, 9_000)):
        bomb = picture("PNG", mode="1", size=size, colour=1)
        assert len(bomb) < 100_000
        with pytest.raises(TooManyPixels):
            read_document(bomb)


def test_nobody_waits_for_long_while_others_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kyc_documents, "WAIT_SECONDS", 0.01)
    with kyc_documents._drawing, pytest.raises(Unavailable):
        read_document(picture())
    assert read_document(PDF).content == PDF
    assert read_document(picture()).content_type == "image/jpeg"


@pytest.mark.parametrize(
    "last", [b"x", b"\x89PNG\r\n\x1a\nx", b"\xff\xd8\xffx", claiming(6_000, 5_001), scans(200), PDF[:-8]]
)
def test_nothing_is_drawn_before_all_is_looked_at(last: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kyc_documents, "_seen", lambda *_: pytest.fail("it was drawn"))
    with pytest.raises(DocumentRefused):
        read_documents([picture("PNG"), picture(), PDF, last])


def memory_held() -> int:
    """Of pictures, in pieces of whatever size."""
    held: dict[str, int] = Image.core.get_stats()  # type: ignore[attr-defined]
    return held["allocated_blocks"] - held["freed_blocks"]


def test_a_pictures_memory_is_free_before_the_next_one_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    before, draw, held = memory_held(), kyc_documents._seen, []

    def watched(*asked: Any) -> bytes:
        held.append(memory_held() - before)
        return draw(*asked)

    monkeypatch.setattr(kyc_documents, "_seen", watched)
    read_documents([picture(), picture("PNG"), photograph(orientation=6)])
    assert held == [0, 0, 0]


def test_a_refusal_that_is_still_being_told_holds_no_picture() -> None:
    before = memory_held()
    for sent in (picture(size=(600, 400))[:-200], claiming(600, 400)):
        with pytest.raises(Unreadable) as refused:
            read_document(sent)
        assert (memory_held() - before, type(refused.value)) == (0, Unreadable)


FOUR_THREADS = """
import io, re, threading
from pathlib import Path
from PIL import Image
from accounts import kyc_documents

def draw():
    kyc_documents.read_documents([sent])

def most_megabytes_after(*threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

kyc_documents.WAIT_SECONDS = 60
output = io.BytesIO()
Image.new("RGBA", (3500, 3500)).save(output, "PNG")
sent = output.getvalue()
print(most_megabytes_after(threading.Thread(target=draw)))
print(most_megabytes_after(*(threading.Thread(target=draw) for _ in range(4))))
"""


def test_four_threads_that_draw_in_turn_take_the_memory_of_one() -> None:
    told = subprocess.run([sys.executable, "-c", FOUR_THREADS], capture_output=True, check=True, text=True).stdout
    one, four = map(int, told.split())
    assert four < one + 40, "a picture of theirs takes 47 MiB, twice while it is drawn"


def test_as_many_passes_as_cameras_make_are_fine() -> None:
    assert picture(progressive=True).count(kyc_documents.JPEG_SCAN) <= kyc_documents.JPEG_SCANS_MAX / 2


def test_whatever_bytes_are_sent_they_are_read_or_refused() -> None:
    import random

    chance = random.Random(7)
    for original in (photograph(), picture("PNG", size=(30, 30)), PDF):
        for _ in range(150):
            bytes_sent = bytearray(original)
            for _ in range(chance.randint(1, 6)):
                bytes_sent[chance.randrange(8, len(bytes_sent))] = chance.randrange(256)
            try:
                read_document(bytes(bytes_sent))
            except DocumentRefused:
                continue


# Where it lies ------------------------------------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.DOCUMENTS_DIR = tmp_path / "documents"
    return tmp_path / "documents"


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def naledi_at_tier_0(db: None) -> Person:
    return person("naledi", tier=0)


def document_of(who: Person, sent: bytes | None = None) -> KycDocument:
    assert submitting(who, [sent or picture()]).status_code == 201
    return KycDocument.objects.get(submission__user=who.user)


def test_on_the_disk_there_is_neither_the_document_nor_a_name(naledi_at_tier_0: Person, folder: Path) -> None:
    document = document_of(naledi_at_tier_0, PDF)
    [file] = files_in(folder)
    assert str(file.relative_to(folder)) == document.path
    assert b"PDF" not in file.read_bytes()
    assert file.suffix == ""
    assert str(document.public_id) not in str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(parent.stat().st_mode) for parent in (folder, file.parent, file.parent.parent)} == {0o700}
    assert kyc_files.read(document) == PDF
    assert document.size_bytes == len(PDF)


def test_a_file_cannot_be_changed_or_put_in_the_place_of_another(naledi_at_tier_0: Person, folder: Path) -> None:
    assert submitting(naledi_at_tier_0, [picture(), PDF]).status_code == 201
    first, second = KycDocument.objects.order_by("pk")
    one, two = folder / first.path, folder / second.path
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    with pytest.raises(InvalidTag):
        kyc_files.read(first)
    one.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(InvalidTag):
        kyc_files.read(first)


def test_what_an_older_key_has_encrypted_can_still_be_read(naledi_at_tier_0: Person, settings: Any) -> None:
    document = document_of(naledi_at_tier_0, PDF)
    from mymoolah.common.keys import random_key

    settings.ENCRYPTION_KEYS = [f"2:{random_key()}", *settings.ENCRYPTION_KEYS]
    assert kyc_files.read(document) == PDF
    assert crypto.encrypt_bytes(b"x", context="y").startswith(b"2.")
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    with pytest.raises(KeyError):
        kyc_files.read(document)


def write_two_and(then: Callable[[], object], *, between: Callable[[], object] = lambda: None) -> None:
    with kyc_files.writing() as put:
        put(b"one", "x")
        between()
        put(b"two", "y")
        then()


def test_what_fails_leaves_no_file(db: None, folder: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_two_and(lambda: 1 // 0)
    assert files_in(folder) == []


def test_a_disk_that_is_full_leaves_no_file(db: None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_two_and(lambda: None, between=lambda: monkeypatch.setattr(os, "fsync", full))
    assert files_in(folder) == []


def test_a_commit_that_nobody_answered_leaves_its_files_to_the_sweep(db: None, folder: Path) -> None:
    """It may have arrived: files that a row names must not go."""

    def lose_the_connection() -> None:
        raise OperationalError("the connection is lost")

    with pytest.raises(OperationalError):
        write_two_and(lose_the_connection)
    assert len(files_in(folder)) == 2


def test_the_sweep_removes_what_no_row_names_after_a_day(
    naledi_at_tier_0: Person, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = document_of(naledi_at_tier_0)
    with kyc_files.writing() as put:
        lost, young = folder / put(b"lost", "x"), folder / put(b"young", "y")
    draft = lost.with_suffix(".draft")
    draft.write_bytes(b"half")
    two_days_ago = time.time() - 2 * 24 * 3600
    for file in (lost, draft, folder / document.path):
        os.utime(file, (two_days_ago, two_days_ago))
    call_command("sweep_kyc_files")
    assert capsys.readouterr().out == "2 files removed.\n"
    assert set(files_in(folder)) == {folder / document.path, young}
    call_command("sweep_kyc_files", "--json")
    assert capsys.readouterr().out == '{"removed": 0}\n'


def test_there_is_nothing_to_sweep_before_the_first_document(db: None) -> None:
    assert kyc_files.remove_orphans(before=now() + dt.timedelta(days=1)) == 0


# Who sees it --------------------------------------------------------------------------------------------------------
def page(document: KycDocument) -> str:
    return reverse("kyc_document", args=[document.public_id])


def test_its_address_is_the_one_that_was_agreed() -> None:
    known = uuid.UUID("0b3f3d5e-6c1c-4c0e-9d0e-2f6a1c7b8e90")
    assert reverse("kyc_document", args=[known]) == f"/admin/kyc/documents/{known}"


def test_an_officer_sees_a_picture_in_a_sandbox_and_the_trail_says_so(naledi_at_tier_0: Person) -> None:
    document, officer = document_of(naledi_at_tier_0), colleague("kyc")
    answer = signed_in(officer).get(page(document))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(answer.content)).size == (60, 40)
    assert answer["Content-Disposition"] == "inline"
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "'self'" not in answer["Content-Security-Policy"].partition("frame-ancestors")[0]
    event = AuditEvent.objects.get(verb="kyc.document_viewed")
    case = KycSubmission.objects.get()
    assert (event.actor, event.subject_type, event.subject_id, event.facts) == (
        officer,
        "kyc_submission",
        str(case.public_id),
        {"document": str(document.public_id)},
    )
    signed_in(officer).get(page(document))
    assert AuditEvent.objects.filter(verb="kyc.document_viewed").count() == 2


def test_a_pdf_is_handed_out_as_a_file(naledi_at_tier_0: Person) -> None:
    document = document_of(naledi_at_tier_0, PDF)
    answer = signed_in(colleague("kyc")).get(page(document))
    assert (answer.content, answer["Content-Type"]) == (PDF, "application/pdf")
    assert answer["Content-Disposition"] == f'attachment; filename="{document.public_id}.pdf"'
    assert answer["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize("role", sorted(ROLES))
def test_only_roles_that_may_see_documents_do(naledi_at_tier_0: Person, role: str) -> None:
    document = document_of(naledi_at_tier_0)
    allowed = "accounts.view_kycdocument" in ROLES[role]
    assert allowed == (role in {"administrator", "kyc", "auditor"})
    answer = signed_in(colleague(role)).get(page(document))
    assert answer.status_code == (200 if allowed else 403)
    assert AuditEvent.objects.filter(verb="kyc.document_viewed").exists() == allowed


def test_the_stranger_and_the_customer_herself_are_sent_to_the_door(naledi_at_tier_0: Person) -> None:
    document = document_of(naledi_at_tier_0)
    for client in (Client(), signed_in(naledi_at_tier_0.user)):
        answer = client.get(page(document))
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/admin/login/")
    assert not AuditEvent.objects.filter(verb="kyc.document_viewed").exists()


def test_superusers_are_written_down_too(naledi_at_tier_0: Person) -> None:
    root = emergency()
    assert signed_in(root).get(page(document_of(naledi_at_tier_0))).status_code == 200
    assert AuditEvent.objects.get(verb="kyc.document_viewed").actor == root


@pytest.mark.django_db
def test_a_document_that_is_not_there_is_not_found_and_nobody_without_the_right_learns_that() -> None:
    for role, status in (("kyc", 404), ("support", 403)):
        client = signed_in(colleague(role))
        assert client.get(f"/admin/kyc/documents/{uuid.uuid4()}").status_code == status
    client = signed_in(colleague("auditor"))
    assert client.get("/admin/kyc/documents/7").status_code == 404
    assert client.get("/admin/kyc/documents/../../etc/passwd").status_code == 404


def test_documents_are_only_looked_at(naledi_at_tier_0: Person) -> None:
    client, address = signed_in(colleague("kyc")), page(document_of(naledi_at_tier_0))
    for method in ("post", "put", "delete", "head"):
        assert getattr(client, method)(address).status_code == 405


def test_nothing_that_cannot_be_shown_is_written_down_as_seen(
    naledi_at_tier_0: Person, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    document, client = document_of(naledi_at_tier_0), signed_in(colleague("kyc"))
    (folder / document.path).unlink()
    client.raise_request_exception = False
    with caplog.at_level(logging.CRITICAL, "django.request"):
        assert client.get(page(document)).status_code == 500
    assert not AuditEvent.objects.filter(verb="kyc.document_viewed").exists()


def test_looking_costs_a_fixed_number_of_queries(
    naledi_at_tier_0: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    document, client = document_of(naledi_at_tier_0), signed_in(colleague("kyc"))
    with django_assert_max_num_queries(6):
        client.get(page(document))
