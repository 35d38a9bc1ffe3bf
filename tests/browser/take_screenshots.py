"""Pictures of the main pages for docs/screenshots: `make screenshots`.

A demo of its own, in a folder that is thrown away, is signed in to as each role; each page is taken light and dark, and
some as a telephone shows them.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Final, Literal
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import CHROMIUM, FLAGS

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "screenshots"
PASSWORD: Final = "moolah-demo"
START_LIMIT_SECONDS: Final = 600
QUALITY: Final = 72  # of a hundred: a page stays below 60 KiB, and small print can be read
WIDE, NARROW = 1280, 390
HEIGHT, NARROW_HEIGHT = 900, 844
DRAWING_MS: Final = 1_200  # charts unfold
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


@dataclass(frozen=True)
class Picture:
    name: str
    role: str
    path: str
    height: int = HEIGHT
    is_narrow_too: bool = False
    why: str = ""
    """What is written as the reason of a proposal before `follow`."""
    follow: tuple[str, ...] = ()
    """What is clicked from there on, as selectors."""


FIRST_ROW: Final = "#result_list tbody a"
FEE: Final = "kind=easypay_topup&currency=ZAR&fee_amount=6.00&vat_rate=0.1500&valid_from=2030-01-01T00:00"
PICTURES: Final = (
    Picture("sign-in", "", "/admin/login/"),
    Picture("start-administrator", "admin", "/admin/", height=1700, is_narrow_too=True),
    Picture("start-finance", "finance", "/admin/"),
    Picture("start-support", "support", "/admin/"),
    Picture("start-operator", "operator", "/admin/"),
    Picture("customer", "support", "/admin/customers/?q=user1%40load.example.com", height=1700, is_narrow_too=True),
    Picture("people", "support", "/admin/accounts/user/"),
    Picture("kyc-queue", "kyc", "/admin/kyc/"),
    Picture("kyc-case", "kyc", "/admin/kyc/?tier=2", follow=(".kyc-table tbody a",), is_narrow_too=True),
    Picture(
        "proposal",
        "finance",
        f"/admin/transactions/proposal/propose/set_fee/?{FEE}",
        why="Agreed with EasyPay, case 17",
        follow=("button:has-text('Preview')",),
    ),
    Picture("trial-balance", "finance", "/admin/books/trial-balance/"),
    Picture("house-wallets", "finance", "/admin/books/house/"),
    Picture("audit-trail", "auditor", "/admin/accounts/auditevent/"),
    Picture("audit-event", "auditor", "/admin/accounts/auditevent/", follow=(FIRST_ROW,)),
)


@contextmanager
def demo(port: int) -> Iterator[str]:
    """A bank with the demo's data, until the pictures are taken."""
    with tempfile.TemporaryDirectory(prefix="mymoolah-screenshots-") as folder:
        command = [sys.executable, "manage.py", "demo", "--port", str(port), "--data-dir", folder]
        environment = {**os.environ, "MYMOOLAH_DEMO_PASSWORD": PASSWORD}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(process, f"{address}/readyz")
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=120)


def wait_for(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(address, timeout=5) as answer:  # noqa: S310 - an address of our own
                if answer.status == HTTPStatus.OK:
                    return
        except (URLError, OSError):
            time.sleep(0.5)
    raise SystemExit("The demo did not start.")


def take_all(browser: Browser, address: str) -> None:
    for role in dict.fromkeys(picture.role for picture in PICTURES):
        page = browser.new_page(reduced_motion="reduce")
        if role:
            sign_in(page, address, f"{role}@example.com")
        for picture in PICTURES:
            if picture.role == role:
                take(page, address, picture)
        page.close()


def sign_in(page: Page, address: str, email: str) -> None:
    page.goto(f"{address}/admin/login/")
    page.fill("input[name=username]", email)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_load_state("networkidle")


def take(page: Page, address: str, picture: Picture) -> None:
    sizes = [("", WIDE, picture.height)] + [("-narrow", NARROW, NARROW_HEIGHT)] * picture.is_narrow_too
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for suffix, width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            page.goto(address + picture.path, wait_until="networkidle")
            if picture.why:
                page.fill("[name=reason]", picture.why)
            for selector in picture.follow:
                page.locator(selector).first.click()
                page.wait_for_load_state("networkidle")
            page.evaluate("document.fonts.ready")
            page.wait_for_timeout(DRAWING_MS)
            keep(page.screenshot(animations="disabled"), FOLDER / f"{picture.name}{suffix}-{scheme}.webp")


def keep(taken: bytes, file: Path) -> None:
    Image.open(BytesIO(taken)).convert("RGB").save(file, quality=QUALITY, method=6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8900, help="of the demo that is shown (8900)")
    parser.add_argument("--address", help="of a demo that runs already, instead of one of its own")
    asked = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.webp"):
        old.unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        if asked.address:
            take_all(browser, asked.address)
        else:
            with demo(asked.port) as address:
                take_all(browser, address)
        browser.close()
    sizes = [file.stat().st_size for file in FOLDER.glob("*.webp")]
    print(f"{len(sizes)} pictures in {FOLDER.relative_to(ROOT)}, {sum(sizes) / 1024:,.0f} KiB.")


if __name__ == "__main__":
    main()
