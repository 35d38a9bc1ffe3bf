"""A connection that is lost in the middle: what PostgreSQL takes for a read is read again, and nothing is done twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from tests.conftest import ADMIN_URL, Ledger, Person, balance, fund, send
from transactions.models import Transfer

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Kill = Callable[[], None]


@pytest.fixture
def kill(ledger: Ledger) -> Iterator[Kill]:
    """End our own connection, as a restart of the server does."""
    if ADMIN_URL not in os.environ:
        pytest.skip(f"{ADMIN_URL} is not set")
    with psycopg.connect(os.environ[ADMIN_URL], autocommit=True) as admin:

        def end() -> None:
            connection.ensure_connection()
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])

        yield end


def asked(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())


def test_a_read_is_read_again(thandi: Person, kill: Kill) -> None:
    fund(thandi, "100.00")
    kill()
    assert balance(thandi).amount == 100
    kill()
    assert asked("SELECT balance::text FROM wallets WHERE id = %s", thandi.wallet.pk) == [("100.00",)]
    # Whoever comes next may write.
    assert asked("SHOW transaction_read_only") == [("off",)]
    fund(thandi, "1.00")


def test_a_read_in_a_transaction_is_not(thandi: Person, kill: Kill) -> None:
    @transaction.atomic
    def look_twice() -> None:
        balance(thandi)
        kill()
        balance(thandi)

    with pytest.raises(OperationalError):
        look_twice()
    assert balance(thandi).amount == 0


def test_a_write_is_not_repeated_where_it_was_not_done(thandi: Person, sipho: Person, kill: Kill) -> None:
    fund(thandi, "100.00")
    kill()
    with pytest.raises(OperationalError):
        send(thandi, sipho, "10.00", key="k")
    assert balance(sipho).amount == 0
    send(thandi, sipho, "10.00", key="k")
    assert balance(sipho).amount == 10


def test_a_write_is_not_repeated_where_it_was_done_and_nobody_heard(
    thandi: Person, sipho: Person, kill: Kill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again it would be refused for lack of money: the answer is that nobody knows, and the key finds out."""
    fund(thandi, "10.00")
    create = connection.create_cursor

    def losing(name: str | None = None) -> Any:
        cursor = create(name)
        execute = cursor.execute

        def execute_and_lose(statement: Any, params: Any = None) -> Any:
            monkeypatch.undo()
            execute(statement, params)
            kill()
            return cursor.connection.execute("SELECT 1")

        cursor.execute = execute_and_lose
        return cursor

    monkeypatch.setattr(connection, "create_cursor", losing)
    with pytest.raises(OperationalError):
        send(thandi, sipho, "10.00", key="k")
    assert [balance(who).amount for who in (thandi, sipho)] == [0, 10]
    before = Transfer.objects.count()
    assert send(thandi, sipho, "10.00", key="k").replayed
    assert Transfer.objects.count() == before


def test_what_fails_the_second_time_is_told_as_it_was_the_first(kill: Kill, monkeypatch: pytest.MonkeyPatch) -> None:
    kill()

    def refuse(*_: object) -> None:
        raise OperationalError("nobody is there")

    cursor = connection.cursor()
    with monkeypatch.context() as away:
        away.setattr(connection, "ensure_connection", refuse)
        with pytest.raises(OperationalError) as caught:
            cursor.execute("SELECT 1")
    assert "nobody is there" not in str(caught.value)
    assert asked("SELECT 1") == [(1,)]
