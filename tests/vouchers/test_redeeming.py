"""Redeeming a standard voucher: whoever types its code gets the money, once."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent, User
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from tests.conftest import Ledger, Person, Sql, balance, fund, person, refused, send
from tests.tables import digests
from tests.transactions.legs import wallet_of
from tests.vouchers.desk import (
    EASYPAY_VOUCHER,
    STANDARD,
    at_once,
    buffers,
    code_of,
    issue,
    many,
    plan_of,
    redeem,
    state_of,
    stop,
)
from tests.vouchers.till import moves
from transactions.posting import (
    BalanceTooHigh,
    IdempotencyKeyReused,
    UserNotActive,
    WalletClosed,
    WalletFrozen,
)
from transactions.selectors import NoWalletInCurrency
from vouchers.errors import RedeemExceedsVoucher, VoucherExpired, VoucherNotFound, VoucherRedeemed
from vouchers.models import Voucher, VoucherRedemption, VoucherTotal
from vouchers.numbers import voucher_code, with_luhn_digit
from vouchers.policies import POLICIES, policy_of
from vouchers.selectors import Redeemed
from vouchers.services.ending import Sweep, expire_vouchers
from wallets.models import Wallet
from wallets.services import open_house_wallets, open_wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]
INSTANT = dt.timedelta(microseconds=1)


@pytest.fixture
def voucher(thandi: Person) -> Voucher:
    """One of Thandi's, of R100."""
    fund(thandi, "100.00")
    return issue(thandi)


# What moves ---------------------------------------------------------------------------------------------------------
def test_all_of_it_reaches_whoever_types_the_code(voucher: Voucher, sipho: Person) -> None:
    with moves({sipho: "100.00", "voucher_liability": "-100.00"}):
        redeemed = redeem(sipho, voucher)
    assert state_of(voucher) == ("redeemed", Decimal(0))
    row = VoucherRedemption.objects.get()
    assert (row.voucher_id, row.wallet_id, row.amount) == (voucher.pk, sipho.wallet.pk, Decimal("100.00"))
    assert (redeemed.public_id, redeemed.transfer_id) == (row.public_id, row.transfer_id)
    assert (redeemed.amount, redeemed.left_after, redeemed.balance_after) == (Decimal(100), Decimal(0), Decimal(100))
    assert redeemed.wallet_number == sipho.wallet.number


def test_parts_reach_several_until_nothing_is_left(
    voucher: Voucher, thandi: Person, sipho: Person, naledi: Person
) -> None:
    for who, amount, left in ((sipho, "30.50", "69.50"), (naledi, "0.01", "69.49"), (sipho, "9.49", "60.00")):
        with moves({who: amount, "voucher_liability": f"-{amount}"}):
            assert redeem(who, voucher, amount).left_after == Decimal(left)
        assert state_of(voucher) == ("active", Decimal(left))
    assert VoucherTotal.objects.get(user=thandi.user).active_value == Decimal("60.00")
    assert redeem(naledi, voucher).amount == Decimal("60.00")
    assert state_of(voucher) == ("redeemed", Decimal(0))
    assert VoucherTotal.objects.get(user=thandi.user).active_value == 0


def test_its_issuer_may_redeem_it_too(voucher: Voucher, thandi: Person) -> None:
    redeem(thandi, voucher)
    assert balance(thandi) == Money.parse("100.00")


def test_what_became_of_its_issuer_does_not_matter(voucher: Voucher, thandi: Person, sipho: Person) -> None:
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    User.objects.filter(pk=thandi.user.pk).update(status="suspended")
    redeem(sipho, voucher)
    assert balance(sipho) == Money.parse("100.00")


def test_the_lowest_tier_may_redeem_and_no_limit_counts_it(voucher: Voucher) -> None:
    newcomer = person("newcomer", tier=0)
    redeem(newcomer, voucher)
    assert wallet_of(newcomer).spent_day_amount == 0


def test_it_is_good_until_its_last_moment(voucher: Voucher, sipho: Person) -> None:
    redeem(sipho, voucher, at=voucher.expires_at - INSTANT)


