"""The sweep of holds whose time has come: the service, its task and its command."""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import DjangoAssertNumQueries

from mymoolah.celery import app
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from mymoolah.common.sql import read
from tests.conftest import Person, Sql, fund, person
from tests.transactions.legs import beside, wallet_of
from transactions import holds, posting
from transactions.holds import Sweep
from transactions.tasks import expire_holds as task
from wallets import services as wallet_services
from wallets.models import Hold

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]
HOUR = dt.timedelta(hours=1)


def hold(who: Person, amount: str, *, due: dt.timedelta | None, purpose: str = "taxi") -> int:
    """A hold whose time came `due` ago."""
    hold_id = holds.next_hold_id()
    holds.place(
        hold_id=hold_id,
        public_id=uuid.uuid4(),
        wallet_id=who.wallet.pk,
        amount=Money.parse(amount, who.wallet.currency),
        purpose=purpose,
        expires_at=None if due is None else now() - due,
    )
    return hold_id


def expired() -> set[int]:
    return set(Hold.objects.filter(status="expired").values_list("pk", flat=True))


def run(*options: str) -> str:
    output = StringIO()
    call_command("expire_holds", *options, stdout=output)
    return output.getvalue().strip()


@pytest.fixture
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "BATCH", 3)


def test_what_is_past_its_time_is_freed_and_nothing_else(thandi: Person) -> None:
    fund(thandi, "100.00")
    due = hold(thandi, "10.00", due=HOUR)
    hold(thandi, "20.00", due=-HOUR)
    hold(thandi, "30.00", due=None, purpose="voucher:1")

    assert holds.expire_holds(now=now()) == Sweep(expired=1, failed=0)
    assert expired() == {due}
    assert wallet_of(thandi).held == Decimal("50.00")
    assert holds.expire_holds(now=now()) == Sweep(expired=0, failed=0)


def test_money_of_each_currency_is_freed_where_it_was_held(thandi: Person) -> None:
    wallet_services.open_house_wallets(currency="USD")
    sipho = person("sipho", currency="USD")
    for who in (thandi, sipho):
        fund(who, "100.00")
        hold(who, "10.00", due=HOUR)
    assert holds.expire_holds(now=now()).expired == 2
    assert (wallet_of(thandi).held, wallet_of(sipho).held) == (0, 0)


def test_the_database_decides_by_its_own_clock(thandi: Person) -> None:
    fund(thandi, "100.00")
    hold(thandi, "10.00", due=-HOUR)
    assert holds.expire_holds(now=now() + 2 * HOUR) == Sweep(expired=0, failed=0)


@pytest.mark.usefixtures("short_batches")
def test_the_longest_overdue_go_first_and_no_more_than_asked_for(thandi: Person) -> None:
    fund(thandi, "100.00")
    ids = [hold(thandi, "1.00", due=hours * HOUR) for hours in (1, 4, 2, 5, 3, 7, 6)]
    seen: list[int] = []
    assert holds.expire_holds(now=now(), limit=5, advance=seen.append).expired == 5
    assert expired() == {ids[5], ids[6], ids[3], ids[1], ids[4]}
    assert sum(seen) == 5
    assert holds.expire_holds(now=now()).expired == 2


@pytest.mark.usefixtures("short_batches")
def test_many_that_end_at_one_moment_are_all_found(thandi: Person) -> None:
    fund(thandi, "100.00")
    moment = now() - HOUR
    for _ in range(10):
        holds.place(
            hold_id=holds.next_hold_id(),
            public_id=uuid.uuid4(),
            wallet_id=thandi.wallet.pk,
            amount=Money.parse("1.00"),
            purpose="taxi",
            expires_at=moment,
        )
    assert holds.expire_holds(now=now()).expired == 10


@pytest.mark.usefixtures("short_batches")
def test_sweeps_at_once_expire_each_hold_once(thandi: Person, sipho: Person, race: Race) -> None:
    for who in (thandi, sipho):
        fund(who, "100.00")
        for minutes in range(1, 21):
            hold(who, "5.00", due=dt.timedelta(minutes=minutes))
    sweeps = race(6, lambda: holds.expire_holds(now=now()))
    assert (sum(sweep.expired for sweep in sweeps), sum(sweep.failed for sweep in sweeps)) == (40, 0)
    assert len(expired()) == 40
    assert (wallet_of(thandi).held, wallet_of(sipho).held) == (0, 0)


