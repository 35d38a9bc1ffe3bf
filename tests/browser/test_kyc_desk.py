"""An officer's day in a real browser: claimed, looked at, sent back for one document, approved by two."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from django.urls import reverse
from playwright.sync_api import Dialog, expect

from accounts import kyc
from accounts.audit import Origin
from accounts.kyc_desk_admin import USUAL_REASONS
from accounts.models import AuditEvent, KycDocument, KycSubmission, User
from accounts.services import create_staff
from mymoolah.common.clock import now
from reporting.demo.cases import make_cases
from tests.back_office.house import PASSWORD
from tests.browser.chromium import what_sticks_out
from tests.browser.conftest import Visitor
from tests.conftest import Ledger


@pytest.fixture
def desk(ledger: Ledger, tmp_path: Path, settings: Any) -> None:
    """What waits in the demo, and two officers."""
    settings.DOCUMENTS_DIR = tmp_path / "documents"
    make_cases(now=now())
    for name in ("kagiso", "katlego"):
        create_staff(
            email=f"{name}@example.com", password=PASSWORD, first_name=name.title(), last_name="Staff", role="kyc"
        )


def case_of(name: str) -> KycSubmission:
    return KycSubmission.objects.get(user__first_name=name)


def test_a_case_is_claimed_viewed_sent_back_and_approved_by_two(desk: None, visit: Callable[..., Visitor]) -> None:
    first = visit()
    first.signs_in("kagiso@example.com", PASSWORD)
    page = first.page
    page.locator("#nav-sidebar-apps").get_by_text("KYC desk", exact=True).click()
    expect(page.get_by_role("link", name="Johan Botha")).to_be_visible()
    page.get_by_role("link", name="Red").click()
    expect(page.get_by_role("link", name="Mandla Zulu")).to_have_count(0)
    first.goes_to(reverse("kyc_queue") + "?tier=2")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="What the customer said")).to_be_visible()
    expect(page).to_have_title(re.compile("Lerato Molefe"))

    # The card, larger and turned; then the statement, page by page.
    picture = page.locator(".kyc-stage img")
    expect(picture).to_be_visible()
    small = picture.bounding_box()
    page.get_by_role("button", name="Zoom in").click()
    large = picture.bounding_box()
    assert small is not None
    assert large is not None
    assert large["width"] == pytest.approx(small["width"] * 1.5, rel=0.02)
    page.keyboard.press("0")
    page.keyboard.press("t")
    expect(picture).to_have_attribute("data-turns", "1")
    turned = picture.bounding_box()
    assert turned is not None
    assert turned["height"] > turned["width"]
    told = page.locator("[data-told]")
    page.keyboard.press("]")
    expect(told).to_have_text("Document 2 of 2, page 1 of 2")
    page.keyboard.press("]")
    expect(told).to_have_text("Document 2 of 2, page 2 of 2")
    assert picture.evaluate("one => one.naturalHeight") > 1000
    looks = AuditEvent.objects.filter(verb="kyc.document_viewed", actor__email="kagiso@example.com")
    assert [event.facts.get("page") for event in looks.order_by("pk")] == [None, 1, 2]

    # The busy half hour: claimed by key, and the card asked for again.
    red_case = case_of("Busisiwe")
    page.keyboard.press("c")
    expect(page.get_by_text("claimed by you")).to_be_visible()
    page.get_by_role("button", name="Show to compare").click()
    expect(page.locator(".kyc-number")).to_have_text(re.compile("^880214044008[0-9]$"))
    page.get_by_label("What is wrong with this document").first.fill("The card is cut off at the left")
    page.get_by_role("button", name="Ask for it again").first.click()
    expect(page.get_by_text("Until it comes, the case can only be rejected")).to_be_visible()

    case = case_of("Lerato")
    again = case.documents.get(kind="identity")
    kyc.send_again(
        user_public_id=case.user.public_id,
        submission_public_id=case.public_id,
        replaces=again.public_id,
        document=_sharper_card(),
        now=now(),
        origin=Origin(),
    )
    # Her number waits in another case too, which is red; so it takes a reason.
    assert red_case.is_red
    page.reload(wait_until="networkidle")
    page.get_by_label("Why the red checks").fill("The other case is a mistake of her daughter's")
    page.keyboard.press("Escape")
    page.locator("h2").first.click()
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Propose tier 2")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Another officer has to look at it now")).to_be_visible()

    second = visit()
    second.signs_in("katlego@example.com", PASSWORD)
    second.goes_to(reverse("kyc_queue") + "?waits_for=second")
    second.page.get_by_role("link", name="Lerato Molefe").click()
    expect(second.page.get_by_text("Kagiso Staff proposes tier 2")).to_be_visible()
    second.page.get_by_role("button", name="Claim this case").click()
    second.page.get_by_role("button", name="Approve as the second officer").click()
    expect(second.page.get_by_text("Approved to tier 2")).to_be_visible()
    assert User.objects.get(pk=case.user_id).kyc_tier == 2


def test_a_case_is_rejected_by_keyboard_alone(desk: None, visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.signs_in("kagiso@example.com", PASSWORD)
    visitor.goes_to(reverse("kyc_case", args=[case_of("Mandla").public_id]))
    keyboard = visitor.page.keyboard
    keyboard.press("c")
    expect(visitor.page.get_by_text("claimed by you")).to_be_visible()
    keyboard.press("r")
    keyboard.type("The card has run out, a nice try")  # n, c, a, r and t are letters here
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(visitor.page.get_by_text("The customer reads: “The card has run out, a nice try”")).to_be_visible()
    assert case_of("Mandla").status == "rejected"


def test_a_usual_reason_is_chosen_changed_and_never_written_over_ones_own(
    desk: None, visit: Callable[..., Visitor]
) -> None:
    visitor = visit()
    visitor.signs_in("kagiso@example.com", PASSWORD)
    visitor.goes_to(reverse("kyc_case", args=[case_of("Mandla").public_id]))
    page = visitor.page
    page.keyboard.press("c")
    expect(page.get_by_text("claimed by you")).to_be_visible()
    usual, reason = page.get_by_label("Usual reasons"), page.get_by_label("Why it is rejected")
    usual.select_option("The document is no longer valid.")
    usual.select_option(USUAL_REASONS[0])
    expect(reason).to_be_focused()
    expect(reason).to_have_value(USUAL_REASONS[0])
    reason.fill("It is a photograph of a photograph.")
    usual.select_option(USUAL_REASONS[1])
    usual.select_option("The document is no longer valid.")
    both = "It is a photograph of a photograph. The document is no longer valid."
    usual.select_option("Write your own")
    expect(reason).to_have_value("It is a photograph of a photograph.")
    usual.select_option("The document is no longer valid.")
    expect(reason).to_have_value(both)
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text(f"The customer reads: “{both}”")).to_be_visible()
    assert case_of("Mandla").reason == both


def test_what_is_typed_is_not_lost_without_a_question(desk: None, visit: Callable[..., Visitor]) -> None:
    visitor, case = visit(), case_of("Naledi")
    page = visitor.page
    visitor.signs_in("kagiso@example.com", PASSWORD)
    visitor.goes_to(reverse("kyc_case", args=[case.public_id]))
    page.keyboard.press("c")
    expect(page.get_by_text("claimed by you")).to_be_visible()
    asked: list[str] = []
    answers = [False, False, True]

    def answer(dialog: Dialog) -> None:
        asked.append(f"{dialog.type}: {dialog.message}")
        dialog.accept() if answers.pop(0) else dialog.dismiss()

    page.on("dialog", answer)
    note = page.get_by_label("Note for colleagues")
    note.fill("The card is new")
    page.get_by_role("button", name="Approve to tier 1").click()
    expect(note).to_be_focused()
    page.get_by_role("link", name="Next case").click()
    page.wait_for_timeout(300)
    expect(note).to_have_value("The card is new")
    assert case_of("Naledi").status == "pending"
    page.get_by_role("button", name="Approve to tier 1").click()
    expect(page.get_by_text("Approved to tier 1")).to_be_visible()
    assert [one.partition(":")[0] for one in asked] == ["confirm", "beforeunload", "confirm"]
    assert "Note for colleagues" in asked[0]
    page.get_by_label("Note for colleagues").fill("Approved, and the card was new")
    page.get_by_role("button", name="Add note").click()  # what is sent itself is not asked about
    expect(page.get_by_text("Approved, and the card was new")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_desk_fits_the_screen(
    desk: None, visit: Callable[..., Visitor], tmp_path: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    visitor = visit(width=width, scheme=scheme)
    visitor.signs_in("kagiso@example.com", PASSWORD)
    folder = Path(os.environ.get("MYMOOLAH_SCREENSHOTS", tmp_path))
    case = case_of("Johan")
    pages = {"kyc-queue": reverse("kyc_queue"), "kyc-case": reverse("kyc_case", args=[case.public_id])}
    for name, path in pages.items():
        visitor.goes_to(path)
        if name == "kyc-case":
            visitor.page.get_by_role("button", name="Claim this case").click()
            expect(visitor.page.locator(".kyc-stage img")).to_be_visible()
        too_wide = what_sticks_out(visitor.page)
        visitor.page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
        assert not too_wide, f"{name} scrolls sideways at {width} pixels: {too_wide}"


def _sharper_card() -> bytes:
    from tests.accounts.papers import picture

    return picture(size=(800, 500), colour=(20, 90, 60))


def test_the_demos_cases_are_made_once(desk: None) -> None:
    def everything() -> list[Any]:
        return [
            list(KycSubmission.objects.order_by("pk").values()),
            list(KycDocument.objects.order_by("pk").values()),
            User.objects.count(),
        ]

    before = everything()
    make_cases(now=now())
    assert everything() == before
    assert KycSubmission.objects.count() == 6
    assert sorted(KycSubmission.objects.filter(is_red=True).values_list("user__first_name", flat=True)) == [
        "Busisiwe",
        "Johan",
        "Lerato",
        "Precious",
    ]
