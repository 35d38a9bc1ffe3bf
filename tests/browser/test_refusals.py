"""A colleague in a real browser where he may not go, where nothing is, and at what the trail says of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from accounts import audit
from accounts.audit import Origin
from accounts.models import AuditEvent
from tests.back_office.house import PASSWORD, Furnished, colleague, page_of
from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor
from tests.conftest import Person

REFUSED = "Failed to load resource: the server responded with a status of"


@pytest.mark.parametrize("screen", [(1280, "light"), (390, "dark")])
def test_refusals_and_events_fit_the_screen_and_lead_back(
    house: Furnished,
    thandi: Person,
    visit: Callable[..., Visitor],
    screen: tuple[int, Literal["light", "dark"]],
) -> None:
    width, scheme = screen
    colleague("administrator")
    clerk = colleague("operator")
    audit.record(
        "user.corrected",
        subject_type="user",
        subject_id=thandi.user.public_id,
        origin=Origin(actor_id=clerk.pk, address="2001:db8:85a3:8d3:1319:8a2e:370:7348", request_id="f" * 64),
        changed=["email", "first_name", "last_name", "phone"],
        digest="0123456789abcdef" * 8,
    )
    event = AuditEvent.objects.latest("pk")
    visitor = visit(width=width, scheme=scheme)
    visitor.signs_in(clerk.email, PASSWORD)
    page = visitor.page
    folder = os.environ.get("MYMOOLAH_SCREENSHOTS")

    def fits(name: str) -> None:
        if folder:
            page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
        assert what_sticks_out(page) == [], name

    visitor.goes_to("/admin/vouchers/tillevent/")
    visitor.goes_to(page_of(event))
    expect(page.get_by_text("Profile corrected by staff").first).to_be_visible()
    fits("event")
    assert page.get_by_role("link", name=f"Person {thandi.user.public_id}", exact=True).count() == 0

    page.goto(visitor.address + "/admin/kyc/", wait_until="networkidle")
    expect(page.get_by_role("heading", name="This page is not open to you")).to_be_visible()
    expect(page.get_by_text("Administrator Staff")).to_be_visible()
    fits("refused")
    page.get_by_role("link", name="Start page", exact=True).first.click()
    page.wait_for_load_state("networkidle")
    assert page.url == f"{visitor.address}/admin/"

    page.goto(visitor.address + "/admin/nothing/", wait_until="networkidle")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    fits("missing")
    page.goto(visitor.address + "/nothing", wait_until="networkidle")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    fits("missing-plain")
    visitor.complaints[:] = [said for said in visitor.complaints if REFUSED not in said]
