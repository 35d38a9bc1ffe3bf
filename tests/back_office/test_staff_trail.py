"""What the trail says of staff at the door, of refusals, and of emergency power; and what a refused colleague reads."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.exceptions import BadRequest
from django.test import Client, RequestFactory
from django.urls import resolve, reverse

from accounts import refusal_pages, staff_trail
from accounts.models import AuditEvent, User
from accounts.tasks import clear_sessions
from mymoolah.celery import app
from mymoolah.common.clock import now
from tests.back_office.house import PASSWORD, Furnished, colleague, emergency, list_page, page_of, signed_in
from tests.conftest import Ledger, Person
from vouchers.models import SuspenseItem, Voucher
from wallets.models import Wallet

SUSPENSE = "vouchers.view_suspenseitem"


def told(verb: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(verb=verb).order_by("pk"))


# The door -------------------------------------------------------------------------------------------------------------
def test_a_colleague_who_comes_and_goes_is_written_down_with_address_and_request(ledger: Ledger) -> None:
    clerk, client = colleague("support"), Client(REMOTE_ADDR="10.1.2.3", headers={"X-Request-ID": "morning"})
    client.post(reverse("admin:login"), {"username": clerk.email, "password": "something-else"})
    client.post(reverse("admin:login"), {"username": clerk.email, "password": PASSWORD})
    client.post(reverse("admin:logout"))
    [failed], [come], [gone] = told("sign_in.failed"), told("staff.signed_in"), told("staff.signed_out")
    assert failed.actor_id is None
    assert come.actor_id == gone.actor_id == clerk.pk
    for event in (failed, come, gone):
        assert (event.subject_type, event.subject_id) == ("user", str(clerk.public_id))
        assert (event.address, event.request_id) == ("10.1.2.3", "morning")


def test_sessions_that_are_over_are_forgotten_every_night(ledger: Ledger) -> None:
    stays, goes = signed_in(colleague("support")), signed_in(colleague("operator"))
    over = Session.objects.filter(pk=goes.session.session_key)
    over.update(expire_date=now() - dt.timedelta(seconds=1))
    for _ in range(2):
        clear_sessions()
        assert not over.exists()
        assert Session.objects.filter(pk=stays.session.session_key).exists()
    assert settings.CELERY_BEAT_SCHEDULE["clear-sessions"]["task"] == clear_sessions.name
    assert app.tasks[clear_sessions.name].time_limit == 150


# Refusals -------------------------------------------------------------------------------------------------------------
def test_a_refusal_is_written_once_with_its_page_and_what_was_missing(ledger: Ledger) -> None:
    clerk = colleague("operator")
    client = signed_in(clerk)
    for _ in range(3):
        assert client.get(list_page(SuspenseItem), REMOTE_ADDR="10.1.2.3").status_code == 403
    [event] = told("permission.refused")
    assert (event.actor_id, event.address) == (clerk.pk, "10.1.2.3")
    assert (event.subject_type, event.subject_id) == ("page", "vouchers_suspenseitem_changelist")
    assert event.request_id
    assert event.facts == {"method": "GET", "path": list_page(SuspenseItem), "permissions": [SUSPENSE]}
    client.get(reverse("kyc_queue"))
    client.post(reverse("kyc_deed", args=[uuid.UUID(int=7), "approve"]))
    assert [(one.subject_id, one.facts["permissions"]) for one in told("permission.refused")[1:]] == [
        ("kyc_queue", ["accounts.view_kycsubmission"]),
        ("kyc_deed", ["accounts.decide_kycsubmission"]),
    ]


def test_the_same_refusal_is_told_again_after_ten_minutes(ledger: Ledger) -> None:
    request = asking(colleague("operator"), list_page(SuspenseItem))
    moment = now()
    assert staff_trail.record_refusal(request, now=moment)
    assert not staff_trail.record_refusal(request, now=moment + dt.timedelta(minutes=9))
    assert staff_trail.record_refusal(request, now=moment + dt.timedelta(minutes=11))


def test_who_knocks_at_every_page_does_not_fill_the_table(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff_trail, "MOST_REFUSALS", 5)
    clerk = colleague("operator")
    client, other = signed_in(clerk), signed_in(colleague("support"))
    for number in range(1, 9):
        assert client.get(reverse("admin:vouchers_suspenseitem_change", args=[number])).status_code == 403
    assert len(told("permission.refused")) == 5
    [muted] = told("permission.refusals_muted")
    assert (muted.actor_id, muted.subject_id) == (clerk.pk, "vouchers_suspenseitem_change")
    assert other.get(reverse("kyc_queue")).status_code == 403
    assert len(told("permission.refused")) == 6


def test_noise_hides_no_page_that_was_not_tried_before(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff_trail, "MOST_REFUSALS", 5)
    client = signed_in(colleague("operator"))
    for number in range(1, 9):
        client.get(reverse("admin:vouchers_suspenseitem_change", args=[number]))
    for _ in range(2):
        assert client.get(reverse("kyc_queue")).status_code == 403
    assert [event.subject_id for event in told("permission.refused")[5:]] == ["kyc_queue"]
    assert len(told("permission.refusals_muted")) == 1


def test_strangers_customers_and_pages_that_are_not_there_write_nothing(ledger: Ledger, thandi: Person) -> None:
    for client in (Client(), signed_in(thandi.user)):
        for address in (list_page(SuspenseItem), reverse("kyc_queue"), "/admin/nothing/", "/nothing"):
            assert client.get(address).status_code in {302, 404}
    assert signed_in(colleague("operator")).get("/admin/nothing/").status_code == 404
    assert told("permission.refused") == []


def test_what_was_typed_into_an_address_is_not_kept(ledger: Ledger) -> None:
    client = signed_in(colleague("operator"))
    assert client.get("/admin/vouchers/suspenseitem/thandi@example.com/change/").status_code == 403
    [event] = told("permission.refused")
    assert event.facts["path"] == "/admin/vouchers/suspenseitem/…/change/"


def asking(user: User, path: str) -> Any:
    request = RequestFactory().get(path)
    request.user, request.resolver_match = user, resolve(path)
    return request


# Emergency power ------------------------------------------------------------------------------------------------------
def test_a_superusers_looks_and_changes_are_written_and_what_he_is_refused_is_a_refusal(
    house: Furnished, thandi: Person
) -> None:
    root = emergency()
    client = signed_in(root)
    for _ in range(2):
        assert client.get(reverse("kyc_queue")).status_code == 200
        assert client.get(list_page(Wallet)).status_code == 200
    looks = told("superuser.looked")
    assert [(event.actor_id, event.subject_id, event.facts["permissions"]) for event in looks] == [
        (root.pk, "kyc_queue", ["accounts.view_kycsubmission"]),
        (root.pk, "wallets_wallet_changelist", ["wallets.view_wallet"]),
    ]
    assert client.get(reverse("admin:wallets_wallet_add")).status_code == 403
    assert len(told("superuser.looked")) == 2
    client.post(page_of(thandi.user), {})
    client.post(page_of(thandi.user), {})
    assert [event.facts["path"] for event in told("superuser.acted")] == [page_of(thandi.user)] * 2
    client.post(reverse("admin:logout"))
    assert len(told("superuser.acted")) == 2


def test_what_a_role_of_his_allows_is_no_use_of_emergency_power(ledger: Ledger) -> None:
    from django.contrib.auth.models import Group

    root = emergency()
    root.groups.add(Group.objects.get(name="support"))
    client = signed_in(User.objects.get(pk=root.pk))
    assert client.get(list_page(Wallet)).status_code == 200
    assert client.get(reverse("admin:index")).status_code == 200
    assert told("superuser.looked") == []
    assert client.get(reverse("kyc_queue")).status_code == 200
    assert len(told("superuser.looked")) == 1


def test_everyday_staff_use_no_emergency_power(house: Furnished, thandi: Person) -> None:
    client = signed_in(colleague("administrator"))
    client.get(page_of(thandi.user))
    client.post(page_of(thandi.user), {})
    assert not AuditEvent.objects.filter(verb__startswith="superuser.").exists()


# What is read ---------------------------------------------------------------------------------------------------------
def test_a_refused_colleague_reads_what_is_missing_who_has_it_and_the_way_back(house: Furnished) -> None:
    colleague("administrator")
    client = signed_in(colleague("operator"))
    answer = client.get(list_page(SuspenseItem), headers={"Referer": "http://testserver/admin/vouchers/tillevent/"})
    html = answer.content.decode()
    assert answer.status_code == 403
    for words in (
        "view suspense item",
        "<strong>finance</strong>",
        "Administrator Staff",
        "/admin/vouchers/tillevent/",
    ):
        assert words in html
    assert answer["X-Request-ID"] in html
    elsewhere = client.get(list_page(SuspenseItem), headers={"Referer": "https://evil.example/admin/"})
    assert "evil.example" not in elsewhere.content.decode()


def test_a_refusal_does_not_tell_whether_there_is_such_a_thing(house: Furnished) -> None:
    client = signed_in(colleague("operator"))
    there = house.rows[Voucher]
    pages = []
    for address in (page_of(there), reverse("admin:vouchers_voucher_change", args=[987654321])):
        answer = client.get(address, headers={"X-Request-ID": "one"})
        html = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
        pages.append((answer.status_code, html.replace(address, "here")))
    assert pages[0] == pages[1]
    assert pages[0][0] == 403


def test_what_no_role_may_says_so(house: Furnished) -> None:
    html = signed_in(emergency()).get(reverse("admin:wallets_wallet_add")).content.decode()
    assert "No role allows this" in html


def test_pages_that_are_not_there_are_dressed_for_staff_and_plain_for_others(ledger: Ledger, client: Client) -> None:
    inside = signed_in(colleague("support")).get("/admin/nothing/")
    assert (inside.status_code, "nav-sidebar" in inside.content.decode()) == (404, True)
    outside = client.get("/nothing")
    assert (outside.status_code, "There is no such page" in outside.content.decode()) == (404, True)
    api = client.get("/api/v1/nothing")
    assert (api.status_code, api["Content-Type"]) == (404, "application/problem+json")


def test_a_request_that_makes_no_sense_shows_our_words_and_never_djangos(ledger: Ledger) -> None:
    request = asking(colleague("support"), list_page(Wallet))
    request.META["SERVER_NAME"] = "localhost"
    assert "Say the first day." in refusal_pages.handle_400(request, BadRequest("Say the first day.")).content.decode()  # type: ignore[attr-defined]
    from django.core.exceptions import SuspiciousOperation

    html = refusal_pages.handle_400(request, SuspiciousOperation("The session key 17")).content.decode()  # type: ignore[attr-defined]
    assert "session key" not in html


def test_a_failure_is_told_without_asking_the_database(client: Client, django_assert_num_queries: Any) -> None:
    request = RequestFactory().get("/admin/")  # nobody has looked for a session, and nobody does
    request.request_id = "r-17"  # type: ignore[attr-defined]
    answer: Any = refusal_pages.handle_500(request)
    assert (answer.status_code, "r-17" in answer.content.decode()) == (500, True)
    problem: Any = refusal_pages.handle_500(RequestFactory().get("/api/v1/me"))
    assert problem["Content-Type"] == "application/problem+json"


def test_a_form_that_is_no_longer_good_says_so(ledger: Ledger) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(colleague("support"))
    answer = client.post(reverse("admin:logout"))
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()
    assert told("permission.refused") == []
    stranger = Client(enforce_csrf_checks=True).post(reverse("admin:login"))
    assert (stranger.status_code, "open for too long" in stranger.content.decode()) == (403, True)
