"""The kernel: what it posts, and what it refuses with nothing written."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import Error, IntegrityError

from accounts.models import User
from mymoolah.common.errors import DomainError
from mymoolah.common.ids import uuid7
from mymoolah.common.money import InvalidAmount, Money
from tests.conftest import Person, Sql, balance, fund, send
from tests.transactions.legs import close, decided, johannesburg, key, leg, nothing_was_posted, wallet_of
from transactions import posting
from transactions.models import IdempotencyKey as StoredKey
from transactions.models import Kind, Transfer
from transactions.posting import (
    House,
    InsufficientFunds,
    Leg,
    LimitExceeded,
    NotReversible,
    Posted,
    SameWallet,
    UnknownWallet,
    UserNotActive,
    WalletClosed,
    WalletFrozen,
    WrongCurrency,
)
from wallets import services as wallet_services
from wallets.models import TierLimit, Wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]


# It works -----------------------------------------------------------------------------------------------------------
def test_a_transfer_writes_one_transfer_two_entries_and_two_heads(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    before = dt.datetime.now(dt.UTC)
    [posted] = posting.post(
        [leg(thandi, sipho, "30.10", reference="Lunch", metadata={"table": 7})], initiated_by=thandi.user.pk
    )
    after = dt.datetime.now(dt.UTC)

    assert replace(posted, posted_at=before) == Posted(
        transfer_id=posted.transfer_id,
        from_sequence=2,
        from_balance_after=Decimal("69.90"),
        to_sequence=1,
        to_balance_after=Decimal("30.10"),
        posted_at=before,
        replayed=False,
    )
    assert before <= posted.posted_at <= after
    transfer = Transfer.objects.get(pk=posted.transfer_id)
    assert (transfer.from_wallet_id, transfer.to_wallet_id) == (thandi.wallet.pk, sipho.wallet.pk)
    assert (transfer.kind, transfer.amount, transfer.currency) == ("transfer", Decimal("30.10"), "ZAR")
    assert (transfer.reference, transfer.metadata, transfer.reverses_id) == ("Lunch", {"table": 7}, None)
    assert (transfer.group_id, transfer.initiated_by_id) == (transfer.pk, thandi.user.pk)
    sent, received = transfer.entries.order_by("-type")
    assert (sent.type, sent.user_id, sent.sequence) == ("sent", thandi.user.pk, 2)
    assert (sent.balance_after, sent.total_received_after, sent.total_sent_after) == (
        Decimal("69.90"),
        Decimal("100.00"),
        Decimal("30.10"),
    )
    assert (received.type, received.user_id, received.sequence) == ("received", sipho.user.pk, 1)
    assert {sent.created_at, received.created_at, transfer.created_at} == {posted.posted_at}
    head = wallet_of(thandi)
    assert (head.balance, head.total_received, head.total_sent) == (
        sent.balance_after,
        sent.total_received_after,
        sent.total_sent_after,
    )
    assert (head.received_count, head.sent_count, head.sequence) == (1, 1, 2)
    assert head.last_entry_at == posted.posted_at


def test_the_house_pays_and_receives_through_its_stripes_and_may_owe(thandi: Person) -> None:
    for stripe in (3, 19, 35):
        posting.post([leg(House(Wallet.Kind.BANK, stripe), thandi, "10.00")])
    posting.post([leg(thandi, House(Wallet.Kind.FEE_INCOME, 4), "5.00")])
    bank = Wallet.objects.get(kind="bank", currency="ZAR", stripe=3)
    assert (bank.balance, bank.sent_count) == (Decimal("-30.00"), 3)
    assert Wallet.objects.get(kind="fee_income", currency="ZAR", stripe=4).balance == Decimal("5.00")
    assert balance(thandi) == Money.parse("25.00")


def test_time_never_goes_back_in_a_wallet(thandi: Person, sipho: Person) -> None:
    late = johannesburg("2031-05-05T12:00:00")
    fund(thandi, "100.00", at=late)
    [posted] = posting.post([leg(thandi, sipho, "1.00")], at=johannesburg("2031-01-01T00:00:00"))
    assert posted.posted_at == late
    assert send(sipho, thandi, "1.00").posted_at == late


# Each refusal, and nothing written ----------------------------------------------------------------------------------
@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity", "-Infinity", "1e30", "1e400", None])
def test_an_amount_that_is_none_is_refused(thandi: Person, sipho: Person, app_sql: Sql, amount: str | None) -> None:
    with pytest.raises(Error) as caught:
        app_sql(
            """
            SELECT * FROM post_transfers(
                ARRAY[ROW(%s::uuid, 'transfer', %s, %s, %s::numeric, 'ZAR', '', NULL, NULL, NULL, false, NULL, false)
                    ::transfer_leg],
                'user:thandi', 'first', '\\x00', NULL, NULL, NULL, NULL
            )
            """,
            uuid7(),
            thandi.wallet.pk,
            sipho.wallet.pk,
            amount,
        )
    assert isinstance(posting.translated(caught.value), InvalidAmount)
    assert nothing_was_posted()


def test_the_largest_amount_and_trailing_zeros_are_taken() -> None:
    bank, clearing = House(Wallet.Kind.BANK, 0), House(Wallet.Kind.EASYPAY_CLEARING, 0)
    posting.post([leg(bank, clearing, "99999999999999999.99"), leg(clearing, bank, "0.990000")])
    assert Wallet.objects.get(kind="easypay_clearing", stripe=0).balance == Decimal("99999999999999999.00")


def test_a_wallet_cannot_pay_itself(thandi: Person) -> None:
    with pytest.raises(SameWallet):
        posting.post([leg(thandi, thandi, "1.00")], key=key())
    with pytest.raises(SameWallet):
        posting.post([leg(House(Wallet.Kind.BANK, 1), House(Wallet.Kind.BANK, 17), "1.00")], key=key())
    assert nothing_was_posted()


@pytest.mark.parametrize("end", ["payer", "payee"])
@pytest.mark.parametrize(("status", "refusal"), [("frozen", WalletFrozen), ("closed", WalletClosed)])
def test_a_wallet_that_is_not_active_is_refused_at_either_end(
    thandi: Person, sipho: Person, end: str, status: str, refusal: type[DomainError]
) -> None:
    inactive = thandi if end == "payer" else sipho
    Wallet.objects.filter(pk=inactive.wallet.pk).update(status=status)
    with pytest.raises(refusal) as caught:
        posting.post([leg(thandi, sipho, "1.00", check_active=True)], key=key())
    assert caught.value.facts == {"end": end, "status": status}
    assert nothing_was_posted()


@pytest.mark.parametrize("end", ["payer", "payee"])
def test_nothing_moves_into_or_out_of_a_closed_wallet_whatever_the_step_demands(
    thandi: Person, sipho: Person, end: str
) -> None:
    close(thandi if end == "payer" else sipho)
    with pytest.raises(WalletClosed) as caught:
        posting.post([leg(thandi, sipho, "1.00")], key=key())
    assert caught.value.facts == {"end": end, "status": "closed"}
    assert nothing_was_posted()


@pytest.mark.parametrize("end", ["payer", "payee"])
@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_person_who_is_not_active_is_refused_at_either_end(
    thandi: Person, sipho: Person, end: str, status: str
) -> None:
    inactive = thandi if end == "payer" else sipho
    User.objects.filter(pk=inactive.user.pk).update(status=status)
    with pytest.raises(UserNotActive) as caught:
        posting.post([leg(thandi, sipho, "1.00", check_active=True)], key=key())
    assert caught.value.facts == {"end": end}
    assert nothing_was_posted()


def test_money_that_returns_to_its_owner_ignores_freeze_suspension_and_ceiling(thandi: Person) -> None:
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="frozen")
    User.objects.filter(pk=thandi.user.pk).update(status="suspended", kyc_tier=0)
    refund = leg(House(Wallet.Kind.VOUCHER_LIABILITY, 1), thandi, "4000.00", kind=Kind.VOUCHER_REFUND)
    paid_in = leg(House(Wallet.Kind.BANK, 1), House(Wallet.Kind.VOUCHER_LIABILITY, 1), "4000.00")
    posting.post([paid_in, refund])
    assert balance(thandi) == Money.parse("4000.00")


@pytest.mark.parametrize("end", ["payer", "payee", "both"])
def test_another_currency_is_refused(thandi: Person, sipho: Person, end: str) -> None:
    ends = {
        "payer": ("USD", "ZAR", "ZAR"),
        "payee": ("ZAR", "USD", "ZAR"),
        "both": ("ZAR", "ZAR", "USD"),
    }[end]
    payer, payee = (
        Person(who.user, wallet_services.open_wallet(user=who.user, currency="USD")) if currency == "USD" else who
        for who, currency in ((thandi, ends[0]), (sipho, ends[1]))
    )
    with pytest.raises(WrongCurrency) as caught:
        posting.post([leg(payer, payee, "1.00", currency=ends[2])], key=key())
    assert caught.value.facts == {"payer": ends[0], "payee": ends[1]}
    assert nothing_was_posted()


def test_an_unknown_wallet_is_refused_without_telling_its_id(thandi: Person) -> None:
    for ends in ((thandi.wallet.pk, 987_654), (987_654, thandi.wallet.pk)):
        with pytest.raises(UnknownWallet) as caught:
            posting.post(
                [Leg(kind=Kind.TRANSFER, amount=Money.parse("1.00"), source=ends[0], target=ends[1])], key=key()
            )
        assert caught.value.facts == {}
    assert nothing_was_posted()


def test_a_house_without_wallets_in_a_currency_is_refused(thandi: Person) -> None:
    with pytest.raises((WrongCurrency, UnknownWallet)):
        posting.post([leg(House(Wallet.Kind.BANK, 0), thandi, "1.00", currency="USD")], key=key())
    assert nothing_was_posted()


def test_a_cent_more_than_is_available_is_refused(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    with pytest.raises(InsufficientFunds) as caught:
        posting.post([leg(thandi, sipho, "100.01")], key=key())
    assert caught.value.facts == {"available": "100.00", "needed": "100.01"}
    posting.post([leg(thandi, sipho, "100.00")], key=key())
    assert balance(thandi) == Money.parse("0.00")


def test_what_is_held_is_not_available(thandi: Person, sipho: Person, admin_sql: Sql) -> None:
    fund(thandi, "100.00")
    admin_sql("UPDATE wallets SET held = 40 WHERE id = %s", thandi.wallet.pk)
    admin_sql(
        """
        INSERT INTO holds (public_id, wallet_id, amount, currency, status, purpose, created_at)
        VALUES (gen_random_uuid(), %s, 40, 'ZAR', 'held', 'a test', now())
        """,
        thandi.wallet.pk,
    )
    with pytest.raises(InsufficientFunds) as caught:
        posting.post([leg(thandi, sipho, "60.01")])
    assert caught.value.facts == {"available": "60.00", "needed": "60.01"}
    posting.post([leg(thandi, sipho, "60.00")])


# Groups -------------------------------------------------------------------------------------------------------------
def test_a_group_shares_its_moment_and_the_id_of_its_first(thandi: Person, sipho: Person, naledi: Person) -> None:
    fund(thandi, "100.00")
    legs = [leg(thandi, sipho, "10.00"), leg(sipho, naledi, "4.00"), leg(thandi, naledi, "1.00")]
    posted = posting.post(legs, key=key(), initiated_by=thandi.user.pk)
    assert [each.transfer_id for each in posted] == [each.id for each in legs]
    assert [(each.from_sequence, each.to_sequence) for each in posted] == [(2, 1), (2, 1), (3, 2)]
    assert len({each.posted_at for each in posted}) == 1
    stored = Transfer.objects.filter(group_id=legs[0].id)
    assert {each.pk for each in stored} == {each.id for each in legs}
    assert {each.initiated_by_id for each in stored} == {thandi.user.pk}
    again = posting.post([replace(each, id=uuid7()) for each in legs], key=key())
    assert again == [replace(each, replayed=True) for each in posted]


@pytest.mark.parametrize("fails_at", [0, 1, 2])
def test_a_group_stands_or_falls_together(thandi: Person, sipho: Person, fails_at: int) -> None:
    fund(thandi, "100.00")
    amounts = ["10.00", "20.00", "30.00"]
    amounts[fails_at] = "100.01"
    with pytest.raises(InsufficientFunds):
        posting.post([leg(thandi, sipho, amount) for amount in amounts], key=key())
    assert (balance(thandi), balance(sipho)) == (Money.parse("100.00"), Money.parse("0.00"))
    assert not StoredKey.objects.exists()
    assert not Transfer.objects.filter(kind="transfer").exists()


def test_a_group_may_pay_on_what_it_has_just_received(thandi: Person, sipho: Person) -> None:
    bank = House(Wallet.Kind.BANK, 1)
    posting.post([leg(bank, thandi, "10.00"), leg(thandi, sipho, "10.00")])
    with pytest.raises(InsufficientFunds):
        posting.post([leg(thandi, sipho, "10.00"), leg(bank, thandi, "10.00")])


def test_a_transfer_is_reversed_once(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    sent = send(thandi, sipho, "30.00")
    posting.post([leg(sipho, thandi, "30.00", kind=Kind.REVERSAL, reverses=sent.transfer_id)], decision=decided())
    fund(sipho, "30.00")
    with pytest.raises(IntegrityError, match="uq_transfers_reversed_once"):
        posting.post([leg(sipho, thandi, "30.00", kind=Kind.REVERSAL, reverses=sent.transfer_id)], decision=decided())
    assert balance(thandi) == Money.parse("100.00")


def test_a_reversal_takes_back_all_of_one_transfer_where_it_came_from(
    thandi: Person, sipho: Person, naledi: Person
) -> None:
    for who in (thandi, sipho, naledi):
        fund(who, "100.00")
    sent = send(thandi, sipho, "30.00")
    decision = decided()
    back = leg(sipho, thandi, "30.00", kind=Kind.REVERSAL, reverses=sent.transfer_id)
    for wrong in (
        replace(back, reverses=uuid7()),
        replace(back, amount=Money.parse("29.99")),
        replace(back, source=naledi.wallet.pk),
        replace(back, target=naledi.wallet.pk),
        replace(back, source=House(Wallet.Kind.SUSPENSE, 0)),
    ):
        with pytest.raises(NotReversible):
            posting.post([wrong], decision=decision)
    [reversal] = posting.post([back], decision=decision)
    again = leg(thandi, sipho, "30.00", kind=Kind.REVERSAL, reverses=reversal.transfer_id)
    with pytest.raises(NotReversible):
        posting.post([again], decision=decision)
    assert (balance(thandi), balance(sipho)) == (Money.parse("100.00"), Money.parse("100.00"))


# Two currencies -----------------------------------------------------------------------------------------------------
def test_rand_and_dollar_never_mix(thandi: Person, sipho: Person) -> None:
    wallet_services.open_house_wallets(currency="USD")
    TierLimit.objects.using("owner").create(
        tier=2,
        currency="USD",
        per_transfer_amount="10.00",
        per_day_amount="10.00",
        per_month_amount="20.00",
        highest_balance="15.00",
        may_send=True,
        may_cash_out=False,
    )
    in_dollar = [
        Person(who.user, wallet_services.open_wallet(user=who.user, currency="USD")) for who in (thandi, sipho)
    ]
    fund(thandi, "1000.00")
    fund(in_dollar[0], "100.00")
    send(thandi, sipho, "20.00")
    with pytest.raises(LimitExceeded) as caught:
        send(in_dollar[0], in_dollar[1], "10.01")
    assert caught.value.facts == {"period": "transfer", "limit": "10.00", "left": "10.00"}
    send(in_dollar[0], in_dollar[1], "10.00")
    assert [balance(who) for who in (thandi, sipho, *in_dollar)] == [
        Money.parse("980.00"),
        Money.parse("20.00"),
        Money.parse("90.00", "USD"),
        Money.parse("10.00", "USD"),
    ]
    wallet_services.open_house_wallets(currency="USD")
    assert Wallet.objects.filter(currency="USD").exclude(kind="customer").count() == 8 * 16
