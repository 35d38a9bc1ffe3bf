"""A web server of the measurement's own, and who is signed in there."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.conf import settings
from django.core.management.base import CommandError

from accounts import tokens
from mymoolah.common.clock import now
from reporting.benchmarks.addresses import conninfo

WORKERS = 2
THREADS = 12  # as production has them: four more than connections
START_LIMIT_SECONDS = 30


@contextmanager
def server(**changed: str) -> Iterator[int]:
    """The port of a web server on the database we use, without rate limits: they would be what is measured.

    `changed` are settings of its own, as its environment has them.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "mymoolah.wsgi:application"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(WORKERS), "--blocking-threads", str(THREADS)]
    addresses = {
        "DATABASE_URL": conninfo("default"),
        "REDIS_URL": str(settings.CACHES["default"]["LOCATION"]),
        "MYMOOLAH_READ_CACHE_URL": settings.READ_CACHE_URL,
    }
    environment = {**os.environ, **addresses, "RATELIMIT_ENABLE": "off", "MYMOOLAH_DATA_DIR": str(settings.DATA_DIR)}
    process = subprocess.Popen(command, env=environment | changed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as client:
                client.request("GET", "/healthz")
                if client.getresponse().status == http.HTTPStatus.OK:
                    return
        except OSError:
            time.sleep(0.1)
    raise CommandError("The web server did not start.")


def signed_in(public_id: uuid.UUID) -> dict[str, str]:
    """The headers of a customer who has just signed in."""
    token = tokens.issue_access_token(
        user_public_id=public_id, session_public_id=uuid.uuid4(), role="customer", now=now()
    )
    return {"Authorization": f"Bearer {token}"}
