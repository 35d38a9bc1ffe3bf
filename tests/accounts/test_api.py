"""Who is let in, and one's own profile."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from mymoolah.common.clock import now
from tests.api import Caller, access_token, body_of, calling, errors_of, problem
from tests.conftest import Person, person

ROUTES = [
    ("get", "me"),
    ("patch", "me"),
    ("post", "auth/logout"),
    ("get", "auth/sessions"),
    ("delete", "auth/sessions"),
    ("delete", "auth/sessions/0b3f3d5e-6c1c-4c0e-9d0e-2f6a1c7b8e90"),
    ("post", "me/password"),
    ("post", "me/contacts/verify"),
    ("post", "me/contacts/confirm"),
    ("get", "dashboard"),
    ("get", "wallets"),
    ("get", "wallets/1234567897"),
    ("post", "wallets/1234567897/freeze"),
    ("get", "transactions"),
    ("get", "transactions/1234567897-1"),
    ("post", "transfers"),
    ("post", "transfers/preview"),
    ("get", "transfers/01a20434-31e4-74b6-bcab-61c4eb36dd47"),
]


@pytest.mark.django_db
@pytest.mark.parametrize("email", ['"\u0001"@x.example', '"\u000b\u001c"@x.example', '"a b"@x.example'])
def test_an_address_of_what_cannot_be_seen_is_refused(thandi: Person, email: str) -> None:
    somebody = {"phone": "082 111 0009", "password": "a-good-long-passphrase", "first_name": "L", "last_name": "M"}
    assert "email" in errors_of(Caller().post("auth/register", {"email": email, **somebody}))
    changed = {"email": email, "current_password": "a-good-long-passphrase"}
    assert "email" in errors_of(calling(thandi).patch("me", changed))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("\u3164", "not_a_name"),
        ("Thandi\u2800", "not_a_name"),
        ("...", "not_a_name"),
        ("12", "not_a_name"),
        ("MyMoolah", "reserved"),
        ("my moo-lah", "reserved"),
        ("\uff2d\uff39\uff2d\uff4f\uff4f\uff4c\uff41\uff48 Bank", "reserved"),
    ],
)
def test_a_name_is_one_and_not_the_banks(thandi: Person, name: str, code: str) -> None:
    assert errors_of(calling(thandi).patch("me", {"first_name": name})) == {"first_name": [code]}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Nomvula-Thandi", "O'Brien", "Zoë", "陈", "van der Merwe"])
def test_names_of_all_kinds_are_names(thandi: Person, name: str) -> None:
    User.objects.filter(pk=thandi.user.pk).update(id_verified=False, kyc_tier=0, kyc_status="not_started")
    assert calling(thandi).patch("me", {"first_name": name}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_is_let_in_without_a_token(
    method: str, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        answer = getattr(Caller(), method)(path, **({} if method in {"get", "delete"} else {"body": b"{not json"}))
    problem(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == 'Bearer realm="mymoolah"'


def test_a_token_that_is_no_good_is_named(thandi: Person) -> None:
    answer = Caller("nonsense").get("me")
    problem(answer, 401, "token_invalid")
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]
    expired = access_token(thandi.user, now=now() - dt.timedelta(hours=1))
    problem(Caller(expired).get("me"), 401, "token_expired")


def test_signing_in_again_does_not_ask_for_a_good_token(thandi: Person) -> None:
    answer = Caller("nonsense").post("auth/token", {"email": "thandi@example.com", "password": "wrong"})
    problem(answer, 401, "invalid_credentials")


def test_me_is_one_query_by_key(thandi: Person, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        answer = calling(thandi).get("me")
    body = body_of(answer)
    assert body.pop("created_at").endswith("Z")
    assert body == {
        "id": str(thandi.user.public_id),
        "email": "thandi@example.com",
        "email_verified": True,
        "phone": "+27821110001",
        "phone_verified": True,
        "pending_email": None,
        "pending_phone": None,
        "first_name": "Thandi",
        "last_name": "Mokoena",
        "status": "active",
        "kyc_status": "verified",
        "id_verified": True,
        "kyc_tier": 2,
    }


def test_a_customer_changes_her_names_and_nothing_else(db: None) -> None:
    thandi = person("thandi", tier=0)
    refused = calling(thandi).patch("me", {"first_name": " Thandiwe ", "kyc_tier": 2, "status": "closed"})
    assert errors_of(refused) == {"kyc_tier": ["unknown_field"], "status": ["unknown_field"]}
    answer = calling(thandi).patch("me", {"first_name": " Thandiwe "})
    assert (body_of(answer)["first_name"], body_of(answer)["last_name"]) == ("Thandiwe", "Mokoena")
    assert (body_of(answer)["kyc_tier"], body_of(answer)["status"]) == (0, "active")
    event = AuditEvent.objects.get(verb="user.renamed")
    assert (event.actor_id, event.facts) == (thandi.user.id, {"changed": ["first_name"]})
    assert calling(thandi).patch("me", {"first_name": "Thandiwe"}).status_code == 200
    assert AuditEvent.objects.filter(verb="user.renamed").count() == 1


def test_names_that_a_document_has_verified_stay(thandi: Person) -> None:
    problem(calling(thandi).patch("me", {"first_name": "Nomsa"}), 409, "name_verified")
    assert User.objects.get(pk=thandi.user.pk).first_name == "Thandi"


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, 7, None, ["Thandi"], "Than\ndi", "Than\u202edi"])
def test_a_name_that_is_none_is_refused(thandi: Person, name: Any) -> None:
    assert "first_name" in errors_of(calling(thandi).patch("me", {"first_name": name}))
    assert User.objects.get(pk=thandi.user.pk).first_name == "Thandi"
