"""The demo from its first line to its last."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from accounts.models import AuditEvent
from mymoolah.common import embedded
from mymoolah.common.clock import now
from reporting import days, services
from reporting.demo import processes
from reporting.demo.cases import make_cases
from reporting.demo.claims import HOST, DemoError, reserved, sole_use
from reporting.demo.conversations import make_conversations
from reporting.demo.people import CUSTOMERS, STAFF, make_people
from reporting.demo.processes import Child
from reporting.loading.service import FINISHED
from reporting.models import LedgerVerification

READY_LIMIT_SECONDS = 90.0
LOOK_SECONDS = 0.5
SPARE_THREADS = 4  # beside those that hold a connection of the database, as in the Dockerfile
LEFT_OVER_PATIENCE_SECONDS = 15.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


class StopAsked(KeyboardInterrupt):
    """Ctrl-C, SIGTERM, or a terminal that was closed."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """How many synthetic customers the first start makes, with how much history; none if `users` is 0."""

    users: int
    vouchers: int
    transactions: int


@dataclass(kw_only=True)
class Demo:
    port: int
    data_dir: Path
    load: Load
    say: Say
    children: list[Child] = field(default_factory=list)

    def run(self) -> None:
        """Bring everything up, and stay until asked to stop. Whatever was started is gone at the end.

        :raises DemoError: something stands in the way, or ended by itself
        :raises EmbeddedError: the servers cannot be started
        """
        started, terminal = time.monotonic(), Terminal()
        with stoppable(), contextlib.ExitStack() as stack:
            try:
                self._claim(stack)
                self._start_servers(stack)
                self._furnish()
                self._start_programs(stack)
                self.say(self._welcome(time.monotonic() - started))
                self._watch(stack, terminal)
            except StopAsked:
                self.say("\nStopping.")
            finally:
                ignore_signals()
        self.say(f"Everything has stopped. The data stay in {self.data_dir}.")

    @property
    def _record(self) -> Path:
        return self.data_dir / "demo.json"

    @property
    def _logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def _address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def _claim(self, stack: contextlib.ExitStack) -> None:
        stack.enter_context(sole_use(self.data_dir / "demo.lock", pid=os.getpid()))
        was_killed = self._record.exists()
        if processes.stop_left_over(self._record):
            self.say("Stopped what a killed demo had left running.")
        stack.enter_context(reserved(self.port, patience_seconds=LEFT_OVER_PATIENCE_SECONDS if was_killed else 0))

    def _start_servers(self, stack: contextlib.ExitStack) -> None:
        running = embedded.start(self.data_dir, on_progress=self.say)
        stack.callback(running.stop)

    def _furnish(self) -> None:
        """Tables, people and history: whatever of them is missing."""
        self.say("Bringing the tables up to date.")
        call_command("migrate", verbosity=0)
        is_loaded = AuditEvent.objects.filter(verb=FINISHED).exists()
        if self.load.users and not is_loaded:
            self.say(f"Making {self.load.users:,} customers with their history.")
            call_command(
                "load_customers",
                users=self.load.users,
                vouchers=self.load.vouchers,
                transactions=self.load.transactions,
            )
        is_new = make_people(password=settings.DEMO_PASSWORD, now=now())
        make_cases(now=now())
        make_conversations(now=now())
        connections.close_all()  # which also makes PostgreSQL count what we have written
        with contextlib.suppress(services.RefreshUnderWay):
            services.refresh_dashboard(now=now(), force=is_new)
        with contextlib.suppress(days.DaysBeingTaken):
            days.take_days(now=now())
        if not LedgerVerification.objects.exists():
            call_command("verify_ledger", verbosity=0)
        connections.close_all()

    def _start_programs(self, stack: contextlib.ExitStack) -> None:
        self.say("Starting web, worker and beat.")
        self._logs.mkdir(mode=0o700, exist_ok=True)
        stack.callback(self._record.unlink, missing_ok=True)
        stack.callback(lambda: processes.stop(self.children))
        for name, command in self._commands().items():
            child = processes.start(
                name, command, cwd=settings.BASE_DIR, environment=self._environment(name), logs=self._logs
            )
            self.children.append(child)
            processes.remember(self.children, self._record)
        self._wait_until_ready()

    def _commands(self) -> dict[str, list[str]]:
        """As docker-compose.yml has them."""
        python, celery = sys.executable, ["-m", "celery", "--app=mymoolah"]
        threads = str(int(os.environ.get("DATABASE_POOL_SIZE", "8")) + SPARE_THREADS)
        web = ["-m", "granian", "--interface", "wsgi", "mymoolah.wsgi:application", "--host", HOST]
        sizes = ["--port", str(self.port), "--workers", str(settings.WEB_WORKERS), "--blocking-threads", threads]
        # A worker that is just starting does not hear that it should stop, and would be waited for.
        patience = ["--workers-kill-timeout", "5", "--respawn-failed-workers"]
        return {
            "web": [python, *web, *sizes, *patience],
            "worker": [python, *celery, "worker", "--loglevel=INFO", "--concurrency=2", "--hostname=worker@%h"],
            # The schedule is static; so it is kept in memory rather than in a file.
            "beat": [python, *celery, "beat", "--loglevel=INFO", "--scheduler=celery.beat:Scheduler", "--pidfile="],
        }

    def _environment(self, name: str) -> dict[str, str]:
        pool = {} if name == "web" else {"DATABASE_POOL_SIZE": "0"}  # a pool does not survive a worker's fork
        own = {"MYMOOLAH_DATA_DIR": str(self.data_dir), "MYMOOLAH_PROCESS": name, "PYTHONUNBUFFERED": "1"}
        return {**os.environ, **own, **pool}

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_LIMIT_SECONDS
        while not is_ready(f"{self._address}/readyz"):
            self._check_children()
            if time.monotonic() > deadline:
                web = self.children[0]
                raise DemoError(
                    f"The web server gave no answer in {READY_LIMIT_SECONDS:.0f} seconds; {web.log} ends with:\n"
                    f"{web.last_words}"
                )
            time.sleep(0.1)

    def _watch(self, stack: contextlib.ExitStack, terminal: Terminal) -> None:
        while terminal.is_there():
            time.sleep(LOOK_SECONDS)
            self._check_children()
            if not embedded.are_running(self.data_dir):
                # Killed, or stopped with the other command that had started them.
                self.say("PostgreSQL or Valkey has gone; starting it again.")
                self._start_servers(stack)

    def _check_children(self) -> None:
        for child in self.children:
            if child.has_ended:
                code = child.popen.returncode
                how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
                raise DemoError(f"{child.name} has ended ({how}); {child.log} ends with:\n{child.last_words}")

    def _welcome(self, seconds: float) -> str:
        people = [(customer.email, f"customer, tier 2, {self._address}/api/docs") for customer in CUSTOMERS]
        people += [(colleague.email, colleague.role) for colleague in STAFF]
        sign_ins = "\n".join(f"  {email:<24}{who}" for email, who in people)
        return f"""
