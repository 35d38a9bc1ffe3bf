"""The browser: which one, and how it is started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

CHROMIUM = Path(os.environ.get("MYMOOLAH_CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A chart follows its frame some moments later: whatever has not come to fit after two seconds does not fit.
STICKS_OUT: Final = """async () => {
    const root = document.documentElement, until = performance.now() + 2000;
    while (root.scrollWidth > root.clientWidth && performance.now() < until) {
        await new Promise(requestAnimationFrame);
    }
    if (root.scrollWidth <= root.clientWidth) return [];
    const room = root.clientWidth + 1;
    const wide = [...document.body.querySelectorAll("*")].filter(one => one.getBoundingClientRect().right > room);
    return wide.slice(0, 3).map(one => one.outerHTML.slice(0, 120)).concat("…");
}"""


def what_sticks_out(page: Page) -> list[str]:
    """The beginnings of up to three elements that make a page scroll sideways, and an ellipsis; empty when it fits."""
    found: list[str] = page.evaluate(STICKS_OUT)
    return found
