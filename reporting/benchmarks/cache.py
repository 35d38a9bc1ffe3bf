"""What the read cache saves a request, or costs it: kept answers beside those that are read anew, and beside none kept.

The ways take turns every few requests, since what else the machine does is many times what there is to measure.
"""

from __future__ import annotations

import itertools
import time
import uuid
from functools import partial
from typing import Any, Final

from django.core.management.base import CommandError
from django.test import Client
from django.test.utils import override_settings

from accounts import tokens
from mymoolah.common import read_cache
from mymoolah.common.metrics import REGISTRY
from reporting.benchmarks.http import CLIENTS, rate, signed_in_headers
from reporting.benchmarks.load import Request, clients
from reporting.benchmarks.series import Options, Series, in_turns, percentile, ratio
from reporting.benchmarks.web import server

PATHS: Final = {"dashboard": "/api/v1/dashboard", "wallets": "/api/v1/wallets", "vouchers": "/api/v1/vouchers"}
HITS, MISSES, WITHOUT = "hits", "misses", "without"
TURNS, REQUESTS_PER_TURN = 20, 20
IN_USE_LIMIT_SECONDS: Final = 20


def run(options: Options) -> dict[str, Any]:
    """Milliseconds of a request in this process, of CPU and in all; requests a second, and latencies, of CLIENTS clients."""
    results: dict[str, Any] = {}
    wait_until_in_use()
    for name, path in PATHS.items():
        for what, series in _in_process(path, signed_in_headers(), options).items():
            results[f"{what} of {name} ({path})"] = {
                **series,
                "hits beside without": ratio(series[HITS], series[WITHOUT]),
                "misses beside without": ratio(series[MISSES], series[WITHOUT]),
            }
    for name, path in PATHS.items():
        results[f"over HTTP, {name} ({path})"] = _over_http(path, signed_in_headers(), options)
    return results


def wait_until_in_use() -> None:
    """Nobody reads the cache for some seconds after a load has begun it anew."""
    deadline = time.monotonic() + IN_USE_LIMIT_SECONDS
    while not read_cache.is_in_use():
        if time.monotonic() > deadline:
            raise CommandError("The read cache is not in use: see cache_stats.")
        time.sleep(0.1)


# In this process ----------------------------------------------------------------------------------------------------
def _in_process(path: str, headers: list[dict[str, str]], options: Options) -> dict[str, dict[str, Series]]:
    cpu, elapsed = ({mode: Series(unit) for mode in (HITS, MISSES, WITHOUT)} for unit in ("ms of CPU", "ms"))
    everybody, client = itertools.cycle(headers), Client(headers={"host": "localhost"})
    with override_settings(RATELIMIT_ENABLE=False, READ_CACHE_FAMILIES=list(PATHS)):
        for number in range(-1, options.rounds):
            spent = {mode: [0.0, 0.0] for mode in cpu}
            for turn in range(TURNS):
                for mode in sorted(cpu, key=lambda mode: (list(cpu).index(mode) + turn) % len(cpu)):
                    whose = list(itertools.islice(everybody, REQUESTS_PER_TURN))
                    for which, took in enumerate(_turn(client, path, whose, mode)):
                        spent[mode][which] += took
            if number < 0:  # the first does not count
                continue
            for mode, totals in spent.items():
                for series, total in zip((cpu, elapsed), totals, strict=True):
                    series[mode].values.append(total / (TURNS * REQUESTS_PER_TURN))
                options.say(
                    f"round {number + 1} of {options.rounds}: {path}, {mode}: {elapsed[mode].values[-1]:,.3f} ms"
                )
    return {"CPU": cpu, "time": elapsed}


def _turn(client: Client, path: str, whose: list[dict[str, str]], mode: str) -> tuple[float, float]:
    """Milliseconds of CPU, and in all."""
    with override_settings(READ_CACHE=mode != WITHOUT):
        if mode == HITS:
            _ask(client, path, whose)
        elif mode == MISSES:
            read_cache.changed(*map(_owner, whose))
        before = _computed(path)
        began, cpu_began = time.perf_counter(), time.process_time()
        _ask(client, path, whose)
        took = (time.process_time() - cpu_began) * 1000, (time.perf_counter() - began) * 1000
        expected = len(whose) if mode == MISSES else 0
        if abs(_computed(path) - before - expected) > len(whose) / 2:
            raise CommandError(f"{mode} were to be measured, and were none: is the read cache in use (cache_stats)?")
    return took


def _computed(path: str) -> float:
    labels = {"family": path.rpartition("/")[2], "outcome": "computation"}
    return REGISTRY.get_sample_value("mymoolah_read_cache_total", labels) or 0.0


def _ask(client: Client, path: str, whose: list[dict[str, str]]) -> None:
    """:raises RuntimeError: an answer was not 200"""
    for headers in whose:
        status = client.get(path, headers=headers).status_code
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")


def _owner(headers: dict[str, str]) -> uuid.UUID:
    return tokens.read_access_token(headers["Authorization"].partition(" ")[2]).public_id


# Over HTTP ----------------------------------------------------------------------------------------------------------
def _over_http(path: str, headers: list[dict[str, str]], options: Options) -> dict[str, Any]:
    requests = [Request("GET", path, one) for one in headers]
    latencies: dict[str, list[float]] = {HITS: [], WITHOUT: []}
    with server(MYMOOLAH_READ_CACHE="on") as on, server(MYMOOLAH_READ_CACHE="off") as off, clients(CLIENTS) as ask:
        series = in_turns(
            {
                mode: partial(rate, ask, port, requests, options.seconds, latencies[mode])
                for mode, port in ((HITS, on), (WITHOUT, off))
            },
            options,
            unit="requests per second",
            settle=True,
            what=f"{path}, ",
        )
    found: dict[str, Any] = {**series, "hits beside without": ratio(series[HITS], series[WITHOUT])}
    for mode, taken in latencies.items():
        found[f"p50, p99 {mode}"] = f"{percentile(taken, 0.5):.2f}, {percentile(taken, 0.99):.2f} ms"
    return found
