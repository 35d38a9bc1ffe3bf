"""A colleague and a telephone, in a real browser: set up, sign in, lose it, come back too late."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Page, expect

from accounts import lockout, second_factor
from accounts.audit import SYSTEM
from accounts.models import AuditEvent, RecoveryCode, SecondFactor, User
from accounts.staff_session import CONFIRMED_AT, SEEN_AT
from mymoolah.common.clock import now
from tests.accounts.test_second_factor import KEY, code_at
from tests.back_office.house import PASSWORD, colleague
from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor
from tests.browser.test_access import IN_COLOURS, STILL, graves
from tests.conftest import Ledger

FIELD = "input[name=code]"


def set_back(visitor: Visitor, name: str, *, minutes: int) -> None:
    """As if something of the session in this browser had been longer ago."""
    [cookie] = [one for one in visitor.page.context.cookies() if one["name"] == "staff"]
    session = SessionStore(session_key=cookie["value"])
    session[name] -= minutes * 60
    session.save()


def next_code(key: str = KEY) -> str:
    """A code that is good and not used up, without waiting half a minute for it: as if all had just enrolled again."""
    factors, codes = list(SecondFactor.objects.all()), list(RecoveryCode.objects.all())
    SecondFactor.objects.all().delete()
    for factor in factors:
        factor.last_step = 1
    SecondFactor.objects.bulk_create(factors)
    RecoveryCode.objects.bulk_create(codes)
    return code_at(now(), key=key)


def gives(visitor: Visitor, code: str) -> None:
    visitor.page.fill(FIELD, code)
    visitor.page.press(FIELD, "Enter")
    visitor.page.wait_for_load_state("networkidle")


def signs_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_load_state("networkidle")


def test_a_telephone_is_set_up_and_asked_for_from_then_on(
    ledger: Ledger, visit: Callable[..., Visitor], settings: Any
) -> None:
    settings.STAFF_SECOND_FACTOR = True
    colleague("kyc")
    visitor = visit()
    page = visitor.page
    visitor.signs_in("kyc@example.com", PASSWORD)
    expect(page.get_by_role("heading", name="Set up your second factor")).to_be_visible()
    expect(page.get_by_role("img", name="A QR code")).to_be_visible()
    page.get_by_text("Or type the key").click()
    key = page.locator("#key").inner_text().replace(" ", "")
    gives(visitor, "000000")
    expect(page.get_by_text("This code is not good")).to_be_visible()
    gives(visitor, code_at(now(), key=key))
    codes = page.locator("#codes li").all_inner_texts()
    assert len(codes) == 10
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").split("\n") == codes
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(f"{visitor.address}/admin/")

    visitor.goes_to("/admin/second-factor/")
    expect(page.get_by_text("10 of 10 are left")).to_be_visible()
    page.context.clear_cookies()

    visitor.signs_in("kyc@example.com", PASSWORD)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    visitor.goes_to("/admin/kyc/")
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    gives(visitor, next_code(key))
    expect(page).to_have_url(f"{visitor.address}/admin/kyc/")
    page.context.clear_cookies()

    visitor.signs_in("kyc@example.com", PASSWORD)
    gives(visitor, codes[3])
    visitor.goes_to("/admin/second-factor/")
    expect(page.get_by_text("9 of 10 are left")).to_be_visible()
    page.context.clear_cookies()

    visitor.signs_in("kyc@example.com", PASSWORD)
    gives(visitor, codes[3])
    for _ in range(lockout.MOST_WRONG_CODES["account"] - 1):
        gives(visitor, "000000")
    gives(visitor, codes[4])
    expect(page.get_by_text("Too many wrong codes. Please wait 15 minutes.")).to_be_visible()
    signs_out(page)
    assert AuditEvent.objects.filter(verb="second_factor.locked").exists()


def test_whoever_comes_back_too_late_signs_in_and_is_where_he_was(
    ledger: Ledger, visit: Callable[..., Visitor]
) -> None:
    colleague("support")
    visitor = visit()
    page = visitor.page
    visitor.signs_in("support@example.com", PASSWORD)
    visitor.goes_to("/admin/accounts/auditevent/?verb=staff.created")
    set_back(visitor, SEEN_AT, minutes=31)
    page.reload(wait_until="networkidle")
    expect(page.get_by_text("You were signed out because nothing happened for 30 minutes.")).to_be_visible()
    page.fill("input[name=username]", "support@example.com")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_load_state("networkidle")
    expect(page).to_have_url(f"{visitor.address}/admin/accounts/auditevent/?verb=staff.created")


def test_a_lost_telephone_is_reset_by_an_administrator_who_gives_the_password_again(
    ledger: Ledger, visit: Callable[..., Visitor]
) -> None:
    colleague("administrator")
    sam = colleague("support")
    enrolled(sam)
    visitor = visit()
    page = visitor.page
    visitor.signs_in("administrator@example.com", PASSWORD)
    visitor.goes_to("/admin/second-factor/colleagues")
    page.get_by_role("link", name="Reset the second factor of Support Staff").click()
    set_back(visitor, CONFIRMED_AT, minutes=11)
    page.fill("textarea[name=reason]", "Lost on the train; seen in person")
    page.get_by_role("button", name="Reset the second factor").click()
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
    page.fill("input[name=confirmed_by_password]", "something-else")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("This is not your current password.")).to_be_visible()
    page.fill("input[name=confirmed_by_password]", PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Support Staff signs in with the password alone")).to_be_visible()
    assert not SecondFactor.objects.exists()


def enrolled(user: User) -> None:
    second_factor.enrol(user_id=user.pk, key=KEY, code=code_at(now()), is_replacement=False, now=now(), origin=SYSTEM)


def test_the_pages_of_signing_in_are_for_everybody(
    ledger: Ledger, visit: Callable[..., Visitor], tmp_path: Path, settings: Any
) -> None:
    """No grave fault to axe, nothing too wide, in light and dark; the pictures are for eyes."""
    settings.STAFF_SECOND_FACTOR = True
    folder = Path(os.environ.get("MYMOOLAH_SCREENSHOTS", tmp_path))
    ada = colleague("administrator")
    visitor = visit()
    page = visitor.page
    found: list[str] = []

    def look(name: str) -> None:
        page.add_style_tag(content=STILL)
        page.evaluate(AXE_SCRIPT)
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            found.extend(f"{name} too wide at {width}: {one}" for one in what_sticks_out(page))
            for scheme in schemes:
                found.extend(f"{name} {scheme} {width}: {fault}" for fault in graves(page, scheme))
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
        page.emulate_media(color_scheme="light")
        page.evaluate(IN_COLOURS, arg=False)

    visitor.signs_in("administrator@example.com", PASSWORD)
    page.get_by_text("Or type the key").click()
    key = page.locator("#key").inner_text().replace(" ", "")
    look("enrol")
    gives(visitor, code_at(now(), key=key))
    look("recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    visitor.goes_to("/admin/second-factor/")
    look("own")
    set_back(visitor, CONFIRMED_AT, minutes=11)
    page.get_by_role("button", name="Make new recovery codes").click()
    look("confirm")
    enrolled(colleague("support"))
    colleague("finance")
    visitor.goes_to("/admin/second-factor/colleagues")
    look("colleagues")
    page.get_by_role("link", name="Reset the second factor of Support Staff").click()
    page.wait_for_load_state("networkidle")
    look("reset")
    page.context.clear_cookies()
    visitor.signs_in(ada.email, PASSWORD)
    gives(visitor, "000000")
    look("code")
    assert found == []