MyMoolah is up, in {seconds:.0f} seconds.

  API docs      {self._address}/api/docs
  Admin         {self._address}/admin/
  Data, logs    {self.data_dir}, {self._logs}
  Codes, mail   written where a phone or a mailbox would get them: {self._logs / "worker.log"}

Everybody's password is {settings.DEMO_PASSWORD}

{sign_ins}

Press Ctrl-C to stop everything; the data stay."""


class Terminal:
    """The terminal whose foreground we are in, if any.

    When it closes, the kernel tells the leader of its session. A shell passes that on; `make`, if it is the leader (as
    under `ssh -t`), waits for us instead. Who is in the background was put there to stay.
    """

    def __init__(self) -> None:
        self._was_in_front = False
        self.is_there()

    def is_there(self) -> bool:
        try:
            self._was_in_front = os.tcgetpgrp(sys.stdout.fileno()) == os.getpgrp()
        except OSError:  # closed, or there was none
            return not self._was_in_front
        return True


def is_ready(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as answer:  # noqa: S310 - an address of our own
            return bool(answer.status == http.client.OK)
    except (URLError, OSError, http.client.HTTPException):
        return False


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Turn each signal that ends a program into `StopAsked`, once. What nohup made us ignore stays ignored."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        ignore_signals()
        raise StopAsked

    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in STOP_SIGNALS:
        if number == signal.SIGINT or before[number] is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """From here on everything is being stopped, which takes seconds and must not be cut short."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
