"""`warm_cache`: keep dashboards before anybody asks for them."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from reporting import warming
from reporting.database_health.words import counted


class Command(BaseCommand):
    help = (
        "Read the dashboards of the customers who used the app last, a batch in one statement, and keep them in the read "
        "cache; those that are kept already, and still good, are left alone. Celery beat does the same every four "
        "minutes. Safe at any time: nobody is told anything old, and nothing is done while the cache cannot be used."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--customers", type=int, default=settings.READ_CACHE_WARMED, help="how many at most (default: %(default)s)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a sentence")

    def handle(self, **options: Any) -> None:
        most: int = options["customers"]
        if most < 1:
            raise CommandError("--customers must be at least 1.")
        is_quiet = options["verbosity"] == 0 or not sys.stderr.isatty()
        with tqdm(total=most, unit=" customers", delay=1, disable=is_quiet) as bar:
            warmed = warming.warm_dashboards(most=most, advance=bar.update)
        if options["json"]:
            self.stdout.write(json.dumps({"looked_at": warmed.looked_at, "kept": warmed.kept}))
        elif options["verbosity"] > 0:
            text = f"Kept {counted(warmed.kept, 'dashboard')}; looked at {counted(warmed.looked_at, 'customer')}."
            self.stdout.write(self.style.SUCCESS(text))
