"""What two of finance change about tiers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from accounts.decisions import Decision, NotOfFinance, ReasonNeeded
from accounts.models import AuditEvent, User
from mymoolah.common.money import Money
from tests.conftest import Ledger, Person, Sql, balance, fund, refused, send
from tests.proposals import minuted, write_approved, write_proposed
from tests.transactions.legs import decided
from transactions.models import Proposal
from transactions.posting import LimitExceeded
from wallets.limits import InvalidLimits, Limits, UnknownTier, set_tier_limit
from wallets.models import TierLimit

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

NARROW = Limits(
    per_transfer_amount=Decimal("50.00"),
    per_day_amount=Decimal("80.00"),
    per_month_amount=Decimal("200.00"),
    highest_balance=Decimal("1000.00"),
    may_send=True,
    may_cash_out=False,
)


def change(
    limits: Limits = NARROW, *, tier: int = 2, currency: str = "ZAR", decision: Decision | None = None
) -> TierLimit:
    decision = decision or decided()
    with transaction.atomic():
        limit = set_tier_limit(tier=tier, currency=currency, limits=limits, decision=decision)
        minuted(decision, "tier_limit", limit)
    return limit


def test_a_changed_limit_takes_effect_with_the_next_posting(thandi: Person, sipho: Person) -> None:
    fund(thandi, "500.00")
    send(thandi, sipho, "60.00")
    change(replace(NARROW, per_day_amount=Decimal("120.00")))
    with pytest.raises(LimitExceeded):
        send(thandi, sipho, "50.01")
    send(thandi, sipho, "50.00")
    with pytest.raises(LimitExceeded):
        send(thandi, sipho, "10.01")
    assert balance(thandi) == Money.parse("390.00")


def test_the_trail_tells_what_it_was_and_what_it_is(ledger: Ledger) -> None:
    decision = decided("The regulator's letter 12")
    change(decision=decision)
    event = AuditEvent.objects.get(verb="tier_limit.set")
    assert (event.actor_id, event.subject_id) == (decision.approved_by, "2 ZAR")
    assert event.facts["before"]["per_transfer_amount"] == "25000.00"
    assert event.facts["after"] == {
        "per_transfer_amount": "50.00",
        "per_day_amount": "80.00",
        "per_month_amount": "200.00",
        "highest_balance": "1000.00",
        "may_send": True,
        "may_cash_out": False,
    }
    assert event.facts["reason"] == "The regulator's letter 12"


def test_a_currency_nobody_had_limits_in_gets_them() -> None:
    assert change(currency="USD").currency == "USD"
    assert TierLimit.objects.get(tier=2, currency="ZAR").per_transfer_amount == Decimal("25000.00")


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_day_amount": Decimal("49.99")},
        {"per_month_amount": Decimal("79.99")},
        {"per_transfer_amount": None},
        {"per_transfer_amount": Decimal("0.00")},
        {"per_transfer_amount": Decimal("1.001")},
        {"highest_balance": Decimal("-1.00")},
        {"highest_balance": Decimal("NaN")},
        {"highest_balance": Decimal("1e30")},
    ],
)
def test_limits_that_contradict_one_another_are_refused_and_change_nothing(wrong: dict[str, Any]) -> None:
    before = list(TierLimit.objects.values().order_by("pk"))
    with pytest.raises(InvalidLimits):
        change(replace(NARROW, **wrong))
    assert list(TierLimit.objects.values().order_by("pk")) == before
    assert not AuditEvent.objects.filter(verb="tier_limit.set").exists()


def test_one_person_a_stranger_or_no_reason_changes_nothing(thandi: Person) -> None:
    pair = decided()
    with pytest.raises(UnknownTier):
        change(tier=3)
    with pytest.raises(ReasonNeeded):
        change(decision=decided(" "))
    with pytest.raises(NotOfFinance):
        change(decision=replace(pair, approved_by=thandi.user.pk))
    assert TierLimit.objects.get(tier=2, currency="ZAR").per_transfer_amount == Decimal("25000.00")


def test_two_at_once_leave_one_of_the_two(race: Callable[..., list[Any]]) -> None:
    decided()
    amounts = iter((Decimal("60.00"), Decimal("70.00")))
    race(2, lambda: change(replace(NARROW, per_transfer_amount=next(amounts))))
    first, last = AuditEvent.objects.filter(verb="tier_limit.set").order_by("pk")
    assert last.facts["before"] == first.facts["after"]
    stands = TierLimit.objects.get(tier=2, currency="ZAR").per_transfer_amount
    assert last.facts["after"]["per_transfer_amount"] == f"{stands}"


def test_the_database_refuses_limits_that_contradict_one_another(app_sql: Sql) -> None:
    with refused("23514"):
        app_sql("UPDATE tier_limits SET per_day_amount = 1 WHERE tier = 2")


# Two people, whoever writes -----------------------------------------------------------------------------------------
MORE = "UPDATE tier_limits SET highest_balance = 999999 WHERE tier = 2 AND currency = 'ZAR'"
NEW = (
    "INSERT INTO tier_limits (tier, currency, per_transfer_amount, per_day_amount, per_month_amount, highest_balance, "
    "may_send, may_cash_out) VALUES (2, 'USD', 10, 10, 10, 1000, true, true)"
)


def test_no_limit_changes_at_commit_that_two_of_finance_did_not_approve(ledger: Ledger, app_sql: Sql) -> None:
    for statement in (MORE, NEW):
        with refused("MM901"):
            app_sql(statement)
    for statement in ("DELETE FROM tier_limits", "UPDATE tier_limits SET tier = 1", "TRUNCATE tier_limits"):
        with refused("42501"):
            app_sql(statement)
    with refused("MM901"):
        set_tier_limit(tier=2, currency="ZAR", limits=NARROW, decision=decided())


def test_an_approval_is_good_for_what_it_says_in_its_own_transaction_only(ledger: Ledger, app_sql: Sql) -> None:
    decision = decided()
    narrow = change(decision=decision)
    with refused("MM901"):
        app_sql(MORE)
    change(replace(NARROW, may_cash_out=True), decision=decision)
    with refused("MM901"), transaction.atomic():  # it says what the first proposal said, yesterday
        TierLimit.objects.filter(pk=narrow.pk).update(may_cash_out=False)
    with refused("MM901"), transaction.atomic():
        limit = set_tier_limit(tier=2, currency="ZAR", limits=NARROW, decision=decision)
        minuted(decision, "tier_limit", limit)
        TierLimit.objects.filter(pk=limit.pk).update(per_day_amount="79.00")
    assert TierLimit.objects.get(pk=narrow.pk).may_cash_out is True


def test_two_who_are_not_of_finance_are_no_two_of_finance(ledger: Ledger, thandi: Person, app_sql: Sql) -> None:
    decision = decided()
    with refused("MM901"), transaction.atomic():
        limit = set_tier_limit(tier=2, currency="ZAR", limits=NARROW, decision=decision)
        minuted(replace(decision, approved_by=thandi.user.pk), "tier_limit", limit)
    with refused("MM901"), transaction.atomic():
        limit = set_tier_limit(tier=2, currency="ZAR", limits=NARROW, decision=decision)
        minuted(decision, "tier_limit", limit)
        User.objects.filter(pk=decision.proposed_by).update(status="suspended")


def test_nobody_proposes_and_approves_in_one_transaction(ledger: Ledger) -> None:
    decision = decided()
    with refused("MM901"), transaction.atomic():
        limit = set_tier_limit(tier=2, currency="ZAR", limits=NARROW, decision=decision)
        with transaction.atomic():
            proposal = write_proposed(decision, "tier_limit", limit, using="default")
        write_approved(proposal, decision, "tier_limit", limit)


def test_when_something_was_proposed_is_what_the_database_says(ledger: Ledger) -> None:
    with transaction.atomic():
        limit = TierLimit.objects.get(tier=2, currency="ZAR")
        proposal = write_proposed(decided(), "tier_limit", limit, using="default")
        before = proposal.proposed_transaction_id
    assert before is not None
    with refused("42501"):
        Proposal.objects.filter(pk=proposal.pk).update(proposed_transaction_id=None)
    Proposal.objects.using("owner").filter(pk=proposal.pk).update(proposed_transaction_id=1)
    copied = Proposal.objects.get(pk=proposal.pk)
    assert copied.proposed_transaction_id == before
    copied.pk, copied.public_id, copied.proposed_transaction_id = None, uuid.uuid4(), 1
    copied.save(force_insert=True)
    copied.refresh_from_db()
    assert (copied.proposed_transaction_id or 0) > before


def test_what_the_audit_trail_does_not_know_of_changes_no_limit(ledger: Ledger) -> None:
    decision = decided()
    with refused("MM901"), transaction.atomic():  # somebody else says that he approved it
        limit = set_tier_limit(tier=2, currency="ZAR", limits=NARROW, decision=decision)
        proposal = write_proposed(decision, "tier_limit", limit, using="owner")
        write_approved(proposal, decision, "tier_limit", limit, told_by=decision.proposed_by)
    with transaction.atomic():
        limit = set_tier_limit(tier=2, currency="ZAR", limits=NARROW, decision=decision)
        proposal = write_proposed(decision, "tier_limit", limit, using="owner")
        write_approved(proposal, decision, "tier_limit", limit)
