"""Where a request came from."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

NETWORK_BITS = {4: 32, 6: 64}  # what one subscriber of IPv6 holds is a /64


def client_address(request: HttpRequest | Request) -> str | None:
    """The client's address; behind `TRUSTED_PROXIES` proxies of our own, the one that the outermost of them saw."""
    hops = settings.TRUSTED_PROXIES
    if hops:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        candidate = forwarded[-hops].strip() if len(forwarded) >= hops else ""
    else:
        candidate = request.META.get("REMOTE_ADDR", "")
    try:
        return str(ipaddress.ip_address(candidate))
    except ValueError:
        return None


def client_network(request: HttpRequest | Request) -> str:
    """What to count a stranger's requests by."""
    return network_of(client_address(request))


def network_of(address: str | None) -> str:
    """The network of one subscriber that an address belongs to."""
    if address is None:
        return "unknown"
    bits = NETWORK_BITS[ipaddress.ip_address(address).version]
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))
