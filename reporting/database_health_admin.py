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
from reporting.database_health import CHECKS, Severity, examine

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
    return TemplateResponse(
        request,
        "admin/database_health.html",
        {
            **admin.site.each_context(request),
            "title": "Database health",
            "examination": examination,
            "counts": [(WORDS[severity], count) for severity, count in examination.counts.items()],
            "sections": [
                {
                    "name": section.name,
                    "title": section.title,
                    "severity": section.severity,
                    "findings": [
                        {"finding": one, "mark": MARKS[one.severity], "word": WORDS[one.severity]}
                        for one in section.findings
                    ],
                }
                for section in sorted(examination.sections, key=lambda section: section.severity.rank)
            ],
        },
    )


urlpatterns: list[URLPattern] = [
    path("database-health/", admin.site.admin_view(database_health), name="database_health"),
]
