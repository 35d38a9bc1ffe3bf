"""What an address is called where it must not be told: the template that leads to its view."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve

UNKNOWN: Final = "unknown"
# Of a client's own invention there are endlessly many.
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def method_of(request: HttpRequest) -> str:
    """As `GET`, or `other`."""
    return str(request.method) if request.method in METHODS else "other"


def route_of(request: HttpRequest) -> str:
    """As `/api/v1/wallets/<wallet_number:number>`: one of a few hundred, whatever is asked for.

    Also where something in front of the view has answered.
    """
    match: ResolverMatch | None = request.resolver_match
    try:
        match = match or resolve(request.path_info)
    except Resolver404:
        return settings.STATIC_URL if request.path_info.startswith(settings.STATIC_URL) else UNKNOWN
    return f"/{match.route}"
