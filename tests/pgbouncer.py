"""Debian's PgBouncer, as deploy/pgbouncer.ini and deploy/pgbouncer.sh start it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[1] / "deploy"


@contextlib.contextmanager
def pgbouncer(*, host: str, dbname: str, password: str, default_pool_size: int = 50) -> Iterator[int]:
    """The port of one that leads to `dbname`, under the name of mymoolah, at a PostgreSQL elsewhere."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    if shutil.which("pgbouncer", path=path) is None:
        pytest.skip("no pgbouncer on this machine")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = (DEPLOY / "pgbouncer.ini").read_text()
        for standing, here in (
            ("/run/pgbouncer", name),
            ("6432", str(port)),
            ("host=postgres port=5432 dbname=mymoolah", f"host={host} dbname={dbname}"),
            ("default_pool_size = 50", f"default_pool_size = {default_pool_size}"),
        ):
            assert standing in config
            config = config.replace(standing, here)
        (folder / "pgbouncer.ini").write_text(config)
        if root:  # PgBouncer refuses to run as root
            shutil.chown(folder, "nobody")
            (folder / "pgbouncer.ini").chmod(0o644)
        process = subprocess.Popen(
            ["/bin/sh", "-c", (DEPLOY / "pgbouncer.sh").read_text()],
            stderr=subprocess.DEVNULL,
            cwd="/",
            user="nobody" if root else None,
            env={
                "PATH": path,
                "MYMOOLAH_APP_PASSWORD": password,
                "PGBOUNCER_USERS": str(folder / "userlist.txt"),
                "PGBOUNCER_CONFIG": str(folder / "pgbouncer.ini"),
            },
        )
        try:
            yield port
        finally:
            process.kill()
            process.wait()
