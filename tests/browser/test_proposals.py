"""Two of finance at their screens."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from accounts.services import create_staff
from mymoolah.common.clock import business_day, now
from tests.back_office.house import PASSWORD, Furnished, list_page, page_of
from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor
from tests.conftest import Person, balance, fund, send
from tests.proposals import adjustment, ask
from transactions.models import Proposal
from transactions.proposals import services
from wallets.models import Wallet

# Whether a table of figures is wider than what shows it.
CUT = "[...document.querySelectorAll('.figures')].some(one => one.scrollWidth > one.clientWidth)"


@pytest.fixture
def two(house: Furnished) -> tuple[str, str]:
    emails = ("finance@example.com", "finance2@example.com")
    for email in emails:
        create_staff(email=email, password=PASSWORD, first_name=email[:8], last_name="Finance", role="finance")
    return emails


def test_an_adjustment_is_proposed_refused_proposed_again_and_approved_by_the_other(
    house: Furnished, two: tuple[str, str], thandi: Person, sipho: Person, visit: Callable[..., Visitor]
) -> None:
    maker, checker = visit(), visit()
    for visitor, email in zip((maker, checker), two, strict=True):
        visitor.signs_in(email, PASSWORD)

    def propose(amount: str, reason: str) -> None:
        maker.goes_to(house.page(Wallet))
        offered = maker.page.get_by_role("region", name="Propose", exact=True)
        offered.get_by_role("link", name="Adjust a wallet").click()
        maker.page.get_by_label("Direction").select_option("debit")
        maker.page.get_by_label("Amount", exact=False).first.fill(amount)
        maker.page.get_by_label("Why").fill(reason)
        maker.page.get_by_role("button", name="Preview").click()
        expect(maker.page.get_by_text(f"pays {amount}").first).to_be_visible()
        maker.page.get_by_role("button", name="Propose").click()
        expect(maker.page.locator("#status")).to_have_text("Waits")
        expect(maker.page.get_by_role("button", name="Approve")).to_have_count(0)

    def opens_what_waits() -> None:
        checker.goes_to(list_page(Proposal, "?waiting=me"))
        checker.page.get_by_role("link", name="Adjust a wallet").first.click()

    had = balance(thandi).amount
    propose("90.00", "Case 17")
    opens_what_waits()
    checker.page.get_by_label("Note").fill("It was 60")
    checker.page.get_by_role("button", name="Reject").click()
    expect(checker.page.locator("#status")).to_have_text("Rejected")
    assert balance(thandi).amount == had

    propose("60.00", "Case 17, as the letter says")
    opens_what_waits()
    send(thandi, sipho, "5.00")
    checker.page.get_by_role("button", name="Approve").click()
    expect(checker.page.get_by_role("alert").first).to_contain_text("Something has changed since you looked")
    assert balance(thandi).amount == had - Decimal("5.00")
    checker.page.get_by_role("button", name="Approve").click()
    expect(checker.page.locator("#status")).to_have_text("Approved")
    assert balance(thandi).amount == had - Decimal("65.00")


def test_going_back_to_what_was_asked_finds_it_and_sends_nothing_again(
    house: Furnished, two: tuple[str, str], thandi: Person, visit: Callable[..., Visitor]
) -> None:
    visitor, before = visit(), Proposal.objects.count()
    visitor.signs_in(two[0], PASSWORD)
    visitor.goes_to(f"/admin/customers/{thandi.user.public_id}")
    page = visitor.page
    page.get_by_role("link", name="Propose an adjustment").click()
    page.get_by_label("Amount", exact=False).first.fill("1.50")
    page.get_by_label("Why").fill("Case 9")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Nothing has happened yet.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Amount", exact=False).first).to_have_value("1.50")
    assert "Case" not in page.url
    page.get_by_label("Why").fill("Case 9")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Nothing has happened yet.")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Amount", exact=False).first).to_have_value("1.50")
    assert "Case" not in page.url
    page.get_by_label("Why").fill("Case 9")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Propose").click()
    expect(page.locator("#status")).to_have_text("Waits")
    page.go_back()
    expect(page.get_by_label("Amount", exact=False).first).to_have_value("1.50")
    assert Proposal.objects.count() == before + 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_of_finance_fit_the_screen(  # noqa: PLR0917
    house: Furnished,
    two: tuple[str, str],
    thandi: Person,
    visit: Callable[..., Visitor],
    tmp_path: Path,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    fund(thandi, "12000000.00")
    proposal = services.propose(ask("adjust_wallet", adjustment(thandi)), now=now())
    visitor = visit(width=width, scheme=scheme)
    visitor.signs_in(two[1], PASSWORD)
    pages = {
        "proposals": list_page(Proposal),
        "proposal": page_of(proposal),
        "propose": f"/admin/transactions/proposal/propose/adjust_wallet/?wallet={thandi.wallet.number}",
        "commands": "/admin/transactions/proposal/propose/",
        "house": "/admin/books/house/",
        "trial-balance": f"/admin/books/trial-balance/?first={business_day(now())}&last={business_day(now())}",
        "suspense-ages": "/admin/books/suspense/",
    }
    folder = Path(os.environ.get("MYMOOLAH_SCREENSHOTS", tmp_path))
    for name, path in pages.items():
        visitor.goes_to(path)
        too_wide = what_sticks_out(visitor.page)
        assert not too_wide, f"{name} scrolls sideways at {width} pixels: {too_wide}"
        assert name != "proposal" or not visitor.page.evaluate(CUT), f"amounts are cut off at {width} pixels"
        visitor.page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
