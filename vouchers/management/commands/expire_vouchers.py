"""`expire_vouchers`: end the vouchers whose term is over."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from mymoolah.common.clock import now
from vouchers.selectors import Due, due_totals
from vouchers.services import ending


class Command(BaseCommand):
    help = (
        "End the vouchers whose term is over: what is left of them, or was held for them, goes back to their issuers. "
        "Those of tills wait 72 hours for late messages, those that finance looks into until it has decided. Celery "
        "beat does the same every five minutes; several at once share the work, and each voucher expires once. One that "
        "cannot be ended is logged and left for the next run, and the exit code is 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what is due, by type")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    def handle(self, **options: Any) -> None:
        moment = now()
        due = due_totals(now=moment)
        many = sum(row.count for row in due)
        found = {"due": many, "by_type": [_object(row) for row in due]}
        if options["dry_run"]:
            lines = [
                f"{row.voucher_type}: {row.count:,}; {row.amount:,.2f} {row.currency} would go back" for row in due
            ]
            self.say(options, found, "\n".join([*lines, f"{counted(many)} due; nothing was done."]))
            return
        is_quiet = options["verbosity"] == 0 or not sys.stderr.isatty()
        with tqdm(total=many, unit=" vouchers", delay=1, disable=is_quiet) as bar:
            sweep = ending.expire_vouchers(now=moment, advance=bar.update)
        self.say(
            options,
            {**found, "expired": sweep.expired, "failed": sweep.failed},
            self.style.SUCCESS(f"Expired {counted(sweep.expired)}."),
        )
        if sweep.failed:
            raise CommandError(f"{counted(sweep.failed)} could not be expired; the log says why.")

    def say(self, options: dict[str, Any], body: dict[str, Any], sentences: str) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(body))
        elif options["verbosity"] > 0:
            self.stdout.write(sentences)


def counted(vouchers_count: int) -> str:
    return f"{vouchers_count:,} voucher{'' if vouchers_count == 1 else 's'}"


def _object(row: Due) -> dict[str, object]:
    return {
        "voucher_type": row.voucher_type,
        "currency": row.currency,
        "count": row.count,
        "amount": f"{row.amount:.2f}",
    }
