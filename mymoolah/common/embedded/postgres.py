"""The embedded PostgreSQL: its data, its settings, and what a killed one leaves behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from mymoolah.common.embedded.places import POSTGRES_SOCKET, EmbeddedError, Place, make_private
from mymoolah.common.embedded.programs import Programs, postgres_major, postgres_program
from mymoolah.common.embedded.servers import CLEAN_ENVIRONMENT, Process, Server, end_of, spawn

BOOTSTRAP_SQL = Path(__file__).parent.parent / "sql" / "bootstrap.sql"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_preload_libraries": "pg_stat_statements",
    "jit": "off",  # the queries are short: to compile one costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "wal_level": "replica",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
}
DURABLE_SETTINGS = {"fsync": "on", "shared_buffers": "1GB", "effective_cache_size": "4GB", "max_wal_size": "4GB"}
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}

INITDB_OPTIONS = (
    "--username=postgres",
    "--auth-local=trust",
    "--auth-host=reject",
    "--data-checksums",
    "--encoding=UTF8",
    "--locale=C.UTF-8",  # by code point: the same order on every machine
)
# PostgreSQL's own C.UTF-8 sorts faster, and does not change with the C library; from 17 on.
BUILTIN_LOCALE_OPTIONS = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")


def postgres(place: Place, programs: Programs, *, durable: bool, say: Callable[[str], None]) -> Server:
    """Describe the PostgreSQL of this place."""
    settings = SETTINGS | (DURABLE_SETTINGS if durable else FAST_SETTINGS)
    settings["unix_socket_directories"] = str(place.sockets)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def prepare(guard: int) -> None:
        _make_data(place, programs.postgres_bin, guard=guard, durable=durable, say=say)
        for file in (place.pgdata / "postmaster.pid", place.sockets / f"{POSTGRES_SOCKET}.lock"):
            _disarm_pid_file(file, place.pgdata)

    return Server(
        name="PostgreSQL",
        command=[programs.postgres_bin / "postgres", "-D", place.pgdata, *options],
        socket=place.postgres_socket,
        log=place.logs / "postgres.log",
        record=place.base / "postgres.json",
        guard=place.base / "postgres.guard",
        prepare=prepare,
        is_ready=lambda: _run(place, "pg_isready", "-q").returncode == 0,
        # Fast; then immediate, from which the next start recovers.
        stop_signals=((signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)),
    )


def bootstrap(place: Place) -> None:
    """Make sure of the roles, the database and its extensions.

    :raises EmbeddedError: the script failed.
    """
    done = _run(place, "psql", "-X", "-q", "-f", str(BOOTSTRAP_SQL))
    if done.returncode != 0:
        raise EmbeddedError(f"The database in {place.pgdata} could not be prepared: {done.stderr.strip()}")


def _run(place: Place, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    target = ("-h", str(place.sockets), "-U", "postgres", "-d", "postgres")
    command: list[str | Path] = [postgres_program(name), *target, *options]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=CLEAN_ENVIRONMENT
    )


def _make_data(place: Place, postgres_bin: Path, *, guard: int, durable: bool, say: Callable[[str], None]) -> None:
    """Run initdb unless there are data: beside their place first, so that a killed initdb leaves nothing half-made.

    :raises EmbeddedError: there is something else, data of another version say; or initdb failed.
    """
    major = postgres_major(postgres_bin)
    if place.pgdata.exists():
        _check_version(place.pgdata, major)
        return
    say(f"Creating a database in {place.pgdata}.")
    draft, log = place.base / "postgres.draft", place.logs / "initdb.log"
    if draft.exists():
        shutil.rmtree(draft)
    make_private(draft, place.account)
    locale, haste = BUILTIN_LOCALE_OPTIONS if int(major) >= 17 else (), () if durable else ("--no-sync",)
    command = [postgres_bin / "initdb", "-D", draft, *INITDB_OPTIONS, *locale, *haste]
    if _finish(spawn(command, place.account, log, keep_open=(guard,))) != 0:
        raise EmbeddedError(f"No database could be made in {place.pgdata}; {log} ends with:\n{end_of(log)}")
    draft.rename(place.pgdata)


def _finish(program: subprocess.Popen[bytes]) -> int:
    """Wait for a program, or end it and its children if we are interrupted."""
    try:
        return program.wait()
    finally:
        if program.returncode is None:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def _check_version(pgdata: Path, needed: str) -> None:
    file = pgdata / "PG_VERSION"
    if not file.is_file():
        raise EmbeddedError(f"{pgdata} holds something else than a PostgreSQL's data; choose another data folder.")
    found = file.read_text(errors="replace").strip()
    if found != needed:
        made = f"The data in {pgdata} were made by PostgreSQL {found:.10}, but this is PostgreSQL {needed}"
        raise EmbeddedError(f"{made}; choose another data folder, or bring them over with pg_upgrade.")


def _disarm_pid_file(file: Path, pgdata: Path) -> None:
    """Make the pid file of a killed PostgreSQL harmless, though its pid may be another process's by now.

    PostgreSQL takes any living process of its account for a rival, except its own parent: which we are going to be. The
    rest of the file stays, for by it PostgreSQL finds the memory that surviving children of the killed one still use.

    :raises EmbeddedError: the pid is a PostgreSQL that runs on these data.
    """
    try:
        handle = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with os.fdopen(handle, "r+", errors="replace") as content:
        pid, _, rest = content.read().partition("\n")
        if not pid.strip().lstrip("-").isdecimal():
            file.unlink()  # cut off while it was written: there was no server yet
        elif _runs_on(abs(int(pid)), pgdata):
            raise EmbeddedError(f"Another PostgreSQL (process {pid}) already uses {pgdata}; stop it first.")
        elif _exists(abs(int(pid))):
            content.seek(0)
            content.write(f"{os.getpid()}\n{rest}")
            content.truncate()


def _exists(pid: int) -> bool:
    """Whether a pid is taken, were it by a zombie: that is all PostgreSQL asks."""
    return Path(f"/proc/{pid}").exists()


def _runs_on(pid: int, pgdata: Path) -> bool:
    if Process.find(pid) is None:
        return False
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return words[0].endswith(b"postgres") and os.fsencode(pgdata) in words
