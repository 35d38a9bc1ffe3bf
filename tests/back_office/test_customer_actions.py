"""The forms of what staff do for a customer: who gets which, what they carry, and that the identity number is shown once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.lockout import MOST_FAILURES, count_attempt
from accounts.models import AuditEvent, LoginSession, OneTimeCode, User
from accounts.staff_session import CONFIRMED_AT
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from reporting.customer_deeds import DEEDS, MATTERS, SHOWN_SECONDS
from reporting.roles import ROLES
from tests.accounts.papers import THANDIS_ID
from tests.accounts.test_care import signs_in, submitted
from tests.back_office.house import PASSWORD, colleague, emergency, page_of, signed_in
from tests.conftest import Ledger, Person, balance, fund
from tests.vouchers import desk
from tests.vouchers.till import payment, told
from vouchers.models import Voucher
from wallets.freezing import NOT_STOPPED, Question
from wallets.models import Wallet

pytestmark = pytest.mark.usefixtures("ledger", "worker_at_hand")
REASONS = {name: deed.reasons.values[0] for name, deed in DEEDS.items()}


def address(who: Person, name: str) -> str:
    query = f"?wallet={who.wallet.number}" if DEEDS[name].fits_wallet else ""
    if DEEDS[name].check_voucher:
        query = f"?voucher={(Voucher.objects.filter(user=who.user).first() or desk.issue(who, desk.TOP_UP)).public_id}"
    return reverse(f"customer_{name}", args=[who.user.public_id]) + query


def opened(client: Client, who: Person, name: str) -> dict[str, str]:
    """The form as it comes, with what it carries unseen."""
    html = client.get(address(who, name)).content.decode()
    return dict(re.findall(r'<input type="hidden" name="(seen|once)" value="([^"]*)"', html))


def sent(client: Client, who: Person, name: str, carried: dict[str, str] | None = None, **given: Any) -> Any:
    form = {"reason": REASONS[name], "words": "Case 17", **(opened(client, who, name) if carried is None else carried)}
    return client.post(address(who, name), {**form, **given}, follow=True)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def standing(who: Person) -> str:
    return Wallet.objects.get(pk=who.wallet.pk).standing


def needs_everything(who: Person) -> None:
    """Somebody who is locked out, has a contact to confirm, and whose identity number is kept."""
    submitted(who)
    User.objects.filter(pk=who.user.pk).update(phone_verified_at=None)
    for _ in range(MOST_FAILURES["account"]):
        count_attempt(email=who.user.email, address="192.0.2.1").failed()


OFFERED = {
    "support": ["freeze", "end-sessions", "unlock", "send-code", "send-reset", "reveal"],
    "kyc": ["suspend", "close", "reveal"],
    "finance": ["freeze"],
    "auditor": [],
    "administrator": ["freeze", "suspend", "close", "end-sessions", "unlock", "send-code", "send-reset"],
    "superuser": ["freeze", "suspend", "close", "end-sessions", "unlock", "send-code", "send-reset", "reveal"],
}


@pytest.mark.parametrize("role", OFFERED)
def test_the_customers_page_offers_what_the_role_does_and_what_fits(thandi: Person, role: str) -> None:
    needs_everything(thandi)
    client = signed_in(emergency() if role == "superuser" else colleague(role))
    page = client.get(reverse("customer_page", args=[thandi.user.public_id]))
    assert [deed["address"] for deed in page.context["deeds"]] == [address(thandi, name) for name in OFFERED[role]]
    for deed in page.context["deeds"]:
        assert str(deed["address"]) in page.content.decode().replace("&amp;", "&")
        assert client.get(str(deed["address"])).status_code == 200


def test_what_is_offered_follows_what_there_is(thandi: Person) -> None:
    ada = signed_in(colleague("administrator"))

    def offered() -> set[str]:
        page = ada.get(reverse("customer_page", args=[thandi.user.public_id]))
        return {str(deed["title"]).removesuffix(f" {thandi.wallet.number}") for deed in page.context["deeds"]}

    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    User.objects.filter(pk=thandi.user.pk).update(status="suspended")
    assert {"Unfreeze wallet", "Reinstate account", "Close account"} <= offered()
    assert not {"Freeze wallet", "Suspend account", "Reopen account"} & offered()
    User.objects.filter(pk=thandi.user.pk).update(status="closed")
    assert {"Reopen account"} <= offered()
    assert not {"Reinstate account", "Send a code again", "Send a password reset"} & offered()


def offered_names(client: Client, who: Person) -> set[str]:
    page = client.get(reverse("customer_page", args=[who.user.public_id]))
    return {str(deed["address"]).partition("?")[0].rpartition("/")[2] for deed in page.context["deeds"]}


def test_what_can_only_fail_is_not_offered(thandi: Person) -> None:
    root = signed_in(emergency())
    needless = {"unlock", "send-code", "reveal"}
    assert not needless & offered_names(root, thandi)
    User.objects.filter(pk=thandi.user.pk).update(email_verified_at=None)
    assert "send-reset" not in offered_names(root, thandi)
    needs_everything(thandi)
    assert needless <= offered_names(root, thandi)
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="closed")
    User.objects.filter(pk=thandi.user.pk).update(status="closed")
    assert offered_names(root, thandi) == {"reopen", "reveal"}


def test_a_code_is_offered_to_the_contacts_that_wait_for_one(thandi: Person) -> None:
    support = signed_in(colleague("support"))

    def choices() -> list[str]:
        return re.findall(r'name="contact" value="(\w+)"', support.get(address(thandi, "send-code")).content.decode())

    assert choices() == []
    OneTimeCode.objects.create(
        user=thandi.user,
        purpose="email",
        target="new@example.com",
        code_digest=b"t" * 32,
        sent_at=now(),
        expires_at=now() + dt.timedelta(minutes=10),
        counted_from=now(),
    )
    assert choices() == ["email"]
    assert "send-code" in offered_names(support, thandi)
    User.objects.filter(pk=thandi.user.pk).update(phone_verified_at=None)
    assert choices() == ["phone", "email"]


def test_no_reason_is_chosen_beforehand(thandi: Person) -> None:
    root = signed_in(emergency())
    for name in DEEDS:
        html = root.get(address(thandi, name)).content.decode()
        first = re.search(r'<select name="reason".*?<option value="([^"]*)"([^>]*)>', html, re.DOTALL)
        assert first is not None, name
        assert first[1] == "", name
        assert "selected" not in re.sub(r'<option value="" selected>', "", html.partition('name="reason"')[2]), name


def test_the_bank_takes_over_what_a_customer_froze(thandi: Person) -> None:
    support = signed_in(colleague("support"))
    sent(support, thandi, "freeze", reason="lost", words="")
    assert offered_names(support, thandi) >= {"take-over", "unfreeze"}
    assert "freeze" not in offered_names(support, thandi)
    form = support.get(address(thandi, "take-over")).content.decode()
    assert 'value="lost"' not in form
    assert 'value="fraud"' in form
    assert "is now frozen by the bank" in text(sent(support, thandi, "take-over", reason="fraud"))
    assert standing(thandi) == "frozen by the bank"
    assert "take-over" not in offered_names(support, thandi)


@pytest.mark.parametrize("name", DEEDS)
def test_only_whose_role_has_it_opens_or_sends_a_form(thandi: Person, name: str) -> None:
    for role, permissions in ROLES.items():
        client, may = signed_in(colleague(role)), bool(permissions & set(DEEDS[name].permissions))
        assert client.get(address(thandi, name)).status_code == (200 if may else 403)
        # Nothing is filled in: the form comes back.
        assert client.post(address(thandi, name)).status_code == (200 if may else 403)
    assert standing(thandi) == "active"
    assert User.objects.get(pk=thandi.user.pk).status == "active"


def test_a_form_is_of_our_own_page(thandi: Person) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(colleague("support"))
    assert strict.post(address(thandi, "freeze"), {"reason": "lost", "seen": "active"}).status_code == 403
    assert standing(thandi) == "active"


def test_freezing_and_unfreezing_come_back_to_the_customer_with_a_sentence(thandi: Person) -> None:
    support, finance = signed_in(colleague("support")), signed_in(colleague("finance"))
    answer = sent(support, thandi, "freeze", reason="fraud")
    assert f"Wallet {thandi.wallet.number} is frozen: it neither sends nor receives. {NOT_STOPPED}" in text(answer)
    assert answer.redirect_chain == [(reverse("customer_page", args=[thandi.user.public_id]), 302)]
    assert "The bank froze it: finance or an administrator can undo that." in text(sent(support, thandi, "unfreeze"))
    assert standing(thandi) == "frozen by the bank"
    assert "answered right" not in text(finance.get(address(thandi, "unfreeze")))
    assert "sends and receives again" in text(sent(finance, thandi, "unfreeze"))
    assert standing(thandi) == "active"


def test_questions_are_ticked_for_who_froze_it_himself(thandi: Person) -> None:
    support = signed_in(colleague("support"))
    sent(support, thandi, "freeze", reason="lost", words="")
    assert "Date of birth" in text(support.get(address(thandi, "unfreeze")))
    assert "Ask the caller every question first" in text(sent(support, thandi, "unfreeze", answered=["born"]))
    assert standing(thandi) == "frozen by the customer"
    sent(support, thandi, "unfreeze", answered=Question.values)
    assert standing(thandi) == "active"


def test_a_page_that_is_out_of_date_does_nothing_and_shows_what_there_is(thandi: Person) -> None:
    support = signed_in(colleague("support"))
    old = opened(support, thandi, "freeze")
    sent(support, thandi, "freeze", old, reason="fraud")
    answer = sent(support, thandi, "freeze", old, reason="fraud")
    assert "This has changed since you opened the page" in text(answer)
    assert AuditEvent.objects.filter(verb="wallet.frozen").count() == 1
    forged = sent(signed_in(colleague("finance")), thandi, "unfreeze", {"seen": "frozen by the customer"})
    assert "This has changed" in text(forged)


def test_a_deed_without_a_reason_is_not_done(thandi: Person) -> None:
    client = signed_in(emergency())
    for name in DEEDS:
        for given in ({"reason": ""}, {"reason": "nonsense"}, {"reason": "other", "words": " "}):
            answer = sent(client, thandi, name, None, contact="phone", **given)
            assert answer.redirect_chain == [], name
    told = {"wallet.opened", "user.registered"}
    of_staff = {"staff.superuser_created", "staff.signed_in", "superuser.acted"}
    assert set(AuditEvent.objects.values_list("verb", flat=True)) - told <= {"sign_in.started", *of_staff}


def test_closing_with_money_says_what_is_still_there(thandi: Person) -> None:
    fund(thandi, "20.00")
    answer = sent(signed_in(colleague("kyc")), thandi, "close")
    assert f"wallet {thandi.wallet.number} holds 20.00 ZAR" in text(answer)
    assert User.objects.get(pk=thandi.user.pk).status == "active"


def test_closing_and_reopening(thandi: Person) -> None:
    ada = signed_in(colleague("administrator"))
    assert "The account and its wallets are closed." in text(sent(ada, thandi, "close"))
    assert "suspended until somebody reinstates it" in text(sent(ada, thandi, "reopen"))
    assert "The account is active again." in text(sent(ada, thandi, "reinstate"))
    assert "every session has ended" in text(sent(ada, thandi, "suspend"))


def test_help_by_telephone(thandi: Person, settings: Any) -> None:
    settings.SMS_BACKEND = "mymoolah.common.messages.MemorySms"
    support = signed_in(colleague("support"))
    first, _, _ = (signs_in(thandi) for _ in range(3))
    assert "The session has ended." in text(sent(support, thandi, "end-sessions", session=str(first.public_id)))
    assert LoginSession.objects.filter(revoked_at=None).count() == 2
    assert "2 sessions ended." in text(sent(support, thandi, "end-sessions"))
    assert "Sign-in is unlocked" in text(sent(support, thandi, "unlock"))
    assert "As things stand there is nothing to do here" in text(sent(support, thandi, "send-code", contact="phone"))
    User.objects.filter(pk=thandi.user.pk).update(phone_verified_at=None)
    assert "A new code is on its way." in text(sent(support, thandi, "send-code", contact="phone"))
    assert "to choose a new password with" in text(sent(support, thandi, "send-reset"))
    assert OneTimeCode.objects.count() == 2


# A voucher --------------------------------------------------------------------------------------------------------------
def cancelling(who: Person, voucher: Voucher) -> str:
    return reverse("customer_cancel-voucher", args=[who.user.public_id]) + f"?voucher={voucher.public_id}"


def form_of(client: Client, where: str, **given: str) -> dict[str, str]:
    carried = re.findall(r'<input type="hidden" name="(once)" value="([^"]*)"', client.get(where).content.decode())
    return {"reason": "stolen", "words": "", **dict(carried), **given}


@pytest.mark.parametrize(
    ("voucher_type", "says"),
    [
        (desk.TOP_UP, "Nothing had been paid for it."),
        (desk.EASYPAY_VOUCHER, "102.88 ZAR came back into the customer&#x27;s wallet."),
        (desk.CASH_OUT, "109.20 ZAR is no longer held in the customer&#x27;s wallet."),
    ],
)
def test_a_thiefs_voucher_is_cancelled_while_the_wallet_is_frozen(thandi: Person, voucher_type: str, says: str) -> None:
    fund(thandi, "500.00")
    voucher = desk.issue(thandi, voucher_type)
    support = signed_in(colleague("support"))
    home = reverse("customer_page", args=[thandi.user.public_id])
    sent(support, thandi, "freeze", reason="lost", words="")
    where = cancelling(thandi, voucher)
    assert f'href="{where}"' in support.get(home).content.decode()
    asked = text(support.get(where))
    assert "100.00 ZAR" in asked
    assert f"…{str(voucher.easypay_number)[-4:]}" in asked
    assert str(voucher.easypay_number) not in asked
    answer = support.post(where, form_of(support, where), follow=True)
    assert answer.redirect_chain == [(home, 302)]
    assert f"…{str(voucher.easypay_number)[-4:]} is cancelled. {says}" in text(answer)
    assert where not in answer.content.decode()
    assert (balance(thandi), Wallet.objects.get(pk=thandi.wallet.pk).held) == (Money.parse("500.00"), 0)
    assert standing(thandi) == "frozen by the customer"
    assert "Voucher cancelled by staff" in text(answer)


def test_a_form_that_is_sent_twice_cancels_once_and_another_finds_it_done(thandi: Person) -> None:
    fund(thandi, "500.00")
    voucher, other = desk.issue(thandi, desk.CASH_OUT), desk.issue(thandi, desk.CASH_OUT)
    support, where = signed_in(colleague("support")), cancelling(thandi, voucher)
    form, another = form_of(support, where), form_of(support, where)
    for words in ("", "Sent again"):
        assert "is cancelled." in text(support.post(where, {**form, "words": words}, follow=True))
    for late in (another, form_of(support, where)):
        answer = support.post(where, late)
        assert "Nothing was done. This voucher was cancelled." in text(answer)
    assert "there is nothing to do here. This voucher was cancelled." in text(support.get(where))
    # The form of one voucher is none of another's.
    assert "Nothing was done." in text(support.post(cancelling(thandi, other), form))
    assert desk.state_of(other)[0] == "pending_payment"
    assert AuditEvent.objects.filter(verb="voucher.cancelled_by_staff").count() == 1


def test_ten_at_once_of_one_form_cancel_once(thandi: Person, race: Callable[..., list[Any]]) -> None:
    fund(thandi, "500.00")
    voucher = desk.issue(thandi, desk.CASH_OUT)
    support, where = signed_in(colleague("support")), cancelling(thandi, voucher)
    form, cookies = form_of(support, where), support.cookies

    def work() -> int:
        client = Client()
        client.cookies = cookies
        return client.post(where, form).status_code

    assert race(10, work) == [302] * 10
    assert AuditEvent.objects.filter(verb="voucher.cancelled_by_staff").count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"once": ""},
        {"once": "short"},
        {"once": "x" * 65},
        {"once": "x" * 20 + "\n"},
        {"once": "x" * 20 + "\0"},
        {"once": "\u00e9" * 20},
        {"reason": ""},
        {"reason": "lost"},
        {"reason": "fraud"},
        {"reason": "other", "words": " "},
        {"words": "x" * 501},
    ],
)
def test_a_malformed_form_cancels_nothing(thandi: Person, wrong: dict[str, str]) -> None:
    voucher = desk.issue(thandi, desk.TOP_UP)
    support, where = signed_in(colleague("support")), cancelling(thandi, voucher)
    form = form_of(support, where)
    assert support.post(where, {**form, **wrong}).status_code == 200
    assert desk.state_of(voucher)[0] == "pending_payment"
    assert support.post(where, form).status_code == 302


def test_a_voucher_of_somebody_else_or_nobody_is_not_found(thandi: Person, sipho: Person) -> None:
    voucher = desk.issue(sipho, desk.TOP_UP)
    support = signed_in(colleague("support"))
    base = reverse("customer_cancel-voucher", args=[thandi.user.public_id])
    nobodys = "0b8c6f1e-7d2a-4c39-8e51-2f6a9d3b4c57"
    for query in (
        "",
        "?voucher=",
        "?voucher=1",
        "?voucher=%00",
        f"?voucher={nobodys}",
        f"?voucher={voucher.public_id}",
    ):
        assert support.get(base + query).status_code == 404
        assert support.post(base + query, {"reason": "stolen", "once": "x" * 20}).status_code == 404
    assert desk.state_of(voucher)[0] == "pending_payment"


def test_what_cannot_be_cancelled_says_why_before_it_is_tried(thandi: Person) -> None:
    fund(thandi, "500.00")
    support = signed_in(colleague("support"))
    standard, pinned = desk.issue(thandi), desk.issue(thandi, desk.CASH_OUT)
    told(payment(pinned, "99.99"))
    for voucher, says in (
        (standard, "Vouchers of this type cannot be cancelled."),
        (pinned, "A till reported something about this voucher that we look into."),
    ):
        where = cancelling(thandi, voucher)
        assert f"there is nothing to do here. {says}" in text(support.get(where))
        assert f"Nothing was done. {says}" in text(support.post(where, form_of(support, where)))
        assert where not in support.get(reverse("customer_page", args=[thandi.user.public_id])).content.decode()
        assert desk.state_of(voucher)[0] == voucher.status


# The identity number --------------------------------------------------------------------------------------------------
def test_the_number_is_in_one_answer_and_nowhere_else(thandi: Person) -> None:
    submitted(thandi)
    support = signed_in(colleague("support"))
    carried = opened(support, thandi, "reveal")
    for page in (address(thandi, "reveal"), reverse("customer_page", args=[thandi.user.public_id])):
        assert THANDIS_ID not in support.get(page).content.decode()
    carried = opened(support, thandi, "reveal")
    shown = sent(support, thandi, "reveal", carried, reason="caller")
    assert THANDIS_ID in text(shown)
    assert shown.redirect_chain == []
    assert "no-store" in shown["Cache-Control"]
    home = reverse("customer_page", args=[thandi.user.public_id])
    assert shown["Refresh"] == f"{SHOWN_SECONDS}; url={home}"
    again = sent(support, thandi, "reveal", carried, reason="caller")
    assert THANDIS_ID not in again.content.decode()
    assert "was shown once" in text(again)
    assert THANDIS_ID not in support.get(home).content.decode()
    assert AuditEvent.objects.filter(verb="identity.revealed").count() == 1


def test_a_form_for_the_number_that_was_never_opened_shows_nothing(thandi: Person) -> None:
    submitted(thandi)
    support = signed_in(colleague("support"))
    for carried in ({}, {"once": ""}, {"once": "x"}):
        assert THANDIS_ID not in sent(support, thandi, "reveal", carried, reason="caller").content.decode()
    assert not AuditEvent.objects.filter(verb="identity.revealed").exists()


def test_sent_twenty_times_at_once_the_number_is_in_one_answer(thandi: Person, race: Callable[..., list[Any]]) -> None:
    submitted(thandi)
    support = signed_in(colleague("support"))
    form = {"reason": "caller", "words": "Case 17", **opened(support, thandi, "reveal")}
    cookies = support.cookies

    def work() -> bool:
        client = Client()
        client.cookies = cookies
        return THANDIS_ID in client.post(address(thandi, "reveal"), form).content.decode()

    assert sum(race(20, work)) == 1
    assert AuditEvent.objects.filter(verb="identity.revealed").count() == 1


# The password again -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", sorted(MATTERS))
def test_what_matters_asks_for_the_password_when_it_was_given_long_ago(thandi: Person, name: str) -> None:
    if name == "reveal":
        submitted(thandi)
    if name == "unfreeze":
        Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    if name in {"reinstate", "reopen"}:
        sent(signed_in(colleague("administrator")), thandi, "close" if name == "reopen" else "suspend")
    client = signed_in(emergency())
    session = client.session
    session[CONFIRMED_AT] = 0
    session.save()
    carried = opened(client, thandi, name)
    # What a superuser sends is told before it is looked at: no deed yet.
    deeds = AuditEvent.objects.exclude(verb="superuser.acted")
    before = deeds.count()
    answer = sent(client, thandi, name, carried)
    assert "Is it still you?" in text(answer)
    assert deeds.count() == before
    done = sent(client, thandi, name, carried, confirmed_by_password=PASSWORD)
    assert (THANDIS_ID in text(done)) == (name == "reveal")
    assert deeds.count() > before


# Colleagues -------------------------------------------------------------------------------------------------------------
def test_an_administrator_suspends_a_colleague_on_his_page(thandi: Person) -> None:
    ada, sam = signed_in(colleague("administrator")), colleague("support")
    page = ada.get(page_of(sam)).content.decode()
    suspend = reverse("customer_suspend", args=[sam.public_id])
    assert suspend in page
    assert reverse("customer_reveal", args=[sam.public_id]) not in page
    someone = Person(sam, thandi.wallet)
    answer = sent(ada, someone, "suspend")
    assert answer.redirect_chain == [(page_of(sam), 302)]
    assert User.objects.get(pk=sam.pk).status == "suspended"
    kyc = signed_in(colleague("kyc"))
    assert "Only an administrator does this to a colleague" in text(sent(kyc, someone, "reinstate"))


def test_nobody_is_offered_or_does_something_to_himself(thandi: Person) -> None:
    ada = colleague("administrator")
    own = Person(ada, thandi.wallet)
    assert "Nobody does this to an account of his own" in text(sent(signed_in(ada), own, "suspend"))
    assert User.objects.get(pk=ada.pk).status == "active"


def test_a_wallet_of_somebody_else_is_not_found(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    client = signed_in(colleague("support"))
    base = reverse("customer_freeze", args=[thandi.user.public_id])
    for query in ("", "?wallet=", f"?wallet={sipho.wallet.number}", "?wallet=%00"):
        assert client.get(base + query).status_code == 404
        assert client.post(base + query, {"reason": "lost", "seen": "active"}).status_code == 404
    assert ledger.name
