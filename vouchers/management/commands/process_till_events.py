"""`process_till_events`: act on what tills reported and nobody has acted on yet."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from mymoolah.common.clock import now
from vouchers.services import tills


class Command(BaseCommand):
    help = (
        "Act on the reports of tills that were stored more than a minute ago and not acted on, because the database or a "
        "process went away in between. Celery beat does the same every minute; several at once share the work, and each "
        "report counts once. One that fails is logged and left for the next run, and the exit code is 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many wait")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a sentence")

    def handle(self, **options: Any) -> None:
        moment = now()
        waiting = tills.count_waiting(now=moment)
        if options["dry_run"]:
            self.say(options, {"waiting": waiting}, f"{counted(waiting)} waiting; nothing was done.")
            return
        is_quiet = options["verbosity"] == 0 or not sys.stderr.isatty()
        with tqdm(total=waiting, unit=" reports", delay=1, disable=is_quiet) as bar:
            sweep = tills.process_events(now=moment, advance=bar.update)
        self.say(
            options,
            {"waiting": waiting, "processed": sweep.processed, "failed": sweep.failed},
            self.style.SUCCESS(f"Acted on {counted(sweep.processed)}."),
        )
        if sweep.failed:
            raise CommandError(f"{counted(sweep.failed)} could not be acted on; the log says why.")

    def say(self, options: dict[str, Any], body: dict[str, object], sentence: str) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(body))
        elif options["verbosity"] > 0:
            self.stdout.write(sentence)


def counted(reports_count: int) -> str:
    return f"{reports_count:,} report{'' if reports_count == 1 else 's'}"
