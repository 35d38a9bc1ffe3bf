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
        return str(_plain(candidate))
    except ValueError:
        return None


def client_network(request: HttpRequest | Request) -> str:
    """What to count a stranger's requests by."""
    return network_of(client_address(request))


def network_of(address: str | None) -> str:
    """The network of one subscriber that an address belongs to."""
    if address is None:
        return "unknown"
    plain = _plain(address)
    return str(ipaddress.ip_network(f"{plain}/{NETWORK_BITS[plain.version]}", strict=False))


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """What a socket for both kinds calls ::ffff:192.0.2.1 is 192.0.2.1: else all of IPv4 were one subscriber's."""
    read = ipaddress.ip_address(address)
    return getattr(read, "ipv4_mapped", None) or read
