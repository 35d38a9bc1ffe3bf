"""What each page of the back-office costs the server: its time, its queries, and the blocks that they read.

Pages are asked for in this process, through all of the middleware, by colleagues who exist until a transaction is rolled
back; nothing of what a look leaves behind (sessions, audit events) stays.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from accounts.services import create_staff
from reporting.benchmarks.dashboard import customer_with_entries
from reporting.benchmarks.reading import Statement, plan_of
from reporting.benchmarks.series import Options, Series
from reporting.benchmarks.staff_pages import Neighbours, Page, pages, unknown_routes
from reporting.roles import ROLES

AVERAGE_HISTORY: Final = 10
GOAL_MS: Final = 300
READERS: Final = ("auditor", "finance", "kyc", "administrator", *ROLES)
"""Who asks for a page: the first of them who may see it."""
SHOWN: Final = (HTTPStatus.OK, HTTPStatus.FOUND)
BROWSER: Final = {"host": "localhost", "accept-encoding": "gzip"}


@dataclass
class Cost:
    """What a page costs, its statements as they were when it was asked for the first time."""

    page: Page
    reader: str
    status: int
    statements: list[Statement]
    blocks: int = 0
    """Of 8 KiB, read by all statements together, wherever they lay."""
    whole_tables: set[str] = field(default_factory=set)
    times: Series = field(default_factory=lambda: Series("ms"))
    computing: Series = field(default_factory=lambda: Series("ms"))
    """What of the times this process computed, without waiting for PostgreSQL or for a core."""

    @property
    def slowest(self) -> Statement | None:
        return max(self.statements, key=lambda one: one.milliseconds, default=None)

    def __str__(self) -> str:
        whole = f", reads all of {', '.join(sorted(self.whole_tables))}" if self.whole_tables else ""
        slowest = f"; slowest {self.slowest}" if self.slowest else ""
        computing = f"{self.computing.median:,.0f} ms of them in Python"
        return f"{self.times}, {computing}, {len(self.statements)} queries, {self.blocks:,} blocks{whole}{slowest}"

    def figures(self) -> dict[str, object]:
        return {
            "address": self.page.address,
            "reader": self.reader,
            "median_ms": round(self.times.median, 1),
            "computing_ms": round(self.computing.median, 1),
            "rounds_ms": [round(value, 1) for value in self.times.values],
            "queries": len(self.statements),
            "blocks": self.blocks,
            "whole_tables": sorted(self.whole_tables),
            "slowest": str(self.slowest or ""),
        }


def run(options: Options) -> dict[str, Any]:
    """Milliseconds of every page.

    :raises CommandError: nobody is loaded
    """
    with transaction.atomic():
        with staff() as clients:
            who = neighbours()
            costs, refused = look_at(list(pages(who)), clients, options)
        transaction.set_rollback(True)
    return report(costs, refused, unknown_routes(who))


def report(costs: list[Cost], refused: dict[str, int], unknown: list[str]) -> dict[str, Any]:
    costs = sorted(costs, key=lambda cost: cost.times.median, reverse=True)
    over = {cost.page.name: f"{cost.times}" for cost in costs if cost.times.median > GOAL_MS}
    whole = {cost.page.name: ", ".join(sorted(cost.whole_tables)) for cost in costs if cost.whole_tables}
    return {
        "pages": {cost.page.name: cost for cost in costs},
        "all pages": Series("ms", [cost.times.median for cost in costs]),
        "looked at": len(costs),
        f"over {GOAL_MS} ms": over,
        "read a whole large table": whole,
        "shown to nobody": ", ".join(f"{name} ({status})" for name, status in refused.items()),
        "not looked at, for want of an example": unknown,
    }


@contextmanager
def staff() -> Iterator[dict[str, Client]]:
    """A signed-in colleague for each role."""
    clients = {}
    for role in dict.fromkeys(READERS):
        address, password = f"benchmark-{role}@example.com", secrets.token_hex()
        colleague = create_staff(email=address, password=password, first_name=role, last_name="Staff", role=role)
        clients[role] = Client(headers=BROWSER, raise_request_exception=False)
        clients[role].force_login(colleague)
    yield clients


def neighbours() -> Neighbours:
    officer = User.objects.with_email("kyc1@load.example.com").first() or User.objects.get(
        email="benchmark-auditor@example.com"
    )
    return Neighbours(
        average=customer_with_entries(AVERAGE_HISTORY), largest=customer_with_entries(), officer=superuser(officer)
    )


def superuser(officer: User) -> User:
    """Whoever asks what lists offer may see all of it; this is not kept."""
    officer.is_superuser = True
    return officer


def look_at(wanted: list[Page], clients: dict[str, Client], options: Options) -> tuple[list[Cost], dict[str, int]]:
    """Every page once for its queries, and then once a round; and what nobody was shown, with its status."""
    looks = [first_look(page, clients) for page in wanted]
    costs = [cost for cost in looks if cost.status in SHOWN]
    refused = {cost.page.name: cost.status for cost in looks if cost.status not in SHOWN}
    options.say(f"{len(costs)} pages")
    for number in range(options.rounds):
        for cost in costs:
            answer = ask(clients[cost.reader], cost.page)
            cost.times.values.append(answer.taken_ms)
            cost.computing.values.append(answer.computing_ms)
        options.say(f"round {number + 1} of {options.rounds}")
    return costs, refused


def first_look(page: Page, clients: dict[str, Client]) -> Cost:
    """Who may see it, with which queries, and what those read."""
    statements: list[Statement] = []
    cost = Cost(page=page, reader="", status=HTTPStatus.FORBIDDEN, statements=statements)
    for reader, client in clients.items():
        statements.clear()
        with connection.execute_wrapper(Statement.recorder(statements)):
            cost.reader, cost.status = reader, ask(client, page).status
        if cost.status != HTTPStatus.FORBIDDEN:
            break
    cost.statements = [one for one in statements if one.is_query]
    for plan in [plan_of(one) for one in cost.statements if one.is_read]:
        cost.blocks += plan.blocks
        cost.whole_tables |= plan.whole_tables
    return cost


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    taken_ms: float
    computing_ms: float


def ask(client: Client, page: Page) -> Answer:
    """Ask once, and read all of the answer. What it wrote is taken back."""
    with transaction.atomic():
        begun, computed = time.perf_counter(), time.thread_time()
        answer = client.get(page.address, secure=True)
        if answer.streaming:
            deque(answer, maxlen=0)
        taken, computing = time.perf_counter() - begun, time.thread_time() - computed
        transaction.set_rollback(True)
    return Answer(status=answer.status_code, taken_ms=taken * 1000, computing_ms=computing * 1000)
