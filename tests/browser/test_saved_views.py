"""An officer keeps a view of the queue, renames it and deletes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.back_office.house import PASSWORD, Furnished, colleague
from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_an_officer_keeps_a_view_and_lets_it_go(
    house: Furnished, visit: Callable[..., Visitor], width: int, scheme: Literal["light", "dark"]
) -> None:
    colleague("kyc")
    visitor = visit(width=width, scheme=scheme)
    visitor.signs_in("kyc@example.com", PASSWORD)
    page = visitor.page
    visitor.goes_to("/admin/kyc/?tier=1")
    page.get_by_label("Keep this view as").fill("First tier")
    page.get_by_label("Who sees this view").select_option(label="everybody of kyc")
    page.get_by_role("button", name="Keep", exact=True).click()

    kept = page.get_by_role("navigation", name="Kept views")
    expect(kept.get_by_role("link", name="First tier shared")).to_have_attribute("aria-current", "page")
    assert what_sticks_out(page) == []
    kept.get_by_role("link", name="Everything").click()
    kept.get_by_role("link", name="First tier").click()
    expect(page).to_have_url(f"{visitor.address}/admin/kyc/?tier=1")

    page.get_by_text("Rename or delete").click()
    page.get_by_label("Name of the view First tier").fill("Tier one")
    page.get_by_role("button", name="Rename First tier").click()
    expect(kept.get_by_role("link", name="Tier one")).to_be_visible()
    page.get_by_text("Rename or delete").click()
    page.get_by_role("button", name="Delete Tier one").click()
    expect(page.get_by_label("Keep this view as")).to_be_visible()
    expect(kept).to_have_count(0)