def test_a_hold_that_somebody_is_at_is_left_alone_and_does_not_hold_up_the_rest(thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    fund(sipho, "100.00")
    busy, free = (hold(who, "10.00", due=HOUR) for who in (thandi, sipho))
    with beside() as other:
        other.execute("SELECT void_hold(%s, 'voided', false, NULL)", [busy])
        assert holds.expire_holds(now=now()) == Sweep(expired=1, failed=0)
        assert expired() == {free}
        other.rollback()
    assert holds.expire_holds(now=now()) == Sweep(expired=1, failed=0)


@pytest.mark.usefixtures("short_batches")
def test_holds_that_fail_are_logged_and_do_not_stop_the_rest(
    thandi: Person, sipho: Person, caplog: pytest.LogCaptureFixture
) -> None:
    fund(thandi, "100.00")
    fund(sipho, "100.00")
    stuck = [hold(thandi, "10.00", due=2 * HOUR) for _ in range(4)]
    free = [hold(sipho, "10.00", due=HOUR) for _ in range(4)]
    posting.call("SELECT set_config('lock_timeout', '50ms', false)")
    with beside() as other, caplog.at_level(logging.ERROR, "transactions.holds"):
        other.execute("SELECT id FROM wallets WHERE id = %s FOR NO KEY UPDATE", [thandi.wallet.pk])
        assert holds.expire_holds(now=now()) == Sweep(expired=4, failed=4)
        assert expired() == set(free)
        with pytest.raises(CommandError, match="4 holds could not be expired"):
            run()
    assert [record.args for record in caplog.records[:4]] == [(hold_id,) for hold_id in stuck]
    assert holds.expire_holds(now=now()) == Sweep(expired=4, failed=0)


def test_what_is_due_is_found_by_its_index_however_many_are_held(
    thandi: Person, owner_sql: Sql, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fund(thandi, "100.00")
    hold(thandi, "0.01", due=HOUR)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(place_hold(nextval('holds_id_seq'), gen_random_uuid(), %s, 0.01, 'ZAR', 'taxi', "
            "now() + i * interval '1 minute', NULL, NULL, NULL)) FROM generate_series(1, 3000) AS i",
            [thandi.wallet.pk],
        )
    owner_sql("ANALYZE holds")
    asked: dict[str, Any] = {"now": now(), "last_at": now() - 2 * HOUR, "last_id": 0, "most": 500}
    with connections["default"].cursor() as cursor:
        cursor.execute("EXPLAIN " + read("transactions", "queries/due_holds.sql"), asked)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "ix_holds_expiry" in plan, plan
    with django_assert_num_queries(2):  # where to look, and the one hold
        assert holds.expire_holds(now=now()).expired == 1


# The task and the command -------------------------------------------------------------------------------------------
def test_the_task_may_run_twice_and_beat_starts_it_every_minute(thandi: Person) -> None:
    fund(thandi, "100.00")
    due = hold(thandi, "10.00", due=HOUR)
    task()
    task()
    assert expired() == {due}
    assert settings.CELERY_BEAT_SCHEDULE["expire-holds"] == {
        "task": task.name,
        "schedule": 60.0,
        "options": {"expires": 60},
    }
    limits = (app.tasks[task.name].soft_time_limit, app.tasks[task.name].time_limit)
    assert limits == (120, 150)


def test_the_command_says_how_many_it_freed(thandi: Person) -> None:
    fund(thandi, "100.00")
    for _ in range(2):
        hold(thandi, "10.00", due=HOUR)
    assert run("--dry-run") == "2 holds due; nothing was done."
    assert json.loads(run("--dry-run", "--json")) == {"due": 2}
    assert not expired()
    assert json.loads(run("--json")) == {"due": 2, "expired": 2, "failed": 0}
    hold(thandi, "10.00", due=HOUR)
    assert run() == "Expired 1 hold."
    assert run() == "Expired 0 holds."
    assert run("--verbosity", "0") == ""
