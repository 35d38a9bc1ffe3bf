"""Access tokens: JWTs (RFC 7519) signed with Ed25519 (RFC 8037), each naming the key that signed it.

A token holds public ids only. It is believed without asking the database until it expires, so it is short-lived.
Refresh tokens are not JWTs but secrets: `<session>.<random><proof>`, of which the database keeps the SHA-256. The
proof, an HMAC, tells a token that we gave once from one that somebody made up.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils.crypto import salted_hmac
from jwt.types import Options

from mymoolah.common.errors import DomainError

ALGORITHM = "EdDSA"
ISSUER = "mymoolah"
AUDIENCE = "mymoolah-api"
CLOCK_SKEW_SECONDS = 5
LONGEST_TOKEN = 2048
STRICT: Options = {"require": ["exp", "iat", "iss", "aud", "sub", "sid", "role"]}
Role = Literal["customer", "staff"]
RANDOM_CHARACTERS = 43  # 32 bytes, base64
PROOF_CHARACTERS = 22  # 16 bytes, base64


class TokenInvalid(DomainError):
    code, status, title = "token_invalid", 401, "This access token is not valid"


class TokenExpired(TokenInvalid):
    code, status, title = "token_expired", 401, "This access token has expired"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from, as its access token says."""

    public_id: uuid.UUID
    session_id: uuid.UUID
    is_staff: bool
    is_authenticated: bool = True


@dataclass(frozen=True)
class _Keys:
    signing_id: str
    signing: Ed25519PrivateKey
    verifying: dict[str, Ed25519PublicKey]


@lru_cache(maxsize=8)
def _keys(ring: tuple[str, ...]) -> _Keys:
    pairs = [entry.partition(":") for entry in ring]
    private = {
        key_id: Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(seed)) for key_id, _, seed in pairs
    }
    first = pairs[0][0]
    return _Keys(first, private[first], {key_id: key.public_key() for key_id, key in private.items()})


def issue_access_token(*, user_public_id: uuid.UUID, session_public_id: uuid.UUID, role: Role, now: dt.datetime) -> str:
    """Sign a token that is good for ACCESS_TOKEN_LIFETIME, with the first of SIGNING_KEYS."""
    keys = _keys(tuple(settings.SIGNING_KEYS))
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_public_id),
        "sid": str(session_public_id),
        "role": role,
        "iat": int(now.timestamp()),
        "exp": int((now + settings.ACCESS_TOKEN_LIFETIME).timestamp()),
    }
    return jwt.encode(claims, keys.signing, algorithm=ALGORITHM, headers={"kid": keys.signing_id})


def read_access_token(token: str) -> Principal:
    """Who `token` speaks for.

    :raises TokenExpired: it did once
    :raises TokenInvalid: another algorithm, an unknown key, a wrong signature, a missing or malformed claim
    """
    if len(token) > LONGEST_TOKEN:
        raise TokenInvalid
    try:
        key = _keys(tuple(settings.SIGNING_KEYS)).verifying[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=CLOCK_SKEW_SECONDS,
            options=STRICT,
        )
        if claims["role"] not in {"customer", "staff"}:
            raise TokenInvalid
        return Principal(uuid.UUID(claims["sub"]), uuid.UUID(claims["sid"]), claims["role"] == "staff")
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise TokenInvalid from error


def new_refresh_token(session_public_id: uuid.UUID) -> str:
    random = secrets.token_urlsafe(32)
    return f"{session_public_id}.{random}{_proof(str(session_public_id), random)}"


def refresh_token_session(token: str) -> uuid.UUID | None:
    """The session that a refresh token was given to, whether or not it is still good; None if we never gave it."""
    session, _, secret = token.partition(".")
    random, proof = secret[:RANDOM_CHARACTERS], secret[RANDOM_CHARACTERS:]
    if not token.isascii() or not hmac.compare_digest(proof, _proof(session, random)):
        return None
    return uuid.UUID(session)


def _proof(session: str, random: str) -> str:
    digest = salted_hmac("accounts.refresh_token", f"{session}.{random}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode()[:PROOF_CHARACTERS]


def digest(refresh_token: str) -> bytes:
    """What the database keeps of a refresh token: 32 bytes."""
    return hashlib.sha256(refresh_token.encode()).digest()
