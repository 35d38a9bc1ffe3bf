"""Metrics of several processes in one folder: added up, whoever lives or has died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Counts when told to on a line of its input, and says so; "fork" counts in a child; "tell" prints what all have counted.
PROGRAM = """
import os, sys
from pathlib import Path
from mymoolah.common import metrics, metrics_folder
metrics_folder.share(Path(sys.argv[1]), program=sys.argv[2])
count = lambda: metrics.RATE_LIMITED.labels("reads").inc()
def tell():
    found = {s.name + str(sorted(s.labels.values())): s.value for m in metrics_folder.collected() for s in m.samples}
    return {name: value for name, value in found.items() if not name.endswith("_created")}
for line in sys.stdin:
    if line == "count\\n":
        count()
    elif line == "fork\\n":
        pid = os.fork()
        if pid == 0:
            count()
            os._exit(0)
        os.waitpid(pid, 0)
    print(tell() if line == "tell\\n" else "done", flush=True)
"""
COUNTED = "mymoolah_rate_limited_total['reads']"

Process = subprocess.Popen[str]
Start = Callable[[str], Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    processes: list[Process] = []

    def started(program: str) -> Process:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "metrics"), program]
        processes.append(subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return processes[-1]

    yield started
    for process in processes:
        process.kill()
        process.communicate()


def ask(process: Process, line: str) -> str:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def told(process: Process) -> dict[str, float]:
    found: dict[str, float] = eval(ask(process, "tell"))  # noqa: S307 - a dictionary that our own program prints
    return found


def kill(process: Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_what_several_processes_count_is_added_up_by_any_of_them(start: Start) -> None:
    first, second, worker = start("web"), start("web"), start("worker")
    for process in (first, second, second, worker):
        assert ask(process, "count") == "done"
    for process in (first, second, worker):
        assert told(process)[COUNTED] == 4
        assert told(process)["mymoolah_processes['web']"] == 2
        assert told(process)["mymoolah_processes['worker']"] == 1


def test_a_forked_child_counts_for_itself_and_what_it_counted_stays(start: Start) -> None:
    parent = start("worker")
    ask(parent, "count")
    for _ in range(3):
        ask(parent, "fork")
    ask(parent, "count")
    assert told(parent) == {COUNTED: 5.0, "mymoolah_processes['worker']": 1}


def test_one_that_dies_is_no_longer_alive_but_what_it_counted_stays_while_another_lives(start: Start) -> None:
    first, second = start("web"), start("web")
    ask(first, "count")
    ask(second, "count")
    kill(first)
    assert told(second) == {COUNTED: 2.0, "mymoolah_processes['web']": 1}
    third = start("web")
    ask(third, "count")
    assert told(second) == told(third) == {COUNTED: 3.0, "mymoolah_processes['web']": 2}


def test_the_first_of_a_program_removes_what_earlier_ones_left_and_nothing_of_others(
    start: Start, tmp_path: Path
) -> None:
    web, worker = start("web"), start("worker")
    ask(web, "count")
    ask(worker, "count")
    kill(web)
    again = start("web")
    assert told(again) == {COUNTED: 1.0, "mymoolah_processes['web']": 1, "mymoolah_processes['worker']": 1}
    kill(again)
    kill(worker)
    assert told(start("worker")) == {"mymoolah_processes['worker']": 1}
    assert len(list((tmp_path / "metrics").glob("*worker-*.lock"))) == 1
