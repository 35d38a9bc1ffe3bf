"""`take_days`: count what happened on each day, for the start page's charts."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mymoolah.common.clock import business_day, now
from reporting import days


class Command(BaseCommand):
    help = (
        "Count today, and every day before it that is not closed yet, for the charts of the start page. Celery beat "
        "does the same every five minutes; a second one at once does nothing and says so. --from takes closed days "
        "again as well, from the entries themselves: it can only give what they gave before."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="again_from", type=day, help="the first day to take again (2026-01-31)")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a sentence")

    def handle(self, **options: Any) -> None:
        moment = now()
        if options["again_from"] and options["again_from"] > business_day(moment):
            raise CommandError("That day has not begun.")
        try:
            taken = days.take_days(now=moment, again_from=options["again_from"])
        except days.DaysBeingTaken as refusal:
            self.say(options, {"taken": 0, "reason": refusal.code}, f"{refusal}; nothing was done.")
            return
        body = {"taken": taken.count, "first_day": f"{taken.first_day}", "last_day": f"{taken.last_day}"}
        self.say(options, body, f"Took {taken.count:,} days, {taken.first_day} to {taken.last_day}.")

    def say(self, options: dict[str, Any], body: dict[str, object], sentence: str) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(body))
        elif options["verbosity"] > 0:
            self.stdout.write(sentence)


def day(text: str) -> dt.date:
    try:
        found = dt.date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("a day is written 2026-01-31") from error
    if found.year < 2000:
        raise argparse.ArgumentTypeError("a day of this century")
    return found
