"""Programs that run beside the demo: each leads a session of its own, so that Ctrl-C reaches only the demo."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mymoolah.common.embedded.servers import Process

GRACE_SECONDS = 10.0
PAUSE_SECONDS = 0.05
QUOTED_LOG_LINES = 8
TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True, kw_only=True)
class Child:
    """A program of ours, with what tells it from a later process of the same pid."""

    name: str
    process: Process
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def has_ended(self) -> bool:
        return self.popen.poll() is not None

    @property
    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-QUOTED_LOG_LINES:])


def start(name: str, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], logs: Path) -> Child:
    """Start a program that will not outlive us, its output in a new log."""
    log = logs / f"{name}.log"
    if log.exists():
        log.rename(log.with_suffix(".previous.log"))
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
        )
    process = Process.find(popen.pid)
    # One that has ended already is found by the next look at its `popen`.
    return Child(name=name, process=process or Process(popen.pid, -1), popen=popen, log=log)


def stop(children: Sequence[Child]) -> None:
    """Ask all of them to end, end those that do not, and whatever they have left behind."""
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            if not child.has_ended:
                child.popen.terminate()
    _wait_for(lambda: all(child.has_ended for child in children))
    for child in children:
        _kill_session(child.popen.pid)
        child.popen.wait()


def remember(children: Iterable[Child], record: Path) -> None:
    """Put on record whom to end, should we be killed and they not notice."""
    known = [[child.process.pid, child.process.started_ticks] for child in children]
    draft = record.with_suffix(".draft")
    draft.write_text(json.dumps(known))
    draft.rename(record)


def stop_left_over(record: Path) -> int:
    """End what a killed demo has left running; how many there were."""
    try:
        known = [Process(*entry) for entry in json.loads(record.read_text())]
    except (FileNotFoundError, ValueError, TypeError):
        known = []
    alive = [process for process in known if process.is_alive]
    for process in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
    _wait_for(lambda: not any(process.is_alive for process in alive))
    for process in alive:
        _kill_session(process.pid)
    record.unlink(missing_ok=True)
    return len(alive)


def session_of(leader_pid: int) -> list[int]:
    """The living processes of a session."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                # proc(5): after the name in brackets come state, parent, group and session
                state, _, _, session = (entry / "stat").read_bytes().rpartition(b")")[2].split()[:4]
                if int(session) == leader_pid and state not in {b"Z", b"X"}:
                    members.append(int(entry.name))
    return members


def _kill_session(leader_pid: int) -> None:
    for pid in session_of(leader_pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
