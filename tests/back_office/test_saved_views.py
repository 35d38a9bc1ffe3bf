"""Views of lists: kept under a name, one's own or a role's; nothing but what the list knows, and nobody's name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import SavedView, User
from accounts.saved_views import (
    MOST_VIEWS,
    TooManyViews,
    UnknownView,
    ViewNameTaken,
    ViewOfEverything,
    ViewWithoutName,
    clean_name,
    delete_view,
    rename_view,
    save_view,
)
from accounts.services import create_staff
from mymoolah.common.clock import now
from tests.back_office.house import PASSWORD, Furnished, colleague, list_page, signed_in
from tests.conftest import Ledger
from wallets.models import Wallet

QUEUE = "kyc_queue"
RED = "days=1&risk=red"


def another(role: str) -> User:
    return create_staff(
        email=f"{role}2@example.com", password=PASSWORD, first_name="Another", last_name="Colleague", role=role
    )


def keep(client: Client, *, page: str = QUEUE, name: str = "Red and old", query: str = RED, role: str = "") -> Any:
    sent = {"page": page, "name": name, "query": query, "shared_with": role}
    return client.post(reverse("saved_view_save"), sent)


def tabs(client: Client, address: str) -> list[str]:
    nav = client.get(address).content.decode().partition('aria-label="Kept views"')[2].partition("</nav>")[0]
    return [name for name in re.findall(r"<a [^>]*>([^<]+)", nav) if name != "Everything"]


def test_an_officer_keeps_what_the_queue_is_narrowed_by(ledger: Ledger) -> None:
    officer = colleague("kyc")
    client = signed_in(officer)
    assert b"Keep this view as" in client.get(reverse(QUEUE) + f"?{RED}").content
    answer = keep(client)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/kyc/?{RED}")
    view = SavedView.objects.get()
    assert (view.owner, view.page, view.name, view.query, view.shared_with) == (
        officer,
        QUEUE,
        "Red and old",
        RED,
        None,
    )
    shown = client.get(reverse(QUEUE) + f"?{RED}").content.decode()
    assert '<a href="/admin/kyc/?days=1&amp;risk=red" aria-current="page">Red and old</a>' in shown
    assert "Keep this view as" not in shown


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("risk=red&days=1", RED),
        ("days=1&risk=red&after=%5B1%2C2%5D&x=y", RED),
        ("days=5&risk=blue&tier=2", "tier=2"),
        ("days=1&days=3", "days=3"),
    ],
)
def test_only_what_the_queue_knows_is_kept(ledger: Ledger, sent: str, kept: str) -> None:
    keep(signed_in(colleague("kyc")), query=sent)
    assert SavedView.objects.get().query == kept


@pytest.mark.parametrize("query", ["", "x=y", "days=5", "q=thandi%40example.com", "//evil.example.com"])
def test_a_view_of_everything_is_not_kept(ledger: Ledger, query: str) -> None:
    answer = keep(signed_in(colleague("kyc")), query=query)
    assert answer["Location"] == "/admin/kyc/"
    assert not SavedView.objects.exists()


def test_any_list_with_filters_has_views_and_keeps_no_search(house: Furnished) -> None:
    SavedView.objects.all().delete()
    client = signed_in(colleague("auditor"))
    keep(client, page="wallets.wallet", name="The bank", query="whose=bank&q=thandi%40example.com&user=1")
    assert SavedView.objects.get().query == "whose=bank"
    assert tabs(client, list_page(Wallet)) == ["The bank"]


def test_a_view_of_the_audit_trail_names_nobody(house: Furnished) -> None:
    SavedView.objects.all().delete()
    sent = "actor=thandi%40example.com&subject=0821110001&verb=wallet.frozen"
    keep(signed_in(colleague("auditor")), page="accounts.auditevent", query=sent)
    assert SavedView.objects.get().query == "verb=wallet.frozen"


def test_colleagues_of_the_role_see_what_is_shared_and_nobody_else_does(ledger: Ledger) -> None:
    officer = colleague("kyc")
    role = officer.groups.get()
    keep(signed_in(officer), role=str(role.pk))
    keep(signed_in(officer), name="Mine alone", query="tier=2")
    assert tabs(signed_in(officer), reverse(QUEUE)) == ["Mine alone", "Red and old"]
    assert tabs(signed_in(another("kyc")), reverse(QUEUE)) == ["Red and old"]
    assert tabs(signed_in(colleague("auditor")), reverse(QUEUE)) == []


def test_nobody_shares_with_a_role_that_is_not_his(ledger: Ledger) -> None:
    finance = colleague("finance").groups.get()
    keep(signed_in(colleague("kyc")), role=str(finance.pk))
    assert SavedView.objects.get().shared_with is None


def test_a_view_is_renamed_and_deleted_by_its_owner_only(ledger: Ledger) -> None:
    officer = colleague("kyc")
    role = officer.groups.get()
    keep(signed_in(officer), role=str(role.pk))
    view = SavedView.objects.get()
    stranger = signed_in(another("kyc"))
    for deed in ("rename", "delete"):
        assert stranger.post(reverse(f"saved_view_{deed}", args=[view.pk]), {"name": "Hers"}).status_code == 404
    client = signed_in(officer)
    client.post(reverse("saved_view_rename", args=[view.pk]), {"name": "Old and red"})
    assert tabs(client, reverse(QUEUE)) == ["Old and red"]
    client.post(reverse("saved_view_delete", args=[view.pk]))
    assert not SavedView.objects.exists()


def test_who_may_not_open_a_list_keeps_no_view_of_it(ledger: Ledger) -> None:
    client = signed_in(colleague("support"))
    assert keep(client).status_code == 403
    for page in ("nothing", "wallets.nothing", "accounts.onetimecode", "auth.permission"):
        assert keep(client, page=page).status_code == 404
    assert not SavedView.objects.exists()


def saved(officer: User, name: str = "Red", query: str = RED) -> SavedView:
    return save_view(user_id=officer.pk, page=QUEUE, name=name, query=query, shared_with_id=None, now=now())


def test_views_are_few_and_their_names_differ(ledger: Ledger) -> None:
    officer = colleague("kyc")
    views = [saved(officer, f"View {number}") for number in range(MOST_VIEWS - 1)]
    with pytest.raises(ViewNameTaken):
        saved(officer, "View  1 ")
    with pytest.raises(ViewNameTaken):
        rename_view(user_id=officer.pk, view_id=views[0].pk, name="View 1")
    saved(officer, "The last")
    with pytest.raises(TooManyViews):
        saved(officer, "One more")
    with pytest.raises(ViewOfEverything):
        saved(officer, "All", "")
    with pytest.raises(UnknownView):
        delete_view(user_id=colleague("finance").pk, view_id=views[0].pk)


def test_of_many_at_once_no_more_than_allowed_are_kept(ledger: Ledger, race: Callable[..., list[Any]]) -> None:
    officer = colleague("kyc")
    for number in range(MOST_VIEWS - 2):
        saved(officer, f"View {number}")
    names = iter("abcdef")
    done = race(6, lambda: saved(officer, next(names)))
    assert sum(isinstance(answer, SavedView) for answer in done) == 2
    assert sum(isinstance(answer, TooManyViews) for answer in done) == 4


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Red   and old ", "Red and old"),
        ("<b>Red</b>", "b Red /b"),
        ("Za\u202erotcod\x00", "Za rotcod"),
        ("Zoë\u2019s (2)", "Zoë\u2019s (2)"),
        ("x" * 80, "x" * 40),
    ],
)
def test_a_name_is_what_can_be_seen(given: str, kept: str) -> None:
    assert clean_name(given) == kept


@pytest.mark.parametrize("given", ["", " ", "…", "\u200b", "--", "()"])
def test_a_name_of_nothing_is_refused(given: str) -> None:
    with pytest.raises(ViewWithoutName):
        clean_name(given)
