"""Databases that live as long as a measurement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from reporting.benchmarks.addresses import conninfo

EXTENSIONS = """
SELECT e.extname
FROM pg_extension AS e
INNER JOIN pg_available_extension_versions AS v ON v.name = e.extname AND v.version = e.extversion
WHERE v.trusted
"""


@contextmanager
def database(name: str) -> Iterator[None]:
    """An empty database beside ours, dropped at the end; so is what a run that was killed has left behind.

    It has the extensions of ours, but for those that only a superuser can make.
    """
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    home = str(connections["owner"].settings_dict["NAME"])
    try:
        with owner(home) as connection:
            connection.execute(drop)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            extensions = [row[0] for row in connection.execute(EXTENSIONS).fetchall()]
        with owner(name) as connection:
            for extension in extensions:
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
        yield
    finally:
        with owner(home) as connection:
            connection.execute(drop)


@contextmanager
def migrated(name: str) -> Iterator[None]:
    """Migrate that database, and let Django's connections lead there meanwhile."""
    home = str(connections["owner"].settings_dict["NAME"])
    try:
        _use(name)
        call_command("migrate", verbosity=0)
        yield
    finally:
        _use(home)


@contextmanager
def owner(name: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to that database as its owner; each statement commits."""
    with psycopg.connect(conninfo("owner", database=name), autocommit=True) as connection:
        yield connection


def _use(name: str) -> None:
    for alias in ("default", "owner"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
