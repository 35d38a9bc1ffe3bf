"""A colleague chooses another password: wrong guesses are counted, it is written down, and other sessions end."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts import lockout
from accounts.models import AuditEvent, User
from tests.back_office.house import PASSWORD, colleague, signed_in

pytestmark = pytest.mark.usefixtures("ledger", "worker_at_hand")

PAGE = "/admin/password_change/"
NEW = "another-long-passphrase"


def changed(client: Client, *, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new if again is None else again}
    return client.post(PAGE, form, REMOTE_ADDR="10.1.2.3")


def text(answer: Any) -> str:
    return unescape(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode()))


def has_password(user: User, password: str) -> bool:
    return User.objects.get(pk=user.pk).check_password(password)


def test_another_password_is_written_down_and_every_other_session_ends() -> None:
    clerk = colleague("support")
    here, elsewhere = signed_in(clerk), signed_in(clerk)
    key = here.session.session_key
    answer = changed(here)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert has_password(clerk, NEW)
    event = AuditEvent.objects.get(verb="password.changed")
    assert (event.actor_id, event.subject_id, event.address) == (clerk.pk, str(clerk.public_id), "10.1.2.3")
    assert "Every other session of yours has ended" in here.get("/admin/").content.decode()
    assert here.session.session_key != key
    assert elsewhere.get("/admin/").status_code == 302


def test_wrong_guesses_of_the_old_one_are_counted_and_lock_the_right_one_out() -> None:
    clerk = colleague("support")
    client = signed_in(clerk)
    for number in range(lockout.MOST_FAILURES["account"]):
        assert "This is not your current password." in text(changed(client, old=f"guess-{number}"))
    assert "Too many wrong passwords" in text(changed(client))
    assert has_password(clerk, PASSWORD)
    assert AuditEvent.objects.filter(verb="password.refused", actor=clerk).count() == lockout.MOST_FAILURES["account"]
    assert AuditEvent.objects.get(verb="confirmation.locked").subject_id == str(clerk.public_id)


def test_nothing_tells_a_right_old_one_from_a_wrong_one_without_counting_it() -> None:
    """What is wrong with the new one may be told first, but then alike."""
    client = signed_in(colleague("support"))
    for faults in ({"again": "something-else"}, {"new": ""}, {"again": ""}):
        right, wrong = changed(client, **faults), changed(client, old="a-wrong-guess", **faults)
        assert text(right) == text(wrong)
    weak = text(changed(client, old="a-wrong-guess", new="short"))
    assert "This is not your current password." in weak
    assert "This password is too short." not in weak
    assert AuditEvent.objects.filter(verb="password.refused").count() == 1


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("short", "This password is too short."),
        ("support@example.com", "too similar to the email"),
        (PASSWORD, "This is the password that you have"),
    ],
)
def test_a_weak_one_and_the_old_one_again_are_refused(new: str, said: str) -> None:
    clerk = colleague("support")
    client = signed_in(clerk)
    assert said in text(changed(client, new=new))
    assert has_password(clerk, PASSWORD)
    assert not AuditEvent.objects.filter(verb="password.changed").exists()
    assert client.get("/admin/").status_code == 200


def test_without_redis_nothing_changes(settings: Any) -> None:
    clerk = colleague("support")
    client = signed_in(clerk)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    assert changed(client).status_code == 200
    assert has_password(clerk, PASSWORD)


def test_what_was_typed_is_not_shown_again() -> None:
    client = signed_in(colleague("support"))
    page = changed(client, old="a-wrong-guess")
    assert "a-wrong-guess" not in text(page)
    assert NEW not in text(page)
    assert "no-store" in page["Cache-Control"]
