from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent, LoginSession, User
from accounts.tokens import read_access_token
from tests.api import Caller
from tests.conftest import Person


def issue(*arguments: str) -> str:
    output = StringIO()
    call_command("issue_token", *arguments, stdout=output)
    return output.getvalue()


def test_a_token_stands_alone_and_opens_the_api(thandi: Person) -> None:
    token = issue("Thandi@Example.com")
    assert token == token.strip() + "\n"
    answer = Caller(token.strip()).get("me")
    assert answer.status_code == 200
    assert json.loads(answer.content)["email"] == "thandi@example.com"


def test_a_token_of_staff_opens_no_door_of_customers(clerk: User) -> None:
    token = issue(clerk.email).strip()
    assert read_access_token(token).is_staff
    assert Caller(token).get("dashboard").status_code == 403


def test_a_token_leaves_a_session_and_a_trace(thandi: Person) -> None:
    principal = read_access_token(issue(thandi.user.email).strip())
    session = LoginSession.objects.get(public_id=principal.session_id, user=thandi.user)
    assert session.device == "manage.py issue_token"
    assert AuditEvent.objects.filter(verb="session.started", subject_id=str(session.public_id)).exists()


def test_json_brings_the_refresh_token_too(thandi: Person) -> None:
    body = json.loads(issue(thandi.user.email, "--json"))
    assert body.keys() == {"access", "refresh", "token_type", "expires_in_seconds"}
    refreshed = Caller().post("auth/token/refresh", {"refresh": body["refresh"]})
    assert refreshed.status_code == 200


def test_an_unknown_address_is_named(db: None) -> None:
    with pytest.raises(CommandError, match=r"no account with the e-mail address nobody@example\.com"):
        issue("nobody@example.com")


def test_a_suspended_account_gets_none(thandi: Person) -> None:
    User.objects.filter(pk=thandi.user.pk).update(status=User.Status.SUSPENDED)
    with pytest.raises(CommandError, match="is suspended; it may not sign in"):
        issue(thandi.user.email)
    assert not LoginSession.objects.exists()
