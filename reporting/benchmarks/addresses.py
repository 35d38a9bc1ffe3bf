"""Where the databases are: as libpq connection strings, for programs and connections beside Django's own."""

from __future__ import annotations

from django.db import connections
from psycopg.conninfo import make_conninfo

PARTS = ("host", "port", "user", "password", "dbname")


def conninfo(alias: str, *, database: str | None = None) -> str:
    """How `alias` (`default` is the app, `owner` the owner) reaches its database, or another one on its server."""
    known = connections[alias].get_connection_params()
    parts = {part: known[part] for part in PARTS if known.get(part)}
    return make_conninfo(**parts | ({"dbname": database} if database else {}))
