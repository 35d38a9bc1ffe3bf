"""Whatever becomes of Redis, nobody is told anything older than what was acknowledged before he asked."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connections, transaction

from mymoolah.common import read_cache
from mymoolah.common.errors import Unavailable
from mymoolah.common.money import Money
from mymoolah.common.read_cache import permission, storage
from mymoolah.common.read_cache.permission import Gate
from tests.api import access_token
from tests.conftest import Person, Sql, answers_kept, balance, fund, person, send
from tests.kept import assert_nothing_is_old, assert_nothing_is_old_within, during, told, without
from tests.valkey import Valkey, own_valkey
from tests.waiting import wait_until
from tests.web import Web, web_server

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ledger")]

BUSY_SECONDS = 2.0  # what a busy machine adds


@pytest.fixture
def valkey(monkeypatch: pytest.MonkeyPatch) -> Iterator[Valkey]:
    """A Redis for kept answers and nothing else."""
    folder = Path(tempfile.mkdtemp(prefix="mm-", dir="/tmp"))
    with own_valkey(folder) as running:
        monkeypatch.setattr(settings, "READ_CACHE_URL", running.cache_url)
        read_cache.store.failed()
        yield running
    read_cache.store.failed()
    shutil.rmtree(folder)


@pytest.fixture
def kept(ledger: object, valkey: Valkey) -> Iterator[None]:
    with answers_kept():
        yield


@pytest.fixture
def web(kept: None, valkey: Valkey) -> Iterator[Web]:
    """Two more processes that keep answers in the same place."""
    named = {"MYMOOLAH_READ_CACHE": "on", "MYMOOLAH_READ_CACHE_URL": valkey.cache_url, "RATELIMIT_ENABLE": "off"}
    with web_server(**named) as running:
        yield running


def shown(web: Web, who: Person) -> str:
    """What a process of the web tells him that he has."""
    answer = web.ask("GET", "dashboard", token=access_token(who.user))
    assert answer.status == 200, answer
    return str(json.loads(answer.body)["summaries"][0]["wallet_balance"])


def is_in_use(who: Person) -> bool:
    return "hit" in during("dashboard", lambda: [told(who, "dashboard") for _ in range(2)])


def row(owner_sql: Sql) -> tuple[int, bool]:
    ((epoch, is_closed),) = owner_sql("SELECT epoch, closed_at IS NOT NULL FROM read_cache")
    return epoch, is_closed


# Over HTTP, with two processes of the web and this one ------------------------------------------------------------------
def test_an_answer_shows_every_transfer_that_was_acknowledged_before_it_was_asked_for(web: Web) -> None:
    """Each pair sends to and fro and looks after each answer, while others look at the same all the time."""
    rounds, pairs = 25, [(person(f"payer{n}"), person(f"payee{n}")) for n in range(3)]
    for payer, _ in pairs:
        fund(payer, "1000.00")
    is_over = threading.Event()

    def look(who: Person) -> Counter[str]:
        seen: Counter[str] = Counter()
        while not is_over.is_set():
            seen[shown(web, who)] += 1
        return seen

    def pay(pair: tuple[Person, Person]) -> list[tuple[str, str]]:
        wrong = []
        (payer, payee), token = pair, access_token(pair[0].user)
        for n in range(1, rounds + 1):
            order = {"to": payee.wallet.number, "amount": "1.00", "currency": "ZAR", "reference": "Lunch"}
            paid = web.ask("POST", "transfers", order, token=token, Idempotency_Key=uuid.uuid4().hex)
            assert paid.status == 201, paid
            found = shown(web, payer), shown(web, payee)
            if found != (f"{1000 - n}.00", f"{n}.00"):
                wrong.append(found)
        return wrong

    with ThreadPoolExecutor(2 * len(pairs)) as readers, ThreadPoolExecutor(len(pairs)) as writers:
        looking = [readers.submit(look, who) for pair in pairs for who in pair]
        try:
            assert [wrong for each in writers.map(pay, pairs) for wrong in each] == []
        finally:
            is_over.set()
        seen = [each.result() for each in looking]
    assert sum(len(one) > rounds / 5 for one in seen) == len(seen)  # they did look in between


@pytest.mark.parametrize("how", ["gone", "hangs"])
def test_what_is_written_while_redis_is_away_is_seen_and_it_heals_by_itself(
    *, how: str, web: Web, valkey: Valkey, thandi: Person, sipho: Person, owner_sql: Sql
) -> None:
    fund(thandi, "100.00")
    for _ in range(6):  # both processes, and this one
        assert shown(web, thandi) == "100.00"
    assert_nothing_is_old([thandi])

    valkey.fail(how)
    began = time.monotonic()
    send(thandi, sipho, "10.00")
    first_took = time.monotonic() - began
    if how == "hangs":
        valkey.recover()  # at once, with all it held
    assert [shown(web, thandi) for _ in range(10)] == ["90.00"] * 10
    assert_nothing_is_old([thandi, sipho])
    assert row(owner_sql)[1]
    assert permission.FRESH_SECONDS <= first_took < permission.FRESH_SECONDS + BUSY_SECONDS

    began = time.monotonic()
    for _ in range(5):  # nobody waits again
        send(thandi, sipho, "1.00")
    assert time.monotonic() - began < 5 * permission.FRESH_SECONDS / 2
    assert [shown(web, thandi) for _ in range(4)] == ["85.00"] * 4

    if how == "gone":
        valkey.recover()
    wait_until(lambda: is_in_use(thandi))
    assert row(owner_sql)[1] is False
    for n in range(1, 6):
        send(thandi, sipho, "1.00")
        assert {shown(web, thandi) for _ in range(4)} == {f"{85 - n}.00"}
        assert_nothing_is_old([thandi, sipho])


def test_while_redis_hangs_a_process_waits_once_and_briefly(
    kept: None, valkey: Valkey, thandi: Person, owner_sql: Sql
) -> None:
    fund(thandi, "100.00")
    assert is_in_use(thandi)
    epoch, _ = row(owner_sql)
    valkey.fail("hangs")
    began = time.monotonic()
    assert during("dashboard", lambda: told(thandi, "dashboard")) == {"error": 1}
    assert storage.PATIENCE_SECONDS <= time.monotonic() - began < storage.PATIENCE_SECONDS + BUSY_SECONDS
    assert during("dashboard", lambda: [told(thandi, "dashboard") for _ in range(9)]) == {"bypass": 9}
    valkey.recover()
    wait_until(lambda: is_in_use(thandi), storage.PAUSE_SECONDS + BUSY_SECONDS)
    assert row(owner_sql) == (epoch, False)  # who only reads closes nothing for others


def test_a_redis_that_forgets_everything_costs_a_computation_and_nothing_else(
    kept: None, valkey: Valkey, thandi: Person, sipho: Person, owner_sql: Sql
) -> None:
    before = row(owner_sql)
    fund(thandi, "100.00")
    for how in ("flushed", "restarted"):
        assert_nothing_is_old([thandi, sipho])
        if how == "flushed":
            storage.client().flushall()
        else:
            valkey.stop()
            valkey.start()
        assert_nothing_is_old([thandi, sipho])
        send(thandi, sipho, "1.00")
        assert_nothing_is_old([thandi, sipho])
    wait_until(lambda: is_in_use(thandi))
    assert row(owner_sql) == before


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru"])
def test_a_full_redis_tells_nobody_anything_old(
    *, policy: str, kept: None, valkey: Valkey, thandi: Person, sipho: Person, owner_sql: Sql
) -> None:
    before = row(owner_sql)
    fund(thandi, "100.00")
    assert_nothing_is_old([thandi, sipho])
    client = storage.client()
    client.config_set("maxmemory-policy", policy)
    client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 200_000)
    with contextlib.suppress(redis.ResponseError):
        for n in range(60):
            client.set(f"ballast:{n}", b"x" * 10_000)
    for _ in range(5):
        send(thandi, sipho, "1.00")
        assert_nothing_is_old([thandi, sipho])
    with contextlib.suppress(redis.ResponseError):
        client.set("ballast", b"x" * 150_000)
    assert_nothing_is_old([thandi, sipho])
    assert row(owner_sql) == before


# Writers that die, or find nobody to tell -------------------------------------------------------------------------------
def test_a_repeat_tells_what_a_writer_who_was_killed_after_his_commit_did_not(
    kept: None, thandi: Person, sipho: Person
) -> None:
    fund(thandi, "100.00")
    assert_nothing_is_old([thandi, sipho])

    def is_killed() -> None:
        raise SystemExit

    def pay() -> None:
        with transaction.atomic():
            transaction.on_commit(is_killed)  # before whoever tells of the commit
            send(thandi, sipho, "10.00", key="lunch")

    with pytest.raises(SystemExit):
        pay()
    assert balance(sipho) == Money.parse("10.00")
    before: Any = told(sipho, "dashboard")
    assert before["summaries"][0]["wallet_balance"] == "0.00"  # which nobody was told of yet

    assert send(thandi, sipho, "10.00", key="lunch").replayed
    assert_nothing_is_old([thandi, sipho])


def test_what_nobody_can_be_told_of_is_not_acknowledged(
    kept: None, valkey: Valkey, thandi: Person, sipho: Person, owner_sql: Sql
) -> None:
    fund(thandi, "100.00")
    assert_nothing_is_old([thandi, sipho])
    owner_sql(f"REVOKE UPDATE (epoch, closed_at, opened_at) ON read_cache FROM {settings.DATABASE_APP_ROLE}")
    valkey.fail("hangs")
    with pytest.raises(Unavailable):
        send(thandi, sipho, "10.00", key="lunch")
    valkey.recover()

    assert send(thandi, sipho, "10.00", key="lunch").replayed
    assert_nothing_is_old([thandi, sipho])
    assert balance(sipho) == Money.parse("10.00")


# The gate -------------------------------------------------------------------------------------------------------------
def test_who_has_closed_it_goes_on_when_nobody_acts_on_having_seen_it_open(kept: None) -> None:
    reader, writer = Gate(), Gate()
    seen: list[float] = []
    assert reader.epoch() is not None
    is_over = threading.Event()

    def read_on() -> None:
        while not is_over.is_set():
            if reader.epoch() is not None:
                seen.append(time.monotonic())
        connections.close_all()

    thread = threading.Thread(target=read_on)
    thread.start()
    try:
        time.sleep(0.5)
        writer.close()
        done_at = time.monotonic()
        time.sleep(0.5)
    finally:
        is_over.set()
        thread.join()
    assert seen
    assert seen[-1] < done_at
    assert writer.is_closed()


def test_many_who_close_it_at_once_wait_together(kept: None, race: Any, owner_sql: Sql) -> None:
    epoch, _ = row(owner_sql)
    gate = Gate()
    began = time.monotonic()
    assert race(8, gate.close) == [None] * 8
    assert permission.FRESH_SECONDS <= time.monotonic() - began < permission.FRESH_SECONDS + BUSY_SECONDS
    assert row(owner_sql) == (epoch + 1, True)


def test_after_an_opening_nobody_reads_before_every_writer_tells_again(kept: None, owner_sql: Sql) -> None:
    early, writer = Gate(), Gate()
    writer.close()
    first = early.epoch()
    owner_sql("UPDATE read_cache SET closed_at = closed_at - interval '10 seconds'")
    writer.ask()
    opener = Gate()
    opener.ask()
    assert (first, opener.may_open) == (None, True)
    assert writer.is_closed()  # it acts on what it saw just now
    opener.open()
    opened_at = time.monotonic()
    newcomer = Gate()  # a process that begins right now
    for gate in (early, opener, newcomer):
        assert gate.epoch() is None
    opens: dict[str, float] = {}

    def all_are_open() -> bool:
        for name, gate in (("early", early), ("opener", opener), ("newcomer", newcomer)):
            if gate.epoch() is not None:
                opens.setdefault(name, time.monotonic() - opened_at)
        return len(opens) == 3

    wait_until(all_are_open)
    assert min(opens.values()) >= permission.SETTLED_SECONDS - 0.1
    assert not writer.is_closed()


def test_a_process_that_keeps_no_answers_closes_the_cache_for_those_that_do(
    web: Web, thandi: Person, sipho: Person, owner_sql: Sql
) -> None:
    fund(thandi, "100.00")
    assert {shown(web, thandi) for _ in range(6)} == {"100.00"}
    with without():
        send(thandi, sipho, "10.00")
    assert row(owner_sql)[1]
    assert {shown(web, thandi) for _ in range(6)} == {"90.00"}


# Which Redis may be used ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "value"),
    [("save", "60 1"), ("appendonly", "yes"), ("replicaof", "127.0.0.1 1"), ("promoted", "127.0.0.1 1")],
    ids=lambda one: one,
)
def test_a_redis_that_could_come_back_with_old_answers_is_not_used(
    name: str, value: str, kept: None, thandi: Person, valkey: Valkey
) -> None:
    client = redis.Redis.from_url(valkey.cache_url)
    if name in {"replicaof", "promoted"}:
        client.replicaof(*value.split())
        if name == "promoted":
            client.replicaof("NO", "ONE")
    else:
        client.config_set(name, value)
    assert not is_in_use(thandi)
    assert read_cache.store.objection == storage.UNSUITABLE
    assert_nothing_is_old_within([thandi])


def test_a_redis_that_does_not_say_what_it_keeps_is_not_used(
    kept: None, thandi: Person, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.Redis.from_url(valkey.cache_url).acl_setuser(
        "shy", enabled=True, passwords=["+x"], keys=["*"], categories=["+@all"], commands=["-config"]
    )
    monkeypatch.setattr(settings, "READ_CACHE_URL", f"unix://shy:x@{valkey.socket}?db=0")
    assert not is_in_use(thandi)
    assert read_cache.store.objection == storage.NOT_SAID
