"""How often somebody may redeem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.request import Request

from accounts.authentication import principal
from mymoolah.common.throttling import AddressThrottle
from transactions.idempotency import is_used

if TYPE_CHECKING:
    from rest_framework.views import APIView


class RedeemThrottle(AddressThrottle):
    """Counts guesses at codes. With a key that has done something already no code is looked at: that is no guess."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if is_used(request):
            return self.count(request, "money", str(principal(request).public_id))
        return super().allow_request(request, view)
