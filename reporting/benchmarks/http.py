"""The dashboard as a client meets it, beside the least that a signed-in request can cost."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

from reporting.benchmarks.load import Ask, Request, clients
from reporting.benchmarks.series import Options, Series, in_turns, percentile, ratio
from reporting.benchmarks.web import server, signed_in

CLIENTS = 8
CUSTOMERS = 500
PATHS = {"dashboard": "/api/v1/dashboard", "bare": "/api/v1/me"}


def run(options: Options) -> dict[str, Any]:
    """Requests a second and latencies of CLIENTS clients; they share the machine's cores with the server."""
    headers = signed_in_headers()
    latencies: dict[str, list[float]] = {name: [] for name in PATHS}
    with server() as port, clients(CLIENTS) as ask:
        series = in_turns(
            {
                name: partial(
                    rate, ask, port, [Request("GET", path, one) for one in headers], options.seconds, latencies[name]
                )
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


def signed_in_headers() -> list[dict[str, str]]:
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
    return [signed_in(public_id) for public_id in public_ids]


def rate(ask: Ask, port: int, requests: list[Request], seconds: int, latencies: list[float]) -> float:
    """:raises RuntimeError: an answer was not 200"""
    load = ask(port, requests, seconds=seconds, again=True)
    if load.errors:
        raise RuntimeError(f"{requests[0].path} answered {dict(load.errors)}")
    latencies.extend(load.latencies)
    return load.rate
