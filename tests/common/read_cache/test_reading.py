"""What lies in the read cache, when it is asked, and what it costs."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings
from django.db import connections, transaction
from pytest_django import DjangoAssertNumQueries

from accounts import audit
from accounts.services import rename
from mymoolah.common import read_cache
from mymoolah.common.money import Money
from mymoolah.common.read_cache import permission, release, storage
from reporting.selectors import get_dashboard
from tests.api import body_of, calling
from tests.conftest import Person, fund, person, send
from tests.kept import assert_nothing_is_old, during, told, without
from tests.vouchers.stage import new_key
from tests.wallets.test_limits import NARROW, change
from vouchers.models import Voucher
from vouchers.services.issuing import issue_voucher
from wallets import services as wallet_services

pytestmark = pytest.mark.usefixtures("ledger", "kept_answers")


@pytest.mark.parametrize("path", ["dashboard", "wallets", "wallets/{number}", "vouchers"])
def test_a_hit_asks_postgresql_nothing_and_a_miss_what_it_always_did(
    path: str, thandi: Person, sipho: Person, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: Any
) -> None:
    monkeypatch.setattr(permission, "FRESH_SECONDS", 3600.0)
    fund(thandi, "100.00")
    told(sipho, path)  # the permission
    with django_assert_num_queries(1):
        first = told(thandi, path)
    with django_assert_num_queries(0):
        assert told(thandi, path) == first
    fund(thandi, "1.00")
    with django_assert_num_queries(1):
        assert (told(thandi, path) == first) is (path == "vouchers")


def test_a_process_asks_for_its_permission_anew_when_it_is_no_longer_fresh(
    thandi: Person, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(thandi, "dashboard")
    for fresh_seconds, times in ((0.0, 5), (3600.0, 0)):
        monkeypatch.setattr(permission, "FRESH_SECONDS", fresh_seconds)
        with django_assert_num_queries(times) as asked:
            for _ in range(5):
                told(thandi, "dashboard")
        assert all("FROM read_cache" in query["sql"] for query in asked.captured_queries)


def test_a_posting_is_one_statement_with_the_cache_too(
    thandi: Person, sipho: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fund(thandi, "100.00")
    with django_assert_num_queries(1):
        send(thandi, sipho, "10.00")


def test_nothing_in_redis_can_be_read_there(thandi: Person, sipho: Person) -> None:
    fund(thandi, "81236.54")
    send(thandi, sipho, "10.00")
    assert_nothing_is_old([thandi, sipho])
    redis = storage.client()
    reading: dict[Any, Callable[[Any], Any]] = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"list": lambda key: redis.lrange(key, 0, -1),
    }
    keys = list(redis.scan_iter("*"))
    lying = b"".join([*keys, *(repr(reading[redis.type(key)](key)).encode() for key in keys)])
    assert len(lying) > 2_000
    for secret in ("81226.54", "81236", "Sipho", "Lunch", "wallet_balance", "results", thandi.wallet.number):
        assert secret.encode() not in lying
    assert str(thandi.user.public_id).encode() not in lying


def test_what_somebody_moved_in_redis_is_not_believed(thandi: Person, sipho: Person) -> None:
    """Sipho's answer in the place of Thandi's, and her stamp before it."""
    fund(sipho, "500.00")
    hers, his = (told(who, "wallets") for who in (thandi, sipho))
    redis = storage.client()
    places = {who: read_cache._place(read_cache.WALLETS, who.user.public_id, "") for who in (thandi, sipho)}
    keys = {who: place.key for who, place in places.items() if place is not None}
    mine, somebodys = (cast("bytes", redis.get(keys[who])) for who in (thandi, sipho))
    length = 2 * storage.STAMP_BYTES
    redis.set(keys[thandi], mine[:length] + somebodys[length:])
    assert (told(thandi, "wallets"), told(sipho, "wallets")) == (hers, his)


def test_everything_in_redis_ends_and_not_all_at_once(thandi: Person) -> None:
    assert_nothing_is_old([thandi])
    redis = storage.client()
    ends = [redis.pttl(key) / 1000 for key in redis.scan_iter("*") if b"read:" in key or b"stamp:" in key]
    assert len(ends) == len(["user", "names", "limits"]) + 5
    assert all(0 < end <= storage.STAMP_KEPT_SECONDS for end in ends)
    kept = sorted(end for end in ends if end < storage.STAMP_KEPT_SECONDS / 2)
    assert storage.KEPT_SECONDS * 0.85 < kept[0] < kept[-1] < storage.KEPT_SECONDS * 1.1
    assert kept[-1] - kept[0] > 0.01


def test_what_is_too_large_is_not_kept(thandi: Person) -> None:
    for length, outcome in ((storage.LARGEST_BYTES, "hit"), (storage.LARGEST_BYTES + 1, "computation")):
        answer = b"x" * length

        def ask(owner: uuid.UUID, answer: bytes = answer) -> bytes:
            return read_cache.read(read_cache.DASHBOARD, lambda: answer, owner=owner)

        somebody = uuid.uuid4()
        assert ask(somebody) == answer
        assert outcome in during("dashboard", lambda: ask(somebody))  # noqa: B023


@pytest.mark.parametrize("name", ["api.py", "sql/queries/wallets_of.sql"])
def test_a_release_is_every_line_of_code_and_sql(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BASE_DIR", tmp_path)
    file = tmp_path / "wallets" / name
    file.parent.mkdir(parents=True)
    seen = set()
    for line in ("one", "another"):
        file.write_text(line)
        seen.add(release.fingerprint.__wrapped__())
    assert len(seen) == 2


def test_another_release_never_sees_what_this_one_kept(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    told(thandi, "dashboard")
    assert during("dashboard", lambda: told(thandi, "dashboard")) == {"hit": 1}
    monkeypatch.setattr(storage, "fingerprint", lambda: "another")
    assert during("dashboard", lambda: told(thandi, "dashboard")) == {"miss": 1, "computation": 1}


def test_a_name_that_changes_changes_what_others_are_shown(thandi: Person) -> None:
    sipho = person("siphiwe", tier=0)  # whose name no document has confirmed
    fund(thandi, "100.00")
    send(thandi, sipho, "10.00")
    before: Any = told(thandi, "dashboard")
    assert before["recent_transactions"][0]["counterparty"]["name"] == "Siphiwe M."
    rename(public_id=sipho.user.public_id, first_name="Sipho", last_name=None, origin=audit.SYSTEM)
    after: Any = told(thandi, "dashboard")
    assert after["recent_transactions"][0]["counterparty"]["name"] == "Sipho M."


def test_limits_that_change_change_what_everybody_is_told_may_be_sent(thandi: Person, sipho: Person) -> None:
    assert_nothing_is_old([thandi, sipho])
    change()
    assert_nothing_is_old([thandi, sipho])
    wallets: Any = told(sipho, "wallets")
    assert wallets["results"][0]["limits"]["left_today"] == f"{NARROW.per_day_amount:.2f}"


def test_freezing_and_a_second_wallet_are_seen_at_once(thandi: Person) -> None:
    assert_nothing_is_old([thandi])
    wallet_services.open_wallet(user=thandi.user, currency="USD")
    assert_nothing_is_old([thandi])
    wallet_services.freeze_wallet(
        number=thandi.wallet.number, user_public_id=thandi.user.public_id, origin=audit.SYSTEM
    )
    assert_nothing_is_old([thandi])
    told_of: Any = told(thandi, "dashboard")
    assert [summary["wallet_status"] for summary in told_of["summaries"]] == ["frozen", "active"]


def test_each_of_two_wallets_is_told_as_itself(thandi: Person) -> None:
    fund(thandi, "100.00")
    dollars = wallet_services.open_wallet(user=thandi.user, currency="USD")
    for _ in range(2):
        rand: Any = told(thandi, "wallets/{number}")
        other: Any = told(Person(user=thandi.user, wallet=dollars), "wallets/{number}")
        assert (rand["balance"], rand["currency"]) == ("100.00", "ZAR")
        assert (other["balance"], other["currency"]) == ("0.00", "USD")


def test_what_is_left_of_the_day_is_never_yesterdays(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = dt.datetime(2030, 5, 5, 22, tzinfo=dt.UTC)  # in Johannesburg

    def at(seconds: float) -> None:
        monkeypatch.setattr(read_cache, "now", lambda: midnight + dt.timedelta(seconds=seconds))

    for seconds, expected in (
        (-60, {"miss": 1, "computation": 1}),
        (-60, {"hit": 1}),
        (-4, {"bypass": 1}),  # PostgreSQL's clock may have a new day already
        (4, {"bypass": 1}),  # or the old one still
        (60, {"miss": 1, "computation": 1}),
        (60, {"hit": 1}),
    ):
        at(seconds)
        assert during("wallets", lambda: told(thandi, "wallets")) == expected, seconds


def test_a_refusal_is_kept_by_nobody(thandi: Person, sipho: Person) -> None:
    def ask() -> None:
        assert calling(thandi).get(f"wallets/{sipho.wallet.number}").status_code == 404

    for _ in range(2):
        assert during("wallets", ask) == {"miss": 1, "computation": 1}
    assert list(storage.client().scan_iter("lease:*")) == []


def test_only_the_first_page_of_vouchers_is_kept(thandi: Person) -> None:
    fund(thandi, "100.00")
    for _ in range(3):
        issue_voucher(
            user_public_id=thandi.user.public_id,
            voucher_type=Voucher.Type.STANDARD,
            amount=Money.parse("5.00"),
            key=new_key(),
            now=dt.datetime.now(dt.UTC),
        )
    pages: list[Any] = []
    for expected in ({"miss": 1, "computation": 1}, {"hit": 1}):
        assert during("vouchers", lambda: pages.append(body_of(calling(thandi).get("vouchers", limit=2)))) == expected
    assert pages[0]["results"] == pages[1]["results"]
    assert (len(pages[0]["results"]), pages[0]["previous"]) == (2, None)
    rest: list[Any] = []
    assert during("vouchers", lambda: rest.append(body_of(calling(thandi).follow(pages[1]["next"])))) == {}
    assert len(rest[0]["results"]) == 1


@pytest.mark.parametrize("path", ["dashboard", "wallets", "wallets/{number}"])
def test_a_tag_says_the_same_with_the_cache_and_without(path: str, thandi: Person) -> None:
    fund(thandi, "100.00")
    path = path.format(number=thandi.wallet.number)
    with without():
        live = calling(thandi).get(path)
    first, kept = (calling(thandi).get(path) for _ in range(2))
    assert live["ETag"] == first["ETag"] == kept["ETag"]
    assert sorted(live.headers) == sorted(kept.headers)
    caller = calling(thandi)
    caller.client.defaults["HTTP_IF_NONE_MATCH"] = live["ETag"]
    assert caller.get(path).status_code == 304
    fund(thandi, "1.00")
    assert caller.get(path).status_code == 200


def test_a_family_can_be_left_out(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "READ_CACHE_FAMILIES", ["dashboard"])
    for _ in range(2):
        assert during("wallets", lambda: told(thandi, "wallets")) == {"bypass": 1}
    told(thandi, "dashboard")
    assert during("dashboard", lambda: told(thandi, "dashboard")) == {"hit": 1}


# Stampedes ------------------------------------------------------------------------------------------------------------
def many_at_once(times: int, compute: Callable[[], bytes], owner: uuid.UUID) -> list[bytes]:
    barrier = threading.Barrier(times)

    def one(_: int) -> bytes:
        barrier.wait(timeout=30)
        try:
            return read_cache.read(read_cache.DASHBOARD, compute, owner=owner)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_of_many_who_ask_for_one_thing_at_once_one_computes_it(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "FRESH_SECONDS", 3600.0)
    monkeypatch.setattr(read_cache, "POLLED_SECONDS", 30.0)
    told(thandi, "wallets")  # the permission
    computed: list[float] = []

    def slow() -> bytes:
        computed.append(time.monotonic())
        time.sleep(0.05)
        return b"answer"

    assert many_at_once(12, slow, thandi.user.public_id) == [b"answer"] * 12
    assert len(computed) == 1


def test_nobody_waits_long_for_who_died_over_it(thandi: Person) -> None:
    told(thandi, "wallets")
    computed: list[float] = []

    def dies() -> bytes:
        raise SystemExit  # as a killed process, it takes nothing back

    with pytest.raises(SystemExit):
        read_cache.read(read_cache.DASHBOARD, dies, owner=thandi.user.public_id)

    def well() -> bytes:
        computed.append(time.monotonic())
        return b"answer"

    began = time.monotonic()
    assert read_cache.read(read_cache.DASHBOARD, well, owner=thandi.user.public_id) == b"answer"
    assert time.monotonic() - began < storage.LEASE_MS / 1000
    assert read_cache.read(read_cache.DASHBOARD, well, owner=thandi.user.public_id) == b"answer"
    assert len(computed) == 1


# The race -------------------------------------------------------------------------------------------------------------
def test_what_was_read_before_a_commit_and_stored_after_it_is_good_for_nobody(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    told(sipho, "dashboard")  # the permission
    has_read, may_store = threading.Event(), threading.Event()

    def slow() -> bytes:
        text = get_dashboard(user_public_id=thandi.user.public_id).encode()
        has_read.set()
        assert may_store.wait(timeout=30)
        return text

    def ask() -> bytes:
        try:
            return read_cache.read(read_cache.DASHBOARD, slow, owner=thandi.user.public_id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(ask)
        assert has_read.wait(timeout=30)
        send(thandi, sipho, "40.00")
        may_store.set()
        assert json.loads(old.result())["summaries"][0]["wallet_balance"] == "100.00"  # he had asked before
    after: Any = told(thandi, "dashboard")
    assert after["summaries"][0]["wallet_balance"] == "60.00"


def test_a_reader_in_a_transaction_asks_postgresql(thandi: Person) -> None:
    def ask() -> None:
        with transaction.atomic():
            told(thandi, "dashboard")

    told(thandi, "dashboard")
    assert during("dashboard", ask) == {"bypass": 1}
