"""Staff at work in a real browser."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from accounts.models import User
from reporting.models import UserDashboardSummary
from tests.back_office.house import PASSWORD, Furnished, colleague, list_page
from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor
from tests.conftest import Person
from wallets.models import Wallet


def test_support_finds_a_customer_and_follows_the_money(
    house: Furnished, thandi: Person, visit: Callable[..., Visitor]
) -> None:
    colleague("support")
    visitor = visit()
    visitor.signs_in("support@example.com", PASSWORD)
    page = visitor.page

    page.locator("#nav-sidebar-apps").get_by_text("Overview", exact=True).click()
    expect(page.locator("#overview-age")).to_contain_text("3 minutes old: 2 rows")
    page.get_by_role("link", name="Thandi Mokoena").click()
    expect(page.get_by_role("heading", name="Wallets and limits")).to_be_visible()
    expect(page.get_by_text("460.00 ZAR").first).to_be_visible()

    page.get_by_role("region", name="Wallets and limits").get_by_role("link", name=thandi.wallet.number).click()
    entries = page.get_by_role("region", name="Latest entries")
    expect(entries.get_by_role("link", name=f"{thandi.wallet.number}-2")).to_be_visible()
    expect(entries).to_contain_text("12.50 ZAR")
    assert page.locator("form [name=balance]").count() == 0
    assert page.get_by_role("button", name="Save", exact=True).count() == 0

    entries.get_by_role("link", name=f"{thandi.wallet.number}-2").click()
    expect(page.get_by_text("Balance after").first).to_be_visible()


def test_search_finds_a_person_by_the_beginning_of_an_email(
    house: Furnished, thandi: Person, visit: Callable[..., Visitor]
) -> None:
    colleague("support")
    visitor = visit()
    visitor.signs_in("support@example.com", PASSWORD)
    visitor.goes_to("/admin/accounts/user/")
    visitor.page.fill("#searchbar", "thandi@ex")
    visitor.page.press("#searchbar", "Enter")
    visitor.page.wait_for_load_state("networkidle")
    expect(visitor.page.get_by_role("link", name="thandi@example.com")).to_be_visible()
    assert visitor.page.get_by_text("sipho@example.com").count() == 0


def test_a_wrong_password_opens_nothing(house: Furnished, visit: Callable[..., Visitor]) -> None:
    colleague("support")
    visitor = visit()
    visitor.signs_in("support@example.com", "something-else")
    assert "/admin/login/" in visitor.page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_the_screen(
    house: Furnished, visit: Callable[..., Visitor], tmp_path: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    colleague("auditor")
    visitor = visit(width=width, scheme=scheme)
    visitor.signs_in("auditor@example.com", PASSWORD)
    pages = {
        "start": "/admin/",
        "overview": list_page(UserDashboardSummary),
        "customer": house.page(User),
        "wallet": house.page(Wallet),
        "wallets": list_page(Wallet),
    }
    folder = Path(os.environ.get("MYMOOLAH_SCREENSHOTS", tmp_path))
    for name, path in pages.items():
        visitor.goes_to(path)
        too_wide = what_sticks_out(visitor.page)
        assert not too_wide, f"{name} scrolls sideways at {width} pixels: {too_wide}"
        visitor.page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
