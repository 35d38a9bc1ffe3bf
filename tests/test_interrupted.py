"""Every service that moves money, stopped at each of its SQL statements in turn: nothing is half done, the connection
serves again, and asking again with the same key has one effect.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import Error, close_old_connections, connection

from accounts.audit import SYSTEM
from mymoolah.common.clock import now
from mymoolah.common.crypto import decrypt
from mymoolah.common.errors import Unavailable
from mymoolah.common.money import Money
from tests import proposals
from tests.conftest import ADMIN_URL, Ledger, Person, Sql, fund, person, send
from tests.staff import by, why
from tests.transactions.legs import decided
from tests.transactions.legs import key as named_key
from transactions import corrections, holds, posting
from transactions import services as transfers
from transactions.models import Kind
from transactions.posting import House, IdempotencyKey, Leg
from transactions.proposals import services as proposal_services
from vouchers.models import SuspenseItem, Voucher
from vouchers.numbers import CODE_CONTEXT
from vouchers.services import ending, issuing, redeeming, tills
from vouchers.services.resolving import bearing, releasing
from wallets.models import Wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

LOCK = 20_260_301  # an advisory lock that somebody else holds
FACE, MORE = Money.parse("60.00"), Money.parse("75.00")

Act = Callable[[IdempotencyKey], Any]


@dataclass
class World:
    thandi: Person
    sipho: Person
    admin: Sql

    def issue(self, voucher_type: str) -> Voucher:
        return issuing.issue_voucher(
            user_public_id=self.thandi.user.public_id,
            voucher_type=Voucher.Type(voucher_type),
            amount=FACE,
            key=fresh_key(),
            now=now(),
        ).voucher


def fresh_key() -> IdempotencyKey:
    return named_key(uuid.uuid4().hex)


# What is stopped ----------------------------------------------------------------------------------------------------
def transfer(world: World) -> Act:
    return lambda key: transfers.send_money(
        sender_wallet_id=world.thandi.wallet.pk,
        recipient_wallet_id=world.sipho.wallet.pk,
        amount=FACE,
        reference="Rent",
        user_id=world.thandi.user.pk,
        key=key,
    )


def issue(voucher_type: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        return lambda key: issuing.issue_voucher(
            user_public_id=world.thandi.user.public_id,
            voucher_type=Voucher.Type(voucher_type),
            amount=FACE,
            key=key,
            now=now(),
        )

    return prepare


def redeem(world: World) -> Act:
    sealed = world.issue("standard").code_encrypted
    assert sealed is not None
    code = decrypt(sealed, context=CODE_CONTEXT)
    return lambda key: redeeming.redeem_voucher(
        user_public_id=world.sipho.user.public_id,
        code=code,
        amount=Money.parse("25.00"),
        key=key,
        now=now(),
        origin=SYSTEM,
    )


def cancel(voucher_type: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        voucher = world.issue(voucher_type)
        return lambda key: ending.cancel_voucher(
            user_public_id=world.thandi.user.public_id,
            voucher_public_id=voucher.public_id,
            key=key,
            now=now(),
            origin=SYSTEM,
        )

    return prepare


def cancel_frozen(voucher_type: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        wallet = Wallet.objects.filter(pk=world.thandi.wallet.pk)
        wallet.update(status="active")
        act = cancel(voucher_type)(world)
        wallet.update(status="frozen")
        return act

    return prepare


def cancel_by_staff(voucher_type: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        voucher, origin = world.issue(voucher_type), by("support")
        return lambda key: ending.cancel_for_cause(
            voucher_public_id=voucher.public_id, why=why("stolen"), key=key, now=now(), origin=origin
        )

    return prepare


def cancel_for_customer(world: World) -> Act:
    voucher = world.issue("standard")
    return lambda key: ending.cancel_for_customer(
        voucher_public_id=voucher.public_id, decision=decided(), key=key, now=now(), origin=SYSTEM
    )


def expire(voucher_type: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        voucher = world.issue(voucher_type)
        past = now() - dt.timedelta(days=10)
        world.admin("UPDATE vouchers SET expires_at = %s WHERE id = %s", past, voucher.pk)
        return lambda _: completed(ending.expire_vouchers(now=now()))

    return prepare


def completed(sweep: Any) -> None:
    """A sweep goes on after a failure and says how many there were; here each is one."""
    if sweep.failed:
        raise Unavailable


def place_hold(world: World) -> Act:
    return lambda key: holds.place_hold(
        wallet_id=world.thandi.wallet.pk, amount=FACE, purpose="deposit", expires_at=None, key=key
    )


def hold_of(world: World, expires_at: dt.datetime | None = None) -> uuid.UUID:
    return holds.place_hold(
        wallet_id=world.thandi.wallet.pk, amount=FACE, purpose="deposit", expires_at=expires_at, key=fresh_key()
    ).public_id


def capture_hold(world: World) -> Act:
    public_id = hold_of(world)
    return lambda key: holds.capture_hold(
        hold_public_id=public_id, target=world.sipho.wallet.pk, amount=Money.parse("20.00"), key=key
    )


def void_hold(world: World) -> Act:
    public_id = hold_of(world)
    return lambda key: holds.void_hold(hold_public_id=public_id, key=key)


def expire_hold(world: World) -> Act:
    public_id = hold_of(world, now() + dt.timedelta(hours=1))
    world.admin("UPDATE holds SET expires_at = now() - interval '1 hour' WHERE public_id = %s", public_id)
    return lambda _: completed(holds.expire_holds(now=now()))


def reverse(world: World) -> Act:
    sent = send(world.thandi, world.sipho, "60.00")
    return lambda key: corrections.reverse_transfer(group_id=sent.transfer_id, decision=decided(), key=key)


def force_reversal(world: World) -> Act:
    sent = send(world.thandi, world.sipho, "60.00")
    drain(world.sipho)
    return lambda key: corrections.force_reversal(transfer_id=sent.transfer_id, decision=decided(), key=key)


def drain(who: Person) -> None:
    """Take away all he has, so that what he received is gone."""
    balance = Wallet.objects.get(pk=who.wallet.pk).balance
    if balance:
        house = House(Wallet.Kind.ADJUSTMENTS, who.wallet.pk)
        leg = Leg(kind=Kind.DEMO_MONEY, source=who.wallet.pk, target=house, amount=Money(balance))
        posting.post([leg])


def collect(world: World) -> Act:
    owed = force_reversal(world)(fresh_key())
    fund(world.sipho, "60.00")
    return lambda key: corrections.collect_receivable(
        receivable_public_id=owed.public_id, amount=Money.parse("10.00"), decision=decided(), key=key
    )


def adjust(world: World) -> Act:
    return lambda key: corrections.adjust(
        wallet_number=world.thandi.wallet.number, amount=FACE, direction="debit", decision=decided(), key=key
    )


def settle(world: World) -> Act:
    return lambda key: corrections.settle(step=corrections.Settlement.TOP_UPS, amount=FACE, decision=decided(), key=key)


def propose(world: World) -> Act:
    asked = proposals.ask("adjust_wallet", proposals.adjustment(world.thandi))
    return lambda _: proposal_services.propose(asked, now=now())


def approve(command: str, arguments: Callable[[World], proposals.Arguments]) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        proposal = proposals.proposed(command, arguments(world))
        return lambda _: proposals.approve(proposal)

    return prepare


def reject(world: World) -> Act:
    proposal = proposals.proposed("adjust_wallet", proposals.adjustment(world.thandi))
    _, checker = proposals.pair()
    return lambda _: proposal_services.reject(public_id=proposal.public_id, decider_id=checker, note="No", now=now())


def reported(world: World, number: str, amount: Money = FACE) -> Act:
    """What a till tells, each time by the same reference."""
    report = tills.Report(
        provider_reference=uuid.uuid4().hex, easypay_number=number, amount=amount, paid_at=now(), body=b"{}"
    )
    return lambda _: tills.report_payment(report=report, now=now())


def number_of(voucher: Voucher) -> str:
    assert voucher.easypay_number is not None
    return voucher.easypay_number


def at_till(voucher_type: str, amount: Money = FACE) -> Callable[[World], Act]:
    return lambda world: reported(world, number_of(world.issue(voucher_type)), amount)


def at_till_unknown(world: World) -> Act:
    return reported(world, "92021123456786")


def item(world: World, voucher_type: str | None) -> SuspenseItem:
    """What a till reported of another amount, or of an unknown number, waiting for finance."""
    report = at_till(voucher_type, MORE)(world) if voucher_type else at_till_unknown(world)
    report(fresh_key())
    return SuspenseItem.objects.latest("pk")


def ruled(service: Callable[..., Any], voucher_type: str | None, **asked: Any) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        found = item(world, voucher_type)
        return lambda key: service(item_public_id=found.public_id, decision=decided(), key=key, now=now(), **asked)

    return prepare


def reverse_release(world: World) -> Act:
    found = item(world, "easypay_topup")
    releasing.release_cash_in(item_public_id=found.public_id, decision=decided(), key=fresh_key(), now=now())
    return lambda key: releasing.reverse_release(item_public_id=found.public_id, decision=decided(), key=key, now=now())


SERVICES: dict[str, Callable[[World], Act]] = {
    "transfer": transfer,
    **{f"issue {kind}": issue(kind) for kind in Voucher.Type.values},
    "redeem": redeem,
    **{f"cancel {kind}": cancel(kind) for kind in Voucher.Type.values if kind != Voucher.Type.STANDARD},
    "cancel easypay_voucher, frozen": cancel_frozen("easypay_voucher"),
    "cancel easypay_cashout, frozen": cancel_frozen("easypay_cashout"),
    "cancel standard by finance": cancel_for_customer,
    **{
        f"cancel {kind} by staff": cancel_by_staff(kind)
        for kind in Voucher.Type.values
        if kind != Voucher.Type.STANDARD
    },
    **{f"expire {kind}": expire(kind) for kind in Voucher.Type.values},
    "place hold": place_hold,
    "capture hold": capture_hold,
    "void hold": void_hold,
    "expire hold": expire_hold,
    "reverse": reverse,
    "force a reversal": force_reversal,
    "collect": collect,
    "adjust": adjust,
    "settle": settle,
    **{f"till {kind}": at_till(kind) for kind in Voucher.Type.values if kind != Voucher.Type.STANDARD},
    "till another amount": at_till("easypay_voucher", MORE),
    "till unknown number": at_till_unknown,
    "release cash in": ruled(releasing.release_cash_in, "easypay_topup"),
    "return cash in": ruled(releasing.return_cash_in, None),
    "resolve spent": ruled(bearing.resolve_spent, "easypay_voucher", bearer="till"),
    "resolve paid out": ruled(bearing.resolve_paid_out, "easypay_cashout", bearer="bank"),
    "bear": ruled(bearing.bear, "easypay_cashout", bearer="bank"),
    "reverse a release": reverse_release,
    "propose": propose,
    "approve an adjustment": approve("adjust_wallet", lambda world: proposals.adjustment(world.thandi)),
    "approve a pay-out": approve(
        "resolve_paid_out", lambda world: {"item": str(item(world, "easypay_cashout").public_id), "bearer": "bank"}
    ),
    "approve a limit": approve("set_tier_limit", proposals.another_limit),
    "reject": reject,
}


def half(service: str) -> dict[str, int] | None:
    """What alone may remain of a service that was stopped: a till's report is stored before it is acted on."""
    return {"till_events": 1} if service.startswith("till ") else None


