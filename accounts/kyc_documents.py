"""What a document may be: a picture or a PDF, by what is in it, whatever its name says.

Pictures are drawn anew, so that nothing is kept but what can be seen: no place, time or telephone (EXIF, XMP), no
thumbnail of what was cut away, nothing behind the picture's end. A PDF is kept as it is. Of the ways it could act on
whoever opens it, those that it spells out are refused; others may hide in what it compresses, so staff are only ever
handed it as a file, in a sandbox.
"""

from __future__ import annotations

import hashlib
import re
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image, ImageOps

from mymoolah.common.errors import DomainError, Unavailable

JPEG, PNG, PDF = "image/jpeg", "image/png", "application/pdf"
BEGINNINGS = {JPEG: b"\xff\xd8\xff", PNG: b"\x89PNG\r\n\x1a\n", PDF: b"%PDF-"}

PIXELS_MAX = 30_000_000
FORMATS = {JPEG: "JPEG", PNG: "PNG"}
OPTIONS: Mapping[str, dict[str, Any]] = {JPEG: {"quality": 90}, PNG: {"compress_level": 3}}
# A few bytes can ask for one more pass over thirty million pixels. Within a scan every 0xFF is followed by another byte.
JPEG_SCAN = b"\xff\xda"
JPEG_SCANS_MAX = 20

PDF_END = b"%%EOF"
PDF_END_WITHIN_BYTES = 1024
PDF_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")  # /J#61vaScript is /JavaScript (ISO 32000-1, 7.3.5)
PDF_LOCK = b"/Encrypt"
PDF_DEEDS = (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/RichMedia")

# A picture of thirty million pixels takes some 250 MB and a few seconds: one at a time in a process. Who waits for his
# turn holds one of few threads, so nobody waits for long.
_drawing = threading.Lock()
WAIT_SECONDS = 3
# What malloc hands out in pieces of at most 32 MiB it keeps for the thread that asked, after it was freed too, so that
# each thread that ever drew would hold 250 MB. Larger pieces go back to the system at once (mallopt(3)).
Image.core.set_block_size(64 * 1024**2)  # type: ignore[attr-defined]


class DocumentRefused(DomainError):
    code, status, title = "document_refused", 400, "This document cannot be used"


class UnknownFormat(DocumentRefused):
    code, title = "unknown_format", "Send a JPEG, a PNG or a PDF"


class Unreadable(DocumentRefused):
    code, title = "unreadable", "This file is damaged or was cut short: please take or scan it again"


class TooManyPixels(DocumentRefused):
    code, title = "too_many_pixels", f"A picture has at most {PIXELS_MAX // 10**6} million pixels"


class Locked(DocumentRefused):
    code, title = "locked", "This PDF is protected by a password: please save it without one"


class CanAct(DocumentRefused):
    code, title = "can_act", "This PDF holds programs or other files: please print it into a new PDF"


@dataclass(frozen=True, kw_only=True)
class Document:
    """What is kept of a file that somebody sent; `sha256` is of the file as it came."""

    content: bytes
    content_type: str
    sha256: bytes


def read_documents(files: Sequence[bytes]) -> list[Document]:
    """Look into what somebody sent, and keep what is needed of it.

    Drawing takes seconds, so nothing is drawn before everything was looked at that can be told without.

    :raises DocumentRefused: its subclass says why
    :raises Unavailable: other pictures were being drawn for three seconds
    """
    content_types = [_checked(sent) for sent in files]
    return [
        Document(
            content=sent if content_type == PDF else _drawn_anew(sent, content_type),
            content_type=content_type,
            sha256=hashlib.sha256(sent).digest(),
        )
        for sent, content_type in zip(files, content_types, strict=True)
    ]


def _checked(sent: bytes) -> str:
    """What it is, once all that is quickly asked about it was."""
    content_type = next((kind for kind, beginning in BEGINNINGS.items() if sent.startswith(beginning)), None)
    if content_type is None:
        raise UnknownFormat
    if content_type == PDF:
        _check_pdf(sent)
    else:
        with _opened(sent, content_type):
            pass
    return content_type


def _check_pdf(sent: bytes) -> None:
    if PDF_END not in sent[-PDF_END_WITHIN_BYTES:]:
        raise Unreadable
    spelled_out = PDF_ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), sent)
    if PDF_LOCK in spelled_out:
        raise Locked
    if any(deed in spelled_out for deed in PDF_DEEDS):
        raise CanAct


def _drawn_anew(sent: bytes, content_type: str) -> bytes:
    if not _drawing.acquire(timeout=WAIT_SECONDS):
        raise Unavailable
    try:
        with _opened(sent, content_type) as picture:
            return _seen(picture, content_type)
    finally:
        _drawing.release()


@contextmanager
def _opened(sent: bytes, content_type: str) -> Iterator[Image.Image]:
    """A picture of which nothing but the header has been read; its memory is free afterwards, whatever happens."""
    if content_type == JPEG and sent.count(JPEG_SCAN) > JPEG_SCANS_MAX:
        raise Unreadable
    try:
        with closing(Image.open(BytesIO(sent), formats=[FORMATS[content_type]])) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                raise TooManyPixels
            yield picture
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels from error
    except DocumentRefused:
        raise
    except Exception as error:  # whatever a decoder stumbles over in a stranger's bytes, it is no picture
        traceback.clear_frames(error.__traceback__)  # a decoder of theirs holds the picture until all is told
        raise Unreadable from error


def _seen(picture: Image.Image, content_type: str) -> bytes:
    """The pixels alone, the right way up, in the same format."""
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode.startswith("I"):  # grey in 16 bits, of which 8 are seen
        seen = picture.point(lambda grey: grey * (1 / 256)).convert("L")
    else:
        seen = picture.convert(_mode(picture, content_type))
    picture.close()
    seen.info.clear()
    output = BytesIO()
    with closing(seen):
        seen.save(output, FORMATS[content_type], **OPTIONS[content_type])
    return output.getvalue()


def _mode(picture: Image.Image, content_type: str) -> str:
    if picture.mode in {"1", "L"}:
        return "L"
    return "RGBA" if content_type == PNG and picture.has_transparency_data else "RGB"
