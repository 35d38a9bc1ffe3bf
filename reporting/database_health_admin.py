"""How the database is, as a page for operators and administrators: what `manage.py db_health` says."""

from __future__ import annotations

from typing import Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from mymoolah.common.admin import require
from mymoolah.common.clock import now
from reporting.database_health import CHECKS, Finding, Severity, examine

PERMISSION: Final = "reporting.view_tablesize"
MARKS: Final = {Severity.CRITICAL: "!", Severity.LOOK: "?", Severity.UNKNOWN: "…", Severity.WELL: "✓"}
WORDS: Final = {
    Severity.CRITICAL: "critical",
    Severity.LOOK: "to look at",
    Severity.UNKNOWN: "unknown",
    Severity.WELL: "well",
}


@require_GET
def database_health(request: HttpRequest) -> HttpResponse:
    """Every check, asked anew: some twenty short queries of PostgreSQL's own counters."""
    require(request, PERMISSION)
    examination = examine(CHECKS, now=now())
    sections = sorted(examination.sections, key=lambda section: section.severity.rank)
    quiet = [section for section in sections if section.severity == Severity.WELL and len(section.findings) == 1]
    return TemplateResponse(
        request,
        "admin/database_health.html",
        {
            **admin.site.each_context(request),
            "title": "Database health",
            "examination": examination,
            "counts": [(WORDS[severity], count) for severity, count in examination.counts.items()],
            "cards": [
                *(
                    {"name": one.name, "title": one.title, "rows": [row(finding) for finding in one.findings]}
                    for one in sections
                    if one not in quiet
                ),
                {"name": "quiet", "title": "Nothing to do", "rows": [row(one.findings[0], one.title) for one in quiet]},
            ],
        },
    )


def row(finding: Finding, title: str = "") -> dict[str, str]:
    """A finding as a line of its section's card, or of the one that gathers sections with nothing to do."""
    about = finding.subject if title in {"", finding.subject} else f"{title}: {finding.subject}"
    return {
        "severity": finding.severity,
        "mark": MARKS[finding.severity],
        "word": "" if finding.severity == Severity.WELL else WORDS[finding.severity].capitalize(),
        "about": about,
        "says": finding.says,
        "advice": finding.advice,
    }


urlpatterns: list[URLPattern] = [
    path("database-health/", admin.site.admin_view(database_health), name="database_health"),
]
