"""Maker and checker: what one of finance proposes, another sees, and then happens; once, and as it was seen."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from accounts.decisions import NotOfFinance, ReasonNeeded
from accounts.models import AuditEvent, User
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError
from tests.back_office.house import colleague
from tests.conftest import Ledger, Person, Sql, balance, fund, refused, send
from tests.proposals import STORIES, TIER_2, adjustment, approve, ask, pair, proposed, third
from tests.vouchers.desk import at_once
from tests.vouchers.till import every_wallet
from transactions.corrections import AlreadyReversed
from transactions.fees import get_fee
from transactions.models import IdempotencyKey, Proposal, Transfer
from transactions.posting import InsufficientFunds
from transactions.proposals import commands, previews, services
from transactions.proposals.commands import COMMANDS, InvalidArguments, UnknownCommand
from transactions.proposals.services import (
    NobodyToApprove,
    OwnProposal,
    PreviewChanged,
    ProposalDecided,
    ProposalExists,
    ProposalNotFound,
    ReasonTooLong,
    SomebodyElsesProposal,
)
from wallets.models import Wallet
from wallets.services import open_house_wallets, open_wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def finance(ledger: Ledger) -> tuple[int, int]:
    return pair()


def everything() -> dict[str, list[Any]]:
    """Every row of the bank, so that what was only tried is seen to leave nothing."""
    found = {}
    for model in apps.get_models():
        if model._meta.managed and model._meta.app_label in {"accounts", "wallets", "transactions", "vouchers"}:
            with connection.cursor() as cursor:
                cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" AS t ORDER BY 1')  # noqa: S608
                found[model._meta.db_table] = cursor.fetchall()
    return found


def changes(before: Any, after: Any) -> dict[str, tuple[Decimal, Decimal]]:
    return {
        name: (after[name][0] - balance, after[name][1] - held)
        for name, (balance, held) in before.items()
        if after[name] != (balance, held)
    }


def foretold(preview: dict[str, Any]) -> dict[str, tuple[Decimal, Decimal]]:
    customers = {
        row["number"]: (Decimal(row["change"]), Decimal(row["held_after"]) - Decimal(row["held_before"]))
        for row in preview["wallets"]
    }
    house = {f"{row['kind']} {row['currency']}": (Decimal(row["change"]), Decimal(0)) for row in preview["house"]}
    return {name: change for name, change in {**customers, **house}.items() if any(change)}


# Each command ---------------------------------------------------------------------------------------------------------
def test_every_command_has_its_story() -> None:
    assert set(STORIES) == set(COMMANDS)


@pytest.mark.parametrize("name", STORIES)
def test_what_was_previewed_is_what_happens_in_every_wallet_of_the_bank(
    name: str, thandi: Person, sipho: Person, owner_sql: Sql
) -> None:
    arguments = STORIES[name](thandi, sipho, owner_sql)
    before_all = everything()
    services.preview(ask(name, arguments), now=now())
    assert everything() == before_all, "looking left something behind"

    proposal = proposed(name, arguments)
    assert proposal.preview["facts"] or proposal.preview["wallets"] or proposal.preview["house"]
    left = {table for table, rows in everything().items() if rows != before_all[table]}
    assert left == {"proposals", "audit_events"}

    before = every_wallet()
    done = approve(proposal, note="Seen the letter")
    assert changes(before, every_wallet()) == foretold(proposal.preview)
    for row in proposal.preview["wallets"]:
        number, held = row["number"], Decimal(row["held_before"])
        assert before[number] == (Decimal(row["before"]), held)
        assert every_wallet()[number] == (Decimal(row["after"]), Decimal(row["held_after"]))
    for row in proposal.preview["house"]:
        assert every_wallet()[f"{row['kind']} {row['currency']}"][0] == Decimal(row["after"])
    with transaction.atomic():
        stands = COMMANDS[name].facts(commands.read(COMMANDS[name], arguments))
    assert {fact["what"]: fact["after"] for fact in proposal.preview["facts"]} == stands
    assert (done.status, done.decided_by_id, done.note) == ("approved", pair()[1], "Seen the letter")
    assert done.result_kind
    deeds = AuditEvent.objects.filter(facts__reason="Case 17").exclude(verb__startswith="proposal.")
    assert deeds.count() == 1
    assert deeds.get().actor_id == pair()[1]


@pytest.mark.parametrize("name", STORIES)
def test_approving_again_changes_nothing_and_a_second_checker_is_told_so(
    name: str, thandi: Person, sipho: Person, owner_sql: Sql
) -> None:
    proposal = proposed(name, STORIES[name](thandi, sipho, owner_sql))
    approve(proposal)
    after = everything()
    assert approve(proposal).status == "approved"
    assert everything() == after
    with pytest.raises(ProposalDecided):
        approve(proposal, by=third().pk)


@pytest.mark.parametrize("name", STORIES)
def test_two_checkers_at_once_do_it_once(name: str, thandi: Person, sipho: Person, owner_sql: Sql, race: Race) -> None:
    proposal = proposed(name, STORIES[name](thandi, sipho, owner_sql))
    people = iter((pair()[1], third().pk))
    before = every_wallet()
    answers = race(2, lambda: approve(proposal, by=next(people)))
    assert Counter(type(answer) for answer in answers) == {Proposal: 1, ProposalDecided: 1}
    assert changes(before, every_wallet()) == foretold(proposal.preview)


def test_one_checker_twice_at_once_does_it_once(thandi: Person, race: Race) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    answers = race(4, lambda: approve(proposal))
    assert [answer.status for answer in answers] == ["approved"] * 4
    assert balance(thandi).amount == Decimal("40.00")
    key = IdempotencyKey.objects.get(actor="finance")
    assert (key.key, str(key.produced_id)) == (f"proposal:{proposal.public_id}", answers[0].result_id)


def test_two_proposals_to_the_same_end_take_the_money_once(thandi: Person, sipho: Person, owner_sql: Sql) -> None:
    arguments = STORIES["reverse_transfer"](thandi, sipho, owner_sql)
    first, second = (proposed("reverse_transfer", arguments) for _ in range(2))
    approve(first)
    with pytest.raises(AlreadyReversed):
        approve(second)
    second.refresh_from_db()
    assert second.status == "proposed"


# What was seen is what happens ----------------------------------------------------------------------------------------
def test_a_balance_that_moved_since_asks_again(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    send(thandi, sipho, "5.00")
    before = everything()
    with pytest.raises(PreviewChanged) as caught:
        approve(proposal)
    assert everything() == before
    [row] = caught.value.preview["wallets"]
    assert (row["before"], row["after"]) == ("95.00", "35.00")

    seen = previews.digest(services.check(public_id=proposal.public_id, checker_id=pair()[1], now=now()))
    assert seen == previews.digest(caught.value.preview)
    approve(proposal, seen=seen)
    assert balance(thandi).amount == Decimal("35.00")


def test_a_wallet_frozen_since_asks_again_though_no_balance_moved(thandi: Person) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    with pytest.raises(PreviewChanged):
        approve(proposal)


def test_other_customers_payments_through_the_house_ask_nothing_again(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    fund(sipho, "70.00")
    approve(proposal)
    assert balance(thandi).amount == Decimal("40.00")


def test_a_limit_that_changed_since_asks_again(thandi: Person) -> None:
    first = proposed("set_tier_limit", TIER_2)
    approve(proposed("set_tier_limit", {**TIER_2, "per_day_amount": "150.00"}))
    with pytest.raises(PreviewChanged):
        approve(first)


def test_a_fee_tells_what_it_was_and_until_when(thandi: Person, sipho: Person, owner_sql: Sql) -> None:
    arguments = STORIES["set_fee"](thandi, sipho, owner_sql)
    proposal = proposed("set_fee", arguments)
    [fact] = proposal.preview["facts"]
    assert (fact["before"], fact["after"]) == ("5.50 ZAR and VAT at 15.00%", "6.00 ZAR and VAT at 15.00%")
    approve(proposal)
    at = now() + dt.timedelta(days=2)
    assert get_fee(kind="easypay_topup", currency="ZAR", at=at).vat.amount == Decimal("0.90")


def test_money_that_is_gone_by_then_refuses_and_leaves_the_proposal_open(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    send(thandi, sipho, "60.00")
    before = everything()
    with pytest.raises(InsufficientFunds):
        approve(proposal)
    assert everything() == before
    fund(thandi, "60.00")
    approve(proposal)
    assert balance(thandi).amount == Decimal("40.00")


def test_two_currencies_do_not_meet(thandi: Person) -> None:
    open_house_wallets(currency="USD")
    approve(proposed("set_tier_limit", {**TIER_2, "currency": "USD"}))
    dollars = Person(thandi.user, open_wallet(user=thandi.user, currency="USD"))
    fund(thandi, "7.00")
    before = every_wallet()
    proposal = proposed("adjust_wallet", adjustment(dollars, "80.00", "credit"))
    approve(proposal)
    assert changes(before, every_wallet()) == {
        dollars.wallet.number: (Decimal("80.00"), Decimal(0)),
        "adjustments USD": (Decimal("-80.00"), Decimal(0)),
    }
    assert [row["currency"] for row in proposal.preview["house"]] == ["USD"]


# Who, and why ---------------------------------------------------------------------------------------------------------
def test_nobody_approves_or_rejects_his_own(thandi: Person) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    maker, _ = pair()
    for attempt in (
        lambda: approve(proposal, by=maker),
        lambda: services.reject(public_id=proposal.public_id, decider_id=maker, note="No", now=now()),
        lambda: services.check(public_id=proposal.public_id, checker_id=maker, now=now()),
    ):
        with pytest.raises(OwnProposal):
            attempt()
    assert balance(thandi).amount == Decimal("100.00")


def test_only_finance_proposes_looks_approves_and_rejects(thandi: Person, naledi: Person) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    for stranger in (naledi.user, colleague("support"), colleague("auditor"), colleague("administrator")):
        for attempt in (
            lambda by=stranger.pk: approve(proposal, by=by),
            lambda by=stranger.pk: services.reject(public_id=proposal.public_id, decider_id=by, note="No", now=now()),
            lambda by=stranger.pk: services.check(public_id=proposal.public_id, checker_id=by, now=now()),
            lambda by=stranger.pk: proposed("adjust_wallet", adjustment(thandi), by=by),
        ):
            with pytest.raises(NotOfFinance):
                attempt()
        with pytest.raises(SomebodyElsesProposal):
            services.withdraw(public_id=proposal.public_id, maker_id=stranger.pk, now=now())
    assert Proposal.objects.count() == 1


def test_a_maker_who_left_finance_leaves_nothing_to_approve(thandi: Person) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi), by=third().pk)
    User.objects.get(email="finance3@example.com").groups.clear()
    with pytest.raises(NotOfFinance):
        approve(proposal)
    rejected = services.reject(public_id=proposal.public_id, decider_id=pair()[1], note="He left", now=now())
    assert rejected.status == "rejected"


def test_alone_in_finance_nobody_proposes(thandi: Person) -> None:
    maker, other = pair()
    asked = ask("adjust_wallet", adjustment(thandi), by=maker)
    User.objects.filter(pk=other).update(status="suspended")
    with pytest.raises(NobodyToApprove):
        services.preview(asked, now=now())


def test_a_reason_is_given_by_who_proposes_and_by_who_rejects(thandi: Person) -> None:
    fund(thandi, "100.00")
    with pytest.raises(ReasonNeeded):
        proposed("adjust_wallet", adjustment(thandi), reason=" \n")
    with pytest.raises(ReasonTooLong):
        proposed("adjust_wallet", adjustment(thandi), reason="x" * 2_001)
    proposal = proposed("adjust_wallet", adjustment(thandi))
    with pytest.raises(ReasonNeeded):
        services.reject(public_id=proposal.public_id, decider_id=pair()[1], note=" ", now=now())
    with pytest.raises(ProposalNotFound):
        services.reject(public_id=uuid.uuid4(), decider_id=pair()[1], note="No", now=now())


# What becomes of it ---------------------------------------------------------------------------------------------------
def test_a_rejected_or_withdrawn_proposal_is_over(thandi: Person, race: Race) -> None:
    fund(thandi, "100.00")
    maker, checker = pair()
    rejected = proposed("adjust_wallet", adjustment(thandi))
    withdrawn = proposed("adjust_wallet", adjustment(thandi))
    for _ in range(2):
        services.reject(public_id=rejected.public_id, decider_id=checker, note="Wrong wallet", now=now())
        services.withdraw(public_id=withdrawn.public_id, maker_id=maker, now=now())
    for proposal in (rejected, withdrawn):
        with pytest.raises(ProposalDecided):
            approve(proposal)
    with pytest.raises(ProposalDecided):
        services.withdraw(public_id=rejected.public_id, maker_id=maker, now=now())
    assert balance(thandi).amount == Decimal("100.00")
    verbs = Counter(AuditEvent.objects.filter(verb__startswith="proposal.").values_list("verb", flat=True))
    assert verbs == {"proposal.made": 2, "proposal.rejected": 1, "proposal.withdrawn": 1}
    event = AuditEvent.objects.get(verb="proposal.rejected")
    assert (event.actor_id, event.subject_id) == (checker, str(rejected.public_id))
    assert event.facts["note"] == "Wrong wallet"


def test_approved_and_withdrawn_at_once_is_one_of_the_two(thandi: Person, race: Race) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    maker, _ = pair()
    answers = at_once(
        race,
        lambda: approve(proposal),
        lambda: services.withdraw(public_id=proposal.public_id, maker_id=maker, now=now()),
    )
    assert Counter(type(answer) for answer in answers) == {Proposal: 1, ProposalDecided: 1}
    proposal.refresh_from_db()
    assert balance(thandi).amount == Decimal("40.00" if proposal.status == "approved" else "100.00")


def test_the_same_ask_twice_is_one_proposal(thandi: Person, race: Race) -> None:
    fund(thandi, "100.00")
    asked = ask("adjust_wallet", adjustment(thandi))
    answers = race(4, lambda: services.propose(asked, now=now()))
    assert {answer.pk for answer in answers} == {Proposal.objects.get().pk}
    assert AuditEvent.objects.filter(verb="proposal.made").count() == 1
    with pytest.raises(ProposalExists):
        services.propose(dataclasses.replace(asked, reason="Another"), now=now())


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0.00"},
        {"amount": "-5.00"},
        {"amount": "1.001"},
        {"amount": "NaN"},
        {"amount": ""},
        {"wallet": "123"},
        {"direction": "sideways"},
        {"currency": "zar"},
        {"one_more": "x"},
    ],
)
def test_arguments_that_the_schema_does_not_know_are_refused(thandi: Person, wrong: dict[str, str]) -> None:
    fund(thandi, "100.00")
    with pytest.raises(InvalidArguments):
        proposed("adjust_wallet", {**adjustment(thandi), **wrong})
    with pytest.raises(UnknownCommand):
        proposed("rob_the_bank", adjustment(thandi))
    assert not Proposal.objects.exists()


def test_a_refusal_is_told_when_it_is_proposed(thandi: Person) -> None:
    with pytest.raises(InsufficientFunds):
        proposed("adjust_wallet", adjustment(thandi))
    for name, arguments in (
        ("reverse_transfer", {"transfer": str(uuid.uuid4())}),
        ("collect_receivable", {"receivable": str(uuid.uuid4()), "amount": "1.00", "currency": "ZAR"}),
        ("return_cash_in", {"item": str(uuid.uuid4())}),
        ("cancel_voucher", {"voucher": str(uuid.uuid4())}),
    ):
        with pytest.raises(DomainError) as caught:
            proposed(name, arguments)
        assert caught.value.status == 404
    assert not Proposal.objects.exists()


def test_what_this_release_cannot_read_any_more_has_failed(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    monkeypatch.delitem(COMMANDS, "adjust_wallet")
    done = approve(proposal)
    assert (done.status, done.note) == ("failed", "Nobody can propose this any more.")
    assert not Transfer.objects.filter(kind="adjustment").exists()
    with pytest.raises(ProposalDecided):
        approve(proposal)


# The database ---------------------------------------------------------------------------------------------------------
FORGED = {
    "its own maker approves": (
        "23514",
        "status = 'approved', decided_by_id = proposed_by_id, decided_at = now(), result_kind = 'x', result_id = 'x'",
    ),
    "nobody approves": ("23514", "status = 'approved', result_kind = 'transfer', result_id = 'x'"),
    "approved for nothing": ("23514", "status = 'approved', decided_by_id = {other}, decided_at = now()"),
    "rejected by its maker": ("23514", "status = 'rejected', decided_by_id = proposed_by_id, decided_at = now()"),
    "withdrawn by another": ("23514", "status = 'withdrawn', decided_by_id = {other}, decided_at = now()"),
    "an unknown status": ("23514", "status = 'done', decided_by_id = {other}, decided_at = now()"),
    "other arguments": ("MM900", "arguments = '{{}}'"),
    "another reason": ("MM900", "reason = 'Because'"),
    "another maker": ("MM900", "proposed_by_id = {other}"),
    "another preview": ("MM900", "preview = '{{}}'"),
    "another digest": ("MM900", "preview_digest = 'x'"),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_the_database_refuses_what_no_service_does(thandi: Person, owner_sql: Sql, forgery: str) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    state, columns = FORGED[forgery]
    with refused(state):
        owner_sql(f"UPDATE proposals SET {columns.format(other=pair()[1])} WHERE id = {proposal.pk}")  # noqa: S608


def test_a_decided_proposal_stays_as_it_was_decided(thandi: Person, owner_sql: Sql, app_sql: Sql) -> None:
    fund(thandi, "100.00")
    proposal = proposed("adjust_wallet", adjustment(thandi))
    with refused("42501"):
        app_sql("UPDATE proposals SET arguments = '{}'")
    approve(proposal)
    with refused("MM900"):
        owner_sql("UPDATE proposals SET note = 'Never mind'")
    with refused("MM900"):
        owner_sql("DELETE FROM proposals")
    with refused("MM900"):
        owner_sql("TRUNCATE proposals")
    with refused("42501"):
        app_sql("DELETE FROM proposals")


def test_a_proposal_that_begins_decided_is_refused(thandi: Person, owner_sql: Sql) -> None:
    fund(thandi, "100.00")
    proposed("adjust_wallet", adjustment(thandi))
    with refused("MM900"):
        owner_sql(
            """
            INSERT INTO proposals (
                public_id, command, arguments, subject_type, subject_id, reason, proposed_by_id, proposed_at, preview,
                preview_digest, status, decided_by_id, decided_at, note, result_kind, result_id
            )
            SELECT
                gen_random_uuid(), command, arguments, subject_type, subject_id, reason, proposed_by_id, proposed_at,
                preview, preview_digest, 'approved', %s, now(), '', 'transfer', 'x'
            FROM proposals
            """,
            pair()[1],
        )
