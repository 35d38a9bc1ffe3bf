"""The materialized view: refreshed when something changed, by one at a time, and nobody who reads it waits."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django_pgviews.exceptions import ConcurrentIndexNotDefinedError

from mymoolah.celery import app
from mymoolah.common.clock import now
from reporting import tasks
from reporting.models import DashboardRefresh, UserDashboardSummary, UserFinancialSummary
from reporting.services import LOCK_KEY, RECORDS_KEPT, RefreshUnderWay, refresh_dashboard
from tests.conftest import Ledger, Person, Sql, fund, person, refused, send
from vouchers.models import Voucher
from wallets import services as wallet_services

pytestmark = pytest.mark.sql


def settle() -> None:
    """Let PostgreSQL count now what this session has written; by itself it may wait for ten seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")


def refresh() -> DashboardRefresh | None:
    settle()
    return refresh_dashboard(now=now())


def command(*options: str) -> str:
    output = StringIO()
    call_command("refresh_dashboard", *options, stdout=output)
    return output.getvalue().strip()


def own_connection() -> psycopg.Connection:
    """Another session of the app's role."""
    params = connections["default"].get_connection_params()
    known = {key: params[key] for key in params.keys() & {"host", "port", "user", "password", "dbname"}}
    return psycopg.connect(**known)


def hold_the_lock(other: psycopg.Connection) -> None:
    other.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])


def test_a_refresh_shows_what_was_transferred_before_it(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    fund(thandi, "100.00")
    refresh()
    send(thandi, sipho, "30.00")
    rows = UserDashboardSummary.objects.order_by("user_id")
    assert [row.wallet_balance for row in rows] == [Decimal("100.00"), Decimal("0.00")]
    refresh()
    assert [row.wallet_balance for row in rows.all()] == [Decimal("70.00"), Decimal("30.00")]


def test_a_refreshed_view_equals_the_live_one(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    fund(thandi, "1000.00")
    wallet_services.open_house_wallets(currency="USD")
    dollars = person("thandi-abroad", currency="USD")
    fund(dollars, "70.00")
    moment = now()
    for number, (kind, status, amount) in enumerate(
        [
            ("easypay_voucher", "active", "60.00"),
            ("easypay_voucher", "active", "70.00"),
            ("easypay_topup", "pending_payment", "50.00"),
        ]
    ):
        Voucher.objects.create(
            user=sipho.user,
            voucher_type=kind,
            status=status,
            easypay_number=f"9506300000000{number}",
            original_amount=amount,
            balance=amount if status == "active" else "0.00",
            currency="ZAR",
            created_at=moment,
            expires_at=moment + dt.timedelta(days=30),
        )
    for _ in range(4):
        send(thandi, sipho, "5.00")
    ledger.is_broken = True  # vouchers whose money nobody took
    refresh()
    shared = [field.name for field in UserDashboardSummary._meta.fields if "name" not in field.name]
    live = UserFinancialSummary.objects.order_by("wallet_id").values(*shared)
    assert list(UserDashboardSummary.objects.order_by("wallet_id").values(*shared)) == list(live)
    assert len(live) == 4


def test_nothing_is_refreshed_when_nothing_changed(thandi: Person, ledger: Ledger) -> None:
    assert refresh() is not None
    assert refresh() is None
    assert DashboardRefresh.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET first_name = 'Thandiwe'",
        "UPDATE wallets SET status = 'frozen' WHERE kind = 'customer'",
        "INSERT INTO voucher_totals (user_id, currency) SELECT id, 'ZAR' FROM users",
    ],
)
def test_a_change_of_each_source_makes_for_a_refresh(
    change: str, thandi: Person, ledger: Ledger, owner_sql: Sql
) -> None:
    refresh()
    owner_sql(change)
    owner_sql("SELECT pg_stat_force_next_flush()")
    assert refresh() is not None
    assert refresh() is None


def test_force_refreshes_all_the_same(thandi: Person, ledger: Ledger) -> None:
    refresh()
    assert refresh_dashboard(now=now(), force=True) is not None
    assert DashboardRefresh.objects.count() == 2


def test_a_reset_of_the_statistics_makes_for_a_refresh(thandi: Person, ledger: Ledger, admin_sql: Sql) -> None:
    before = refresh()
    admin_sql("SELECT pg_stat_reset()")
    after = refresh()
    assert before is not None
    assert after is not None
    assert after.changes_seen < before.changes_seen
    assert refresh() is None


