"""The kernel when many come at once, and when somebody is killed half-way."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections, transaction

from mymoolah.common.money import Money
from mymoolah.common.retries import with_retries
from tests.conftest import ADMIN_URL, Ledger, Person, Sql, balance, fund, send
from tests.transactions.legs import beside, key, leg
from transactions import posting
from transactions.models import IdempotencyKey as StoredKey
from transactions.models import Transfer
from transactions.posting import (
    InsufficientFunds,
    Posted,
)

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]


# At once ------------------------------------------------------------------------------------------------------------
def test_twenty_sends_at_once_of_a_hundred_from_a_thousand_let_ten_through(
    thandi: Person, sipho: Person, race: Race
) -> None:
    fund(thandi, "1000.00")
    answers = race(20, lambda: send(thandi, sipho, "100.00"))
    assert Counter(type(answer) for answer in answers) == {Posted: 10, InsufficientFunds: 10}
    assert (balance(thandi), balance(sipho)) == (Money.parse("0.00"), Money.parse("1000.00"))


def test_twenty_sends_at_once_with_one_key_move_the_money_once(thandi: Person, sipho: Person, race: Race) -> None:
    fund(thandi, "1000.00")
    answers = race(20, lambda: send(thandi, sipho, "100.00", key="one"))
    assert len({answer.transfer_id for answer in answers}) == 1
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 19}
    assert len({replace(answer, replayed=False) for answer in answers}) == 1
    assert balance(thandi) == Money.parse("900.00")


def test_money_that_crosses_in_opposite_directions_never_locks_up(thandi: Person, sipho: Person, race: Race) -> None:
    fund(thandi, "1000.00")
    fund(sipho, "1000.00")
    turns = iter([(thandi, sipho), (sipho, thandi)] * 4)

    def back_and_forth() -> int:
        payer, payee = next(turns)
        for _ in range(10):
            posting.post([leg(payer, payee, "7.00")])
        return 10

    assert race(8, back_and_forth) == [10] * 8
    assert (balance(thandi), balance(sipho)) == (Money.parse("1000.00"), Money.parse("1000.00"))


def test_groups_over_the_same_wallets_in_any_order_never_lock_up(
    thandi: Person, sipho: Person, naledi: Person, race: Race
) -> None:
    people = (thandi, sipho, naledi)
    for who in people:
        fund(who, "1000.00")
    turns = iter(range(8))

    def go_round() -> int:
        turn = next(turns)
        first, second, third = (people[(turn + step) % 3] for step in range(3))
        for _ in range(5):
            posting.post([leg(first, second, "1.00"), leg(second, third, "1.00"), leg(third, first, "1.00")])
        return 5

    assert race(8, go_round) == [5] * 8
    assert {balance(who) for who in people} == {Money.parse("1000.00")}


# Killed half-way ----------------------------------------------------------------------------------------------------
def test_a_connection_killed_before_commit_leaves_nothing_half_done(
    thandi: Person, sipho: Person, app_sql: Sql
) -> None:
    if ADMIN_URL not in os.environ:
        pytest.skip(f"{ADMIN_URL} is not set")
    fund(thandi, "100.00")

    def post_and_die() -> None:
        with transaction.atomic():
            posting.post([leg(thandi, sipho, "30.00")], key=key())
            [(pid,)] = app_sql("SELECT pg_backend_pid()")
            with psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    with pytest.raises(OperationalError):
        post_and_die()
    connections.close_all()

    assert (balance(thandi), balance(sipho)) == (Money.parse("100.00"), Money.parse("0.00"))
    assert not Transfer.objects.filter(kind="transfer").exists()
    for replayed in (False, True):
        [posted] = posting.post([leg(thandi, sipho, "30.00")], key=key())
        assert posted.replayed is replayed
    assert balance(thandi) == Money.parse("70.00")


def test_a_posting_killed_while_it_waits_leaves_nothing_half_done(thandi: Person, sipho: Person) -> None:
    if ADMIN_URL not in os.environ:
        pytest.skip(f"{ADMIN_URL} is not set")
    fund(thandi, "100.00")
    answers: list[Any] = []

    def post() -> None:
        try:
            answers.extend(posting.post([leg(thandi, sipho, "30.00")], key=key()))
        except OperationalError as error:
            answers.append(error)
        finally:
            connections.close_all()

    with beside() as other, psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as admin:
        other.execute("SELECT 1 FROM wallets WHERE id = %s FOR UPDATE", [thandi.wallet.pk])
        waiting = threading.Thread(target=post)
        waiting.start()
        killed = None
        for _ in range(200):
            killed = admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = %s AND wait_event_type = 'Lock'",
                [connections.settings["default"]["NAME"]],
            ).fetchone()
            if killed is not None:
                break
            time.sleep(0.02)
        waiting.join()
        other.rollback()
    assert killed == (True,)
    assert [type(answer) for answer in answers] == [OperationalError]
    assert not StoredKey.objects.exists()
    [posted] = posting.post([leg(thandi, sipho, "30.00")], key=key())
    assert not posted.replayed


def test_a_whole_transaction_is_tried_again_after_a_deadlock(thandi: Person, sipho: Person, race: Race) -> None:
    fund(thandi, "1000.00")
    fund(sipho, "1000.00")
    both_hold_one = threading.Barrier(2)
    turns = iter([(thandi, sipho), (sipho, thandi)])
    tries: list[int] = []

    def across() -> int:
        payer, payee = next(turns)
        ids = [payer.wallet.pk, payee.wallet.pk]

        def work() -> int:
            tries.append(1)
            with transaction.atomic(), connections["default"].cursor() as cursor:
                cursor.execute("SELECT 1 FROM wallets WHERE id = %s FOR NO KEY UPDATE", [ids[0]])
                if len(tries) <= 2:
                    both_hold_one.wait(10)
                cursor.execute("SELECT 1 FROM wallets WHERE id = %s FOR NO KEY UPDATE", [ids[1]])
                posting.post([leg(payer, payee, "1.00")])
            return 1

        return with_retries(work)

    assert race(2, across) == [1, 1]
    assert len(tries) == 3
    assert (balance(thandi), balance(sipho)) == (Money.parse("1000.00"), Money.parse("1000.00"))


def test_a_deadlock_inside_the_kernel_is_tried_again_from_the_start(
    ledger: Ledger, thandi: Person, sipho: Person, app_sql: Sql
) -> None:
    if ADMIN_URL not in os.environ:
        pytest.skip(f"{ADMIN_URL} is not set")
    fund(thandi, "100.00")
    first, second = sorted([thandi.wallet.pk, sipho.wallet.pk])
    answers: list[Any] = []

    def post() -> None:
        try:
            answers.append(send(thandi, sipho, "30.00", key="one"))
        except Exception as error:  # noqa: BLE001 - the test compares it
            answers.append(error)
        finally:
            connections.close_all()

    lock = "SELECT 1 FROM wallets WHERE id = %s FOR UPDATE"
    with psycopg.connect(os.environ[ADMIN_URL], dbname=ledger.name) as other:
        other.execute("SET deadlock_timeout = '60s'")  # so that the kernel is the one to notice, and to give way
        other.execute(lock, [second])
        waiting = threading.Thread(target=post)
        waiting.start()
        for _ in range(200):
            if app_sql("SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'", ledger.name):
                break
            time.sleep(0.02)
        other.execute(lock, [first])
        other.rollback()
    waiting.join()
    assert [type(answer) for answer in answers] == [Posted]
    [(deadlocks,)] = app_sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert deadlocks == 1
    assert balance(thandi) == Money.parse("70.00")
