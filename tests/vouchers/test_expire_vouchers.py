"""The sweep of vouchers whose term is over: the service, its task and its command."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from mymoolah.celery import app
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from mymoolah.common.sql import read
from tests.conftest import Ledger, Person, Sql, balance, fund
from tests.tables import digests
from tests.transactions.legs import beside, wallet_of
from tests.vouchers.desk import CASH_OUT, EASYPAY_VOUCHER, STANDARD, TOP_UP, issue, many, redeem, spent, state_of, stop
from tests.vouchers.till import moves, payment, told
from transactions import posting
from vouchers import selectors
from vouchers.models import SuspenseItem, Voucher, VoucherTotal
from vouchers.services.ending import Sweep, expire_vouchers
from vouchers.tasks import expire_vouchers as task
from wallets.models import Hold, Wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]
GRACE = dt.timedelta(hours=72)
INSTANT = dt.timedelta(microseconds=1)
LONG_AGO = dt.timedelta(days=40)  # more than a till's month and three days, less than 36 months
EASYPAY = [TOP_UP, EASYPAY_VOUCHER, CASH_OUT]


@pytest.fixture
def rich(thandi: Person) -> Person:
    fund(thandi, "10000.00")
    return thandi


@pytest.fixture
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "BATCH", 3)


def old(who: Person, voucher_type: str = EASYPAY_VOUCHER, amount: str = "100.00", **named: Any) -> Voucher:
    """A voucher of a till that was due days ago."""
    return issue(who, voucher_type, amount, at=now() - LONG_AGO, **named)


def expired() -> set[int]:
    return set(Voucher.objects.filter(status="expired").values_list("pk", flat=True))


def run(*options: str) -> str:
    output = StringIO()
    call_command("expire_vouchers", *options, stdout=output)
    return output.getvalue().strip()


# What goes back -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("voucher_type", "moved"),
    [
        (STANDARD, {"thandi": "100.00", "voucher_liability": "-100.00"}),
        (TOP_UP, {}),
        (
            EASYPAY_VOUCHER,
            {"thandi": "102.88", "voucher_liability": "-100.00", "fee_income": "-2.50", "vat_control": "-0.38"},
        ),
        (CASH_OUT, {"thandi": ("0.00", "-109.20")}),
    ],
)
def test_what_was_paid_or_held_goes_back_to_its_issuer(rich: Person, voucher_type: str, moved: dict[str, Any]) -> None:
    voucher = issue(rich, voucher_type)
    with moves({rich if who == "thandi" else who: change for who, change in moved.items()}):
        assert expire_vouchers(now=voucher.expires_at + GRACE) == Sweep(expired=1, failed=0)
    assert state_of(voucher) == ("expired", Decimal(0))
    assert VoucherTotal.objects.get(user=rich.user).total_count == 0
    assert spent(rich) == (Decimal(0), Decimal(0))
    if voucher_type == CASH_OUT:
        assert Hold.objects.get().status == "expired"
    assert AuditEvent.objects.get(verb="voucher.expired").subject_id == str(voucher.public_id)
    after = digests()
    assert expire_vouchers(now=voucher.expires_at + GRACE) == Sweep(expired=0, failed=0)
    assert digests() == after


def test_a_standard_voucher_ends_with_its_term_and_those_of_tills_72_hours_later(rich: Person) -> None:
    standard = issue(rich)
    assert expire_vouchers(now=standard.expires_at - INSTANT).expired == 0
    assert expire_vouchers(now=standard.expires_at).expired == 1
    for voucher_type in EASYPAY:
        voucher = issue(rich, voucher_type)
        assert expire_vouchers(now=voucher.expires_at + GRACE - INSTANT).expired == 0
        assert expire_vouchers(now=voucher.expires_at + GRACE).expired == 1


def test_the_rest_of_a_voucher_goes_back(rich: Person, sipho: Person) -> None:
    voucher = issue(rich)
    redeem(sipho, voucher, "99.99")
    with moves({rich: "0.01", "voucher_liability": "-0.01"}):
        expire_vouchers(now=voucher.expires_at)
    assert balance(sipho) == Money.parse("99.99")


@pytest.mark.parametrize("voucher_type", [STANDARD, EASYPAY_VOUCHER, CASH_OUT])
def test_money_goes_back_to_a_frozen_wallet_a_full_one_and_a_suspended_customer(
    rich: Person, voucher_type: str
) -> None:
    voucher = issue(rich, voucher_type)
    fund(rich, "99000.00")
    stop(Wallet, rich, "frozen")
    stop(User, rich, "suspended")
    assert expire_vouchers(now=voucher.expires_at + GRACE) == Sweep(expired=1, failed=0)
    assert (balance(rich), wallet_of(rich).held) == (Money.parse("109000.00"), 0)


@pytest.mark.parametrize(
    ("voucher_type", "moved"),
    [
        (STANDARD, {"voucher_liability": "-100.00", "suspense": "100.00"}),
        (
            EASYPAY_VOUCHER,
            {"voucher_liability": "-100.00", "fee_income": "-2.50", "vat_control": "-0.38", "suspense": "102.88"},
        ),
    ],
)
def test_a_closed_wallets_money_goes_to_suspense_with_its_fees(
    thandi: Person, voucher_type: str, moved: dict[Person | str, str]
) -> None:
    fund(thandi, moved["suspense"])
    voucher = issue(thandi, voucher_type)
    stop(Wallet, thandi, "closed")
    with moves({**moved}):
        assert expire_vouchers(now=voucher.expires_at + GRACE) == Sweep(expired=1, failed=0)
    item = SuspenseItem.objects.get()
    assert (item.reason, item.direction, item.amount) == (
        "wallet_closed",
        "owed_to_customer",
        Decimal(moved["suspense"]),
    )
    assert (item.voucher, item.user, item.currency) == (voucher, thandi.user, "ZAR")
    assert item.transfer.group_id == item.transfer_id


@pytest.mark.parametrize("voucher_type", EASYPAY)
def test_one_that_waits_for_finance_waits(rich: Person, voucher_type: str) -> None:
    voucher = issue(rich, voucher_type)
    told(payment(voucher, "99.99"))
    due = voucher.expires_at + GRACE + dt.timedelta(days=365)
    before = digests()
    assert expire_vouchers(now=due) == Sweep(expired=0, failed=0)
    assert selectors.due_totals(now=due) == []
    assert digests() == before


def test_a_report_that_comes_between_the_look_and_the_end_keeps_it(
    rich: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    voucher = issue(rich, EASYPAY_VOUCHER)
    due = voucher.expires_at + GRACE
    told(payment(voucher, "99.99"))
    monkeypatch.setattr(selectors, "due_vouchers", lambda **_: iter([voucher.pk]))
    assert expire_vouchers(now=due) == Sweep(expired=0, failed=0)
    assert state_of(voucher)[0] == "active"


# Which, and how many ------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("short_batches")
def test_the_longest_overdue_go_first_and_no_more_than_asked_for(rich: Person) -> None:
    ids = [issue(rich, CASH_OUT, at=now() - dt.timedelta(days=days)).pk for days in (41, 44, 42, 45, 43, 47, 46)]
    seen: list[int] = []
    assert expire_vouchers(now=now(), limit=5, advance=seen.append).expired == 5
    assert expired() == {ids[5], ids[6], ids[3], ids[1], ids[4]}
    assert sum(seen) == 5
    assert expire_vouchers(now=now()).expired == 2


@pytest.mark.usefixtures("short_batches")
def test_many_that_end_at_one_moment_are_all_found(rich: Person) -> None:
    moment = now() - LONG_AGO
    for _ in range(10):
        issue(rich, CASH_OUT, "50.00", at=moment)
    assert expire_vouchers(now=now()).expired == 10


@pytest.mark.usefixtures("short_batches")
def test_sweeps_at_once_end_each_voucher_once(rich: Person, sipho: Person, race: Race) -> None:
    fund(sipho, "10000.00")
    for who in (rich, sipho):
        for voucher_type in (EASYPAY_VOUCHER, CASH_OUT):
            for _ in range(8):
                old(who, voucher_type)
    sweeps = race(6, lambda: expire_vouchers(now=now()))
    assert (sum(sweep.expired for sweep in sweeps), sum(sweep.failed for sweep in sweeps)) == (32, 0)
    assert len(expired()) == 32
    for who in (rich, sipho):
        assert (balance(who), wallet_of(who).held) == (Money.parse("10000.00"), 0)


def test_one_that_somebody_is_at_is_left_alone_and_does_not_hold_up_the_rest(rich: Person, sipho: Person) -> None:
    fund(sipho, "1000.00")
    busy, free = old(rich), old(sipho)
    with beside() as other:
        other.execute("SELECT id FROM vouchers WHERE id = %s FOR NO KEY UPDATE", [busy.pk])
        assert expire_vouchers(now=now()) == Sweep(expired=1, failed=0)
        assert expired() == {free.pk}
        other.rollback()
    assert expire_vouchers(now=now()) == Sweep(expired=1, failed=0)


@pytest.mark.usefixtures("short_batches")
def test_those_that_fail_are_logged_and_do_not_stop_the_rest(
    rich: Person, sipho: Person, caplog: pytest.LogCaptureFixture
) -> None:
    fund(sipho, "1000.00")
    stuck = [old(rich).pk for _ in range(4)]
    free = [old(sipho).pk for _ in range(4)]
    posting.call("SELECT set_config('lock_timeout', '50ms', false)")
    with beside() as other, caplog.at_level(logging.ERROR, "vouchers.services.ending"):
        other.execute("SELECT id FROM wallets WHERE id = %s FOR NO KEY UPDATE", [rich.wallet.pk])
        assert expire_vouchers(now=now()) == Sweep(expired=4, failed=4)
        assert expired() == set(free)
        with pytest.raises(CommandError, match="4 vouchers could not be expired"):
            run()
    assert [record.args for record in caplog.records[:4]] == [(voucher_id,) for voucher_id in stuck]
    assert expire_vouchers(now=now()) == Sweep(expired=4, failed=0)


def test_one_that_no_release_has_offered_fails_alone(
    rich: Person, ledger: Ledger, admin_sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.is_broken = True
    strange, known = old(rich), old(rich)
    admin_sql("UPDATE vouchers SET currency = 'USD' WHERE id = %s", strange.pk)
    with caplog.at_level(logging.ERROR):
        assert expire_vouchers(now=now()) == Sweep(expired=1, failed=1)
    assert expired() == {known.pk}


def test_what_is_due_is_found_by_its_index_however_many_live(
    rich: Person, ledger: Ledger, owner_sql: Sql, app_sql: Sql, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ledger.is_broken = True  # nobody has paid for those of the future
    many(app_sql, rich, 5000, "active")
    due = issue(rich, TOP_UP, at=now() - LONG_AGO)
    owner_sql("VACUUM ANALYZE vouchers")
    asked: dict[str, Any] = {
        "standard_until": now(),
        "easypay_until": now() - GRACE,
        "last_at": now() - LONG_AGO,
        "last_id": 0,
    }
    for name in ("due_vouchers.sql", "due_totals.sql"):
        with connections["default"].cursor() as cursor:
            cursor.execute("EXPLAIN " + read("vouchers", f"queries/{name}"), {**asked, "most": 500})
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "ix_vouchers_live_expiry" in plan, plan
        assert "Seq Scan on vouchers" not in plan, plan
    # Where to look; savepoints aside, the voucher, whether finance looks into it, its wallet, its end, the event.
    with django_assert_num_queries(8):
        assert expire_vouchers(now=now()).expired == 1
    assert expired() == {due.pk}


# The task and the command -------------------------------------------------------------------------------------------
def test_the_task_may_run_twice_and_beat_starts_it_every_five_minutes(rich: Person) -> None:
    due = old(rich)
    task()
    task()
    assert expired() == {due.pk}
    assert settings.CELERY_BEAT_SCHEDULE["expire-vouchers"] == {
        "task": task.name,
        "schedule": 300.0,
        "options": {"expires": 300},
    }
    limits = (app.tasks[task.name].soft_time_limit, app.tasks[task.name].time_limit)
    assert limits == (240, 270)


def test_a_dry_run_tells_how_many_of_each_type_and_how_much_and_changes_nothing(rich: Person) -> None:
    for voucher_type in EASYPAY:
        old(rich, voucher_type)
        old(rich, voucher_type, "1500.50")
    issue(rich)
    issue(rich, TOP_UP)
    before = digests()
    assert run("--dry-run").splitlines() == [
        "easypay_cashout: 2; 1,618.90 ZAR would go back",
        "easypay_topup: 2; 0.00 ZAR would go back",
        "easypay_voucher: 2; 1,606.26 ZAR would go back",
        "6 vouchers due; nothing was done.",
    ]
    assert json.loads(run("--dry-run", "--json")) == {
        "due": 6,
        "by_type": [
            {"voucher_type": "easypay_cashout", "currency": "ZAR", "count": 2, "amount": "1618.90"},
            {"voucher_type": "easypay_topup", "currency": "ZAR", "count": 2, "amount": "0.00"},
            {"voucher_type": "easypay_voucher", "currency": "ZAR", "count": 2, "amount": "1606.26"},
        ],
    }
    assert digests() == before
    wallet = wallet_of(rich)
    promised = Decimal("1618.90") + Decimal("1606.26")
    available = wallet.balance - wallet.held
    assert json.loads(run("--json"))["expired"] == 6
    wallet = wallet_of(rich)
    assert wallet.balance - wallet.held == available + promised


def test_the_command_says_how_many_it_ended(rich: Person) -> None:
    assert run("--dry-run") == "0 vouchers due; nothing was done."
    old(rich)
    assert run() == "Expired 1 voucher."
    assert run() == "Expired 0 vouchers."
    assert json.loads(run("--json")) == {"due": 0, "by_type": [], "expired": 0, "failed": 0}
    assert run("--verbosity", "0") == ""
