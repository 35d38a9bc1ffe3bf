"""Money held back: it stays Thandi's, cannot be spent otherwise, and is paid out or given back once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import pytest
from django.db import transaction

from accounts.models import User
from mymoolah.common.clock import now
from mymoolah.common.money import InvalidAmount, Money
from tests.conftest import Person, Sql, balance, fund, person, send
from tests.transactions.legs import close, key, wallet_of
from transactions import holds
from transactions.holds import Freed, Held, HoldHasAnOwner
from transactions.models import IdempotencyKey as StoredKey
from transactions.models import Transfer
from transactions.posting import (
    CaptureExceedsHold,
    HoldExpired,
    HoldResolved,
    House,
    IdempotencyKeyReused,
    InsufficientFunds,
    LimitExceeded,
    Posted,
    UnknownHold,
    UnknownWallet,
    UserNotActive,
    WalletClosed,
    WalletFrozen,
    WrongCurrency,
)
from wallets import services as wallet_services
from wallets.models import Hold, Wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]
BANK = House(Wallet.Kind.BANK, 0)


def rand(amount: str) -> Money:
    return Money.parse(amount)


def hold(who: Person, amount: str, name: str = "hold", *, for_minutes: int | None = 60, **asked: Any) -> Held:
    expires_at = None if for_minutes is None else now() + dt.timedelta(minutes=for_minutes)
    money = Money.parse(amount, asked.pop("currency", who.wallet.currency))
    return holds.place_hold(
        wallet_id=who.wallet.pk,
        amount=money,
        purpose=asked.pop("purpose", "taxi"),
        expires_at=expires_at,
        key=key(name, f"{name} {money}"),
    )


def capture(held: Held, amount: str, target: Person | House = BANK, name: str = "capture") -> Posted:
    return holds.capture_hold(
        hold_public_id=held.public_id,
        target=target if isinstance(target, House) else target.wallet.pk,
        amount=Money.parse(amount, held.amount.currency),
        key=key(name, f"{name} {amount}"),
        reference="Taxi",
    )


def void(held: Held, name: str = "void") -> Freed:
    return holds.void_hold(hold_public_id=held.public_id, key=key(name, name))


def money_of(who: Person) -> tuple[Decimal, Decimal]:
    wallet = wallet_of(who)
    return wallet.balance, wallet.held


def state() -> list[Any]:
    """Everything that a refusal must leave as it was."""
    return [
        sorted(model.objects.values_list(*[field.attname for field in model._meta.concrete_fields]), key=repr)
        for model in (Wallet, Hold, Transfer, StoredKey)
    ]


# Placing ------------------------------------------------------------------------------------------------------------
def test_held_money_stays_thandis_and_cannot_be_spent_otherwise(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00")

    assert money_of(thandi) == (Decimal("100.00"), Decimal("60.00"))
    with pytest.raises(InsufficientFunds) as caught:
        send(thandi, sipho, "40.01")
    assert caught.value.facts == {"available": "40.00", "needed": "40.01"}
    send(thandi, sipho, "40.00")
    stored = Hold.objects.get(public_id=held.public_id)
    assert (stored.status, stored.purpose, stored.created_at) == ("held", "taxi", held.held_at)


def test_a_hold_asked_for_twice_with_one_key_is_placed_once_and_answers_the_same(thandi: Person) -> None:
    fund(thandi, "100.00")
    first = hold(thandi, "60.00", for_minutes=None)
    void(first)
    assert hold(thandi, "60.00", for_minutes=None) == replace(first, replayed=True)
    assert Hold.objects.count() == 1


def test_the_key_of_a_hold_carries_no_other_request(thandi: Person) -> None:
    fund(thandi, "100.00")
    hold(thandi, "60.00")
    before = state()
    with pytest.raises(IdempotencyKeyReused):
        hold(thandi, "10.00")
    assert state() == before


def test_more_than_is_available_is_not_held(thandi: Person) -> None:
    fund(thandi, "100.00")
    hold(thandi, "60.00")
    before = state()
    with pytest.raises(InsufficientFunds):
        hold(thandi, "40.01", "second")
    assert state() == before


@pytest.mark.parametrize(("amount", "refusal"), [("0.00", InvalidAmount), ("1.00", WrongCurrency)])
def test_nothing_and_other_money_are_not_held(thandi: Person, amount: str, refusal: type[Exception]) -> None:
    fund(thandi, "100.00")
    before = state()
    with pytest.raises(refusal):
        hold(thandi, amount, currency="ZAR" if amount == "0.00" else "USD")
    assert state() == before


def test_a_frozen_wallet_a_closed_one_and_a_suspended_customer_hold_nothing(
    thandi: Person, sipho: Person, naledi: Person
) -> None:
    for who in (thandi, naledi):
        fund(who, "100.00")
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    close(sipho)
    User.objects.filter(pk=naledi.user.pk).update(status="suspended")
    before = state()
    for who, refusal in ((thandi, WalletFrozen), (sipho, WalletClosed), (naledi, UserNotActive)):
        with pytest.raises(refusal):
            hold(who, "10.00")
    assert state() == before


def test_only_customers_have_money_that_can_be_held(thandi: Person) -> None:
    bank = Wallet.objects.get(kind=Wallet.Kind.BANK, currency="ZAR", stripe=0)
    for wallet_id in (bank.pk, 1_000_000):
        with pytest.raises(UnknownWallet):
            holds.place_hold(wallet_id=wallet_id, amount=rand("1.00"), purpose="taxi", expires_at=None, key=key())
    assert not Hold.objects.exists()
    assert not StoredKey.objects.exists()


def test_ten_holds_at_once_of_ten_from_fifty_let_five_through(thandi: Person, race: Race) -> None:
    fund(thandi, "50.00")
    names = iter(range(10))
    answers = race(10, lambda: hold(thandi, "10.00", f"hold {next(names)}"))
    assert Counter(type(answer) for answer in answers) == {Held: 5, InsufficientFunds: 5}
    assert money_of(thandi) == (Decimal("50.00"), Decimal("50.00"))


def test_ten_holds_at_once_with_one_key_are_one(thandi: Person, race: Race) -> None:
    fund(thandi, "50.00")
    answers = race(10, lambda: hold(thandi, "10.00", for_minutes=None))
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 9}
    assert len({replace(answer, replayed=False) for answer in answers}) == 1
    assert Hold.objects.count() == 1


# Paying out of it ---------------------------------------------------------------------------------------------------
def test_a_hold_is_captured_in_full(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00")
    posted = capture(held, "60.00", sipho)

    assert money_of(thandi) == (Decimal("40.00"), Decimal("0.00"))
    assert balance(sipho) == rand("60.00")
    stored = Hold.objects.get()
    assert (stored.status, stored.captured_amount, stored.resolved_at) == ("captured", 60, posted.posted_at)
    transfer = Transfer.objects.get(pk=posted.transfer_id)
    assert (transfer.kind, transfer.reference) == ("capture", "Taxi")


def test_what_a_capture_leaves_of_a_hold_is_free_again(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    capture(hold(thandi, "60.00"), "25.00")
    assert money_of(thandi) == (Decimal("75.00"), Decimal("0.00"))
    send(thandi, sipho, "75.00")


def test_held_money_is_there_to_capture_however_little_is_left_besides(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00")
    send(thandi, sipho, "40.00")
    capture(held, "60.00", sipho)
    assert (balance(thandi), balance(sipho)) == (rand("0.00"), rand("100.00"))


def test_a_capture_is_refused_when_it_is_more_than_is_held(thandi: Person) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00")
    before = state()
    with pytest.raises(CaptureExceedsHold) as caught:
        capture(held, "60.01")
    assert caught.value.facts == {"held": "60.00"}
    assert state() == before
    capture(held, "60.00")


def test_a_capture_twice_with_one_key_pays_once_and_answers_the_same(thandi: Person) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00")
    first = capture(held, "25.00")
    assert capture(held, "25.00") == replace(first, replayed=True)
    assert money_of(thandi) == (Decimal("75.00"), Decimal("0.00"))


def test_a_hold_past_its_time_is_not_captured_even_if_nothing_has_swept_it(thandi: Person) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00", for_minutes=-1)
    before = state()
    with pytest.raises(HoldExpired):
        capture(held, "60.00")
    assert state() == before


def test_a_capture_into_a_closed_wallet_is_refused(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00")
    close(sipho)
    before = state()
    with pytest.raises(WalletClosed):
        capture(held, "60.00", sipho)
    assert state() == before


def test_a_frozen_wallet_pays_what_it_promised(thandi: Person) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00")
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    capture(held, "60.00")
    assert money_of(thandi) == (Decimal("40.00"), Decimal("0.00"))


# Giving it back -----------------------------------------------------------------------------------------------------
def test_a_voided_hold_is_free_again_and_a_repeat_answers_the_same(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00")
    first = void(held)
    assert void(held) == replace(first, replayed=True)
    assert first.amount == rand("60.00")
    stored = Hold.objects.get()
    assert (stored.status, stored.captured_amount, stored.resolved_at) == ("voided", 0, first.freed_at)
    send(thandi, sipho, "100.00")


@pytest.mark.parametrize("again", [void, lambda held, name: capture(held, "1.00", name=name)])
@pytest.mark.parametrize("ended", ["captured", "voided", "expired"])
def test_a_hold_is_resolved_once(thandi: Person, ended: str, again: Callable[..., Any]) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00", for_minutes=-1 if ended == "expired" else 60)
    if ended == "captured":
        capture(held, "60.00")
    elif ended == "voided":
        void(held)
    else:
        holds.expire_holds(now=now())
    before = state()
    with pytest.raises(HoldResolved) as caught:
        again(held, name="again")
    assert caught.value.facts == {"status": ended}
    assert state() == before


def test_captures_and_voids_at_once_resolve_a_hold_once(thandi: Person, race: Race) -> None:
    fund(thandi, "100.00")
    held = hold(thandi, "60.00")
    turns = iter(range(8))

    def one() -> Any:
        turn = next(turns)
        return void(held, f"void {turn}") if turn % 2 else capture(held, "60.00", name=f"capture {turn}")

    answers = Counter(type(answer) for answer in race(8, one))
    assert answers[HoldResolved] == 7
    assert answers[Posted] + answers[Freed] == 1
    assert money_of(thandi) == (Decimal("40.00" if answers[Posted] else "100.00"), Decimal("0.00"))


def test_what_nobody_holds_is_neither_captured_nor_voided(thandi: Person) -> None:
    nobodys = Held(
        public_id=uuid.uuid4(), wallet_id=1, amount=rand("1.00"), purpose="taxi", expires_at=None, held_at=now()
    )
    for act in (void, lambda held: capture(held, "1.00")):
        with pytest.raises(UnknownHold):
            act(nobodys)
    assert not StoredKey.objects.exists()


def test_a_hold_in_dollars_is_captured_in_dollars(thandi: Person) -> None:
    wallet_services.open_house_wallets(currency="USD")
    fund(thandi, "100.00")
    sipho = person("sipho", currency="USD")
    fund(sipho, "30.00")
    rands, dollars = hold(thandi, "60.00"), hold(sipho, "20.00", "dollars")
    before = state()
    with pytest.raises(WrongCurrency):
        holds.capture_hold(hold_public_id=dollars.public_id, target=BANK, amount=rand("20.00"), key=key("wrong"))
    assert state() == before
    capture(dollars, "15.00")
    capture(rands, "60.00", name="rands")
    assert money_of(sipho) == (Decimal("15.00"), Decimal("0.00"))
    assert money_of(thandi) == (Decimal("40.00"), Decimal("0.00"))


# Inside somebody else's transaction ---------------------------------------------------------------------------------
def place(who: Person, amount: str, **asked: Any) -> tuple[int, uuid.UUID]:
    hold_id, public_id = holds.next_hold_id(), uuid.uuid4()
    holds.place(
        hold_id=hold_id,
        public_id=public_id,
        wallet_id=who.wallet.pk,
        amount=rand(amount),
        purpose="voucher:1",
        expires_at=None,
        **asked,
    )
    return hold_id, public_id


def test_a_hold_belongs_to_the_transaction_it_is_placed_in(thandi: Person) -> None:
    fund(thandi, "100.00")
    with transaction.atomic():
        place(thandi, "60.00")
        assert money_of(thandi) == (Decimal("100.00"), Decimal("60.00"))
        transaction.set_rollback(True)
    assert not Hold.objects.exists()
    assert money_of(thandi) == (Decimal("100.00"), Decimal("0.00"))


def test_what_is_spent_of_a_hold_counts_until_it_is_freed(thandi: Person) -> None:
    fund(thandi, "90000.00")
    hold_id, _ = place(thandi, "25009.20", check_limits="cash_out", spent=rand("25000.00"))
    place(thandi, "25009.20", check_limits="cash_out", spent=rand("25000.00"))
    before = state()
    with pytest.raises(LimitExceeded) as caught:
        place(thandi, "1.00", check_limits="cash_out", spent=rand("1.00"))
    assert caught.value.facts == {"period": "day", "limit": "50000.00", "left": "0.00"}
    assert state() == before
    holds.free(hold_id=hold_id, status="voided")
    assert wallet_of(thandi).spent_day_amount == 25000
    place(thandi, "25009.20", check_limits="cash_out", spent=rand("25000.00"))


@pytest.mark.parametrize("status", ["voided", "expired"])
def test_what_is_held_in_a_frozen_wallet_is_freed(thandi: Person, status: Literal["voided", "expired"]) -> None:
    fund(thandi, "100.00")
    hold_id, _ = place(thandi, "60.00")
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    holds.free(hold_id=hold_id, status=status)
    assert money_of(thandi) == (Decimal("100.00"), Decimal("0.00"))


def test_what_a_voucher_holds_only_the_voucher_resolves(thandi: Person) -> None:
    fund(thandi, "100.00")
    _, public_id = place(thandi, "60.00")
    before = state()
    with pytest.raises(HoldHasAnOwner):
        holds.void_hold(hold_public_id=public_id, key=key())
    with pytest.raises(HoldHasAnOwner):
        holds.capture_hold(hold_public_id=public_id, target=BANK, amount=rand("60.00"), key=key())
    with pytest.raises(HoldHasAnOwner):
        hold(thandi, "1.00", purpose="voucher:2")
    assert state() == before


def test_the_app_itself_cannot_write_holds(thandi: Person, app_sql: Sql) -> None:
    fund(thandi, "100.00")
    hold(thandi, "60.00")
    for statement in (
        "UPDATE holds SET status = 'voided', resolved_at = now()",
        "DELETE FROM holds",
        "SELECT id FROM holds FOR NO KEY UPDATE",
    ):
        with pytest.raises(Exception, match="permission denied"):
            app_sql(statement)
