"""What the record of query times costs a request: CPU time in this process, and throughput over HTTP.

The two ways take turns every few requests, since what else the machine does is many times what there is to measure.
"""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import override_settings

from mymoolah.common import query_log
from reporting.benchmarks.http import CLIENTS, rate, signed_in_headers
from reporting.benchmarks.load import Request, clients
from reporting.benchmarks.series import Options, Series, in_turns, ratio
from reporting.benchmarks.web import server

PATHS: Final = {"dashboard": "/api/v1/dashboard", "entries": "/api/v1/transactions"}
MIDDLEWARE: Final = "mymoolah.common.query_log.QueryLog"
OFF, ON, ALL = "off", "on", "on, every request sampled"
OTHER: Final = "off, on another server"
TURNS, REQUESTS_PER_TURN = 40, 20
CALLS: Final = 20_000


def run(options: Options) -> dict[str, Any]:
    """CPU milliseconds of a request, and requests a second of CLIENTS clients, without the record and with it."""
    results: dict[str, Any] = {"sampled share": settings.QUERY_LOG_SAMPLE_SHARE, "slow, ms": settings.QUERY_LOG_SLOW_MS}
    results["what is added while nothing is sampled or slow"] = _alone(options)
    for name, path in PATHS.items():
        series = _cpu(path, signed_in_headers(), options)  # anew, for a token lasts a quarter of an hour
        results[f"CPU of {name} ({path})"] = {
            **series,
            "on beside off": ratio(series[ON], series[OFF]),
            "every request sampled beside off": ratio(series[ALL], series[OFF]),
        }
    for name, path in PATHS.items():
        series = _rates(path, signed_in_headers(), options)
        results[f"rate of {name} ({path})"] = {
            **series,
            "on beside off": ratio(series[ON], series[OFF]),
            "off beside off": ratio(series[OTHER], series[OFF]),
        }
    return results


# In this process ----------------------------------------------------------------------------------------------------
def _alone(options: Options) -> dict[str, Series]:
    """Microseconds of CPU that the middleware and the end of a request take, and the wrapper of a statement."""
    middleware, request = query_log.QueryLog(lambda _: HttpResponse()), HttpRequest()

    def answer() -> None:
        middleware(request).close()

    def bare_answer() -> None:
        HttpResponse().close()

    def statement() -> None:
        query_log.time_statement(_nothing, "", None, False, {"cursor": None})  # noqa: FBT003 - as Django calls it

    with override_settings(QUERY_LOG_SAMPLE_SHARE=0.0):
        series = in_turns(
            {work.__name__: partial(_cpu_us, work) for work in (answer, bare_answer, statement)},
            options,
            unit="µs of CPU",
            settle=True,
        )
    added = [both - bare for both, bare in zip(series["answer"].values, series["bare_answer"].values, strict=True)]
    return {"a request": Series("µs of CPU", added), "a statement": series["statement"]}


def _nothing(*_: object) -> None:
    pass


def _cpu_us(work: Callable[[], None]) -> float:
    begun = time.process_time()
    for _ in range(CALLS):
        work()
    return (time.process_time() - begun) * 1_000_000 / CALLS


def _cpu(path: str, headers: list[dict[str, str]], options: Options) -> dict[str, Series]:
    """Milliseconds of this process' CPU for a request; of each round's, the ways take turns."""
    series = {name: Series("ms of CPU") for name in (OFF, ON, ALL)}
    everybody = itertools.cycle(headers)
    gc.freeze()  # what there is already need not be looked through again and again
    with override_settings(RATELIMIT_ENABLE=False):
        asking = {name: _client(recorded=name != OFF) for name in series}
        for number in range(-1, options.rounds):
            spent = dict.fromkeys(series, 0.0)
            for turn in range(TURNS):
                for name in sorted(series, key=lambda name: (list(series).index(name) + turn) % len(series)):
                    whose = list(itertools.islice(everybody, REQUESTS_PER_TURN))
                    with _recording(name):
                        spent[name] += _cpu_ms(asking[name], path, whose)
            if number < 0:  # the first does not count
                continue
            for name, total in spent.items():
                series[name].values.append(total / (TURNS * REQUESTS_PER_TURN))
                options.say(
                    f"round {number + 1} of {options.rounds}: {path}, {name}: {series[name].values[-1]:,.3f} ms"
                )
    gc.unfreeze()
    return series


def _cpu_ms(client: Client, path: str, whose: list[dict[str, str]]) -> float:
    """Without Python's collections of garbage, which would fall on either way by chance.

    :raises RuntimeError: an answer was not 200
    """
    gc.collect()
    gc.disable()
    begun = time.process_time()
    try:
        for headers in whose:
            status = client.get(path, headers=headers).status_code
            if status != 200:
                raise RuntimeError(f"{path} answered {status}")
        return (time.process_time() - begun) * 1000
    finally:
        gc.enable()


def _client(*, recorded: bool) -> Client:
    """A client whose requests pass through the middleware of the record, or do not."""
    others = [name for name in settings.MIDDLEWARE if name != MIDDLEWARE]
    client = Client(headers={"host": "localhost"})
    with override_settings(MIDDLEWARE=[MIDDLEWARE, *others] if recorded else others):
        client.handler.load_middleware()
    return client


@contextmanager
def _recording(name: str) -> Iterator[None]:
    """Time the statements of our connection, or do not; what is recorded goes to Redis, as it does from a web server."""
    connection.ensure_connection()
    before = list(connection.execute_wrappers)
    connection.execute_wrappers[:] = [] if name == OFF else [query_log.time_statement]
    try:
        with override_settings(QUERY_LOG_SAMPLE_SHARE=1.0 if name == ALL else settings.QUERY_LOG_SAMPLE_SHARE):
            yield
    finally:
        connection.execute_wrappers[:] = before


# Over HTTP ----------------------------------------------------------------------------------------------------------
def _rates(path: str, headers: list[dict[str, str]], options: Options) -> dict[str, Series]:
    """There and back in each round: a machine that grows faster or slower meanwhile does so for all.

    A second server without the record tells how much two servers differ that do the same.
    """
    requests = [Request("GET", path, one) for one in headers]
    latencies: list[float] = []
    with (
        server(QUERY_LOG_ENABLE="off") as off,
        server(QUERY_LOG_ENABLE="on") as on,
        server(QUERY_LOG_ENABLE="off") as other,
        clients(CLIENTS) as ask,
    ):
        ports = {OFF: off, ON: on, OTHER: other}
        there_and_back = {**ports, **{f"{name} again": ports[name] for name in (OTHER, ON, OFF)}}
        series = in_turns(
            {
                name: partial(rate, ask, port, requests, options.seconds, latencies)
                for name, port in there_and_back.items()
            },
            options,
            unit="requests per second",
            settle=True,
            what=f"{path}, ",
        )
    return {name: _between(series[name], series[f"{name} again"]) for name in ports}


def _between(first: Series, second: Series) -> Series:
    return Series(first.unit, [(a + b) / 2 for a, b in zip(first.values, second.values, strict=True)])
