"""What two people of finance put right. Thandi paid, Sipho received; Naledi had nothing to do with it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from accounts.decisions import Decision, NotOfFinance, ReasonNeeded, TwoPeopleNeeded
from accounts.models import AuditEvent, User
from accounts.services import create_staff
from mymoolah.common.clock import business_day, now, start_of_day
from mymoolah.common.money import InvalidAmount, Money
from mymoolah.common.sql import read
from tests.conftest import Ledger, Person, balance, fund, person, send
from tests.transactions.legs import close, decided, key, leg, wallet_of
from transactions import corrections, posting
from transactions.corrections import (
    AlreadyReversed,
    ForceNotNeeded,
    ReceivableExceeded,
    Settlement,
    UnknownReceivable,
)
from transactions.models import IdempotencyKey as StoredKey
from transactions.models import Kind, Receivable, ReceivableCollection, Transaction, Transfer
from transactions.posting import (
    BalanceTooHigh,
    House,
    IdempotencyKeyReused,
    InsufficientFunds,
    NotReversible,
    Posted,
    UnknownTransfer,
    UnknownWallet,
    WalletClosed,
    WrongCurrency,
)
from wallets import services as wallet_services
from wallets.models import Wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def finance(ledger: Ledger) -> None:
    """The two who decide work here before anything happens."""
    decided()


def money(amount: str, currency: str = "ZAR") -> Money:
    return Money.parse(amount, currency)


def house(kind: Wallet.Kind, currency: str = "ZAR") -> Decimal:
    total: Decimal = Wallet.objects.filter(kind=kind, currency=currency).aggregate(sum=Sum("balance"))["sum"]
    return total


def state() -> list[Any]:
    """Everything that a refusal must leave as it was."""
    tables = (Wallet, Transfer, Transaction, StoredKey, Receivable, ReceivableCollection, AuditEvent)
    return [
        sorted(model.objects.values_list(*[field.attname for field in model._meta.concrete_fields]), key=repr)
        for model in tables
    ]


def reverse(group_id: uuid.UUID, name: str = "reverse", decision: Decision | None = None) -> list[Posted]:
    return corrections.reverse_transfer(
        group_id=group_id, decision=decision or decided(), key=key(name, f"{name} {group_id}")
    )


def force(transfer_id: uuid.UUID, name: str = "force", decision: Decision | None = None) -> Receivable:
    return corrections.force_reversal(
        transfer_id=transfer_id, decision=decision or decided(), key=key(name, f"{name} {transfer_id}")
    )


def collect(owed: Receivable, amount: str, name: str = "collect", **asked: Any) -> Posted:
    paid = asked.pop("money", None) or money(amount, owed.currency)
    return corrections.collect_receivable(
        receivable_public_id=owed.public_id,
        amount=paid,
        decision=asked.pop("decision", None) or decided(),
        key=key(name, f"{name} {amount}"),
    )


def adjust(who: Person, said: str, direction: Any = "credit", name: str = "adjust", **asked: Any) -> Posted:
    order: dict[str, Any] = {
        "wallet_number": who.wallet.number,
        "amount": money(said, who.wallet.currency),
        "direction": direction,
        "decision": asked.pop("decision", None) or decided(),
        "key": key(name, f"{name} {said} {direction}"),
    }
    return corrections.adjust(**{**order, **asked})


def settle(step: Settlement, amount: str, currency: str = "ZAR", decision: Decision | None = None) -> Posted:
    return corrections.settle(
        step=step, amount=money(amount, currency), decision=decision or decided(), key=key(f"settle {step} {currency}")
    )


# Reversals ----------------------------------------------------------------------------------------------------------
def test_a_reversal_gives_a_transfer_back(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "60.00")
    decision = decided("Case 17")
    (back,) = reverse(sent.transfer_id, decision=decision)

    assert (balance(thandi), balance(sipho)) == (money("100.00"), money("0.00"))
    transfer = Transfer.objects.get(pk=back.transfer_id)
    assert (transfer.kind, transfer.reverses_id) == ("reversal", sent.transfer_id)
    assert (transfer.initiated_by_id, transfer.approved_by_id) == (decision.proposed_by, decision.approved_by)


def test_the_trail_says_who_decided_what_and_why(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "60.00")
    decision = decided("Case 17")
    (back,) = reverse(sent.transfer_id, decision=decision)

    event = AuditEvent.objects.get(verb="transfer.reversed")
    assert (event.actor_id, event.subject_type) == (decision.approved_by, "transfer")
    assert event.subject_id == str(sent.transfer_id)
    assert event.facts == {
        "reversal": str(back.transfer_id),
        "amounts": ["60.00"],
        "currency": "ZAR",
        "reason": "Case 17",
        "proposed_by": str(User.objects.get(pk=decision.proposed_by).public_id),
        "approved_by": str(User.objects.get(pk=decision.approved_by).public_id),
    }


def test_a_reversal_asked_for_twice_with_one_key_happens_once(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "60.00")
    (first,) = reverse(sent.transfer_id)
    before = state()
    User.objects.filter(pk=decided().approved_by).update(status="suspended")  # what was answered stays answered
    assert reverse(sent.transfer_id, decision=decided()) == [replace(first, replayed=True)]
    assert state() == before
    with pytest.raises(IdempotencyKeyReused):
        corrections.reverse_transfer(group_id=sent.transfer_id, decision=decided(), key=key("reverse", "another"))


def test_what_is_reversed_is_not_reversed_again_nor_is_the_reversal(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    fund(sipho, "100.00")
    sent = send(thandi, sipho, "60.00")
    (back,) = reverse(sent.transfer_id)
    before = state()
    with pytest.raises(AlreadyReversed):
        reverse(sent.transfer_id, "again")
    with pytest.raises(AlreadyReversed):
        force(sent.transfer_id)
    with pytest.raises(NotReversible) as caught:
        reverse(back.transfer_id, "back")
    assert caught.value.facts == {"kinds": ["reversal"]}
    assert state() == before


def test_of_reversals_at_once_one_wins_and_the_others_hear_of_it(thandi: Person, sipho: Person, race: Race) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "60.00")
    decision, turns = decided(), iter(range(8))
    answers = race(8, lambda: reverse(sent.transfer_id, f"reverse {next(turns)}", decision))
    assert Counter(type(answer) for answer in answers) == {list: 1, AlreadyReversed: 7}
    assert (balance(thandi), balance(sipho)) == (money("100.00"), money("0.00"))


def test_reversals_at_once_with_one_key_all_get_the_answer(thandi: Person, sipho: Person, race: Race) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "60.00")
    decision = decided()
    answers = race(6, lambda: reverse(sent.transfer_id, decision=decision))
    assert Counter(answer.replayed for (answer,) in answers) == {False: 1, True: 5}
    assert AuditEvent.objects.filter(verb="transfer.reversed").count() == 1


def test_the_database_itself_reverses_nothing_twice(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    fund(sipho, "100.00")
    sent = send(thandi, sipho, "60.00")
    reverse(sent.transfer_id)
    with pytest.raises(IntegrityError, match="uq_transfers_reversed_once"):
        posting.post([leg(sipho, thandi, "60.00", kind=Kind.REVERSAL, reverses=sent.transfer_id)], decision=decided())


def test_what_the_receiver_has_spent_is_not_reversed(thandi: Person, sipho: Person, naledi: Person) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "60.00")
    send(sipho, naledi, "10.00")
    before = state()
    with pytest.raises(InsufficientFunds) as caught:
        reverse(sent.transfer_id)
    assert caught.value.facts == {"available": "50.00", "needed": "60.00"}
    assert state() == before


def test_money_returns_to_a_frozen_wallet_and_to_a_full_one(thandi: Person, sipho: Person) -> None:
    fund(thandi, "99000.00")
    sent = send(thandi, sipho, "20000.00")
    fund(thandi, "21000.00")  # as the bank may: nothing was asked of the ceiling
    Wallet.objects.filter(pk__in=[thandi.wallet.pk, sipho.wallet.pk]).update(status="frozen")
    reverse(sent.transfer_id)
    assert balance(thandi) == money("120000.00")


def test_nothing_returns_to_a_closed_wallet(thandi: Person, sipho: Person) -> None:
    fund(thandi, "60.00")
    sent = send(thandi, sipho, "60.00")
    close(thandi)
    before = state()
    with pytest.raises(WalletClosed):
        reverse(sent.transfer_id)
    assert state() == before


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.TRANSFER, Kind.ADJUSTMENT, Kind.SETTLEMENT}))
def test_only_transfers_adjustments_and_settlements_are_reversed_here(
    thandi: Person, sipho: Person, kind: Kind
) -> None:
    fund(thandi, "100.00")
    (posted,) = posting.post([leg(thandi, sipho, "60.00", kind=kind)], decision=decided())
    before = state()
    with pytest.raises(NotReversible):
        reverse(posted.transfer_id)
    assert state() == before


def test_what_never_was_is_not_reversed() -> None:
    with pytest.raises(UnknownTransfer):
        reverse(uuid.uuid4())
    assert not StoredKey.objects.exists()


def test_an_adjustment_is_taken_back_either_way(thandi: Person) -> None:
    credit = adjust(thandi, "80.00")
    debit = adjust(thandi, "30.00", "debit", "debit")
    before = state()
    with pytest.raises(InsufficientFunds):
        reverse(credit.transfer_id)
    assert state() == before
    reverse(debit.transfer_id, "first")
    reverse(credit.transfer_id, "second")
    assert (balance(thandi), house(Wallet.Kind.ADJUSTMENTS)) == (money("0.00"), Decimal("0.00"))


# A group's legs -------------------------------------------------------------------------------------------------------
def group_with_fees(thandi: Person) -> list[Posted]:
    fee, vat = House(Wallet.Kind.FEE_INCOME, 3), House(Wallet.Kind.VAT_CONTROL, 3)
    return posting.post(
        [
            leg(House(Wallet.Kind.BANK, 5), thandi, "60.00", kind=Kind.RELEASE),
            leg(thandi, fee, "5.50", kind=Kind.FEE),
            leg(thandi, vat, "0.83", kind=Kind.VAT),
        ],
        decision=decided(),
    )


def test_a_group_is_mirrored_leg_by_leg_fees_too_the_last_first(thandi: Person) -> None:
    posted = group_with_fees(thandi)
    with transaction.atomic():
        legs = corrections.mirror_legs(posted[0].transfer_id, allowed={Kind.RELEASE})
        posting.post(legs, key=key("release"), decision=decided())

    assert [mirror.reverses for mirror in legs] == [leg.transfer_id for leg in reversed(posted)]
    assert [str(mirror.amount) for mirror in legs] == ["0.83", "5.50", "60.00"]
    assert {mirror.gives_back for mirror in legs} == {None}
    for kind in (Wallet.Kind.BANK, Wallet.Kind.FEE_INCOME, Wallet.Kind.VAT_CONTROL):
        assert set(Wallet.objects.filter(kind=kind).values_list("balance", flat=True)) == {Decimal("0.00")}
    assert balance(thandi) == money("0.00")
    with pytest.raises(AlreadyReversed), transaction.atomic():
        corrections.mirror_legs(posted[0].transfer_id, allowed={Kind.RELEASE})


def test_a_group_is_all_or_nothing_and_named_by_its_first_leg(thandi: Person) -> None:
    posted = group_with_fees(thandi)
    for transfer_id, allowed in ((posted[0].transfer_id, {Kind.TRANSFER}), (posted[1].transfer_id, {Kind.FEE})):
        with pytest.raises(NotReversible), transaction.atomic():
            corrections.mirror_legs(transfer_id, allowed=allowed)


# What counts against limits --------------------------------------------------------------------------------------------
def test_a_reversal_on_the_same_day_gives_back_what_was_spent(thandi: Person, sipho: Person) -> None:
    fund(thandi, "90000.00")
    first = send(thandi, sipho, "25000.00")
    send(thandi, sipho, "20000.00")
    reverse(first.transfer_id)
    head = wallet_of(thandi)
    assert (head.spent_day_amount, head.spent_month_amount) == (Decimal("20000.00"), Decimal("20000.00"))
    send(thandi, sipho, "25000.00")
    send(thandi, sipho, "5000.00")


def test_a_reversal_after_the_day_or_the_month_gives_back_only_what_still_runs(thandi: Person, sipho: Person) -> None:
    today = business_day(now())
    yesterday = start_of_day(today) - dt.timedelta(hours=1)
    long_ago = yesterday - dt.timedelta(days=40)
    fund(thandi, "1000.00", at=long_ago)
    old, late = (
        posting.post([leg(thandi, sipho, amount, check_limits="send")], at=at)[0]
        for amount, at in (("100.00", long_ago), ("200.00", yesterday))
    )
    send(thandi, sipho, "400.00")
    in_month = Decimal("200.00") if yesterday.month == today.month else Decimal("0.00")
    assert wallet_of(thandi).spent_month_amount == Decimal("400.00") + in_month

    reverse(old.transfer_id, "old")
    assert wallet_of(thandi).spent_month_amount == Decimal("400.00") + in_month
    reverse(late.transfer_id, "late")
    head = wallet_of(thandi)
    assert (head.spent_day_amount, head.spent_month_amount) == (Decimal("400.00"), Decimal("400.00"))


# Forced reversals, and what is owed after them -------------------------------------------------------------------------
def spent(thandi: Person, sipho: Person, naledi: Person, amount: str = "60.00") -> Posted:
    """A transfer whose receiver has passed nearly all of it on."""
    fund(thandi, "100.00")
    sent = send(thandi, sipho, amount)
    send(sipho, naledi, str(money(amount).amount - 1))
    return sent


def test_a_forced_reversal_is_paid_by_the_bank_and_owed_by_the_receiver(
    thandi: Person, sipho: Person, naledi: Person
) -> None:
    sent = spent(thandi, sipho, naledi)
    owed = force(sent.transfer_id)

    assert (balance(thandi), balance(sipho)) == (money("100.00"), money("1.00"))
    assert house(Wallet.Kind.ADJUSTMENTS) == Decimal("-160.00")
    transfer = Transfer.objects.get(pk=owed.transfer_id)
    assert (transfer.kind, transfer.reverses_id, transfer.amount) == ("reversal", sent.transfer_id, 60)
    assert transfer.to_wallet_id == thandi.wallet.pk
    assert (owed.wallet_id, owed.amount, owed.collected_amount, owed.currency) == (sipho.wallet.pk, 60, 0, "ZAR")
    assert wallet_of(thandi).spent_day_amount == 0
    event = AuditEvent.objects.get(verb="transfer.force_reversed")
    assert (event.subject_id, event.facts["amount"]) == (str(sent.transfer_id), "60.00")
    assert event.facts["receivable"] == str(owed.public_id)


def test_a_forced_reversal_twice_with_one_key_and_five_at_once_is_one(
    thandi: Person, sipho: Person, naledi: Person, race: Race
) -> None:
    sent = spent(thandi, sipho, naledi)
    decision, turns = decided(), iter(range(5))
    answers = race(5, lambda: force(sent.transfer_id, f"force {next(turns)}", decision))
    assert Counter(type(answer) for answer in answers) == {Receivable: 1, AlreadyReversed: 4}
    won = next(turn for turn in range(5) if isinstance(answers[turn], Receivable))
    owed = answers[won]
    winner = StoredKey.objects.get(produced_id=owed.transfer_id).key
    before = state()
    assert force(sent.transfer_id, winner) == owed
    with pytest.raises(AlreadyReversed):
        reverse(sent.transfer_id)
    assert state() == before


def test_nothing_is_forced_that_can_be_reversed_or_never_was_a_transfer(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "60.00")
    adjusted = adjust(thandi, "5.00")
    before = state()
    with pytest.raises(ForceNotNeeded):
        force(sent.transfer_id)
    with pytest.raises(NotReversible):
        force(adjusted.transfer_id)
    with pytest.raises(UnknownTransfer):
        force(uuid.uuid4())
    assert state() == before


def test_a_receiver_who_has_closed_his_wallet_owes_all_the_same(thandi: Person, sipho: Person, naledi: Person) -> None:
    sent = spent(thandi, sipho, naledi)
    send(sipho, naledi, "1.00")
    close(sipho)
    assert force(sent.transfer_id).amount == 60
    assert balance(thandi) == money("100.00")


def test_what_is_owed_is_collected_in_parts(thandi: Person, sipho: Person, naledi: Person) -> None:
    owed = force(spent(thandi, sipho, naledi).transfer_id)
    fund(sipho, "200.00")
    Wallet.objects.filter(pk=sipho.wallet.pk).update(status="frozen")
    first = collect(owed, "25.00", "first")
    collect(owed, "35.00", "second")

    assert balance(sipho) == money("141.00")
    owed.refresh_from_db()
    assert owed.collected_amount == owed.amount
    assert list(owed.collections.order_by("pk").values_list("amount", flat=True)) == [25, 35]
    transfer = Transfer.objects.get(pk=first.transfer_id)
    assert (transfer.kind, transfer.from_wallet_id) == ("collection", sipho.wallet.pk)
    event = AuditEvent.objects.filter(verb="receivable.collected").first()
    assert event is not None
    assert (event.subject_id, event.facts["transfer"]) == (str(owed.public_id), str(first.transfer_id))


def test_a_collection_twice_with_one_key_is_one(thandi: Person, sipho: Person, naledi: Person) -> None:
    owed = force(spent(thandi, sipho, naledi).transfer_id)
    fund(sipho, "200.00")
    first = collect(owed, "25.00")
    before = state()
    assert collect(owed, "25.00") == replace(first, replayed=True)
    assert state() == before


def test_no_more_is_collected_than_is_owed_or_there(thandi: Person, sipho: Person, naledi: Person) -> None:
    owed = force(spent(thandi, sipho, naledi).transfer_id)
    fund(sipho, "30.00")
    collect(owed, "10.00", "first")
    before = state()
    with pytest.raises(ReceivableExceeded) as caught:
        collect(owed, "50.01")
    assert caught.value.facts == {"open": "50.00"}
    with pytest.raises(InsufficientFunds):
        collect(owed, "50.00")
    with pytest.raises(WrongCurrency):
        collect(owed, "1.00", money=money("1.00", "USD"))
    for nothing in (Decimal(0), Decimal(-5)):
        with pytest.raises(InvalidAmount):
            collect(owed, "1.00", money=Money(nothing))
    owed.public_id = uuid.uuid4()
    with pytest.raises(UnknownReceivable):
        collect(owed, "1.00")
    assert state() == before


def test_collections_at_once_take_no_more_than_is_owed(
    thandi: Person, sipho: Person, naledi: Person, race: Race
) -> None:
    owed = force(spent(thandi, sipho, naledi).transfer_id)
    fund(sipho, "999.00")
    decision, turns = decided(), iter(range(8))
    answers = race(8, lambda: collect(owed, "20.00", f"collect {next(turns)}", decision=decision))
    assert Counter(type(answer) for answer in answers) == {Posted: 3, ReceivableExceeded: 5}
    assert balance(sipho) == money("940.00")


# Adjustments --------------------------------------------------------------------------------------------------------
def test_an_adjustment_puts_money_in_or_takes_it_out(thandi: Person) -> None:
    adjust(thandi, "80.00")
    posted = adjust(thandi, "30.00", "debit", "debit")
    assert balance(thandi) == money("50.00")
    assert house(Wallet.Kind.ADJUSTMENTS) == Decimal("-50.00")
    event = AuditEvent.objects.filter(verb="wallet.adjusted").latest("pk")
    assert event.subject_id == thandi.wallet.number
    shown = {"transfer": str(posted.transfer_id), "direction": "debit", "amount": "30.00", "currency": "ZAR"}
    assert {**event.facts, **shown, "override_ceiling": False} == event.facts


def test_an_adjustment_twice_with_one_key_and_at_once_is_one(thandi: Person, race: Race) -> None:
    decision = decided()
    answers = race(6, lambda: adjust(thandi, "80.00", decision=decision))
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 5}
    assert balance(thandi) == money("80.00")


def test_an_adjustment_over_the_ceiling_needs_to_say_so(thandi: Person) -> None:
    fund(thandi, "99950.00")
    before = state()
    with pytest.raises(BalanceTooHigh):
        adjust(thandi, "50.01")
    assert state() == before
    adjust(thandi, "50.01", override_ceiling=True)
    assert balance(thandi) == money("100000.01")


def test_an_adjustment_takes_no_more_than_is_available_and_only_a_customers(thandi: Person, sipho: Person) -> None:
    fund(thandi, "30.00")
    close(sipho)
    bank = Wallet.objects.get(kind=Wallet.Kind.BANK, currency="ZAR", stripe=0)
    before = state()
    with pytest.raises(InsufficientFunds):
        adjust(thandi, "30.01", "debit")
    with pytest.raises(WalletClosed):
        adjust(sipho, "1.00")
    with pytest.raises(WrongCurrency):
        adjust(thandi, "1.00", amount=money("1.00", "USD"))
    with pytest.raises(InvalidAmount):
        adjust(thandi, "0.00")
    for number in (bank.number, "0000000000"):
        with pytest.raises(UnknownWallet):
            adjust(thandi, "1.00", wallet_number=number)
    assert state() == before


def test_dollars_are_adjusted_and_reversed_beside_rands(thandi: Person) -> None:
    wallet_services.open_house_wallets(currency="USD")
    sipho = person("sipho", currency="USD")
    dollars = adjust(sipho, "20.00", override_ceiling=True)
    adjust(thandi, "80.00", name="rands")
    assert (balance(sipho), balance(thandi)) == (money("20.00", "USD"), money("80.00"))
    assert house(Wallet.Kind.ADJUSTMENTS, "USD") == Decimal("-20.00")
    reverse(dollars.transfer_id)
    assert (balance(sipho), balance(thandi)) == (money("0.00", "USD"), money("80.00"))


# Settlements --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("step", "payer", "payee"),
    [
        (Settlement.TOP_UPS, Wallet.Kind.BANK, Wallet.Kind.EASYPAY_CLEARING),
        (Settlement.VOUCHERS, Wallet.Kind.EASYPAY_CLEARING, Wallet.Kind.BANK),
        (Settlement.CASH_OUTS, Wallet.Kind.CASHOUT_CLEARING, Wallet.Kind.BANK),
        (Settlement.VAT, Wallet.Kind.VAT_CONTROL, Wallet.Kind.BANK),
        (Settlement.FEES, Wallet.Kind.FEE_INCOME, Wallet.Kind.BANK),
    ],
)
def test_a_settlement_moves_between_wallets_of_the_house_and_back(
    step: Settlement, payer: Wallet.Kind, payee: Wallet.Kind
) -> None:
    wallet_services.open_house_wallets(currency="USD")
    settle(step, "7.00", "USD")
    posted = settle(step, "500.00")
    assert (house(payer), house(payee)) == (Decimal("-500.00"), Decimal("500.00"))
    assert (house(payer, "USD"), house(payee, "USD")) == (Decimal("-7.00"), Decimal("7.00"))
    event = AuditEvent.objects.filter(verb="house.settled").latest("pk")
    assert (event.subject_id, event.facts["step"]) == (str(posted.transfer_id), step.value)
    assert settle(step, "500.00") == replace(posted, replayed=True)
    reverse(posted.transfer_id)
    assert (house(payer), house(payee)) == (Decimal("0.00"), Decimal("0.00"))


def test_nothing_is_settled_where_there_is_no_house() -> None:
    for currency, amount, refusal in (("EUR", "1.00", UnknownWallet), ("ZAR", "0.00", InvalidAmount)):
        with pytest.raises(refusal):
            settle(Settlement.VAT, amount, currency)
    assert not Transfer.objects.exists()
    assert not StoredKey.objects.exists()
    assert not AuditEvent.objects.filter(verb="house.settled").exists()


# Two people ---------------------------------------------------------------------------------------------------------
def wrong_pairs() -> dict[str, Decision]:
    good = decided()
    auditor = create_staff(
        email="auditor@example.com", password="!", first_name="A", last_name="Auditor", role="auditor"
    )
    gone = create_staff(email="gone@example.com", password="!", first_name="G", last_name="Gone", role="finance")
    User.objects.filter(pk=gone.pk).update(status="suspended")
    root = User.objects.create_superuser("root@example.com", "!", first_name="R", last_name="Root")
    return {
        "the auditor approves": replace(good, approved_by=auditor.pk),
        "somebody suspended proposes": replace(good, proposed_by=gone.pk),
        "a superuser without the role approves": replace(good, approved_by=root.pk),
        "nobody approves": replace(good, approved_by=10**9),
    }


def test_nothing_is_decided_by_the_wrong_people_or_without_a_reason(
    thandi: Person, sipho: Person, naledi: Person
) -> None:
    adjusted = adjust(thandi, "5.00")
    sent = spent(thandi, sipho, naledi)
    owed = force(spent(naledi, sipho, thandi).transfer_id, "owed")
    fund(sipho, "5.00")
    deeds: list[Callable[[Decision], object]] = [
        lambda decision: reverse(adjusted.transfer_id, decision=decision),
        lambda decision: force(sent.transfer_id, decision=decision),
        lambda decision: collect(owed, "1.00", decision=decision),
        lambda decision: adjust(thandi, "1.00", name="wrong", decision=decision),
        lambda decision: settle(Settlement.VAT, "1.00", decision=decision),
    ]
    pairs = wrong_pairs()
    before = state()
    for deed in deeds:
        for decision in pairs.values():
            with pytest.raises(NotOfFinance):
                deed(decision)
        with pytest.raises(ReasonNeeded):
            deed(decided("  "))
    with pytest.raises(TwoPeopleNeeded):
        replace(decided(), approved_by=decided().proposed_by)
    assert state() == before
    for deed in deeds:
        deed(decided())


def test_the_legs_of_a_group_are_found_by_indexes_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN " + read("transactions", "queries/group_legs.sql"), {"transfer": uuid.uuid4()})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    for index in ("transfers_pkey", "ix_transfers_group", "uq_transfers_reversed_once"):
        assert index in plan, plan
