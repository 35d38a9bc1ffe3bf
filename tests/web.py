"""A web server of one test's own, as production starts it: granian, several processes, all limits on."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from django.conf import settings
from django.db import connections
from psycopg.conninfo import make_conninfo

from tests.api import V1

START_LIMIT_SECONDS = 60
WORKERS, THREADS = 2, 12


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes
    seconds: float

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


@dataclass(frozen=True)
class Web:
    port: int
    pid: int

    def ask(self, method: str, path: str, body: object = None, *, token: str = "", **headers: str) -> Answer:
        """Ask the API; a path that begins at the root leads elsewhere.

        Each time on a connection of its own, which any of the processes may take.
        """
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token}"
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        began = time.perf_counter()
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as client:
            client.request(
                method, path if path.startswith("/") else V1 + path, None if body is None else json.dumps(body), given
            )
            answer = client.getresponse()
            text = answer.read()
        return Answer(answer.status, answer.headers, text, time.perf_counter() - began)


@contextlib.contextmanager
def web_server(*options: str, application: str = "mymoolah.wsgi:application", **environment: str) -> Iterator[Web]:
    """Serve the database of this test; `options` are the server's, `environment` has the last word."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", application]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(WORKERS)]
    command += ["--blocking-threads", str(THREADS), *options]
    named = {
        "DATABASE_URL": database_url(),
        "REDIS_URL": str(settings.CACHES["default"]["LOCATION"]),
        "MYMOOLAH_BROKER_URL": str(settings.CELERY_BROKER_URL),
        "MYMOOLAH_DATA_DIR": str(settings.DATA_DIR),  # whose keys sign what the test signs
    }
    process = subprocess.Popen(command, env={**os.environ, **named, **environment}, stdout=subprocess.DEVNULL)
    try:
        web = Web(port, process.pid)
        wait_for(web)
        yield web
    finally:
        process.terminate()
        process.wait(timeout=60)


def database_url(alias: str = "default") -> str:
    params = connections[alias].get_connection_params()
    known = {name: params[name] for name in params.keys() & {"dbname", "user", "password", "host", "port"}}
    return make_conninfo("", **known)


def wait_for(web: Web) -> None:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while True:
        with contextlib.suppress(OSError):
            if web.ask("GET", "nope").status == 404:
                return
        assert time.monotonic() < deadline, "the web server did not start"
        time.sleep(0.1)
