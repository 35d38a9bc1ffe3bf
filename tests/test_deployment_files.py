"""What is deployed: the compose file, the image, and the servers' configuration."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from tests.pgbouncer import pgbouncer

ROOT = Path(__file__).resolve().parent.parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
APP_SERVICES = ["migrate", "web", "worker", "beat"]
SERVICES = {"postgres", "pgbouncer", "redis", "cache", *APP_SERVICES}
SECRETS = {
    "EASYPAY_SECRET",
    "MYMOOLAH_APP_PASSWORD",
    "MYMOOLAH_BLIND_INDEX_KEY",
    "MYMOOLAH_ENCRYPTION_KEYS",
    "MYMOOLAH_METRICS_TOKEN",
    "MYMOOLAH_OWNER_PASSWORD",
    "MYMOOLAH_SECRET_KEY",
    "MYMOOLAH_SIGNING_KEYS",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
}

OPTIONAL_SECRETS = {"MYMOOLAH_LLM_KEY"}  # what it opens is not wanted by everybody


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
    return loaded


def instructions(path: Path) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, in order, continued lines joined."""
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def requirement_lines(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


def test_the_compose_file_follows_the_compose_specification() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE_FILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_compose_file_has_every_service_and_no_other(services: dict[str, dict[str, Any]]) -> None:
    assert services.keys() == SERVICES


@pytest.mark.parametrize("name", sorted(SERVICES - {"migrate"}))
def test_every_lasting_service_has_a_health_check_and_comes_back(
    services: dict[str, dict[str, Any]], name: str
) -> None:
    assert services[name]["healthcheck"]["test"]
    assert services[name]["restart"] == "unless-stopped"


def test_migrate_runs_once_before_web_worker_and_beat(services: dict[str, dict[str, Any]]) -> None:
    assert services["migrate"]["restart"] == "no"
    assert "migrate" in services["migrate"]["command"]
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_container_can_gain_privileges(services: dict[str, dict[str, Any]], name: str) -> None:
    assert services[name]["security_opt"] == ["no-new-privileges:true"]
    assert not services[name].get("privileged")


@pytest.mark.parametrize("name", sorted(SERVICES - {"postgres"}))
def test_containers_cannot_change_themselves(services: dict[str, dict[str, Any]], name: str) -> None:
    assert services[name]["read_only"] is True
    assert services[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_secret_comes_from_outside(services: dict[str, dict[str, Any]], name: str) -> None:
    """A variable whose name speaks of a secret is nothing but a reference, which refuses to be empty if it is needed."""
    for variable, value in services[name].get("environment", {}).items():
        if variable in SECRETS:
            assert value == f"${{{variable}:?set {variable} in .env}}"
        elif variable in OPTIONAL_SECRETS:
            assert value == f"${{{variable}:-}}"
        else:
            assert not re.search(r"PASSWORD|SECRET|KEY", variable), f"{variable} is not in the list of secrets"


def test_no_address_carries_a_literal_password() -> None:
    """In postgresql://role:password@host the password is a reference."""
    passwords = re.findall(r"://[^:/\s]*:([^@]*)@", COMPOSE_FILE.read_text())
    assert len(passwords) == 5
    assert all(re.fullmatch(r"\$\{(\w+):\?set \1 in \.env\}", password) for password in passwords)


def test_the_example_names_every_secret_and_gives_none() -> None:
    lines = (ROOT / "deploy" / "example.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert given.keys() >= SECRETS | OPTIONAL_SECRETS
    assert {given[name] for name in SECRETS | OPTIONAL_SECRETS} == {""}


def test_everything_the_compose_file_asks_for_stands_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", COMPOSE_FILE.read_text()))
    named = set(re.findall(r"^(\w+)=", (ROOT / "deploy" / "example.env").read_text(), flags=re.MULTILINE))
    assert asked <= named


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_only_migrate_may_be_the_owner(services: dict[str, dict[str, Any]], name: str) -> None:
    environment = services[name]["environment"]
    assert "DATABASE_OWNER_URL" not in environment
    assert "OWNER" not in str(environment)
    assert environment["DATABASE_URL"].startswith("postgresql://mymoolah_app:")
    assert environment["DATABASE_URL"].endswith("@pgbouncer:6432/mymoolah")


def test_migrate_goes_straight_to_postgresql(services: dict[str, dict[str, Any]]) -> None:
    owner_url = services["migrate"]["environment"]["DATABASE_OWNER_URL"]
    assert owner_url.startswith("postgresql://mymoolah_owner:")
    assert owner_url.endswith("@postgres:5432/mymoolah")


def test_app_services_run_on_production_settings(services: dict[str, dict[str, Any]]) -> None:
    assert {services[name]["environment"]["MYMOOLAH_ENV"] for name in APP_SERVICES} == {"production"}


def test_only_web_is_reachable_and_only_from_this_machine(services: dict[str, dict[str, Any]]) -> None:
    assert {name for name in SERVICES if "ports" in services[name]} == {"web"}
    assert all(port.startswith("127.0.0.1:") for port in services["web"]["ports"])


def test_every_mounted_file_exists(services: dict[str, dict[str, Any]]) -> None:
    mounts = [volume for service in services.values() for volume in service.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert files
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_pgbouncer_shares_connections_by_transaction_and_keeps_no_secret() -> None:
    parser = configparser.ConfigParser(comment_prefixes=(";",), interpolation=None)
    parser.read(ROOT / "deploy" / "pgbouncer.ini")
    assert parser["pgbouncer"]["pool_mode"] == "transaction"
    assert parser["pgbouncer"]["auth_type"] == "scram-sha-256"
    assert "password" not in dict(parser["databases"])["mymoolah"]


@pytest.fixture
def pgbouncer_port() -> Iterator[int]:
    """PgBouncer as the compose file starts it, but for its port and a PostgreSQL that is not there."""
    with pgbouncer(host="/nowhere", dbname="mymoolah", password='say "friend"') as port:
        yield port


def answer_to_sign_in(*, port: int, user: str, password: str) -> str:
    """What PgBouncer says to somebody who signs in; it is given five seconds to start."""
    deadline = time.monotonic() + 5
    while True:
        with pytest.raises(psycopg.OperationalError) as refused:
            psycopg.connect(host="127.0.0.1", port=port, dbname="mymoolah", user=user, password=password)
        if "Connection refused" not in str(refused.value) or time.monotonic() > deadline:
            return str(refused.value)
        time.sleep(0.05)


def test_pgbouncer_lets_the_app_in_and_nobody_else(pgbouncer_port: int) -> None:
    """Whoever signs in correctly gets as far as the PostgreSQL that is not there."""
    welcome = answer_to_sign_in(port=pgbouncer_port, user="mymoolah_app", password='say "friend"')
    assert "FATAL" in welcome
    assert "authentication" not in welcome
    for user, password in (("mymoolah_app", "guessed"), ("mymoolah_owner", 'say "friend"'), ("postgres", "")):
        refusal = answer_to_sign_in(port=pgbouncer_port, user=user, password=password)
        assert "authentication failed" in refusal or "no password supplied" in refusal


def test_the_image_runs_as_somebody_without_rights() -> None:
    users = [rest for name, rest in instructions(ROOT / "Dockerfile") if name == "USER"]
    assert users[-1:] == ["moolah"]


def test_the_image_is_slim_and_checks_its_own_health() -> None:
    found = instructions(ROOT / "Dockerfile")
    assert all("-slim" in rest for name, rest in found if name == "FROM")
    assert [rest for name, rest in found if name == "HEALTHCHECK"] != []


def test_the_image_carries_no_secret() -> None:
    """Neither in the Dockerfile, nor by copying more than the ignore file lets through."""
    for name, rest in instructions(ROOT / "Dockerfile"):
        assert not (name in {"ARG", "ENV"} and re.search(r"PASSWORD|SECRET|KEY|TOKEN|URL", rest))
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    assert not any(line.startswith("!") and re.search(r"\.env|\.data|secret", line) for line in lines)


INSTALLED_TOGETHER = ("requirements.txt", "requirements-otel.txt", "requirements-dev.txt")


@pytest.mark.parametrize("name", [*INSTALLED_TOGETHER, "requirements-load.txt"])
def test_every_requirement_is_pinned_and_says_what_it_is_for(name: str) -> None:
    pinned = re.compile(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9][^ ]* +# \S.+")
    assert [line for line in requirement_lines(ROOT / name) if not pinned.fullmatch(line)] == []


def test_constraints_agree_with_the_requirements() -> None:
    lines = [line for name in INSTALLED_TOGETHER for line in requirement_lines(ROOT / name)]
    wanted = {re.sub(r"\[.*\]", "", line.split()[0]).lower().replace("_", "-") for line in lines}
    constrained = {line.lower().replace("_", "-") for line in requirement_lines(ROOT / "constraints.txt")}
    assert wanted - constrained == set()
