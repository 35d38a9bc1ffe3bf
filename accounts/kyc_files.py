"""Where documents lie: one encrypted file each, below DOCUMENTS_DIR, under a random name.

A file is written before the row that names it is committed, and taken away again if that fails. Where nobody can know
whether it failed (the process was killed, or the connection was lost while committing) the file stays, and
`remove_orphans` takes it away a day later, unless a row names it after all.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError

from accounts.models import KycDocument
from mymoolah.common import crypto

FOLDER_MODE, FILE_MODE = 0o700, 0o600
DRAFT = ".draft"

Put = Callable[[bytes, str], str]


@contextlib.contextmanager
def writing() -> Iterator[Put]:
    """Give a function that encrypts and keeps `content` of the document with a public id, and returns its path.

    Use it around the whole database transaction: what it wrote is taken away again when the block raises.
    """
    written: list[Path] = []

    def put(content: bytes, public_id: str) -> str:
        name = secrets.token_hex(16)
        path = f"{name[:2]}/{name[2:4]}/{name}"  # 65,536 folders: none is ever large
        written.append(_place(path))
        _write(_place(path), crypto.encrypt_bytes(content, context=_context(public_id)))
        return path

    try:
        yield put
    except (OperationalError, InterfaceError):
        raise  # the commit may have arrived
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        raise


def read(document: KycDocument) -> bytes:
    """What was kept of a document.

    :raises FileNotFoundError: it is no longer there
    :raises cryptography.exceptions.InvalidTag: somebody changed it, or put it in the place of another
    """
    return crypto.decrypt_bytes(_place(document.path).read_bytes(), context=_context(str(document.public_id)))


def remove_orphans(*, before: dt.datetime) -> int:
    """Remove files that were written before `before` and that no row names; how many there were.

    One folder at a time, one query each: nothing needs to know all of them.
    """
    removed = 0
    for folder in sorted(settings.DOCUMENTS_DIR.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]")):
        old = {
            str(file.relative_to(settings.DOCUMENTS_DIR)): file
            for file in folder.iterdir()
            if file.stat().st_mtime < before.timestamp()
        }
        named = set(KycDocument.objects.filter(path__in=old).values_list("path", flat=True))
        for file in (file for path, file in old.items() if path not in named):
            file.unlink(missing_ok=True)
            removed += 1
    return removed


def _context(public_id: str) -> str:
    return f"kyc_documents.{public_id}"


def _place(path: str) -> Path:
    return Path(settings.DOCUMENTS_DIR) / path


def _write(file: Path, content: bytes) -> None:
    """All of it or nothing, also when the power fails: a draft, on the disk, then its name, on the disk."""
    _make_folder(file.parent)
    draft = file.with_suffix(DRAFT)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as output:
            output.write(content)
            output.flush()
            os.fsync(output.fileno())
        draft.rename(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync(file.parent)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    if folder != settings.DOCUMENTS_DIR:
        _make_folder(folder.parent)
        folder.mkdir(FOLDER_MODE, exist_ok=True)
    else:
        folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
