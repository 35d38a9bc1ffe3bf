from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).parents[2]
NOT_SECRET = {
    "DATABASE_REPLICA_URL",
    "MYMOOLAH_ALLOWED_HOSTS",
    "MYMOOLAH_TRUSTED_ORIGINS",
    "MYMOOLAH_CORS_ORIGINS",
    "MYMOOLAH_EMAIL_URL",
    "MYMOOLAH_EMAIL_FROM",
    "MYMOOLAH_SMS_BACKEND",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "MYMOOLAH_OPERATORS_MAIL",
    "MYMOOLAH_LLM_URL",
    "MYMOOLAH_LLM_KEY",  # somebody else makes it
    "MYMOOLAH_LLM_MODEL",
}


def generated(*options: str) -> str:
    output = StringIO()
    call_command("generate_secrets", *options, stdout=output)
    return output.getvalue()


def lines_of(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", text, flags=re.MULTILINE))


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "MYMOOLAH_ENV": "production", **environment},
    )


def test_every_secret_of_the_example_is_made() -> None:
    example = lines_of((ROOT / "deploy" / "example.env").read_text())
    assert lines_of(generated()).keys() == {name for name, value in example.items() if not value} - NOT_SECRET


def test_no_two_values_are_alike() -> None:
    values = [*lines_of(generated()).values(), *lines_of(generated()).values()]
    assert len(set(values)) == len(values)
    assert all(len(value) >= 32 for value in values)


def test_passwords_can_stand_in_addresses() -> None:
    made = lines_of(generated())
    passwords = [value for name, value in made.items() if name.endswith("PASSWORD")]
    assert len(passwords) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", password) for password in passwords)


def test_json_names_the_same() -> None:
    assert json.loads(generated("--json")).keys() == lines_of(generated()).keys()


def test_they_are_made_where_there_are_none_yet_and_production_starts_with_them() -> None:
    made = manage("generate_secrets")
    assert (made.returncode, made.stderr) == (0, "")
    checked = manage(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        **lines_of(made.stdout),
        DATABASE_URL="postgresql://mymoolah_app:x@nowhere/mymoolah",
        REDIS_URL="redis://nowhere",
        MYMOOLAH_READ_CACHE_URL="redis://elsewhere",
        MYMOOLAH_ALLOWED_HOSTS="bank.example",
        MYMOOLAH_DOCUMENTS_DIR="/nowhere/documents",
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MYMOOLAH_BLIND_INDEX_KEY", "***"),
        ("MYMOOLAH_BLIND_INDEX_KEY", "correct horse battery staple"),
        ("MYMOOLAH_ENCRYPTION_KEYS", ","),
        ("MYMOOLAH_ENCRYPTION_KEYS", "1:c2hvcnQ="),
        ("MYMOOLAH_SIGNING_KEYS", ","),
        ("EASYPAY_SECRET", ","),
        ("EASYPAY_SECRET", "till"),
        ("MYMOOLAH_METRICS_TOKEN", "x"),
        ("MYMOOLAH_SECRET_KEY", "secret"),
        ("MYMOOLAH_BROKER_URL", "unix:///run/redis.sock"),
    ],
)
def test_production_does_not_start_with_what_is_no_secret_and_does_not_tell_it(name: str, value: str) -> None:
    named = {
        **lines_of(generated()),
        "DATABASE_URL": "postgresql://mymoolah_app:x@nowhere/mymoolah",
        "REDIS_URL": "redis://nowhere",
        "MYMOOLAH_READ_CACHE_URL": "redis://elsewhere",
        "MYMOOLAH_DOCUMENTS_DIR": "/nowhere/documents",
    }
    started = manage("check", **{**named, name: value})
    assert (started.returncode, started.stderr.startswith(name)) == (1, True), started.stderr
    assert len(value) < 4 or value not in started.stderr
