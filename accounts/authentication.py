"""Who is asking, and whether these rooms are for them. No database query: the access token says it all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import tokens
from accounts.audit import Origin
from accounts.tokens import Principal
from mymoolah.common.addresses import client_address

if TYPE_CHECKING:
    from rest_framework.views import APIView  # while running it imports this module, by the settings

REALM = 'Bearer realm="mymoolah"'


class Nobody:
    """A request without an access token."""

    public_id = None
    session_id = None
    is_staff = False
    is_authenticated = False


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>` (RFC 6750)."""

    refusals = (
        NotAuthenticated(),
        *(AuthenticationFailed(error.title, error.code) for error in (tokens.TokenInvalid, tokens.TokenExpired)),
    )

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return tokens.read_access_token(token.strip()), None
        except tokens.TokenInvalid as error:
            raise AuthenticationFailed(error.title, error.code) from error

    def authenticate_header(self, request: Request) -> str:
        has_token = request.META.get("HTTP_AUTHORIZATION", "").lower().startswith("bearer ")
        return f'{REALM}, error="invalid_token"' if has_token else REALM


class IsSignedIn(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.is_authenticated


class IsCustomer(BasePermission):
    """Staff have no wallet, and no customer's routes."""

    code = "wrong_role"
    message = "Staff accounts cannot do what customers do."
    refusals = (PermissionDenied(message, code),)

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.is_authenticated and not request.user.is_staff


def principal(request: Request) -> Principal:
    """Who is signed in, on a route that lets nobody else in."""
    user: object = request.user
    assert isinstance(user, Principal)
    return user


def origin_of(request: Request, actor_id: int | None = None) -> Origin:
    """What the audit trail tells about where this request came from."""
    return Origin(actor_id=actor_id, address=client_address(request), request_id=getattr(request, "request_id", ""))
