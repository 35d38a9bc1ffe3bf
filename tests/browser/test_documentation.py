"""The API's documentation in a real browser, which may ask nobody but us."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor


@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_a_page_of_the_documentation_shows_every_call_and_asks_no_foreign_host(
    visit: Callable[..., Visitor], tmp_path: Path, page: str
) -> None:
    visitor = visit()  # who complains at the end of whatever the console said
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.goes_to(f"/api/{page}")
    for name in ("Send money", "Submit kyc", "Report easypay payment"):
        expect(visitor.page.get_by_text(name, exact=True).first).to_be_attached(timeout=60_000)
    # What stands once for all calls is shown with each.
    if page == "docs":
        visitor.page.locator("#operations-accounts-sign_out .opblock-summary-control").click()
    else:
        visitor.page.get_by_role("tab", name="401").first.click()
    expect(visitor.page.get_by_text("urn:mymoolah:problem:not_authenticated").first).to_be_visible()
    folder = Path(os.environ.get("MYMOOLAH_SCREENSHOTS", tmp_path))
    visitor.page.screenshot(path=folder / f"{page}.png")
    foreign = [url for url in asked if not url.startswith((visitor.address, "blob:", "data:"))]
    assert foreign == []
    assert len(asked) > 3


def test_a_call_unfolds_without_making_a_telephone_scroll_sideways(visit: Callable[..., Visitor]) -> None:
    visitor = visit(width=390)
    visitor.goes_to("/api/docs")
    for name in ("accounts-sign_out", "transfers-send_money"):
        call = visitor.page.locator(f"#operations-{name}")
        call.locator(".opblock-summary-control").click(timeout=60_000)
        expect(call.locator(".responses-table").first).to_be_visible()
    assert what_sticks_out(visitor.page) == []
