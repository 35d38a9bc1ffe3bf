"""What a customer does with money: sending it, and getting some to play with."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.models import User
from mymoolah.common.errors import DomainError
from mymoolah.common.money import Money
from tests.conftest import Person, balance, fund, person, send
from transactions.models import Transfer
from transactions.posting import (
    BalanceTooHigh,
    IdempotencyKey,
    IdempotencyKeyReused,
    InsufficientFunds,
    LimitExceeded,
    NotPermitted,
    Posted,
    SameWallet,
    UserNotActive,
    WalletClosed,
    WalletFrozen,
    WrongCurrency,
)
from transactions.selectors import RecipientCannotReceive
from transactions.services import AmountTooSmall, give_demo_money
from wallets import services as wallet_services
from wallets.models import Wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]


def set_status(who: Person, status: str) -> None:
    Wallet.objects.filter(pk=who.wallet.pk).update(status=status)


def nobody_was_paid() -> bool:
    return not Transfer.objects.filter(kind="transfer").exists()


def test_thandi_pays_and_sipho_receives_free_of_charge(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    posted = send(thandi, sipho, "30.00")
    assert (posted.from_balance_after, posted.to_balance_after) == (Decimal("70.00"), Decimal("30.00"))
    transfer = Transfer.objects.get(pk=posted.transfer_id)
    assert (transfer.kind, transfer.reference, transfer.initiated_by_id) == ("transfer", "Lunch", thandi.user.pk)
    assert (balance(thandi), balance(sipho)) == (Money.parse("70.00"), Money.parse("30.00"))


def test_a_rand_is_the_least_that_can_be_sent(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    with pytest.raises(AmountTooSmall) as caught:
        send(thandi, sipho, "0.99")
    assert caught.value.facts == {"least": "1.00"}
    send(thandi, sipho, "1.00")


def test_nobody_pays_herself(thandi: Person) -> None:
    fund(thandi, "100.00")
    with pytest.raises(SameWallet):
        send(thandi, thandi, "1.00")
    assert nobody_was_paid()


@pytest.mark.parametrize(("status", "refusal"), [("frozen", WalletFrozen), ("closed", WalletClosed)])
def test_a_sender_learns_what_is_wrong_with_her_own_wallet(
    thandi: Person, sipho: Person, status: str, refusal: type[DomainError]
) -> None:
    set_status(thandi, status)
    with pytest.raises(refusal):
        send(thandi, sipho, "1.00")


def test_a_suspended_sender_is_refused(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    User.objects.filter(pk=thandi.user.pk).update(status="suspended")
    with pytest.raises(UserNotActive):
        send(thandi, sipho, "1.00")
    assert nobody_was_paid()


@pytest.mark.parametrize("trouble", ["frozen", "closed", "suspended", "full"])
def test_a_sender_learns_nothing_about_the_recipient(thandi: Person, sipho: Person, trouble: str) -> None:
    fund(thandi, "100.00")
    if trouble == "full":
        fund(sipho, "99999.00")
    elif trouble == "suspended":
        User.objects.filter(pk=sipho.user.pk).update(status="suspended")
    else:
        set_status(sipho, trouble)
    with pytest.raises(RecipientCannotReceive) as caught:
        send(thandi, sipho, "1.01")
    assert (caught.value.facts, str(caught.value)) == ({}, RecipientCannotReceive.title)
    assert nobody_was_paid()


def test_the_recipients_ceiling_may_be_reached_to_the_cent(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    fund(sipho, "99999.00")
    send(thandi, sipho, "1.00")
    assert balance(sipho) == Money.parse("100000.00")


def test_a_newcomer_receives_but_does_not_send(thandi: Person) -> None:
    newcomer = person("newcomer", tier=0)
    fund(thandi, "100.00")
    send(thandi, newcomer, "50.00")
    with pytest.raises(NotPermitted):
        send(newcomer, thandi, "1.00")


def test_more_than_there_is_or_than_is_allowed_is_refused(thandi: Person, sipho: Person) -> None:
    fund(thandi, "30000.00")
    with pytest.raises(LimitExceeded):
        send(thandi, sipho, "25000.01")
    send(thandi, sipho, "25000.00")
    with pytest.raises(InsufficientFunds) as caught:
        send(thandi, sipho, "5000.01")
    assert caught.value.facts == {"available": "5000.00", "needed": "5000.01"}


def test_wallets_of_two_currencies_do_not_pay_each_other(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    dollars = Person(sipho.user, wallet_services.open_wallet(user=sipho.user, currency="USD"))
    with pytest.raises(WrongCurrency):
        send(thandi, dollars, "1.00")
    assert nobody_was_paid()


def test_sent_again_with_one_key_the_money_moves_once(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    first = send(thandi, sipho, "30.00", key="lunch")
    fund(sipho, "5.00")
    assert send(thandi, sipho, "30.00", key="lunch") == replace(first, replayed=True)
    assert balance(thandi) == Money.parse("70.00")


def test_one_key_for_two_requests_is_refused(thandi: Person, sipho: Person, naledi: Person) -> None:
    fund(thandi, "100.00")
    send(thandi, sipho, "30.00", key="lunch")
    for recipient, amount in ((sipho, "30.01"), (naledi, "30.00")):
        with pytest.raises(IdempotencyKeyReused):
            send(thandi, recipient, amount, key="lunch")
    assert balance(thandi) == Money.parse("70.00")


def test_play_money_comes_once_and_stops_at_the_ceiling() -> None:
    newcomer = person("newcomer", tier=0)

    def give(amount: str, key: str) -> Posted:
        money = Money.parse(amount)
        digest = hashlib.sha256(amount.encode()).digest()
        return give_demo_money(wallet=newcomer.wallet, amount=money, key=IdempotencyKey("demo", key, digest))

    assert [give("3000.00", "a").replayed, give("3000.00", "a").replayed] == [False, True]
    with pytest.raises(BalanceTooHigh):
        give("0.01", "b")
    assert balance(newcomer) == Money.parse("3000.00")
