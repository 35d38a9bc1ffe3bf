"""Choosing another password, and a new one for one that was forgotten."""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client

from accounts import passwords, sessions
from accounts.audit import SYSTEM
from accounts.models import AuditEvent, LoginSession, OneTimeCode, User
from accounts.passwords import InvalidResetToken
from accounts.services import correct_profile
from accounts.sessions import Tokens, WrongPassword
from accounts.tasks import send_password_reset
from accounts.tokens import read_access_token
from mymoolah.common.clock import now
from tests.accounts.conftest import code_in, to
from tests.api import Caller, access_token, calling, errors_of, problem
from tests.conftest import Person

# A message leaves once what it tells has been committed, so here everything is.
pytestmark = pytest.mark.usefixtures("ledger", "patient", "worker_at_hand")

OLD, NEW, OTHER = "a-good-long-passphrase", "another-good-passphrase", "a-third-good-passphrase"
WEAK = ["short-1", "1234567890123", "password12", "Thandi Mokoena", "thandi@example.com", "+27821110001x"]
Mails = list[EmailMessage]


def change(caller: Caller, new: Any = NEW, *, current: Any = OLD) -> HttpResponse:
    return caller.post("me/password", {"current_password": current, "new_password": new})


def forgot(email: Any = "thandi@example.com", *, client: Client | None = None) -> HttpResponse:
    return Caller(client=client or Client()).post("auth/password/forgot", {"email": email})


def reset(token: Any, new: Any = NEW) -> HttpResponse:
    return Caller().post("auth/password/reset", {"token": token, "new_password": new})


def sign_in(password: str, email: str = "thandi@example.com") -> HttpResponse:
    return Caller().post("auth/token", {"email": email, "password": password})


def signed_in(who: Person) -> Tokens:
    return sessions.start_session(user=who.user, device="phone", now=now(), origin=SYSTEM)


def refresh(given: Tokens) -> HttpResponse:
    return Caller().post("auth/token/refresh", {"refresh": given.refresh})


def token_in(mail: EmailMessage) -> str:
    [line] = [line for line in str(mail.body).splitlines() if "." in line and " " not in line]
    return line


@pytest.fixture
def token(thandi: Person, mailoutbox: Mails) -> str:
    """What Thandi was sent to choose a new password with."""
    assert forgot().status_code == 202
    [mail] = mailoutbox
    mailoutbox.clear()
    return token_in(mail)


# Changing -----------------------------------------------------------------------------------------------------------
def test_only_customers_change_theirs_here(clerk: User) -> None:
    problem(change(Caller()), 401, "not_authenticated")
    problem(change(Caller(access_token(clerk))), 403, "wrong_role")


def test_another_password_ends_all_other_sessions(thandi: Person, mailoutbox: Mails) -> None:
    present, others = signed_in(thandi), [signed_in(thandi) for _ in range(2)]
    answer = change(Caller(present.access))
    assert (answer.status_code, answer.content) == (204, b"")
    for other in others:
        problem(refresh(other), 401, "refresh_token_invalid")
    assert refresh(present).status_code == 200
    problem(sign_in(OLD), 401, "invalid_credentials")
    assert sign_in(NEW).status_code == 200
    about = AuditEvent.objects.filter(subject_id=str(thandi.user.public_id), actor=thandi.user)
    assert set(about.values_list("verb", flat=True)) == {"password.changed", "sessions.ended"}
    assert (to(mailoutbox), mailoutbox[0].subject) == (["thandi@example.com"], "Your password was changed")


def test_the_present_password_is_asked_for(thandi: Person, mailoutbox: Mails) -> None:
    given = signed_in(thandi)
    problem(change(calling(thandi), current="not-my-passphrase"), 409, "wrong_password")
    assert refresh(given).status_code == 200
    assert sign_in(OLD).status_code == 200
    assert mailoutbox == []


@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_password_is_told_by_field(thandi: Person, token: str, weak: str) -> None:
    given = signed_in(thandi)
    assert errors_of(change(calling(thandi), weak)).keys() == {"new_password"}
    assert errors_of(reset(token, weak)).keys() == {"new_password"}
    assert refresh(given).status_code == 200
    assert reset(token).status_code == 204  # which the weak one has not used up


