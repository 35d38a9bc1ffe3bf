"""What little staff may change: names, contacts and roles; by whom, and what is written about it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client

from accounts.admin import PROFILE
from accounts.models import AuditEvent, User
from reporting.roles import ROLES
from tests.back_office.house import PASSWORD, colleague, emergency, page_of, signed_in
from tests.conftest import Person

pytestmark = pytest.mark.django_db


def opened(client: Client, user: User) -> dict[str, Any]:
    """What the form of this person's page would send if nothing were typed; nothing that it does not show."""
    answer = client.get(page_of(user))
    if answer.status_code != 200 or not (found := re.search(r'name="seen" value="(\w+)"', answer.content.decode())):
        return {}
    fields = answer.context["adminform"].form.initial
    roles = [group.pk for group in fields.get("groups", ())]
    return {**{name: fields[name] or "" for name in PROFILE}, "groups": roles, "seen": found[1]}


def post(client: Client, user: User, **changes: Any) -> Any:
    return client.post(page_of(user), {**opened(client, user), **changes})


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def test_an_administrator_corrects_a_name_and_the_trail_tells_which_not_what(thandi: Person) -> None:
    ada = colleague("administrator")
    assert post(signed_in(ada), thandi.user, last_name="Mokoena-Dlamini").status_code == 302
    thandi.user.refresh_from_db()
    assert thandi.user.last_name == "Mokoena-Dlamini"
    assert thandi.user.email_verified_at is not None
    event = AuditEvent.objects.get(verb="user.corrected")
    assert (event.actor_id, event.subject_id, event.facts) == (
        ada.pk,
        str(thandi.user.public_id),
        {"changed": ["last_name"]},
    )
    assert event.address == "127.0.0.1"
    assert len(event.request_id) == 32
    assert LogEntry.objects.count() == 1


def test_a_contact_that_changed_is_no_longer_verified(thandi: Person) -> None:
    post(signed_in(colleague("administrator")), thandi.user, email="Thandi.New@example.com", phone="")
    thandi.user.refresh_from_db()
    assert (thandi.user.email, thandi.user.phone) == ("thandi.new@example.com", None)
    assert thandi.user.email_verified_at is None
    assert thandi.user.phone_verified_at is None


@pytest.mark.parametrize("email", ["thandi@b\u00fccher.example", "than\u0501i@example.com", "\u212ahaya@example.com"])
def test_an_email_that_looks_like_another_is_refused(thandi: Person, email: str) -> None:
    assert set(errors(post(signed_in(colleague("administrator")), thandi.user, email=email))) == {"email"}
    thandi.user.refresh_from_db()
    assert thandi.user.email == "thandi@example.com"


def test_a_contact_of_somebody_else_is_refused(thandi: Person, sipho: Person) -> None:
    answer = post(signed_in(colleague("administrator")), thandi.user, email="SIPHO@example.com", phone=sipho.user.phone)
    assert set(errors(answer)) == {"email", "phone"}
    answer = post(signed_in(User.objects.get(email="administrator@example.com")), thandi.user, phone="12")
    assert errors(answer)
    thandi.user.refresh_from_db()
    assert thandi.user.email == "thandi@example.com"


def test_nothing_else_about_a_person_is_heard(thandi: Person) -> None:
    before = User.objects.filter(pk=thandi.user.pk).values().get()
    kyc = Group.objects.get(name="kyc")
    post(
        signed_in(emergency()),
        thandi.user,
        status="closed",
        kyc_tier="0",
        kyc_status="rejected",
        id_verified="",
        is_staff="on",
        is_superuser="on",
        password="!",
        groups=[kyc.pk],
    )
    assert User.objects.filter(pk=thandi.user.pk).values().get() == before
    assert not thandi.user.groups.exists()


@pytest.mark.parametrize("role", sorted(ROLES.keys() - {"administrator"}))
def test_other_roles_change_nobody(thandi: Person, role: str) -> None:
    assert post(signed_in(colleague(role)), thandi.user, last_name="Other").status_code == 403
    thandi.user.refresh_from_db()
    assert thandi.user.last_name == "Mokoena"


def test_an_administrator_gives_a_colleague_another_role(thandi: Person) -> None:
    ada, sam = colleague("administrator"), colleague("support")
    finance = Group.objects.get(name="finance")
    assert post(signed_in(ada), sam, groups=[finance.pk]).status_code == 302
    assert [group.name for group in sam.groups.all()] == ["finance"]
    event = AuditEvent.objects.get(verb="staff.roles_set")
    assert event.facts == {"before": ["support"], "after": ["finance"]}


def test_nobody_gives_himself_a_role(thandi: Person) -> None:
    ada = colleague("administrator")
    post(signed_in(ada), ada, groups=[Group.objects.get(name="finance").pk])
    assert [group.name for group in ada.groups.all()] == ["administrator"]


