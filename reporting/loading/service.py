"""Run a load, or take up one that was killed."""

from __future__ import annotations

import datetime as dt
import random
import resource
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.db import connections, transaction

from accounts.models import AuditEvent
from mymoolah.common.clock import business_day
from reporting.days import forget_days
from reporting.loading import database
from reporting.loading.books import Account
from reporting.loading.database import OWNER, Head, Work
from reporting.loading.histories import Histories
from reporting.loading.people import (
    WalletNumbers,
    email,
    is_dormant,
    joined_ms,
    phone,
    tier,
    user_rows,
    wallet_rows,
)
from reporting.loading.plan import HISTORY_DAYS, Batch, LoadRefused, Order, Plan, batches_needed
from reporting.loading.vouchers import Codes, voucher_rows
from vouchers.numbers import take_counts

STARTED, FINISHED = "customers.load_started", "customers.load_finished"
USERS_PER_BATCH = 62_500  # a million users in 16 batches, each with a stripe of the house of its own
NUMBER_ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class Report:
    users: int
    vouchers: int
    entries: int
    seconds: float
    peak_rss_mib: int
    was_loaded: bool  # by an earlier run: this one did nothing


def load(
    order: Order,
    *,
    now: dt.datetime,
    advance: Callable[[str, int], object] | None = None,
    users_per_batch: int = USERS_PER_BATCH,
) -> Report:
    """Make what was ordered, or what is still missing of it. `advance` hears of each table's rows as they are written.

    :raises LoadRefused: something else was loaded already, or nothing of this size can be; a batch that was not
        finished is not there at all
    """
    started_at = time.monotonic()
    order.check()
    plan = _plan_under_way(order) or _start(order, now=now, users_per_batch=users_per_batch)
    was_loaded = AuditEvent.objects.using(OWNER).filter(verb=FINISHED).exists()
    if not was_loaded:
        _write_batches(plan, now=now, advance=advance or _unheard)
        database.settle()
        forget_days(using=OWNER)  # those taken before have lacked this history
        AuditEvent.objects.using(OWNER).create(verb=FINISHED, subject_type="load", subject_id=_key(plan))
    return Report(
        users=order.users,
        vouchers=order.vouchers,
        entries=order.entries,
        seconds=time.monotonic() - started_at,
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        was_loaded=was_loaded,
    )


def _unheard(table: str, rows: int) -> None:
    pass


def _key(plan: Plan) -> str:
    order = plan.order
    return f"users={order.users} vouchers={order.vouchers} transactions={order.entries} seed={order.seed}"


def _plan_under_way(order: Order) -> Plan | None:
    """The plan of what this database holds a part of, if it is the same order."""
    if not database.has_user(email(1)):
        return None
    event = AuditEvent.objects.using(OWNER).filter(verb=STARTED).order_by("-at").first()
    plan = Plan.from_facts(event.facts) if event else None
    if plan is None or plan.order != order:
        loaded = _key(plan) if plan else "somebody else's"
        raise LoadRefused(detail=f"{email(1)} exists: this database holds another load ({loaded}). Use an empty one.")
    return plan


def _start(order: Order, *, now: dt.datetime, users_per_batch: int) -> Plan:
    """Decide how to go about it and write that down, for whoever takes it up again."""
    ends_on = business_day(now) - dt.timedelta(days=1)
    if database.has_phone_between(phone(1), phone(order.users)):
        raise LoadRefused(detail=f"Somebody has a phone number between {phone(1)} and {phone(order.users)}.")
    stripes = database.quiet_stripes(before=now - dt.timedelta(days=HISTORY_DAYS + 2))
    if not stripes:
        raise LoadRefused(detail="Money was moved on every stripe of the house: earlier entries cannot follow there.")
    with transaction.atomic(using=OWNER):
        counts = take_counts(order.vouchers, using=OWNER) or [0]
        if counts[-1] - counts[0] != len(counts) - 1:
            raise LoadRefused(detail="Vouchers are being issued meanwhile. Load into a database that nobody uses.")
        plan = Plan(
            order=order,
            ends_on=ends_on,
            first_count=counts[0],
            stripes=stripes,
            batches=batches_needed(order, users_per_batch),
        )
        AuditEvent.objects.using(OWNER).create(
            verb=STARTED, subject_type="load", subject_id=_key(plan), facts=plan.as_facts()
        )
    return plan


def _write_batches(plan: Plan, *, now: dt.datetime, advance: Callable[[str, int], object]) -> None:
    """Write the batches that are missing: two at a time, while the next is being made, so three are in memory."""
    batches = [plan.batch(number) for number in range(plan.batches)]
    missing = [batch for batch in batches if not database.has_user(email(batch.first_user))]
    for batch in batches[: len(batches) - len(missing)]:
        for table, rows in (
            ("users", batch.users),
            ("vouchers", batch.vouchers),
            ("transactions", 2 * batch.transfers),
        ):
            advance(table, rows)
    if not missing:
        return
    maker, writers = Maker(plan, now=now), Writers(advance)
    with ThreadPoolExecutor(max_workers=Writers.AT_ONCE) as threads:
        writing: deque[Future[None]] = deque()
        try:
            for batch in missing:
                work = maker.make(batch)
                if len(writing) == Writers.AT_ONCE:
                    writing.popleft().result()
                writing.append(threads.submit(writers.write, work, writing[-1] if writing else None))
            for future in writing:
                future.result()
        except BaseException:
            writers.stopped.set()
            raise


