"""Signing in to the back-office: one gate before every page, sessions that end, and what a colleague does about his telephone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import second_factor, services
from accounts.audit import SYSTEM, Origin
from accounts.models import AuditEvent, RecoveryCode, SecondFactor, User
from accounts.staff_session import CONFIRMED_AT, FACTOR, SEEN_AT, SIGNED_IN_AT, Factor
from mymoolah.common.clock import now
from reporting.roles import ROLES
from tests.accounts.test_second_factor import KEY, code_at
from tests.back_office.house import PASSWORD, colleague, emergency, signed_in
from tests.conftest import Person
from tests.test_matrix import NAMED, ROUTES

pytestmark = pytest.mark.django_db

CODE, ENROL = "/admin/second-factor/code", "/admin/second-factor/enrol"
OWN, COLLEAGUES = "/admin/second-factor/", "/admin/second-factor/colleagues"
OPEN = {"/admin/login/", "/admin/logout/"}


def enrolled(user: User) -> list[str]:
    """With a telephone, and the recovery codes that this gave."""
    codes = second_factor.enrol(
        user_id=user.pk, key=KEY, code=code_at(now()), is_replacement=False, now=now(), origin=SYSTEM
    )
    user.refresh_from_db(fields=["session_epoch"])  # to sign in as who he is now
    return codes


def password_given(user: User, *, wanted: str = "/admin/") -> tuple[Client, Any]:
    client = Client()
    return client, client.post(f"/admin/login/?next={wanted}", {"username": user.email, "password": PASSWORD})


def set_back(client: Client, name: str, *, minutes: float) -> None:
    """As if something of this session had been longer ago."""
    session = client.session
    session[name] -= minutes * 60
    session.save()


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def closed_pages(client: Client, only: str) -> list[str]:
    """Which addresses open although they should lead to the one that is `only` open."""
    wrong = []
    for route in ROUTES:
        address = re.sub(r"\{(\w+)\}", lambda name: NAMED.get(name[1], "1"), route)
        if address in {*OPEN, only} or address.startswith(("/api/", "/healthz", "/readyz", "/metrics")):
            continue
        for method in ("GET", "POST", "PUT", "DELETE"):
            answer = client.generic(method, address, "", content_type="application/x-www-form-urlencoded")
            if answer.status_code != 302 or not answer["Location"].startswith(f"{only}?next="):
                wrong.append(f"{method} {address}: {answer.status_code}")
    return wrong


# The gate -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["administrator", "superuser"])
def test_without_a_second_factor_every_page_leads_to_where_one_is_set_up(settings: Any, who: str) -> None:
    settings.STAFF_SECOND_FACTOR = True
    client = signed_in(emergency() if who == "superuser" else colleague(who))
    assert closed_pages(client, ENROL) == []
    assert client.get(ENROL).status_code == 200


@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize("who", ["finance", "superuser"])
def test_with_the_password_alone_every_page_leads_to_the_code(settings: Any, who: str, is_required: bool) -> None:
    settings.STAFF_SECOND_FACTOR = is_required
    user = emergency() if who == "superuser" else colleague(who)
    enrolled(user)
    client = signed_in(user)
    assert closed_pages(client, CODE) == []
    assert client.get(CODE).status_code == 200
    assert client.get("/healthz").status_code == 200


def test_the_walk_finds_an_open_page(settings: Any) -> None:
    client = signed_in(colleague("finance"))
    assert "GET /admin/: 200" in closed_pages(client, ENROL)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_where_none_is_required_nobody_without_one_is_asked(role: str) -> None:
    assert is_in(signed_in(colleague(role)))


def test_a_session_that_began_before_it_was_required_sets_one_up(settings: Any) -> None:
    client = signed_in(colleague("support"))
    assert is_in(client)
    settings.STAFF_SECOND_FACTOR = True
    assert client.get("/admin/")["Location"].startswith(ENROL)


def test_a_session_that_says_nothing_is_over() -> None:
    client = signed_in(colleague("support"))
    for name in (SEEN_AT, SIGNED_IN_AT):
        session = client.session
        del session[name]
        session.save()
        assert client.get("/admin/")["Location"] == "/admin/login/?next=%2Fadmin%2F"
        client = signed_in(User.objects.get(email="support@example.com"))
    session = client.session
    del session[FACTOR]
    session.save()
    assert client.get("/admin/")["Location"].startswith(CODE)


def test_the_gate_costs_no_query() -> None:
    client = signed_in(colleague("operator"))
    with CaptureQueriesContext(connection) as queries:
        client.get("/admin/second-factor/code")  # leads on at once
    assert len(queries) == 2, [query["sql"] for query in queries]  # the session and its user


# Signing in -----------------------------------------------------------------------------------------------------------
def test_a_code_completes_the_sign_in_and_leads_to_the_page_that_was_wanted() -> None:
    user = colleague("support")
    codes = enrolled(user)
    client, answer = password_given(user, wanted="/admin/accounts/user/")
    answer = client.get(answer["Location"])
    assert answer["Location"] == f"{CODE}?next=%2Fadmin%2Faccounts%2Fuser%2F"
    key = client.session.session_key
    answer = client.post(answer["Location"], {"code": codes[0], "next": "/admin/accounts/user/"})
    assert answer["Location"] == "/admin/accounts/user/"
    assert client.get(answer["Location"]).status_code == 200
    assert client.session.session_key != key
    assert client.get(CODE)["Location"] == "/admin/"


def test_a_session_that_was_there_before_the_password_gets_another_key() -> None:
    user, client = colleague("support"), Client()
    session = client.session
    session["planted"] = "by a stranger"
    session.save()
    client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    assert is_in(client)
    assert client.session.session_key != session.session_key


@pytest.mark.parametrize("elsewhere", ["https://evil.example/admin/", "//evil.example/admin/", "/api/docs", "\\evil"])
def test_nobody_is_led_elsewhere(elsewhere: str) -> None:
    user = colleague("support")
    codes = enrolled(user)
    client, _ = password_given(user)
    assert client.post(CODE, {"code": codes[0], "next": elsewhere})["Location"] == "/admin/"


def test_a_wrong_code_is_told_counted_and_written_down_and_five_lock() -> None:
    user = colleague("support")
    codes = enrolled(user)
    client, _ = password_given(user)
    for _ in range(5):
        assert "This code is not good" in client.post(CODE, {"code": "000000"}).content.decode()
    client, _ = password_given(user)
    html = client.post(CODE, {"code": codes[0]}).content.decode()
    assert "Too many wrong codes. Please wait 15 minutes." in html
    assert codes[0] not in html.replace(f'value="{codes[0]}"', "")
    assert not is_in(client)
    assert AuditEvent.objects.filter(verb="second_factor.failed", actor=user).count() == 5


def test_whoever_is_suspended_before_the_code_comes_nowhere() -> None:
    user = colleague("support")
    codes = enrolled(user)
    client, _ = password_given(user)
    User.objects.filter(pk=user.pk).update(status="suspended")
    assert client.post(CODE, {"code": codes[0]})["Location"].startswith("/admin/login/")
    assert RecoveryCode.objects.filter(used_at=None).count() == 10


# Setting up -----------------------------------------------------------------------------------------------------------
def key_on(answer: Any) -> str:
    found = re.search(r'id="key">([A-Z2-7 ]+)<', answer.content.decode())
    assert found
    return found[1].replace(" ", "")


def codes_on(answer: Any) -> list[str]:
    return re.findall(r"<li>(\w{4}-\w{4}-\w{4})</li>", answer.content.decode())


def test_a_telephone_is_set_up_and_the_codes_are_shown_once(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True
    user = colleague("kyc")
    client, _ = password_given(user)
    elsewhere, _ = password_given(user)
    page = client.get(ENROL)
    key = key_on(page)
    assert "<svg" in page.content.decode()
    assert key_on(client.get(ENROL)) == key
    assert key not in str(dict(client.session))
    assert "This code is not good" in client.post(ENROL, {"code": "000000"}).content.decode()

    before = client.session.session_key
    answer = client.post(ENROL, {"code": code_at(now(), key=key)})
    codes = codes_on(answer)
    assert len(codes) == 10
    assert "no-store" in answer["Cache-Control"]
    assert client.session.session_key != before
    assert is_in(client)
    assert not is_in(elsewhere)
    for again in (client.get(OWN), client.get(ENROL), client.post(ENROL, {"code": code_at(now(), key=key)})):
        assert codes_on(again) == []
        assert key not in again.content.decode()
    assert AuditEvent.objects.get(verb="second_factor.enrolled").actor_id == user.pk


def test_another_telephone_takes_the_place_of_the_first_and_only_then() -> None:
    user = colleague("kyc")
    codes = enrolled(user)
    client, _ = password_given(user)
    client.post(CODE, {"code": codes[0]})
    key = key_on(client.get(ENROL))
    assert SecondFactor.objects.get().user == user
    assert len(codes_on(client.post(ENROL, {"code": code_at(now(), key=key)}))) == 10
    other, _ = password_given(user)
    assert "not good" in other.post(CODE, {"code": codes[1]}).content.decode()


def test_what_changes_a_second_factor_asks_for_the_password() -> None:
    user = colleague("kyc")
    codes = enrolled(user)
    client, _ = password_given(user)
    client.post(CODE, {"code": codes[0]})
    key = key_on(client.get(ENROL))
    set_back(client, CONFIRMED_AT, minutes=11)
    for address in (f"{OWN}recovery-codes", ENROL):
        answer = client.post(address, {"code": code_at(now(), key=key)})
        assert "Is it still you?" in answer.content.decode()
    assert RecoveryCode.objects.count() == second_factor.RECOVERY_CODES
    answer = client.post(f"{OWN}recovery-codes", {"confirmed_by_password": PASSWORD})
    assert len(codes_on(answer)) == 10


def test_the_password_is_asked_for_before_the_key_is_shown() -> None:
    user = colleague("kyc")
    client, _ = password_given(user)
    set_back(client, CONFIRMED_AT, minutes=11)
    address = f"{ENROL}?next=/admin/kyc/"
    question = client.get(address).content.decode()
    assert "Is it still you?" in question
    assert 'id="key"' not in question
    assert "Is it still you?" in client.post(address, {"confirmed_by_password": "wrong"}).content.decode()
    answer = client.post(address, {"confirmed_by_password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, address)
    key = key_on(client.get(address))
    assert len(codes_on(client.post(address, {"code": code_at(now(), key=key)}))) == 10


# Sessions end ---------------------------------------------------------------------------------------------------------
def test_half_an_hour_of_nothing_ends_a_session_and_the_way_back_is_kept() -> None:
    user = colleague("support")
    client = signed_in(user)
    set_back(client, SEEN_AT, minutes=29)
    assert is_in(client)
    set_back(client, SEEN_AT, minutes=30)
    answer = client.get("/admin/accounts/user/?role=support")
    assert answer["Location"] == "/admin/login/?next=%2Fadmin%2Faccounts%2Fuser%2F%3Frole%3Dsupport"
    assert "nothing happened for 30 minutes" in client.get(answer["Location"]).content.decode()
    assert not is_in(client)
    answer = client.post(answer["Location"], {"username": user.email, "password": PASSWORD})
    assert answer["Location"] == "/admin/accounts/user/?role=support"


def test_somebody_who_works_on_stays_and_is_written_down_once_a_minute() -> None:
    client = signed_in(colleague("support"))
    seen = client.session[SEEN_AT]
    assert is_in(client)
    assert client.session[SEEN_AT] == seen
    set_back(client, SEEN_AT, minutes=2)
    assert is_in(client)
    assert client.session[SEEN_AT] >= seen


def test_after_twelve_hours_everybody_signs_in_again() -> None:
    client = signed_in(colleague("support"))
    set_back(client, SIGNED_IN_AT, minutes=12 * 60 - 1)
    assert is_in(client)
    set_back(client, SIGNED_IN_AT, minutes=1)
    answer = client.get("/admin/", follow=True)
    assert "nobody stays signed in for more than 12 hours" in answer.content.decode()


@pytest.mark.parametrize("is_over", [True, False])
def test_a_form_sent_too_late_leads_back_to_its_page_and_does_nothing(is_over: bool) -> None:
    user = colleague("support")
    client = Client(enforce_csrf_checks=True)
    if is_over:
        client.force_login(user)
        set_back(client, SEEN_AT, minutes=31)
    came_from = "http://testserver/admin/kyc/?tier=2"
    answer = client.post("/admin/kyc/cases/x", {}, headers={"Referer": came_from})
    assert answer["Location"] == "/admin/login/?next=%2Fadmin%2Fkyc%2F%3Ftier%3D2"
    answer = client.post("/admin/kyc/cases/x", {}, headers={"Referer": "http://evil.example/admin/kyc/"})
    assert answer["Location"] == "/admin/login/?next=%2Fadmin%2F"


def test_a_late_sign_out_and_a_late_sign_in_are_no_failures() -> None:
    user = colleague("support")
    client = signed_in(user)
    set_back(client, SEEN_AT, minutes=31)
    assert client.post("/admin/logout/").status_code == 302
    client = signed_in(user)
    set_back(client, SEEN_AT, minutes=31)
    assert client.post("/admin/login/", {"username": user.email, "password": PASSWORD}).status_code == 302
    assert is_in(client)


@pytest.mark.parametrize("change", ["suspended", "roles", "password", "reset", "elsewhere"])
def test_what_changes_about_a_colleague_ends_his_sessions(change: str) -> None:
    user, root = colleague("support"), emergency()
    codes = enrolled(user)
    client, _ = password_given(user)
    client.post(CODE, {"code": codes[0]})
    other, _ = password_given(user)
    other.post(CODE, {"code": codes[1]})
    assert is_in(client)
    by_root = Origin(actor_id=root.pk)
    if change == "suspended":
        User.objects.filter(pk=user.pk).update(status="suspended")
        User.objects.filter(pk=user.pk).update(status="active")
    elif change == "roles":
        services.set_roles(user_id=user.pk, roles=["finance"], origin=by_root)
    elif change == "password":
        fresh = User.objects.get(pk=user.pk)
        fresh.set_password("another-good-passphrase")
        fresh.save()
    elif change == "reset":
        second_factor.reset(user=user, reason="Lost", origin=by_root)
    else:
        assert other.post(f"{OWN}sign-out-elsewhere").status_code == 302
        assert is_in(other)
    assert not is_in(client)
    if change != "elsewhere":
        assert not is_in(other)


def test_the_cookie_is_ours_alone() -> None:
    user = colleague("support")
    client, answer = password_given(user)
    cookie = answer.cookies["staff"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert not cookie["max-age"]  # the browser forgets it when it is closed
    assert PASSWORD not in str(dict(client.session))


# Colleagues -----------------------------------------------------------------------------------------------------------
def reset_page(user: User) -> str:
    return reverse("second_factor_reset", args=[user.public_id])


def test_an_administrator_resets_a_colleagues_telephone_which_is_written_down() -> None:
    ada, sam = colleague("administrator"), colleague("support")
    enrolled(sam)
    client = signed_in(ada)
    assert reset_page(sam) in client.get(COLLEAGUES).content.decode()
    assert "Be sure who asks" in client.get(reset_page(sam)).content.decode()
    assert "This field is required" in client.post(reset_page(sam), {"reason": " "}).content.decode()
    set_back(client, CONFIRMED_AT, minutes=11)
    why = {"reason": "Lost on the train; seen in person"}
    assert "Is it still you?" in client.post(reset_page(sam), why).content.decode()
    assert SecondFactor.objects.exists()
    answer = client.post(reset_page(sam), {**why, "confirmed_by_password": PASSWORD}, follow=True)
    assert "signs in with the password alone" in answer.content.decode()
    assert not SecondFactor.objects.exists()
    event = AuditEvent.objects.get(verb="second_factor.reset")
    assert (event.actor_id, event.subject_id) == (ada.pk, str(sam.public_id))
    assert event.facts == why
    assert "There is no second factor." in client.post(reset_page(sam), why, follow=True).content.decode()


@pytest.mark.parametrize(
    ("is_required", "then"),
    [(True, "sets another telephone up at the next sign-in"), (False, "signs in with the password alone")],
)
def test_a_reset_says_what_becomes_of_the_colleague_here(settings: Any, is_required: bool, then: str) -> None:
    ada, sam = colleague("administrator"), colleague("support")
    codes = enrolled(ada)
    enrolled(sam)
    client, _ = password_given(ada)
    client.post(CODE, {"code": codes[0]})
    settings.STAFF_SECOND_FACTOR = is_required
    assert then in client.get(reset_page(sam)).content.decode()
    assert then in client.post(reset_page(sam), {"reason": "Lost"}, follow=True).content.decode()
    client, _ = password_given(sam)
    assert is_in(client) != is_required


def test_nobody_resets_his_own_nor_an_administrator_that_of_a_superuser(thandi: Person) -> None:
    ada, root = colleague("administrator"), emergency()
    enrolled(root)
    client = signed_in(ada)
    for user in (ada, root, thandi.user):
        assert client.post(reset_page(user)).status_code == 403
    assert SecondFactor.objects.get().user == root
    another = User.objects.create_superuser("other@example.com", PASSWORD, first_name="Other", last_name="Root")
    assert signed_in(another).post(reset_page(root), {"reason": "Lost"}).status_code == 302
    assert not SecondFactor.objects.exists()


@pytest.mark.parametrize("role", sorted(ROLES.keys() - {"administrator"}))
def test_other_roles_reset_nothing(role: str) -> None:
    ada = colleague("administrator")
    enrolled(ada)
    client = signed_in(colleague(role))
    assert client.post(reset_page(ada)).status_code == 403
    looks = client.get(COLLEAGUES)
    assert looks.status_code == (200 if role == "auditor" else 403)
    assert reset_page(ada) not in looks.content.decode()


def test_the_page_of_colleagues_costs_the_same_however_many_there_are(thandi: Person) -> None:
    client, counts, html = signed_in(colleague("auditor")), [], ""
    for role in ("support", "kyc", "finance"):
        enrolled(colleague(role))
        with CaptureQueriesContext(connection) as queries:
            html = client.get(COLLEAGUES).content.decode()
        counts.append(len(queries))
    assert len(set(counts)) == 1, counts
    assert "support@example.com" in html
    assert "10 recovery codes left" in html
    assert thandi.user.email not in html


def test_a_session_knows_how_it_stands() -> None:
    user = colleague("support")
    assert signed_in(user).session[FACTOR] == Factor.ABSENT
    enrolled(user)
    assert signed_in(user).session[FACTOR] == Factor.ASKED
