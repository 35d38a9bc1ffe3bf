"""How `manage.py` starts: with servers of its own where none are named, and sentences where something is wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from mymoolah import launch
from mymoolah.common import embedded
from mymoolah.common.keys import KeyRing, development_keys

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="mm-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def environment(folder: Path, **more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name not in launch.SERVER_VARIABLES}
    return own | {"MYMOOLAH_DATA_DIR": str(folder)} | more


def manage(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment(folder, **more),
    )


@pytest.mark.slow
def test_a_command_starts_servers_migrates_them_and_stops_them(folder: Path) -> None:
    done = manage(folder, "verify_ledger")
    assert done.returncode == 0, done.stderr
    assert "checks hold" in done.stdout
    assert not embedded.are_running(folder)

    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", "print('up', flush=True); input()"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(folder),
    ) as busy:
        assert busy.stdout is not None
        assert busy.stdout.readline() == "up\n"
        assert embedded.are_running(folder)
        busy.send_signal(signal.SIGTERM)
        _, said = busy.communicate(timeout=60)
    assert (busy.returncode, said) == (128 + signal.SIGTERM, "")
    assert not embedded.are_running(folder)


def test_a_database_out_of_reach_is_a_sentence(folder: Path) -> None:
    away = {"DATABASE_URL": f"postgresql://mymoolah_app@/mymoolah?host={folder}", "REDIS_URL": "redis://nowhere"}
    done = manage(folder, "issue_token", "thandi@example.com", **away)
    assert done.returncode == 1
    assert done.stderr.startswith("The database cannot be reached: ")
    assert done.stderr.count("\n") == 1
    traced = manage(folder, "issue_token", "thandi@example.com", "--traceback", **away)
    assert "Traceback" in traced.stderr


@pytest.mark.parametrize(
    ("state", "unreachable"), [(None, True), ("08006", True), ("57P01", True), ("57014", False), ("40P01", False)]
)
def test_only_a_lost_connection_is_out_of_reach(state: str | None, unreachable: bool) -> None:
    cause = Exception()
    cause.sqlstate = state  # type: ignore[attr-defined]
    error = OperationalError()
    error.__cause__ = cause
    assert launch.is_unreachable(error) is unreachable


def test_help_needs_no_servers(folder: Path) -> None:
    assert manage(folder, "verify_ledger", "--help").returncode == 0
    assert [path.name for path in folder.iterdir()] == ["secrets.json"]


def test_fewer_proxies_than_none_stop_the_start(folder: Path) -> None:
    started = manage(folder, "check", MYMOOLAH_TRUSTED_PROXIES="-1", MYMOOLAH_ENV="build")
    assert started.returncode != 0
    assert "MYMOOLAH_TRUSTED_PROXIES is -1" in started.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("QUERY_LOG_SAMPLE_SHARE", "1.5"), ("QUERY_LOG_SLOW_MS", "0"), ("QUERY_LOG_KEPT_DAYS", "0")]
)
def test_a_record_of_query_times_that_makes_no_sense_stops_the_start(folder: Path, name: str, value: str) -> None:
    started = manage(folder, "check", MYMOOLAH_ENV="build", **{name: value})
    assert started.returncode != 0
    assert name in started.stderr


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--data-dir", "/x"], "/x"),
        (["--port", "1", "--data-dir=/x"], "/x"),
        (["--data", "/x"], "/x"),
        (["--data-dir"], None),
        ([], None),
    ],
)
def test_the_data_folder_of_a_demo_is_known_before_the_settings(options: list[str], found: str | None) -> None:
    assert launch.data_dir_option(["manage.py", "demo", *options]) == found


def test_keys_are_made_once(tmp_path: Path) -> None:
    made = development_keys(tmp_path / "new")
    assert made == development_keys(tmp_path / "new") != KeyRing.generate()
    assert (tmp_path / "new" / "secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"secret_key": "x"}'])
def test_damaged_keys_are_named_and_never_replaced(content: str, tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(content)
    with pytest.raises(ImproperlyConfigured, match=r"secrets\.json is damaged"):
        development_keys(tmp_path)
    assert (tmp_path / "secrets.json").read_text() == content
