"""Real PostgreSQL and Valkey (a Redis) from installed packages, for the demo, the tests and work on one machine.

All files stay in one data folder. Nobody listens on TCP: the only way in is a unix socket in a folder of mode 0700, so
the `trust` of PostgreSQL reaches no further than the account that runs the servers, and root.

`places` says where the files are, `programs` where the binaries are; `servers` starts and stops any server, `postgres`
and `valkey` say what is special about theirs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from mymoolah.common.embedded.places import EmbeddedError, Place, make_folders, place_of
from mymoolah.common.embedded.postgres import bootstrap, postgres
from mymoolah.common.embedded.programs import postgres_program, programs_for
from mymoolah.common.embedded.servers import Held, Server, attach_or_start, lock, recorded, stop
from mymoolah.common.embedded.valkey import valkey

__all__ = ["EmbeddedError", "Running", "Servers", "are_running", "pg_bin", "start", "urls"]

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The addresses of one PostgreSQL and one Valkey; `database_admin_url` is for tests and benchmarks only."""

    database_url: str
    database_owner_url: str
    database_admin_url: str
    redis_url: str
    broker_url: str


class Running:
    """Servers that answer; a context manager that stops at its end what was started for it."""

    def __init__(self, place: Place, held: Sequence[Held]) -> None:
        self.servers = _addresses(place)
        self._place = place
        self._held = list(held)

    @property
    def is_owner(self) -> bool:
        """Whether `stop` will stop a server, rather than leave them all to somebody else."""
        return bool(self._held)

    def stop(self) -> None:
        """Stop the servers that this call of `start` started or adopted, and no others; safe to call twice.

        :raises EmbeddedError: a server would not end, or its folder is out of reach.
        """
        if not self._held:
            return
        with _plain_errors(self._place), lock(self._place):
            while self._held:
                stop(self._held[-1])
                self._held.pop()
            self._place.forget_sockets()

    def remove(self) -> None:
        """Stop, and delete the servers' files, if both servers are ours.

        :raises EmbeddedError: somebody else uses them, or a server would not end.
        """
        if len(self._held) < 2:
            raise EmbeddedError(f"The servers of {self._place.base} are not ours alone; their files stay.")
        self.stop()
        self._place.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def urls(data_dir: Path) -> Servers:
    """The addresses that the servers of this folder have, or will have once started. Starts and writes nothing.

    :raises EmbeddedError: run as root on a machine without an account for the servers.
    """
    return _addresses(place_of(data_dir))


def start(
    data_dir: Path,
    *,
    durable: bool = True,
    postgres_bin: Path | None = None,
    on_progress: Progress | None = None,
) -> Running:
    """Start what is not running, attach to what is, and return when both servers answer.

    Servers whose starter was killed are adopted: `stop` then stops them. For tests: `durable=False` is faster and
    smaller, and a crash of the machine may lose the data; `postgres_bin` is the bin folder of another PostgreSQL. Both
    matter to the call that starts PostgreSQL, not to one that finds it running.

    :raises EmbeddedError: the folder, the binaries or a server is unusable; the message says which and why.
    """
    say = on_progress or (lambda _: None)
    place = place_of(data_dir)
    with _plain_errors(place):
        make_folders(place, say=say)
        with lock(place):
            programs = programs_for(place.account, postgres_bin=postgres_bin)
            servers = (postgres(place, programs, durable=durable, say=say), valkey(place, programs))
            return Running(place, _bring_up(place, servers, say=say))


def are_running(data_dir: Path) -> bool:
    """Whether both servers live, as far as our records know. Starts nothing, and asks no server."""
    base = place_of(data_dir).base
    return all(recorded(base / f"{name}.json", "server") is not None for name in ("postgres", "valkey"))


def pg_bin(name: str) -> Path:
    """The path of a program of the embedded PostgreSQL, such as `psql` or `pgbench`.

    :raises EmbeddedError: the package or the program is missing.
    """
    return postgres_program(name)


def _bring_up(place: Place, servers: Iterable[Server], *, say: Progress) -> list[Held]:
    held = []
    with contextlib.ExitStack() as undo:
        for server in servers:
            ours = attach_or_start(server, place.account, say=say)
            if ours is not None:
                undo.callback(stop, ours)
                held.append(ours)
                # Under the lock: so what has a living owner is complete, and need not be looked at again.
                if ours.server.socket == place.postgres_socket:
                    bootstrap(place)
        undo.pop_all()
    return held


def _addresses(place: Place) -> Servers:
    host, redis = quote(str(place.sockets), safe=""), place.valkey_socket
    return Servers(
        database_url=f"postgresql://mymoolah_app@/mymoolah?host={host}",
        database_owner_url=f"postgresql://mymoolah_owner@/mymoolah?host={host}",
        database_admin_url=f"postgresql://postgres@/postgres?host={host}",
        redis_url=f"unix://{redis}?db=0",
        broker_url=f"redis+socket://{redis}?virtual_host=1",
    )


@contextlib.contextmanager
def _plain_errors(place: Place) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedError(f"The servers of {place.base} cannot be used: {error}.") from error
