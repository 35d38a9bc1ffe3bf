"""The kernel's own rules about holds, spending given back and two people, whichever service calls it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from accounts.decisions import TwoPeopleNeeded
from accounts.models import User
from mymoolah.common.errors import DomainError
from mymoolah.common.ids import uuid7
from mymoolah.common.money import InvalidAmount, Money
from tests.conftest import Person, Sql, balance, fund, person, refused
from tests.transactions.legs import close, decided, johannesburg, key, leg, wallet_of
from transactions import posting
from transactions.models import NEEDS_TWO_PEOPLE, Kind, Transfer
from transactions.posting import (
    CaptureExceedsHold,
    HoldExpired,
    HoldResolved,
    House,
    InsufficientFunds,
    Leg,
    LimitExceeded,
    NotPermitted,
    Posted,
    UnknownHold,
    UnknownTransfer,
    UnknownWallet,
    UserNotActive,
    WalletClosed,
    WalletFrozen,
    WrongCurrency,
)
from wallets import services as wallet_services
from wallets.models import Hold, TierLimit, Wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]
CASH_OUT = House(Wallet.Kind.CASHOUT_CLEARING, 1)
FEES, VAT = House(Wallet.Kind.FEE_INCOME, 1), House(Wallet.Kind.VAT_CONTROL, 1)
LIABILITY = House(Wallet.Kind.VOUCHER_LIABILITY, 1)
NOTHING = Decimal(0)
APPEND_ONLY, WALLET_REFUSED = "MM900", "MM901"


def place(who: Person | int, amount: str | None, **asked: Any) -> int:
    """Hold `amount` back; the new hold's id."""
    hold_id: int = posting.call("SELECT nextval('holds_id_seq')")
    posting.call(
        "SELECT place_hold(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        hold_id,
        uuid.uuid4(),
        who if isinstance(who, int) else who.wallet.pk,
        None if amount is None else Decimal(amount),
        asked.pop("currency", "ZAR"),
        "a taxi",
        asked.pop("expires_at", None),
        asked.pop("check_limits", None),
        asked.pop("spent", None),
        asked.pop("at", None),
    )
    assert not asked
    return hold_id


def capture(hold_id: int, *legs: Leg, at: dt.datetime | None = None) -> list[Posted]:
    return posting.post(legs, hold_id=hold_id, at=at)


def void(
    hold_id: int, status: str = "voided", *, check_active: bool = False, at: dt.datetime | None = None
) -> dt.datetime:
    moment: dt.datetime = posting.call("SELECT void_hold(%s, %s, %s, %s)", hold_id, status, check_active, at)
    return moment


def everything() -> dict[str, list[tuple[str]]]:
    """Each row of the tables that the kernel writes, as text."""
    found = {}
    with connections["default"].cursor() as cursor:
        for table in ("wallets", "holds", "transfers", "transactions", "idempotency_keys"):
            cursor.execute(f"SELECT t::text FROM {table} AS t ORDER BY t.id")  # noqa: S608
            found[table] = cursor.fetchall()
    return found


@contextmanager
def refuses(refusal: type[Exception], **facts: Any) -> Iterator[None]:
    """Assert that what follows is refused with these facts, and leaves everything as it was."""
    before = everything()
    with pytest.raises(refusal) as caught:
        yield
    if facts:
        assert isinstance(caught.value, DomainError)
        assert caught.value.facts == facts
    assert everything() == before


def money_of(who: Person) -> tuple[Decimal, Decimal]:
    """Balance and what of it is held."""
    head = wallet_of(who)
    return head.balance, head.held


def spent_by(who: Person) -> tuple[Decimal, Decimal]:
    """What is counted against his limits: that day, that month."""
    head = wallet_of(who)
    return head.spent_day_amount, head.spent_month_amount


