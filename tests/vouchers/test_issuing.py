"""Issuing vouchers of every type: what moves, what is refused, and what happens when many are asked for at once."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from tests.conftest import Ledger, Person, Sql, balance, fund, person, refused, send
from tests.tables import digests
from tests.transactions.legs import wallet_of
from tests.vouchers.book import a_voucher
from tests.vouchers.desk import (
    CASH_OUT,
    COSTS,
    EASYPAY_VOUCHER,
    STANDARD,
    TOP_UP,
    buffers,
    cancel,
    code_of,
    issue,
    issued,
    plan_of,
    spent,
    state_of,
    stop,
)
from tests.vouchers.till import moves
from transactions.fees import FeeNotSet
from transactions.models import FeeRule, Transfer
from transactions.posting import (
    IdempotencyKeyReused,
    InsufficientFunds,
    LimitExceeded,
    NotPermitted,
    UserNotActive,
    WalletClosed,
    WalletFrozen,
)
from transactions.selectors import NoWalletInCurrency
from vouchers.errors import TooManyOpenVouchers
from vouchers.models import Voucher, VoucherTotal
from vouchers.numbers import ACCOUNTS, EasyPayNumbersExhausted, is_voucher_code, voucher_code
from vouchers.policies import AmountOutOfRange, VoucherNotOffered, policy_of
from vouchers.services import issuing
from vouchers.services.issuing import CODE_ATTEMPTS, OutOfCodes
from wallets.models import Hold, Wallet
from wallets.services import open_wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]


@pytest.fixture
def rich(thandi: Person) -> Person:
    fund(thandi, "20000.00")
    return thandi


# What moves ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("voucher_type", "moved"),
    [
        (STANDARD, {"thandi": "-100.00", "voucher_liability": "100.00"}),
        (TOP_UP, {}),
        (
            EASYPAY_VOUCHER,
            {"thandi": "-102.88", "voucher_liability": "100.00", "fee_income": "2.50", "vat_control": "0.38"},
        ),
        (CASH_OUT, {"thandi": ("0.00", "109.20")}),
    ],
)
def test_each_type_moves_its_money_and_no_other(rich: Person, voucher_type: str, moved: dict[str, Any]) -> None:
    with moves({rich if who == "thandi" else who: change for who, change in moved.items()}):
        voucher = issue(rich, voucher_type)
    policy = policy_of(voucher)
    voucher.refresh_from_db()
    assert (voucher.status, voucher.balance) == (policy.first_status, policy.first_balance(Decimal("100.00")))
    assert voucher.fee_amount + voucher.vat_amount == Decimal(COSTS[Voucher.Type(voucher_type)])
    assert voucher.expires_at == policy.expiry(voucher.created_at)
    assert (voucher.issue_transfer_id is not None, voucher.hold_id is not None) == (
        policy.at_issue == "debited",
        policy.at_issue == "held",
    )
    if voucher.issue_transfer_id:
        first = Transfer.objects.get(pk=voucher.issue_transfer_id)
        assert (first.kind, first.amount, first.group_id) == ("voucher_issue", Decimal("100.00"), first.pk)
        assert (first.initiated_by_id, first.metadata) == (rich.user.pk, {"voucher": str(voucher.public_id)})
    if voucher.hold_id:
        hold = Hold.objects.get(pk=voucher.hold_id)
        assert (hold.purpose, hold.expires_at) == (f"voucher:{voucher.public_id}", None)


def test_a_standard_voucher_has_a_code_and_the_others_a_number_for_the_till(rich: Person) -> None:
    standard = issue(rich)
    assert is_voucher_code(code_of(standard))
    assert standard.easypay_number is None
    others = [issue(rich, voucher_type) for voucher_type in (TOP_UP, EASYPAY_VOUCHER, CASH_OUT)]
    assert all(voucher.code_index is None and str(voucher.easypay_number).startswith("95063") for voucher in others)
    assert len({voucher.easypay_number for voucher in others}) == 3


@pytest.mark.parametrize("voucher_type", Voucher.Type)
def test_the_smallest_and_the_largest_are_made(rich: Person, voucher_type: str) -> None:
    policy = policy_of(Voucher(voucher_type=voucher_type, currency="ZAR"))
    for amount in (policy.least, policy.most):
        assert issue(rich, voucher_type, str(amount)).original_amount == amount


# What is refused ----------------------------------------------------------------------------------------------------
def tier(who: Person, number: int) -> None:
    User.objects.filter(pk=who.user.pk).update(kyc_tier=number)


REFUSALS: dict[str, tuple[Callable[[Person], object], dict[str, Any], type[Exception]]] = {
    "other currency": (lambda _: None, {"currency": "USD"}, VoucherNotOffered),
    "too small": (lambda _: None, {"amount": "4.99"}, AmountOutOfRange),
    "too large": (lambda _: None, {"amount": "4000.01"}, AmountOutOfRange),
    "too large for a till": (lambda _: None, {"voucher_type": CASH_OUT, "amount": "3000.01"}, AmountOutOfRange),
    "frozen": (lambda who: stop(Wallet, who, "frozen"), {}, WalletFrozen),
    "frozen, a top-up": (lambda who: stop(Wallet, who, "frozen"), {"voucher_type": TOP_UP}, WalletFrozen),
    "frozen, a cash-out": (lambda who: stop(Wallet, who, "frozen"), {"voucher_type": CASH_OUT}, WalletFrozen),
    "suspended": (lambda who: stop(User, who, "suspended"), {}, UserNotActive),
    "suspended, a top-up": (lambda who: stop(User, who, "suspended"), {"voucher_type": TOP_UP}, UserNotActive),
    "tier 0": (lambda who: tier(who, 0), {}, NotPermitted),
    "tier 0, at a till": (lambda who: tier(who, 0), {"voucher_type": EASYPAY_VOUCHER}, NotPermitted),
    "tier 0, cash": (lambda who: tier(who, 0), {"voucher_type": CASH_OUT}, NotPermitted),
    "no fee set": (lambda _: None, {"voucher_type": TOP_UP, "at": dt.datetime(2019, 1, 1, tzinfo=dt.UTC)}, FeeNotSet),
    "over the day": (lambda who: spend(who, "49901.00"), {}, LimitExceeded),
    "cash over the day": (lambda who: spend(who, "49901.00"), {"voucher_type": CASH_OUT}, LimitExceeded),
}


def spend(who: Person, amount: str) -> None:
    """Let this customer have sent as much today."""
    friend = person("friend")
    for part in ("25000.00", str(Decimal(amount) - 25000)):
        fund(who, part)
        send(who, friend, part)
        User.objects.filter(pk=friend.user.pk).update(kyc_tier=2)


@pytest.mark.parametrize("why", REFUSALS)
def test_a_refusal_leaves_every_table_as_it_was(rich: Person, why: str) -> None:
    prepare, asked, refusal = REFUSALS[why]
    prepare(rich)
    before = digests()
    with pytest.raises(refusal):
        issue(rich, **asked)
    assert digests() == before


@pytest.mark.parametrize("voucher_type", Voucher.Type)
def test_a_closed_wallet_makes_none(thandi: Person, voucher_type: str) -> None:
    stop(Wallet, thandi, "closed")
    before = digests()
    with pytest.raises(WalletClosed):
        issue(thandi, voucher_type)
    assert digests() == before


def test_who_has_no_wallet_in_rand_is_told_so(rich: Person, admin_sql: Sql, ledger: Ledger) -> None:
    ledger.is_broken = True  # a wallet of another currency keeps its entries in rand
    admin_sql("UPDATE wallets SET currency = 'USD' WHERE id = %s", rich.wallet.pk)
    before = digests()
    with pytest.raises(NoWalletInCurrency):
        issue(rich)
    assert digests() == before


def test_a_wallet_in_dollars_buys_no_voucher(rich: Person) -> None:
    open_wallet(user=rich.user, currency="USD")
    for voucher_type in Voucher.Type:
        with pytest.raises(VoucherNotOffered):
            issue(rich, voucher_type, currency="USD")


@pytest.mark.parametrize("voucher_type", [STANDARD, EASYPAY_VOUCHER, CASH_OUT])
def test_face_fee_and_vat_must_be_there_to_the_cent(thandi: Person, voucher_type: Voucher.Type) -> None:
    needed = Decimal("100.00") + Decimal(COSTS[voucher_type])
    fund(thandi, str(needed - Decimal("0.01")))
    before = digests()
    with pytest.raises(InsufficientFunds) as caught:
        issue(thandi, voucher_type)
    assert caught.value.facts == {"available": str(needed - Decimal("0.01")), "needed": str(needed)}
    assert digests() == before
    fund(thandi, "0.01")
    issue(thandi, voucher_type)
    wallet = wallet_of(thandi)
    assert wallet.balance - wallet.held == 0


def test_the_first_tier_may_send_and_cash_out_and_the_lowest_may_pay_in(rich: Person, sipho: Person) -> None:
    tier(rich, 1)
    for voucher_type in Voucher.Type:
        issue(rich, voucher_type)
    tier(sipho, 0)
    issue(sipho, TOP_UP)


def test_numbers_that_ran_out_are_told_and_nothing_is_written(rich: Person, owner_sql: Sql) -> None:
    owner_sql("SELECT setval('easypay_accounts', %s)", ACCOUNTS - 1)
    before = digests()
    for voucher_type in (TOP_UP, EASYPAY_VOUCHER, CASH_OUT):
        with pytest.raises(EasyPayNumbersExhausted):
            issue(rich, voucher_type)
    assert digests() == before
    issue(rich)


def test_a_code_that_is_taken_is_replaced_and_after_some_it_gives_up(
    rich: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, fresh = code_of(issue(rich)), voucher_code()
    codes = itertools.chain([taken] * (CODE_ATTEMPTS - 1), [fresh], itertools.repeat(taken))
    monkeypatch.setattr(issuing, "voucher_code", lambda: next(codes))
    assert code_of(issue(rich)) == fresh
    before = digests()
    with pytest.raises(OutOfCodes):
        issue(rich)
    assert digests() == before


# Limits -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("voucher_type", [STANDARD, EASYPAY_VOUCHER, CASH_OUT])
def test_the_face_counts_against_the_limits_and_its_fees_do_not(rich: Person, voucher_type: str) -> None:
    issue(rich, voucher_type, "1000.00")
    assert spent(rich) == (Decimal("1000.00"), Decimal("1000.00"))


def test_what_a_top_up_will_bring_counts_against_nothing(rich: Person) -> None:
    issue(rich, TOP_UP, "1000.00")
    assert spent(rich) == (Decimal("0.00"), Decimal("0.00"))


@pytest.mark.parametrize("voucher_type", [EASYPAY_VOUCHER, CASH_OUT])
def test_what_is_cancelled_the_same_day_may_be_spent_again(rich: Person, voucher_type: str) -> None:
    issue(rich, STANDARD, "500.00")
    voucher = issue(rich, voucher_type, "1000.00")
    cancel(rich, voucher)
    assert spent(rich) == (Decimal("500.00"), Decimal("500.00"))


def test_sending_vouchers_and_cash_outs_share_one_limit_a_day(rich: Person, sipho: Person) -> None:
    tier(rich, 1)  # 5,000 a transfer and a day
    send(rich, sipho, "1000.00")
    issue(rich, STANDARD, "1000.00")
    issue(rich, EASYPAY_VOUCHER, "1000.00")
    last = issue(rich, CASH_OUT, "2000.00")
    for voucher_type, least in ((STANDARD, "5.00"), (EASYPAY_VOUCHER, "50.00"), (CASH_OUT, "50.00")):
        with pytest.raises(LimitExceeded) as caught:
            issue(rich, voucher_type, least)
        assert (caught.value.facts["period"], caught.value.facts["left"]) == ("day", "0.00")
    cancel(rich, last)
    issue(rich, STANDARD, "2000.00")


def test_one_voucher_and_a_month_have_limits_of_their_own(rich: Person, owner_sql: Sql, admin_sql: Sql) -> None:
    owner_sql("UPDATE tier_limits SET per_transfer_amount = 900 WHERE tier = 2")
    admin_sql(
        "UPDATE wallets SET spent_on = (now() AT TIME ZONE 'Africa/Johannesburg')::date, spent_month_amount = 99000 "
        "WHERE id = %s",
        rich.wallet.pk,
    )
    for voucher_type, amount, period in ((CASH_OUT, "900.01", "transfer"), (STANDARD, "100.01", "month")):
        with pytest.raises(LimitExceeded) as caught:
            issue(rich, voucher_type, amount)
        assert caught.value.facts["period"] == period
        if period == "transfer":
            issue(rich, CASH_OUT, "900.00")
    issue(rich, STANDARD, "100.00")


# What is fixed at issue ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("voucher_type", [EASYPAY_VOUCHER, CASH_OUT])
def test_a_fee_that_changes_is_not_that_of_vouchers_already_made(rich: Person, voucher_type: Voucher.Type) -> None:
    voucher = issue(rich, voucher_type)
    FeeRule.objects.using("owner").create(
        kind=voucher_type, currency="ZAR", fee_amount=Decimal(20), vat_rate=Decimal("0.2"), valid_from=now()
    )
    dearer = issue(rich, voucher_type)
    assert (dearer.fee_amount, dearer.vat_amount) == (Decimal("20.00"), Decimal("4.00"))
    cost = str(Decimal("100.00") + Decimal(COSTS[voucher_type]))
    back: dict[Person | str, Any] = {rich: ("0.00", f"-{cost}")}
    if voucher_type == EASYPAY_VOUCHER:
        back = {rich: cost, "voucher_liability": "-100.00", "fee_income": "-2.50", "vat_control": "-0.38"}
    with moves(back):
        cancel(rich, voucher)


def test_a_service_without_a_fee_costs_nothing(rich: Person) -> None:
    rule = FeeRule.objects.get(kind=EASYPAY_VOUCHER)
    FeeRule.objects.using("owner").create(
        kind=rule.kind, currency="ZAR", fee_amount=0, vat_rate=rule.vat_rate, valid_from=now() - dt.timedelta(hours=1)
    )
    with moves({rich: "-100.00", "voucher_liability": "100.00"}):
        voucher = issue(rich, EASYPAY_VOUCHER)
    with moves({rich: "100.00", "voucher_liability": "-100.00"}):
        cancel(rich, voucher)


# Twice, and at once -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("voucher_type", Voucher.Type)
def test_twice_with_one_key_is_one_voucher(rich: Person, voucher_type: str) -> None:
    first = issued(rich, voucher_type, key="k")
    after = digests()
    again = issued(rich, voucher_type, key="k")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.voucher == first.voucher
    with pytest.raises(IdempotencyKeyReused):
        issue(rich, voucher_type, "101.00", key="k")
    assert digests() == after


def test_a_key_that_was_refused_is_free_for_something_else(rich: Person) -> None:
    with pytest.raises(AmountOutOfRange):
        issue(rich, amount="1.00", key="k")
    issue(rich, amount="10.00", key="k")


@pytest.mark.parametrize("voucher_type", Voucher.Type)
def test_ten_at_once_with_one_key_are_one_voucher(rich: Person, race: Race, voucher_type: str) -> None:
    answers = race(10, lambda: issued(rich, voucher_type, key="k"))
    assert Counter(type(answer) for answer in answers) == {issuing.Issued: 10}, answers
    assert sum(not answer.replayed for answer in answers) == 1
    assert Voucher.objects.count() == 1


@pytest.mark.parametrize("voucher_type", [STANDARD, EASYPAY_VOUCHER, CASH_OUT])
def test_thirty_at_once_from_a_wallet_that_covers_ten_are_ten(
    thandi: Person, race: Race, voucher_type: Voucher.Type
) -> None:
    fund(thandi, str(10 * (Decimal("100.00") + Decimal(COSTS[voucher_type]))))
    answers = race(30, lambda: issue(thandi, voucher_type))
    assert Counter(type(answer) for answer in answers) == {Voucher: 10, InsufficientFunds: 20}, answers
    wallet = wallet_of(thandi)
    assert wallet.balance - wallet.held == 0
    assert VoucherTotal.objects.get(user=thandi.user).total_count == 10


def test_twenty_top_ups_at_once_are_ten(thandi: Person, race: Race) -> None:
    answers = race(20, lambda: issue(thandi, TOP_UP))
    assert Counter(type(answer) for answer in answers) == {Voucher: 10, TooManyOpenVouchers: 10}, answers
    assert next(a for a in answers if isinstance(a, TooManyOpenVouchers)).facts == {"most": 10}
    assert VoucherTotal.objects.get(user=thandi.user).pending_count == 10


def test_an_eleventh_open_top_up_is_refused_until_one_has_ended(thandi: Person, sipho: Person) -> None:
    open_ones = [issue(thandi, TOP_UP) for _ in range(10)]
    before = digests()
    with pytest.raises(TooManyOpenVouchers):
        issue(thandi, TOP_UP)
    assert digests() == before
    issue(sipho, TOP_UP)
    cancel(thandi, open_ones[0])
    issue(thandi, TOP_UP)


def test_the_database_counts_open_top_ups_itself_in_one_statement_too(thandi: Person, sipho: Person) -> None:
    for _ in range(9):
        issue(thandi, TOP_UP)
    two_more = [a_voucher(thandi, "pending_payment", "50.00") for _ in range(2)]
    with refused("MM021"):
        Voucher.objects.bulk_create([a_voucher(sipho, "pending_payment", "50.00"), *two_more])
    two_more[0].save()
    with refused("MM021"):
        two_more[1].save()
    assert Voucher.objects.count() == 10


# The dashboard ------------------------------------------------------------------------------------------------------
def test_a_dashboard_costs_the_same_for_an_issuer_of_many(rich: Person, sipho: Person, owner_sql: Sql) -> None:
    fund(sipho, "100.00")
    issue(sipho, STANDARD, "50.00")
    with transaction.atomic():
        Voucher.objects.bulk_create(a_voucher(rich, "cancelled", "50.00") for _ in range(3000))
    issue(rich, STANDARD, "50.00")
    owner_sql("VACUUM ANALYZE")
    few, many = (buffers(plan_of("SELECT customer_dashboard(%s)", who.user.public_id)) for who in (sipho, rich))
    assert many <= few + 2, (few, many)


def test_every_type_at_once_leaves_the_sum_of_wallets_at_zero(rich: Person) -> None:
    for voucher_type in Voucher.Type:
        issue(rich, voucher_type)
    assert balance(rich) == Money.parse("19797.12")
    assert sum(wallet.balance for wallet in Wallet.objects.all()) == 0
    assert [state_of(voucher)[0] for voucher in Voucher.objects.order_by("pk")] == [
        "active",
        "pending_payment",
        "active",
        "pending_payment",
    ]
