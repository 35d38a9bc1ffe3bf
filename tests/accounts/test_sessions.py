"""Signing in, refreshing and signing out, through the API."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts import sessions, tokens
from accounts.audit import SYSTEM
from accounts.models import AuditEvent, LoginSession, User
from accounts.sessions import InvalidRefreshToken, RefreshInProgress, Tokens
from mymoolah.common.clock import now
from tests.api import Caller, body_of, calling, errors_of, problem
from tests.conftest import Person

PASSWORD = "a-good-long-passphrase"
LATER = dt.timedelta(seconds=11)


def sign_in(email: str = "thandi@example.com", password: str = PASSWORD) -> Any:
    return Caller().post("auth/token", {"email": email, "password": password})


def refresh(token: str) -> Any:
    return Caller().post("auth/token/refresh", {"refresh": token})


def session_of(token: str) -> LoginSession:
    public_id = tokens.refresh_token_session(token)
    assert public_id is not None
    return LoginSession.objects.get(public_id=public_id)


def test_signing_in_gives_tokens_that_open_the_door(thandi: Person) -> None:
    answer = sign_in("Thandi@Example.COM")
    assert answer.status_code == 200
    body = body_of(answer)
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert answer["Cache-Control"] == "no-store"
    me = Caller(body["access"]).get("me")
    assert body_of(me)["id"] == str(thandi.user.public_id)
    session = session_of(body["refresh"])
    assert bytes(session.token_digest) == tokens.digest(body["refresh"])
    event = AuditEvent.objects.get(verb="session.started")
    assert (event.actor_id, event.subject_id) == (thandi.user.id, str(session.public_id))
    assert event.request_id == answer["X-Request-ID"]


def test_an_unknown_address_and_a_wrong_password_get_one_answer(thandi: Person) -> None:
    wrong = problem(sign_in(password="not-my-passphrase"), 401, "invalid_credentials")
    unknown = problem(sign_in("nobody@example.com"), 401, "invalid_credentials")
    assert {**wrong, "request_id": ""} == {**unknown, "request_id": ""}
    assert not LoginSession.objects.exists()


@pytest.mark.django_db
def test_an_unknown_address_costs_a_password_check_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    real = Argon2PasswordHasher.encode

    def encode(self: Argon2PasswordHasher, password: str, salt: str) -> str:
        hashed.append("once")
        return real(self, password, salt)

    monkeypatch.setattr(Argon2PasswordHasher, "encode", encode)
    problem(sign_in("nobody@example.com"), 401, "invalid_credentials")
    assert hashed == ["once"]


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_an_account_that_is_not_active_neither_signs_in_nor_refreshes(thandi: Person, status: str) -> None:
    token = body_of(sign_in())["refresh"]
    User.objects.filter(pk=thandi.user.pk).update(status=status)
    problem(sign_in(), 401, "invalid_credentials")
    problem(refresh(token), 401, "refresh_token_invalid")


def test_staff_sign_in_but_have_no_customer_routes(clerk: User) -> None:
    caller = Caller(body_of(sign_in("clerk@example.com"))["access"])
    for path in ("me", "dashboard", "wallets", "transactions", "wallets/1234567897", "transactions/1234567897-1"):
        problem(caller.get(path), 403, "wrong_role")
    problem(caller.patch("me", {}), 403, "wrong_role")
    for path in ("transfers", "transfers/preview", "wallets/1234567897/freeze"):
        problem(caller.post(path, {}), 403, "wrong_role")


def test_a_refresh_token_is_good_once_and_gives_the_next(thandi: Person) -> None:
    first = body_of(sign_in())["refresh"]
    answer = refresh(first)
    assert answer.status_code == 200
    second = body_of(answer)["refresh"]
    assert second != first
    assert body_of(Caller(body_of(answer)["access"]).get("me"))["email"] == "thandi@example.com"
    assert refresh(second).status_code == 200
    assert session_of(first).revoked_at is None


def test_a_second_use_within_ten_seconds_is_told_to_wait(thandi: Person) -> None:
    first = body_of(sign_in())["refresh"]
    assert refresh(first).status_code == 200
    problem(refresh(first), 409, "refresh_in_progress")
    assert session_of(first).revoked_at is None


def test_a_later_use_of_a_used_token_ends_the_session_for_thief_and_owner(thandi: Person) -> None:
    first = body_of(sign_in())["refresh"]
    second = body_of(refresh(first))["refresh"]
    LoginSession.objects.update(rotated_at=now() - LATER)
    problem(refresh(first), 401, "refresh_token_invalid")
    assert session_of(first).revoked_at is not None
    assert AuditEvent.objects.filter(verb="session.refresh_token_reused").count() == 1
    problem(refresh(second), 401, "refresh_token_invalid")


def test_a_token_from_two_uses_ago_ends_the_session_at_once(thandi: Person) -> None:
    first = body_of(sign_in())["refresh"]
    refresh(body_of(refresh(first))["refresh"])
    problem(refresh(first), 401, "refresh_token_invalid")
    assert session_of(first).revoked_at is not None


def test_a_made_up_token_ends_nobodys_session(thandi: Person) -> None:
    token = body_of(sign_in())["refresh"]
    session = session_of(token)
    problem(refresh(f"{session.public_id}.{'x' * 65}"), 401, "refresh_token_invalid")
    session.refresh_from_db()
    assert session.revoked_at is None


def test_the_end_of_a_stolen_session_is_committed(ledger: object, thandi: Person) -> None:
    given = sessions.sign_in(email="thandi@example.com", password=PASSWORD, device="", now=now() - LATER, origin=SYSTEM)
    sessions.refresh_session(token=given.refresh, now=now() - LATER, origin=SYSTEM)
    with pytest.raises(InvalidRefreshToken):
        sessions.refresh_session(token=given.refresh, now=now(), origin=SYSTEM)
    assert session_of(given.refresh).revoked_at is not None


@pytest.mark.parametrize("attempt", range(3))
def test_of_parallel_refreshes_exactly_one_wins(thandi: Person, race: Callable[..., list[Any]], attempt: int) -> None:
    given = sessions.start_session(user=thandi.user, device="phone", now=now(), origin=SYSTEM)
    answers = race(8, lambda: sessions.refresh_session(token=given.refresh, now=now(), origin=SYSTEM))
    assert Counter(type(answer) for answer in answers) == {Tokens: 1, RefreshInProgress: 7}, answers
    assert session_of(given.refresh).revoked_at is None


def test_an_expired_session_is_over(thandi: Person) -> None:
    token = body_of(sign_in())["refresh"]
    LoginSession.objects.update(expires_at=now())
    problem(refresh(token), 401, "refresh_token_invalid")


def test_signing_out_ends_the_session_once_and_for_all(thandi: Person) -> None:
    given = body_of(sign_in())
    for _ in range(2):
        answer = Caller(given["access"]).post("auth/logout", {"refresh": given["refresh"]})
        assert (answer.status_code, answer.content) == (204, b"")
    problem(refresh(given["refresh"]), 401, "refresh_token_invalid")
    assert AuditEvent.objects.filter(verb="session.ended", actor_id=thandi.user.id).count() == 1


def test_nobody_signs_somebody_else_out(thandi: Person, naledi: Person) -> None:
    token = body_of(sign_in())["refresh"]
    problem(calling(naledi).post("auth/logout", {"refresh": token}), 401, "refresh_token_invalid")
    problem(Caller().post("auth/logout", {"refresh": token}), 401, "not_authenticated")
    assert session_of(token).revoked_at is None


@pytest.mark.django_db
@pytest.mark.parametrize("body", [{}, {"refresh": None}, {"refresh": 7}, {"refresh": ""}, {"refresh": "x" * 201}])
def test_a_malformed_refresh_is_a_problem(body: dict[str, Any]) -> None:
    assert "refresh" in errors_of(Caller().post("auth/token/refresh", body))
