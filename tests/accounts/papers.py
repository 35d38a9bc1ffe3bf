"""Identity documents of people who do not exist, and sending them."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from PIL import Image, TiffImagePlugin
from stdnum import luhn

from tests.api import V1, Caller, calling
from tests.conftest import Person
from tests.description import as_described

THANDIS_ID, MASKED = "7503305044089", "****** **44 08 9"
PASSPORT = {"id_type": "passport", "id_number": "a0123 4567", "passport_expires_on": "2099-12-31"}
GPS, MAKER, TELEPHONE = 0x8825, 0x010F, "Thandi's telephone"
PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


def sa_id(first_twelve: str) -> str:
    return first_twelve + luhn.calc_check_digit(first_twelve)


def sa_id_of(born_on: dt.date) -> str:
    return sa_id(f"{born_on:%y%m%d}504408")


def picture(
    kind: str = "JPEG",
    *,
    size: tuple[int, int] = (60, 40),
    colour: Any = (200, 30, 30),
    mode: str = "RGB",
    **options: Any,
) -> bytes:
    output = io.BytesIO()
    Image.new(mode, size, colour).save(output, kind, **options)
    return output.getvalue()


def photograph(*, orientation: int = 1) -> bytes:
    """A picture that says where it was taken, by what, and what it looked like before it was cut."""
    exif = Image.Exif()
    exif[MAKER] = TELEPHONE
    exif[0x0112] = orientation
    exif[GPS] = {
        1: "S",
        2: (TiffImagePlugin.IFDRational(26), TiffImagePlugin.IFDRational(12), TiffImagePlugin.IFDRational(15)),
    }
    return picture(exif=exif, comment=b"at Thandi's home")


def sent_as(name: str, content: bytes, content_type: str = "") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type)


def submitting(who: Person | Caller, documents: Any = None, **fields: Any) -> HttpResponse:
    """Send documents, bytes as photographs; a field of `...` is left out."""
    caller = who if isinstance(who, Caller) else calling(who)
    files = [picture()] if documents is None else documents
    if isinstance(files, list):
        files = [sent_as("x.jpg", one) if isinstance(one, bytes) else one for one in files]
    body = {"id_type": "sa_id", "id_number": THANDIS_ID, "documents": files, **fields}
    sent = {name: value for name, value in body.items() if value is not ...}
    return as_described(caller.client.post(V1 + "kyc/submissions", sent, headers=caller._headers({})))
