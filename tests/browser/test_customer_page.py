"""A telephone rings: support finds Thandi, reads her page, and sees nothing that is not support's to see."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from accounts.models import User
from tests.back_office.house import PASSWORD, SECRETS, Furnished, colleague
from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor
from tests.conftest import Person, fund
from tests.waiting import wait_until


def test_support_finds_thandi_by_phone_and_reads_her_page(
    house: Furnished, thandi: Person, sipho: Person, visit: Callable[..., Visitor]
) -> None:
    colleague("support")
    visitor = visit()
    visitor.signs_in("support@example.com", PASSWORD)
    page = visitor.page
    page.get_by_role("searchbox", name="Find a customer").first.fill("082 111 0001")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thandi Mokoena")

    wrong = page.get_by_role("region", name="What is wrong right now")
    expect(wrong).to_contain_text("60.00 ZAR waits in suspense")
    expect(wrong).to_contain_text("Identity documents wait")
    assert wrong.get_by_role("link", name="Identity documents wait").count() == 0, "the KYC desk is not support's"
    expect(page.get_by_role("region", name="Who this is")).to_contain_text("+27821110001")
    expect(page.get_by_role("region", name="Wallets and limits")).to_contain_text("460.00 ZAR available")

    chart = page.get_by_role("img", name="Line of the balance")
    drawn = "canvas => Chart.getChart(canvas)?.scales?.y?.max ?? 0"  # a moment after the page is there
    wait_until(lambda: chart.locator("canvas").evaluate(drawn) >= 460)
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("cell", name="460.00 ZAR").first).to_be_visible()

    for name in ("Identity checks", "What finance proposed"):
        assert page.get_by_role("heading", name=name).count() == 0
    html = page.content()
    assert [secret for secret in SECRETS if secret in html] == []
    assert page.locator(".customer form [name=balance]").count() == 0

    page.get_by_role("region", name="Latest entries").get_by_role("link", name="Sipho Mokoena").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sipho Mokoena")


def test_words_typed_after_ctrl_k_lead_to_the_customer(
    house: Furnished, thandi: Person, visit: Callable[..., Visitor]
) -> None:
    colleague("support")
    visitor = visit()
    visitor.signs_in("support@example.com", PASSWORD)
    page = visitor.page
    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("thandi@ex")
    found = page.locator("#command-results-list")
    expect(found).to_contain_text("Thandi Mokoena")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thandi Mokoena")


def test_on_a_telephone_a_customer_is_found_from_the_header(
    thandi: Person, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    colleague("support")
    fund(thandi, "700.00")
    visitor = visit(width=390, scheme="dark")
    visitor.signs_in("support@example.com", PASSWORD)
    page = visitor.page
    page.get_by_role("link", name="Find a customer").click()
    page.locator("#find").fill("(082) 111-0001")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thandi Mokoena")
    expect(page.locator("td[data-label='Balance after']").first).to_be_visible()
    meter = page.get_by_role("meter", name="How full the wallet is")
    folder = Path(os.environ.get("MYMOOLAH_SCREENSHOTS", tmp_path))
    meter.scroll_into_view_if_needed()
    page.screenshot(path=folder / "customer-meters-390-dark.png")


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_the_screen_and_says_big_that_an_account_is_closed(
    thandi: Person,
    visit: Callable[..., Visitor],
    tmp_path: Path,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    colleague("auditor")
    User.objects.filter(pk=thandi.user.pk).update(status="closed")
    visitor = visit(width=width, scheme=scheme)
    visitor.signs_in("auditor@example.com", PASSWORD)
    folder = Path(os.environ.get("MYMOOLAH_SCREENSHOTS", tmp_path))
    for name, path in (
        ("customer-page", f"/admin/customers/{thandi.user.public_id}"),
        ("customer-find", "/admin/customers/?q=moko"),
    ):
        visitor.goes_to(path)
        too_wide = what_sticks_out(visitor.page)
        assert not too_wide, f"{name} scrolls sideways at {width} pixels: {too_wide}"
        visitor.page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
    visitor.goes_to(f"/admin/customers/{thandi.user.public_id}")
    expect(visitor.page.get_by_text("This account is closed")).to_be_visible()
