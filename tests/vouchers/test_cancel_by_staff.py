"""Cancelling for a customer who calls, by one of the staff: what was paid or held comes back to its owner, and to nobody else."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from accounts.decisions import ReasonNeeded
from accounts.models import AuditEvent, User
from accounts.staff_deeds import NotAllowed, OwnAccount, StaffAccount, Why
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from reporting.roles import ROLES
from tests.conftest import Person, balance, fund
from tests.staff import by, officer, told_of, why
from tests.tables import digests
from tests.transactions.legs import wallet_of
from tests.vouchers.desk import (
    CASH_OUT,
    EASYPAY_VOUCHER,
    STANDARD,
    TOP_UP,
    at_once,
    cancel,
    issue,
    key,
    spent,
    state_of,
    stop,
)
from tests.vouchers.test_closing import close
from tests.vouchers.test_ending import CANCELLABLE, INSTANT, REFUSALS, STOPS
from tests.vouchers.till import moves, number_of, payment, told
from transactions.models import Transfer
from transactions.posting import IdempotencyKeyReused, WalletClosed
from vouchers import selectors
from vouchers.errors import (
    VoucherCancelled,
    VoucherExpired,
    VoucherNotCancellable,
    VoucherNotFound,
    VoucherRedeemed,
    VoucherUnderReview,
)
from vouchers.models import SuspenseItem, Voucher, VoucherTotal
from vouchers.services.closing import AccountNotEmpty
from vouchers.services.ending import Cancelled, Sweep, cancel_for_cause, expire_vouchers, require_cancellable
from wallets.freezing import freeze_for_cause
from wallets.models import Hold, Wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]
# What comes back of a voucher of a hundred, and from where.
COMES_BACK: dict[str, dict[str, Any]] = {
    TOP_UP: {},
    EASYPAY_VOUCHER: {
        "its owner": "102.88",
        "voucher_liability": "-100.00",
        "fee_income": "-2.50",
        "vat_control": "-0.38",
    },
    CASH_OUT: {"its owner": ("0.00", "-109.20")},
}
SAID: dict[Voucher.Type, tuple[str, str]] = {
    TOP_UP: ("EasyPay top-up", "Nothing had been paid for it"),
    EASYPAY_VOUCHER: ("EasyPay voucher", "102.88 ZAR, fee and VAT included, came back into your wallet"),
    CASH_OUT: (
        "EasyPay cash-out",
        "109.20 ZAR that was held for it, fee and VAT included, is free again in your wallet",
    ),
}


# What she has of a thousand once a till has taken a hundred, or paid it in.
ONCE_TAKEN: dict[str, str] = {TOP_UP: "1093.67", EASYPAY_VOUCHER: "897.12", CASH_OUT: "890.80"}


@pytest.fixture
def rich(thandi: Person) -> Person:
    fund(thandi, "1000.00")
    for role in ("support", "finance"):
        officer(role)
    return thandi


def cancels(
    voucher: Voucher, *, role: str = "support", given: Why | None = None, at: dt.datetime | None = None, **named: Any
) -> Cancelled:
    return cancel_for_cause(
        voucher_public_id=voucher.public_id,
        why=given or why("stolen"),
        key=key(named.get("key"), "staff", voucher.public_id),
        now=at or now(),
        origin=named.get("origin") or by(role),
    )


def comes_back(voucher: Voucher, who: Person) -> dict[Any, Any]:
    return {who if end == "its owner" else end: moved for end, moved in COMES_BACK[voucher.voucher_type].items()}


# What it does -----------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("worker_at_hand")
@pytest.mark.parametrize("stops", STOPS)
@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_what_was_paid_or_held_comes_back_to_its_owner_who_is_told(rich: Person, voucher_type: str, stops: str) -> None:
    voucher, other = issue(rich, voucher_type), issue(rich, voucher_type, "50.00")
    STOPS[stops](rich)
    standing, before = wallet_of(rich).standing, spent(rich)
    with moves(comes_back(voucher, rich)):
        cancelled = cancels(voucher)
    assert (cancelled.voucher.status, cancelled.replayed) == ("cancelled", False)
    assert state_of(voucher) == ("cancelled", Decimal(0))
    assert state_of(other) == (other.status, other.balance)
    assert wallet_of(rich).standing == standing
    given_back = Decimal(0) if voucher_type == TOP_UP else Decimal("100.00")
    assert spent(rich) == (before[0] - given_back, before[1] - given_back)
    assert VoucherTotal.objects.get(user=rich.user).total_count == 1
    if voucher_type == CASH_OUT:
        assert Hold.objects.get(voucher=voucher).status == "voided"
    [message] = mail.outbox
    label, says = SAID[Voucher.Type(voucher_type)]
    assert message.to == ["thandi@example.com"]
    assert message.subject == f"Your {label} ending in {number_of(voucher)[-4:]} is cancelled"
    assert says in str(message.body)
    for unsaid in ("tolen", "Case 17", number_of(voucher), rich.wallet.number):
        assert unsaid not in message.subject + str(message.body)


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_it_moves_what_the_customers_own_cancel_moves(rich: Person, voucher_type: str) -> None:
    def groups(cancelling: Callable[[Voucher], object]) -> list[tuple[Any, ...]]:
        voucher = issue(rich, voucher_type)
        newest = Transfer.objects.order_by("-created_at").values_list("created_at", flat=True)[0]
        cancelling(voucher)
        made = Transfer.objects.filter(created_at__gt=newest).order_by("created_at", "id")
        columns = ("kind", "from_wallet__kind", "to_wallet", "amount", "reference", "approved_by")
        return sorted(made.values_list(*columns))

    assert groups(lambda voucher: cancel(rich, voucher)) == groups(cancels)


def test_it_is_one_event_that_says_who_and_why_and_who_moved_it(rich: Person) -> None:
    voucher = issue(rich, EASYPAY_VOUCHER)
    cancels(voucher)
    event = told_of("voucher.cancelled_by_staff")
    assert (event.subject_type, event.subject_id) == ("voucher", str(voucher.public_id))
    assert (event.actor, event.address) == (officer("support"), "192.0.2.7")
    assert event.facts == {"voucher_type": "easypay_voucher", "reason": "stolen", "words": "Case 17"}
    assert not AuditEvent.objects.filter(verb="voucher.cancelled").exists()
    refund = Transfer.objects.get(kind="voucher_refund")
    assert (refund.initiated_by, refund.approved_by) == (officer("support"), None)


def test_a_full_wallet_takes_back_what_is_its_own(rich: Person) -> None:
    voucher = issue(rich, EASYPAY_VOUCHER)
    fund(rich, "99102.88")
    cancels(voucher)
    assert balance(rich) == Money.parse("100102.88")


# Refusals ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", sorted(ROLES))
def test_only_whose_role_has_it_cancels(rich: Person, role: str) -> None:
    voucher = issue(rich, CASH_OUT)
    officer(role)
    if "vouchers.cancel_voucher" in ROLES[role]:
        cancels(voucher, role=role)
        return
    before = digests()
    with pytest.raises(NotAllowed):
        cancels(voucher, role=role)
    assert digests() == before


def test_who_may_are_those_who_may_freeze() -> None:
    assert [("vouchers.cancel_voucher" in may) == ("wallets.freeze_wallet" in may) for may in ROLES.values()] == [
        True
    ] * len(ROLES)


def test_nobody_is_no_officer_nor_who_was_suspended_or_the_customer(rich: Person) -> None:
    voucher, support = issue(rich, CASH_OUT), by("support")
    User.objects.filter(pk=officer("finance").pk).update(status="suspended")
    before = digests()
    for actor in (None, rich.user.pk, officer("finance").pk, 0):
        with pytest.raises(NotAllowed):
            cancels(voucher, origin=replace(support, actor_id=actor))
    assert digests() == before


def test_nobody_does_it_to_himself_and_only_administrators_to_a_colleague(rich: Person) -> None:
    voucher = issue(rich, CASH_OUT)
    officer("administrator")
    User.objects.filter(pk=rich.user.pk).update(is_staff=True)
    rich.user.groups.set(officer("support").groups.all())
    before = digests()
    with pytest.raises(StaffAccount):
        cancels(voucher)
    with pytest.raises(OwnAccount):
        cancels(voucher, origin=replace(by("support"), actor_id=rich.user.pk))
    assert digests() == before
    cancels(voucher, role="administrator")


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
@pytest.mark.parametrize("ended", REFUSALS)
def test_what_has_ended_or_waits_for_finance_stays_what_it_is(rich: Person, ended: str, voucher_type: str) -> None:
    prepare, refusal = REFUSALS[ended]
    voucher = issue(rich, voucher_type)
    prepare(rich, voucher)
    before = digests()
    with pytest.raises(refusal):
        cancels(voucher)
    assert digests() == before


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_past_its_end_it_waits_for_the_sweep(rich: Person, voucher_type: str) -> None:
    voucher = issue(rich, voucher_type)
    before = digests()
    with pytest.raises(VoucherExpired):
        cancels(voucher, at=voucher.expires_at)
    assert digests() == before
    cancels(voucher, at=voucher.expires_at - INSTANT)


def test_a_code_takes_two_of_finance_and_what_nobody_has_is_not_found(rich: Person) -> None:
    voucher = issue(rich, STANDARD)
    before = digests()
    for role in ("support", "finance"):
        with pytest.raises(VoucherNotCancellable):
            cancels(voucher, role=role)
        with pytest.raises(VoucherNotFound):
            cancels(Voucher(), role=role)
    assert digests() == before


@pytest.mark.parametrize("voucher_type", [TOP_UP, EASYPAY_VOUCHER])  # a wallet that holds something is not closed
def test_what_could_not_reach_its_owner_is_not_cancelled(thandi: Person, voucher_type: str) -> None:
    officer("support")
    if voucher_type == EASYPAY_VOUCHER:
        fund(thandi, "102.88")
    voucher = issue(thandi, voucher_type)
    stop(Wallet, thandi, "closed")
    before = digests()
    with pytest.raises(WalletClosed):
        cancels(voucher)
    assert digests() == before


@pytest.mark.parametrize(
    ("reason", "words"),
    [("", "Case 17"), ("lost", "Case 17"), ("fraud", " "), ("takeover", ""), ("other", ""), ("stolen", "x" * 501)],
)
def test_it_needs_a_reason_of_the_list_and_words_where_it_is_the_banks_wish(
    rich: Person, reason: str, words: str
) -> None:
    voucher = issue(rich, CASH_OUT)
    before = digests()
    with pytest.raises(ReasonNeeded):
        cancels(voucher, given=why(reason, words))
    assert digests() == before
    cancels(voucher, given=why("asked", ""))


# What the page offers ---------------------------------------------------------------------------------------------------
STATES: dict[str, Callable[[Person, Voucher], object]] = {
    "live": lambda *_: None,
    **{name: prepare for name, (prepare, _) in REFUSALS.items()},
}


# No till takes a code, and its customer cannot cancel it.
EACH_STATE = [(voucher_type, state) for voucher_type in CANCELLABLE for state in STATES]


@pytest.mark.parametrize(("voucher_type", "state"), [*EACH_STATE, (STANDARD, "live"), (STANDARD, "expired")])
def test_a_list_and_the_service_say_the_same_of_each_voucher(rich: Person, voucher_type: str, state: str) -> None:
    voucher = issue(rich, voucher_type)
    STATES[state](rich, voucher)
    voucher.refresh_from_db()
    for at in (now(), voucher.expires_at - INSTANT, voucher.expires_at):
        offered = Voucher.objects.filter(selectors.cancellable(now=at), pk=voucher.pk).exists()
        try:
            require_cancellable(voucher, now=at)
        except (
            VoucherNotCancellable,
            VoucherRedeemed,
            VoucherCancelled,
            VoucherExpired,
            VoucherUnderReview,
        ):
            assert not offered
        else:
            assert offered
            assert voucher_type != STANDARD


# Twice, and at once -----------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("worker_at_hand")
@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_twice_with_one_key_is_once_and_told_once(rich: Person, voucher_type: str) -> None:
    voucher, other = issue(rich, voucher_type), issue(rich, voucher_type)
    officer("kyc")
    cancels(voucher, key="k")
    after = digests()
    again = cancels(voucher, key="k")
    assert (again.replayed, again.voucher) == (True, voucher)
    with pytest.raises(IdempotencyKeyReused):
        cancels(other, key="k")
    with pytest.raises(VoucherCancelled):
        cancels(voucher)
    with pytest.raises(NotAllowed):
        cancels(voucher, key="k", role="kyc")
    assert digests() == after
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_ten_at_once_cancel_it_once(rich: Person, race: Race, voucher_type: str) -> None:
    voucher = issue(rich, voucher_type)
    answers = race(10, lambda: cancels(voucher))
    assert Counter(type(answer) for answer in answers) == {Cancelled: 1, VoucherCancelled: 9}, answers
    voucher = issue(rich, voucher_type)
    answers = race(10, lambda: cancels(voucher, key="k"))
    assert Counter(type(answer) for answer in answers) == {Cancelled: 10}, answers
    assert sum(answer.replayed for answer in answers) == 9
    assert (balance(rich), wallet_of(rich).held) == (Money.parse("1000.00"), 0)
    assert AuditEvent.objects.filter(verb="voucher.cancelled_by_staff").count() == 2


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
@pytest.mark.parametrize("_", range(5))
def test_either_it_is_cancelled_or_a_till_takes_it(rich: Person, race: Race, voucher_type: str, _: int) -> None:
    voucher = issue(rich, voucher_type)
    cancelled, till = at_once(race, lambda: cancels(voucher), lambda: told(payment(voucher)))
    if isinstance(cancelled, Cancelled):
        assert (state_of(voucher)[0], till) == ("cancelled", "suspense")
        assert [(item.reason, item.voucher) for item in SuspenseItem.objects.all()] == [("late", voucher)]
        assert (balance(rich), wallet_of(rich).held) == (Money.parse("1000.00"), 0)
    else:
        assert isinstance(cancelled, VoucherRedeemed), cancelled
        assert (state_of(voucher)[0], till) == ("redeemed", "applied")
        assert not SuspenseItem.objects.exists()
        assert (str(balance(rich)), wallet_of(rich).held) == (ONCE_TAKEN[voucher_type], 0)


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
@pytest.mark.parametrize("_", range(3))
def test_either_its_customer_cancels_it_or_staff_do(rich: Person, race: Race, voucher_type: str, _: int) -> None:
    voucher = issue(rich, voucher_type)
    answers = at_once(race, lambda: cancel(rich, voucher), lambda: cancels(voucher))
    assert Counter(type(answer) for answer in answers) == {Cancelled: 1, VoucherCancelled: 1}, answers
    assert (balance(rich), wallet_of(rich).held) == (Money.parse("1000.00"), 0)
    verbs = AuditEvent.objects.filter(subject_type="voucher").values_list("verb", flat=True)
    assert list(verbs) == ["voucher.cancelled" if isinstance(answers[0], Cancelled) else "voucher.cancelled_by_staff"]


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_either_staff_cancel_it_or_it_expires(rich: Person, race: Race, voucher_type: str) -> None:
    voucher = issue(rich, voucher_type)
    due = voucher.expires_at + dt.timedelta(hours=72)
    cancelled, swept = at_once(race, lambda: cancels(voucher), lambda: expire_vouchers(now=due))
    if isinstance(cancelled, Cancelled):
        assert (state_of(voucher)[0], swept) == ("cancelled", Sweep(expired=0, failed=0))
    else:
        assert isinstance(cancelled, VoucherExpired)
        assert (state_of(voucher)[0], swept) == ("expired", Sweep(expired=1, failed=0))
    assert (balance(rich), wallet_of(rich).held) == (Money.parse("1000.00"), 0)


@pytest.mark.parametrize("voucher_type", CANCELLABLE)
def test_a_freeze_at_the_same_moment_keeps_no_cancel_back(rich: Person, race: Race, voucher_type: str) -> None:
    voucher, number = issue(rich, voucher_type), rich.wallet.number
    answers = at_once(
        race,
        lambda: cancels(voucher),
        lambda: freeze_for_cause(number=number, seen="active", why=why("fraud"), origin=by("finance")),
    )
    assert [type(answer) for answer in answers] == [Cancelled, Wallet], answers
    assert (balance(rich), wallet_of(rich).held) == (Money.parse("1000.00"), 0)
    assert wallet_of(rich).standing == "frozen by the bank"


@pytest.mark.parametrize("_", range(3))
def test_an_account_is_closed_before_or_after_and_never_with_a_live_voucher(thandi: Person, race: Race, _: int) -> None:
    voucher = issue(thandi, TOP_UP)
    for role in ("support", "kyc"):
        officer(role)
    cancelled, closed = at_once(race, lambda: cancels(voucher), lambda: close(thandi.user))
    assert isinstance(cancelled, Cancelled), cancelled
    assert closed is None or isinstance(closed, AccountNotEmpty), closed
    assert state_of(voucher)[0] == "cancelled"
