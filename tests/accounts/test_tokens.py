"""Access tokens: what is believed, and everything that is not."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from accounts import tokens
from mymoolah.common.clock import now
from mymoolah.common.keys import random_key

USER, SESSION = uuid.uuid4(), uuid.uuid4()


def issue(**changed: Any) -> str:
    fields: dict[str, Any] = {
        "user_public_id": USER,
        "session_public_id": SESSION,
        "role": "customer",
        "now": now(),
        **changed,
    }
    return tokens.issue_access_token(**fields)


def claims(**changed: Any) -> dict[str, Any]:
    found = jwt.decode(issue(), options={"verify_signature": False})
    return {name: value for name, value in {**found, **changed}.items() if value is not None}


def signed(payload: dict[str, Any], *, kid: Any = None, key: Any = None) -> str:
    key_id, _, seed = settings.SIGNING_KEYS[0].partition(":")
    ours = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(seed))
    return jwt.encode(payload, key or ours, algorithm="EdDSA", headers={"kid": kid or key_id})


def unsigned() -> str:
    parts = [{"alg": "none", "typ": "JWT", "kid": settings.SIGNING_KEYS[0].partition(":")[0]}, claims()]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


def hmac_with_the_public_key() -> str:
    """The oldest trick: HS256 keyed with what everybody may know."""
    key_id, _, seed = settings.SIGNING_KEYS[0].partition(":")
    public = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(seed)).public_key().public_bytes_raw()
    return jwt.encode(claims(), public, algorithm="HS256", headers={"kid": key_id})


def test_a_token_names_its_key_and_holds_public_ids_only() -> None:
    token = issue()
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["kid"]) == ("EdDSA", settings.SIGNING_KEYS[0].partition(":")[0])
    body = jwt.decode(token, options={"verify_signature": False})
    assert body.keys() == {"iss", "aud", "sub", "sid", "role", "iat", "exp"}
    assert (body["sub"], body["sid"], body["exp"] - body["iat"]) == (str(USER), str(SESSION), 900)


def test_a_token_speaks_for_its_user_and_session() -> None:
    assert tokens.read_access_token(issue()) == tokens.Principal(USER, SESSION, is_staff=False)
    assert tokens.read_access_token(issue(role="staff")).is_staff


def test_an_expired_token_says_so() -> None:
    with pytest.raises(tokens.TokenExpired):
        tokens.read_access_token(issue(now=now() - dt.timedelta(minutes=16)))


FORGERIES: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "a word": lambda: "nonsense",
    "three words": lambda: "a.b.c",
    "other letters": lambda: "é.é.é",
    "changed": lambda: issue()[:-4] + "AAAA",
    "endless": lambda: issue() + "x" * 3000,
    "unsigned": unsigned,
    "keyed with what is public": hmac_with_the_public_key,
    "an unknown key's": lambda: signed(claims(), kid="unknown"),
    "another key's": lambda: signed(claims(), key=Ed25519PrivateKey.generate()),
    "another issuer's": lambda: signed(claims(iss="somebody")),
    "for another audience": lambda: signed(claims(aud="somewhere")),
    "for no audience": lambda: signed(claims(aud=None)),
    "without end": lambda: signed(claims(exp=None)),
    "without beginning": lambda: signed(claims(iat=None)),
    "of tomorrow": lambda: signed(claims(iat=int(now().timestamp()) + 3600)),
    "with a vague end": lambda: signed(claims(exp="soon")),
    "nobody's": lambda: signed(claims(sub=None)),
    "a sequential user's": lambda: signed(claims(sub="1")),
    "a number's": lambda: signed(claims(sub=7)),
    "a sequential session's": lambda: signed(claims(sid="1")),
    "a session's by number": lambda: signed(claims(sid=7)),
    "an unknown role's": lambda: signed(claims(role="admin")),
    "several roles'": lambda: signed(claims(role=["staff"])),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_token_that_is_not_ours_is_not_believed(name: str) -> None:
    with pytest.raises(tokens.TokenInvalid):
        tokens.read_access_token(FORGERIES[name]())


def test_an_older_key_still_verifies_and_the_newer_one_signs(settings: Any) -> None:
    older = issue()
    settings.SIGNING_KEYS = [f"newer:{random_key()}", *settings.SIGNING_KEYS]
    assert tokens.read_access_token(older).public_id == USER
    assert jwt.get_unverified_header(issue())["kid"] == "newer"
    settings.SIGNING_KEYS = settings.SIGNING_KEYS[:1]
    with pytest.raises(tokens.TokenInvalid):
        tokens.read_access_token(older)


def test_a_refresh_token_that_was_never_given_is_told_apart() -> None:
    token = tokens.new_refresh_token(SESSION)
    assert tokens.refresh_token_session(token) == SESSION
    for forged in ("", ".", str(SESSION), f"{SESSION}.guess", token[:-1], token + "x", token.replace(".", ".x"), "é.é"):
        assert tokens.refresh_token_session(forged) is None