@pytest.mark.parametrize("weak", ["Thandi Mokoena", "thandimokoena", "thandi@example.com", "+27821110009"])
def test_who_registers_may_not_take_his_own_name_for_a_password(weak: str) -> None:
    asked = {"email": "thandi@example.com", "phone": "0821110009", "first_name": "Thandi", "last_name": "Mokoena"}
    assert errors_of(Caller().post("auth/register", {**asked, "password": weak})).keys() == {"password"}


@pytest.mark.parametrize("value", [None, 7, "", ["a-good-long-passphrase"], "x" * 129])
def test_what_is_no_password_is_refused(thandi: Person, value: Any) -> None:
    assert "new_password" in errors_of(change(calling(thandi), value))
    assert "current_password" in errors_of(change(calling(thandi), current=value))


def test_twice_the_second_finds_another_password(thandi: Person) -> None:
    assert change(calling(thandi)).status_code == 204
    problem(change(calling(thandi)), 409, "wrong_password")


def test_of_many_changes_at_once_one_happens(thandi: Person, race: Callable[..., list[Any]]) -> None:
    given = signed_in(thandi)

    def one() -> None:
        passwords.change_password(
            public_id=thandi.user.public_id,
            session_public_id=read_access_token(given.access).session_id,
            current_password=OLD,
            new_password=NEW,
            now=now(),
            origin=SYSTEM,
        )

    assert Counter(type(answer) for answer in race(8, one)) == {type(None): 1, WrongPassword: 7}
    assert AuditEvent.objects.filter(verb="password.changed").count() == 1


# Forgotten ----------------------------------------------------------------------------------------------------------
def test_a_forgotten_password_is_replaced_by_what_came_by_mail(thandi: Person, token: str, mailoutbox: Mails) -> None:
    before = [signed_in(thandi) for _ in range(2)]
    answer = reset(token)
    assert (answer.status_code, answer.content) == (204, b"")
    for given in before:
        problem(refresh(given), 401, "refresh_token_invalid")
    problem(sign_in(OLD), 401, "invalid_credentials")
    assert sign_in(NEW).status_code == 200
    about = AuditEvent.objects.filter(subject_id=str(thandi.user.public_id), subject_type="user")
    told = [(event.verb, event.actor_id) for event in about.filter(verb__startswith="password").order_by("pk")]
    assert told == [("password.reset_sent", None), ("password.reset", thandi.user.id)]
    assert to(mailoutbox) == ["thandi@example.com"]
    assert mailoutbox[0].subject == "Your password was changed"


