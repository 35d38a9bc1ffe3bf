"""`manage.py benchmark NAME`: measure, in several rounds, and give medians, ranges and ratios."""

from __future__ import annotations

import json
import os
import platform
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from reporting.benchmarks import (
    back_office,
    cache,
    dashboard,
    habits,
    http,
    kernel,
    money,
    query_log,
    refresh,
    support,
    watching,
)
from reporting.benchmarks.series import Options, Series

BENCHMARKS = {
    "dashboard": (
        dashboard.run,
        "the dashboard's SQL: the customer with the longest history beside one with ten entries",
    ),
    "http": (http.run, "the dashboard over HTTP beside a bare signed-in endpoint, on a web server of its own"),
    "money": (
        money.run,
        "transfers, redemptions and till callbacks over HTTP beside bare requests, and whether the books agree",
    ),
    "kernel": (kernel.run, "postings beside pgbench's TPC-B, alone, in batches and on a hot wallet"),
    "rules": (kernel.run_rules, "what each rule of the ledger costs a posting"),
    "refresh": (refresh.run, "REFRESH CONCURRENTLY here beside another loaded database, and readers meanwhile"),
    "back_office": (
        back_office.run,
        "every page that staff can ask for, with its queries and what they read, after load_customers --desk",
    ),
    "watching": (watching.run, "requests with and without being counted and logged, in one process"),
    "cache": (
        cache.run,
        "dashboards, wallets and vouchers kept, read anew and without the read cache, in a process and over HTTP",
    ),
    "query_log": (query_log.run, "what it costs a request that the times of its statements are recorded"),
    "support": (
        support.run,
        "questions to the support assistant, with a thousand articles, of a long and a short history",
    ),
    "habits": (habits.run, "one query beside several with sums in Python, and beside one that joins side by side"),
}


class Command(BaseCommand):
    help = "Measure one thing in several rounds. " + " ".join(
        f"{name}: {what}." for name, (_, what) in BENCHMARKS.items()
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=BENCHMARKS)
        parser.add_argument("--rounds", type=int, default=5, help="how many rounds count (default 5)")
        parser.add_argument("--seconds", type=int, default=5, help="how long each measure of a rate takes (default 5)")
        parser.add_argument("--beside", default="", help="refresh: the name of the other database")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *, name: str, rounds: int, seconds: int, beside: str, json: bool, **options: object) -> None:
        say = self.stderr.write if int(str(options["verbosity"])) > 0 else (lambda _: None)
        chosen = Options(rounds=rounds, seconds=seconds, beside=beside, say=say)
        results = BENCHMARKS[name][0](chosen)
        if json:
            self.stdout.write(_as_json(results))
            return
        self.stdout.write(f"{name}: {rounds} rounds, {os.cpu_count()} cores, Python {platform.python_version()}")
        self._print(results, indent=0)

    def _print(self, results: dict[str, Any], *, indent: int) -> None:
        for name, value in results.items():
            if value and isinstance(value, dict):
                self.stdout.write(f"{' ' * indent}{name}:")
                self._print(value, indent=indent + 2)
            else:
                shown = "none" if value in ({}, []) else value
                self.stdout.write(f"{' ' * indent}{name}: {shown}")


def _as_json(results: dict[str, Any]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, Series):
            return {"unit": value.unit, "median": value.median, "rounds": value.values}
        if isinstance(value, back_office.Cost):
            return value.figures()
        return str(value)

    return json.dumps(results, default=plain, indent=2)
