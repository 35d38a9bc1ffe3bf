"""What `db_health` finds: by itself in a database that is made ill for it, and from rows that no test can make."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections

from mymoolah.common.clock import now
from reporting.database_health import CHECKS, Check, Finding, Section, Severity, examine
from reporting.database_health.findings import Row, Server
from reporting.database_health.indexes import invalid, redundant, unused
from reporting.database_health.replication import lag, slots
from reporting.database_health.sessions import connections as of_connections
from reporting.database_health.sessions import lock_waits, long_transactions, process
from reporting.database_health.statements import masked, statements
from reporting.database_health.tables import hit_rates, sequential_scans, sizes
from reporting.database_health.thresholds import GIB, MIB
from reporting.database_health.upkeep import dead_rows, overview, sequences, transaction_ids
from reporting.models import DashboardRefresh, TableSize
from reporting.services import refresh_dashboard
from reporting.table_sizes import KEPT_DAYS, remember_sizes
from reporting.tasks import remember_sizes as remember_sizes_task
from tests.conftest import Ledger, Person, Sql, fund

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

MOMENT = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
SECRET = "thandi.is.looked.for@example.com"


def server(**changed: Any) -> Server:
    known: dict[str, Any] = {
        "database": "bank",
        "version": "18",
        "is_standby": False,
        "reads_all_sessions": True,
        "has_statements": True,
        "started_at": MOMENT,
        "counted_since": MOMENT,
        "counted_days": 40.0,
    }
    return Server(**known | changed)


def section(name: str, **options: Any) -> Section:
    [check] = [check for check in CHECKS if check.name == name]
    return examine([check], now=now(), **options).sections[0]


def rows_of(name: str) -> list[Row]:
    """All that a check's query finds."""
    [check] = [check for check in CHECKS if check.name == name]
    with connection.cursor() as cursor:
        cursor.execute(check.statement, {"most": 1_000})
        columns = [column.name for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def found(name: str, subject: str) -> Finding:
    findings = {finding.subject: finding for finding in section(name).findings}
    assert subject in findings, findings
    return findings[subject]


def graves(findings: Any) -> list[tuple[Severity, str]]:
    return [(one.severity, one.subject) for one in findings if one.severity != Severity.WELL]


@contextlib.contextmanager
def beside(alias: str = "owner") -> Iterator[psycopg.Connection[Any]]:
    """Another session, with a transaction of its own."""
    params = connections[alias].get_connection_params()
    params = {key: value for key, value in params.items() if key in {"dbname", "user", "password", "host", "port"}}
    with psycopg.connect(**params, application_name="beside") as connection:
        yield connection
        connection.rollback()


def until(name: str, subject: str) -> Finding:
    """The finding, once it is there: what waits is seen a moment after it has begun to."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for finding in section(name).findings:
            if finding.subject == subject:
                return finding
        time.sleep(0.1)
    raise AssertionError(f"nothing was found of {subject}")


# As a whole -----------------------------------------------------------------------------------------------------------
def test_a_quiet_bank_has_every_section_and_nothing_critical(thandi: Person, app_sql: Sql) -> None:
    fund(thandi, "100.00")
    refresh_dashboard(now=now())
    examination = examine(CHECKS, now=now())
    assert app_sql("SELECT current_user") == [(settings.DATABASE_APP_ROLE,)]
    assert [one.name for one in examination.sections] == [check.name for check in CHECKS]
    assert examination.severity != Severity.CRITICAL
    assert [one for part in examination.sections for one in part.findings if one.severity == Severity.UNKNOWN] == []
    assert all(one.says for part in examination.sections for one in part.findings)
    grave = [one for part in examination.sections for one in part.findings if one.severity != Severity.WELL]
    assert all(one.advice.endswith(".") for one in grave), "each says what to do"


def test_nothing_is_written_and_no_setting_stays(app_sql: Sql) -> None:
    kept = ("statement_timeout", "lock_timeout", "transaction_read_only")
    before = [app_sql(f"SHOW {name}") for name in kept]
    writing = Check(name="writes", title="Writes", judge=lambda *_: [], query="INSERT INTO table_sizes VALUES (1)")
    [part] = examine([writing], now=now()).sections
    assert part.severity == Severity.UNKNOWN
    assert "read-only transaction" in part.findings[0].says
    assert [app_sql(f"SHOW {name}") for name in kept] == before


def test_a_check_that_takes_too_long_keeps_no_other_back() -> None:
    endless = Check(name="endless", title="Endless", judge=lambda *_: [], query="SELECT pg_sleep(60)")
    after = Check(name="after", title="After", judge=lambda *_: [], well="well", query="SELECT 1 AS one")
    examination = examine([endless, after], now=now(), check_seconds=0.2)
    assert [part.severity for part in examination.sections] == [Severity.UNKNOWN, Severity.WELL]
    assert "did not answer" in examination.sections[0].findings[0].says
    late = examine([endless, endless, after], now=now(), check_seconds=0.5, examination_seconds=0.4)
    assert ["was not asked" in part.findings[0].says for part in late.sections] == [False, True, True]
    assert late.seconds < 30


def test_a_locked_table_keeps_back_only_what_has_to_open_it() -> None:
    with beside() as migration:
        migration.execute("LOCK TABLE wallets IN ACCESS EXCLUSIVE MODE")
        examination = examine(CHECKS, now=now())
    unknown = {part.name for part in examination.sections if part.severity == Severity.UNKNOWN}
    assert {"sizes"} <= unknown <= {"sizes", "redundant_indexes"}
    assert examination.seconds < 30


def test_it_exits_with_1_only_if_something_is_critical(owner_sql: Sql) -> None:
    output = StringIO()
    call_command("db_health", stdout=output)
    assert "Connections: The server:" in output.getvalue()
    owner_sql("CREATE SEQUENCE nearly_over MAXVALUE 10 START 10")
    owner_sql("GRANT USAGE ON nearly_over TO mymoolah_app")
    owner_sql("SELECT nextval('nearly_over')")
    output = StringIO()
    with pytest.raises(CommandError, match="nearly_over: 10 of 10 are given out"):
        call_command("db_health", json=True, stdout=output)
    told = json.loads(output.getvalue())
    assert told["severity"] == "critical"
    [part] = [part for part in told["sections"] if part["name"] == "sequences"]
    assert (part["severity"], part["findings"][0]["subject"]) == ("critical", "nearly_over")
    assert "nearly_over" in section("sequences", using="owner").findings[0].subject


def test_who_may_not_see_others_is_told_so_and_not_that_all_is_well(admin_sql: Sql, ledger: Ledger) -> None:
    blind = server(reads_all_sessions=False, has_statements=False)
    needed = {check.name: check.need(blind) for check in CHECKS}
    assert {name for name, missing in needed.items() if missing} == {
        "lock_waits",
        "long_transactions",
        "replication",
        "statements",
    }
    assert all(missing.severity == Severity.UNKNOWN and missing.advice for missing in needed.values() if missing)
    admin_sql("DROP EXTENSION pg_stat_statements")
    assert "is not installed" in section("statements").findings[0].says


# Sessions -------------------------------------------------------------------------------------------------------------
def test_a_lock_wait_names_who_waits_for_whom_and_never_what_they_sent(thandi: Person) -> None:
    with beside("default") as holder, beside("default") as waiter:
        held_by, waited_by = (process(one.info.backend_pid) for one in (holder, waiter))
        locked = "SELECT 1 FROM users WHERE email <> %s FOR UPDATE"
        holder.execute(locked, [SECRET])
        waiter.execute("SET lock_timeout = 0; SET statement_timeout = 0")
        waiting = threading.Thread(target=lambda: waiter.execute(locked, [SECRET]))
        waiting.start()
        try:
            finding = until("lock_waits", waited_by)
            told = json.dumps(section("lock_waits").findings[0].facts, default=str)
        finally:
            holder.rollback()
            waiting.join()
    assert f"which {held_by} (mymoolah_app, beside, idle in transaction" in finding.says
    assert SECRET not in finding.says + told
    assert "FOR UPDATE" not in finding.says + told


def test_a_session_that_idles_in_its_transaction_is_seen_by_its_age() -> None:
    row = {
        "pid": 7,
        "role": "mymoolah_app",
        "application_name": "",
        "state": "idle in transaction",
        "wait_event_type": "Client",
        "wait_event": "ClientRead",
        "query_id": 1,
        "transaction_seconds": 700.0,
        "state_seconds": 61.0,
    }
    assert graves(long_transactions([row], server())) == [(Severity.LOOK, "process 7")]
    assert graves(long_transactions([row | {"state_seconds": 601.0}], server())) == [(Severity.CRITICAL, "process 7")]
    at_work = row | {"state": "active"}
    assert graves(long_transactions([at_work], server())) == [(Severity.LOOK, "process 7")]
    assert graves(long_transactions([at_work | {"transaction_seconds": 299.0}], server())) == []
    assert graves(long_transactions([at_work | {"transaction_seconds": 7_201.0}], server()))[0][0] == Severity.CRITICAL


def test_connections_count_against_the_server_and_against_the_role() -> None:
    row = {
        "used": 80,
        "used_by_role": 10,
        "active": 3,
        "idle_in_transaction": 1,
        "allowed": 103,
        "reserved": 3,
        "allowed_to_role": -1,
    }
    assert graves(of_connections([row], server())) == [(Severity.LOOK, "The server")]
    assert graves(of_connections([row | {"used": 90}], server())) == [(Severity.CRITICAL, "The server")]
    of_role = row | {"used": 11, "allowed_to_role": 10}
    assert graves(of_connections([of_role], server())) == [(Severity.CRITICAL, "This role")]


def test_no_query_of_the_examination_reads_what_a_session_sent() -> None:
    for check in CHECKS:
        if "pg_stat_activity" in check.statement:
            code = "\n".join(line for line in check.statement.splitlines() if not line.startswith("--"))
            assert ".query," not in code, check.name
            assert "SELECT *" not in code, check.name


# Statements -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("SELECT 1 FROM users\n WHERE email = 'a@b'", "SELECT … FROM users WHERE email = '…'"),
        ("SELECT $1 -- thandi's\nFROM w", "SELECT $1 FROM w"),
        ("SELECT /* 'x */ 'it''s' || E'\\'secret' || 'more'", "SELECT '…' || '…' || '…'"),
        ("DO $$ SELECT 'x' $$; SELECT $a$b$a$", "DO '…'; SELECT '…'"),
        ("SELECT 'C:\\', 'secret'", "SELECT '…', '…'"),
        ('SELECT "o\'clock" FROM t2 WHERE x = 9506312345678', 'SELECT "o\'clock" FROM t2 WHERE x = …'),
        ("ALTER ROLE a PASSWORD 'never closed", "ALTER ROLE a PASSWORD '…'"),
        ("SELECT x::numeric(19, 2), 1.5e10 LIMIT $2", "SELECT x::numeric(…, …), … LIMIT $2"),
    ],
)
def test_a_statement_is_shown_without_any_constant(sent: str, shown: str) -> None:
    assert masked(sent) == shown


def test_what_somebody_looked_for_is_nowhere_in_the_answer(thandi: Person, app_sql: Sql) -> None:
    for _ in range(3):
        app_sql("SELECT pg_sleep(0.15), count(*) FROM users WHERE email = %s", SECRET)
        app_sql("EXPLAIN SELECT 1 FROM users WHERE email = %s", SECRET)
    output = StringIO()
    call_command("db_health", json=True, stdout=output)
    assert "Slow statements" in output.getvalue()
    assert SECRET not in output.getvalue()
    assert SECRET.partition("@")[0] not in output.getvalue()


def statement_row(**changed: Any) -> Row:
    return {
        "query_id": 1,
        "query": "SELECT $1 FROM users",
        "calls": 10_000,
        "mean_ms": 150.0,
        "longest_ms": 900.0,
        "total_seconds": 1_500.0,
        "rows_per_call": 1.0,
        "counted_since": MOMENT,
        "counted_seconds": 86_400.0,
    } | changed


def test_a_statement_is_slow_if_it_is_both_slow_and_frequent_and_busy_if_it_fills_a_core() -> None:
    look = [(Severity.LOOK, "query 1")]
    assert graves(statements([statement_row()], server())) == look
    assert graves(statements([statement_row(calls=30)], server())) == []
    assert graves(statements([statement_row(mean_ms=2.0)], server())) == []
    assert graves(statements([statement_row(mean_ms=2.0, total_seconds=30_000.0)], server())) == look
    known = statement_row(query="SELECT refresh_user_dashboard_summary()", total_seconds=30_000.0)
    assert graves(statements([known], server())) == []
    fast = [statement_row(mean_ms=1.0, query_id=number) for number in range(20)]
    assert len(list(statements(fast, server()))) == 5


# Indexes --------------------------------------------------------------------------------------------------------------
def test_an_index_that_another_answers_for_is_named_and_no_rule_ever_is(owner_sql: Sql) -> None:
    owner_sql(
        """
        CREATE TABLE shelf (a bigint, b text, c bigint, CONSTRAINT uq_shelf UNIQUE (a, b));
        CREATE UNIQUE INDEX uq_shelf_c ON shelf (c);
        CREATE UNIQUE INDEX uq_shelf_a ON shelf (a);          -- a rule, though uq_shelf begins with it
        CREATE INDEX ix_shelf_a ON shelf (a);                 -- redundant: uq_shelf, uq_shelf_a
        CREATE INDEX ix_shelf_ca ON shelf (c, a);
        CREATE INDEX ix_shelf_ca_again ON shelf (c, a);       -- redundant: equal, and younger
        CREATE INDEX ix_shelf_c_desc ON shelf (c DESC, a);    -- another order
        CREATE INDEX ix_shelf_c_b ON shelf (c) INCLUDE (b);   -- holds a column that ix_shelf_ca does not
        CREATE INDEX ix_shelf_c_some ON shelf (c) WHERE a > 5; -- another condition
        CREATE INDEX ix_shelf_b_ops ON shelf (b text_pattern_ops);
        CREATE INDEX ix_shelf_b ON shelf (b);                 -- of another kind
        CREATE INDEX ix_shelf_lower ON shelf (lower(b));      -- redundant: ix_shelf_lower_c
        CREATE INDEX ix_shelf_lower_c ON shelf (lower(b), c);
        CREATE INDEX ix_shelf_brin ON shelf USING brin (a);
        """
    )
    rows = rows_of("redundant_indexes")
    of_shelf = {row["index_name"]: row["other_name"] for row in rows if row["table_name"] == "shelf"}
    assert of_shelf.keys() == {"ix_shelf_a", "ix_shelf_ca_again", "ix_shelf_lower"}
    assert of_shelf["ix_shelf_ca_again"] == "ix_shelf_ca"
    assert of_shelf["ix_shelf_lower"] == "ix_shelf_lower_c"
    large = [{**row, "bytes": 9 * MIB} for row in rows if row["table_name"] == "shelf"]
    assert {subject for _, subject in graves(redundant(large, server()))} == of_shelf.keys()
    assert graves(redundant(rows, server())) == [], "small ones are told, and nobody has to act"


def test_an_index_is_called_unused_only_after_a_month_and_if_no_rule_stands_on_it(owner_sql: Sql) -> None:
    owner_sql(
        """
        CREATE TABLE shelf (a bigint PRIMARY KEY, b bigint UNIQUE, c bigint REFERENCES users (id), d bigint);
        CREATE INDEX ix_shelf_c ON shelf (c);
        CREATE INDEX ix_shelf_d ON shelf (d);
        """
    )
    of_shelf = {row["index_name"]: row for row in rows_of("unused_indexes") if row["table_name"] == "shelf"}
    assert of_shelf.keys() == {"ix_shelf_c", "ix_shelf_d"}
    assert {row["leads_with_a_key"] for row in of_shelf.values()} == {True, False}
    large = [{**row, "bytes": 9 * MIB} for row in of_shelf.values()]
    assert graves(unused(large, server(counted_days=29.9))) == []
    told = {finding.subject: finding for finding in unused(large, server())}
    assert {finding.severity for finding in told.values()} == {Severity.LOOK}
    assert "foreign key" in told["ix_shelf_c"].advice
    assert "foreign key" not in told["ix_shelf_d"].advice


def test_an_index_that_was_not_built_to_its_end_is_found_and_a_unique_one_is_critical(owner_sql: Sql) -> None:
    owner_sql("CREATE TABLE shelf (a bigint)")
    owner_sql("INSERT INTO shelf VALUES (1), (1)")
    with beside() as owner:
        owner.autocommit = True
        with pytest.raises(psycopg.errors.UniqueViolation):
            owner.execute("CREATE UNIQUE INDEX CONCURRENTLY uq_shelf_a ON shelf (a)")
    assert found("invalid_indexes", "uq_shelf_a").severity == Severity.CRITICAL
    row = {"table_name": "shelf", "index_name": "ix", "is_unique": False, "is_being_built": False}
    assert graves(invalid([row], server())) == [(Severity.LOOK, "ix")]
    assert graves(invalid([row | {"is_being_built": True}], server())) == []


# Upkeep ---------------------------------------------------------------------------------------------------------------
def test_dead_rows_that_nobody_removed_are_seen(owner_sql: Sql) -> None:
    owner_sql("CREATE TABLE shelf (a bigint) WITH (autovacuum_enabled = false)")
    owner_sql("INSERT INTO shelf SELECT generate_series(1, 20000)")
    owner_sql("UPDATE shelf SET a = a + 1")
    connections.close_all()  # what a session counted is told when it ends
    deadline = time.monotonic() + 30
    while len(told := [one.says for one in section("dead_rows").findings if one.subject == "shelf"]) < 3:
        assert time.monotonic() < deadline, told
        time.sleep(0.1)
    assert sorted(text.partition(" ")[2].partition(",")[0] for text in told) == [
        "dead rows (50.0%)",
        "is switched off for it",
        "rows changed since it was analysed",
    ]
    row = {"table_name": "t", "live_rows": 50_000, "dead_rows": 11_000, "changed_rows": 11_000, "is_left_alone": False}
    assert graves(dead_rows([row | {"vacuumed_at": MOMENT, "analyzed_at": MOMENT}], server())) == [(Severity.LOOK, "t")]


def test_transaction_ids_and_sequences_are_told_before_they_run_out() -> None:
    row = {"database": "bank", "transactions": 600_000_000, "multixacts": 5, "frozen_at": 200_000_000}
    assert graves(transaction_ids([row], server())) == [(Severity.LOOK, "bank")]
    assert graves(transaction_ids([row | {"multixacts": 1_300_000_000}], server()))[0][0] == Severity.CRITICAL
    assert graves(transaction_ids([row | {"transactions": 400_000_000}], server())) == []
    one = {"sequence_name": "s", "last_possible": 100, "last_used": 75, "used_share": 0.75, "is_readable": True}
    assert graves(sequences([one], server())) == [(Severity.LOOK, "s")]
    assert graves(sequences([one | {"used_share": 0.95}], server())) == [(Severity.CRITICAL, "s")]
    assert graves(sequences([one | {"is_readable": False}], server())) == [(Severity.UNKNOWN, "s")]


def test_the_overview_is_late_only_if_something_has_changed(thandi: Person) -> None:
    assert found("overview", "user_dashboard_summary").says == "was never refreshed"
    refresh_dashboard(now=now())
    assert found("overview", "user_dashboard_summary").severity == Severity.WELL
    DashboardRefresh.objects.using("owner").update(started_at=now() - dt.timedelta(hours=2), changes_seen=-1)
    assert found("overview", "user_dashboard_summary").severity == Severity.LOOK
    row = {
        "is_populated": True,
        "age_seconds": 60.0,
        "has_changed": True,
        "duration_ms": 40_000,
        "rows_count": 3_000_000,
        "refreshes": 1_440,
        "busy_share": 0.66,
    }
    assert "DASHBOARD_REFRESH_SECONDS" in next(iter(overview([row], server()))).advice
    assert graves(overview([row | {"busy_share": 0.1}], server())) == []


# Replication ----------------------------------------------------------------------------------------------------------
def test_a_standby_that_lags_or_does_not_stream_is_seen() -> None:
    row = {
        "standby": "second",
        "is_this": False,
        "is_paused": False,
        "is_streaming": True,
        "sync_state": "async",
        "lag_seconds": 0.0,
        "behind_bytes": 0,
    }
    assert graves(lag([row], server())) == []
    assert graves(lag([row | {"lag_seconds": 11.0}], server())) == [(Severity.LOOK, "second")]
    assert graves(lag([row | {"lag_seconds": 301.0}], server())) == [(Severity.CRITICAL, "second")]
    assert graves(lag([row | {"behind_bytes": GIB}], server())) == [(Severity.LOOK, "second")]
    assert graves(lag([row | {"is_streaming": False}], server())) == [(Severity.LOOK, "second")]
    assert graves(lag([row | {"is_this": True, "is_paused": True}], server())) == [(Severity.LOOK, "second")]
    slot = {"slot_name": "old", "is_active": False, "wal_status": "extended", "kept_bytes": 2 * GIB}
    assert graves(slots([slot], server())) == [(Severity.LOOK, "old")]
    assert graves(slots([slot | {"kept_bytes": 21 * GIB}], server())) == [(Severity.CRITICAL, "old")]
    assert graves(slots([slot | {"kept_bytes": 0, "wal_status": "lost"}], server())) == [(Severity.LOOK, "old")]


# Tables ---------------------------------------------------------------------------------------------------------------
def test_a_large_table_that_is_read_from_end_to_end_all_day_is_seen_but_for_the_overviews_refreshes() -> None:
    row = {
        "table_name": "wallets",
        "rows_count": 1_000_000,
        "bytes": GIB,
        "scans": 1,
        "rows_read": 40 * 1_000_000 * 500,
        "index_scans": 0,
        "refreshes_per_day": 0,
    }
    assert graves(sequential_scans([row], server())) == [(Severity.LOOK, "wallets")]
    assert graves(sequential_scans([row | {"refreshes_per_day": 1_440}], server())) == []
    assert graves(sequential_scans([row | {"rows_count": 50_000}], server())) == []


def test_hit_rates_are_told_once_enough_was_read() -> None:
    row = {
        "table_name": "transactions",
        "table_hits": 1,
        "table_reads": 1,
        "index_hits": 1,
        "index_reads": 1,
        "all_table_hits": 900_000,
        "all_table_reads": 100_000,
        "all_index_hits": 999_000,
        "all_index_reads": 1_000,
    }
    assert graves(hit_rates([row], server())) == [(Severity.LOOK, "Tables")]
    little = row | {name: 5 for name in row if name.startswith("all_")}
    assert graves(hit_rates([little], server())) == []


def test_sizes_are_remembered_once_a_day_for_a_quarter_and_growth_is_told_from_them(app_sql: Sql) -> None:
    moment = now()
    assert "no earlier size" in found("sizes", "kyc_submissions").says
    TableSize.objects.create(taken_on=moment.date() - dt.timedelta(days=10), table_name="kyc_submissions", bytes=1024)
    forgotten = moment - dt.timedelta(days=KEPT_DAYS + 2)
    TableSize.objects.create(taken_on=forgotten.date(), table_name="wallets", bytes=1)
    assert remember_sizes(now=moment) > 30
    assert remember_sizes(now=moment) == 0
    remember_sizes_task()
    assert not TableSize.objects.filter(taken_on=forgotten.date()).exists()
    assert settings.CELERY_BEAT_SCHEDULE["remember-sizes"]["task"] == remember_sizes_task.name
    assert "more than 10 days ago" in found("sizes", "kyc_submissions").says
    row = {
        "table_name": "transactions",
        "bytes": 9 * GIB,
        "index_bytes": GIB,
        "earlier_bytes": 5 * GIB,
        "earlier_days": 30,
        "database_bytes": 20 * GIB,
    }
    assert graves(sizes([row], server())) == [(Severity.LOOK, "transactions")]
    assert graves(sizes([row | {"earlier_bytes": 8 * GIB}], server())) == []


def test_lock_waits_are_graded_by_how_long_they_last() -> None:
    row = {
        "waiting_pid": 1,
        "waiting_role": "mymoolah_app",
        "waiting_application": "",
        "relation": None,
        "lock_type": "transactionid",
        "lock_mode": "ShareLock",
        "waited_seconds": 0.5,
        "blocking_pid": 0,
        "blocking_role": None,
        "blocking_application": None,
        "blocking_state": None,
        "blocking_seconds": None,
    }
    assert graves(lock_waits([row], server())) == []
    assert graves(lock_waits([row | {"waited_seconds": 2.0}], server())) == [(Severity.LOOK, "process 1")]
    [finding] = lock_waits([row | {"waited_seconds": 31.0}], server())
    assert finding.severity == Severity.CRITICAL
    assert "a prepared transaction" in finding.says
