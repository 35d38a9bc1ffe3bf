"""Where the API's description is served."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request


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
