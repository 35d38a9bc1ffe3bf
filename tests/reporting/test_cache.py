"""The read cache's instruments: what the command, the page and the metrics say of it, and warming it."""

from __future__ import annotations

import json
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.audit import SYSTEM
from accounts.models import User
from accounts.sessions import start_session
from mymoolah.common import read_cache, sql
from mymoolah.common.clock import now
from mymoolah.common.metrics import READ_CACHE
from mymoolah.common.read_cache import storage
from reporting import warming
from reporting.cache_report import report
from reporting.gauges import gauges
from tests.conftest import Person, Sql, fund, person, send
from tests.kept import assert_nothing_is_old, during, told, without


def stats() -> dict[str, Any]:
    out = StringIO()
    call_command("cache_stats", "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", ()) for node in nodes(part))]


# What is said of it ---------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("kept_answers")
def test_the_command_says_that_it_is_in_use_and_what_redis_holds(thandi: Person) -> None:
    assert_nothing_is_old([thandi])
    found = stats()
    assert (found["is_on"], found["is_open"], found["objection"], found["closed_at"]) == (True, True, None, None)
    assert found["families"].keys() == {"dashboard", "wallets", "vouchers"}
    assert found["memory"]["keys"] >= 5
    assert found["memory"]["used_bytes"] > 100_000


@pytest.mark.usefixtures("kept_answers")
def test_it_says_why_nobody_uses_it(owner_sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> str:
        out = StringIO()
        call_command("cache_stats", stdout=out)
        return out.getvalue().partition("\n")[0]

    assert said() == "The read cache is in use."
    owner_sql("UPDATE read_cache SET closed_at = now()")
    assert "closed: a writer could not tell Redis" in said()
    monkeypatch.setattr(settings, "READ_CACHE_URL", "unix:///nowhere/redis.sock?db=0")
    assert said() == "The read cache is not used: Redis does not answer."
    assert stats()["memory"] is None
    with without():
        assert "switched off" in said()


@pytest.mark.usefixtures("kept_answers")
def test_what_was_counted_is_added_up_of_all_processes_of_the_folder(
    thandi: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "METRICS_DIR", tmp_path / "nobody")
    assert stats()["families"]["dashboard"]["hits"] == 0
    counted = report([*READ_CACHE.collect()])
    told(thandi, "dashboard")
    told(thandi, "dashboard")
    again = report([*READ_CACHE.collect()])
    before, after = (found.families[0] for found in (counted, again))
    assert after.counts["hit"] >= before.counts["hit"] + 1
    assert after.hit_share is not None
    assert 0 < after.hit_share <= 1


def test_metrics_tell_whether_it_is_out_of_use(ledger: object, kept_answers: None, owner_sql: Sql) -> None:
    def told_of(name: str) -> float:
        return next(float(one.samples[0].value) for one in gauges(at=now()) if one.name == name)

    assert told_of("mymoolah_read_cache_is_out_of_use") == 0
    assert told_of("mymoolah_read_cache_memory_bytes") > 100_000
    owner_sql("UPDATE read_cache SET closed_at = now()")
    assert told_of("mymoolah_read_cache_is_out_of_use") == 1


# Warming --------------------------------------------------------------------------------------------------------------
def uses_the_app(who: Person) -> None:
    start_session(user=who.user, device="phone", now=now(), origin=SYSTEM)


@pytest.fixture
def crowd(ledger: object, kept_answers: None) -> list[Person]:
    """The last of them has used the app last; one is suspended."""
    people = [person(f"person{n}") for n in range(7)]
    for who in people:
        fund(who, "10.00")
        uses_the_app(who)
    User.objects.filter(pk=people[2].user.pk).update(status="suspended")
    return people


def test_dashboards_of_who_used_the_app_last_are_kept_before_they_ask(crowd: list[Person]) -> None:
    assert warming.warm_dashboards(most=3) == warming.Warmed(looked_at=3, kept=3)
    for who, was_kept in zip(reversed(crowd), [True, True, True, False], strict=False):
        assert during("dashboard", lambda: told(who, "dashboard")).get("hit", 0) == was_kept  # noqa: B023
    assert_nothing_is_old(crowd)


def test_one_statement_reads_a_batch_and_nothing_is_read_twice(crowd: list[Person]) -> None:
    told(crowd[0], "wallets")  # the permission
    with CaptureQueriesContext(connection) as asked:
        first = warming.warm_dashboards(most=100)
    assert (first.looked_at, first.kept) == (6, 6)
    assert sum("customer_dashboard" in query["sql"] for query in asked.captured_queries) == 1
    assert warming.warm_dashboards(most=100) == warming.Warmed(looked_at=6, kept=0)
    send(crowd[0], crowd[1], "1.00")
    assert warming.warm_dashboards(most=100) == warming.Warmed(looked_at=6, kept=2)
    assert_nothing_is_old(crowd)


def test_batches_go_on_where_the_last_one_ended(crowd: list[Person], monkeypatch: pytest.MonkeyPatch) -> None:
    uses_the_app(crowd[0])  # on a second device
    monkeypatch.setattr(warming, "BATCH", 2)
    assert warming.warm_dashboards(most=100) == warming.Warmed(looked_at=6, kept=6)


def test_who_warms_goes_on_once_redis_is_back(crowd: list[Person]) -> None:
    read_cache.store.failed()
    assert warming.warm_dashboards(most=100) == warming.Warmed(looked_at=6, kept=0)
    read_cache.store.breaker._shut_until = time.monotonic()  # the pause is over
    assert warming.warm_dashboards(most=100) == warming.Warmed(looked_at=6, kept=6)


def test_the_command_says_how_many_and_does_nothing_while_the_cache_is_closed(
    crowd: list[Person], owner_sql: Sql
) -> None:
    def warmed(*options: str) -> Any:
        out = StringIO()
        call_command("warm_cache", "--json", *options, stdout=out)
        return json.loads(out.getvalue())

    assert warmed("--customers", "2") == {"looked_at": 2, "kept": 2}
    owner_sql("UPDATE read_cache SET closed_at = now(), epoch = epoch + 1")
    read_cache.gate._known = None  # a second later
    storage.client().flushdb()
    assert warmed() == {"looked_at": 6, "kept": 0}
    with pytest.raises(CommandError, match="at least 1"):
        call_command("warm_cache", "--customers", "0")


def test_the_last_to_use_the_app_are_found_along_an_index(ledger: object, owner_sql: Sql) -> None:
    owner_sql(
        """
        INSERT INTO login_sessions (public_id, user_id, device, token_digest, rotated_at, created_at, last_used_at, expires_at)
        SELECT gen_random_uuid(), %s, '', '\\x00', now(), now(), now(), now() + n * interval '1 second'
        FROM generate_series(1, 20000) AS n
        """,
        person("thandi").user.pk,
    )
    owner_sql("ANALYZE login_sessions")
    statement = sql.read("reporting", "queries/last_active_customers.sql")
    values = {"last_at": warming.FAR, "last_id": 0, "most": warming.BATCH}
    ((plan,),) = owner_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", **values)
    assert "ix_login_sessions_expiry" in json.dumps(plan)
    assert not any(
        node["Node Type"] == "Seq Scan" and node["Relation Name"] == "login_sessions" for node in nodes(plan[0]["Plan"])
    )
