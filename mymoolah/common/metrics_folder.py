"""Metrics of many processes: each writes into files of its own in one folder, and any of them can add up all.

A process is alive while it holds a lock on its own file. That tells the living from the dead across containers, too,
where numbers of processes mean nothing. What a dead process counted stays as long as one of the same program lives, or
sums would fall; the first process of a program removes what earlier ones have left.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from prometheus_client import Metric, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from mymoolah.common.metrics import REGISTRY


class Claim:
    """This process's place in the folder: called for its name, which is another one after a fork."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        self.program = program
        self.name = ""
        self._pid = 0
        self._lock: IO[bytes] | None = None

    def __call__(self) -> str:
        if self._pid != os.getpid():
            self._take()
        return self.name

    def _take(self) -> None:
        with taking_turns(self.folder):
            if not any(is_alive(lock) for lock in self.folder.glob(f"{self.program}-*.lock")):
                for left_over in self.folder.glob(f"*{self.program}-*"):
                    left_over.unlink()
            self.name = f"{self.program}-{uuid.uuid4().hex}"
            self._lock = (self.folder / f"{self.name}.lock").open("wb")
            # Of this process alone: a child that is forked does not hold it, and takes one of its own.
            fcntl.lockf(self._lock, fcntl.LOCK_EX)
            self._pid = os.getpid()


_claim: Claim | None = None


def share(folder: Path, *, program: str) -> None:
    """From now on this process, and every child of it, counts in `folder`, as one of `program` (letters only)."""
    global _claim  # noqa: PLW0603 - a process has one place
    assert program.isalpha()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    _claim = Claim(folder, program)
    values.ValueClass = values.MultiProcessValue(_claim)


def collected() -> Iterable[Metric]:
    """What was counted: by all processes of the folder, or, without one, by this process."""
    living = GaugeMetricFamily("mymoolah_processes", "Processes that are alive and count", labels=["program"])
    if _claim is None:
        return [*REGISTRY.collect(), living]
    mine = _claim()
    with taking_turns(_claim.folder):
        for program, number in sorted(_living(_claim.folder, mine).items()):
            living.add_metric([program], number)
        return [*_added_up(_claim.folder), living]


def counted_in(folder: Path) -> list[Metric]:
    """What the processes of `folder` have counted, for whoever need not be one of them; nothing if there were none."""
    if not folder.is_dir():
        return []
    with taking_turns(folder):
        return _added_up(folder)


def _added_up(folder: Path) -> list[Metric]:
    # One that was opened just now is empty, and cannot be read yet.
    return list(MultiProcessCollector.merge([str(file) for file in folder.glob("*.db") if file.stat().st_size]))


def _living(folder: Path, mine: str) -> Counter[str]:
    """How many processes of each program are alive; the others are marked as dead."""
    found: Counter[str] = Counter()
    for lock in folder.glob("*.lock"):
        # Our own must not be tried: closing it would give up the lock.
        if lock.stem == mine or is_alive(lock):
            found[lock.stem.partition("-")[0]] += 1
        else:
            mark_process_dead(lock.stem, str(folder))
            lock.unlink()
    return found


def is_alive(lock: Path) -> bool:
    """Whether another process holds the lock."""
    with lock.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextlib.contextmanager
def taking_turns(folder: Path) -> Iterator[None]:
    """Keep others, threads of ours too, from adding up or removing files meanwhile."""
    with (folder / "turn").open("wb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