def test_the_answer_is_the_same_for_everybody(thandi: Person, mailoutbox: Mails) -> None:
    User.objects.create_superuser("clerk@example.com", OLD, first_name="Kagiso", last_name="Dube")
    User.objects.update(email_verified_at=now())
    answers = [forgot(email) for email in ("THANDI@example.com", "nobody@example.com", "clerk@example.com")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
    assert to(mailoutbox) == ["thandi@example.com"]


def test_an_unknown_address_takes_as_long(thandi: Person, queue: Callable[[], list[str]]) -> None:
    took: dict[str, list[float]] = {"thandi@example.com": [], "nobody@example.com": []}
    for _ in range(25):
        for email, seconds in took.items():
            began = time.perf_counter()
            assert forgot(email).status_code == 202
            seconds.append(time.perf_counter() - began)
    known, unknown = (median(seconds) for seconds in took.values())
    assert 0.5 < known / unknown < 2, took
    waiting = [json.loads(task) for task in queue()]
    assert len(waiting) == 50
    assert {task["headers"]["task"] for task in waiting} == {"accounts.send_password_reset"}
    assert "example.com" not in str(waiting)
    assert not OneTimeCode.objects.exists()


def test_a_token_is_good_once(thandi: Person, token: str) -> None:
    assert reset(token).status_code == 204
    problem(reset(token, OTHER), 409, "reset_token_invalid")
    assert sign_in(NEW).status_code == 200


def test_of_many_who_bring_a_token_at_once_one_is_first(
    thandi: Person, token: str, race: Callable[..., list[Any]]
) -> None:
    def one() -> None:
        passwords.reset_password(token=token, new_password=NEW, now=now(), origin=SYSTEM)

    assert Counter(type(answer) for answer in race(8, one)) == {type(None): 1, InvalidResetToken: 7}


def test_a_token_is_good_for_thirty_minutes(thandi: Person, token: str) -> None:
    with pytest.raises(InvalidResetToken):
        passwords.reset_password(token=token, new_password=NEW, now=now() + dt.timedelta(minutes=30), origin=SYSTEM)
    passwords.reset_password(token=token, new_password=NEW, now=now() + dt.timedelta(minutes=29), origin=SYSTEM)


def test_the_last_token_counts(thandi: Person, token: str, mailoutbox: Mails) -> None:
    forgot()
    problem(reset(token), 409, "reset_token_invalid")
    assert reset(token_in(mailoutbox[0])).status_code == 204


def test_a_token_ends_with_the_password_it_was_made_for(thandi: Person, token: str) -> None:
    assert change(calling(thandi)).status_code == 204
    problem(reset(token, OTHER), 409, "reset_token_invalid")
    assert sign_in(NEW).status_code == 200


def test_a_token_ends_with_the_address_it_was_sent_to(thandi: Person, token: str, mailoutbox: Mails) -> None:
    values = {"email": "new@example.com", "current_password": OLD}
    assert calling(thandi).patch("me", values).status_code == 200
    confirmed = calling(thandi).post("me/contacts/confirm", {"contact": "email", "code": code_in(mailoutbox[0])})
    assert confirmed.status_code == 200
    problem(reset(token), 409, "reset_token_invalid")


def test_what_staff_correct_ends_a_token_and_gets_no_other(thandi: Person, token: str, mailoutbox: Mails) -> None:
    correct_profile(user_id=thandi.user.pk, values={"email": "strangers@example.com"}, origin=SYSTEM)
    problem(reset(token), 409, "reset_token_invalid")
    assert forgot("strangers@example.com").status_code == 202
    assert mailoutbox == []


def test_a_token_fits_nobody_else(thandi: Person, naledi: Person, token: str) -> None:
    _, _, secret = token.partition(".")
    forgot("naledi@example.com")
    for made_up in (f"{naledi.user.public_id}.{secret}", f"{thandi.user.public_id}.{'x' * 43}", "x.y", secret, "."):
        problem(reset(made_up), 409, "reset_token_invalid")
    assert reset(token).status_code == 204  # guesses have not used it up


@pytest.mark.parametrize("made_up", [None, 7, "", "x" * 201, ["x"], "a\nb"])
def test_what_is_no_token_is_refused(made_up: Any) -> None:
    assert "token" in errors_of(reset(made_up))


@pytest.mark.parametrize("email", [None, 7, "", "thandi", "thand\u0131@example.com"])
def test_what_is_no_address_is_refused(email: Any) -> None:
    assert "email" in errors_of(forgot(email))


def test_five_tokens_an_hour_are_sent_and_nobody_is_told(thandi: Person, mailoutbox: Mails) -> None:
    assert {forgot().status_code for _ in range(7)} == {202}
    assert len(mailoutbox) == 5
    assert reset(token_in(mailoutbox[-1])).status_code == 204


def test_an_address_that_nobody_confirmed_gets_nothing(thandi: Person, mailoutbox: Mails) -> None:
    User.objects.filter(pk=thandi.user.pk).update(email_verified_at=None)
    assert forgot().status_code == 202
    assert mailoutbox == []


def test_a_suspended_customer_chooses_a_password_and_stays_outside(thandi: Person, token: str) -> None:
    User.objects.filter(pk=thandi.user.pk).update(status=User.Status.SUSPENDED)
    assert reset(token).status_code == 204
    problem(sign_in(NEW), 401, "invalid_credentials")
    assert not LoginSession.objects.exists()
    User.objects.filter(pk=thandi.user.pk).update(status=User.Status.ACTIVE)
    assert sign_in(NEW).status_code == 200


def test_a_closed_account_gets_nothing_and_its_token_is_void(thandi: Person, token: str, mailoutbox: Mails) -> None:
    User.objects.filter(pk=thandi.user.pk).update(status=User.Status.CLOSED)
    assert forgot().status_code == 202
    assert mailoutbox == []
    problem(reset(token), 409, "reset_token_invalid")


def test_a_new_password_opens_a_locked_account(thandi: Person, token: str) -> None:
    for _ in range(10):
        sign_in("not-my-passphrase")
    problem(sign_in(OLD), 429, "sign_in_locked")
    assert reset(token).status_code == 204
    assert sign_in(NEW).status_code == 200


# What goes wrong around it ------------------------------------------------------------------------------------------
def test_no_secret_stands_anywhere_but_in_its_message(
    thandi: Person, mailoutbox: Mails, caplog: pytest.LogCaptureFixture, app_sql: Callable[..., Any]
) -> None:
    caplog.set_level(logging.INFO)
    answers = [forgot()]
    token = token_in(mailoutbox[0])
    answers += [change(calling(thandi), OTHER), change(calling(thandi), "short", current=OTHER), reset(token)]
    kept = str(app_sql("SELECT o::text, encode(o.code_digest, 'escape') FROM one_time_codes AS o"))
    trail = str(list(AuditEvent.objects.values_list("verb", "facts", "subject_id")))
    for secret in (token.partition(".")[2], OLD, OTHER, NEW):
        assert secret not in kept
        assert secret not in trail
        assert secret not in caplog.text
        assert not any(secret in answer.content.decode() for answer in answers)
        assert not any(secret in str(mail.body) for mail in mailoutbox[1:])
    assert "thandi@example.com" not in trail
    assert "thandi@example.com" not in caplog.text


def test_tries_are_limited_by_the_minute(thandi: Person, settings: Any) -> None:
    settings.RATE_LIMITS_PER_MINUTE = {**settings.RATE_LIMITS_PER_MINUTE, "codes": 3}
    asks: list[Callable[[], HttpResponse]] = [
        lambda: change(calling(thandi), current="wrong"),
        forgot,
        lambda: reset("x.y"),
    ]
    for ask in asks:
        answers = [ask() for _ in range(4)]
        problem(answers[-1], 429, "rate_limited")


def test_while_redis_is_away_no_password_changes(thandi: Person, token: str, no_redis: None) -> None:
    for answer in (change(calling(thandi)), forgot(), reset(token)):
        problem(answer, 503, "temporarily_unavailable")
    assert User.objects.get(pk=thandi.user.pk).check_password(OLD)


def test_while_the_broker_is_away_even_a_stranger_is_asked_to_wait_and_at_once(thandi: Person, no_broker: None) -> None:
    for email in ("nobody@example.com", "thandi@example.com"):
        began = time.perf_counter()
        problem(forgot(email), 503, "temporarily_unavailable")
        assert time.perf_counter() - began < 1


def test_a_task_that_is_done_twice_sends_one_token(thandi: Person, mailoutbox: Mails) -> None:
    asked_at = now().isoformat()
    for _ in range(2):
        send_password_reset(user=str(thandi.user.public_id), asked_at=asked_at, request_id="r")
    [mail] = mailoutbox
    assert reset(token_in(mail)).status_code == 204


def test_while_the_broker_is_away_a_password_changes_and_the_log_says_what_is_missing(
    thandi: Person, no_broker: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert change(calling(thandi)).status_code == 204
    assert sign_in(NEW).status_code == 200
    assert "A notice by email is not sent" in caplog.text
    assert "example.com" not in caplog.text


def test_whoever_is_asked_for_by_a_task_may_have_gone(mailoutbox: Mails) -> None:
    for user in (None, "0b3f3d5e-6c1c-4c0e-9d0e-2f6a1c7b8e90"):
        send_password_reset(user=user, asked_at=now().isoformat(), request_id="r")
    assert mailoutbox == []
