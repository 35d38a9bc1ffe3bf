"""Pages of a PDF as pictures, drawn by PDFium in a process of their own.

A PDF is a program of a stranger's. Whatever it does, it does it in a process that lives for one page, knows no secret
(its environment is empty), and has little memory, time and nowhere to write. What comes back is pixels, drawn anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mymoolah.common.errors import DomainError, Unavailable

PAGES_MAX: Final = 10
WALL_SECONDS: Final = 15
WAIT_SECONDS: Final = 10
DRAWER: Final = Path(__file__).with_name("kyc_page_drawer.py")

_drawing = threading.BoundedSemaphore(2)  # of those in one web process


class PageNotShown(DomainError):
    code, status, title = "page_not_shown", 409, "This page cannot be shown"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page as a JPEG, and how many of the document's pages can be shown, and how many there are."""

    content: bytes
    shown_count: int
    total_count: int


def draw(pdf: bytes, *, number: int) -> Page:
    """Draw page `number`, counted from 1, of the first ten.

    :raises PageNotShown: there is none, or it cannot be drawn within the limits
    :raises Unavailable: others were being drawn for ten seconds
    """
    if not 1 <= number <= PAGES_MAX:
        raise PageNotShown
    if not _drawing.acquire(timeout=WAIT_SECONDS):
        raise Unavailable
    try:
        answer = subprocess.run(
            [sys.executable, "-I", DRAWER, str(number)],
            input=pdf,
            capture_output=True,
            timeout=WALL_SECONDS,
            check=True,
            env={},
            cwd="/",
        ).stdout
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise PageNotShown from error
    finally:
        _drawing.release()
    head, _, content = answer.partition(b"\n")
    total = int(json.loads(head)["pages"])
    return Page(content=content, shown_count=min(total, PAGES_MAX), total_count=total)
