"""A day of the bank behind PgBouncer, which hands a connection to somebody else after each transaction."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from tests.api import access_token
from tests.back_office.house import colleague
from tests.conftest import Ledger, Person, Sql, balance, fund, person
from tests.pgbouncer import pgbouncer
from tests.transactions.legs import johannesburg
from tests.transactions.statement_files import write_history
from tests.web import Answer, Web, web_server

ROOT = Path(__file__).parents[1]
PASSWORD = "a-password-of-letters"
# PgBouncer lets a client wait for half a second, and looks three times in each second; the rest is what a busy machine adds.
DELAY_SECONDS = 4
SERVER_CONNECTIONS = 3  # for two web processes with eight connections each, and commands


@dataclass(frozen=True)
class Behind:
    """Everything of one bank that reaches its database by way of PgBouncer."""

    url: str
    web: Web

    def run(self, *command: str) -> str:
        told = {
            **os.environ,
            "DATABASE_URL": self.url,
            "REDIS_URL": str(settings.CACHES["default"]["LOCATION"]),
            "MYMOOLAH_BROKER_URL": str(settings.CELERY_BROKER_URL),
        }
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=told, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def behind(ledger: Ledger) -> Iterator[Behind]:
    host = connections["default"].settings_dict["HOST"]
    with pgbouncer(host=host, dbname=ledger.name, password=PASSWORD, default_pool_size=SERVER_CONNECTIONS) as port:
        url = f"postgresql://mymoolah_app:{PASSWORD}@127.0.0.1:{port}/mymoolah"
        with web_server(DATABASE_URL=url, RATELIMIT_ENABLE="off") as web:
            yield Behind(url, web)


def pay(web: Web, token: str, key: str) -> Answer:
    order = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR", "reference": "Lunch"}
    return web.ask("POST", "transfers", order, token=token, Idempotency_Key=key)


@pytest.mark.slow
@pytest.mark.sql
def test_a_day_of_the_bank(behind: Behind, thandi: Person, sipho: Person, admin_sql: Sql) -> None:
    web, token = behind.web, access_token(thandi.user)
    naledi, lerato = person("naledi"), person("lerato")
    write_history(admin_sql, naledi, lerato, entries=5_000, starts_at=johannesburg("2026-01-01T00:00"))
    fund(thandi, "500.00")

    # Somebody joins, and signs in.
    joins = {"email": "new@example.com", "phone": "0829990001", "password": "a-good-long-passphrase"}
    names = {"first_name": "Nandi", "last_name": "Zulu"}
    assert web.ask("POST", "auth/register", {**joins, **names}).status == 201
    signed_in = web.ask("POST", "auth/token", {"email": joins["email"], "password": joins["password"]})
    mine = json.loads(signed_in.body)["access"]
    assert web.ask("GET", "dashboard", token=mine).status == 200

    # More at once than there are connections, and one order sent six times while the first is under way.
    with ThreadPoolExecutor(24) as pool:
        reads = pool.map(lambda _: web.ask("GET", "dashboard", token=token).status, range(200))
        sent = list(pool.map(lambda number: pay(web, token, f"k{number}").status, range(40)))
        again = list(pool.map(lambda _: pay(web, token, "same"), range(6)))
        assert Counter(reads) == {200: 200}
    assert Counter(sent) == {201: 40}
    assert {(answer.status, answer.body) for answer in again} == {(201, again[0].body)}
    assert Counter(answer.headers["Idempotency-Replayed"] for answer in again) == {None: 1, "true": 5}
    assert balance(sipho).amount == 41

    # A voucher made, redeemed by somebody else; another one cancelled.
    order = {"voucher_type": "standard", "amount": "50.00", "currency": "ZAR"}
    made = web.ask("POST", "vouchers", order, token=token, Idempotency_Key=uuid.uuid4().hex)
    redeemed = {"code": json.loads(made.body)["code"]}
    theirs = access_token(sipho.user)
    assert web.ask("POST", "vouchers/redeem", redeemed, token=theirs, Idempotency_Key="r").status == 200
    topped = web.ask("POST", "vouchers", {**order, "voucher_type": "easypay_topup"}, token=token, Idempotency_Key="t")
    cancel = f"vouchers/{json.loads(topped.body)['id']}/cancel"
    assert web.ask("POST", cancel, token=token, Idempotency_Key="c").status == 200

    # A statement of several pages, streamed; and as a document.
    path = "statements?from=2026-01-01&to=2026-12-31&format="
    lines = web.ask("GET", path + "csv", token=access_token(naledi.user)).body.decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(lines, newline="")))) == 5_002
    assert web.ask("GET", path + "pdf", token=token).body.startswith(b"%PDF")

    # The back-office: lists, a page, a file.
    client = Client()
    client.force_login(colleague("finance"))
    cookie = f"staff={client.cookies[settings.SESSION_COOKIE_NAME].value}; csrftoken={'t' * 32}"
    pages = ("", "wallets/wallet/", "transactions/transaction/", "vouchers/voucher/", "books/trial-balance/")
    for page in pages:
        assert web.ask("GET", f"/admin/{page}", Cookie=cookie).status == 200, page
    file = web.ask("POST", "/admin/books/house.csv", Cookie=cookie, X_CSRFToken="t" * 32)
    assert (file.status, b"Balance" in file.body) == (200, True)

    # What beat and operators do all day.
    behind.run("refresh_dashboard")
    behind.run("take_days")
    for sweep in ("expire_vouchers", "expire_holds", "process_till_events"):
        behind.run(sweep)
    behind.run("verify_ledger")


@pytest.mark.slow
@pytest.mark.sql
def test_maintenance_is_done_and_its_lock_given_back(behind: Behind, app_sql: Sql) -> None:
    for kind in ("daily", "weekly", "monthly"):
        assert f"{kind.capitalize()} maintenance of" in behind.run("maintenance", kind)
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    assert app_sql(f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND {here}") == []  # noqa: S608


@pytest.mark.slow
@pytest.mark.sql
def test_what_one_client_sets_reaches_no_other(behind: Behind, ledger: Ledger, thandi: Person, admin_sql: Sql) -> None:
    token = access_token(thandi.user)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: behind.web.ask("GET", "dashboard", token=token), range(60)))
    behind.run("refresh_dashboard")
    behind.run("verify_ledger")
    assert behind.web.ask("GET", "dashboard", token=token).status == 200

    sessions = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = 'mymoolah_app' AND pid <> ALL(%s)"
    )
    own = [connections["default"].connection.info.backend_pid] if connections["default"].connection else []
    [(count,)] = admin_sql(sessions, ledger.name, own)
    assert 1 <= count <= SERVER_CONNECTIONS
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    assert admin_sql(f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND {here}") == []  # noqa: S608
    # Three at once, so that each server connection is looked at.
    looks = [psycopg.connect(behind.url, prepare_threshold=None) for _ in range(count)]
    for look in looks:
        changed = look.execute("SELECT name FROM pg_settings WHERE source = 'session'").fetchall()
        # PgBouncer itself keeps these four apart for each client.
        known = {"application_name", "client_encoding", "DateStyle", "TimeZone"}
        assert {name for (name,) in changed if not name.startswith("transaction_")} <= known
        assert look.execute("SHOW transaction_read_only").fetchone() == ("off",)
        limits = [look.execute(f"SHOW {name}_timeout").fetchone() for name in ("statement", "lock")]
        assert limits == [("30s",), ("5s",)]
    for look in looks:
        look.close()


@pytest.mark.slow
@pytest.mark.sql
def test_while_every_connection_of_the_server_is_taken_clients_are_told_so(behind: Behind, thandi: Person) -> None:
    token = access_token(thandi.user)
    assert behind.web.ask("GET", "me", token=token).status == 200
    with contextlib.ExitStack() as stack:
        for _ in range(SERVER_CONNECTIONS):
            busy = stack.enter_context(psycopg.connect(behind.url, prepare_threshold=None))
            busy.execute("SELECT 1")  # and its transaction goes on
        for path in ("me", "/readyz"):
            waits = behind.web.ask("GET", path, token=token)
            assert (waits.status, waits.seconds < DELAY_SECONDS) == (503, True)
            assert waits.headers["Retry-After"]
        assert behind.web.ask("GET", "/healthz").status == 200
    assert [behind.web.ask("GET", "me", token=token).status for _ in range(10)] == [200] * 10


# What no statement of ours may be ---------------------------------------------------------------------------------------
FORBIDDEN = {
    "an advisory lock of the session": r"pg_(try_)?advisory_lock(_shared)?\s*\(|pg_advisory_unlock",
    "a cursor of the server": r"\bDECLARE\s+\w+\s+[A-Z ]*CURSOR\b|cursor\(\s*name|\.cursor\(\s*[\"']|ServerCursor",
    "a setting of the session": r"[\"']SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)[a-z_]+\s*(=|TO\b)|set_config\([^)]*,\s*false\s*\)",
    "listening": r"[\"'](UN)?LISTEN\b",
    "a prepared statement": r"[\"'](PREPARE|DEALLOCATE)\s|prepare_threshold\s*=\s*[1-9]|prepare=True",
    "a temporary table": r"CREATE\s+(GLOBAL\s+|LOCAL\s+)?TEMP",
}
# These go straight to PostgreSQL: a superuser's script, the loader's and the measurements' own connections, as owner.
DIRECT = ("mymoolah/common/sql/bootstrap.sql", "reporting/loading/", "reporting/benchmarks/")


def sources() -> dict[str, str]:
    apps = ("accounts", "wallets", "transactions", "vouchers", "reporting", "mymoolah")
    found = [path for app in apps for suffix in ("py", "sql") for path in (ROOT / app).rglob(f"*.{suffix}")]
    names = {str(path.relative_to(ROOT)): path.read_text() for path in found}
    return {name: text for name, text in names.items() if not name.startswith(DIRECT)}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_statement_outlives_its_transaction(what: str) -> None:
    assert [name for name, text in sources().items() if re.search(FORBIDDEN[what], text)] == []


def test_each_of_them_would_be_found() -> None:
    """A check that cannot fail is none."""
    wrong = {
        "an advisory lock of the session": 'cursor.execute("SELECT pg_advisory_lock(1)")',
        "a cursor of the server": 'connection.cursor(name="long")',
        "a setting of the session": "cursor.execute(\"SET statement_timeout = '5s'\")",
        "listening": 'connection.execute("LISTEN news")',
        "a prepared statement": "connection.execute(sql, prepare=True)",
        "a temporary table": 'cursor.execute("CREATE TEMP TABLE t (id int)")',
    }
    assert wrong.keys() == FORBIDDEN.keys()
    assert [what for what, text in wrong.items() if not re.search(FORBIDDEN[what], text)] == []
