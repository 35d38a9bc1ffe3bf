"""A Valkey of one test's own: to hang, to be killed and to come back, as the one that all tests share must not."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mymoolah.common.embedded.places import place_of
from mymoolah.common.embedded.programs import programs_for

START_LIMIT_SECONDS = 20


@dataclass
class Valkey:
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "s"

    @property
    def cache_url(self) -> str:
        return f"unix://{self.socket}?db=0"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.socket}?virtual_host=1"

    def start(self) -> None:
        program = programs_for(place_of(self.folder).account).valkey_server
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while not self.answers():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(1)
            client.connect(str(self.socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        return False

    def fail(self, how: str) -> None:
        """Be `gone`, or `hang`: take connections, and answer nobody."""
        assert self.process is not None
        if how == "gone":
            self.stop()
        else:
            self.process.send_signal(signal.SIGSTOP)

    def recover(self) -> None:
        if self.process is None:
            self.start()
        else:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
            self.socket.unlink(missing_ok=True)


@contextlib.contextmanager
def own_valkey(folder: Path) -> Iterator[Valkey]:
    """`folder`: short, for the address of a unix socket is."""
    valkey = Valkey(folder)
    valkey.start()
    try:
        yield valkey
    finally:
        valkey.stop()
