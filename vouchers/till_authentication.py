"""Whether a till's provider is speaking: it signs what it sends, and when (docs/money.md)."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from mymoolah.common.clock import now
from mymoolah.common.parsers import BodyTooLarge

if TYPE_CHECKING:
    from rest_framework.views import APIView  # while running it imports the settings' defaults

TIMESTAMP_HEADER: Final = "X-Timestamp"
SIGNATURE_HEADER: Final = "X-Signature"
TOLERANCE_SECONDS: Final = 300
TIMESTAMP = re.compile(r"[0-9]{1,15}", re.ASCII)
SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)
NOT_NOW: Final = f"The timestamp is more than {TOLERANCE_SECONDS} seconds off."
NOT_SIGNED: Final = "The signature does not belong to this request."


@dataclass(frozen=True, kw_only=True)
class Till:
    """A provider of tills that has signed a request."""

    provider: str
    is_authenticated: bool = True


def signature(secret: str, *, timestamp: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over `timestamp`, a point, and the body as it is sent (RFC 2104)."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class EasyPayAuthentication(BaseAuthentication):
    """`X-Timestamp` and `X-Signature`, by any of the secrets: there are two while they are being changed.

    Neither Redis nor the database is asked. Nothing is told of how close a guess came: all secrets are tried, each in a
    time that does not depend on where it differs.
    """

    refusals = (
        AuthenticationFailed(NOT_NOW, "timestamp_invalid"),
        AuthenticationFailed(NOT_SIGNED, "signature_invalid"),
    )

    def authenticate(self, request: Request) -> tuple[Till, None]:
        timestamp = request.headers.get(TIMESTAMP_HEADER, "")
        given = request.headers.get(SIGNATURE_HEADER, "").lower()
        if not TIMESTAMP.fullmatch(timestamp):
            raise AuthenticationFailed(f"Send {TIMESTAMP_HEADER}, in unix seconds.", "timestamp_invalid")
        if not SIGNATURE.fullmatch(given):
            raise AuthenticationFailed(
                f'Send {SIGNATURE_HEADER}, the hex HMAC-SHA256 over timestamp + "." + body.', "signature_invalid"
            )
        try:
            body = request._request.body  # noqa: SLF001 - as it was sent; the framework would parse it
        except RequestDataTooBig as error:
            raise BodyTooLarge from error
        matches = [
            hmac.compare_digest(signature(secret, timestamp=timestamp, body=body), given)
            for secret in settings.EASYPAY_SECRETS
        ]
        if not any(matches):
            raise AuthenticationFailed(NOT_SIGNED, "signature_invalid")
        if abs(now().timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
            raise AuthenticationFailed(NOT_NOW, "timestamp_invalid")
        return Till(provider="easypay"), None

    def authenticate_header(self, request: Request) -> str:
        return f'HMAC-SHA256 realm="mymoolah", headers="{TIMESTAMP_HEADER} {SIGNATURE_HEADER}"'


class IsTill(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        who: object = request.user
        return isinstance(who, Till)
