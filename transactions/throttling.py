"""How often somebody may learn who can be paid: by a preview, or by a payment that is refused."""

from __future__ import annotations

from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from accounts.authentication import principal
from mymoolah.common.addresses import client_network
from mymoolah.common.throttling import GroupThrottle
from transactions.idempotency import is_used

SCOPE = "previews"


def refuse_without_looks_left(request: Request) -> None:
    """Refuse a payment of who has used up his looks, before anybody is looked for: any answer would tell.

    A repeat still gets the answer that its key got before.

    :raises Throttled: no look is left
    :raises Unavailable: Redis is away
    """
    throttle = GroupThrottle()
    if not (throttle.foresee(request, SCOPE, _who(request)) or is_used(request)):
        raise Throttled(wait=throttle.wait())


def count_look(request: Request, *, found: bool) -> None:
    """Count a payment that was refused: it told as much as a preview would have, and cost as little.

    One that finds nobody counts against its address too, since accounts are free; one that finds somebody does not, or
    the customers behind one carrier's address would keep each other from learning that they lack the money.

    :raises Throttled: it is one too many
    :raises Unavailable: Redis is away
    """
    throttle = GroupThrottle()
    by_address = found or throttle.count(request, f"{SCOPE}_address", client_network(request))
    if not (by_address and throttle.count(request, SCOPE, _who(request))):
        raise Throttled(wait=throttle.wait())


def _who(request: Request) -> str:
    return str(principal(request).public_id)
