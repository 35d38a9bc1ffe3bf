"""Where the API's description is served: as it is, and as pages to read."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView
from rest_framework.request import Request

FOREIGN_LOGO, OUR_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg", "/static/mymoolah/favicon.svg"


class SchemaView(SpectacularAPIView):
    """Made once in each format: it costs seconds, is the same for everybody, and anybody may ask for it."""

    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer: Any = type(request.accepted_renderer)
        return HttpResponse(_description(renderer), content_type=f"{renderer.media_type}; charset=utf-8")


@cache
def _description(renderer: Any) -> Any:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return renderer().render(schema, renderer_context={})


class RedocView(SpectacularRedocView):
    """The library's own page takes its fonts from a foreign host."""

    throttle_classes = ()
    template_name = "redoc.html"


@require_safe
def redoc_script(_: HttpRequest) -> HttpResponse:
    """ReDoc, but for its maker's logo, which it would fetch from a foreign host."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return HttpResponse(_redoc_script(), content_type="text/javascript; charset=utf-8", headers=headers)


@cache
def _redoc_script() -> str:
    sidecar = resources.files("drf_spectacular_sidecar") / "static" / "drf_spectacular_sidecar"
    script = (sidecar / "redoc" / "bundles" / "redoc.standalone.js").read_text()
    assert FOREIGN_LOGO in script
    return script.replace(FOREIGN_LOGO, OUR_LOGO)
