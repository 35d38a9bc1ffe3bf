"""`verify_ledger`: ask the database whether money went wrong."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from mymoolah.common.admin import shown
from mymoolah.common.clock import now
from reporting.verification import Result, last_mark, ledger_size, record, take_mark, verify


class Command(BaseCommand):
    help = (
        "Check every truth about money in one snapshot of the database: entries, chains, heads, holds, keys, totals "
        "and views. Names the first broken row of each broken check and exits 1. Changes nothing, and records its "
        "result for the start page; safe at any time. With --changed it reads of the history only what is new since "
        "the ledger last held. Celery beat does that every hour, and looks at everything on Sunday night."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--changed",
            action="store_true",
            help="only what changed since the ledger last held; everything if it never did",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, **options: Any) -> None:
        table = options["verbosity"] > 0 and not options["json"]
        results = []
        mark = take_mark()
        since = last_mark(now=mark) if options["changed"] else None
        if table and options["changed"]:
            looked_at = f"what changed since {shown(since.at)}" if since else "everything: there is no run that held"
            self.stdout.write(f"Looking at {looked_at}.")
        for result in verify(since=since):
            results.append(result)
            if table:
                self.stdout.write(_line(result))
                self.stdout.flush()
        record(results, mark=mark, since=since, now=now())
        broken = [result for result in results if result.broken is not None]
        database = connection.settings_dict["NAME"]
        wallets, entries = ledger_size()
        if options["json"]:
            answer = {
                "holds": not broken,
                "database": database,
                "wallets": wallets,
                "entries": entries,
                "changes_since": since.at.isoformat() if since else None,
                "checks": [_object(r) for r in results],
            }
            self.stdout.write(json.dumps(answer, indent=2))
        if broken:
            raise CommandError("The ledger is broken.\n" + "\n".join(map(_sentence, broken)))
        if table:
            seconds = sum(result.seconds for result in results)
            self.stdout.write(self.style.SUCCESS(f"All {len(results)} checks hold ({seconds:.1f} s)."))
            where = connection.settings_dict["HOST"] or "this machine"
            self.stdout.write(f"{entries:,} entries of {wallets:,} wallets in {database} at {where}.")
            if not entries:
                self.stderr.write(self.style.WARNING("There is nothing in this ledger: is it the one you mean?"))


def _line(result: Result) -> str:
    verdict = "holds " if result.broken is None else "BROKEN"
    return f"{verdict}  {result.seconds:7.2f} s  {result.check.name:<42}  {result.check.truth}"


def _sentence(result: Result) -> str:
    facts = ", ".join(f"{name}={value}" for name, value in (result.broken or {}).items())
    return f"{result.check.name}: {result.check.truth}\n    first broken row: {facts}"


def _object(result: Result) -> dict[str, Any]:
    row = result.broken and {name: None if value is None else str(value) for name, value in result.broken.items()}
    return {
        "name": result.check.name,
        "truth": result.check.truth,
        "seconds": round(result.seconds, 3),
        "first_broken_row": row,
    }
