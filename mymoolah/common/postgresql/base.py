"""What happens when a connection is lost, between two requests or in the middle of one.

- *Between them*: a restarted server has said goodbye to every connection that lies in the pool. Whoever takes one from
  there looks whether anything came in, which is a question to the kernel of this machine and not to the server, and
  takes another. Nothing was sent yet: so this is safe for writes, too.
- *In the middle*: nobody knows whether a statement was carried out whose answer is missing. Outside of a transaction it
  is asked once more on a new connection, in a transaction that is READ ONLY: so PostgreSQL itself decides what is a
  read, and a write is never done twice. What it refuses, and whatever else goes wrong then, leaves the first error.

Inside a transaction nothing is asked again: what it has seen and done is gone, and who opened it decides.
"""

from __future__ import annotations

import select
from typing import Any, Final

import psycopg
from django.db import Error, OperationalError
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg_pool import ConnectionPool

# PgBouncer says so to whom it has let wait for a connection of the server as long as it may: he would wait again.
PUT_OUT: Final = "query_wait_timeout"


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        while self.pool is not None and not is_alive(connection):
            connection.close()
            self.pool.putconn(connection)  # it makes another one in its place
            connection = super().get_new_connection(conn_params)
        return connection

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        return Cursor(cursor, self)


class Cursor(CursorWrapper):
    """Reads once more what a lost connection has left unanswered."""

    def _execute(self, sql: Any, params: Any, *ignored: Any) -> Any:
        try:
            return super()._execute(sql, params, *ignored)  # type: ignore[misc]  # the stubs leave it out
        except OperationalError as lost:
            is_alone = self.db.autocommit and not self.db.in_atomic_block
            if not is_alone or not self.cursor.connection.broken or PUT_OUT in str(lost):
                raise
            try:
                return self._read_again(sql, params)
            except Error:
                raise lost from lost.__cause__

    def _read_again(self, sql: Any, params: Any) -> Any:
        self.db.close()
        self.db.ensure_connection()
        self.cursor = self.db.create_cursor()
        connection = self.db.connection
        with self.db.wrap_database_errors:
            connection.read_only = True
            try:
                with connection.transaction():
                    return self.cursor.execute(sql, params)
            finally:
                connection.read_only = None


def is_alive(connection: psycopg.Connection[Any]) -> bool:
    """Whether a connection that was idle can be used. Nobody is asked unless something has come in on it."""
    if connection.closed:
        return False
    incoming = select.poll()
    incoming.register(connection.fileno(), select.POLLIN)
    if not incoming.poll(0):
        return True
    try:
        ConnectionPool.check_connection(connection)  # it may have been a notice
    except psycopg.Error:
        return False
    return True
