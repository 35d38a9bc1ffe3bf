"""Query times: written down once each, forgotten in time, and by hour equal to a plain recomputation."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django_redis import get_redis_connection

from mymoolah.common import query_log as recording
from mymoolah.common import sql
from mymoolah.common.clock import now
from reporting import query_log, tasks
from reporting.models import QueryPerformanceHour, QueryPerformanceLog
from tests.conftest import Ledger, Person, Sql
from tests.transactions.legs import beside

pytestmark = pytest.mark.sql

NOON = dt.datetime(2031, 5, 5, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def nothing_waits(ledger: Ledger, settings: Any) -> None:
    settings.QUERY_LOG_SLOW_MS = 1e9  # of this test's own statements
    get_redis_connection("default").delete(recording.KEY)


def tell(*times_ms: float, user_id: int | None = None) -> None:
    rows = [
        {
            "execution_time_ms": time_ms,
            "rows_returned": None,
            "is_sampled": True,
            "is_slow": False,
            "created_at": NOON.isoformat(),
        }
        for time_ms in times_ms
    ]
    recording.Outbox().put(rows, label="GET /api/v1/wallets", user_id=user_id)


def log(
    time_ms: str, at: dt.datetime, *, label: str = "GET /api/v1/wallets", sampled: bool = True, slow: bool = False
) -> QueryPerformanceLog:
    return QueryPerformanceLog.objects.create(
        query_type=label,
        execution_time_ms=Decimal(time_ms),
        rows_returned=None if slow else 3,
        is_sampled=sampled,
        is_slow=slow,
        created_at=at,
    )


# Written down -------------------------------------------------------------------------------------------------------
def test_what_was_told_is_written_down_as_it_was(thandi: Person) -> None:
    tell(1.25, 0.001, user_id=thandi.user.pk)
    tell(7.0, user_id=10**12)  # nobody's id, or no longer
    tasks.write_query_times.apply(throw=True)
    assert list(QueryPerformanceLog.objects.order_by("pk").values_list("execution_time_ms", "user_id")) == [
        (Decimal("1.250"), thandi.user.pk),
        (Decimal("0.001"), thandi.user.pk),
        (Decimal("7.000"), None),
    ]
    row = QueryPerformanceLog.objects.earliest("pk")
    assert (row.query_type, row.rows_returned, row.is_sampled, row.is_slow) == (
        "GET /api/v1/wallets",
        None,
        True,
        False,
    )
    assert row.created_at == NOON
    assert query_log.write_query_times() == 0


def test_four_at_once_write_each_row_once(race: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_log, "ROWS_AT_ONCE", 100)
    for begin in range(0, 3_000, 500):
        tell(*range(begin, begin + 500))
    assert sum(race(4, query_log.write_query_times)) == 3_000
    written = QueryPerformanceLog.objects.values_list("execution_time_ms", flat=True)
    assert sorted(written) == list(range(3_000))


def test_one_run_writes_so_many_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_log, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(query_log, "MOST_WRITTEN", 4)
    tell(*range(7))
    assert [query_log.write_query_times() for _ in range(3)] == [4, 3, 0]


def test_without_a_database_nothing_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(1.0)
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", "nowhere")
        with pytest.raises(OperationalError):
            query_log.write_query_times()
    assert query_log.write_query_times() == 1


def test_beat_writes_every_few_seconds_and_forgets_every_day() -> None:
    entries: Any = settings.CELERY_BEAT_SCHEDULE.values()
    schedule = {entry["task"]: entry["schedule"] for entry in entries}
    assert schedule[tasks.write_query_times.name] <= 60
    assert tasks.forget_query_times.name in schedule


# Forgotten ----------------------------------------------------------------------------------------------------------
def test_whole_hours_that_are_too_old_are_forgotten_and_no_younger_row(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.QUERY_LOG_KEPT_DAYS = 3
    monkeypatch.setattr(query_log, "ROWS_FORGOTTEN_AT_ONCE", 2)
    limit = NOON - 3 * DAY  # the hour that is too old by half goes on until the next run
    ages = (limit, limit + HOUR / 2, limit - HOUR / 60, limit - HOUR, limit - DAY, limit - 99 * DAY, limit - HOUR, NOON)
    for at in ages:
        log("1", at)
    assert query_log.forget_query_times(now=NOON + HOUR / 2) == 5
    kept = QueryPerformanceLog.objects.order_by("created_at").values_list("created_at", flat=True)
    assert list(kept) == [limit, limit + HOUR / 2, NOON]
    assert query_log.forget_query_times(now=NOON + HOUR / 2) == 0


def test_a_second_one_at_once_forgets_nothing(settings: Any) -> None:
    log("1", now() - 99 * DAY)
    with beside() as somebody:
        somebody.execute("SELECT pg_advisory_xact_lock(%s)", [query_log.LOCK_KEY])
        assert query_log.forget_query_times(now=now()) == 0
    tasks.forget_query_times.apply(throw=True)
    assert not QueryPerformanceLog.objects.exists()


# By hour ------------------------------------------------------------------------------------------------------------
def percentile(times: list[Decimal], share: Decimal) -> Decimal | None:
    """Between the two nearest in rank, as far as `share` says (SQL's percentile_cont)."""
    if not times:
        return None
    place = share * (len(times) - 1)
    below, rest = int(place), place - int(place)
    above = min(below + 1, len(times) - 1)
    return (times[below] + (times[above] - times[below]) * rest).quantize(Decimal("0.001"))


def recomputed() -> dict[tuple[str, dt.datetime], dict[str, Any]]:
    hours: dict[tuple[str, dt.datetime], list[QueryPerformanceLog]] = {}
    for row in QueryPerformanceLog.objects.all():
        hour = row.created_at.replace(minute=0, second=0, microsecond=0)
        hours.setdefault((row.query_type, hour), []).append(row)
    found = {}
    for key, rows in hours.items():
        samples = [row for row in rows if row.is_sampled]
        times = sorted(row.execution_time_ms for row in samples)
        found[key] = {
            "samples_count": len(samples),
            **{f"p{share}_ms": percentile(times, Decimal(share) / 100) for share in (50, 95, 99)},
            "slow_count": sum(row.is_slow for row in rows),
            "slowest_ms": max(row.execution_time_ms for row in rows),
            "rows_returned": sum(row.rows_returned or 0 for row in samples),
        }
    return found


def by_hour() -> dict[tuple[str, dt.datetime], dict[str, Any]]:
    rows = QueryPerformanceHour.objects.values()
    return {
        (row.pop("query_type"), row.pop("hour")): {name: value for name, value in row.items() if name != "id"}
        for row in rows
    }


def test_with_nothing_recorded_there_is_no_hour() -> None:
    assert by_hour() == {}


def test_one_of_each_stands_in_one_row() -> None:
    log("5", NOON)
    assert by_hour() == recomputed()
    [row] = QueryPerformanceHour.objects.all()
    assert (row.pk, row.hour) == ("2031-05-05T12Z GET /api/v1/wallets", NOON)
    assert (row.samples_count, row.p50_ms, row.p99_ms, row.slow_count, row.rows_returned) == (1, 5, 5, 0, 3)


def test_labels_by_hours_equal_a_recount() -> None:
    for label in ("GET /api/v1/dashboard", "reporting.take_days", "manage.py verify_ledger"):
        for hours in range(4):
            for number in range(hours * 7):
                at = NOON - hours * HOUR + number * HOUR / 40
                log(str(1 + number * number % 37), at, label=label)
            log("2000", NOON - hours * HOUR, label=label, sampled=hours % 2 == 0, slow=True)
    assert by_hour() == recomputed()
    assert len(by_hour()) == 12


def test_percentiles_are_of_samples_and_no_slower_for_what_is_recorded_because_it_was_slow() -> None:
    for number in range(100):
        log(str(number), NOON)
    for _ in range(50):
        log("5000", NOON, sampled=False, slow=True)
    log("700", NOON + HOUR, sampled=False, slow=True)
    assert by_hour() == recomputed()
    of_noon, of_one = QueryPerformanceHour.objects.order_by("hour")
    assert (of_noon.samples_count, of_noon.p50_ms, of_noon.p95_ms) == (100, Decimal("49.5"), Decimal("94.05"))
    assert (of_noon.slow_count, of_noon.slowest_ms) == (50, 5000)
    assert (of_one.samples_count, of_one.p50_ms, of_one.slow_count) == (0, None, 1)


# Cost ---------------------------------------------------------------------------------------------------------------
@pytest.fixture
def fortnight(owner_sql: Sql) -> None:
    """Fourteen days of twenty labels, which lie in the table in no order of time."""
    owner_sql(
        """
        INSERT INTO query_performance_logs (query_type, execution_time_ms, is_sampled, is_slow, created_at)
        SELECT 'GET /' || mod(n, 20), mod(n, 90), true, false, %s - make_interval(mins => (n * 7919) %% 20160)
        FROM generate_series(1, 60000) AS n
        """,
        NOON,
    )
    owner_sql("ANALYZE query_performance_logs")


def read_rows(plan: dict[str, Any]) -> int:
    """How many rows of the table a plan looks at, thrown away ones too."""
    own = 0
    if plan.get("Relation Name") == "query_performance_logs":
        own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return int(own) + sum(read_rows(part) for part in plan.get("Plans", ()))


def explained(statement: str, values: Any) -> tuple[str, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT json) {statement}", values)
        [(found,)] = cursor.fetchall()
    return json.dumps(found), found[0]["Plan"]


def test_a_label_of_the_last_day_is_found_without_reading_any_other(fortnight: None) -> None:
    asked: QuerySet[QueryPerformanceHour] = QueryPerformanceHour.objects.filter(
        query_type="GET /7", hour__gte=NOON - DAY
    ).order_by("-hour", "-query_type")
    text, plan = explained(*asked.query.sql_with_params())
    assert "ix_query_performance_hour" in text
    assert "Seq Scan" not in text
    assert 0 < read_rows(plan) < 60_000 / 14 / 20 * 1.5


def test_the_last_day_of_all_labels_is_read_and_no_day_before(fortnight: None) -> None:
    text, plan = explained(*QueryPerformanceHour.objects.filter(hour__gte=NOON - DAY).query.sql_with_params())
    assert "ix_query_performance_hour" in text
    assert "Seq Scan" not in text
    assert 0 < read_rows(plan) < 60_000 / 14 * 1.5


def test_what_is_old_is_found_along_the_index(fortnight: None) -> None:
    statement = sql.read("reporting", "queries/forget_query_times.sql")
    text, _ = explained(statement, {"ends_at": NOON - 13 * DAY, "most": 500})
    assert "ix_query_performance_hour" in text
    assert "Seq Scan" not in text
