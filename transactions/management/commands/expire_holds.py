"""`expire_holds`: free the holds whose time has come."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from mymoolah.common.clock import now
from transactions import holds


class Command(BaseCommand):
    help = (
        "Free the holds that are held past their time: the money is available again. Celery beat does the same every "
        "minute; several at once share the work, and each hold expires once. A hold that cannot be freed is logged and "
        "left for the next run, and the exit code is 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many are due")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a sentence")

    def handle(self, **options: Any) -> None:
        moment = now()
        due = holds.count_due(now=moment)
        if options["dry_run"]:
            self.say(options, {"due": due}, f"{counted(due)} due; nothing was done.")
            return
        is_quiet = options["verbosity"] == 0 or not sys.stderr.isatty()
        with tqdm(total=due, unit=" holds", delay=1, disable=is_quiet) as bar:
            sweep = holds.expire_holds(now=moment, advance=bar.update)
        self.say(
            options,
            {"due": due, "expired": sweep.expired, "failed": sweep.failed},
            self.style.SUCCESS(f"Expired {counted(sweep.expired)}."),
        )
        if sweep.failed:
            raise CommandError(f"{counted(sweep.failed)} could not be expired; the log says why.")

    def say(self, options: dict[str, Any], body: dict[str, object], sentence: str) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(body))
        elif options["verbosity"] > 0:
            self.stdout.write(sentence)


def counted(holds_count: int) -> str:
    return f"{holds_count:,} hold{'' if holds_count == 1 else 's'}"
