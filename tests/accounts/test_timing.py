"""How long signing in takes tells nothing: with passwords hashed as production does, every refusal costs alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.http import HttpResponse

from accounts.models import User
from tests.api import Caller, problem
from tests.conftest import Person, person

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("uncounted")]

PASSWORD, ROUNDS = "a-good-long-passphrase", 30


@pytest.fixture
def uncounted(settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def argon2(settings: Any) -> None:
    """Django's own cost, as in production."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]


@pytest.fixture
def hashed(argon2: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was hashed at that cost; verifying a password costs what hashing one does."""
    done: list[str] = []

    def counting(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any) -> Any:
            done.append(name)
            return real(*given)

        return counted

    for name in ("encode", "verify"):
        monkeypatch.setattr(Argon2PasswordHasher, name, counting(name, getattr(Argon2PasswordHasher, name)))
    return done


@pytest.fixture
def refusals(argon2: None, db: None) -> dict[str, Callable[[], HttpResponse]]:
    """Every reason not to let somebody in."""
    thandi, naledi = person("thandi"), person("naledi")
    User.objects.filter(pk=naledi.user.pk).update(status=User.Status.SUSPENDED)
    clerk = User(email="clerk@example.com", first_name="K", last_name="D", is_staff=True)
    clerk.set_password(PASSWORD)
    clerk.save()
    unusable = person("lerato")
    unusable.user.set_unusable_password()
    unusable.user.save()

    def trying(email: str, password: str) -> Callable[[], HttpResponse]:
        return lambda: Caller().post("auth/token", {"email": email, "password": password})

    wrong = "not-my-passphrase"
    return {
        "unknown": trying("nobody@example.com", wrong),
        "wrong": trying(thandi.user.email, wrong),
        "wrong, suspended": trying(naledi.user.email, wrong),
        "suspended": trying(naledi.user.email, PASSWORD),
        "wrong, staff": trying(clerk.email, wrong),
        "no password": trying(unusable.user.email, wrong),
    }


def alike(calls: dict[str, Callable[[], HttpResponse]]) -> dict[str, float]:
    """The medians of many rounds, in milliseconds of our own work, all threads of it, which no other program disturbs."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            began = time.process_time()
            call()
            took[name].append((time.process_time() - began) * 1000)
    return {name: median(times) for name, times in took.items()}


def test_every_refusal_to_sign_in_hashes_once(
    refusals: dict[str, Callable[[], HttpResponse]], hashed: list[str]
) -> None:
    for name, call in refusals.items():
        hashed.clear()
        problem(call(), 401, "invalid_credentials")
        assert len(hashed) == 1, name


def test_every_refusal_to_sign_in_takes_alike(refusals: dict[str, Callable[[], HttpResponse]]) -> None:
    times = alike(refusals)
    assert max(times.values()) < 1.3 * min(times.values()), times


REGISTRATION = {"password": PASSWORD, "first_name": "Sipho", "last_name": "Mokoena"}


def test_registering_what_is_taken_hashes_as_registering_does(argon2: None, thandi: Person, hashed: list[str]) -> None:
    for email, phone, status in (
        ("thandi@example.com", "0829990001", 409),
        ("new1@example.com", "0821110001", 409),
        ("thandi@example.com", "0821110001", 409),
        ("new2@example.com", "0829990002", 201),
    ):
        hashed.clear()
        answer = Caller().post("auth/register", {**REGISTRATION, "email": email, "phone": phone})
        assert (answer.status_code, hashed) == (status, ["encode"])


def test_a_forgotten_password_hashes_nothing_for_anybody(thandi: Person, hashed: list[str]) -> None:
    for email in ("thandi@example.com", "nobody@example.com"):
        assert Caller().post("auth/password/forgot", {"email": email}).status_code == 202
    assert hashed == []
    assert hashers.check_password(PASSWORD, thandi.user.password)
