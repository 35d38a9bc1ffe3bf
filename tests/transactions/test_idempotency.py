"""Once for each key: the first answer, another request, a refusal, a key in flight."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from django.db import connections, transaction

from accounts.models import User
from mymoolah.common.errors import DomainError
from mymoolah.common.ids import uuid7
from mymoolah.common.money import Money
from tests.conftest import Person, Sql, balance, fund
from tests.transactions.legs import beside, close, key, leg
from transactions import posting
from transactions.posting import (
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InsufficientFunds,
    Posted,
)
from wallets.models import TierLimit

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]


def test_a_repeat_gets_the_first_answer(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    first = posting.post([leg(thandi, sipho, "30.00")], key=key())
    posting.post([leg(thandi, sipho, "5.00")])
    again = posting.post([leg(thandi, sipho, "30.00")], key=key())
    assert again == [replace(first[0], replayed=True)]
    assert balance(thandi) == Money.parse("65.00")


def test_a_repeat_comes_before_every_other_check(thandi: Person, sipho: Person) -> None:
    fund(thandi, "30.00")
    demanding = leg(thandi, sipho, "30.00", check_active=True, check_limits="send", check_ceiling=True)
    [first] = posting.post([demanding], key=key())
    close(thandi)
    User.objects.filter(pk=sipho.user.pk).update(status="suspended")
    TierLimit.objects.using("owner").all().delete()
    assert posting.post([replace(demanding, id=uuid7())], key=key()) == [replace(first, replayed=True)]


def test_a_key_that_carries_another_request_is_refused(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    posting.post([leg(thandi, sipho, "30.00")], key=key())
    with pytest.raises(IdempotencyKeyReused) as caught:
        posting.post([leg(thandi, sipho, "31.00")], key=key(request="that"))
    assert caught.value.facts == {}
    assert balance(thandi) == Money.parse("70.00")


def test_the_same_key_of_another_actor_is_another_key(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    for actor in ("user:thandi", "user:naledi", "till:easypay"):
        [posted] = posting.post([leg(thandi, sipho, "10.00")], key=replace(key(), actor=actor))
        assert not posted.replayed
    assert balance(thandi) == Money.parse("70.00")


def test_a_refusal_leaves_the_key_free(thandi: Person, sipho: Person) -> None:
    with pytest.raises(InsufficientFunds):
        posting.post([leg(thandi, sipho, "30.00")], key=key())
    fund(thandi, "30.00")
    [posted] = posting.post([leg(thandi, sipho, "30.00")], key=key())
    assert not posted.replayed


CLAIM = "SELECT claim_idempotency_key('user:thandi', 'first', sha256('this'), 'transfer', gen_random_uuid())"


def test_a_key_in_flight_is_not_waited_for_forever(thandi: Person, sipho: Person, app_sql: Sql) -> None:
    fund(thandi, "100.00")
    with beside() as other:
        other.execute(CLAIM)
        app_sql("SET lock_timeout = '200ms'")
        with pytest.raises(IdempotencyInFlight):
            posting.post([leg(thandi, sipho, "30.00")], key=key())
        other.rollback()
    [posted] = posting.post([leg(thandi, sipho, "30.00")], key=key())
    assert not posted.replayed


def test_a_wallet_locked_for_too_long_is_no_key_in_flight(thandi: Person, sipho: Person, app_sql: Sql) -> None:
    fund(thandi, "100.00")
    with beside() as other:
        other.execute("SELECT 1 FROM wallets WHERE id = %s FOR UPDATE", [thandi.wallet.pk])
        app_sql("SET lock_timeout = '200ms'")
        with pytest.raises(DomainError) as caught:
            posting.post([leg(thandi, sipho, "30.00")], key=key())
        other.rollback()
    assert caught.value.code == "temporarily_unavailable"
    posting.post([leg(thandi, sipho, "30.00")], key=key())


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_a_key_in_flight_is_waited_for(thandi: Person, sipho: Person, ending: str) -> None:
    fund(thandi, "100.00")
    under_way, may_end = threading.Event(), threading.Event()
    first: list[Posted] = []

    def begin() -> None:
        try:
            with transaction.atomic():
                first.extend(posting.post([leg(thandi, sipho, "30.00")], key=key()))
                under_way.set()
                assert may_end.wait(10)
                transaction.set_rollback(ending == "rollback")
        finally:
            connections.close_all()

    slow = threading.Thread(target=begin)
    slow.start()
    assert under_way.wait(10)
    threading.Timer(0.3, may_end.set).start()
    [second] = posting.post([leg(thandi, sipho, "30.00")], key=key())
    slow.join()
    assert second.replayed == (ending == "commit")
    assert (second.transfer_id == first[0].transfer_id) == (ending == "commit")
    assert balance(thandi) == Money.parse("70.00")