# Placing ------------------------------------------------------------------------------------------------------------
def test_what_is_held_stays_ones_own_and_pays_for_nothing_else(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    ends = johannesburg("2031-05-05T12:00:00")
    hold_id = place(thandi, "60.00", expires_at=ends)
    assert money_of(thandi) == (Decimal(100), Decimal(60))
    hold = Hold.objects.get(pk=hold_id)
    assert (hold.wallet_id, hold.amount, hold.currency) == (thandi.wallet.pk, Decimal(60), "ZAR")
    assert (hold.status, hold.purpose, hold.expires_at, hold.resolved_at) == ("held", "a taxi", ends, None)
    assert (hold.spent_amount, hold.captured_amount) == (0, 0)
    with refuses(InsufficientFunds, available="40.00", needed="40.01"):
        posting.post([leg(thandi, sipho, "40.01")], key=key())
    with refuses(InsufficientFunds, available="40.00", needed="40.01"):
        place(thandi, "40.01")
    posting.post([leg(thandi, sipho, "20.00")])
    place(thandi, "20.00")
    assert money_of(thandi) == (Decimal(80), Decimal(80))


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity", "-Infinity", "1e30", None])
def test_an_amount_that_is_none_is_not_held(thandi: Person, amount: str | None) -> None:
    fund(thandi, "100.00")
    with refuses(InvalidAmount):
        place(thandi, amount)
    if amount is not None:
        with refuses(InvalidAmount):
            place(thandi, "5.00", check_limits="send", spent=Decimal(amount))


def test_what_counts_of_a_hold_is_said_and_is_within_it(thandi: Person) -> None:
    fund(thandi, "100.00")
    with refuses(InvalidAmount):
        place(thandi, "5.00", check_limits="send")
    with refuses(IntegrityError):
        place(thandi, "5.00", check_limits="send", spent=Decimal("5.01"))


def test_another_currency_is_not_held(thandi: Person) -> None:
    fund(thandi, "100.00")
    with refuses(WrongCurrency, payer="ZAR", payee="USD"):
        place(thandi, "5.00", currency="USD")


def test_only_customers_wallets_hold_money_back(thandi: Person) -> None:
    bank = Wallet.objects.filter(kind="bank").latest("pk").pk
    for wallet_id in (bank, 987_654):
        with refuses(UnknownWallet):
            place(wallet_id, "5.00")


@pytest.mark.parametrize(("status", "refusal"), [("frozen", WalletFrozen), ("closed", WalletClosed)])
def test_a_wallet_that_is_not_active_holds_nothing_back(
    thandi: Person, status: str, refusal: type[DomainError]
) -> None:
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status=status)
    with refuses(refusal, end="payer", status=status):
        place(thandi, "5.00")
    with refuses(refusal, end="payer", status=status):
        posting.require_active_wallet(thandi.wallet.pk)


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_somebody_who_is_not_active_holds_nothing_back(thandi: Person, status: str) -> None:
    fund(thandi, "100.00")
    User.objects.filter(pk=thandi.user.pk).update(status=status)
    with refuses(UserNotActive, end="payer"):
        place(thandi, "5.00")
    with refuses(UserNotActive, end="payer"):
        posting.require_active_wallet(thandi.wallet.pk)


def test_an_active_wallet_is_told_from_one_that_nobody_has(thandi: Person) -> None:
    posting.require_active_wallet(thandi.wallet.pk)
    with refuses(UnknownWallet):
        posting.require_active_wallet(987_654)


def test_a_wallet_that_is_looked_at_stays_as_it_is_until_the_look_ends(thandi: Person, owner_sql: Sql) -> None:
    close = "SELECT 1 FROM wallets WHERE id = %s FOR NO KEY UPDATE NOWAIT"
    with transaction.atomic():
        posting.require_active_wallet(thandi.wallet.pk)
        with refused("55P03"):
            owner_sql(close, thandi.wallet.pk)
    assert owner_sql(close, thandi.wallet.pk) == [(1,)]


def test_a_wallet_that_holds_money_back_cannot_be_closed(thandi: Person) -> None:
    fund(thandi, "60.00")
    hold_id = place(thandi, "60.00")
    with refused(WALLET_REFUSED):
        close(thandi)
    capture(hold_id, leg(thandi, CASH_OUT, "60.00"))
    close(thandi)


# Capturing ----------------------------------------------------------------------------------------------------------
def test_a_group_is_paid_out_of_a_hold_with_the_first_leg_of_its_wallet(thandi: Person) -> None:
    fund(thandi, "59.20")
    hold_id = place(thandi, "59.20", check_limits="cash_out", spent=Decimal(50))
    posted = capture(
        hold_id,
        leg(thandi, CASH_OUT, "50.00", kind=Kind.CASH_OUT),
        leg(thandi, FEES, "8.00", kind=Kind.FEE),
        leg(thandi, VAT, "1.20", kind=Kind.VAT),
    )
    assert money_of(thandi) == (NOTHING, NOTHING)
    assert spent_by(thandi) == (Decimal(50), Decimal(50)), "counted once, when it was placed"
    hold = Hold.objects.get(pk=hold_id)
    assert (hold.status, hold.captured_amount) == ("captured", Decimal("59.20"))
    assert hold.resolved_at == posted[0].posted_at


