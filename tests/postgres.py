"""A PostgreSQL of the tests' own: to stop, to kill, to restart and to copy, as the one that all tests share must not."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.core.management import call_command
from django.db import connections

from mymoolah.common import embedded
from mymoolah.common.embedded.places import Place, make_private, place_of
from mymoolah.common.embedded.postgres import FAST_SETTINGS, SETTINGS
from mymoolah.common.embedded.programs import programs_for
from mymoolah.common.embedded.servers import recorded, spawn
from tests.conftest import ADMIN_URL
from tests.waiting import wait_until

LIMIT_SECONDS = 60
HOME = "mymoolah"  # the database that is migrated, and cloned for each test


def other_bin() -> Path | None:
    """The folder of another PostgreSQL's programs, where the run asks for one."""
    named = os.environ.get("MYMOOLAH_TEST_PG_BIN")
    return Path(named) if named else None


@dataclass
class OwnPostgres:
    folder: Path
    _running: list[embedded.Running] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return place_of(self.folder)

    def start(self) -> None:
        self._running.append(embedded.start(self.folder, durable=False, postgres_bin=other_bin()))

    def end(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop it in order by SIGINT, which ends its sessions; by SIGKILL leave it as a crash does."""
        process = recorded(self.place.base / "postgres.json", "server")
        assert process is not None
        os.kill(process.pid, number)
        wait_until(lambda: not process.is_alive)

    def remove(self) -> None:
        for running in reversed(self._running):
            running.stop()
        self.place.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Point the connections of this process at it."""
        servers = self._running[0].servers
        connections.close_all()
        before = {alias: dict(connections.settings[alias]) for alias in ("default", "owner")}
        admin = os.environ[ADMIN_URL]
        for alias in before:
            connections.settings[alias].update(HOST=str(self.place.sockets), NAME=HOME)
        os.environ[ADMIN_URL] = servers.database_admin_url
        try:
            yield
        finally:
            connections.close_all()
            for alias, known in before.items():
                connections.settings[alias].update(known)
            os.environ[ADMIN_URL] = admin


@contextlib.contextmanager
def own_postgres(home: Path) -> Iterator[OwnPostgres]:
    """One that is migrated, in a folder below `home`."""
    server = OwnPostgres(home / f"{os.getpid()}-own")
    server.start()
    try:
        with server.in_use():
            call_command("migrate", verbosity=0)
        yield server
    finally:
        server.remove()


@dataclass
class Replica:
    """A streaming copy of a server."""

    primary: OwnPostgres
    database: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        return self.primary.place.base / "replica"

    @property
    def sockets(self) -> Path:
        return self.primary.place.base / "copy"  # short, for the address of a unix socket is

    @property
    def url(self) -> str:
        return f"postgresql://mymoolah_app@/{self.database}?host={quote(str(self.sockets), safe='')}"

    def make(self) -> None:
        place = self.primary.place
        for folder in (self.folder, self.sockets):
            make_private(folder, place.account)
        command = [self._program("pg_basebackup"), "--host", str(place.sockets), "--username=postgres"]
        command += ["--pgdata", str(self.folder), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        log = place.logs / "pg_basebackup.log"
        assert spawn(command, place.account, log).wait() == 0, log.read_text()

    def start(self) -> None:
        settings = SETTINGS | FAST_SETTINGS | {"unix_socket_directories": str(self.sockets)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        place = self.primary.place
        command = [self._program("postgres"), "-D", str(self.folder), *options]
        self.process = spawn(command, place.account, place.logs / "replica.log")
        wait_until(self._answers)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=LIMIT_SECONDS)
            self.process = None

    def remove(self) -> None:
        self.stop()
        for folder in (self.folder, self.sockets):
            shutil.rmtree(folder, ignore_errors=True)

    def ask(self, statement: str) -> Any:
        """The one value that a superuser is told."""
        with psycopg.connect(host=str(self.sockets), user="postgres", dbname="postgres", autocommit=True) as connection:
            [value] = connection.execute(statement).fetchone() or [None]
        return value

    def pause(self) -> None:
        """Hold the copy where it is; the stream goes on."""
        self.ask("SELECT pg_wal_replay_pause()")
        wait_until(lambda: self.ask("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self) -> None:
        self.ask("SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Wait until it has what the primary has written by now."""
        with psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as connection:
            [position] = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone() or [None]
            connection.execute("CHECKPOINT")  # makes it durable, and writes something that comes after
        wait_until(lambda: self.ask(f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"))

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return bool(self.ask("SELECT pg_is_in_recovery()"))
        return False

    def _program(self, name: str) -> str:
        return str(programs_for(self.primary.place.account, postgres_bin=other_bin()).postgres_bin / name)


@contextlib.contextmanager
def replica_of(primary: OwnPostgres, *, database: str) -> Iterator[Replica]:
    """A copy of all of it, of which `url` names one database."""
    copy = Replica(primary, database)
    try:
        copy.make()
        copy.start()
        yield copy
    finally:
        copy.remove()
