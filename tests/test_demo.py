"""`manage.py demo` as a new user meets it: a process on a real terminal's terms, asked over HTTP, stopped and killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psycopg
import pytest

from mymoolah.common import embedded
from mymoolah.launch import SERVER_VARIABLES
from tests.waiting import wait_until

ROOT = Path(__file__).parents[1]
FEW = ("--users", "40", "--vouchers", "40", "--transactions", "400")
NONE = ("--users", "0")
LIMIT_SECONDS = 150  # of a start on a machine that does other things as well
UP = "Press Ctrl-C"
CODE = re.compile("[0-9]{6} is your MyMoolah code")


@dataclass(frozen=True)
class Run:
    """A demo that was started."""

    process: subprocess.Popen[bytes]
    output: Path
    port: int

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, text: str) -> None:
        def is_there() -> bool:
            assert text in self.said or self.process.poll() is None, self.said
            return text in self.said

        wait_until(is_there, LIMIT_SECONDS)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=180)

    def ask(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        method: str | None = None,
        token: str = "",
        **headers: str,
    ) -> tuple[int, str]:
        data = None if body is None else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            names["Authorization"] = f"Bearer {token}"
        address = f"http://127.0.0.1:{self.port}{path}"
        request = Request(address, data, {"Content-Type": "application/json", **names}, method=method)
        try:
            with urlopen(request, timeout=10) as answer:  # noqa: S310 - an address of our own
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except (URLError, OSError) as error:
            return 0, str(error)

    def sign_in(self, email: str, password: str = "moolah-demo") -> str:
        status, text = self.ask("/api/v1/auth/token", {"email": email, "password": password})
        assert status == 200, text
        token: str = json.loads(text)["access"]
        return token

    def wallet(self, email: str) -> dict[str, Any]:
        status, text = self.ask("/api/v1/dashboard", token=self.sign_in(email))
        assert status == 200, text
        (wallet,) = json.loads(text)["summaries"]
        return dict(wallet)


Start = Callable[..., Run]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that every account reaches, as the servers' account must."""
    path = Path(tempfile.mkdtemp(prefix="mm-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    left_over = processes_of(path)
    for pid in left_over:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(path)
    assert not left_over


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start a demo in the folder, on a free port unless one is named; do not wait."""
    runs: list[Run] = []

    def started(*options: str, port: int | None = None, data_dir: Path | None = None, **more: str) -> Run:
        chosen = port or free_port()
        output = folder / f"output-{len(runs)}"
        where = ["--port", str(chosen), "--data-dir", str(data_dir or folder / "data")]
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", *where, *options],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment(**more),
            )
        runs.append(Run(process, output, chosen))
        return runs[-1]

    yield started
    for run in runs:
        if run.process.poll() is None:
            run.process.terminate()
            run.process.wait(timeout=180)


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES} | more


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def processes_of(folder: Path) -> set[int]:
    """Whoever was started with this folder among its arguments or in its environment."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                known = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                if bytes(folder) in known:
                    found.add(int(entry.name))
    return found


def manage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Another command, in another terminal."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment(MYMOOLAH_DATA_DIR=str(folder / "data")),
    )


def pid_in(folder: Path, name: str) -> int:
    """The process that leads web, worker or beat."""
    return int(json.loads((folder / "data" / "demo.json").read_text())[["web", "worker", "beat"].index(name)][0])


def overview(folder: Path, email: str) -> Decimal:
    """What the back-office's list shows of a customer."""
    query = """
        SELECT d.wallet_balance FROM user_dashboard_summary AS d INNER JOIN users AS u ON u.id = d.user_id
        WHERE u.email = %s
    """
    with psycopg.connect(embedded.urls(folder / "data").database_url) as connection:
        row = connection.execute(query, [email]).fetchone()
    assert row is not None
    return Decimal(row[0])


@pytest.mark.slow
def test_the_demo_shows_a_bank_at_work_and_leaves_nothing_running(folder: Path, start: Start) -> None:
    interrupted = start(*FEW)
    interrupted.wait_for("Making 40 customers")
    assert interrupted.end(signal.SIGTERM) == 0, interrupted.said
    assert "Traceback" not in interrupted.said
    assert processes_of(folder) == set()

    run = start(*FEW, DASHBOARD_REFRESH_SECONDS="1")
    run.wait_for(UP)
    for line in (f"http://127.0.0.1:{run.port}/api/docs", f"http://127.0.0.1:{run.port}/admin/", "moolah-demo"):
        assert line in run.said
    assert run.ask("/api/docs")[0] == 200
    status, page = run.ask("/admin/login/")
    assert status == 200
    assert run.ask(page.partition('rel="stylesheet"')[0].rpartition('href="')[2].partition('"')[0] or "/")[0] == 200
    assert {
        email: run.wallet(email)["wallet_balance"] for email in ("customer1@example.com", "customer2@example.com")
    } == {
        "customer1@example.com": "5000.00",
        "customer2@example.com": "5000.00",
    }

    issued = manage(folder, "issue_token", "CUSTOMER1@example.com")
    assert (issued.returncode, issued.stderr) == (0, "")
    payment = {"to": run.wallet("customer2@example.com")["wallet_number"], "amount": "120.00", "currency": "ZAR"}
    status, text = run.ask(
        "/api/v1/transfers",
        {**payment, "reference": "Lunch"},
        token=issued.stdout.strip(),
        Idempotency_Key=uuid.uuid4().hex,
    )
    assert status == 201, text
    wait_until(lambda: overview(folder, "customer1@example.com") == Decimal("4880.00"), 30)
    assert manage(folder, "verify_ledger", "--verbosity", "0").returncode == 0

    # Web answers for all three, who count in one folder.
    def living(program: str) -> int:
        told = re.search(rf'mymoolah_processes{{program="{program}"}} (\d+)', run.ask("/metrics")[1])
        return int(told[1]) if told else 0

    # A child of the worker counts from its first task on, and one may do them all.
    wait_until(lambda: (living("web"), living("worker") >= 2, living("beat")) == (2, True, 1), 30)
    wait_until(lambda: 'mymoolah_tasks_sent_total{task="reporting.refresh_dashboard"}' in run.ask("/metrics")[1], 30)

    # Codes stand in the worker's log, where the demo's first lines say.
    log = folder / "data" / "logs" / "worker.log"
    assert f"mailbox would get them: {log}" in run.said
    change = {"phone": "082 999 0009", "email": "other@example.com", "current_password": "moolah-demo"}
    assert run.ask("/api/v1/me", change, method="PATCH", token=issued.stdout.strip())[0] == 200
    wait_until(lambda: len(CODE.findall(log.read_text())) == 2, 30)
    assert "To: other@example.com" in log.read_text()
    [code] = re.findall("SMS to .27829990009: ([0-9]{6})", log.read_text())
    brought = {"contact": "phone", "code": code}
    status, text = run.ask("/api/v1/me/contacts/confirm", brought, token=issued.stdout.strip())
    assert status == 200, text
    wait_until(lambda: "The phone number of your MyMoolah account was changed" in log.read_text(), 30)

    second = start(*FEW)
    assert second.process.wait(timeout=180) == 1
    assert f"in use by another demo (process {run.process.pid})" in second.said
    third = start(*FEW, port=run.port, data_dir=folder / "elsewhere")
    assert third.process.wait(timeout=180) == 1
    assert f"Port {run.port} is already taken" in third.said
    assert "Traceback" not in second.said + third.said
    assert "Starting" not in second.said + third.said

    assert run.end() == 0
    assert "Everything has stopped" in run.said
    assert "Traceback" not in run.said
    assert processes_of(folder) == set()
    assert run.ask("/healthz")[0] == 0

    again = start(*FEW, port=run.port, MYMOOLAH_DEMO_PASSWORD="another-password")
    again.wait_for(UP)
    assert "Making" not in again.said
    assert "another-password" in again.said
    balance = json.loads(
        again.ask("/api/v1/dashboard", token=again.sign_in("customer1@example.com", "another-password"))[1]
    )["summaries"][0]["wallet_balance"]
    assert balance == "4880.00"
    os.kill(pid_in(folder, "worker"), signal.SIGKILL)
    assert again.process.wait(timeout=180) == 1
    assert "worker has ended (SIGKILL)" in again.said
    assert str(folder / "data" / "logs" / "worker.log") in again.said
    assert processes_of(folder) == set()


@pytest.mark.slow
def test_the_demo_recovers_from_being_killed_and_heals_its_servers(folder: Path, start: Start) -> None:
    first = start(*NONE)
    first.wait_for(UP)
    web = pid_in(folder, "web")
    first.process.kill()
    first.process.wait()
    second = start(*NONE, port=first.port)  # at once, while the other's web server may still be there
    second.wait_for(UP)
    assert "Taking over PostgreSQL" in second.said
    assert pid_in(folder, "web") != web
    assert not Path(f"/proc/{web}").exists()
    assert second.wallet("customer1@example.com")["wallet_balance"] == "5000.00"

    token = second.sign_in("customer1@example.com")
    server = int(json.loads((folder / "data" / "postgres.json").read_text())["server"][0])
    os.kill(server, signal.SIGKILL)
    second.wait_for("PostgreSQL or Valkey has gone; starting it again.")
    # Each connection that a pool still has to the killed one answers 503 once: ask often enough to meet all of them.
    wait_until(lambda: all(second.ask("/api/v1/dashboard", token=token)[0] == 200 for _ in range(40)), 60)
    assert second.wallet("customer1@example.com")["wallet_balance"] == "5000.00"

    assert second.end(signal.SIGHUP) == 0
    assert processes_of(folder) == set()


@pytest.mark.slow
def test_web_worker_and_beat_end_with_a_demo_that_is_killed(folder: Path, start: Start) -> None:
    run = start(*NONE)
    run.wait_for(UP)
    run.process.kill()
    run.process.wait()
    wait_until(lambda: run.ask("/healthz")[0] == 0, 30)
    programs = {"granian", "celery"}
    wait_until(lambda: not programs & {word for pid in processes_of(folder) for word in words_of(pid)}, 30)
    with embedded.start(folder / "data"):  # adopts PostgreSQL and Valkey, and stops them
        pass
    assert processes_of(folder) == set()


ON_A_TERMINAL = """
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *sys.argv[1:]])
said = b""
while b"Press Ctrl-C" not in said:
    said += os.read(terminal, 4096)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.slow
def test_the_demo_ends_with_its_terminal_though_nobody_tells_it(folder: Path) -> None:
    """As under `ssh -t host make demo`: make is told that the terminal closed, and waits for the demo."""
    demo = [sys.executable, "manage.py", "demo", "--port", str(free_port()), "--data-dir", str(folder / "data"), *NONE]
    done = subprocess.run(
        [sys.executable, "-c", ON_A_TERMINAL, *demo],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert processes_of(folder) == set()


def words_of(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []


@pytest.mark.parametrize(
    ("options", "more", "sentence"),
    [
        ([], {"MYMOOLAH_ENV": "production"}, "does not run on production settings"),
        ([], {"DATABASE_URL": "postgresql://bank.example/mymoolah"}, "unset DATABASE_URL"),
        ([], {"REDIS_URL": "redis://bank.example"}, "unset REDIS_URL"),
        (["--port", "0"], {}, "a port is a number from 1 to 65535"),
        (["--data-dir", ""], {}, "name a folder"),
        (["--data-dir", __file__], {}, "cannot be used"),
        (["--users", "-1"], {}, "is not negative"),
    ],
)
def test_the_demo_refuses_in_a_sentence(
    options: list[str], more: dict[str, str], sentence: str, start: Start, folder: Path
) -> None:
    run = start(*options, **more)
    assert run.process.wait(timeout=180) in {1, 2}
    assert sentence in run.said
    assert "Traceback" not in run.said
    assert not (folder / "data" / "postgres").exists()
