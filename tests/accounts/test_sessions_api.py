"""The devices somebody is signed in on, and ending them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts import passwords, sessions, tokens
from accounts.audit import SYSTEM
from accounts.models import AuditEvent, LoginSession, User
from accounts.sessions import InvalidRefreshToken, RefreshInProgress, Tokens
from mymoolah.common.clock import now
from tests.api import Caller, access_token, body_of, calling, errors_of, problem
from tests.conftest import Person, fund

PASSWORD, ANOTHER = "a-good-long-passphrase", "another-good-passphrase"
UNKNOWN = "0b3f3d5e-6c1c-4c0e-9d0e-2f6a1c7b8e90"
ROUTES = [("get", "auth/sessions"), ("delete", "auth/sessions"), ("delete", f"auth/sessions/{UNKNOWN}")]


def signed_in(who: Person, device: str = "phone", *, at: dt.datetime | None = None) -> Tokens:
    return sessions.start_session(user=who.user, device=device, now=at or now(), origin=SYSTEM)


def session_id(given: Tokens) -> str:
    return str(tokens.read_access_token(given.access).session_id)


def refresh(given: Tokens) -> HttpResponse:
    return Caller().post("auth/token/refresh", {"refresh": given.refresh})


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_customers_come_in(clerk: User, method: str, path: str) -> None:
    problem(getattr(Caller(), method)(path), 401, "not_authenticated")
    problem(getattr(Caller(access_token(clerk)), method)(path), 403, "wrong_role")


def test_the_list_shows_every_device_and_which_one_asks(
    thandi: Person, naledi: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    signed_in(naledi)
    old = signed_in(thandi, "tablet", at=now() - dt.timedelta(days=3))
    credentials = {"email": "thandi@example.com", "password": PASSWORD}
    client = Client(REMOTE_ADDR="10.1.2.3", HTTP_USER_AGENT="MyMoolah/3.1 (Android 16)")
    given = body_of(Caller(client=client).post("auth/token", credentials))
    with django_assert_num_queries(1):
        answer = Caller(given["access"]).get("auth/sessions")
    body = body_of(answer)
    assert (body["next"], body["previous"]) == (None, None)
    newest, oldest = body["results"]
    assert (newest["device"], newest["address"], newest["is_current"]) == (
        "MyMoolah/3.1 (Android 16)",
        "10.1.2.3",
        True,
    )
    assert (oldest["device"], oldest["address"], oldest["is_current"]) == ("tablet", None, False)
    assert str(uuid.UUID(oldest["id"])) == str(tokens.refresh_token_session(old.refresh))
    assert oldest.keys() == {"id", "device", "address", "created_at", "last_used_at", "expires_at", "is_current"}
    assert given["refresh"].partition(".")[2] not in answer.content.decode()


def test_using_a_session_is_seen_in_the_list(thandi: Person) -> None:
    given = signed_in(thandi, at=now() - dt.timedelta(days=1))
    [before] = body_of(calling(thandi).get("auth/sessions"))["results"]
    assert refresh(given).status_code == 200
    [after] = body_of(calling(thandi).get("auth/sessions"))["results"]
    assert after["created_at"] == before["created_at"]
    assert after["last_used_at"] > before["last_used_at"]
    assert after["expires_at"] > before["expires_at"]


def test_sessions_that_are_over_are_not_listed(thandi: Person) -> None:
    signed_in(thandi, "expired", at=now() - dt.timedelta(days=31))
    ended = signed_in(thandi, "ended")
    signed_in(thandi, "live")
    calling(thandi).delete(f"auth/sessions/{session_id(ended)}")
    assert [one["device"] for one in body_of(calling(thandi).get("auth/sessions"))["results"]] == ["live"]


def test_the_list_is_paged_both_ways(thandi: Person) -> None:
    moment = now()
    for number in range(5):
        signed_in(thandi, f"device {number}", at=moment - dt.timedelta(hours=number // 2))
    body = body_of(calling(thandi).get("auth/sessions?limit=2"))
    pages = [body]
    while body["next"]:
        body = body_of(calling(thandi).follow(body["next"]))
        pages.append(body)
    seen = [one["id"] for page in pages for one in page["results"]]
    assert [len(page["results"]) for page in pages] == [2, 2, 1]
    assert len(set(seen)) == 5
    back = body_of(calling(thandi).follow(pages[-1]["previous"]))
    assert back["results"] == pages[1]["results"]
    assert "limit" in errors_of(calling(thandi).get("auth/sessions?limit=0"))
    assert "cursor" in errors_of(calling(thandi).get("auth/sessions?cursor=x"))


def test_ending_a_session_ends_its_refresh_token_at_once(thandi: Person) -> None:
    lost, kept = signed_in(thandi), signed_in(thandi)
    for _ in range(2):
        answer = Caller(kept.access).delete(f"auth/sessions/{session_id(lost)}")
        assert (answer.status_code, answer.content) == (204, b"")
    problem(refresh(lost), 401, "refresh_token_invalid")
    assert refresh(kept).status_code == 200
    event = AuditEvent.objects.get(verb="session.ended")
    assert (event.actor_id, event.subject_id) == (thandi.user.id, session_id(lost))


def test_nobody_ends_somebody_elses_session(thandi: Person, naledi: Person) -> None:
    hers = signed_in(thandi)
    for path in (session_id(hers), UNKNOWN):
        problem(calling(naledi).delete(f"auth/sessions/{path}"), 404, "session_not_found")
    problem(calling(naledi).delete("auth/sessions/1"), 404, "not_found")
    assert calling(naledi).delete("auth/sessions").status_code == 204
    assert refresh(hers).status_code == 200


def test_ending_all_others_leaves_the_one_that_asks(thandi: Person, naledi: Person) -> None:
    present, others, strangers = signed_in(thandi), [signed_in(thandi) for _ in range(3)], signed_in(naledi)
    for _ in range(2):
        assert Caller(present.access).delete("auth/sessions").status_code == 204
    for other in others:
        problem(refresh(other), 401, "refresh_token_invalid")
    assert refresh(present).status_code == 200
    assert refresh(strangers).status_code == 200
    event = AuditEvent.objects.get(verb="sessions.ended")
    assert (event.actor_id, event.subject_id, event.facts) == (
        thandi.user.id,
        str(thandi.user.public_id),
        {"count": 3},
    )


def test_two_who_end_a_session_at_once_end_it_once(thandi: Person, race: Callable[..., list[Any]]) -> None:
    given = signed_in(thandi)

    def end() -> None:
        sessions.end_session(
            public_id=uuid.UUID(session_id(given)), user_public_id=thandi.user.public_id, now=now(), origin=SYSTEM
        )

    assert race(8, end) == [None] * 8
    assert AuditEvent.objects.filter(verb="session.ended").count() == 1


def test_of_twenty_refreshes_at_once_one_wins_and_a_later_one_is_theft(
    thandi: Person, race: Callable[..., list[Any]]
) -> None:
    given = signed_in(thandi)
    answers = race(20, lambda: sessions.refresh_session(token=given.refresh, now=now(), origin=SYSTEM))
    assert Counter(type(answer) for answer in answers) == {Tokens: 1, RefreshInProgress: 19}, answers
    with pytest.raises(InvalidRefreshToken):
        sessions.refresh_session(token=given.refresh, now=now() + dt.timedelta(seconds=11), origin=SYSTEM)
    [winner] = [answer for answer in answers if isinstance(answer, Tokens)]
    with pytest.raises(InvalidRefreshToken):
        sessions.refresh_session(token=winner.refresh, now=now(), origin=SYSTEM)
    assert LoginSession.objects.get().revoked_at is not None


def test_no_session_of_the_old_password_outlives_its_change(
    thandi: Person, race: Callable[..., list[Any]], settings: Any
) -> None:
    settings.RATELIMIT_ENABLE = False
    turns = iter([True, *[False] * 11])

    def one() -> object:
        if next(turns):
            passwords.change_password(
                public_id=thandi.user.public_id,
                session_public_id=uuid.uuid4(),
                current_password=PASSWORD,
                new_password=ANOTHER,
                now=now(),
                origin=SYSTEM,
            )
            return None
        return sessions.sign_in(email=thandi.user.email, password=PASSWORD, device="", now=now(), origin=SYSTEM)

    answers = race(12, one)
    assert answers.count(None) == 1, answers
    assert not LoginSession.objects.filter(revoked_at=None).exists()


def test_a_suspended_customer_keeps_no_door_open(ledger: object, thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    given = signed_in(thandi)
    User.objects.filter(pk=thandi.user.pk).update(status=User.Status.SUSPENDED)
    caller = Caller(given.access)
    problem(refresh(given), 401, "refresh_token_invalid")
    credentials = {"email": "thandi@example.com", "password": PASSWORD}
    problem(Caller().post("auth/token", credentials), 401, "invalid_credentials")
    order = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR", "reference": "Lunch"}
    problem(caller.post("transfers", order, Idempotency_Key="k"), 403, "account_suspended")
    change = {"current_password": PASSWORD, "new_password": ANOTHER}
    problem(caller.post("me/password", change), 403, "account_suspended")
    problem(caller.post("me/contacts/verify", {"contact": "email"}), 403, "account_suspended")
    problem(caller.post("me/contacts/confirm", {"contact": "email", "code": "123456"}), 403, "account_suspended")
    problem(caller.patch("me", {"phone": "0821110009"}), 403, "account_suspended")
    assert caller.delete("auth/sessions").status_code == 204  # what makes an account safer goes on
