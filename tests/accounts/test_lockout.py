"""Sign-in is locked after too many wrong passwords: for an account from wherever, and for an address whomever it names."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from statistics import median
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django_redis import get_redis_connection

from accounts import lockout, sessions
from accounts.audit import SYSTEM, Origin
from accounts.lockout import SignInLocked
from accounts.models import AuditEvent, LoginSession, User
from accounts.sessions import InvalidCredentials
from mymoolah.common.clock import now
from mymoolah.common.errors import Unavailable
from tests.api import Caller, calling, problem
from tests.conftest import Person

pytestmark = pytest.mark.usefixtures("patient")

PASSWORD, WRONG = "a-good-long-passphrase", "not-my-passphrase"
NUMBERS = count(1)


def sign_in(email: str = "thandi@example.com", password: str = WRONG, *, address: str | None = None) -> HttpResponse:
    """Try from an address that nobody has used yet, unless one is named."""
    number = next(NUMBERS)
    client = Client(REMOTE_ADDR=address or f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    return Caller(client=client).post("auth/token", {"email": email, "password": password})


def fail(times: int, **named: Any) -> None:
    for _ in range(times):
        problem(sign_in(**named), 401, "invalid_credentials")


def counter(kind: str) -> str:
    [key] = get_redis_connection("default").keys(cache.make_key(f"sign_in:{kind}:*"))
    return str(key.decode())


def test_ten_failures_lock_an_account_from_wherever_and_whatever_the_password(thandi: Person) -> None:
    fail(9)
    fail(1, email="THANDI@example.com")
    for password in (WRONG, PASSWORD):
        answer = sign_in(password=password)
        problem(answer, 429, "sign_in_locked")
        assert 890 <= int(answer["Retry-After"]) <= 900
    assert not LoginSession.objects.exists()


def test_an_account_that_nobody_has_is_locked_alike(thandi: Person) -> None:
    answers = []
    for email in ("thandi@example.com", "nobody@example.com"):
        fail(10, email=email)
        answers.append(problem(sign_in(email), 429, "sign_in_locked"))
    assert {**answers[0], "request_id": ""} == {**answers[1], "request_id": ""}


def test_signing_in_starts_the_count_anew(thandi: Person) -> None:
    for _ in range(2):
        fail(9)
        assert sign_in(password=PASSWORD).status_code == 200
    fail(9)


def test_a_lock_lasts_fifteen_minutes_from_the_last_failure_and_tries_do_not_prolong_it(thandi: Person) -> None:
    redis = get_redis_connection("default")
    fail(9)
    redis.expire(counter("account"), 60)
    fail(1)
    assert redis.ttl(counter("account")) > 890
    redis.expire(counter("account"), 60)
    answer = sign_in()
    problem(answer, 429, "sign_in_locked")
    assert int(answer["Retry-After"]) <= 60
    redis.pexpire(counter("account"), 1)
    time.sleep(0.01)
    assert sign_in(password=PASSWORD).status_code == 200


def test_failures_of_more_than_fifteen_minutes_ago_are_forgotten(thandi: Person) -> None:
    fail(9)
    assert 0 < get_redis_connection("default").ttl(counter("account")) <= 900
    get_redis_connection("default").delete(counter("account"))
    fail(9)


def test_an_address_is_locked_after_its_own_failures_only(
    thandi: Person, naledi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lockout.MOST_FAILURES, "address", 5)
    for number in range(4):
        fail(1, email=f"user{number}@example.com", address="10.0.0.1")
    for _ in range(6):  # a town behind one network signs in
        assert sign_in(password=PASSWORD, address="10.0.0.1").status_code == 200
    fail(1, email="user4@example.com", address="10.0.0.1")
    problem(sign_in("naledi@example.com", PASSWORD, address="10.0.0.1"), 429, "sign_in_locked")
    assert sign_in("naledi@example.com", PASSWORD, address="10.0.0.2").status_code == 200
    assert AuditEvent.objects.get(verb="sign_in.locked").facts == {"locked": ["address"]}


def test_an_address_of_ipv4_in_the_clothes_of_ipv6_is_locked_with_its_own_failures(
    thandi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lockout.MOST_FAILURES, "address", 2)
    fail(1, email="user1@example.com", address="::ffff:10.0.0.1")
    fail(1, email="user2@example.com", address="10.0.0.1")
    problem(sign_in(password=PASSWORD, address="::ffff:10.0.0.1"), 429, "sign_in_locked")
    assert sign_in(password=PASSWORD, address="::ffff:10.0.0.2").status_code == 200
    assert AuditEvent.objects.get(verb="sign_in.locked").address == "10.0.0.1"
    assert LoginSession.objects.get().address == "10.0.0.2"


def test_a_locked_account_does_not_lock_the_address_of_who_keeps_trying(
    thandi: Person, naledi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(10)
    monkeypatch.setitem(lockout.MOST_FAILURES, "address", 5)
    for _ in range(6):
        problem(sign_in(password=PASSWORD, address="10.0.0.1"), 429, "sign_in_locked")
    assert sign_in("naledi@example.com", PASSWORD, address="10.0.0.1").status_code == 200


def test_of_twenty_wrong_passwords_at_once_ten_are_looked_at(thandi: Person, race: Callable[..., list[Any]]) -> None:
    def guess() -> None:
        sessions.sign_in(email="thandi@example.com", password=WRONG, device="", now=now(), origin=SYSTEM)

    answers = race(20, guess)
    assert Counter(type(answer) for answer in answers) == {InvalidCredentials: 10, SignInLocked: 10}, answers
    assert AuditEvent.objects.filter(verb="sign_in.locked").count() == 1


def test_the_trail_tells_of_failures_without_what_was_typed(thandi: Person) -> None:
    fail(10)
    fail(1, email="nobody@example.com")
    about_her = AuditEvent.objects.filter(subject_type="user", subject_id=str(thandi.user.public_id))
    failures = about_her.filter(verb="sign_in.failed")
    assert failures.count() == 10
    assert {event.actor_id for event in failures} == {None}
    assert all(event.address and event.request_id for event in failures)
    assert about_her.get(verb="sign_in.locked").facts == {"locked": ["account"]}
    unknown = AuditEvent.objects.get(verb="sign_in.failed", subject_id="")
    assert (unknown.facts, unknown.actor_id) == ({}, None)


def test_an_unknown_address_takes_as_long_as_a_wrong_password(thandi: Person, settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False
    took: dict[str, list[float]] = {"thandi@example.com": [], "nobody@example.com": []}
    for _ in range(25):
        for email, seconds in took.items():
            began = time.perf_counter()
            sign_in(email)
            seconds.append(time.perf_counter() - began)
    known, unknown = (median(seconds) for seconds in took.values())
    assert 0.5 < known / unknown < 2, took


def test_a_wrong_current_password_is_a_failure_like_any_other(thandi: Person) -> None:
    fail(9)
    change = {"current_password": WRONG, "new_password": "another-good-passphrase"}
    problem(calling(thandi).post("me/password", change), 409, "wrong_password")
    problem(sign_in(password=PASSWORD), 429, "sign_in_locked")
    problem(calling(thandi).post("me/password", {**change, "current_password": PASSWORD}), 429, "sign_in_locked")
    assert AuditEvent.objects.filter(verb="password.refused").count() == 1


def test_switched_off_nothing_is_counted(thandi: Person, settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False
    fail(12)
    assert sign_in(password=PASSWORD).status_code == 200


def test_while_redis_is_away_nobody_signs_in(thandi: Person, no_redis: None) -> None:
    problem(sign_in(password=PASSWORD), 503, "temporarily_unavailable")
    with pytest.raises(Unavailable):  # the door's limits apart
        sessions.sign_in(email="thandi@example.com", password=PASSWORD, device="", now=now(), origin=Origin())
    assert not LoginSession.objects.exists()


# The back-office's sign-in ------------------------------------------------------------------------------------------
def enter(password: str, client: Client | None = None) -> HttpResponse:
    form = {"username": "clerk@example.com", "password": password}
    answer: HttpResponse = (client or Client()).post("/admin/login/?next=/admin/", form)  # type: ignore[assignment]
    return answer


def test_staff_are_locked_out_by_the_same_count(clerk: User) -> None:
    for _ in range(6):
        assert "Please enter the correct" in enter(WRONG).content.decode()
    fail(4, email="clerk@example.com")
    refused = enter(PASSWORD)
    assert refused.status_code == 200
    assert "Too many wrong passwords" in refused.content.decode()
    problem(sign_in("clerk@example.com", PASSWORD), 429, "sign_in_locked")
    assert AuditEvent.objects.get(verb="sign_in.locked").subject_id == str(clerk.public_id)


def test_staff_sign_in_and_start_anew(clerk: User) -> None:
    for _ in range(2):
        for _ in range(9):
            assert enter(WRONG).status_code == 200
        assert enter(PASSWORD).status_code == 302


def test_a_customer_with_the_right_password_does_not_enter_the_back_office(thandi: Person) -> None:
    form = {"username": "thandi@example.com", "password": PASSWORD}
    assert Client().post("/admin/login/", form).status_code == 200
    assert AuditEvent.objects.filter(verb="sign_in.failed").count() == 1


def test_while_redis_is_away_staff_are_told_to_wait(clerk: User, no_redis: None) -> None:
    refused = enter(PASSWORD)
    assert refused.status_code == 200
    assert "Please try again in a moment" in refused.content.decode()
