"""What each section of maintenance finds: with something to tell, and with nothing."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, Permission

from accounts import audit
from accounts.models import LoginSession, User
from mymoolah.common import metrics_folder
from mymoolah.common.clock import now
from reporting.cache_report import FamilyCounts, Report
from reporting.database_health.thresholds import GIB, MIB
from reporting.maintenance import (
    analyzing,
    caches,
    counters,
    database,
    errors,
    growth,
    ledger,
    old_records,
    queries,
    security,
    speed,
)
from reporting.maintenance.findings import Finding, Level, Occasion
from reporting.maintenance.thresholds import FAILED_SIGN_INS_MIN, GROWTH_DAYS_MIN
from reporting.models import (
    BusinessDay,
    BusinessDayRefusal,
    DashboardRefresh,
    LedgerVerification,
    QueryPerformanceLog,
    TableSize,
)
from tests.accounts.test_second_factor import enrol
from tests.back_office.house import PASSWORD, colleague, emergency
from tests.conftest import Ledger, Person, Sql, fund, send
from tests.conftest import refused as sqlstate_refused
from tests.reporting.test_db_health import beside
from tests.test_metrics import broker  # noqa: F401 - a fixture
from tests.valkey import Valkey
from transactions.models import Transfer
from vouchers.models import TillEvent

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

NOON = dt.datetime(2031, 5, 7, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TODAY = dt.date(2031, 5, 7)


def by_title(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {one.title: one for one in findings}


def levels(findings: Iterable[Finding]) -> dict[str, str]:
    return {one.title: str(one.level) for one in findings}


def at(moment: dt.datetime = NOON, **earlier: Any) -> Occasion:
    """A look at `moment`, after a report of the day before that kept these facts."""
    return Occasion(now=moment, earlier=earlier, earlier_at=moment - DAY if earlier else None)


# Cache --------------------------------------------------------------------------------------------------------------
def info(**changed: Any) -> dict[str, Any]:
    return {
        "run_id": "a",
        "keyspace_hits": 9_000,
        "keyspace_misses": 1_000,
        "evicted_keys": 0,
        "used_memory": 10 * MIB,
        "maxmemory": 100 * MIB,
    } | changed


def test_a_cache_that_does_well_and_one_that_does_not() -> None:
    assert levels(caches.judge(info(), at())) == {"Hits": "ok", "Evictions": "ok", "Memory": "ok"}
    ill = by_title(caches.judge(info(keyspace_hits=100, evicted_keys=3, used_memory=96 * MIB), at()))
    assert levels(ill.values()) == {"Hits": "notice", "Evictions": "notice", "Memory": "warning"}
    assert ill["Hits"].found == "100 of 1,100 reads of a key found it (9.1%), since Redis was started"
    assert levels(caches.judge(info(used_memory=85 * MIB), at()))["Memory"] == "notice"
    assert levels(caches.judge(info(keyspace_hits=0, keyspace_misses=5, maxmemory=0), at()))["Hits"] == "ok", "too few"


def test_the_cache_is_counted_from_the_last_report_unless_redis_was_started_since() -> None:
    before = {"run_id": "a", "keyspace_hits": 8_000, "keyspace_misses": 1_000, "evicted_keys": 0}
    since = by_title(caches.judge(info(), at(Hits=before)))["Hits"]
    assert since.found.startswith("1,000 of 1,000 reads of a key found it (100.0%), since the report of")
    assert since.facts == {**before, "keyspace_hits": 9_000}
    for started in (info(run_id="b"), info(keyspace_hits=1)):
        assert "since Redis was started" in by_title(caches.judge(started, at(Hits=before)))["Hits"].found


def test_the_real_redis_is_asked_and_one_that_is_away_is_a_warning(settings: Any) -> None:
    assert set(levels(caches.look(at()))) >= {"Hits", "Evictions", "Memory", "Read cache"}
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock?db=0"}}
    assert levels(caches.look(at())) == {"Redis": "warning"}


def kept(**changed: Any) -> Report:
    nothing = {"hit": 0, "miss": 0, "bypass": 0, "computation": 0, "error": 0}
    families = [
        FamilyCounts(name="dashboard", is_kept=True, counts=nothing | {"hit": 900, "miss": 100}),
        FamilyCounts(name="wallets", is_kept=True, counts=nothing | {"hit": 100, "miss": 900}),
        FamilyCounts(name="vouchers", is_kept=False, counts=nothing),
    ]
    well: dict[str, Any] = {"is_on": True, "is_closed": False, "epoch": 1, "opened_at": None, "closed_at": None}
    return Report(**well | {"families": tuple(families)} | changed)


def test_the_read_cache_is_worth_a_word_where_it_is_closed_or_keeps_in_vain() -> None:
    found = by_title(caches.kept_answers(kept(), at()))
    assert levels(found.values()) == {
        "Read cache": "ok",
        "Read cache: dashboard": "ok",
        "Read cache: wallets": "notice",
    }
    assert found["Read cache: wallets"].found == (
        "100 of 1,000 answers were kept ones (10.0%), since the processes of this machine began to count"
    )
    assert levels(caches.kept_answers(kept(is_on=False), at()))["Read cache"] == "ok"
    assert levels(caches.kept_answers(kept(is_closed=True), at()))["Read cache"] == "notice"
    assert levels(caches.kept_answers(kept(objection="Redis does not answer"), at()))["Read cache"] == "warning"


def test_hits_of_the_read_cache_are_counted_from_the_last_report() -> None:
    title = "Read cache: wallets"
    first = by_title(caches.kept_answers(kept(), at()))
    later = by_title(caches.kept_answers(kept(), at(NOON, **{title: first[title].facts})))[title]
    assert (later.level, later.found.split(" since the report")[0]) == (Level.OK, "no answer was looked for")


# Database and indexes -----------------------------------------------------------------------------------------------
def test_what_is_critical_for_the_database_is_a_warning_and_what_is_well_is_one_line(owner_sql: Sql) -> None:
    before = list(database.look(at(now())))
    assert [one.level for one in before if one.level == Level.WARNING] == []
    assert before[-1].title == "Well"
    owner_sql("CREATE SEQUENCE nearly_over MAXVALUE 10 START 10")
    owner_sql("GRANT USAGE ON nearly_over TO mymoolah_app")
    owner_sql("SELECT nextval('nearly_over')")
    found = by_title(database.look(at(now())))["Sequences: nearly_over"]
    assert (found.level, found.advice.split()[0]) == (Level.WARNING, "Plan")


def test_the_index_report_names_an_index_that_is_not_whole(owner_sql: Sql) -> None:
    assert levels(database.look_at_indexes(at(now()))) == {"Well": "ok"}
    owner_sql("CREATE TABLE shelf (a int)")
    owner_sql("INSERT INTO shelf VALUES (1), (1)")
    with beside() as owner:
        owner.autocommit = True
        with pytest.raises(psycopg.errors.UniqueViolation):
            owner.execute("CREATE UNIQUE INDEX CONCURRENTLY uq_shelf_a ON shelf (a)")
    found = by_title(database.look_at_indexes(at(now())))
    assert found["Invalid indexes: uq_shelf_a"].level == Level.WARNING
    assert found["Well"].found.startswith("2 checks of 3")


def test_statements_are_told_also_where_all_is_well_and_without_a_value(thandi: Person, app_sql: Sql) -> None:
    app_sql("SELECT pg_sleep(0.3), 'thandi@example.com' AS who")
    told = list(database.look_at_statements(at(now())))
    assert told
    assert not any("thandi" in one.found for one in told)


# Errors -------------------------------------------------------------------------------------------------------------
COUNTING = """
from pathlib import Path
from mymoolah.common import metrics_folder
metrics_folder.share(Path({folder!r}), program="web")
from mymoolah.common.metrics import REQUESTS, TASKS
REQUESTS.labels("/", "GET", "200").inc(1997)
REQUESTS.labels("/a", "GET", "500").inc(2)
REQUESTS.labels("/b", "GET", "500").inc(1)
TASKS.labels("reporting.take_days", "success").inc(5)
TASKS.labels("reporting.take_days", "failure").inc(2)
"""


def test_what_processes_have_counted_is_read_without_being_one_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    assert metrics_folder.counted_in(folder) == []
    subprocess.run(
        [sys.executable, "-c", COUNTING.format(folder=str(folder))], check=True, cwd=django_settings.BASE_DIR
    )
    counted = metrics_folder.counted_in(folder)
    assert counters.totals(counted, errors.REQUESTS, "status") == {"200": 1_997, "500": 3}
    tasks = counters.totals(counted, errors.TASKS, "outcome", "task")
    assert tasks == {"success reporting.take_days": 5, "failure reporting.take_days": 2}


def test_failed_requests_are_told_by_status_and_many_are_a_warning() -> None:
    well = errors.failed_requests({"200": 10, "404": 5}, at())
    assert (well.level, well.found) == (
        Level.OK,
        "none of 15 requests since the processes of this machine began to count",
    )
    few = errors.failed_requests({"200": 9_998, "500": 1, "503": 1}, at())
    assert few.level == Level.NOTICE
    assert few.found.startswith("2 of 10,000 requests (0.02%)")
    assert few.found.endswith(": 500: 1, 503: 1")
    assert errors.failed_requests({"200": 999, "500": 1}, at()).level == Level.WARNING
    assert errors.failed_requests({}, at()).found.startswith("no request was counted")


def test_each_report_counts_from_the_last_one_and_anew_after_a_restart() -> None:
    kept = {"Failed requests": {"totals": {"200": 900, "500": 3}}}
    assert errors.failed_requests({"200": 1_000, "500": 3}, at(NOON, **kept)).found.startswith(
        "none of 100 requests since the report"
    )
    restarted = errors.failed_requests({"200": 50, "500": 1}, at(NOON, **kept))
    assert restarted.found.startswith("1 of 51 requests (1.96%) since the processes of this machine began")
    assert restarted.facts == {"totals": {"200": 50, "500": 1}}


def test_a_task_that_failed_is_a_warning_that_names_it() -> None:
    well = errors.failed_tasks({"success a": 4, "retry a": 1}, at())
    assert (well.level, well.found.split(" since")[0]) == (Level.OK, "none of 5 tasks")
    found = errors.failed_tasks({"success a": 4, "failure b": 2}, at())
    assert (found.level, found.found.split(" since")[0], found.found[-3:]) == (Level.WARNING, "2 of 6 tasks", "b 2")


def refused(day: dt.date, code: str, count: int) -> None:
    known = dict.fromkeys(
        ("active_customers", "kyc_submitted", "kyc_approved", "kyc_rejected", "kyc_waiting", "set_aside"), 0
    )
    BusinessDay.objects.get_or_create(day=day, defaults={"taken_at": NOON, "is_closed": True, **known})
    BusinessDayRefusal.objects.create(day_id=day, code=code, count=count)


def test_payments_refused_far_more_often_than_in_the_week_before_are_told() -> None:
    assert levels(errors.refused_payments(at())) == {"Refused payments": "ok"}
    for back in range(2, 9):
        refused(TODAY - back * DAY, "insufficient_funds", 40)
        refused(TODAY - back * DAY, "limit_exceeded", 90)
    refused(TODAY - 9 * DAY, "insufficient_funds", 9_000)  # before that week
    refused(TODAY - DAY, "insufficient_funds", 120)
    refused(TODAY - DAY, "limit_exceeded", 100)
    refused(TODAY - DAY, "wallet_frozen", 99)  # never before, and few
    refused(TODAY, "wallet_closed", 5_000)  # the day is not over
    found = by_title(errors.refused_payments(at()))
    assert levels(found.values()) == {"Refused payments: insufficient_funds": "notice", "Refused payments": "ok"}
    assert "120 on 2031-05-06, where 40 a day" in found["Refused payments: insufficient_funds"].found
    assert found["Refused payments"].found == (
        "2031-05-06: insufficient_funds 120, limit_exceeded 100, wallet_frozen 99"
    )


def test_sign_ins_that_fail_more_often_than_they_succeed_are_told() -> None:
    def happened(verb: str, times: int) -> None:
        for _ in range(times):
            audit.record(verb, subject_type="user", subject_id="")

    happened("sign_in.failed", FAILED_SIGN_INS_MIN)
    happened("session.started", FAILED_SIGN_INS_MIN + 1)
    soon = at(now() + dt.timedelta(minutes=1))
    assert levels(errors.sign_ins(soon)) == {"Sign-in": "ok"}
    happened("sign_in.failed", 1)
    happened("sign_in.locked", 1)
    [found] = errors.sign_ins(soon)
    assert (found.level, found.found) == (
        Level.NOTICE,
        "51 tries failed, 51 succeeded, 1 ended in a lock; 0 pages refused; in 24 hours",
    )
    assert levels(errors.sign_ins(at(now() + 2 * DAY))) == {"Sign-in": "ok"}


def test_a_report_of_a_till_that_waits_is_a_warning(ledger: Ledger) -> None:
    TillEvent.objects.create(
        provider="easypay",
        provider_reference="REF-1",
        body=b"{}",
        body_sha256=b"d" * 32,
        easypay_number="95063123456785",
        amount=Decimal(60),
        currency="ZAR",
        paid_at=NOON,
    )
    assert levels(errors.till_events(at(now()))) == {"Reports of tills": "ok"}
    assert levels(errors.till_events(at(now() + dt.timedelta(hours=2)))) == {"Reports of tills": "warning"}


# Ledger -------------------------------------------------------------------------------------------------------------
def run_of(moment: dt.datetime, *, broken: tuple[str, ...] = (), since: dt.datetime | None = None) -> None:
    LedgerVerification.objects.create(
        finished_at=moment, duration_ms=1_500, checks_count=28, broken=list(broken), changes_since=since
    )


def test_a_day_without_a_verification_gets_one_and_says_so(thandi: Person) -> None:
    fund(thandi, "100.00")
    found = by_title(ledger.look_at_changes(at()))
    assert levels(found.values()) == {"Hourly verification": "notice", "Today": "ok"}
    first = LedgerVerification.objects.get(finished_at__gte=NOON, broken=[])
    assert first.changes_since is None, "nothing had ever been verified"
    assert levels(ledger.look_at_changes(at())) == {"Today": "ok"}, "now there is one"
    assert LedgerVerification.objects.count() == 1
    assert "Hourly verification" in levels(ledger.look_at_changes(at(NOON + DAY)))
    assert LedgerVerification.objects.latest("finished_at").changes_since == first.snapshot_at


def test_a_run_of_today_that_was_broken_is_a_warning_although_a_later_one_held() -> None:
    run_of(NOON - 2 * DAY, broken=("08_currencies",))
    run_of(NOON - dt.timedelta(hours=1), since=NOON - DAY)
    [well] = ledger.look_at_changes(at())
    assert (well.level, well.found.split(",")[0]) == (Level.OK, "holds: 1 run since midnight")
    run_of(NOON - dt.timedelta(hours=3), broken=("08_currencies",), since=NOON - DAY)
    [found] = ledger.look_at_changes(at())
    assert (found.level, found.found) == (Level.WARNING, "broken: 08_currencies")


def test_the_run_over_everything_must_be_of_this_week_and_hold() -> None:
    run_of(NOON, since=NOON - DAY)  # of changes alone
    assert by_title(ledger.look_at_everything(at()))["Everything"].found == "no run has ever looked at everything"
    for run, level in (
        (NOON - 9 * DAY, Level.WARNING),
        (NOON - 3 * DAY, Level.OK),
    ):
        run_of(run)
        [found] = ledger.look_at_everything(at())
        assert (found.level, found.found[:20]) == (level, "holds, all 28 checks")
    run_of(NOON - DAY, broken=("08_currencies",))
    [found] = ledger.look_at_everything(at())
    assert (found.level, "broken: 08_currencies" in found.found) == (Level.WARNING, True)


# Query times --------------------------------------------------------------------------------------------------------
def logged(label: str, time_ms: str, *, ago: dt.timedelta, times: int, slow: bool = False) -> None:
    QueryPerformanceLog.objects.bulk_create(
        QueryPerformanceLog(
            query_type=label,
            execution_time_ms=Decimal(time_ms),
            rows_returned=1,
            is_sampled=not slow,
            is_slow=slow,
            created_at=NOON - ago,
        )
        for _ in range(times)
    )


def test_what_has_grown_slower_since_last_week_comes_first() -> None:
    assert levels(queries.look(at())) == {"Nothing": "notice"}
    this, last = DAY, 8 * DAY
    for label, before, after, times in (
        ("GET /grew", "8", "20", 100),
        ("GET /as-ever", "8", "9", 100),
        ("GET /of-few", "8", "20", 99),
        ("GET /tiny", "0.1", "4", 100),
    ):
        logged(label, before, ago=last, times=100)
        logged(label, after, ago=this, times=times)
    logged("GET /as-ever", "0.1", ago=15 * DAY, times=2_000)
    logged("GET /gone", "8", ago=last, times=100)
    logged("GET /slow", "900", ago=this, times=2, slow=True)
    logged("GET /future", "900", ago=-DAY, times=1)
    found = list(queries.look(at()))
    assert [(one.title, str(one.level)) for one in found[:2]] == [("GET /grew", "notice"), ("GET /slow", "ok")]
    assert levels(found[2:]) == {"GET /as-ever": "ok", "GET /of-few": "ok", "GET /tiny": "ok"}
    assert found[0].found == "p95 was 8.0 ms in the week before and is 20.0 ms now (100 samples)"
    assert found[1].found == "no sample, 2 slow, the slowest 900 ms"


# ANALYZE ------------------------------------------------------------------------------------------------------------
def test_every_table_is_analysed_as_the_app(thandi: Person, admin_sql: Sql) -> None:
    before = admin_sql("SELECT now()")[0][0]
    assert levels(analyzing.look(at())) == {"ANALYZE": "ok"}
    admin_sql("SELECT pg_stat_force_next_flush()")
    left = admin_sql(
        "SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public' AND relname NOT LIKE 'user_dashboard%%'"
        " AND (last_analyze IS NULL OR last_analyze < %s)",
        before,
    )
    assert left == []


def test_a_table_that_somebody_has_locked_is_left_and_told(monkeypatch: pytest.MonkeyPatch, app_sql: Sql) -> None:
    app_sql("SET lock_timeout = '200ms'")  # the role's own five seconds are longer than a test needs
    with beside() as migration:
        migration.execute("LOCK TABLE wallets IN ACCESS EXCLUSIVE MODE")
        found = by_title(analyzing.look(at()))
    app_sql("RESET lock_timeout")
    assert levels(found.values()) == {"wallets": "notice", "ANALYZE": "ok"}
    assert found["wallets"].found == "was not analysed: somebody else has locked it"


def test_what_is_no_matter_of_waiting_fails_the_section(owner_sql: Sql) -> None:
    owner_sql(f"REVOKE EXECUTE ON FUNCTION analyze_table FROM {django_settings.DATABASE_APP_ROLE}")
    with sqlstate_refused("42501"):
        list(analyzing.look(at()))


# Speed --------------------------------------------------------------------------------------------------------------
def test_in_a_bank_without_customers_nothing_is_measured() -> None:
    assert levels(speed.look(at(now()))) == {"Nothing": "ok"}


def test_hot_queries_and_two_histories_are_measured(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    for _ in range(3):
        send(thandi, sipho, "1.00")
    found = by_title(speed.look(at(now())))
    assert set(found) == {"Histories", *speed.MEASURED}
    assert set(levels(found.values()).values()) == {"ok"}
    assert all(found[name].facts["ms"] > 0 and found[name].facts["blocks"] > 0 for name in speed.MEASURED)
    assert "after 4 entries" in found["Histories"].found
    assert "after 3" in found["Histories"].found


def test_in_a_large_bank_a_plan_that_leaves_its_index_is_a_warning(thandi: Person, admin_sql: Sql) -> None:
    fund(thandi, "100.00")
    admin_sql("UPDATE pg_class SET reltuples = 1000000 WHERE oid = 'transactions'::regclass")
    found = by_title(speed.look(at(now())))
    assert Level.WARNING in {found[name].level for name in speed.MEASURED}


@pytest.mark.parametrize(
    ("before", "faults", "level"),
    [
        ({}, (), Level.OK),
        ({"ms": 4.0, "blocks": 90}, (), Level.OK),
        ({"ms": 2.0, "blocks": 100}, (), Level.NOTICE),
        ({"ms": 5.0, "blocks": 20}, (), Level.NOTICE),
        ({}, ("reads transactions from end to end",), Level.WARNING),
    ],
)
def test_a_query_is_judged_beside_itself_a_month_ago(before: Any, faults: tuple[str, ...], level: Level) -> None:
    found = speed.judge("entries", "a page", {"ms": 5.0, "blocks": 100}, faults=faults, before=before)
    assert (found.level, bool(found.advice)) == (level, level != Level.OK)


def test_a_dashboard_that_costs_more_after_a_long_history_is_told() -> None:
    assert speed.judge_histories(2.9, 1.0, entries=(9_000, 3)).level == Level.OK
    assert speed.judge_histories(3.0, 1.0, entries=(9_000, 3)).level == Level.NOTICE


# Capacity -----------------------------------------------------------------------------------------------------------
def weighed(days: int, *, per_day_bytes: int) -> None:
    TableSize.objects.bulk_create(
        TableSize(
            taken_on=TODAY - back * DAY, table_name=name, bytes=10 * GIB + share * (days - back) * per_day_bytes // 4
        )
        for back in range(days)
        for name, share in (("transactions", 3), ("transfers", 1), ("users", 0))
    )


def test_a_forecast_waits_for_enough_days() -> None:
    [found] = growth.look(at())
    assert (found.level, found.found.split(":")[0]) == (Level.OK, "not enough days yet")
    weighed(GROWTH_DAYS_MIN, per_day_bytes=GIB)
    [found] = growth.look(at())
    assert found.found == "not enough days yet: sizes of 13 days are remembered, 14 are needed"


@pytest.mark.parametrize(
    ("disk_gib", "level", "when"),
    [
        (0, Level.OK, "not known"),
        (20, Level.WARNING, "days"),
        (200, Level.NOTICE, "days"),
        (90_000, Level.OK, "ten years"),
    ],
)
def test_growth_goes_on_as_it_did_and_the_disk_is_full_some_day(
    settings: Any, disk_gib: float, level: Level, when: str
) -> None:
    settings.DATABASE_DISK_GIB = disk_gib
    weighed(30, per_day_bytes=GIB)
    found = by_title(growth.look(at()))
    forecast = found["Forecast"]
    assert (
        "1.0 GiB more each day of the last 29: 91.3 GiB in 3, 182.5 GiB in 6, 365.0 GiB in 12 months" in forecast.found
    )
    assert (found["Disk"].level, when in found["Disk"].found) == (level, True)
    assert list(found) == ["Forecast", "Disk", "transactions", "transfers"], "what does not grow is not named"
    assert found["transactions"].found.endswith("768.0 MiB more each day")


def test_a_bank_that_does_not_grow_fills_no_disk() -> None:
    assert growth.disk(GIB, 0.0, today=TODAY, disk_bytes=2 * GIB).level == Level.OK
    assert growth.disk(3 * GIB, 0.0, today=TODAY, disk_bytes=2 * GIB).level == Level.WARNING


# Security -----------------------------------------------------------------------------------------------------------
def reviewed(moment: dt.datetime | None = None, **earlier: Any) -> dict[str, Finding]:
    return by_title(security.look(at(moment or now(), **earlier)))


def test_colleagues_without_a_second_factor_are_named_and_customers_never(settings: Any, thandi: Person) -> None:
    ada, ben = colleague("administrator"), colleague("operator")
    title = "Without a second factor"
    assert (reviewed()[title].level, reviewed()[title].found) == (Level.NOTICE, f"{ada.email}, {ben.email}")
    settings.STAFF_SECOND_FACTOR = True
    enrol(ada)
    assert (reviewed()[title].level, reviewed()[title].found) == (Level.WARNING, ben.email)
    enrol(ben)
    assert (reviewed()[title].level, reviewed()[title].found) == (Level.OK, "none of 2 colleagues")
    assert not any(thandi.user.email in one.found for one in reviewed().values())


def test_accounts_that_nobody_used_for_ninety_days_are_named() -> None:
    ada, ben = colleague("administrator"), colleague("operator")
    later = now() + 100 * DAY
    User.objects.filter(pk=ada.pk).update(last_login=later - 80 * DAY)
    found = reviewed(later)["Idle for 90 days"]
    assert (found.level, found.found) == (Level.NOTICE, ben.email)
    User.objects.filter(pk=ben.pk).update(status=User.Status.SUSPENDED)
    assert reviewed(later)["Idle for 90 days"].level == Level.OK


def test_superusers_roles_and_what_is_given_beside_them_are_told() -> None:
    colleague("administrator")
    found = reviewed()
    assert levels(found[title] for title in ("Superusers", "Permissions given beside roles")) == {
        "Superusers": "ok",
        "Permissions given beside roles": "ok",
    }
    assert found["Roles"].found == "administrator: administrator@example.com"
    given = found["Roles given in the last month"]
    assert (given.level, given.found) == (Level.NOTICE, "administrator to administrator@example.com")
    assert reviewed(now() + 40 * DAY)["Roles given in the last month"].level == Level.OK
    root = emergency()
    root.user_permissions.add(Permission.objects.get(codename="suspend_user"))
    found = reviewed()
    assert (found["Superusers"].level, found["Superusers"].found) == (Level.NOTICE, "root@example.com")
    beside_roles = found["Permissions given beside roles"]
    assert (beside_roles.level, beside_roles.found) == (Level.WARNING, "suspend_user to root@example.com")


def test_a_role_that_is_not_as_it_is_written_is_a_warning() -> None:
    assert reviewed()["Roles as they are written"].level == Level.OK
    Group.objects.get(name="support").permissions.add(Permission.objects.get(codename="change_group"))
    Group.objects.create(name="friends")
    found = reviewed()["Roles as they are written"]
    assert (found.level, found.found) == (Level.WARNING, "not so: friends, support")


def test_the_demos_accounts_and_password_are_a_warning_in_production_alone(settings: Any) -> None:
    settings.DEMO_PASSWORD = PASSWORD
    colleague("operator")  # operator@example.com, as the demo makes it
    titles = ("Accounts of the demo", "The demo's password")
    assert set(levels(reviewed()[title] for title in titles).values()) == {"ok"}
    settings.PRODUCTION = True
    found = reviewed()
    assert [(found[title].level, found[title].found) for title in titles] == [
        (Level.WARNING, "1 are active"),
        (Level.WARNING, "opens operator@example.com"),
    ]
    User.objects.update(status=User.Status.SUSPENDED)
    assert set(levels(reviewed()[title] for title in titles).values()) == {"ok"}


def test_keys_are_as_old_as_reports_have_known_them(settings: Any) -> None:
    settings.ENCRYPTION_KEYS, settings.SIGNING_KEYS = ["2:secret-a", "1:secret-b"], ["k1:secret-c"]
    first = reviewed(NOON)["Keys"]
    assert (first.level, set(first.facts["first_seen"].values())) == (Level.OK, {"2031-05-07"})
    assert "secret-" not in first.found + str(first.facts)
    settings.ENCRYPTION_KEYS = ["3:secret-d", "2:secret-a"]
    later = reviewed(NOON + 365 * DAY, Keys=first.facts)["Keys"]
    assert later.level == Level.NOTICE
    assert "encryption key 3 for 0 days at least, encryption key 2 for 365 days at least" in later.found


# Old records --------------------------------------------------------------------------------------------------------
def device(who: Person, *, ended: dt.datetime) -> LoginSession:
    return LoginSession.objects.create(
        user=who.user,
        device="A telephone",
        token_digest=b"t" * 32,
        rotated_at=ended,
        created_at=ended,
        last_used_at=ended,
        expires_at=ended,
    )


def test_devices_are_forgotten_a_year_after_their_end_and_no_other(
    thandi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_records, "BATCH", 2)
    stays = [device(thandi, ended=NOON - days * DAY) for days in (-30, 1, 364)]
    for days in (366, 400, 800):
        device(thandi, ended=NOON - days * DAY)
    found = old_records.devices(now=NOON)
    assert found.found.startswith("3 sessions forgotten")
    assert set(LoginSession.objects.all()) == set(stays)
    assert old_records.devices(now=NOON).found.startswith("0 sessions forgotten")


def test_one_month_forgets_so_many_and_the_next_goes_on(thandi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_records, "BATCH", 2)
    monkeypatch.setattr(old_records, "MOST_FORGOTTEN", 3)
    for _ in range(5):
        device(thandi, ended=NOON - 400 * DAY)
    assert [old_records.devices(now=NOON).found.split()[0] for _ in range(2)] == ["4", "1"]


def test_what_tasks_should_have_forgotten_is_told() -> None:
    assert set(levels(old_records.bounded(now=NOON)).values()) == {"ok"}
    logged("GET /", "1", ago=15 * DAY, times=1)
    DashboardRefresh.objects.create(started_at=NOON - 31 * DAY, duration_ms=1, rows_count=1, changes_seen=1)
    TableSize.objects.create(taken_on=TODAY - 93 * DAY, table_name="users", bytes=1)
    assert set(levels(old_records.bounded(now=NOON)).values()) == {"ok"}, "one night may be missed"
    assert levels(old_records.bounded(now=NOON + 5 * DAY)) == {
        "query_performance_logs": "notice",
        "dashboard_refreshes": "notice",
        "django_session": "ok",
        "table_sizes": "notice",
    }


def test_what_the_law_keeps_is_kept_and_told_after_five_years(thandi: Person, app_sql: Sql) -> None:
    fund(thandi, "100.00")
    rows = Transfer.objects.count()
    soon = levels(old_records.kept(now=now() + 4 * 366 * DAY))
    assert soon == {"transfers": "ok", "audit_events": "ok", "till_events": "ok"}
    late = by_title(old_records.look(at(now() + 6 * 366 * DAY)))
    assert (late["transfers"].level, late["audit_events"].level) == (Level.NOTICE, Level.NOTICE)
    assert late["till_events"].found == "empty"
    assert Transfer.objects.count() == rows


def test_tasks_that_a_worker_took_and_never_finished_are_told(broker: Valkey) -> None:  # noqa: F811
    assert old_records.queue(now=now()).level == Level.OK
    from kombu import Connection

    with Connection(broker.broker_url) as connection:
        client: Any = connection.channel().client  # type: ignore[attr-defined]  # that of Redis has one
        client.zadd("unacked_index", {"taken-just-now": now().timestamp()})
        assert old_records.queue(now=now()).level == Level.OK
        client.zadd("unacked_index", {"left": (now() - dt.timedelta(hours=4)).timestamp()})
    found = old_records.queue(now=now())
    assert (found.level, found.found) == (Level.NOTICE, "1 task taken by a worker hours ago and not finished")
    broker.fail("gone")
    assert old_records.queue(now=now()).level == Level.WARNING
    broker.recover()
