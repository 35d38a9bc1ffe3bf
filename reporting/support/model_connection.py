"""The way to a language model: one HTTP request within one limit of time, and none to a model that keeps failing.

It runs on a loop in a thread of its own, so that the limit covers all of it, the look-up of a name and an answer that
drips as well. What the process lacks while it waits is one thread, and only a few may wait at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from mymoolah.common.breaker import Breaker
from reporting.support.checking import Refused

if TYPE_CHECKING:
    import httpx  # takes a moment to import, and is of no use where no model is set

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 64 * 1024  # of an answer's body
AT_ONCE: Final = 3  # requests of one process; the others of its threads have money to move
FAILURES_IN_A_ROW: Final = 5
PAUSE_SECONDS: Final = 30.0

Message = Mapping[str, str]  # `role` and `content`


class Patience(Breaker):
    """A breaker that bears some failures in a row: a single one may be due to the question."""

    def __init__(self) -> None:
        super().__init__(pause_seconds=PAUSE_SECONDS)
        self._failures = 0  # not counted to the last one where several threads fail at once

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW:
            super().failed()
            logger.warning("The language model is not asked for %s seconds: it failed too often", PAUSE_SECONDS)

    def went_well(self) -> None:
        self._failures = 0
        super().went_well()


patience: Final = Patience()
_making: Final = threading.Lock()
_turns: Final = threading.BoundedSemaphore(AT_ONCE)


def ask(messages: Sequence[Message], *, most_tokens: int) -> str:
    """What the model says to `messages`.

    :raises Refused: `busy`, `timeout`, `unreachable`, `status`, `too_large` or `malformed`
    """
    wanted = {"model": settings.LLM_MODEL, "messages": list(messages), "max_tokens": most_tokens, "temperature": 0}
    if not _turns.acquire(blocking=False):
        raise Refused("busy")
    ends_at = time.monotonic() + settings.LLM_SECONDS
    try:
        connection = _connection().result(timeout=settings.LLM_SECONDS)
        return _text_of(connection.post(wanted, seconds=max(0, ends_at - time.monotonic())))
    except TimeoutError as error:
        raise Refused("timeout") from error
    except Refused:
        raise
    except Exception as error:  # what a stranger's server can do to a client has no end, and is all the same to us
        logger.warning("The language model cannot be asked: %s", type(error).__name__)
        raise Refused("unreachable") from error
    finally:
        _turns.release()


class Connection:
    """One client and its loop. Redirects are not followed, and nothing of the environment says where to go."""

    def __init__(self) -> None:
        import httpx

        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # noqa: S113 - whoever waits has one for the whole of it
            limits=httpx.Limits(max_connections=2 * AT_ONCE, max_keepalive_connections=AT_ONCE, keepalive_expiry=30),
        )
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="language-model", daemon=True).start()

    def post(self, wanted: Mapping[str, Any], *, seconds: float) -> bytes:
        """The body of an answer.

        :raises TimeoutError: none came in time
        :raises Refused: it was not read
        """
        answer = asyncio.run_coroutine_threadsafe(self._post(wanted), self._loop)
        try:
            return answer.result(timeout=seconds)
        finally:
            answer.cancel()

    async def _post(self, wanted: Mapping[str, Any]) -> bytes:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if settings.LLM_KEY:
            headers["Authorization"] = f"Bearer {settings.LLM_KEY}"
        url = f"{settings.LLM_URL}/chat/completions"
        async with self._client.stream("POST", url, json=wanted, headers=headers) as answer:
            return await _body_of(answer)


async def _body_of(answer: httpx.Response) -> bytes:
    if answer.status_code != 200:
        raise Refused("status")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused("malformed")  # nobody asked for it, and a small one may become large
    body = b""
    async for part in answer.aiter_raw():
        body += part
        if len(body) > MOST_BYTES:
            raise Refused("too_large")
    return body


def _connection() -> Future[Connection]:
    """This process's, which is made beside whoever asks first: that takes half a second, and he waits no longer for it."""
    with _making:
        return _connection_of(os.getpid())


@lru_cache(maxsize=1)
def _connection_of(_process: int) -> Future[Connection]:
    """A child that is forked has no thread of its parent's, and makes a connection of its own."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="language-model").submit(Connection)


def _text_of(body: bytes) -> str:
    try:
        choice = json.loads(body)["choices"][0]
        text, reason = choice["message"]["content"], choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Refused("malformed") from error
    if not isinstance(text, str) or reason not in ("stop", None):
        raise Refused("malformed")  # cut off, or a call of a tool that it was not offered
    return text
