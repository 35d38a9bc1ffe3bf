"""E-mail addresses are ASCII in small letters, whoever writes them: no two of them look the same."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError
from django_pgviews.models import ViewSyncer

from accounts.models import User, plain_email
from tests.conftest import Ledger, Person, Sql, refused

CHECK_VIOLATION = "23514"
LOOKS_LIKE_ANOTHER = [
    "th\u0430ndi@example.com",
    "\u212aate@example.com",
    "thandi@b\u00fccher.example",
    "\uff54@example.com",
]


@pytest.mark.sql
@pytest.mark.parametrize(
    "email", [*LOOKS_LIKE_ANOTHER, "Thandi@example.com", "thandi@Example.com", "a b@x.example", "", "a\n"]
)
def test_the_database_refuses_what_nobody_should_have_written(thandi: Person, email: str) -> None:
    with pytest.raises(IntegrityError, match="users_email_is_small_ascii"):
        User.objects.filter(pk=thandi.user.pk).update(email=email)


@pytest.mark.parametrize(
    "email", ["o'neil+bank@xn--bcher-kva.example", "a_b-c.d{e}~|`^?=/*&%$#!@example.com", '"@"@x.example']
)
def test_the_database_takes_every_plain_address(thandi: Person, email: str) -> None:
    User.objects.filter(pk=thandi.user.pk).update(email=email)
    assert plain_email(email) == email


@pytest.mark.parametrize("email", LOOKS_LIKE_ANOTHER)
def test_letters_are_not_made_plain_for_anybody(email: str) -> None:
    with pytest.raises(ValidationError, match="plain letters"):
        plain_email(email)


def test_a_superusers_address_is_written_small(db: None) -> None:
    root = User.objects.create_superuser("Root@Example.com", "x", first_name="R", last_name="Root")
    assert root.email == "root@example.com"


def test_older_addresses_are_written_small(
    ledger: Ledger, thandi: Person, sipho: Person, owner_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as back_then:
        # Views are made as this release has them, of columns that are not there yet.
        back_then.setattr(ViewSyncer, "run", lambda *_, **__: None)
        go_back_and_forth(thandi, sipho, owner_sql)
    call_command("migrate", verbosity=0)
    thandi.user.refresh_from_db()
    assert thandi.user.email == "thandi@example.com"
    ((is_valid,),) = owner_sql("SELECT convalidated FROM pg_constraint WHERE conname = 'users_email_is_small_ascii'")
    assert is_valid


def go_back_and_forth(thandi: Person, sipho: Person, owner_sql: Sql) -> None:
    call_command("migrate", "accounts", "0007_index_the_kyc_desk", verbosity=0)
    owner_sql("UPDATE users SET email = 'Thandi@Example.com' WHERE id = %s", thandi.user.pk)
    call_command("migrate", "accounts", "0008_keep_emails_small_ascii", verbosity=0)
    with refused(CHECK_VIOLATION):
        owner_sql("UPDATE users SET email = 'Sipho@Example.com' WHERE id = %s", sipho.user.pk)
