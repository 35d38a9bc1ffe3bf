"""Remove the files of identity documents that no submission names."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import kyc_files
from mymoolah.common.clock import now

KEPT = dt.timedelta(days=1)


class Command(BaseCommand):
    help = (
        "Remove files of identity documents that are a day old and that no submission names: a process was killed while "
        "it took them in, or nobody knows whether its commit arrived. Safe to run at any time, and again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        removed = kyc_files.remove_orphans(before=now() - KEPT)
        self.stdout.write(json.dumps({"removed": removed}) if options["json"] else f"{removed} files removed.")
