"""How much time PostgreSQL gives each kind of process, as it says itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Ledger, Sql
from tests.shown import NAMES
from tests.valkey import Valkey, own_valkey
from tests.waiting import wait_until
from tests.web import database_url, web_server

ROOT = Path(__file__).parents[1]
APP, OWNER = ["5s", "30s", "1min"], ["5s", "0", "15min"]

pytestmark = [pytest.mark.slow, pytest.mark.sql]


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    folder = Path(tempfile.mkdtemp(prefix="mm-", dir="/tmp"))
    with own_valkey(folder) as running:
        yield running
    shutil.rmtree(folder)


@pytest.fixture
def environment(ledger: Ledger, valkey: Valkey) -> dict[str, str]:
    """What a process of production is told, beside its secrets."""
    inherited = {name: value for name, value in os.environ.items() if name != "MYMOOLAH_PROCESS"}
    return {
        **inherited,
        "DATABASE_URL": database_url(),
        "DATABASE_OWNER_URL": database_url("owner"),
        "REDIS_URL": valkey.cache_url,
        "MYMOOLAH_BROKER_URL": valkey.broker_url,
    }


def test_a_web_process_has_half_a_minute_for_a_statement(ledger: Ledger) -> None:
    with web_server(application="tests.shown_web:application") as web:
        assert json.loads(web.ask("GET", "/shown").body) == ["mymoolah web", *APP]


def test_a_worker_has_as_much_and_a_long_task_asks_for_more_itself(
    environment: dict[str, str], valkey: Valkey, tmp_path: Path
) -> None:
    from tests.shown_worker import app

    told = tmp_path / "told"
    command = [
        sys.executable,
        "-m",
        "celery",
        "--app=tests.shown_worker",
        "worker",
        "--concurrency=1",
        "--pool=prefork",
    ]
    worker = subprocess.Popen(
        command, cwd=ROOT, env={**environment, "MYMOOLAH_PROCESS": "worker"}, stderr=subprocess.DEVNULL
    )
    try:
        with app.connection_for_write(valkey.broker_url) as broker:
            app.send_task("tests.tell", kwargs={"path": str(told)}, connection=broker)
        wait_until(lambda: told.exists() and told.read_text() != "")
    finally:
        worker.terminate()
        worker.wait(timeout=60)
    assert json.loads(told.read_text()) == ["mymoolah worker", *APP]


def test_beat_asks_the_database_for_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "beat.log"
    command = [sys.executable, "-m", "celery", "--app=mymoolah", "beat", "--loglevel=INFO", "--pidfile="]
    command += ["--scheduler=celery.beat:Scheduler"]
    with log.open("wb") as output:
        beat = subprocess.Popen(command, cwd=ROOT, env={**environment, "MYMOOLAH_PROCESS": "beat"}, stderr=output)
    try:
        wait_until(lambda: "beat: Starting" in log.read_text())
        with psycopg.connect(environment["DATABASE_URL"]) as connection:
            here = "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
            names = connection.execute(here).fetchall()
        assert ("mymoolah beat",) not in names
    finally:
        beat.terminate()
        beat.wait(timeout=60)


@pytest.mark.parametrize(("alias", "limits"), [("default", APP), ("owner", OWNER)])
def test_a_command_has_as_much_and_a_migration_gives_way_to_others(
    environment: dict[str, str], alias: str, limits: list[str]
) -> None:
    asking = f"from tests.shown import shown; print(shown({alias!r}))"
    said = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity=0", "-c", asking],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert json.loads(said) == ["mymoolah command", *limits]


def test_an_address_has_the_last_word(environment: dict[str, str]) -> None:
    """Where no PgBouncer stands between, a process can be given other limits; the roles' hold for all the rest."""
    own = " options='-c statement_timeout=7s' connect_timeout=1"
    told = {**environment, "DATABASE_URL": environment["DATABASE_URL"] + own}
    asking = "from tests.shown import shown; print(shown())"
    said = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity=0", "-c", asking],
        cwd=ROOT, env=told, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert json.loads(said)[NAMES.index("statement_timeout")] == "7s"


@pytest.mark.parametrize("run", ["app_sql", "owner_sql"])
def test_postgresql_logs_neither_a_statement_that_failed_nor_its_row(run: str, request: pytest.FixtureRequest) -> None:
    """Both hold what customers typed, and hashes of passwords."""
    sql: Sql = request.getfixturevalue(run)
    assert sql("SELECT current_setting('log_min_error_statement'), current_setting('log_error_verbosity')") == [
        ("panic", "terse")
    ]
