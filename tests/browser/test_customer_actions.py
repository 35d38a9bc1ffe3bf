"""What staff do for a customer who calls, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.accounts.papers import THANDIS_ID
from tests.accounts.test_care import submitted
from tests.api import Caller, access_token, body_of, problem
from tests.back_office.house import PASSWORD, colleague
from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor
from tests.conftest import Person, fund
from tests.vouchers import desk
from wallets.models import Wallet

ORDER = {"to": "sipho@example.com", "amount": "10.00", "currency": "ZAR"}


def home(who: Person) -> str:
    return reverse("customer_page", args=[who.user.public_id])


def at_work(visit: Callable[..., Visitor], role: str, who: Person, **screen: object) -> Page:
    """A colleague who has the customer's page before him."""
    if not User.objects.filter(email=f"{role}@example.com").exists():
        colleague(role)
    visitor = visit(**screen)
    visitor.signs_in(f"{role}@example.com", PASSWORD)
    visitor.goes_to(home(who))
    return visitor.page


def does(page: Page, title: str, *, reason: str, words: str = "Case 17") -> None:
    page.get_by_role("navigation", name="What you can do").get_by_role("link", name=title).click()
    page.get_by_label("Reason").select_option(label=reason)
    page.get_by_label("In a sentence").fill(words)
    page.get_by_role("button", name=title).click()


@pytest.mark.usefixtures("worker_at_hand")
def test_support_freezes_a_wallet_and_finance_unfreezes_it(
    thandi: Person, sipho: Person, visit: Callable[..., Visitor]
) -> None:
    fund(thandi, "100.00")
    number = thandi.wallet.number
    support = at_work(visit, "support", thandi)
    does(support, "Freeze wallet", reason="Fraud is suspected", words="Three strangers paid within a minute")
    expect(support.get_by_text(f"Wallet {number} is frozen: it neither sends nor receives.")).to_be_visible()
    expect(support.get_by_text(f"Wallet {number} is frozen by the bank")).to_be_visible()
    app = Caller(access_token(thandi.user), Client(SERVER_NAME="127.0.0.1"))
    problem(app.post("transfers", ORDER, Idempotency_Key="k"), 409, "wallet_frozen")

    does(support, "Unfreeze wallet", reason="The customer asks for it")
    expect(support.get_by_role("alert")).to_contain_text("finance or an administrator can undo that")
    assert support.get_by_label("In a sentence").input_value() == "Case 17"

    finance = at_work(visit, "finance", thandi)
    does(finance, "Unfreeze wallet", reason="Looked into, and nothing was wrong")
    expect(finance.get_by_text("sends and receives again")).to_be_visible()
    assert body_of(app.post("transfers", ORDER, Idempotency_Key="k"))["amount"] == "10.00"
    assert Wallet.objects.get(number=number).standing == "active"


@pytest.mark.usefixtures("worker_at_hand")
def test_support_stops_what_a_thief_made(thandi: Person, visit: Callable[..., Visitor]) -> None:
    fund(thandi, "500.00")
    made = desk.issue(thandi, desk.CASH_OUT)
    page = at_work(visit, "support", thandi)
    does(page, "Freeze wallet", reason="The customer asks: a telephone or a card is lost", words="")
    expect(page.get_by_text("109.20 ZAR held, which a till can still pay out")).to_be_visible()
    page.get_by_role("link", name=f"Cancel EasyPay cashout {str(made.public_id)[:8]}").click()
    page.get_by_label("Reason").select_option(label="The customer asks: somebody else made it")
    page.get_by_role("button", name="Cancel voucher").dblclick()
    expect(page.get_by_text("109.20 ZAR is no longer held")).to_be_visible()
    expect(page.get_by_text("which a till can still pay out")).to_have_count(0)
    expect(page.get_by_role("link", name="Cancel EasyPay")).to_have_count(0)
    assert desk.state_of(made)[0] == "cancelled"
    wallet = Wallet.objects.get(pk=thandi.wallet.pk)
    assert (str(wallet.balance), wallet.held, wallet.standing) == ("500.00", 0, "frozen by the customer")


def test_a_caller_who_lost_his_telephone_answers_before_it_is_undone(
    thandi: Person, visit: Callable[..., Visitor]
) -> None:
    page = at_work(visit, "support", thandi)
    does(page, "Freeze wallet", reason="The customer asks: a telephone or a card is lost", words="")
    does(page, "Unfreeze wallet", reason="The customer asks for it", words="Found again")
    expect(page.get_by_role("alert")).to_contain_text("Ask the caller every question first")
    for question in page.get_by_role("checkbox").all():
        question.check()
    page.get_by_role("button", name="Unfreeze wallet").click()
    expect(page.get_by_text("sends and receives again")).to_be_visible()


def test_an_account_with_money_in_it_is_not_closed(thandi: Person, visit: Callable[..., Visitor]) -> None:
    fund(thandi, "20.00")
    page = at_work(visit, "kyc", thandi)
    does(page, "Close account", reason="The customer asks for it")
    expect(page.get_by_role("alert")).to_contain_text(f"wallet {thandi.wallet.number} holds 20.00 ZAR")
    assert User.objects.get(pk=thandi.user.pk).status == "active"


def test_the_number_is_shown_and_goes_away(
    thandi: Person, visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reporting.customer_actions.SHOWN_SECONDS", 2)
    submitted(thandi)
    page = at_work(visit, "support", thandi)
    assert THANDIS_ID not in page.content()
    does(page, "Show the ID number", reason="To make sure who is calling")
    expect(page.get_by_text(THANDIS_ID)).to_be_visible()
    assert THANDIS_ID not in page.url
    page.wait_for_url(f"**{home(thandi)}")
    assert THANDIS_ID not in page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_forms_fit_the_screen(
    thandi: Person, visit: Callable[..., Visitor], tmp_path: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    submitted(thandi)
    fund(thandi, "20.00")
    desk.issue(thandi, desk.TOP_UP)
    folder = Path(os.environ.get("MYMOOLAH_SCREENSHOTS", tmp_path))

    def looked_at(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
        too_wide = what_sticks_out(page)
        assert not too_wide, f"{name} scrolls sideways at {width} pixels: {too_wide}"

    page = at_work(visit, "support", thandi, width=width, scheme=scheme)
    looked_at(page, "customer-actions")
    offered = page.get_by_role("navigation", name="What you can do").get_by_role("link")
    cancelling = page.get_by_role("link", name="Cancel EasyPay topup")
    addresses = [link.get_attribute("href") for link in (*offered.all(), cancelling)]
    for address in addresses:
        page.goto(page.url.partition("/admin/")[0] + str(address), wait_until="networkidle")
        looked_at(page, f"deed-{str(address).rpartition('/')[2].partition('?')[0]}")
    page.goto(page.url.partition("/admin/")[0] + home(thandi), wait_until="networkidle")
    does(page, "Show the ID number", reason="To make sure who is calling")
    expect(page.get_by_text(THANDIS_ID)).to_be_visible()
    looked_at(page, "number")
    page.goto(page.url.partition("/admin/")[0] + home(thandi), wait_until="networkidle")
    does(page, "Freeze wallet", reason="The customer asks: a telephone or a card is lost", words="")
    page.wait_for_url(f"**{home(thandi)}")
    does(page, "Unfreeze wallet", reason="The customer asks for it")
    expect(page.get_by_role("alert")).to_be_visible()
    looked_at(page, "refused")
