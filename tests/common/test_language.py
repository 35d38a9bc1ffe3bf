"""One language is spoken, whatever is asked for: `Accept-Language` neither changes an answer nor breaks one."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api import V1, calling
from tests.conftest import Person

PAGES = (V1 + "me", V1 + "wallets?x=1", V1 + "nope", "/admin/login/", "/nope")


@pytest.mark.parametrize(
    "asked",
    [
        "zu",
        "fr-CA, fr;q=0.9",
        "*;q=0",
        "en;q=0",
        "",
        "\x01\x7f;;;,,q=",
        "q=1;" * 100,
        "x" * 100_000,
        "a-" * 60_000,
        "zu," * 30_000,
    ],
)
def test_every_language_is_answered_alike(thandi: Person, asked: str) -> None:
    headers = {**calling(thandi)._headers({}), "X-Request-ID": "the-same"}
    for page in PAGES:
        plain = Client().get(page, headers=headers)
        answer = Client().get(page, headers={**headers, "Accept-Language": asked})
        assert answer.status_code == plain.status_code
        assert _without_tokens(answer.content) == _without_tokens(plain.content)
        assert "Content-Language" not in answer  # nothing was negotiated
        assert "Accept-Language" not in answer.get("Vary", "")


def _without_tokens(page: bytes) -> bytes:
    """But for the secret in a form, which is another one each time."""
    return b"\n".join(line for line in page.splitlines() if b"csrfmiddlewaretoken" not in line)


def test_a_wrong_password_is_told_in_english(thandi: Person) -> None:
    headers = {"Accept-Language": "fr"}
    page = Client().post("/admin/login/", {"username": "thandi@example.com", "password": "x"}, headers=headers)
    assert b"Please enter the correct email and password" in page.content