def test_what_a_capture_leaves_is_free_again(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    hold_id = place(thandi, "60.00")
    capture(hold_id, leg(thandi, sipho, "0.01"))
    assert money_of(thandi) == (Decimal("99.99"), NOTHING)
    posting.post([leg(thandi, sipho, "99.99")])


def test_a_capture_leaves_other_holds_alone(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    first, second = place(thandi, "60.00"), place(thandi, "40.00")
    capture(first, leg(thandi, sipho, "60.00"))
    assert money_of(thandi) == (Decimal(40), Decimal(40))
    with refuses(InsufficientFunds, available="0.00", needed="0.01"):
        posting.post([leg(thandi, sipho, "0.01")])
    capture(second, leg(thandi, sipho, "40.00"))


def test_more_than_is_held_is_not_captured_however_much_there_is(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    hold_id = place(thandi, "60.00")
    with refuses(CaptureExceedsHold, held="60.00"):
        posting.post([leg(thandi, sipho, "60.01")], hold_id=hold_id, key=key())
    with refuses(CaptureExceedsHold, held="60.00"):
        capture(hold_id, leg(thandi, sipho, "60.00"), leg(thandi, FEES, "0.01"))


def test_what_others_pay_in_the_group_is_not_out_of_the_hold(thandi: Person, sipho: Person, naledi: Person) -> None:
    fund(thandi, "60.00")
    hold_id = place(thandi, "60.00")
    with refuses(CaptureExceedsHold, held="60.00"):
        capture(hold_id, leg(House(Wallet.Kind.BANK, 1), sipho, "5.00"))
    with refuses(InsufficientFunds, available="0.00", needed="5.00"):
        capture(hold_id, leg(thandi, sipho, "60.00"), leg(naledi, sipho, "5.00"))
    capture(hold_id, leg(thandi, naledi, "5.00"), leg(naledi, sipho, "5.00"))
    assert [balance(who).amount for who in (thandi, naledi, sipho)] == [55, 0, 5]


def test_a_frozen_wallet_pays_what_it_promised_and_a_closed_one_gets_nothing(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    hold_id = place(thandi, "60.00")
    close(sipho)
    with refuses(WalletClosed, end="payee", status="closed"):
        capture(hold_id, leg(thandi, sipho, "60.00"))
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    with refuses(WalletFrozen, end="payer", status="frozen"):
        capture(hold_id, leg(thandi, CASH_OUT, "60.00", check_active=True))
    capture(hold_id, leg(thandi, CASH_OUT, "60.00"))


def test_a_repeated_capture_gets_its_first_answer(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    hold_id = place(thandi, "60.00")
    [first] = posting.post([leg(thandi, sipho, "60.00")], hold_id=hold_id, key=key())
    again = posting.post([leg(thandi, sipho, "60.00")], hold_id=hold_id, key=key())
    assert again == [replace(first, replayed=True)]


def test_holds_in_two_currencies_do_not_mix(thandi: Person, sipho: Person) -> None:
    wallet_services.open_house_wallets(currency="USD")
    dollars, his = (
        Person(who.user, wallet_services.open_wallet(user=who.user, currency="USD")) for who in (thandi, sipho)
    )
    fund(thandi, "100.00")
    fund(dollars, "7.00")
    in_rand, in_dollar = place(thandi, "60.00"), place(dollars, "7.00", currency="USD")
    with refuses(WrongCurrency):
        capture(in_rand, leg(thandi, his, "7.00"))
    capture(in_dollar, leg(dollars, his, "7.00", currency="USD"))
    assert (money_of(thandi), money_of(dollars)) == ((Decimal(100), Decimal(60)), (NOTHING, NOTHING))
    assert balance(his) == Money.parse("7.00", "USD")


# Resolved once ------------------------------------------------------------------------------------------------------
def captured(hold_id: int, thandi: Person) -> None:
    capture(hold_id, leg(thandi, CASH_OUT, "60.00"))


ENDS: dict[str, Callable[[int, Person], object]] = {
    "captured": captured,
    "voided": lambda hold_id, _: void(hold_id),
    "expired": lambda hold_id, _: void(hold_id, "expired"),
}


@pytest.mark.parametrize("again", ENDS)
@pytest.mark.parametrize("first", ENDS)
def test_a_hold_is_resolved_once(thandi: Person, first: str, again: str) -> None:
    fund(thandi, "200.00")
    hold_id = place(thandi, "60.00")
    ENDS[first](hold_id, thandi)
    assert money_of(thandi) == (Decimal(140 if first == "captured" else 200), NOTHING)
    assert Hold.objects.get(pk=hold_id).status == first
    with refuses(HoldResolved, status=first):
        ENDS[again](hold_id, thandi)


def test_there_must_be_such_a_hold(thandi: Person) -> None:
    fund(thandi, "100.00")
    for end in ENDS.values():
        with refuses(UnknownHold):
            end(987_654, thandi)


def test_a_hold_ends_at_its_moment_and_not_before(thandi: Person) -> None:
    start, ends = johannesburg("2031-05-05T10:00:00"), johannesburg("2031-05-05T12:00:00")
    before = ends - dt.timedelta(microseconds=1)
    fund(thandi, "200.00", at=start)
    swept, taken = (place(thandi, "60.00", expires_at=ends, at=start) for _ in range(2))
    with refuses(HoldResolved, status="held"):
        void(swept, "expired", at=before)
    with refuses(HoldExpired):
        capture(taken, leg(thandi, CASH_OUT, "60.00"), at=ends)
    capture(taken, leg(thandi, CASH_OUT, "60.00"), at=before)
    assert void(swept, "expired", at=ends) == ends
    assert money_of(thandi) == (Decimal(140), NOTHING)


def test_a_hold_may_be_voided_before_its_time_and_after(thandi: Person) -> None:
    start, ends = johannesburg("2031-05-05T10:00:00"), johannesburg("2031-05-05T12:00:00")
    fund(thandi, "200.00", at=start)
    early, late = (place(thandi, "60.00", expires_at=ends, at=start) for _ in range(2))
    void(early, at=start)
    void(late, at=ends)
    assert money_of(thandi) == (Decimal(200), NOTHING)


def test_time_never_goes_back_for_a_hold_either(thandi: Person) -> None:
    late, early = johannesburg("2031-05-05T12:00:00"), johannesburg("2031-01-01T00:00:00")
    fund(thandi, "200.00", at=late)
    hold_id = place(thandi, "60.00", at=early)
    assert Hold.objects.get(pk=hold_id).created_at == late
    assert void(hold_id, at=early) == late


def test_who_asks_for_his_money_back_must_be_active_and_a_sweep_need_not(thandi: Person) -> None:
    fund(thandi, "100.00")
    hold_id = place(thandi, "60.00")
    User.objects.filter(pk=thandi.user.pk).update(status="suspended")
    with refuses(UserNotActive, end="payer"):
        void(hold_id, check_active=True)
    User.objects.filter(pk=thandi.user.pk).update(status="active")
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    with refuses(WalletFrozen, end="payer", status="frozen"):
        void(hold_id, check_active=True)
    void(hold_id)
    assert money_of(thandi) == (Decimal(100), NOTHING)


@pytest.mark.parametrize("end", [*ENDS, None])
def test_what_a_hold_is_stays_for_the_owner_too(owner_sql: Sql, thandi: Person, end: str | None) -> None:
    fund(thandi, "100.00")
    hold_id = place(thandi, "60.00")
    if end is not None:
        ENDS[end](hold_id, thandi)
    for statement in (
        "UPDATE holds SET amount = amount + 1",
        "UPDATE holds SET spent_amount = 1",
        "UPDATE holds SET wallet_id = (SELECT min(id) FROM wallets WHERE kind = 'bank')",
        "UPDATE holds SET expires_at = now()",
        "DELETE FROM holds",
        "TRUNCATE holds CASCADE",
        *(["UPDATE holds SET status = 'held', resolved_at = NULL, captured_amount = 0"] if end else []),
    ):
        with refused(APPEND_ONLY):
            owner_sql(statement)


# Limits -------------------------------------------------------------------------------------------------------------
def test_what_is_held_counts_against_the_limits_beside_what_is_sent(thandi: Person, sipho: Person) -> None:
    noon = johannesburg("2031-05-05T12:00:00")
    fund(thandi, "90000.00", at=noon)
    with refuses(LimitExceeded, period="transfer", limit="25000.00", left="25000.00"):
        place(thandi, "25001.00", check_limits="cash_out", spent=Decimal("25000.01"), at=noon)
    place(thandi, "25010.00", check_limits="cash_out", spent=Decimal(25000), at=noon)
    posting.post([leg(thandi, sipho, "24999.00", check_limits="send")], at=noon)
    with refuses(LimitExceeded, period="day", limit="50000.00", left="1.00"):
        place(thandi, "1.01", check_limits="cash_out", spent=Decimal("1.01"), at=noon)
    place(thandi, "5.00", at=noon)  # what no limit is asked about does not count
    place(thandi, "1.00", check_limits="send", spent=Decimal("1.00"), at=noon)
    with refuses(LimitExceeded, period="day", limit="50000.00", left="0.00"):
        posting.post([leg(thandi, sipho, "0.01", check_limits="send")], at=noon)
    place(thandi, "10.00", check_limits="send", spent=Decimal(10), at=noon + dt.timedelta(days=1))
    assert spent_by(thandi) == (Decimal(10), Decimal(50010))


@pytest.mark.parametrize(("use", "column"), [("send", "may_send"), ("cash_out", "may_cash_out")])
def test_a_tier_that_may_not_holds_nothing_for_it(thandi: Person, use: str, column: str) -> None:
    newcomer = person("newcomer", tier=0)
    fund(newcomer, "100.00")
    with refuses(NotPermitted, tier=0):
        place(newcomer, "5.00", check_limits=use, spent=Decimal(5))
    place(newcomer, "5.00")
    fund(thandi, "100.00")
    TierLimit.objects.using("owner").filter(tier=2).update(**{column: False})
    with refuses(NotPermitted, tier=2):
        place(thandi, "5.00", check_limits=use, spent=Decimal(5))
    other = "cash_out" if use == "send" else "send"
    place(thandi, "5.00", check_limits=other, spent=Decimal(5))


# When 50 was spent, when 20 more were, and when the 50 come back: it counts as if they had never been spent.
GIVEN_BACK = [
    pytest.param(("2031-05-05T09:00", "2031-05-05T10:00", "2031-05-05T23:59"), id="the same day"),
    pytest.param(("2031-05-05T09:00", "2031-05-06T00:00", "2031-05-06T00:00"), id="the same month"),
    pytest.param(("2031-05-31T23:59", "2031-06-01T00:00", "2031-06-01T00:00"), id="another month"),
    pytest.param(("2031-05-05T09:00", "2032-05-05T09:00", "2032-05-05T10:00"), id="another year"),
    pytest.param(("2031-05-31T21:59", "2031-05-31T23:59", "2031-06-01T00:00"), id="seen later"),
]


@pytest.mark.parametrize("moments", GIVEN_BACK)
@pytest.mark.parametrize("status", ["voided", "expired"])
def test_a_freed_hold_counts_no_longer_while_its_day_and_month_run(
    thandi: Person, sipho: Person, moments: tuple[str, str, str], status: str
) -> None:
    spent_at, more_at, back_at = map(johannesburg, moments)
    fund(thandi, "1000.00", at=johannesburg("2031-01-01T00:00"))
    hold_id = place(thandi, "60.00", check_limits="cash_out", spent=Decimal(50), at=spent_at)
    posting.post([leg(thandi, sipho, "20.00", check_limits="send")], at=more_at)
    void(hold_id, status, at=back_at)
    assert spent_by(thandi) == (Decimal(20), Decimal(20))


@pytest.mark.parametrize("moments", GIVEN_BACK)
def test_a_payment_given_back_counts_no_longer_while_its_day_and_month_run(
    thandi: Person, sipho: Person, moments: tuple[str, str, str]
) -> None:
    spent_at, more_at, back_at = map(johannesburg, moments)
    fund(thandi, "1000.00", at=johannesburg("2031-01-01T00:00"))
    spent = leg(thandi, LIABILITY, "50.00", kind=Kind.VOUCHER_ISSUE, check_limits="send")
    posting.post([spent, leg(thandi, FEES, "2.50", kind=Kind.FEE)], at=spent_at)
    posting.post([leg(thandi, sipho, "20.00", check_limits="send")], at=more_at)
    back = leg(LIABILITY, thandi, "50.00", kind=Kind.VOUCHER_REFUND, gives_back=spent.id)
    fee = leg(FEES, thandi, "2.50", kind=Kind.FEE)
    posting.post([back, fee], at=back_at)
    assert spent_by(thandi) == (Decimal(20), Decimal(20))
    assert balance(thandi) == Money.parse("980.00")


def test_the_days_and_months_of_spending_are_those_of_johannesburg(thandi: Person) -> None:
    """One minute before midnight here, and one after, are one day in UTC and two in Johannesburg."""
    midnight = johannesburg("2031-06-01T00:00")
    fund(thandi, "1000.00", at=midnight - dt.timedelta(days=1))
    may = place(thandi, "50.00", check_limits="send", spent=Decimal(50), at=midnight - dt.timedelta(minutes=1))
    june = place(thandi, "20.00", check_limits="send", spent=Decimal(20), at=midnight + dt.timedelta(minutes=1))
    void(may, at=midnight + dt.timedelta(minutes=2))
    assert spent_by(thandi) == (Decimal(20), Decimal(20))
    void(june, at=midnight + dt.timedelta(minutes=2))
    assert spent_by(thandi) == (NOTHING, NOTHING)


def test_a_part_given_back_leaves_the_rest_counted_in_an_order_of_any_kind(thandi: Person, sipho: Person) -> None:
    noon = johannesburg("2031-05-05T12:00:00")
    fund(thandi, "1000.00", at=noon)
    spent = leg(thandi, LIABILITY, "50.00", kind=Kind.VOUCHER_ISSUE, check_limits="send")
    posting.post([spent], at=noon)
    posting.post([leg(LIABILITY, sipho, "30.00", kind=Kind.VOUCHER_REDEEM)], at=noon)
    next_day = noon + dt.timedelta(days=1)
    posting.post([leg(thandi, sipho, "7.00", check_limits="send")], at=next_day)
    posting.post([leg(LIABILITY, thandi, "20.00", kind=Kind.VOUCHER_REFUND, gives_back=spent.id)], at=next_day)
    assert spent_by(thandi) == (Decimal(7), Decimal(37))


def test_only_a_payment_of_the_receiver_of_at_least_as_much_is_given_back(thandi: Person, sipho: Person) -> None:
    fund(thandi, "1000.00")
    fund(sipho, "1000.00")
    spent = leg(thandi, LIABILITY, "50.00", kind=Kind.VOUCHER_ISSUE, check_limits="send")
    posting.post([spent, leg(sipho, LIABILITY, "50.00", kind=Kind.VOUCHER_ISSUE, check_limits="send")])
    back = leg(LIABILITY, thandi, "50.00", kind=Kind.VOUCHER_REFUND, gives_back=spent.id)
    for wrong in (
        replace(back, gives_back=uuid7()),
        replace(back, target=sipho.wallet.pk),
        replace(back, amount=Money.parse("50.01")),
    ):
        with refuses(UnknownTransfer):
            posting.post([wrong], key=key())
    posting.post([back, replace(back, id=uuid7(), target=sipho.wallet.pk, gives_back=None)])
    assert (spent_by(thandi), spent_by(sipho)) == ((NOTHING, NOTHING), (Decimal(50), Decimal(50)))


# Two people ---------------------------------------------------------------------------------------------------------
POST = """
    SELECT transfer_id FROM post_transfers(
        ARRAY[
            ROW(%s::uuid, 'fee', %s, %s, 1, 'ZAR', '', NULL, NULL, NULL, false, NULL, false)::transfer_leg,
            ROW(%s::uuid, %s, %s, %s, 1, 'ZAR', '', NULL, NULL, NULL, false, NULL, false)::transfer_leg
        ],
        NULL, NULL, NULL, %s, %s, NULL, NULL
    )
"""


def decide(thandi: Person, sipho: Person, kind: Kind, proposed_by: int | None, approved_by: int | None) -> None:
    ends = thandi.wallet.pk, sipho.wallet.pk
    posting.call(POST, uuid7(), *ends, uuid7(), kind.value, *ends, proposed_by, approved_by)


@pytest.mark.parametrize("kind", NEEDS_TWO_PEOPLE)
def test_nobody_decides_alone(thandi: Person, sipho: Person, kind: Kind) -> None:
    fund(thandi, "100.00")
    decision = decided()
    one, two = decision.proposed_by, decision.approved_by
    for pair in ((None, None), (one, None), (None, two), (one, one)):
        with refuses(TwoPeopleNeeded):
            decide(thandi, sipho, kind, *pair)
    with transaction.atomic():
        decide(thandi, sipho, kind, one, two)
        for transfer in Transfer.objects.filter(kind__in=[kind, Kind.FEE]):
            assert (transfer.initiated_by_id, transfer.approved_by_id) == (one, two)
        transaction.set_rollback(True)  # there is nothing that it was decided about


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in NEEDS_TWO_PEOPLE])
def test_everything_else_needs_nobody_to_approve_it(thandi: Person, sipho: Person, kind: Kind) -> None:
    fund(thandi, "100.00")
    with transaction.atomic():
        decide(thandi, sipho, kind, None, None)
        assert Transfer.objects.filter(kind=kind, approved_by=None).exists()
        transaction.set_rollback(True)


# At once ------------------------------------------------------------------------------------------------------------
def race_of(race: Race, works: list[Callable[[], object]]) -> list[Any]:
    turns = iter(works)
    return race(len(works), lambda: next(turns)())  # noqa: PLW0108 - each takes the next


def test_of_captures_and_voids_at_once_one_wins(thandi: Person, sipho: Person, race: Race) -> None:
    fund(thandi, "1000.00")
    wins: Counter[str] = Counter()
    for _ in range(5):
        hold_id = place(thandi, "60.00")
        paid_out = partial(capture, hold_id, leg(thandi, sipho, "60.00"))
        answers = race_of(race, [paid_out, partial(void, hold_id)] * 4)
        assert Counter(type(answer) for answer in answers if isinstance(answer, Exception)) == {HoldResolved: 7}
        wins[Hold.objects.get(pk=hold_id).status] += 1
    assert money_of(thandi) == (Decimal(1000 - 60 * wins["captured"]), NOTHING)
    assert balance(sipho) == Money(Decimal(60 * wins["captured"]), "ZAR")


def test_of_holds_of_all_the_money_at_once_one_is_placed(thandi: Person, race: Race) -> None:
    fund(thandi, "100.00")
    answers = race(8, lambda: place(thandi, "100.00"))
    assert Counter(type(answer) for answer in answers) == {int: 1, InsufficientFunds: 7}
    assert money_of(thandi) == (Decimal(100), Decimal(100))


def test_money_is_held_or_sent_but_not_both(thandi: Person, sipho: Person, race: Race) -> None:
    fund(thandi, "100.00")
    held, sent = partial(place, thandi, "100.00"), partial(posting.post, [leg(thandi, sipho, "100.00")])
    answers = race_of(race, [held, sent] * 4)
    assert Counter(isinstance(answer, InsufficientFunds) for answer in answers) == {True: 7, False: 1}


def test_holds_count_once_against_a_limit_however_many_come_at_once(thandi: Person, race: Race) -> None:
    fund(thandi, "90000.00")
    answers = race(8, lambda: place(thandi, "20000.00", check_limits="send", spent=Decimal(20000)))
    assert Counter(type(answer) for answer in answers) == {int: 2, LimitExceeded: 6}
    assert spent_by(thandi) == (Decimal(40000), Decimal(40000))


def test_captures_that_cross_never_lock_up(thandi: Person, sipho: Person, race: Race) -> None:
    pairs = [(thandi, sipho), (sipho, thandi)]
    for who in (thandi, sipho):
        fund(who, "1000.00")
    held = [[place(payer, "10.00") for _ in range(5)] for payer, _ in pairs * 4]
    turns = iter(zip(held, pairs * 4, strict=True))

    def work() -> int:
        holds, (payer, payee) = next(turns)
        for number, hold_id in enumerate(holds):
            void(hold_id) if number == 2 else capture(hold_id, leg(payer, payee, "10.00"))
            place(payee, "0.01")
        return len(holds)

    assert race(8, work) == [5] * 8
    assert {money_of(who) for who in (thandi, sipho)} == {(Decimal(1000), Decimal("0.20"))}
