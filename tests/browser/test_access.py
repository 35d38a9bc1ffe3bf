"""Every screen of the back-office, wide and narrow, light and dark, through the eyes of axe-core."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings as django_settings
from playwright.sync_api import Page, expect

from mymoolah.common.clock import now
from reporting.demo.cases import make_cases
from tests.back_office.house import Furnished
from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor
from tests.browser.screens import Screen, Staff, staff

WIDE, NARROW = 1280, 390
PARTS = 4
GRAVE = {"serious", "critical"}

AXE = """async rules => {
    const options = {resultTypes: ["violations"], ...(rules.length ? {runOnly: {type: "rule", values: rules}} : {})};
    const found = (await axe.run(document, options)).violations;
    return found.map(one => ({
        rule: one.id, impact: one.impact, nodes: one.nodes.map(node => [node.target.flat().join(" "), node.html]),
    }));
}"""
# What the theme does when the system's colours are dark; it does so only as a page begins.
IN_COLOURS = "isDark => document.documentElement.classList.toggle('dark', isDark)"
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"
HEADINGS = "[...document.querySelectorAll('h1')].filter(one => one.checkVisibility()).length"


@pytest.fixture
def everyone(house: Furnished, tmp_path: Path, settings: Any) -> Staff:
    settings.DOCUMENTS_DIR = tmp_path / "documents"
    make_cases(now=now())
    return staff()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_screen_has_a_grave_fault(
    house: Furnished, everyone: Staff, visit: Callable[..., Visitor], part: int
) -> None:
    screens = everyone.screens(house, part=part, parts=PARTS)
    assert len(screens) > 70 / PARTS
    visitors: dict[str, Visitor] = {}
    found: list[str] = []
    for screen in screens:
        if screen.role not in visitors:
            visitors[screen.role] = visit()
            enter(visitors[screen.role], everyone, screen.role)
        found += [
            f"{screen.address} as {screen.role or 'nobody'}: {fault}" for fault in faults(visitors[screen.role], screen)
        ]
    assert not found, f"{len(found)} faults\n" + "\n".join(found)


def enter(visitor: Visitor, everyone: Staff, role: str) -> None:
    if role:
        name, value = django_settings.SESSION_COOKIE_NAME, everyone.cookie(role)
        visitor.page.context.add_cookies([{"name": name, "value": value, "url": visitor.address}])


def faults(visitor: Visitor, screen: Screen) -> list[str]:
    page, found = visitor.page, []
    page.set_viewport_size({"width": WIDE, "height": 900})
    page.emulate_media(color_scheme="light")
    answer = page.goto(visitor.address + screen.address, wait_until="load")
    assert answer is not None
    if not answer.ok:
        return [f"answered {answer.status}"]
    page.add_style_tag(content=STILL)
    page.evaluate(AXE_SCRIPT)
    if not page.title().partition("|")[0].strip():
        found.append("no title of its own")
    if (headings := page.evaluate(HEADINGS)) != 1:
        found.append(f"{headings} h1")
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"too wide at {width}: {one}" for one in what_sticks_out(page)]
        found += [f"{fault} (light, {width})" for fault in graves(page, "light")]
        found += [f"{fault} (dark, {width})" for fault in graves(page, "dark")]
    found += visitor.complaints
    visitor.complaints.clear()
    return found


def graves(page: Page, scheme: Literal["light", "dark"]) -> list[str]:
    """What axe calls serious or critical; in the dark only what colours change."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(IN_COLOURS, scheme == "dark")
    return [
        f"{one['impact']} {one['rule']} at {target}: {html[:200]}"
        for one in page.evaluate(AXE, ["color-contrast"] if scheme == "dark" else [])
        if one["impact"] in GRAVE
        for target, html in one["nodes"]
    ]


def test_the_keyboard_reaches_everything_and_is_seen_where_it_is(
    house: Furnished, everyone: Staff, visit: Callable[..., Visitor]
) -> None:
    visitor = visit()
    enter(visitor, everyone, "support")
    page, keyboard = visitor.page, visitor.page.keyboard

    visitor.goes_to("/admin/wallets/wallet/")
    keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#content') !== null")

    page.reload(wait_until="networkidle")
    unseen, reached = [], set()
    for _ in range(40):
        keyboard.press("Tab")
        told, is_seen = page.evaluate(FOCUSED)
        reached.add(told)
        if not is_seen:
            unseen.append(told)
    assert unseen == []
    assert {"Skip to the page", "Start", "Menu"} <= reached

    page.get_by_role("button", name="Support Staff").press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.get_by_role("button", name="Filters").press(" ")
    expect(page.locator("#changelist-filter")).to_be_visible()


FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one), told = one.getAttribute("aria-label");
    const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    return [told ?? one.textContent.trim().replace(/\\s+/g, " ").slice(0, 40), seen];
}"""
