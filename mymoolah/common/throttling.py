"""Rate limits: counted in Redis across all processes, per user, or per address while nobody is signed in."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django_ratelimit.core import get_usage
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from mymoolah.common.addresses import client_network
from mymoolah.common.errors import Unavailable
from mymoolah.common.metrics import RATE_LIMITED

if TYPE_CHECKING:
    from rest_framework.views import APIView  # while running it imports this module, by the settings

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 60
HOUR_SECONDS = 3_600
DEFAULT_SCOPE = "reads"
COUNTED = "mymoolah.rate_limit"  # where a request keeps the tightest limit it was counted against
# While Redis is away a customer still sees his money, and is helped; what moves it, or guesses at secrets, waits.
FAIL_OPEN = {"reads", "statements", "support", "support_replies"}


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much of a limit is used up in the window that ends in `reset_seconds`."""

    limit: int
    count: int
    reset_seconds: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.count)

    @property
    def exceeded(self) -> bool:
        return self.count > self.limit

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }


class GroupThrottle(BaseThrottle):
    """Counts a view's requests in its group, `throttle_scope`, a name in RATE_LIMITS_PER_MINUTE or _PER_HOUR.

    What was counted is left on the request, and `ApiHeaders` says it in the answer.
    """

    def __init__(self) -> None:
        self.wait_seconds: int | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        scope = getattr(view, "throttle_scope", DEFAULT_SCOPE)
        user_id = getattr(request.user, "public_id", None)
        return self.count(request, scope, str(user_id) if user_id else client_network(request))

    def wait(self) -> float | None:
        return self.wait_seconds

    def count(self, request: Request, scope: str, whom: str) -> bool:
        """Count this request against the limit of `scope` for `whom`; False when it is one too many.

        :raises Unavailable: Redis is away, and `scope` does not go on without
        """
        usage = usage_of(request, scope, whom)
        return usage is None or self.keep(request, scope, usage)

    def foresee(self, request: Request, scope: str, whom: str) -> bool:
        """Whether one more request would be within the limit of `scope` for `whom`; nothing is counted.

        :raises Unavailable: Redis is away, and `scope` does not go on without
        """
        usage = usage_of(request, scope, whom, increment=False)
        return usage is None or not usage.exceeded or self.keep(request, scope, usage)

    def keep(self, request: Request, scope: str, usage: Usage) -> bool:
        """Leave the tightest limit on the request, for the answer's headers; False when it is exceeded."""
        counted = request.META.get(COUNTED)
        if counted is None or usage.remaining <= counted.remaining:
            request.META[COUNTED] = usage
        if usage.exceeded:
            RATE_LIMITED.labels(scope).inc()
            self.wait_seconds = max(self.wait_seconds or 0, usage.reset_seconds)
        return not usage.exceeded


class SignInThrottle(GroupThrottle):
    """Counts attempts to sign in, twice: against the address they come from, and against the account they name."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not self.count(request, "sign_in_address", client_network(request)):
            return False
        body = request.data
        email = body.get("email") if isinstance(body, dict) else None
        if not isinstance(email, str):
            return True
        return self.count(request, "sign_in", hashlib.sha256(email.strip().lower().encode()).hexdigest())


class AddressThrottle(GroupThrottle):
    """Counts twice: against the address a request comes from, in `<throttle_scope>_address`, and against who asks."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        scope = f"{view.throttle_scope}_address"  # type: ignore[attr-defined]
        return self.count(request, scope, client_network(request)) and super().allow_request(request, view)


def rate_of(scope: str) -> tuple[int, int]:
    """How many requests of a group there may be in how many seconds."""
    hourly: int | None = settings.RATE_LIMITS_PER_HOUR.get(scope)
    return (settings.RATE_LIMITS_PER_MINUTE[scope], PERIOD_SECONDS) if hourly is None else (hourly, HOUR_SECONDS)


def usage_of(request: Request, scope: str, whom: str, *, increment: bool = True) -> Usage | None:
    """How much is used with this request, which is counted if `increment`; None when nothing is counted, or nothing can be and `scope` goes on without.

    :raises Unavailable: Redis is away
    """
    rate = rate_of(scope)
    try:
        counted: dict[str, Any] | None = get_usage(
            request, group=scope, key=lambda *_: whom, rate=rate, increment=increment
        )
        if counted is None:
            return None
        # How the library says that the cache gave no count. Its `time_left` alone does not: the last second of a window
        # may be over by the time that it looks at the clock again.
        if (counted["count"], counted["limit"], counted["time_left"]) == (0, 0, -1):
            raise ConnectionInterrupted(None)
    except (ConnectionInterrupted, RedisError) as error:
        logger.warning("Requests cannot be counted: Redis is away", exc_info=error)
        if scope not in FAIL_OPEN:
            raise Unavailable from error
        return None
    count = counted["count"] if increment else counted["count"] + 1
    return Usage(limit=counted["limit"], count=count, reset_seconds=max(1, counted["time_left"]))