def test_a_refresh_records_its_time_duration_and_rows(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    moment = now()
    settle()
    made = refresh_dashboard(now=moment)
    record = DashboardRefresh.objects.get()
    assert made == record
    assert record.started_at == moment
    assert record.rows_count == 2
    assert record.duration_ms > 0
    assert record.changes_seen > 2


def test_old_records_go_and_the_latest_stays(thandi: Person, ledger: Ledger) -> None:
    start = now()
    refresh_dashboard(now=start)
    refresh_dashboard(now=start + RECORDS_KEPT, force=True)
    assert DashboardRefresh.objects.count() == 2
    refresh_dashboard(now=start + RECORDS_KEPT + dt.timedelta(seconds=1), force=True)
    assert DashboardRefresh.objects.filter(started_at=start).exists() is False
    assert DashboardRefresh.objects.count() == 2


def test_of_many_at_once_one_refreshes(thandi: Person, race: Callable[..., list[Any]]) -> None:
    settle()
    done = race(6, lambda: refresh_dashboard(now=now()))
    assert [answer for answer in done if isinstance(answer, DashboardRefresh)] == [DashboardRefresh.objects.get()]
    assert all(answer is None or isinstance(answer, DashboardRefresh | RefreshUnderWay) for answer in done), done


def test_a_second_one_at_once_does_nothing_and_says_so(thandi: Person, ledger: Ledger) -> None:
    with own_connection() as other:
        hold_the_lock(other)
        with pytest.raises(RefreshUnderWay):
            refresh_dashboard(now=now(), force=True)
        assert command("--force") == "Another refresh is under way; nothing was done."
        assert json.loads(command("--force", "--json")) == {"refreshed": False, "reason": "refresh_under_way"}
        tasks.refresh_dashboard.apply(throw=True)
    assert not DashboardRefresh.objects.exists()


def test_the_lock_ends_with_the_transaction(thandi: Person, ledger: Ledger) -> None:
    """As it must behind PgBouncer, which gives the session to somebody else."""
    refresh()
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
    with own_connection() as other:
        assert other.execute(query, [LOCK_KEY]).fetchone() == (0,)
        hold_the_lock(other)
        assert other.execute(query, [LOCK_KEY]).fetchone() == (1,)


def test_readers_are_not_blocked_by_a_refresh(thandi: Person, ledger: Ledger) -> None:
    """The refresh has done its work and not committed; a plain REFRESH would lock everybody out by then."""
    refresh()
    fund(thandi, "5.00")
    with own_connection() as refresher, own_connection() as reader:
        refresher.execute("SELECT refresh_user_dashboard_summary()")
        reader.execute("SET lock_timeout = '1ms'")
        query = "SELECT wallet_balance FROM user_dashboard_summary"
        assert reader.execute(query).fetchone() == (Decimal("0.00"),)
        refresher.commit()
        assert reader.execute(query).fetchone() == (Decimal("5.00"),)


def test_a_refresh_does_not_wait_for_readers(thandi: Person, ledger: Ledger) -> None:
    with own_connection() as reader:
        reader.execute("SELECT wallet_balance FROM user_dashboard_summary")  # and its transaction stays open
        finished = threading.Event()

        def work() -> None:
            refresh_dashboard(now=now(), force=True)
            connections.close_all()
            finished.set()

        threading.Thread(target=work, daemon=True).start()
        assert finished.wait(timeout=10)


def test_the_app_may_refresh_but_is_not_the_owner(thandi: Person, ledger: Ledger, app_sql: Sql) -> None:
    assert app_sql("SELECT current_user = %s", settings.DATABASE_APP_ROLE) == [(True,)]
    owner = "SELECT pg_get_userbyid(relowner) = current_user FROM pg_class WHERE relname = 'user_dashboard_summary'"
    assert app_sql(owner) == [(False,)]
    UserDashboardSummary.refresh(concurrently=True, strict=True)
    assert UserDashboardSummary.objects.count() == 1


def test_strict_refuses_a_view_without_its_index(
    thandi: Person, ledger: Ledger, owner_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner_sql("DROP INDEX user_dashboard_summary_user_id_wallet_currency_index")
    with refused("55000"):
        UserDashboardSummary.refresh(concurrently=True, strict=True)
    monkeypatch.setattr(UserDashboardSummary, "_concurrent_index", None)
    with pytest.raises(ConcurrentIndexNotDefinedError):
        UserDashboardSummary.refresh(concurrently=True, strict=True)


def test_a_view_that_was_never_filled_is_filled_by_migrate(thandi: Person, ledger: Ledger, owner_sql: Sql) -> None:
    owner_sql("REFRESH MATERIALIZED VIEW user_dashboard_summary WITH NO DATA")
    call_command("migrate", verbosity=0)
    assert UserDashboardSummary.objects.count() == 1


def test_a_refresh_has_more_time_than_a_request(thandi: Person, ledger: Ledger, app_sql: Sql, owner_sql: Sql) -> None:
    """A refresh of 400 ms in a session that allows 200; afterwards its limit is back."""
    role = settings.DATABASE_APP_ROLE
    app_sql("SET statement_timeout = '200ms'")
    owner_sql("ALTER FUNCTION refresh_user_dashboard_summary RENAME TO refresh_now")
    owner_sql(
        "CREATE FUNCTION refresh_user_dashboard_summary() RETURNS void LANGUAGE sql AS "
        "'SELECT pg_sleep(0.4); SELECT refresh_now()'"
    )
    owner_sql(f"GRANT EXECUTE ON FUNCTION refresh_user_dashboard_summary TO {role}")
    refreshed = refresh()
    assert refreshed is not None
    assert refreshed.duration_ms >= 400
    assert app_sql("SHOW statement_timeout") == [("200ms",)]


def test_the_command_says_what_it_did(thandi: Person, ledger: Ledger) -> None:
    settle()
    assert command().startswith("Refreshed 1 rows in ")
    assert command() == "Nothing changed since the last refresh; nothing was done."
    assert json.loads(command("--json")) == {"refreshed": False, "reason": "nothing_changed"}
    forced = json.loads(command("--force", "--json"))
    assert forced["refreshed"] is True
    assert forced["rows_count"] == 1
    assert command("--force", "--verbosity", "0") == ""


def test_beat_names_tasks_that_exist_and_run_twice(thandi: Person, ledger: Ledger) -> None:
    app.loader.import_default_modules()
    settle()
    assert app.conf.beat_schedule
    for entry in app.conf.beat_schedule.values():
        task = app.tasks[entry["task"]]
        assert (task.soft_time_limit or 0) < (task.time_limit or 0)
        task.apply(throw=True)
        task.apply(throw=True)
    assert DashboardRefresh.objects.get().rows_count == 1
