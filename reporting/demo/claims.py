"""What one demo has to itself: its data folder and its port. The kernel takes both back when the demo is killed."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import socket
import time
from collections.abc import Iterator
from pathlib import Path

HOST = "127.0.0.1"
PAUSE_SECONDS = 0.2
ELSEWHERE = "Choose another one: --port, or make demo PORT=…"


class DemoError(Exception):
    """The demo cannot go on; the message is for a user, and says why."""


@contextlib.contextmanager
def sole_use(lock_file: Path, *, pid: int) -> Iterator[None]:
    """Be the only demo of a folder.

    :raises DemoError: another one is
    """
    with lock_file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            who = lock.read().strip()
            raise DemoError(
                f"The data folder {lock_file.parent} is in use by another demo (process {who or 'unknown'}). "
                "Stop that one first, or choose another folder: --data-dir, or make demo DATA_DIR=…"
            ) from None
        lock.truncate(0)
        lock.write(str(pid))
        lock.flush()
        yield
        lock.truncate(0)


@contextlib.contextmanager
def reserved(port: int, *, patience_seconds: float = 0) -> Iterator[None]:
    """Keep a port for the web server.

    Each of its workers binds the port with SO_REUSEPORT, and so would those of another web server, unnoticed: the two
    would share the requests. So we bind it alone first, which fails if anybody has it, and only then let others share.

    :raises DemoError: somebody has it, and did not leave it in time
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        with socket.socket() as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended do not matter
            try:
                holder.bind((HOST, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise DemoError(f"Port {port} cannot be used: {error.strerror}. {ELSEWHERE}") from None
                if time.monotonic() > deadline:
                    raise DemoError(f"Port {port} is already taken. {ELSEWHERE}") from None
                time.sleep(PAUSE_SECONDS)
                continue
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            yield
            return
