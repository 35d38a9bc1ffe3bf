"""`explain`: how PostgreSQL answers the queries that this bank stands on."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from mymoolah.common.clock import now
from reporting.hot_queries import HOT_QUERIES, Explained, HotQuery, explain, get_sample


class Command(BaseCommand):
    help = (
        "Show the plan of a hot query, and the blocks it touches, for a customer with a long history; without NAME, list "
        "them. The query is the one that runs in earnest, taken down as it is asked and run under EXPLAIN (ANALYZE, "
        "BUFFERS), in a transaction that may not write and is rolled back. No value of a customer is shown. On a small "
        "database PostgreSQL rightly reads tables instead of indexes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", choices=HOT_QUERIES, metavar="NAME", help=", ".join(HOT_QUERIES))
        parser.add_argument("--customer", metavar="EMAIL", help="whose rows: an e-mail address, or a wallet's number")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of the plan")

    def handle(self, **options: Any) -> None:
        name = options["name"]
        if name is None:
            self._list(as_json=options["json"])
            return
        sample = get_sample(customer=options["customer"])
        if sample is None:
            raise CommandError(
                "Nobody has this e-mail address or wallet." if options["customer"] else "There are no customers yet."
            )
        query = HOT_QUERIES[name]
        try:
            found = explain(query, sample, now=now())
        except OperationalError as error:
            raise CommandError(f"PostgreSQL did not answer in time: {str(error).partition(chr(10))[0]}.") from error
        if options["json"]:
            self.stdout.write(json.dumps(_object(name, query, found), indent=2))
        else:
            self._print(name, query, found)

    def _list(self, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({name: query.what for name, query in HOT_QUERIES.items()}, indent=2))
            return
        for name, query in HOT_QUERIES.items():
            self.stdout.write(f"{name:<20}{query.what}")

    def _print(self, name: str, query: HotQuery, found: Explained) -> None:
        self.stdout.write(f"{name}: {query.what}")
        for text in found.texts:
            self.stdout.write(f"\n{text}\n")
        self.stdout.write(f"\n{found.blocks:,} blocks; goes along {', '.join(sorted(found.indexes)) or 'no index'}")
        if found.faults:
            self.stdout.write(self.style.WARNING(f"Look: it {'; it '.join(found.faults)}."))
        else:
            self.stdout.write(self.style.SUCCESS("As it should be."))


def _object(name: str, query: HotQuery, found: Explained) -> dict[str, Any]:
    return {
        "name": name,
        "what": query.what,
        "blocks": found.blocks,
        "indexes": sorted(found.indexes),
        "faults": list(found.faults),
        "plans": [text.splitlines() for text in found.texts],
    }
