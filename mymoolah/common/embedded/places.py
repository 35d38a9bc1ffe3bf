"""Where the servers' files are, and which account runs them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import re
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STATE_DIR_VARIABLE = "MYMOOLAH_STATE_DIR"
DEFAULT_STATE_DIR = Path("/var/lib/mymoolah")
UNPRIVILEGED_ACCOUNT = "nobody"
READ, SEARCH = 4, 1  # bits of a file's mode; on a program, SEARCH is leave to run it

# Not tempfile.gettempdir(): two shells, each with its own TMPDIR, must find the same servers.
SHORT_DIR = Path("/tmp")  # noqa: S108
SOCKET_PATH_LIMIT_BYTES = 107  # unix(7): sun_path holds 108, with the zero that ends it
# libpq splits a host at commas, and clients disagree about escapes in a URL; so sockets get plain paths only.
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+", re.ASCII)
POSTGRES_SOCKET = ".s.PGSQL.5432"


class EmbeddedError(Exception):
    """The embedded servers cannot do what was asked; the message is for a user, and says why."""


@dataclass(frozen=True, kw_only=True)
class Account:
    uid: int
    gid: int

    def may(self, path: Path, bits: int) -> bool:
        """Whether the mode of `path` gives this account these bits."""
        info = path.stat()
        shift = 6 if info.st_uid == self.uid else 3 if info.st_gid == self.gid else 0
        return (info.st_mode >> shift) & bits == bits

    def reaches(self, path: Path) -> bool:
        """Whether this account may walk to `path`, or to where it is going to be made."""
        folders = {path, *path.parents, *path.resolve().parents}  # by way of links, too
        return all(self.may(folder, SEARCH) for folder in folders if folder.exists())


@dataclass(frozen=True, kw_only=True)
class Place:
    """The files of one data folder: in `base`, which is the folder itself (`wanted`) or stands in for it."""

    wanted: Path
    base: Path
    account: Account

    @property
    def pgdata(self) -> Path:
        return self.base / "postgres"

    @property
    def valkey(self) -> Path:
        return self.base / "valkey"

    @property
    def logs(self) -> Path:
        return self.base / "logs"

    @property
    def sockets(self) -> Path:
        near = self.base / "sockets"
        path = str(near / POSTGRES_SOCKET)
        if PLAIN_PATH.fullmatch(path) and len(path) <= SOCKET_PATH_LIMIT_BYTES:
            return near
        return SHORT_DIR / f"mymoolah-{_fingerprint(self.base)}"

    @property
    def postgres_socket(self) -> Path:
        return self.sockets / POSTGRES_SOCKET

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def forget_sockets(self) -> None:
        """Leave no folder behind outside the data folder, unless a server still uses it."""
        if self.sockets.parent == SHORT_DIR:
            with contextlib.suppress(OSError):
                self.sockets.rmdir()

    def remove(self) -> None:
        """Delete all that the servers have made, and the folder if nothing else is in it."""
        for folder in (self.pgdata, self.valkey, self.logs, self.sockets):
            shutil.rmtree(folder, ignore_errors=True)
        for name in ("postgres.json", "postgres.guard", "valkey.json", "valkey.guard", "servers.lock"):
            (self.base / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.base.rmdir()


def place_of(data_dir: Path) -> Place:
    """Choose the data folder itself; for root, another if the servers' account cannot get there. Writes nothing.

    Data once made decide: they are never left behind because a mode has changed.

    :raises EmbeddedError: run as root on a machine without an account for the servers.
    """
    wanted = data_dir.expanduser().resolve()
    if os.geteuid() != 0:
        return Place(wanted=wanted, base=wanted, account=Account(uid=os.geteuid(), gid=os.getegid()))
    elsewhere = state_dir() / _fingerprint(wanted)
    for base in (wanted, elsewhere):
        if (base / "postgres").exists():
            return Place(wanted=wanted, base=base, account=_owner(base / "postgres"))
    account = _unprivileged()
    return Place(wanted=wanted, base=wanted if account.reaches(wanted) else elsewhere, account=account)


def make_folders(place: Place, *, say: Callable[[str], None]) -> None:
    """Make the folders that are missing, each for the one account that needs it.

    :raises EmbeddedError: a folder is another account's, or the servers' account cannot reach it.
    """
    if place.wanted.exists() and not place.wanted.is_dir():
        raise EmbeddedError(f"{place.wanted} is not a folder; choose another data folder.")
    if place.base != place.wanted:
        say(f"The account of the servers cannot reach {place.wanted}; its data are in {place.base}.")
    make_passable(place.base)
    if not place.account.reaches(place.base):
        raise EmbeddedError(f"The account that runs the servers (uid {place.account.uid}) cannot reach {place.base}.")
    if place.pgdata.exists() and place.pgdata.stat().st_uid != place.account.uid:
        raise EmbeddedError(f"The data in {place.pgdata} belong to another account; choose another data folder.")
    place.logs.mkdir(mode=0o700, exist_ok=True)
    for folder in (place.valkey, place.sockets):
        make_private(folder, place.account)


def make_private(folder: Path, account: Account) -> None:
    """Make a folder for the servers' account alone.

    :raises EmbeddedError: somebody else has put something there.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid not in {account.uid, os.geteuid()}:
        raise EmbeddedError(f"{folder} belongs to somebody else; remove it, or choose another data folder.")
    handle = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW)  # a handle, lest it be swapped for a link meanwhile
    try:
        os.fchown(handle, account.uid, account.gid)
        os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


def make_passable(folder: Path) -> None:
    """Make the missing folders of a path so that every account may pass but not list them, whatever the umask."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        with contextlib.suppress(FileExistsError):
            missing.mkdir()
            missing.chmod(0o711)


def state_dir() -> Path:
    return Path(os.environ.get(STATE_DIR_VARIABLE) or DEFAULT_STATE_DIR).resolve()


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _owner(folder: Path) -> Account:
    """The account whose data these are, so that root can carry on what a user began."""
    info = folder.stat()
    return Account(uid=info.st_uid, gid=info.st_gid) if info.st_uid else _unprivileged()


def _unprivileged() -> Account:
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
    except KeyError as error:
        message = f"PostgreSQL does not run as root, and there is no account {UNPRIVILEGED_ACCOUNT} here to run it."
        raise EmbeddedError(message) from error
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)
