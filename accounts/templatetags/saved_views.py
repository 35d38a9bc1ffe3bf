"""The tabs of kept views above a list, and the form that keeps the one that is shown."""

from __future__ import annotations

from typing import Any

from django import template

from accounts.saved_views import kept_query, views_of

register = template.Library()


@register.inclusion_tag("admin/saved_views.html", takes_context=True)
def saved_views(context: dict[str, Any], name: str) -> dict[str, Any]:
    """Nothing where views cannot be kept; else one query, and one more where this one can be."""
    from accounts.saved_views_admin import page_named  # the admin's own modules load every library of tags

    page, request = page_named(name), context["request"]
    if page is None:
        return {"page": None}
    query = kept_query(request.GET, knows=page.knows)
    views = list(views_of(user_id=request.user.pk, page=page.name))
    is_kept = any(view.query == query for view in views)
    return {
        "page": page,
        "query": query,
        "views": [
            {"row": view, "address": f"{page.address}?{view.query}", "is_shown": view.query == query} for view in views
        ],
        "own": [view for view in views if view.owner_id == request.user.pk],
        "me": request.user.pk,
        "may_keep": bool(query) and not is_kept,
        "roles": list(request.user.groups.all()) if query and not is_kept else [],
        "csrf_token": context.get("csrf_token"),
    }
