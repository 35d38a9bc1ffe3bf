"""How often somebody may ask who can be paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from accounts.authentication import principal
from mymoolah.common.addresses import client_network
from mymoolah.common.throttling import GroupThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView


class PreviewThrottle(GroupThrottle):
    """Counts looks, twice: against the address they come from, since accounts are free, and against who looks."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        return self.count_look(request)

    def count_look(self, request: Request) -> bool:
        return self.count(request, "previews_address", client_network(request)) and self.count(
            request, "previews", str(principal(request).public_id)
        )


def count_as_preview(request: Request) -> None:
    """Count a payment that found nobody: it told as much as a preview would have.

    :raises Throttled: it is one too many
    :raises Unavailable: Redis is away
    """
    throttle = PreviewThrottle()
    if not throttle.count_look(request):
        raise Throttled(wait=throttle.wait())
