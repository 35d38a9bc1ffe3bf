"""Money in suspense that is owed to a customer: released, returned, paid outside, and taken back."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.decisions import Decision, NotOfFinance, ReasonNeeded
from accounts.models import AuditEvent, User
from mymoolah.common.clock import now
from mymoolah.common.errors import DomainError
from tests.conftest import Person, Sql, fund, send
from tests.transactions.legs import close, decided
from tests.vouchers.suspense import (
    FEES,
    SERVICES,
    decide,
    fill,
    freeze,
    item_of,
    kinds_of,
    legs_of,
    naming,
    refund,
    reported,
    set_wallet,
    suspend,
    unknown,
)
from tests.vouchers.till import (
    CASH_OUT,
    TOP_UP,
    Moves,
    a_key,
    cancel,
    done,
    end_term,
    issue,
    moves,
    payment,
    status_of,
    told,
)
from transactions.corrections import AlreadyReversed
from transactions.posting import (
    BalanceTooHigh,
    InsufficientFunds,
    UnknownWallet,
    UserNotActive,
    WalletClosed,
    WalletFrozen,
)
from vouchers.models import SuspenseItem
from vouchers.services import resolving
from vouchers.services.ending import expire_vouchers
from vouchers.services.resolving import (
    ResolutionDoesNotFit,
    Resolved,
)
from wallets.models import Wallet

pytestmark = pytest.mark.usefixtures("ledger")


# Money that came in -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("amount", "net"), [("60.00", "53.67"), ("150.00", "143.67"), ("6.33", "0.00")])
@pytest.mark.parametrize("ended", [None, "expired", "cancelled"])
def test_released_cash_in_redeems_its_top_up_and_costs_the_fee(
    amount: str, net: str, ended: str | None, thandi: Person, owner_sql: Sql
) -> None:
    voucher = issue(thandi, TOP_UP)
    if ended == "cancelled":
        cancel(thandi, voucher)
    elif ended:
        end_term(owner_sql, voucher, ago=dt.timedelta(days=4))
        assert expire_vouchers(now=now()).expired == 1
    told(payment(voucher, amount))
    change: Moves = {thandi: net} if net != "0.00" else {}
    with moves({"suspense": f"-{amount}", **FEES, **change}):
        item = decide(resolving.release_cash_in, item_of(voucher))
    assert status_of(voucher) == "redeemed"
    assert kinds_of(item) == ["release", "fee", "vat"]
    assert item.resolution == "released"


def test_a_second_payment_is_released_without_a_fee(thandi: Person) -> None:
    voucher, item = reported(thandi, TOP_UP, "100.00", times=2)
    with moves({"suspense": "-100.00", thandi: "100.00"}):
        item = decide(resolving.release_cash_in, item)
    assert kinds_of(item) == ["release"]
    assert status_of(voucher) == "redeemed"


def test_of_two_wrong_payments_of_one_top_up_the_first_released_costs_the_fee(thandi: Person) -> None:
    voucher, first = reported(thandi, TOP_UP, "60.00")
    told(payment(voucher, "40.00"))
    second = item_of(voucher)
    with moves({"suspense": "-40.00", thandi: "33.67", **FEES}):
        decide(resolving.release_cash_in, second)
    with moves({"suspense": "-60.00", thandi: "60.00"}):
        decide(resolving.release_cash_in, first)


def test_what_does_not_pay_the_fee_is_not_released_but_can_be_returned(thandi: Person) -> None:
    voucher, item = reported(thandi, TOP_UP, "6.32")
    with moves({}), pytest.raises(InsufficientFunds):
        decide(resolving.release_cash_in, item)
    assert status_of(voucher) == "pending_payment"
    with moves({"suspense": "-6.32", "easypay_clearing": "6.32"}):
        decide(resolving.return_cash_in, item)


@pytest.mark.parametrize(
    ("stop", "refusal", "override", "other"),
    [
        (freeze, WalletFrozen, "override_active", "override_ceiling"),
        (suspend, UserNotActive, "override_active", "override_ceiling"),
        (fill, BalanceTooHigh, "override_ceiling", "override_active"),
    ],
)
def test_each_check_of_a_release_may_be_overridden_by_name_alone(
    stop: Callable[[Person], None], refusal: type[DomainError], override: str, other: str, thandi: Person
) -> None:
    stop(thandi)
    voucher = item = None
    if stop is fill:
        voucher, item = reported(thandi, TOP_UP, "100.00")
    else:
        set_wallet(thandi, "active")
        User.objects.filter(pk=thandi.user.pk).update(status="active")
        voucher = issue(thandi, TOP_UP)
        stop(thandi)
        told(payment(voucher))
        item = item_of(voucher)
    for how in ({}, {other: True}):
        with moves({}), pytest.raises(refusal):
            decide(resolving.release_cash_in, item, **how)
    with moves({"suspense": "-100.00", thandi: "93.67", **FEES}):
        decide(resolving.release_cash_in, item, **{override: True})
    facts = AuditEvent.objects.get(verb="suspense.resolved").facts
    assert facts[override] is True
    assert facts[other] is False


def test_nothing_is_released_into_a_closed_wallet_whatever_is_overridden(thandi: Person) -> None:
    voucher = issue(thandi, TOP_UP)
    close(thandi)
    told(payment(voucher))
    item = item_of(voucher)
    with moves({}), pytest.raises(WalletClosed):
        decide(resolving.release_cash_in, item, override_active=True, override_ceiling=True)
    with moves({"suspense": "-100.00", "easypay_clearing": "100.00"}):
        decide(resolving.return_cash_in, item)


def test_of_an_unknown_number_finance_names_the_customer(thandi: Person, naledi: Person) -> None:
    item = unknown()
    with moves({}):
        with pytest.raises(ResolutionDoesNotFit, match="Name the customer"):
            decide(resolving.release_cash_in, item)
        with pytest.raises(UnknownWallet):
            decide(resolving.release_cash_in, item, wallet_number="1234567897")
        house = Wallet.objects.filter(kind="bank").latest("pk").number
        with pytest.raises(UnknownWallet):
            decide(resolving.release_cash_in, item, wallet_number=house)
    with moves({"suspense": "-100.00", thandi: "100.00"}):
        decide(resolving.release_cash_in, item, wallet_number=thandi.wallet.number)
    item = unknown("70.00")
    with moves({"suspense": "-70.00", "easypay_clearing": "70.00"}):
        decide(resolving.return_cash_in, item)


def test_what_was_paid_for_one_customer_is_released_to_no_other(thandi: Person, naledi: Person) -> None:
    _, item = reported(thandi, TOP_UP, "60.00")
    with moves({}), pytest.raises(ResolutionDoesNotFit, match="another customer"):
        decide(resolving.release_cash_in, item, wallet_number=naledi.wallet.number)
    with moves({"suspense": "-60.00", thandi: "53.67", **FEES}):
        decide(resolving.release_cash_in, item, wallet_number=thandi.wallet.number)


def test_a_top_up_whose_wrong_payment_was_returned_can_still_be_paid(thandi: Person) -> None:
    voucher, item = reported(thandi, TOP_UP, "60.00")
    with moves({"suspense": "-60.00", "easypay_clearing": "60.00"}):
        item = decide(resolving.return_cash_in, item)
    assert kinds_of(item) == ["release"]
    assert item.resolution == "returned"
    assert status_of(voucher) == "pending_payment"
    with moves(done(TOP_UP, thandi)):
        assert told(payment(voucher)) == "applied"


# Refunds that found their wallet closed -----------------------------------------------------------------------------
def test_a_closed_wallets_refund_is_paid_outside(thandi: Person, owner_sql: Sql) -> None:
    item = refund(thandi, owner_sql)
    with moves({"suspense": "-102.88", "bank": "102.88"}):
        item = decide(resolving.pay_refund_outside, item)
    assert item.resolution == "paid_outside"
    assert kinds_of(item) == ["release"]


def test_a_closed_wallets_refund_goes_to_an_active_wallet_of_the_same_person(
    thandi: Person, sipho: Person, owner_sql: Sql
) -> None:
    item = refund(thandi, owner_sql)
    own = {"wallet_number": thandi.wallet.number}
    with moves({}):
        with pytest.raises(ResolutionDoesNotFit):
            decide(resolving.release_refund, item, wallet_number=sipho.wallet.number)
        with pytest.raises(UnknownWallet):
            decide(resolving.release_refund, item, wallet_number="1234567897")
        with pytest.raises(WalletClosed):
            decide(resolving.release_refund, item, **own)
        set_wallet(thandi, "frozen")
        with pytest.raises(WalletFrozen):
            decide(resolving.release_refund, item, **own)
        set_wallet(thandi, "active")
        suspend(thandi)
        with pytest.raises(UserNotActive):
            decide(resolving.release_refund, item, **own)
        User.objects.filter(pk=thandi.user.pk).update(status="active")
    fill(thandi)
    with moves({"suspense": "-102.88", thandi: "102.88"}):
        item = decide(resolving.release_refund, item, **own)
    assert item.resolution == "released"


# Taking a release back ----------------------------------------------------------------------------------------------
def test_a_release_is_taken_back_with_its_fee_once_and_is_owed_again(thandi: Person) -> None:
    voucher, item = reported(thandi, TOP_UP, "60.00")
    decide(resolving.release_cash_in, item)
    fund(thandi, "10.00")
    with moves({"suspense": "60.00", thandi: "-53.67", "fee_income": "-5.50", "vat_control": "-0.83"}):
        again = decide(resolving.reverse_release, item)
    item.refresh_from_db()
    assert item.resolution == "released"
    assert (again.reason, again.amount, again.direction) == ("release_reversed", item.amount, item.direction)
    assert (again.user, again.voucher, again.till_event, again.resolved_at) == (thandi.user, voucher, None, None)
    group, released = legs_of(again.transfer_id), legs_of(item.resolution_transfer_id)
    assert {leg.kind for leg in group} == {"reversal"}
    assert [leg.reverses_id for leg in group] == [leg.pk for leg in reversed(released)]
    event = AuditEvent.objects.get(verb="suspense.release_reversed")
    assert event.subject_id == str(item.public_id)
    assert event.facts["opened"] == str(again.public_id)
    assert status_of(voucher) == "redeemed"
    with moves({}), pytest.raises(AlreadyReversed):
        decide(resolving.reverse_release, item)
    with moves({}), pytest.raises(ResolutionDoesNotFit):
        decide(resolving.reverse_release, again)
    with moves({"suspense": "-60.00", thandi: "60.00"}):
        decide(resolving.release_cash_in, again)
    with moves({"suspense": "60.00", thandi: "-60.00"}):
        once_more = decide(resolving.reverse_release, again)
    with moves({"suspense": "-60.00", "easypay_clearing": "60.00"}):
        decide(resolving.return_cash_in, once_more)


@pytest.mark.parametrize("service", ["return", "release cash in"])
def test_what_came_for_an_unknown_number_is_owed_again(service: str, thandi: Person) -> None:
    item = decide(SERVICES[service][0], unknown(), **naming(service, thandi))
    source: Any = "easypay_clearing" if service == "return" else thandi
    with moves({"suspense": "100.00", source: "-100.00"}):
        again = decide(resolving.reverse_release, item)
    assert (again.user, again.voucher) == (None, None)
    with moves({"suspense": "-100.00", thandi: "100.00"}):
        decide(resolving.release_cash_in, again, wallet_number=thandi.wallet.number)


def test_a_refund_that_was_not_paid_outside_is_owed_again(thandi: Person, owner_sql: Sql) -> None:
    item = decide(resolving.pay_refund_outside, refund(thandi, owner_sql))
    with moves({"suspense": "102.88", "bank": "-102.88"}):
        again = decide(resolving.reverse_release, item)
    with moves({"suspense": "-102.88", "bank": "102.88"}):
        decide(resolving.pay_refund_outside, again)


def test_a_live_top_up_waits_again_once_its_return_is_taken_back(thandi: Person) -> None:
    voucher, item = reported(thandi, TOP_UP, "60.00")
    decide(resolving.return_cash_in, item)
    decide(resolving.reverse_release, item)
    with pytest.raises(DomainError) as caught:
        cancel(thandi, voucher)
    assert caught.value.code == "voucher_under_review"


def test_what_was_released_and_spent_is_not_taken_back(thandi: Person, sipho: Person) -> None:
    _, item = reported(thandi, TOP_UP, "60.00")
    decide(resolving.release_cash_in, item)
    send(thandi, sipho, "10.00")
    with moves({}), pytest.raises(InsufficientFunds):
        decide(resolving.reverse_release, item)
    assert SuspenseItem.objects.count() == 1


@pytest.mark.parametrize("service", ["bear", "paid out"])
def test_only_a_release_is_taken_back(service: str, thandi: Person) -> None:
    fund(thandi, "500.00")
    _, item = reported(thandi, CASH_OUT, "60.00")
    item = decide(SERVICES[service][0], item)
    with moves({}), pytest.raises(ResolutionDoesNotFit):
        decide(resolving.reverse_release, item)


def test_four_that_take_back_one_release_at_once_do_it_once(thandi: Person, race: Callable[..., list[Any]]) -> None:
    _, item = reported(thandi, TOP_UP, "60.00")
    decide(resolving.release_cash_in, item)
    pair, key = decided(), a_key()
    reverse = partial(resolving.reverse_release, item_public_id=item.public_id, decision=pair, now=now())
    answers = race(4, lambda: reverse(key=a_key()))
    assert Counter(type(answer) for answer in answers) == {Resolved: 1, AlreadyReversed: 3}
    decide(resolving.release_cash_in, item_of(item.voucher))
    newest = SuspenseItem.objects.latest("pk")
    reverse = partial(resolving.reverse_release, item_public_id=newest.public_id, decision=pair, now=now())
    answers = race(4, lambda: reverse(key=key))
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 3}
    assert len({answer.item for answer in answers}) == 1


def test_taking_a_release_back_needs_two_of_finance(thandi: Person) -> None:
    _, item = reported(thandi, TOP_UP, "60.00")
    decide(resolving.release_cash_in, item)
    with moves({}):
        with pytest.raises(ReasonNeeded):
            decide(resolving.reverse_release, item, decision=decided(" "))
        stranger = Decision(proposed_by=thandi.user.pk, approved_by=decided().approved_by, reason="Mine")
        with pytest.raises(NotOfFinance):
            decide(resolving.reverse_release, item, decision=stranger)
