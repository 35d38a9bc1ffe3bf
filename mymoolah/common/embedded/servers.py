"""How a server is found, started, waited for and stopped, and who has to stop it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mymoolah.common.embedded.places import Account, EmbeddedError, Place

START_LIMIT_SECONDS = 180.0  # a killed server may have gigabytes of its write-ahead log to replay
LOCK_LIMIT_SECONDS = 240.0
PAUSE_SECONDS = 0.02
QUOTED_LOG_LINES = 5
CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}  # no PGHOST, PGOPTIONS or password of the caller


@dataclass(frozen=True)
class Process:
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
        return Process.find(self.pid) == self


@dataclass(frozen=True, kw_only=True)
class Server:
    """What has to be known of one server."""

    name: str
    command: Sequence[str | Path]
    socket: Path
    log: Path
    record: Path  # says which process it is, and which has to stop it
    guard: Path  # locked by the server itself, for as long as any process of it lives
    prepare: Callable[[int], None]  # before a start; what it runs must keep the guard open
    is_ready: Callable[[], bool]
    stop_signals: Sequence[tuple[signal.Signals, float]]  # each with the seconds it is given


@dataclass(frozen=True, kw_only=True)
class Held:
    """A server that is ours to stop, with the handle that reaps it if it is our child."""

    server: Server
    process: Process
    child: subprocess.Popen[bytes] | None = None


def attach_or_start(server: Server, account: Account, *, say: Callable[[str], None]) -> Held | None:
    """Make a server answer; one that is returned is ours to stop.

    :raises EmbeddedError: it does not answer in time, or ends at once.
    """
    with server.guard.open("w") as guard:
        # The guard tells of what has no socket yet (its starter was killed just now), and of what outlives a killed
        # server: PostgreSQL's children hold its memory until they notice.
        if not _wait_until(lambda: _find(server) is not None or _is_locked(guard.fileno()), START_LIMIT_SECONDS):
            raise EmbeddedError(f"{server.name} is running, but cannot be reached at {server.socket}; stop it first.")
        process = _find(server)
        if process is not None and _becomes_ready(server, process):
            return _attach(server, process, say=say)
        # It may have been stopped by somebody while we waited.
        if not _wait_until(lambda: _is_locked(guard.fileno()), START_LIMIT_SECONDS):
            raise EmbeddedError(f"{server.name} has ended, but processes of it are still running; stop them first.")
        server.prepare(guard.fileno())
        say(f"Starting {server.name}.")
        return _start(server, account, guard=guard.fileno())


def stop(held: Held) -> None:
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
    if recorded(held.server.record, "server") is None:  # else it is of one that was started since ours died
        held.server.record.unlink(missing_ok=True)


def spawn(
    command: Sequence[str | Path], account: Account, log: Path, *, keep_open: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Run a program as the servers' account, in a session of its own, its output in a new log."""
    if log.exists():
        log.rename(log.with_suffix(".previous.log"))
    is_root = os.geteuid() == 0
    with log.open("wb") as output:
        return subprocess.Popen(
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
            pass_fds=keep_open,
            start_new_session=True,  # a Ctrl-C is for us; we stop the servers after what uses them
        )


def end_of(log: Path) -> str:
    """The last lines of a log, on lines of their own."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"  {line}" for line in lines[-QUOTED_LOG_LINES:])


@contextlib.contextmanager
def lock(place: Place) -> Iterator[None]:
    """Be the only one who starts or stops the servers of this place. The kernel frees it when we are killed.

    :raises EmbeddedError: somebody else has held it for too long.
    """
    with (place.base / "servers.lock").open("w") as handle:
        if not _wait_until(lambda: _is_locked(handle.fileno()), LOCK_LIMIT_SECONDS):
            raise EmbeddedError(f"Another process has been busy with the servers of {place.base} for too long.")
        yield


def _is_locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _find(server: Server) -> Process | None:
    return _listener(server.socket) or recorded(server.record, "server")


def _attach(server: Server, process: Process, *, say: Callable[[str], None]) -> Held | None:
    if recorded(server.record, "server") == process and recorded(server.record, "owner") is not None:
        say(f"{server.name} is already running.")
        return None
    say(f"Taking over {server.name}, left running by a killed process.")
    _own(server, process)
    return Held(server=server, process=process)


def _start(server: Server, account: Account, *, guard: int) -> Held:
    child = spawn(server.command, account, server.log, keep_open=(guard,))
    process = Process.find(child.pid)
    if process is not None:
        held = Held(server=server, process=process, child=child)
        with contextlib.ExitStack() as undo:
            undo.callback(stop, held)
            _own(server, process)
            if _becomes_ready(server, process):
                undo.pop_all()
                return held
    child.wait()
    raise EmbeddedError(f"{server.name} did not start; {server.log} ends with:\n{end_of(server.log)}")


def _becomes_ready(server: Server, process: Process) -> bool:
    """Wait until the server answers; False if it ends before.

    :raises EmbeddedError: neither within the limit.
    """
    if not _wait_until(lambda: server.is_ready() or not process.is_alive, START_LIMIT_SECONDS):
        who = f"{server.name} (process {process.pid})"
        limit = f"{START_LIMIT_SECONDS:.0f} seconds"
        raise EmbeddedError(f"{who} gave no answer in {limit}; {server.log} ends with:\n{end_of(server.log)}")
    return process.is_alive


def _wait_until(condition: Callable[[], bool], limit_seconds: float) -> bool:
    deadline = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def _listener(path: Path) -> Process | None:
    """The process that listens on a socket, asked of the kernel: no stale file can mislead."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, _, _ = struct.unpack("3i", credentials)
    return Process.find(pid)


def recorded(record: Path, role: str) -> Process | None:
    """The living process on record as the `server`, or as its `owner`, who has to stop it."""
    try:
        process = Process(*json.loads(record.read_text())[role])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return process if process.is_alive else None


def _own(server: Server, process: Process) -> None:
    """Put on record that we have to stop the server."""
    owner = Process.find(os.getpid())
    assert owner is not None
    record = {"server": [process.pid, process.started_ticks], "owner": [owner.pid, owner.started_ticks]}
    draft = server.record.with_suffix(".draft")
    draft.write_text(json.dumps(record))
    draft.rename(server.record)
