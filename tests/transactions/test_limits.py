"""What a tier may spend and hold, and when its days and months begin, in Johannesburg."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from mymoolah.common.clock import business_day
from mymoolah.common.money import Money
from tests.conftest import Person, Sql, balance, fund, person, refused, send
from tests.transactions.legs import johannesburg, key, leg, nothing_was_posted, wallet_of
from transactions import posting
from transactions.models import Kind
from transactions.posting import (
    BalanceTooHigh,
    House,
    LimitExceeded,
    NotPermitted,
    Posted,
)
from wallets.models import TierLimit, Wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]


def spend(thandi: Person, sipho: Person, amount: str, at: str, **demands: Any) -> Posted:
    demand = leg(thandi, sipho, amount, check_limits=demands.pop("check_limits", "send"), **demands)
    return posting.post([demand], at=johannesburg(at))[0]


def test_more_than_the_limit_of_one_transfer_is_refused(thandi: Person, sipho: Person) -> None:
    fund(thandi, "60000.00")
    with pytest.raises(LimitExceeded) as caught:
        spend(thandi, sipho, "25000.01", "2031-05-05T12:00:00")
    assert caught.value.facts == {"period": "transfer", "limit": "25000.00", "left": "25000.00"}
    spend(thandi, sipho, "25000.00", "2031-05-05T12:00:00")


def test_the_day_ends_at_midnight_in_johannesburg(thandi: Person, sipho: Person) -> None:
    fund(thandi, "90000.00", at=johannesburg("2031-05-04T12:00:00"))
    spend(thandi, sipho, "25000.00", "2031-05-05T00:00:00")
    spend(thandi, sipho, "24999.00", "2031-05-05T01:59:59")  # in UTC still the day before
    with pytest.raises(LimitExceeded) as caught:
        spend(thandi, sipho, "1.01", "2031-05-05T02:00:00")
    assert caught.value.facts == {"period": "day", "limit": "50000.00", "left": "1.00"}
    spend(thandi, sipho, "1.00", "2031-05-05T23:59:59.999999")
    with pytest.raises(LimitExceeded) as caught:
        spend(thandi, sipho, "0.01", "2031-05-05T23:59:59.999999")
    assert caught.value.facts["left"] == "0.00"
    spend(thandi, sipho, "0.01", "2031-05-06T00:00:00")
    head = wallet_of(thandi)
    assert (head.spent_on, head.spent_day_amount) == (dt.date(2031, 5, 6), Decimal("0.01"))
    assert head.spent_month_amount == Decimal("50000.01")


def test_the_month_ends_at_midnight_in_johannesburg(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100001.00", at=johannesburg("2031-01-29T10:00:00"))
    for day in ("2031-01-30", "2031-01-31"):
        spend(thandi, sipho, "25000.00", f"{day}T12:00:00")
    for hour in ("22:00:00", "22:00:01"):
        spend(thandi, sipho, "12500.00", f"2031-01-31T{hour}")
    posting.post([leg(sipho, thandi, "50000.00")], at=johannesburg("2031-01-31T22:30:00"))
    TierLimit.objects.using("owner").filter(tier=2, currency="ZAR").update(per_day_amount="90000.00")
    spend(thandi, sipho, "25000.00", "2031-01-31T23:00:00")
    with pytest.raises(LimitExceeded) as caught:
        spend(thandi, sipho, "0.01", "2031-01-31T23:59:59.999999")
    assert caught.value.facts == {"period": "month", "limit": "100000.00", "left": "0.00"}
    spend(thandi, sipho, "0.01", "2031-02-01T00:00:00")
    assert wallet_of(thandi).spent_month_amount == Decimal("0.01")


def test_the_same_month_of_another_year_is_another_month(thandi: Person, sipho: Person) -> None:
    fund(thandi, "50000.00", at=johannesburg("2031-05-05T10:00:00"))
    spend(thandi, sipho, "25000.00", "2031-05-05T12:00:00")
    spend(thandi, sipho, "1.00", "2032-05-05T12:00:00")
    head = wallet_of(thandi)
    assert (head.spent_day_amount, head.spent_month_amount) == (Decimal("1.00"), Decimal("1.00"))


def test_only_what_the_step_limits_is_counted(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    posting.post(
        [
            leg(thandi, House(Wallet.Kind.CASHOUT_CLEARING, 1), "50.00", kind=Kind.CASH_OUT, check_limits="cash_out"),
            leg(thandi, House(Wallet.Kind.FEE_INCOME, 1), "8.00", kind=Kind.FEE),
            leg(thandi, House(Wallet.Kind.VAT_CONTROL, 1), "1.20", kind=Kind.VAT),
        ]
    )
    head = wallet_of(thandi)
    assert (head.balance, head.spent_day_amount) == (Decimal("40.80"), Decimal("50.00"))
    assert head.spent_on == business_day(dt.datetime.now(dt.UTC))


@pytest.mark.parametrize("demand", ["send", "cash_out"])
def test_a_tier_that_may_not_is_refused(sipho: Person, demand: str) -> None:
    newcomer = person("newcomer", tier=0)
    fund(newcomer, "100.00")
    with pytest.raises(NotPermitted) as caught:
        posting.post([leg(newcomer, sipho, "1.00", check_limits=demand)])
    assert caught.value.facts["tier"] == 0


@pytest.mark.parametrize(("column", "demand"), [("may_send", "cash_out"), ("may_cash_out", "send")])
def test_what_a_tier_may_is_asked_for_each_use(thandi: Person, sipho: Person, column: str, demand: str) -> None:
    TierLimit.objects.using("owner").filter(tier=2).update(**{column: False})
    fund(thandi, "100.00")
    posting.post([leg(thandi, sipho, "1.00", check_limits=demand)])
    with pytest.raises(NotPermitted):
        posting.post([leg(thandi, sipho, "1.00", check_limits="send" if demand == "cash_out" else "cash_out")])


def test_a_tier_without_a_row_of_limits_is_refused(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    TierLimit.objects.using("owner").filter(tier=2).delete()
    with pytest.raises(NotPermitted):
        posting.post([leg(thandi, sipho, "1.00", check_limits="send")])
    with pytest.raises(BalanceTooHigh):
        posting.post([leg(thandi, sipho, "1.00", check_ceiling=True)])


@pytest.mark.parametrize("column", ["per_transfer_amount", "per_day_amount", "per_month_amount"])
def test_a_tier_that_may_spend_has_every_limit(column: str, app_sql: Sql) -> None:
    with refused("23514"):
        app_sql(f"UPDATE tier_limits SET {column} = NULL WHERE tier = 2")  # noqa: S608


def test_a_change_of_tier_counts_from_the_next_posting_on(thandi: Person, sipho: Person) -> None:
    fund(thandi, "10000.00")
    send(thandi, sipho, "4000.00")
    User.objects.filter(pk=thandi.user.pk).update(kyc_tier=1)
    with pytest.raises(LimitExceeded) as caught:
        send(thandi, sipho, "1000.01")
    assert caught.value.facts == {"period": "day", "limit": "5000.00", "left": "1000.00"}


def test_the_receivers_ceiling_counts_at_the_end_of_the_group() -> None:
    newcomer = person("newcomer", tier=0)

    def top_up(amount: str) -> list[Posted]:
        return posting.post(
            [
                leg(House(Wallet.Kind.EASYPAY_CLEARING, 1), newcomer, amount, kind=Kind.TOP_UP, check_ceiling=True),
                leg(newcomer, House(Wallet.Kind.FEE_INCOME, 1), "5.50", kind=Kind.FEE),
                leg(newcomer, House(Wallet.Kind.VAT_CONTROL, 1), "0.83", kind=Kind.VAT),
            ],
            key=key(),
        )

    with pytest.raises(BalanceTooHigh) as caught:
        top_up("3006.34")
    assert caught.value.facts == {"highest": "3000.00"}
    assert nothing_was_posted()
    top_up("3006.33")
    assert balance(newcomer) == Money.parse("3000.00")