# How it is stopped --------------------------------------------------------------------------------------------------
@dataclass
class Stop:
    """Stops the statement of this number; `was_reached` tells whether there was one."""

    how: str
    number: int
    admin: psycopg.Connection[Any]
    seen: int = 0
    was_reached: bool = False
    was_healed: bool = False  # a read outside of a transaction is read again, on a new connection

    def __call__(self, execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        self.seen += 1
        if self.seen != self.number:
            return execute(statement, params, many, context)
        self.was_reached = True

        def instead(other: str) -> Any:
            return execute(other, None, many, context)

        if self.how == "statement timeout":
            instead("SET statement_timeout = '5ms'")
            return instead("SELECT pg_sleep(5)")
        if self.how == "lock timeout":
            instead("SET lock_timeout = '5ms'")
            return instead(f"SELECT pg_advisory_xact_lock({LOCK})")
        self.kill()
        answer = execute(statement, params, many, context)
        self.was_healed = True
        return answer

    def kill(self) -> None:
        assert connection.connection is not None
        pid = connection.connection.info.backend_pid
        self.admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@contextlib.contextmanager
def killed_at_commit(
    admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> Iterator[None]:
    """The connection is lost at the first commit, just before it or once it is done and nobody hears of it."""
    stop = Stop("killed", 0, admin)

    def commit() -> None:
        monkeypatch.undo()
        if before:
            stop.kill()
            connection.connection.commit()
        else:
            connection.connection.commit()
            stop.kill()
            connection.connection.execute("SELECT 1")

    monkeypatch.setattr(connection, "_commit", lambda: _in_django(commit))
    try:
        yield
    finally:
        monkeypatch.undo()


def _in_django(work: Callable[[], None]) -> None:
    with connection.wrap_database_errors:
        work()


# What there is ------------------------------------------------------------------------------------------------------
def everything(admin: Sql) -> dict[str, str]:
    """Each table's rows, as one digest: equal before and after what failed."""
    tables = [name for (name,) in admin("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
    columns = ", ".join(
        f"(SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {t} AS t)"  # noqa: S608 - our own tables
        for t in tables
    )
    [row] = admin(f"SELECT {columns}")
    return dict(zip(tables, row, strict=True))


def effect(admin: Sql) -> Counter[str]:
    """What there is in numbers, so that the difference of two is what happened between them."""
    found: Counter[str] = Counter()
    for kind, user, balance, held in admin(
        "SELECT kind, coalesce(user_id::text, ''), sum(balance), sum(held) FROM wallets GROUP BY 1, 2"
    ):
        found[f"balance {kind} {user}"], found[f"held {kind} {user}"] = int(balance * 100), int(held * 100)
    counted = (
        "transfers", "transactions", "idempotency_keys", "holds", "vouchers", "voucher_redemptions", "receivables",
        "receivable_collections", "till_events", "suspense_items", "proposals",
    )  # fmt: skip
    for table in counted:
        [(found[table],)] = admin(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own tables
    for status, many, balance in admin("SELECT status, count(*), sum(balance) FROM vouchers GROUP BY 1"):
        found[f"vouchers {status}"], found[f"worth {status}"] = many, int(balance * 100)
    for status, many in admin("SELECT status, count(*) FROM holds GROUP BY 1"):
        found[f"holds {status}"] = many
    for verb, many in admin("SELECT verb, count(*) FROM audit_events GROUP BY 1"):
        found[f"audit {verb}"] = many
    return found


def difference(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in before | after if after[name] != before[name]}


# The tests ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def world(ledger: Ledger, admin_sql: Sql) -> World:
    decided()
    thandi, sipho = person("thandi"), person("sipho")
    fund(thandi, "20000.00")
    return World(thandi, sipho, admin_sql)


@pytest.fixture
def superuser(ledger: Ledger) -> Iterator[psycopg.Connection[Any]]:
    if ADMIN_URL not in os.environ:
        pytest.skip(f"{ADMIN_URL} is not set")
    with psycopg.connect(os.environ[ADMIN_URL], dbname=ledger.name, autocommit=True) as admin:
        admin.execute(f"SELECT pg_advisory_lock({LOCK})")
        yield admin


def check_one_effect(world: World, act: Act, key: IdempotencyKey, clean: dict[str, int], before: Counter[str]) -> None:
    close_old_connections()  # as between two requests
    with connection.cursor() as cursor:
        cursor.execute("RESET statement_timeout")
        cursor.execute("RESET lock_timeout")
    act(key)
    assert difference(before, effect(world.admin)) == clean
    act(key)
    assert difference(before, effect(world.admin)) == clean, "a third time changed something"


@pytest.mark.parametrize("how", ["killed", "statement timeout", "lock timeout"])
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_stopped_at_any_statement_leaves_nothing_half_done(
    world: World, superuser: psycopg.Connection[Any], service: str, how: str
) -> None:
    prepare = SERVICES[service]
    act, before = prepare(world), effect(world.admin)
    act(fresh_key())
    clean = difference(before, effect(world.admin))
    assert clean, "the service did nothing"

    for number in range(1, 100):
        act, key = prepare(world), fresh_key()
        before, rows = effect(world.admin), everything(world.admin)
        stop = Stop(how, number, superuser)
        with connection.execute_wrapper(stop), contextlib.suppress(Error, Unavailable):
            act(key)
            assert stop.was_healed or not stop.was_reached, f"statement {number} failed, and nobody heard of it"
        if not stop.was_reached:
            break
        # All of it, where the answer was only read once more after the commit.
        is_done = difference(before, effect(world.admin)) in (clean, half(service))
        is_whole = is_done or (everything(world.admin) == rows and not stop.was_healed)
        assert is_whole, f"stopping statement {number} left something half done"
        check_one_effect(world, act, key, clean, before)
    assert number > 1


@pytest.mark.parametrize("before_commit", [True, False])
@pytest.mark.parametrize("service", SERVICES)
def test_a_connection_lost_at_commit_leaves_all_or_nothing(
    world: World,
    superuser: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    before_commit: bool,
) -> None:
    prepare = SERVICES[service]
    act, before = prepare(world), effect(world.admin)
    act(fresh_key())
    clean = difference(before, effect(world.admin))

    act, key = prepare(world), fresh_key()
    before, rows = effect(world.admin), everything(world.admin)
    with killed_at_commit(superuser, monkeypatch, before=before_commit), contextlib.suppress(Error, Unavailable):
        act(key)
    if before_commit and service not in AUTOCOMMITTED:
        assert everything(world.admin) == rows
    elif service not in AUTOCOMMITTED:
        assert difference(before, effect(world.admin)) == (half(service) or clean)
    check_one_effect(world, act, key, clean, before)


# One statement, which is its own transaction: Django sends no COMMIT that could be lost.
AUTOCOMMITTED = {"transfer", "capture hold", "expire hold"}