# What is refused ----------------------------------------------------------------------------------------------------
REFUSALS: dict[str, tuple[Callable[[Voucher, Person], object], dict[str, Any], type[Exception]]] = {
    "all of it is gone": (lambda voucher, who: redeem(who, voucher), {}, VoucherRedeemed),
    "it has ended": (lambda voucher, _: expire_vouchers(now=voucher.expires_at), {}, VoucherExpired),
    "more than it is": (lambda *_: None, {"amount": "100.01"}, RedeemExceedsVoucher),
    "more than is left": (lambda voucher, who: redeem(who, voucher, "1.00"), {"amount": "99.01"}, RedeemExceedsVoucher),
    "other money": (lambda *_: None, {"amount": "1.00", "currency": "USD"}, RedeemExceedsVoucher),
    "frozen": (lambda _, who: stop(Wallet, who, "frozen"), {}, WalletFrozen),
    "closed": (lambda _, who: stop(Wallet, who, "closed"), {}, WalletClosed),
    "suspended": (lambda _, who: stop(User, who, "suspended"), {}, UserNotActive),
    "too full": (lambda _, who: fund(who, "99900.01"), {}, BalanceTooHigh),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_refusal_leaves_every_table_as_it_was(voucher: Voucher, sipho: Person, why: str) -> None:
    prepare, asked, refusal = REFUSALS[why]
    prepare(voucher, sipho)
    before = digests()
    with pytest.raises(refusal):
        redeem(sipho, voucher, **asked)
    assert digests() == before


def test_more_than_is_left_is_told_what_is_left(voucher: Voucher, sipho: Person) -> None:
    with pytest.raises(RedeemExceedsVoucher) as caught:
        redeem(sipho, voucher, "100.01")
    assert caught.value.facts == {"left": "100.00", "currency": "ZAR"}


def test_up_to_the_highest_balance_it_is_taken(voucher: Voucher, sipho: Person) -> None:
    fund(sipho, "99950.00")
    with pytest.raises(BalanceTooHigh):
        redeem(sipho, voucher, "50.01")
    redeem(sipho, voucher, "50.00")


@pytest.mark.parametrize("what", ["unknown", "mistyped", "an EasyPay number", "a word", "nothing"])
def test_whatever_is_no_code_is_not_found_and_audited_without_it(thandi: Person, sipho: Person, what: str) -> None:
    fund(thandi, "500.00")
    code = code_of(issue(thandi))
    number = issue(thandi, EASYPAY_VOUCHER).easypay_number
    assert number is not None
    tried = {
        "unknown": voucher_code(),
        "mistyped": code[:-1] + str((int(code[-1]) + 1) % 10),
        "an EasyPay number": number,
        "a word": "voucher",
        "nothing": "",
    }[what]
    before = digests(but="audit_events")
    with pytest.raises(VoucherNotFound):
        redeem(sipho, tried)
    assert digests(but="audit_events") == before
    event = AuditEvent.objects.get(verb="voucher.code_unknown")
    assert (event.actor, event.subject_type, event.subject_id) == (sipho.user, "user", str(sipho.user.public_id))
    assert event.facts == {}


def test_an_easypay_number_made_to_look_like_a_code_is_none(thandi: Person, sipho: Person) -> None:
    fund(thandi, "500.00")
    number = issue(thandi, EASYPAY_VOUCHER).easypay_number
    with pytest.raises(VoucherNotFound):
        redeem(sipho, with_luhn_digit(f"{number}0"))


# When it has expired and no job was there yet -----------------------------------------------------------------------
def test_an_expired_one_is_refused_though_no_job_has_been_there(
    voucher: Voucher, sipho: Person, owner_sql: Sql
) -> None:
    owner_sql("UPDATE vouchers SET expires_at = now() - interval '1 second'")
    before = digests()
    with pytest.raises(VoucherExpired):
        redeem(sipho, voucher)
    assert (digests(), state_of(voucher)[0]) == (before, "active")


@pytest.mark.parametrize("amount", [None, "1.00"])
def test_a_process_whose_clock_is_late_is_refused_by_the_databases(
    voucher: Voucher, sipho: Person, owner_sql: Sql, amount: str | None
) -> None:
    owner_sql("UPDATE vouchers SET expires_at = now() - interval '1 second'")
    before = digests()
    with pytest.raises(VoucherExpired):
        redeem(sipho, voucher, amount, at=now() - dt.timedelta(hours=1))
    assert digests() == before


def test_without_python_the_database_refuses_it_as_well(voucher: Voucher, owner_sql: Sql, app_sql: Sql) -> None:
    owner_sql("UPDATE vouchers SET expires_at = now() - interval '1 second'")
    for change in ("balance = 1", "status = 'redeemed', balance = 0"):
        with refused("MM023"):
            app_sql(f"UPDATE vouchers SET {change} WHERE id = %s", voucher.pk)  # noqa: S608 - two of our own
    assert state_of(voucher) == ("active", Decimal("100.00"))


# Twice, and at once -------------------------------------------------------------------------------------------------
def test_twice_with_one_key_is_once_whatever_has_become_of_it(voucher: Voucher, sipho: Person, naledi: Person) -> None:
    first = redeem(sipho, voucher, "30.00", key="k")
    redeem(naledi, voucher)
    send(sipho, naledi, "30.00")
    Wallet.objects.filter(pk=sipho.wallet.pk).update(status="frozen")
    after = digests()
    assert redeem(sipho, voucher, "30.00", key="k") == replace(first, replayed=True)
    for changed in ("30.01", None):
        with pytest.raises(IdempotencyKeyReused):
            redeem(sipho, voucher, changed, key="k")
    assert digests() == after


def test_ten_at_once_with_one_key_are_one_redemption(voucher: Voucher, sipho: Person, race: Race) -> None:
    answers = race(10, lambda: redeem(sipho, voucher, "10.00", key="k"))
    assert Counter(type(answer) for answer in answers) == {Redeemed: 10}, answers
    assert len({replace(answer, replayed=False) for answer in answers}) == 1
    assert state_of(voucher) == ("active", Decimal("90.00"))


def test_ten_customers_at_once_get_the_money_once(voucher: Voucher, race: Race) -> None:
    people = [person(f"customer{number}") for number in range(10)]
    turns = count()
    answers = race(10, lambda: redeem(people[next(turns)], voucher))
    assert Counter(type(answer) for answer in answers) == {Redeemed: 1, VoucherRedeemed: 9}, answers
    assert sum(balance(who).amount for who in people) == Decimal("100.00")


def test_parts_at_once_never_exceed_it(voucher: Voucher, race: Race) -> None:
    people = [person(f"customer{number}") for number in range(10)]
    turns = count()
    answers = race(10, lambda: redeem(people[next(turns)], voucher, "30.00"))
    assert Counter(type(answer) for answer in answers) == {Redeemed: 3, RedeemExceedsVoucher: 7}, answers
    assert state_of(voucher) == ("active", Decimal("10.00"))
    assert sorted(a.left_after for a in answers if isinstance(a, Redeemed)) == [10, 40, 70]


@pytest.mark.parametrize("_", range(8))
def test_either_it_is_redeemed_or_it_expires(
    voucher: Voucher, thandi: Person, sipho: Person, race: Race, _: int
) -> None:
    redeemed, swept = at_once(race, lambda: redeem(sipho, voucher), lambda: expire_vouchers(now=voucher.expires_at))
    if isinstance(redeemed, Redeemed):
        assert (state_of(voucher)[0], balance(sipho)) == ("redeemed", Money.parse("100.00"))
        assert swept == Sweep(expired=0, failed=0)  # it skips a voucher that somebody redeems just now
    else:
        assert isinstance(redeemed, VoucherExpired)
        assert (state_of(voucher)[0], balance(thandi)) == ("expired", Money.parse("100.00"))
        assert swept == Sweep(expired=1, failed=0)


# Two currencies -----------------------------------------------------------------------------------------------------
def test_a_voucher_in_dollars_reaches_wallets_in_dollars_only(
    thandi: Person, sipho: Person, naledi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_rand = policy_of(Voucher(voucher_type=STANDARD, currency="ZAR"))
    monkeypatch.setitem(POLICIES, (STANDARD, "USD"), replace(in_rand, limits=None))
    open_house_wallets(currency="USD")
    dollars = Person(thandi.user, open_wallet(user=thandi.user, currency="USD"))
    fund(dollars, "100.00")
    fund(thandi, "100.00")
    voucher = issue(thandi, STANDARD, "40.00", currency="USD")
    before = digests()
    with pytest.raises(NoWalletInCurrency):
        redeem(sipho, voucher)
    with pytest.raises(RedeemExceedsVoucher):
        redeem(thandi, voucher, "1.00", currency="ZAR")
    assert digests() == before
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO tier_limits (tier, currency, per_transfer_amount, per_day_amount, per_month_amount, "
            "highest_balance, may_send, may_cash_out) VALUES (2, 'USD', 10, 10, 10, 1000, true, true)"
        )
    assert redeem(thandi, voucher, "15.00", currency="USD").currency == "USD"
    assert (balance(dollars), balance(thandi)) == (Money.parse("75.00", "USD"), Money.parse("100.00"))
    assert VoucherTotal.objects.get(user=thandi.user, currency="USD").active_value == Decimal("25.00")


# Codes that nobody has ----------------------------------------------------------------------------------------------
def test_an_unknown_code_costs_one_look_into_an_index_however_many_there_are(
    ledger: Ledger, thandi: Person, sipho: Person, owner_sql: Sql, app_sql: Sql
) -> None:
    ledger.is_broken = True  # nobody has paid for these
    many(app_sql, thandi, 50_000, "active")
    owner_sql("VACUUM ANALYZE vouchers")
    with CaptureQueriesContext(connection) as captured, pytest.raises(VoucherNotFound):
        redeem(sipho, voucher_code())
    (lookup,) = [one["sql"] for one in captured.captured_queries if 'FROM "vouchers"' in one["sql"]]
    plan = plan_of(lookup)
    assert plan["Node Type"] in {"LockRows", "Limit"}
    assert "uq_vouchers_code_index" in json.dumps(plan)
    assert "Seq Scan" not in json.dumps(plan)
    assert plan["Actual Rows"] == 0
    assert buffers(plan) <= 6, plan
