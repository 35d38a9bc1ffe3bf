"""How the read cache does, as a page for operators and administrators: what `manage.py cache_stats` says."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from mymoolah.common import metrics_folder
from mymoolah.common.admin import require
from reporting.cache_report import report, state_in_words
from reporting.database_health_admin import PERMISSION


@require_GET
def cache_page(request: HttpRequest) -> HttpResponse:
    """One query, and a few short questions to Redis."""
    require(request, PERMISSION)
    found = report(metrics_folder.collected())
    return TemplateResponse(
        request,
        "admin/read_cache.html",
        {
            **admin.site.each_context(request),
            "title": "Read cache",
            "report": found,
            "state": state_in_words(found),
            "families": [
                {
                    "name": one.name,
                    "counts": list(one.counts.values()),
                    "share": "" if one.hit_share is None else f"{one.hit_share:.1%}",
                    "is_kept": one.is_kept,
                }
                for one in found.families
            ],
        },
    )


urlpatterns: list[URLPattern] = [
    path("read-cache/", admin.site.admin_view(cache_page), name="read_cache"),
]
