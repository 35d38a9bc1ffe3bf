"""The pages of maker and checker, for each role; what they cost, and where they are reached from."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from tests.back_office.house import colleague, list_page, page_class, page_of, signed_in
from tests.conftest import Ledger, Person, Sql, balance, fund, send
from tests.proposals import STORIES, adjustment, approve, pair, proposed
from transactions.models import FeeRule, Proposal, Receivable, Transfer
from transactions.proposals.commands import COMMANDS
from vouchers.models import SuspenseItem, Voucher
from wallets.models import TierLimit, Wallet

pytestmark = pytest.mark.usefixtures("ledger")

PROPOSE = reverse("admin:transactions_proposal_propose", args=["adjust_wallet"])
DEEDS = ("check", "approve", "reject", "withdraw")


@pytest.fixture
def maker(ledger: Ledger) -> Client:
    return signed_in(User.objects.get(pk=pair()[0]))


@pytest.fixture
def checker(ledger: Ledger) -> Client:
    return signed_in(User.objects.get(pk=pair()[1]))


def an_adjustment(thandi: Person) -> Proposal:
    fund(thandi, "100.00")
    return proposed("adjust_wallet", adjustment(thandi))


def deed(proposal: Proposal, name: str) -> str:
    return reverse(f"admin:transactions_proposal_{name}", args=[proposal.pk])


def asked(thandi: Person, **changes: str) -> dict[str, str]:
    form = {"wallet": thandi.wallet.number, "direction": "debit", "amount": "60", "currency": "ZAR"}
    return {**form, "reason": "Case 17", "public_id": str(uuid.uuid4()), **changes}


def seen_on(answer: Any) -> str:
    return str(answer.context["seen"])


# Asking ---------------------------------------------------------------------------------------------------------------
def test_a_preview_is_shown_and_writes_nothing(thandi: Person, maker: Client) -> None:
    fund(thandi, "1000.00")
    html = maker.post(PROPOSE, asked(thandi, preview="1")).content.decode()
    assert "1,000.00 ZAR" in html
    assert "\u221260.00 ZAR" in html
    assert "pays 60.00" in html
    assert "940.00 ZAR" in html
    assert not Proposal.objects.exists()
    assert balance(thandi).amount == Decimal("1000.00")


def test_a_proposal_sent_twice_is_one(thandi: Person, maker: Client) -> None:
    fund(thandi, "100.00")
    form = asked(thandi, propose="1")
    first, second = (maker.post(PROPOSE, form) for _ in range(2))
    proposal = Proposal.objects.get()
    assert first["Location"] == second["Location"] == page_of(proposal)
    assert proposal.arguments == adjustment(thandi)
    assert proposal.proposed_by_id == pair()[0]
    assert balance(thandi).amount == Decimal("100.00")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": "100.01"}, "There is not enough money available."),
        ({"amount": "0"}, "greater than or equal to 0.01"),
        ({"amount": "1.001"}, "no more than 2 decimal places"),
        ({"wallet": "12"}, "Ten digits"),
        ({"wallet": "1234567897"}, "There is no such wallet."),
        ({"reason": "  "}, "This field is required."),
        ({"public_id": "x"}, "Enter a valid UUID."),
    ],
)
def test_what_cannot_be_proposed_says_why(thandi: Person, maker: Client, changes: dict[str, str], said: str) -> None:
    fund(thandi, "100.00")
    answer = maker.post(PROPOSE, asked(thandi, propose="1", **changes))
    assert answer.status_code == 200
    assert said in answer.content.decode() or "public_id" in changes
    assert not Proposal.objects.exists()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1,000.50", "1000.50"),
        ("1 000.50", "1000.50"),
        ("1\u00a0000.50", "1000.50"),
        ("1,234,567.8", "1234567.80"),
        (" 1000 ", "1000.00"),
        ("1,000", "1000.00"),
        ("0.50", "0.50"),
        ("999", "999.00"),
        *(
            (text, None)
            for text in ("1,00.50", "1,50", "1000,50", "1,0000", "1 00", "1, 000", "1,000 000", "1,000.50,0")
        ),
        *(
            (text, None)
            for text in ("1234,567", "0,100", ",100", "1.000,50", "R1 000.50", "-5", "+5", "1e3", "NaN", ".5")
        ),
        *((text, None) for text in ("1.", "\u0661\u0660", "1\n000")),
    ],
)
def test_an_amount_is_read_as_our_pages_write_it_and_a_comma_is_never_guessed_at(
    written: str, kept: str | None
) -> None:
    form = COMMANDS["settle"].schema({"step": "top_ups", "amount": written, "currency": "ZAR"})
    if kept is None:
        assert form.errors["amount"] == [
            "Write an amount such as 1,000.50: a point before the cents, and three digits after each comma."
        ]
    else:
        assert form.is_valid(), form.errors
        assert form.as_arguments()["amount"] == kept


def test_a_written_amount_moves_what_it_says(thandi: Person, maker: Client) -> None:
    fund(thandi, "2000.00")
    maker.post(PROPOSE, asked(thandi, propose="1", amount="1,000.50"))
    proposal = Proposal.objects.get()
    assert proposal.arguments == adjustment(thandi, amount="1000.50")
    approve(proposal)
    assert balance(thandi).amount == Decimal("999.50")


# Deciding ---------------------------------------------------------------------------------------------------------------
def test_a_maker_sees_no_way_to_approve_and_finds_none(thandi: Person, maker: Client) -> None:
    proposal = an_adjustment(thandi)
    answer = maker.get(page_of(proposal))
    html = answer.content.decode()
    assert deed(proposal, "approve") not in html
    assert deed(proposal, "reject") not in html
    assert deed(proposal, "withdraw") in html
    for name in ("approve", "reject", "check"):
        html = maker.post(deed(proposal, name), {"seen": seen_on(answer), "note": "Yes"}).content.decode()
        assert "Nobody decides what he proposed himself." in html
    proposal.refresh_from_db()
    assert proposal.is_open
    assert balance(thandi).amount == Decimal("100.00")
    assert maker.post(deed(proposal, "withdraw")).status_code == 302
    proposal.refresh_from_db()
    assert proposal.status == "withdrawn"


def test_a_checker_approves_what_he_saw(thandi: Person, checker: Client) -> None:
    proposal = an_adjustment(thandi)
    answer = checker.get(page_of(proposal))
    assert deed(proposal, "withdraw") not in answer.content.decode()
    for said in ("Approved and done.", "You approved this already, at "):  # two tabs, or a button pressed twice
        done = checker.post(
            deed(proposal, "approve"), {"seen": seen_on(answer), "note": "Seen the letter"}, follow=True
        )
        assert done.redirect_chain == [(page_of(proposal), 302)]
        [message] = done.context["messages"]
        assert str(message).startswith(said)
    assert balance(thandi).amount == Decimal("40.00")
    html = checker.get(page_of(proposal)).content.decode()
    assert "What it did" in html
    assert "Seen the letter" in html
    assert Proposal.objects.get().result_id in html
    assert deed(proposal, "approve") not in html


def test_a_checker_is_asked_again_when_something_changed(thandi: Person, sipho: Person, checker: Client) -> None:
    proposal = an_adjustment(thandi)
    seen = seen_on(checker.get(page_of(proposal)))
    send(thandi, sipho, "5.00")
    again = checker.post(deed(proposal, "approve"), {"seen": seen, "note": "Fine"})
    html = again.content.decode()
    assert "Something has changed since you looked" in html
    assert "was to be" in html
    assert "Fine" in html, "what he wrote is still there"
    assert balance(thandi).amount == Decimal("95.00")
    for nonsense in ("", "zz", "00", seen):
        assert checker.post(deed(proposal, "approve"), {"seen": nonsense}).context["is_stale"]
    looked = checker.post(deed(proposal, "check"))
    assert seen_on(looked) == seen_on(again)
    assert checker.post(deed(proposal, "approve"), {"seen": seen_on(again)}).status_code == 302
    assert balance(thandi).amount == Decimal("35.00")


def test_a_refusal_is_shown_and_leaves_the_proposal_open(thandi: Person, sipho: Person, checker: Client) -> None:
    proposal = an_adjustment(thandi)
    seen = seen_on(checker.get(page_of(proposal)))
    send(thandi, sipho, "70.00")
    for name in ("approve", "check"):
        html = checker.post(deed(proposal, name), {"seen": seen}).content.decode()
        assert "There is not enough money available. (needed: 60.00, available: 30.00)" in html
    proposal.refresh_from_db()
    assert proposal.is_open


def test_a_checker_rejects_with_a_note(thandi: Person, checker: Client) -> None:
    proposal = an_adjustment(thandi)
    assert "Say why." in checker.post(deed(proposal, "reject"), {"note": " "}).content.decode()
    assert checker.post(deed(proposal, "reject"), {"note": "Wrong wallet"}).status_code == 302
    assert "Wrong wallet" in checker.get(page_of(proposal)).content.decode()
    assert balance(thandi).amount == Decimal("100.00")


def test_deeds_are_posted_with_the_token_of_the_form(thandi: Person) -> None:
    proposal = an_adjustment(thandi)
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(User.objects.get(pk=pair()[1]))
    for name in DEEDS:
        assert careful.get(deed(proposal, name)).status_code == 405
        assert careful.post(deed(proposal, name)).status_code == 403
    assert careful.post(PROPOSE, asked(thandi, propose="1")).status_code == 403


# By role ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", ["administrator", "auditor", "kyc", "support", "operator"])
def test_nobody_but_finance_proposes_or_decides(thandi: Person, role: str) -> None:
    proposal = an_adjustment(thandi)
    client = signed_in(colleague(role))
    looks = role in {"administrator", "auditor"}
    answer = client.get(page_of(proposal))
    assert answer.status_code == client.get(list_page(Proposal)).status_code == (200 if looks else 403)
    for name in DEEDS:
        assert deed(proposal, name) not in answer.content.decode()
        assert client.post(deed(proposal, name), {"seen": "00", "note": "x"}).status_code == 403
    assert client.get(PROPOSE).status_code == client.post(PROPOSE, asked(thandi, propose="1")).status_code == 403
    assert client.get(reverse("admin:transactions_proposal_commands")).status_code == 403
    assert Proposal.objects.get().is_open
    assert balance(thandi).amount == Decimal("100.00")


def test_a_customer_and_a_stranger_are_sent_to_the_door(thandi: Person) -> None:
    proposal = an_adjustment(thandi)
    for client in (Client(), signed_in(thandi.user)):
        for address in (PROPOSE, page_of(proposal)):
            assert client.get(address)["Location"].startswith(reverse("admin:login"))
        for name in DEEDS:
            assert client.post(deed(proposal, name))["Location"].startswith(reverse("admin:login"))
    assert Proposal.objects.get().is_open


@pytest.mark.parametrize("address", ["0", "999", "9" * 30])
def test_what_is_not_there_is_not_found(checker: Client, address: str) -> None:
    assert checker.get(f"/admin/transactions/proposal/{address}/change/").status_code == 404
    assert checker.get(f"/admin/transactions/proposal/x{address}/change/").status_code == 404
    assert checker.post(f"/admin/transactions/proposal/{address}/approve/").status_code == 404
    assert checker.get(f"/admin/transactions/proposal/propose/{address}/").status_code == 404


# The list ---------------------------------------------------------------------------------------------------------------
def test_open_ones_come_first_and_what_waits_for_me_is_one_click_away(
    thandi: Person, maker: Client, checker: Client
) -> None:
    fund(thandi, "500.00")
    first, second, third = (proposed("adjust_wallet", adjustment(thandi, "1.00")) for _ in range(3))
    approve(third)

    def rows(client: Client, query: str = "") -> list[Any]:
        return list(client.get(list_page(Proposal, query)).context["cl"].result_list)

    assert rows(checker) == [second, first, third]
    assert rows(checker, "?waiting=me") == [second, first]
    assert rows(checker, "?waiting=others") == []
    assert rows(maker, "?waiting=me") == []
    assert rows(maker, "?waiting=others") == [second, first]
    assert rows(maker, f"?q={thandi.wallet.number}") == [second, first, third]
    assert rows(maker, f"?q={first.public_id}") == [first]


def test_older_ones_follow_by_key(thandi: Person, checker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fund(thandi, "500.00")
    made = [proposed("adjust_wallet", adjustment(thandi, "1.00")) for _ in range(4)]
    approve(made[3])
    monkeypatch.setattr(page_class(Proposal), "list_per_page", 2)
    answer = checker.get(list_page(Proposal))
    older = checker.get(list_page(Proposal) + answer.context["cl"].older)
    assert [row.pk for row in answer.context["cl"].result_list] == [made[2].pk, made[1].pk]
    assert [row.pk for row in older.context["cl"].result_list] == [made[0].pk, made[3].pk]
    for key in ("[true]", '["x", 1]', "[null, 1]", "[true, {}]"):
        assert checker.get(list_page(Proposal), {"before": key}).status_code == 302


# Where the need is seen -------------------------------------------------------------------------------------------------
SUBJECTS: dict[str, Any] = {
    "transfer": lambda arguments: Transfer.objects.get(pk=arguments["transfer"]),
    "receivable": lambda arguments: Receivable.objects.get(public_id=arguments["receivable"]),
    "wallet": lambda arguments: Wallet.objects.get(number=arguments["wallet"]),
    "settlement": lambda _: Wallet.objects.get(kind="bank", stripe=0),
    "fee": lambda arguments: FeeRule.objects.filter(kind=arguments["kind"]).latest("valid_from"),
    "tier_limit": lambda _: TierLimit.objects.get(tier=2),
    "suspense_item": lambda arguments: SuspenseItem.objects.get(public_id=arguments["item"]),
    "voucher": lambda arguments: Voucher.objects.get(public_id=arguments["voucher"]),
}


@pytest.mark.parametrize("name", STORIES)
def test_each_command_is_reached_from_the_page_of_what_it_is_about(
    name: str, thandi: Person, sipho: Person, owner_sql: Sql, maker: Client
) -> None:
    arguments = STORIES[name](thandi, sipho, owner_sql)
    subject = SUBJECTS[COMMANDS[name].subject[0]](arguments)
    form = reverse("admin:transactions_proposal_propose", args=[name])
    html = maker.get(page_of(subject)).content.decode()
    found = re.search(rf'href="({form}[^"]*)"', html)
    assert found, "no link"
    filled_in = maker.get(found[1].replace("&amp;", "&"))
    assert filled_in.status_code == 200
    support = signed_in(colleague("support"))
    assert form not in support.get(page_of(subject)).content.decode()

    if name != "settle":
        subject_name = COMMANDS[name].subject[1]
        assert filled_in.context["schema"][subject_name].value() == str(arguments[subject_name])
        proposal = proposed(name, arguments)
        assert page_of(proposal) in maker.get(page_of(subject)).content.decode()
    assert form in maker.get(reverse("admin:transactions_proposal_commands")).content.decode()


def test_a_closed_matter_offers_nothing(thandi: Person, sipho: Person, owner_sql: Sql, maker: Client) -> None:
    item = STORIES["bear"](thandi, sipho, owner_sql)
    approve(proposed("bear", item))
    html = maker.get(page_of(SuspenseItem.objects.get(public_id=str(item["item"])))).content.decode()
    assert "/proposal/propose/bear/" not in html


# Cost -------------------------------------------------------------------------------------------------------------------
def test_pages_take_a_fixed_number_of_queries(thandi: Person, sipho: Person, owner_sql: Sql, checker: Client) -> None:
    one = proposed("reverse_transfer", STORIES["reverse_transfer"](thandi, sipho, owner_sql))

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert checker.get(address).status_code == 200
        return len(queries)

    costs = {address: cost(address) for address in (list_page(Proposal), page_of(one), PROPOSE, page_of(thandi.wallet))}
    for _ in range(5):
        proposed("adjust_wallet", adjustment(thandi, "1.00"))
    assert {address: cost(address) for address in costs} == costs
    assert max(costs.values()) <= 14
    assert costs[page_of(one)] <= 7


@pytest.mark.parametrize("name", ["approve", "reject"])
@pytest.mark.parametrize("note", ["a\0b", "x" * 2001])
def test_a_note_that_is_no_text_or_too_long_decides_nothing(
    thandi: Person, checker: Client, name: str, note: str
) -> None:
    proposal = an_adjustment(thandi)
    form = {"seen": bytes(proposal.preview_digest).hex(), "note": note}
    answer = checker.post(deed(proposal, name), form)
    assert answer.status_code == 200
    assert re.search("Null characters are not allowed|at most [0-9]+ characters", answer.content.decode())
    proposal.refresh_from_db()
    assert proposal.status == Proposal.Status.PROPOSED