class Writers:
    """Write batches side by side, each on a connection of its own.

    What all batches change, user1's voucher totals and the heads of user1 and of the house, is changed in their order:
    a batch waits there for the one before, and fails with it. The second waits for all of the first, which makes user1.
    """

    AT_ONCE = 2

    def __init__(self, advance: Callable[[str, int], object]) -> None:
        self.stopped = threading.Event()
        self._advance, self._lock = advance, threading.Lock()

    def write(self, work: Work, before: Future[None] | None) -> None:
        def wait_for_turn() -> None:
            if before is not None:
                before.result()

        try:
            if work.batch.number == 1:
                wait_for_turn()
            database.write(work, wait_for_turn=wait_for_turn, advance=self._heard)
        finally:
            connections[OWNER].close()

    def _heard(self, table: str, rows: int) -> None:
        if self.stopped.is_set():
            raise LoadRefused(detail="The load was stopped.")
        with self._lock:
            self._advance(table, rows)


class Maker:
    """Makes batches, one after the other. Heads of the house and of user1 go from each to the next."""

    def __init__(self, plan: Plan, *, now: dt.datetime) -> None:
        self.plan = plan
        self.rules = database.rules(at=now)
        self.houses = database.houses(plan.stripes)
        self.numbers = WalletNumbers(plan.order.seed)
        self.codes = Codes(plan.order.seed)
        has_user1 = database.has_user(email(1))
        self.user1 = database.customer(email(1), self.rules.limits[tier(1)]) if has_user1 else None

    def make(self, batch: Batch) -> Work:
        chance = random.Random(f"{self.plan.order.seed} {batch.number}")  # noqa: S311 - repeatable data
        accounts = self._accounts(batch)
        if batch.number == 0:
            self.user1 = accounts[0]
        assert self.user1 is not None
        houses = [self.houses[stripe] for stripe in batch.stripes]
        histories = Histories(
            batch,
            members=[a for a in accounts if a is not self.user1 and not is_dormant(a.user)],
            user1=self.user1,
            houses=houses,
            rules=self.rules,
            chance=chance,
        )
        histories.play()
        books = histories.books
        assert books.posted == batch.transfers
        assert len(histories.slips) == batch.vouchers
        vouchers, redemptions, first_voucher = voucher_rows(
            histories.slips,
            histories.redemptions,
            ids=database.take_ids("vouchers", batch.vouchers),
            codes=self.codes,
            first_voucher=batch.first_voucher,
            first_count=self.plan.first_count,
            chance=chance,
        )
        books.transfers.finish()
        books.entries.finish()
        users, wallets = user_rows(accounts, batch, chance), wallet_rows(accounts, self._numbers(batch))
        produced = ("transfer", books.first_transfer) if books.first_transfer else None
        if produced is None and first_voucher:
            produced = ("voucher", first_voucher)
        for account in accounts:
            account.stored_sequence = account.sequence or None
        return Work(
            batch=batch,
            key=f"{_key(self.plan)} batch={batch.number + 1}/{self.plan.batches}",
            own_tables=[users, wallets, books.transfers, books.entries],
            shared_tables=[vouchers, redemptions],
            heads=self._moved_heads([self.user1, *(a for house in houses for a in house.accounts())]),
            produced=produced,
        )

    def _accounts(self, batch: Batch) -> list[Account]:
        ids = zip(database.take_ids("users", batch.users), database.take_ids("wallets", batch.users), strict=True)
        return [
            Account(
                user_id=user_id,
                wallet_id=wallet_id,
                limits=self.rules.limits[tier(batch.first_user + place)],
                user=batch.first_user + place,
                joined_ms=joined_ms(place, batch),
            )
            for place, (user_id, wallet_id) in enumerate(ids)
        ]

    def _numbers(self, batch: Batch) -> Sequence[str]:
        """Wallet numbers that nobody has: the bank itself gives out random ones."""
        users = range(batch.first_user, batch.first_user + batch.users)
        numbers = [self.numbers.number(user) for user in users]
        for attempt in range(1, NUMBER_ATTEMPTS):
            taken = database.taken_wallet_numbers(numbers)
            if not taken:
                break
            pairs = zip(users, numbers, strict=True)
            numbers = [self.numbers.number(user, attempt) if number in taken else number for user, number in pairs]
        return numbers

    @staticmethod
    def _moved_heads(accounts: Sequence[Account]) -> list[Head]:
        moved = [account for account in accounts if account.sequence != (account.stored_sequence or 0)]
        heads = [Head.of(account) for account in moved]
        for account in moved:
            account.stored_sequence = account.sequence
        return heads
