"""Whether the ledger held, as the runs say that beat had all day; where there was none, one is made."""

from __future__ import annotations

from collections.abc import Iterator

from mymoolah.common.admin import shown
from mymoolah.common.clock import business_day, start_of_day
from reporting import verification
from reporting.database_health.words import counted, lasted
from reporting.maintenance.findings import Finding, Level, Occasion
from reporting.maintenance.thresholds import FULL_VERIFICATION_EVERY
from reporting.models import LedgerVerification

BROKEN = "Stop what posts, and do what docs/runbook.md says of verify_ledger: this comes before anything else."


def look_at_changes(occasion: Occasion) -> Iterator[Finding]:
    """The runs of this Johannesburg day."""
    begins_at = start_of_day(business_day(occasion.now))
    today = LedgerVerification.objects.filter(finished_at__gte=begins_at)
    if not today.exists():
        verification.verify_and_record(of_changes=True, now=occasion.now)
        yield Finding(
            level=Level.NOTICE,
            title="Hourly verification",
            found="had not run today, so it was run for this report",
            advice="See that beat and a worker run: beat verifies what changed every hour.",
        )
    runs = list(today.order_by("finished_at"))
    broken = sorted({name for run in runs for name in run.broken})
    yield Finding(
        level=Level.WARNING if broken else Level.OK,
        title="Today",
        found=f"broken: {', '.join(broken)}"
        if broken
        else f"holds: {counted(len(runs), 'run')} since midnight, the last at {shown(runs[-1].finished_at)}",
        advice=BROKEN if broken else "",
    )


def look_at_everything(occasion: Occasion) -> Iterator[Finding]:
    """The last run that looked at everything, which beat has on Sunday night."""
    run = LedgerVerification.objects.filter(changes_since=None).order_by("-finished_at").first()
    is_late = run is None or occasion.now - run.finished_at > FULL_VERIFICATION_EVERY
    if run is None:
        found = "no run has ever looked at everything"
    else:
        found = f"{'broken: ' + ', '.join(run.broken) if run.broken else 'holds'}, all {run.checks_count} checks, at "
        found += f"{shown(run.finished_at)} in {lasted(run.duration_ms / 1000)}"
    is_broken = run is not None and bool(run.broken)
    yield Finding(
        level=Level.WARNING if is_broken or is_late else Level.OK,
        title="Everything",
        found=found,
        advice=BROKEN
        if is_broken
        else "Run manage.py verify_ledger, and see that a worker runs on Sunday night."
        if is_late
        else "",
    )
