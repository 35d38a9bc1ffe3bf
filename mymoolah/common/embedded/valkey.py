"""The embedded Valkey: cache, rate limits and Celery's queues, all of which may be lost."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from mymoolah.common.embedded.places import Place
from mymoolah.common.embedded.programs import Programs
from mymoolah.common.embedded.servers import Server


def valkey(place: Place, programs: Programs) -> Server:
    """Describe the Valkey of this place."""
    settings = {
        "port": "0",
        "unixsocket": str(place.valkey_socket),
        "unixsocketperm": "700",
        "dir": str(place.valkey),
        "save": "",
        "appendonly": "no",
        "maxmemory": "256mb",
        # Cached reads expire, and may go early; Celery's queues do not expire, and must never be dropped silently.
        "maxmemory-policy": "volatile-lru",
    }
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return Server(
        name="Valkey",
        command=[programs.valkey_server, *options],
        socket=place.valkey_socket,
        log=place.logs / "valkey.log",
        record=place.base / "valkey.json",
        guard=place.base / "valkey.guard",
        prepare=lambda _: None,
        is_ready=lambda: _answers_ping(place.valkey_socket),
        stop_signals=((signal.SIGTERM, 30), (signal.SIGKILL, 10)),
    )


def _answers_ping(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
