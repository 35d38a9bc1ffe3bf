"""Cancelling vouchers: by the customer those that a till has not seen, by two of finance those with a code."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts import audit
from accounts.decisions import Decision, NotOfFinance, ReasonNeeded, TwoPeopleNeeded
from accounts.models import AuditEvent, User
from accounts.services import create_staff
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from tests.conftest import Person, Sql, balance, fund, refused, send
from tests.tables import digests
from tests.transactions.legs import decided, wallet_of
from tests.vouchers.desk import (
    CASH_OUT,
    COSTS,
    EASYPAY_VOUCHER,
    STANDARD,
    TOP_UP,
    at_once,
    cancel,
    issue,
    key,
    redeem,
    spent,
    state_of,
    stop,
)
from tests.vouchers.till import moves, payment, told
from transactions.models import Transaction, Transfer
from transactions.posting import IdempotencyKeyReused
from vouchers.errors import (
    VoucherCancelled,
    VoucherExpired,
    VoucherNotCancellable,
    VoucherNotFound,
    VoucherRedeemed,
    VoucherUnderReview,
)
from vouchers.models import SuspenseItem, Voucher, VoucherTotal
from vouchers.services.ending import Cancelled, Sweep, cancel_for_customer, expire_vouchers
from wallets.models import Hold, Wallet
from wallets.services import freeze_wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]
CANCELLABLE = [TOP_UP, EASYPAY_VOUCHER, CASH_OUT]
INSTANT = dt.timedelta(microseconds=1)


@pytest.fixture
def rich(thandi: Person) -> Person:
    fund(thandi, "1000.00")
    return thandi


# By the customer ----------------------------------------------------------------------------------------------------
STOPS: dict[str, Callable[[Person], object]] = {
    "nothing": lambda _: None,
    "a freeze": lambda who: freeze_wallet(
        number=who.wallet.number, user_public_id=who.user.public_id, origin=audit.SYSTEM
    ),
    "a suspension": lambda who: stop(User, who, "suspended"),  # his access token is good for a while
}


@pytest.mark.parametrize("stops", STOPS)
@pytest.mark.parametrize(
    ("voucher_type", "moved"),
    [
        (TOP_UP, {}),
        (
            EASYPAY_VOUCHER,
            {"thandi": "102.88", "voucher_liability": "-100.00", "fee_income": "-2.50", "vat_control": "-0.38"},
        ),
        (CASH_OUT, {"thandi": ("0.00", "-109.20")}),
    ],
)
def test_what_was_paid_or_held_comes_back_fees_too_whatever_stops_its_owner(
    rich: Person, voucher_type: str, moved: dict[str, Any], stops: str
) -> None:
    voucher = issue(rich, voucher_type)
    STOPS[stops](rich)
    standing = wallet_of(rich).standing
    with moves({rich if who == "thandi" else who: change for who, change in moved.items()}):
        cancelled = cancel(rich, voucher)
    assert (cancelled.voucher.status, cancelled.replayed) == ("cancelled", False)
    assert state_of(voucher) == ("cancelled", Decimal(0))
    assert wallet_of(rich).standing == standing
    assert spent(rich) == (Decimal(0), Decimal(0))
    assert VoucherTotal.objects.get(user=rich.user).total_count == 0
    if voucher_type == CASH_OUT:
        assert Hold.objects.get().status == "voided"
    event = AuditEvent.objects.get(verb="voucher.cancelled")
    assert (event.subject_id, event.actor) == (str(voucher.public_id), rich.user)


def test_a_standard_voucher_is_not_the_customers_to_cancel(rich: Person) -> None:
    voucher = issue(rich)
    before = digests()
    with pytest.raises(VoucherNotCancellable):
        cancel(rich, voucher)
    assert digests() == before


@pytest.mark.parametrize("voucher_type", Voucher.Type)
def test_a_strangers_voucher_is_not_there(rich: Person, naledi: Person, voucher_type: str) -> None:
    voucher = issue(rich, voucher_type)
    before = digests()
    with pytest.raises(VoucherNotFound):
        cancel(naledi, voucher)
    with pytest.raises(VoucherNotFound):
        cancel(rich, Voucher())
    assert digests() == before


REFUSALS: dict[str, tuple[Callable[[Person, Voucher], object], type[Exception]]] = {
    "used at a till": (lambda _, voucher: told(payment(voucher)), VoucherRedeemed),
    "cancelled": (cancel, VoucherCancelled),
    "expired": (lambda _, voucher: expire_vouchers(now=voucher.expires_at + dt.timedelta(days=3)), VoucherExpired),
    "waiting for finance": (lambda _, voucher: told(payment(voucher, "99.99")), VoucherUnderReview),
}


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
@pytest.mark.parametrize("why", REFUSALS)
def test_a_refusal_leaves_every_table_as_it_was(rich: Person, why: str, voucher_type: str) -> None:
    prepare, refusal = REFUSALS[why]
    voucher = issue(rich, voucher_type)
    prepare(rich, voucher)
    before = digests()
    with pytest.raises(refusal):
        cancel(rich, voucher)
    assert digests() == before


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_past_its_end_it_waits_for_the_sweep_and_is_not_cancelled(rich: Person, voucher_type: str) -> None:
    voucher = issue(rich, voucher_type)
    before = digests()
    with pytest.raises(VoucherExpired):
        cancel(rich, voucher, at=voucher.expires_at)
    assert digests() == before
    cancel(rich, voucher, at=voucher.expires_at - INSTANT)


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
@pytest.mark.parametrize("status", ["cancelled", "expired"])
def test_the_database_ends_none_that_waits_for_finance(
    rich: Person, app_sql: Sql, voucher_type: str, status: str
) -> None:
    voucher = issue(rich, voucher_type)
    told(payment(voucher, "99.99"))
    with refused("MM022"):
        app_sql("UPDATE vouchers SET status = %s, balance = 0 WHERE id = %s", status, voucher.pk)


@pytest.mark.parametrize("stops", STOPS)
@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_twice_with_one_key_is_once(rich: Person, voucher_type: str, stops: str) -> None:
    voucher, other = issue(rich, voucher_type), issue(rich, voucher_type)
    STOPS[stops](rich)
    cancel(rich, voucher, key="k")
    after = digests()
    again = cancel(rich, voucher, key="k")
    assert (again.replayed, again.voucher) == (True, voucher)
    with pytest.raises(IdempotencyKeyReused):
        cancel(rich, other, key="k")
    assert digests() == after


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_ten_at_once_with_keys_of_their_own_cancel_it_once(rich: Person, race: Race, voucher_type: str) -> None:
    voucher = issue(rich, voucher_type)
    answers = race(10, lambda: cancel(rich, voucher))
    assert Counter(type(answer) for answer in answers) == {Cancelled: 1, VoucherCancelled: 9}, answers
    assert (balance(rich), wallet_of(rich).held) == (Money.parse("1000.00"), 0)


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_ten_at_once_with_one_key_cancel_it_once_and_are_told_alike(
    rich: Person, race: Race, voucher_type: str
) -> None:
    voucher = issue(rich, voucher_type)
    answers = race(10, lambda: cancel(rich, voucher, key="k"))
    assert Counter(type(answer) for answer in answers) == {Cancelled: 10}, answers
    assert sum(answer.replayed for answer in answers) == 9
    assert (balance(rich), wallet_of(rich).held) == (Money.parse("1000.00"), 0)


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
@pytest.mark.parametrize("_", range(3))
def test_either_it_is_cancelled_or_it_expires(rich: Person, race: Race, voucher_type: str, _: int) -> None:
    voucher = issue(rich, voucher_type)
    due = voucher.expires_at + dt.timedelta(hours=72)
    cancelled, swept = at_once(race, lambda: cancel(rich, voucher), lambda: expire_vouchers(now=due))
    if isinstance(cancelled, Cancelled):
        assert (state_of(voucher)[0], swept) == ("cancelled", Sweep(expired=0, failed=0))
    else:
        assert isinstance(cancelled, VoucherExpired)
        assert (state_of(voucher)[0], swept) == ("expired", Sweep(expired=1, failed=0))
    assert (balance(rich), wallet_of(rich).held) == (Money.parse("1000.00"), 0)


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_a_freeze_at_the_same_moment_keeps_no_cancel_back(rich: Person, race: Race, voucher_type: str) -> None:
    for _ in range(5):
        voucher = issue(rich, voucher_type)
        cancelled, frozen = at_once(race, lambda: cancel(rich, voucher), lambda: STOPS["a freeze"](rich))  # noqa: B023
        assert isinstance(cancelled, Cancelled), cancelled
        assert isinstance(frozen, Wallet), frozen
        assert (balance(rich), wallet_of(rich).held) == (Money.parse("1000.00"), 0)
        assert (wallet_of(rich).standing, spent(rich)) == ("frozen by the customer", (Decimal(0), Decimal(0)))
        Wallet.objects.filter(pk=rich.wallet.pk).update(status="active", frozen_by=None)


def test_what_comes_back_shows_among_the_customers_entries(rich: Person) -> None:
    cancel(rich, issue(rich, EASYPAY_VOUCHER))
    entries = Transaction.objects.filter(wallet_id=rich.wallet.pk).order_by("-sequence")[:6]
    assert [(entry.type, entry.transfer.kind, str(entry.amount)) for entry in entries] == [
        ("received", "vat", "0.38"),
        ("received", "fee", "2.50"),
        ("received", "voucher_refund", "100.00"),
        ("sent", "vat", "0.38"),
        ("sent", "fee", "2.50"),
        ("sent", "voucher_issue", "100.00"),
    ]
    assert {entry.transfer.reference for entry in entries} == {"EasyPay voucher"}


# By two of finance --------------------------------------------------------------------------------------------------
def cancel_lost(voucher: Voucher, decision: Decision | None = None, *, name: str | None = None) -> Cancelled:
    return cancel_for_customer(
        voucher_public_id=voucher.public_id,
        decision=decision or decided("Case 4711"),
        key=key(name, "lost", voucher.public_id),
        now=now(),
        origin=audit.SYSTEM,
    )


def test_two_of_finance_give_back_what_is_left_of_a_lost_code(rich: Person, sipho: Person) -> None:
    voucher = issue(rich)
    redeem(sipho, voucher, "30.00")
    decision = decided("Case 4711")
    with moves({rich: "70.00", "voucher_liability": "-70.00"}):
        cancel_lost(voucher, decision)
    assert state_of(voucher) == ("cancelled", Decimal(0))
    assert spent(rich) == (Decimal("30.00"), Decimal("30.00"))
    refund = Transfer.objects.get(kind="voucher_refund")
    assert (refund.initiated_by_id, refund.approved_by_id) == (decision.proposed_by, decision.approved_by)
    event = AuditEvent.objects.get(verb="voucher.cancelled_by_finance")
    people = {user.pk: str(user.public_id) for user in User.objects.filter(is_staff=True)}
    assert event.actor_id == decision.approved_by
    assert event.facts == {
        "reason": "Case 4711",
        "proposed_by": people[decision.proposed_by],
        "approved_by": people[decision.approved_by],
    }
    with pytest.raises(VoucherCancelled):
        redeem(sipho, voucher)


def test_finance_gives_back_to_a_frozen_wallet_and_a_full_one(rich: Person, sipho: Person) -> None:
    frozen, full = issue(rich), issue(rich)
    stop(Wallet, rich, "frozen")
    cancel_lost(frozen)
    Wallet.objects.filter(pk=rich.wallet.pk).update(status="active")
    fund(rich, "99100.00")
    cancel_lost(full)
    assert balance(rich) == Money.parse("100100.00")


def test_a_closed_wallets_money_waits_in_suspense_for_finance(thandi: Person) -> None:
    fund(thandi, "100.00")
    voucher = issue(thandi)
    stop(Wallet, thandi, "closed")
    with moves({"voucher_liability": "-100.00", "suspense": "100.00"}):
        cancel_lost(voucher)
    item = SuspenseItem.objects.get()
    assert (item.reason, item.direction, item.amount) == ("wallet_closed", "owed_to_customer", Decimal("100.00"))
    assert (item.voucher, item.user, item.transfer.kind) == (voucher, thandi.user, "voucher_refund")


def test_finance_does_not_cancel_what_its_customer_can(rich: Person) -> None:
    for voucher_type in CANCELLABLE:
        voucher = issue(rich, voucher_type)
        decision = decided()
        before = digests()
        with pytest.raises(VoucherNotCancellable):
            cancel_lost(voucher, decision)
        assert digests() == before


def test_one_person_others_and_a_decision_without_a_reason_cancel_nothing(rich: Person) -> None:
    voucher, decision = issue(rich), decided()
    clerk = create_staff(email="s@example.com", password="!", first_name="S", last_name="S", role="support")
    before = digests()
    with pytest.raises(TwoPeopleNeeded):
        Decision(proposed_by=decision.proposed_by, approved_by=decision.proposed_by, reason="Case 4711")
    with pytest.raises(NotOfFinance):
        cancel_lost(voucher, Decision(proposed_by=clerk.pk, approved_by=decision.approved_by, reason="Case 4711"))
    with pytest.raises(ReasonNeeded):
        cancel_lost(voucher, Decision(proposed_by=decision.proposed_by, approved_by=decision.approved_by, reason=" "))
    assert digests() == before


@pytest.mark.parametrize("ended", ["redeemed", "cancelled", "expired"])
def test_finance_cancels_nothing_that_has_ended(rich: Person, sipho: Person, ended: str) -> None:
    voucher = issue(rich)
    end: dict[str, tuple[Callable[[], object], type[Exception]]] = {
        "redeemed": (lambda: redeem(sipho, voucher), VoucherRedeemed),
        "cancelled": (lambda: cancel_lost(voucher), VoucherCancelled),
        "expired": (lambda: expire_vouchers(now=voucher.expires_at), VoucherExpired),
    }
    work, refusal = end[ended]
    work()
    decision = decided()
    before = digests()
    with pytest.raises(refusal):
        cancel_lost(voucher, decision)
    with pytest.raises(VoucherNotFound):
        cancel_lost(Voucher(), decision)
    assert digests() == before


def test_finance_twice_with_one_key_is_once(rich: Person) -> None:
    voucher = issue(rich)
    cancel_lost(voucher, name="k")
    after = digests()
    assert cancel_lost(voucher, name="k").replayed
    assert digests() == after


def test_either_finance_cancels_it_or_somebody_redeems_it(rich: Person, sipho: Person, race: Race) -> None:
    decision = decided()
    for _ in range(5):
        voucher = issue(rich)
        redeemed, cancelled = at_once(race, lambda: redeem(sipho, voucher), lambda: cancel_lost(voucher, decision))  # noqa: B023
        assert isinstance(redeemed, VoucherCancelled) == isinstance(cancelled, Cancelled), (redeemed, cancelled)
        assert isinstance(cancelled, VoucherRedeemed) == (state_of(voucher)[0] == "redeemed")
    assert balance(rich).amount + balance(sipho).amount == Decimal("1000.00")


def test_money_sent_on_does_not_keep_a_voucher_from_its_end(rich: Person, sipho: Person) -> None:
    voucher = issue(rich, EASYPAY_VOUCHER)
    send(rich, sipho, str(balance(rich)))
    cancel(rich, voucher)
    assert balance(rich).amount == Decimal("100.00") + Decimal(COSTS[EASYPAY_VOUCHER])
    assert state_of(issue(rich, STANDARD, "50.00"))[0] == "active"
