"""`load_customers`: fill a database with synthetic customers."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from mymoolah.common import read_cache
from mymoolah.common.clock import now
from reporting.loading.desk import STEPS, load_desk
from reporting.loading.plan import LoadRefused, Order
from reporting.loading.service import Report, load

COUNTED = {"users", "vouchers", "transactions"}


class Command(BaseCommand):
    help = (
        "Fill a database with synthetic customers: user1@load.example.com, user2@… with unusable passwords and "
        "verified contacts, every tenth one tier 0, the others tier 2. Their histories keep every rule, cover the "
        "1,000 days up to yesterday in Johannesburg, and are spread unevenly: some customers have none, user1 has a "
        "tenth of all entries (1,000,000 at most: more would not fit the limits) and a twentieth of all vouchers. The "
        "same seed and sizes make the same data, moved to the day of the run. Written by COPY as the owner "
        "(DATABASE_OWNER_URL) in batches, each one transaction with all keys and triggers on. A run that was killed "
        "is taken up by the same command; one that is complete says so and does nothing; another load beside it is "
        "refused. Meant for a database that nobody uses meanwhile. With --desk, staff find work too, in proportion to "
        "the customers: identity checks, decided and waiting, audit events, devices, proposals, money in suspense and "
        "support tickets."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--users", type=int, required=True, help="how many customers")
        parser.add_argument("--vouchers", type=int, help="how many vouchers (default: 2 for each user)")
        parser.add_argument(
            "--transactions",
            type=int,
            help="how many rows of `transactions`, two for each transfer: an even number (default: 10 for each user)",
        )
        parser.add_argument("--seed", type=int, default=1, help="of the repeatable chance (default: 1)")
        parser.add_argument("--desk", action="store_true", help="give staff something to do as well")
        parser.add_argument("--json", action="store_true", help="print one JSON object at the end")

    def handle(self, **options: Any) -> None:
        users = options["users"]
        order = Order(
            users=users,
            vouchers=2 * users if options["vouchers"] is None else options["vouchers"],
            entries=10 * users if options["transactions"] is None else options["transactions"],
            seed=options["seed"],
        )
        if settings.DATABASES["owner"]["USER"] == settings.DATABASE_APP_ROLE:
            raise CommandError("Loading writes as the owner of the tables: set DATABASE_OWNER_URL.")
        is_quiet = options["verbosity"] == 0 or not sys.stderr.isatty()
        total = order.users + order.vouchers + order.entries
        try:
            with tqdm(total=total, unit=" rows", unit_scale=True, disable=is_quiet) as bar:
                report = load(
                    order, now=now(), advance=lambda table, rows: bar.update(rows) if table in COUNTED else None
                )
        except LoadRefused as error:
            raise CommandError(error.detail) from error
        if options["desk"]:
            with tqdm(total=len(STEPS), unit=" steps", disable=is_quiet) as bar:
                load_desk(users=users, now=now(), advance=lambda _: bar.update())
        if not report.was_loaded or options["desk"]:
            read_cache.forget()  # which nobody has told of what was written past all services
        if options["json"]:
            self.stdout.write(json.dumps(_object(report)))
        elif options["verbosity"] > 0:
            self.stdout.write(self.style.SUCCESS(_sentence(report)))


def _sentence(report: Report) -> str:
    what = f"{report.users:,} users, {report.vouchers:,} vouchers and {report.entries:,} transactions"
    if report.was_loaded:
        return f"{what} are loaded already; nothing was done."
    return f"Loaded {what} in {report.seconds:,.1f} s, with at most {report.peak_rss_mib:,} MiB of memory."


def _object(report: Report) -> dict[str, object]:
    return {
        "users": report.users,
        "vouchers": report.vouchers,
        "transactions": report.entries,
        "seconds": round(report.seconds, 1),
        "peak_rss_mib": report.peak_rss_mib,
        "was_loaded": report.was_loaded,
    }
