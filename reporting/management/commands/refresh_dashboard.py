"""`refresh_dashboard`: bring the back-office's overview up to date now."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mymoolah.common.clock import iso_utc, now
from reporting import services
from reporting.models import DashboardRefresh


class Command(BaseCommand):
    help = (
        "Refresh the materialized view user_dashboard_summary if anything changed since the last time. Nobody who "
        "reads it waits meanwhile. Celery beat does the same every DASHBOARD_REFRESH_SECONDS; a second refresh at "
        "once does nothing and says so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force", action="store_true", help="refresh even if nothing changed")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a sentence")

    def handle(self, **options: Any) -> None:
        try:
            refresh = services.refresh_dashboard(now=now(), force=options["force"])
        except services.RefreshUnderWay as refusal:
            self.say(options, {"refreshed": False, "reason": refusal.code}, f"{refusal}; nothing was done.")
            return
        if refresh is None:
            nothing = "Nothing changed since the last refresh; nothing was done."
            self.say(options, {"refreshed": False, "reason": "nothing_changed"}, nothing)
        else:
            sentence = f"Refreshed {refresh.rows_count:,} rows in {refresh.duration_ms / 1000:.1f} s."
            self.say(options, _object(refresh), self.style.SUCCESS(sentence))

    def say(self, options: dict[str, Any], body: dict[str, object], sentence: str) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(body))
        elif options["verbosity"] > 0:
            self.stdout.write(sentence)


def _object(refresh: DashboardRefresh) -> dict[str, object]:
    return {
        "refreshed": True,
        "started_at": iso_utc(refresh.started_at),
        "duration_ms": refresh.duration_ms,
        "rows_count": refresh.rows_count,
        "changes_seen": refresh.changes_seen,
    }