def test_an_administrator_does_not_touch_a_superuser() -> None:
    root = emergency()
    assert post(signed_in(colleague("administrator")), root, email="mine@example.com").status_code == 403
    root.refresh_from_db()
    assert root.email == "root@example.com"


def test_a_password_is_not_changed_on_somebodys_page(thandi: Person) -> None:
    client = signed_in(emergency())
    assert client.get(page_of(thandi.user).replace("/change/", "/password/")).status_code in {302, 404}
    html = client.get(page_of(thandi.user)).content.decode()
    assert "argon2" not in html
    assert 'name="password' not in html


def test_a_suspended_colleague_cannot_sign_in(client: Client) -> None:
    sam = colleague("support")
    credentials = {"username": "SUPPORT@example.com", "password": PASSWORD}
    assert client.post("/admin/login/", credentials).status_code == 302
    User.objects.filter(pk=sam.pk).update(status="suspended")
    assert client.get("/admin/").status_code == 302
    assert client.post("/admin/login/", credentials).status_code == 200


def test_colleagues_are_found_by_role(thandi: Person) -> None:
    colleague("support")
    sam = User.objects.get(email="support@example.com")
    answer = signed_in(emergency()).get("/admin/accounts/user/?role=support")
    assert list(answer.context["cl"].result_list) == [sam]


# Two tabs -------------------------------------------------------------------------------------------------------------
def test_a_page_opened_before_a_colleague_saved_takes_no_role_away() -> None:
    ada, root, sam = colleague("administrator"), emergency(), colleague("support")
    finance, support = Group.objects.get(name="finance"), Group.objects.get(name="support")
    stale = opened(signed_in(ada), sam)
    assert post(signed_in(root), sam, groups=[finance.pk, support.pk]).status_code == 302
    client = signed_in(ada)
    answer = client.post(page_of(sam), {**stale, "first_name": "Samuel"})
    assert "This changed since you opened it" in errors(answer)["__all__"][0]
    assert errors(answer)["groups"] == ["Now it is “finance, support”."]
    assert errors(answer)["first_name"] == ["Now it is “Support”."]
    sam.refresh_from_db()
    assert sam.first_name == "Support"
    assert {group.name for group in sam.groups.all()} == {"finance", "support"}
    assert AuditEvent.objects.filter(verb="staff.roles_set").count() == 1
    assert not AuditEvent.objects.filter(verb="user.corrected").exists()

    html = answer.content.decode()
    assert 'value="Samuel"' in html
    renewed = re.findall(r'name="seen" value="(\w+)"', html)
    again = {**stale, "first_name": "Samuel", "groups": [finance.pk, support.pk], "seen": renewed[0]}
    assert client.post(page_of(sam), again).status_code == 302
    sam.refresh_from_db()
    assert sam.first_name == "Samuel"


def test_a_page_opened_before_a_name_was_corrected_does_not_put_the_old_one_back(thandi: Person) -> None:
    client = signed_in(colleague("administrator"))
    stale = opened(client, thandi.user)
    assert post(client, thandi.user, last_name="Mokoena-Dlamini").status_code == 302
    answer = client.post(page_of(thandi.user), {**stale, "first_name": "Thandeka"})
    assert errors(answer)["last_name"] == ["Now it is “Mokoena-Dlamini”."]
    assert client.post(page_of(thandi.user), {**stale, "seen": ""}).status_code == 200  # it is no page of ours
    thandi.user.refresh_from_db()
    assert (thandi.user.first_name, thandi.user.last_name) == ("Thandi", "Mokoena-Dlamini")


# The list -------------------------------------------------------------------------------------------------------------
def test_the_list_marks_colleagues_alone_and_says_kyc_in_words(thandi: Person) -> None:
    ada = colleague("administrator")
    User.objects.filter(pk=thandi.user.pk).update(kyc_tier=0, id_verified=False, kyc_status="not_started")
    html = signed_in(ada).get("/admin/accounts/user/").content.decode()
    table = html[html.index('id="result_list"') :].partition("</table>")[0]
    assert "not_started" not in table.lower()
    assert "not started" in table.lower()
    cells = re.findall(r'data-label="Colleague">(.*?)</td>', table, re.DOTALL)
    assert ["colleague" in cell for cell in cells] == [True, False]
    assert "close" not in "".join(cells)


def test_a_colleagues_page_tells_what_happened_in_words() -> None:
    ada, sam = colleague("administrator"), colleague("support")
    client = signed_in(ada)
    post(client, sam, groups=[Group.objects.get(name="finance").pk])
    html = client.get(page_of(sam)).content.decode()
    assert "Roles given to a colleague" in html
    assert "staff.roles_set" not in html
