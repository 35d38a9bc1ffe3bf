"""What refreshing the materialized view costs, and whether readers notice."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import psycopg
from django.core.management.base import CommandError
from django.db import connections

from reporting.benchmarks.addresses import conninfo
from reporting.benchmarks.series import Options, Series, in_turns, percentile, ratio

READER_PAUSE_SECONDS = 0.01


def run(options: Options) -> dict[str, Any]:
    """Seconds of a refresh in this database, and in turns in the database `beside` on the same server.

    :raises CommandError: no other database was named
    """
    if not options.beside:
        raise CommandError("Name the other loaded database with --beside.")
    beside = options.beside
    here = str(connections["owner"].settings_dict["NAME"])
    slowest: dict[str, list[float]] = {here: [], beside: []}
    sizes = {name: _size(name) for name in (here, beside)}
    series = in_turns(
        {name: partial(_refresh, name, slowest[name]) for name in (here, beside)},
        options,
        unit="s",
        settle=True,
    )
    results: dict[str, Any] = {}
    for name in (here, beside):
        results[f"{name} ({sizes[name]})"] = series[name]
        results[f"readers of {name} meanwhile"] = {
            "p50": Series("ms", [percentile(slowest[name], 0.5)]),
            "p99": Series("ms", [percentile(slowest[name], 0.99)]),
            "slowest": Series("ms", [max(slowest[name])]),
        }
    results["ratio"] = ratio(series[here], series[beside])
    return results


def _refresh(name: str, readings: list[float]) -> float:
    """Refresh once while a reader looks rows up; the reader's times are added to `readings`, in milliseconds."""
    done = threading.Event()
    reader = threading.Thread(target=_read_until, args=(name, done, readings))
    reader.start()
    try:
        with psycopg.connect(conninfo("owner", database=name), autocommit=True) as connection:
            begun = time.perf_counter()
            connection.execute("SELECT refresh_user_dashboard_summary()")
            return time.perf_counter() - begun
    finally:
        done.set()
        reader.join()


def _read_until(name: str, done: threading.Event, readings: list[float]) -> None:
    with psycopg.connect(conninfo("owner", database=name), autocommit=True) as connection:
        row = connection.execute("SELECT max(user_id) FROM user_dashboard_summary").fetchone()
        last = row[0] if row else 0
        number = 0
        while not done.is_set():
            number += 1
            begun = time.perf_counter()
            connection.execute(
                "SELECT wallet_balance FROM user_dashboard_summary WHERE user_id = %s", [1 + number * 7919 % last]
            ).fetchall()
            readings.append((time.perf_counter() - begun) * 1000)
            time.sleep(READER_PAUSE_SECONDS)


def _size(name: str) -> str:
    with psycopg.connect(conninfo("owner", database=name), autocommit=True) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM user_dashboard_summary), (SELECT count(*) FROM transactions)"
        ).fetchone()
    wallets, entries = row or (0, 0)
    return f"{wallets:,} wallets in the view, {entries:,} entries"
