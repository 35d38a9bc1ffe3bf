"""Clients that ask over HTTP as fast as answers come, and look at every answer."""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, cycle
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import NamedTuple, Protocol, TypeVar

PROCESSES = 2  # one alone would wait for Python's lock
TIMEOUT_SECONDS = 30
START_LIMIT_SECONDS = 60

T = TypeVar("T")

_everybody_is_ready: Barrier | None = None


class Request(NamedTuple):
    """What is asked, and which answer is right: its status, and what its body must contain."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None = None
    status: int = 200
    contains: bytes = b""


@dataclass
class Load:
    """What a load brought: milliseconds of every right answer, and how often each wrong one came.

    `sent` counts each client's requests; the client numbered c of n had the requests c, c + n, c + 2n and so on.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    sent: list[int] = field(default_factory=list)

    @property
    def right_answers(self) -> int:
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Right answers a second."""
        return self.right_answers / self.seconds

    def left(self, items: Sequence[T]) -> list[T]:
        """Those of `items`, one for each request, whose requests were never sent, in their order."""
        clients = len(self.sent)
        return [item for number, item in enumerate(items) if number // clients >= self.sent[number % clients]]


class Ask(Protocol):
    def __call__(self, port: int, requests: Sequence[Request], *, seconds: int, again: bool = False) -> Load: ...


@contextmanager
def clients(number: int) -> Iterator[Ask]:
    """So many clients, each with one connection, in PROCESSES processes.

    They ask until the seconds are over or the requests are used up; `again` starts them over instead.
    """
    context = get_context("spawn")
    with context.Pool(PROCESSES, _meet_at, [context.Barrier(PROCESSES)]) as pool:

        def ask(port: int, requests: Sequence[Request], *, seconds: int, again: bool = False) -> Load:
            shares = [requests[client::number] for client in range(number)]
            process = partial(_process, port=port, seconds=seconds, again=again)
            parts = pool.map(process, [shares[first::PROCESSES] for first in range(PROCESSES)], chunksize=1)
            # Client 0 was the first of the first process, client 1 the first of the second.
            loads = [parts[client % PROCESSES][client // PROCESSES] for client in range(number)]
            return Load(
                seconds=max(load.seconds for load in loads),
                latencies=list(chain.from_iterable(load.latencies for load in loads)),
                errors=sum((load.errors for load in loads), Counter()),
                sent=[load.sent[0] for load in loads],
            )

        yield ask


def _meet_at(barrier: Barrier) -> None:
    """Let this process begin each load when all have their requests."""
    global _everybody_is_ready  # noqa: PLW0603 - a barrier is handed over when a process starts, never later
    _everybody_is_ready = barrier


def _process(shares: list[list[Request]], *, port: int, seconds: int, again: bool) -> list[Load]:
    assert _everybody_is_ready is not None
    with ThreadPoolExecutor(len(shares)) as pool:
        _everybody_is_ready.wait(START_LIMIT_SECONDS)
        return list(pool.map(partial(_client, port=port, seconds=seconds, again=again), shares))


def _client(requests: list[Request], *, port: int, seconds: int, again: bool) -> Load:
    load, sent, begin = Load(), 0, time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)) as connection:
        for request in cycle(requests) if again else requests:
            begun = time.monotonic()
            if begun >= begin + seconds:
                break
            sent += 1
            wrong = _ask(connection, request)
            if wrong is None:
                load.latencies.append((time.monotonic() - begun) * 1000)
            else:
                load.errors[wrong] += 1
    load.seconds, load.sent = time.monotonic() - begin, [sent]
    return load


def _ask(connection: http.client.HTTPConnection, request: Request) -> str | None:
    """Ask once; what was wrong with the answer, or None."""
    try:
        connection.request(request.method, request.path, body=request.body, headers=request.headers)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()  # the next request opens it again
        return f"no answer: {type(error).__name__}"
    if answer.status == request.status and request.contains in body:
        return None
    return f"{answer.status} {_code(body)}".strip()


def _code(body: bytes) -> str:
    """What an answer calls itself."""
    try:
        told = json.loads(body)
        return str(told.get("code") or told.get("result") or "")
    except (ValueError, AttributeError):
        return ""
