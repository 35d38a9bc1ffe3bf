"""A real Chromium in front of the real application over a database that commits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.back_office.house import Furnished, furnish
from tests.browser.chromium import CHROMIUM, FLAGS
from tests.conftest import Ledger, Person


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason=f"there is no browser: {CHROMIUM} (apt-get install chromium)"))


@pytest.fixture
def house(ledger: Ledger, thandi: Person, sipho: Person) -> Furnished:
    return furnish(thandi, sipho)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, and Django would refuse to use a database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A person at a screen, and everything the browser complained about."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def goes_to(self, path: str) -> None:
        answer = self.page.goto(self.address + path, wait_until="networkidle")
        assert answer is not None
        assert answer.ok, f"{path} answered {answer.status}"
        assert "default-src 'self'" in answer.headers["content-security-policy"]  # what it blocks is a complaint

    def signs_in(self, email: str, password: str) -> None:
        self.goes_to("/admin/login/")
        self.page.fill("input[name=username]", email)
        self.page.fill("input[name=password]", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_load_state("networkidle")

    def hears(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Callable[..., Visitor]]:
    """Sit down at a screen; the browser must not have complained when the test ends."""
    visitors: list[Visitor] = []

    def sit_down(*, width: int = 1280, scheme: Literal["light", "dark"] = "light") -> Visitor:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.set_default_timeout(15_000)
        visitor = Visitor(context.new_page(), address)
        visitor.page.on("console", visitor.hears)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        visitors.append(visitor)
        return visitor

    yield sit_down
    for visitor in visitors:
        visitor.page.context.close()
        assert visitor.complaints == []
