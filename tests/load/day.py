"""A day of the bank in some minutes: the demo served as shipped, customers by Locust, and the books after.

`make load` loads a million customers first, then looks for the highest steady rate that keeps 99 of 100 answers under
LIMIT_MS and holds it for five minutes. With --rate it holds that one. In the middle one of the servers may be killed.
Every order for money is then repeated with its key and compared with its first answer and with the ledger, and
`verify_ledger` has the last word. Exit 1 if anything is lost, done twice or broken, or if the rate was not borne.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests.load.figures import Answer, Run, figures

ROOT = Path(__file__).parents[2]
LOCUST = Path(sys.prefix) / "load"
HOST = "127.0.0.1"
KEPT = re.compile(
    r'mymoolah_read_cache_total\{family="(?P<family>[a-z]+)",outcome="(?P<outcome>[a-z]+)"\} (?P<many>[0-9.e+]+)'
)
FIRST_RATE, STEP = 200, 1.2
LOOK_SECONDS = 40
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Bank:
    """A demo that runs."""

    port: int
    folder: Path

    def pid_of(self, server: str) -> int:
        pid, _ = json.loads((self.folder / f"{server}.json").read_text())["server"]
        return int(pid)


def main() -> int:
    order = _arguments()
    os.environ["MYMOOLAH_DATA_DIR"] = str(order.data_dir)
    with tempfile.TemporaryDirectory() as scratch, _bank(order) as bank:
        _set_up_django()
        from mymoolah.common.clock import now

        since = now()
        runs = list(_runs(order, bank, Path(scratch)))
        run = runs[-1]
        told = figures(run)
        orders = [one for each in runs for one in each.orders]
        _say(f"Repeating {len(orders):,} orders with their keys.")
        from tests.load import books

        result = books.compare(orders, port=bank.port, since=since)
        told["books"] = {
            "acknowledged": result.acknowledged,
            "refused": result.refused,
            "without an answer": result.without_answer,
            "of these done, unheard": result.done_unheard,
            "of these done by the repeat": result.done_by_repeat,
            "lost": result.lost,
            "unsettled": result.unsettled,
            "in the ledger": dict(result.in_the_ledger),
            "agree": result.agree,
        }
        verified = _manage("verify_ledger", *(["--changed"] if order.changed else []), "--json")
        told["verify_ledger holds"] = verified.returncode == 0
    print(json.dumps(told, indent=2))
    is_well = result.agree and verified.returncode == 0
    return 0 if is_well and (order.kill or run.is_borne) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.load.day", description=__doc__)
    parser.add_argument("--data-dir", type=lambda text: Path(text).expanduser().resolve(), default=ROOT / ".data")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--users", type=int, default=1_000_000, help="customers, if the folder has none yet")
    parser.add_argument("--rate", type=int, help="requests a second; looked for if not given")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--kill", choices=("postgres", "valkey"), help="with SIGKILL, in the middle")
    parser.add_argument("--changed", action="store_true", help="verify only what is new")
    parser.add_argument("--seed", type=int, default=1, help="of the repeatable choice who comes")
    return parser.parse_args()


@contextlib.contextmanager
def _bank(order: argparse.Namespace) -> Iterator[Bank]:
    """The demo, with as many customers as were asked for, until the end."""
    sizes = ["--users", order.users, "--vouchers", 2 * order.users, "--transactions", 10 * order.users]
    command = [sys.executable, "manage.py", "demo", "--port", order.port, "--data-dir", order.data_dir, *sizes]
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, "MYMOOLAH_TRUSTED_PROXIES": "1"},  # customers have addresses of their own
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if b"Press Ctrl-C" in line:
                break
        else:
            raise SystemExit("The demo did not start.")
        # Nobody reads what it says from here on; a full pipe would stop it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield Bank(order.port, order.data_dir)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=180)


def _set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mymoolah.settings")
    import django

    django.setup()


def _runs(order: argparse.Namespace, bank: Bank, scratch: Path) -> Iterator[Run]:
    """Short ones at rising rates until one is not borne, then the long one; only that if the rate was given."""
    seconds = order.minutes * 60
    if order.rate:
        yield _run(order.rate, seconds, bank, scratch, order.seed, kill=order.kill)
        return
    rate, best = FIRST_RATE, 0
    while True:
        run = _run(rate, LOOK_SECONDS, bank, scratch, order.seed + rate)
        yield run
        _say(f"{rate} a second: p99 {run.p99:.0f} ms, {run.failed} failed")
        if not run.is_borne:
            break
        best, rate = rate, round(rate * STEP / 10) * 10
    if not best:
        raise SystemExit(f"Not even {FIRST_RATE} a second are borne.")
    while True:
        run = _run(best, seconds, bank, scratch, order.seed, kill=order.kill)
        yield run
        _say(f"{best} a second for {order.minutes:g} minutes: p99 {run.p99:.0f} ms, {run.failed} failed")
        if run.is_borne or order.kill or best <= 10:
            return
        best = round(best * 0.9 / 10) * 10


def _run(rate: int, seconds: float, bank: Bank, scratch: Path, seed: int, *, kill: str | None = None) -> Run:
    from tests.load import books

    visits = books.choose_visits(int(rate * seconds / 6) + rate, seed=seed)
    (scratch / "visits").write_text("\n".join(map(json.dumps, visits)))
    environment = {
        **os.environ,
        "PYTHONPATH": str(LOCUST),
        "LOAD_VISITS": str(scratch / "visits"),
        "LOAD_RECORD": str(scratch / "record"),
    }
    command = [
        sys.executable,
        "-m",
        "locust",
        "--locustfile",
        "tests/load/locustfile.py",
        "--headless",
        "--only-summary",
    ]
    command += ["--host", f"http://{HOST}:{bank.port}", "--users", str(rate), "--spawn-rate", str(max(1, rate / 8))]
    command += [
        "--run-time",
        f"{round(seconds)}s",
        "--stop-timeout",
        "20",
        "--loglevel",
        "WARNING",
        "--exit-code-on-error",
        "0",
    ]
    kept_before = _kept(bank.port)
    before, children = _cpu(bank), resource.getrusage(resource.RUSAGE_CHILDREN)
    killed: list[float] = []
    timer = threading.Timer(seconds / 2, lambda: killed.append(_kill(bank, str(kill))))
    if kill:
        timer.start()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    timer.cancel()
    after, mine = _cpu(bank), resource.getrusage(resource.RUSAGE_CHILDREN)
    used = {name: after[name] - before[name] for name in after}
    used["customers (Locust)"] = mine.ru_utime + mine.ru_stime - children.ru_utime - children.ru_stime
    record = json.loads((scratch / "record").read_text())
    if kill:
        del used[kill]  # two processes, of which the first left no account
    kept = _kept(bank.port)
    kept.subtract(kept_before)
    answers = [Answer(*answer) for answer in record["answers"]]
    return Run(rate, seconds, answers, record["orders"], used, dict(kept), killed[0] if killed else None)


def _kill(bank: Bank, server: str) -> float:
    os.kill(bank.pid_of(server), signal.SIGKILL)
    _say(f"Killed {server}.")
    return time.time()


def _cpu(bank: Bank) -> dict[str, float]:
    """Seconds of CPU that each part of the bank has used, children that have ended included."""
    parts = {"postgres": bank.pid_of("postgres"), "valkey": bank.pid_of("valkey")}
    programs = json.loads((bank.folder / "demo.json").read_text())
    parts |= {name: pid for name, (pid, _) in zip(("web", "worker", "beat"), programs, strict=True)}
    parents: dict[int, list[int]] = defaultdict(list)
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            pid = int(entry.name)
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()  # proc(5)
            parents[int(fields[1])].append(pid)
            used[pid] = sum(map(int, fields[11:15])) / TICKS

    def tree(pid: int) -> float:
        return used.get(pid, 0.0) + sum(tree(child) for child in parents[pid])

    return {name: tree(pid) for name, pid in parts.items()}


def _kept(port: int) -> Counter[str]:
    """How answers came about, by kind and outcome, since the web began."""
    with urlopen(f"http://{HOST}:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    found = [KEPT.match(line) for line in lines]
    return Counter({f"{one['family']}: {one['outcome']}": int(float(one["many"])) for one in found if one})


def _manage(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, check=False, stdout=subprocess.PIPE)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
