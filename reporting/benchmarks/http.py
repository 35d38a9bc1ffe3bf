"""The dashboard as a client meets it, beside the least that a signed-in request can cost."""

from __future__ import annotations

import http.client
import os
import random
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing import get_context
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection

from accounts import tokens
from mymoolah.common.clock import now
from reporting.benchmarks.addresses import conninfo
from reporting.benchmarks.series import Options, Series, in_turns, percentile, ratio

CLIENTS = 8
CUSTOMERS = 500
WEB_WORKERS = 2
PATHS = {"dashboard": "/api/v1/dashboard", "bare": "/api/v1/me"}
START_LIMIT_SECONDS = 30


def run(options: Options) -> dict[str, Any]:
    """Requests a second and latencies of CLIENTS clients; they share the machine's cores with the server."""
    headers = _signed_in_headers()
    latencies: dict[str, list[float]] = {name: [] for name in PATHS}
    with _server() as port:
        series = in_turns(
            {
                name: partial(_load, port, path, headers, options.seconds, latencies[name])
                for name, path in PATHS.items()
            },
            options,
            unit="requests per second",
            settle=True,
        )
    results: dict[str, Any] = {}
    for name, path in PATHS.items():
        results[f"{name} ({path})"] = {
            "rate": series[name],
            "p50": Series("ms", [percentile(latencies[name], 0.5)]),
            "p99": Series("ms", [percentile(latencies[name], 0.99)]),
        }
    results["ratio of rates"] = ratio(series["dashboard"], series["bare"])
    return results


def _signed_in_headers() -> list[dict[str, str]]:
    """One signed-in header each for some customers, the one with the longest history among them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT u.public_id
            FROM wallets AS w
            INNER JOIN users AS u ON u.id = w.user_id
            WHERE w.kind = 'customer' AND u.status = 'active'
            ORDER BY w.id
            LIMIT %s
            """,
            [CUSTOMERS],
        )
        public_ids = [row[0] for row in cursor.fetchall()]
    if not public_ids:
        raise CommandError("There is nobody to measure: run load_customers first.")
    return [{"Authorization": f"Bearer {_token(public_id)}"} for public_id in public_ids]


def _token(public_id: uuid.UUID) -> str:
    return tokens.issue_access_token(
        user_public_id=public_id, session_public_id=uuid.uuid4(), role="customer", now=now()
    )


@contextmanager
def _server() -> Iterator[int]:
    """A web server of our own on a free port, without rate limits: they would be what is measured."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "mymoolah.wsgi:application"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(WEB_WORKERS), "--blocking-threads", "8"]
    addresses = {"DATABASE_URL": conninfo("default"), "REDIS_URL": str(settings.CACHES["default"]["LOCATION"])}
    environment = {**os.environ, **addresses, "RATELIMIT_ENABLE": "off", "MYMOOLAH_DATA_DIR": str(settings.DATA_DIR)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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


def _load(port: int, path: str, headers: list[dict[str, str]], seconds: int, latencies: list[float]) -> float:
    """Ask as fast as answers come, from two processes; the requests a second of them all."""
    context = get_context("spawn")
    per_process = CLIENTS // WEB_WORKERS
    with context.Pool(WEB_WORKERS) as pool:
        arguments = [(port, path, headers, seconds, per_process, seed) for seed in range(WEB_WORKERS)]
        parts = pool.starmap(_client_process, arguments)
    for part in parts:
        latencies.extend(part)
    return sum(len(part) for part in parts) / seconds


def _client_process(  # noqa: PLR0917 - starmap passes by position
    port: int, path: str, headers: list[dict[str, str]], seconds: int, clients: int, seed: int
) -> list[float]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(clients) as pool:
        parts = pool.map(lambda n: _client(port, path, headers, seconds, seed * 100 + n), range(clients))
        return [latency for part in parts for latency in part]


def _client(port: int, path: str, headers: list[dict[str, str]], seconds: int, seed: int) -> list[float]:
    """One client with one connection: the milliseconds each of its answers took.

    :raises RuntimeError: an answer was not 200
    """
    chance, latencies = random.Random(seed), []  # noqa: S311 - which customer asks next
    deadline = time.perf_counter() + seconds
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        while (begun := time.perf_counter()) < deadline:
            client.request("GET", path, headers=chance.choice(headers))
            answer = client.getresponse()
            body = answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(f"{path} answered {answer.status}: {body[:200]!r}")
            latencies.append((time.perf_counter() - begun) * 1000)
    return latencies
