"""The queries that this bank stands on, each with the indexes that answer it, to be explained at any time.

None is written down here: each is asked of the selector or the list that asks it in earnest, and what is sent to
PostgreSQL meanwhile is taken down and explained. So what is explained is what runs.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, connections
from django.db.models import Model
from django.test import RequestFactory

from accounts.kyc_desk_selectors import ROWS_PER_PAGE as CASES_PER_PAGE
from accounts.kyc_desk_selectors import Filter, WaitsFor, waiting_cases
from accounts.models import AuditEvent, User
from mymoolah.common.clock import business_day, iso_utc
from mymoolah.common.errors import DomainError
from mymoolah.common.pagination import DEFAULT_LIMIT, Cursor, PageRequest, Position
from mymoolah.common.sql.queries import rows
from mymoolah.common.sql.reading import reading_only
from reporting import books, selectors
from reporting.benchmarks.reading import Plan, Statement, plan_of
from reporting.books_admin import ITEMS_PER_PAGE
from reporting.models import UserDashboardSummary
from reporting.support.facts import facts_for
from reporting.support.intents import Intent
from reporting.support.references import References
from transactions import holds, statements
from transactions import selectors as ledger
from transactions.models import IdempotencyKey, Transaction
from transactions.posting import IdempotencyKey as Key
from vouchers import selectors as vouchers
from vouchers.models import Voucher
from vouchers.numbers import voucher_code
from wallets import selectors as wallets
from wallets.models import Wallet

MOST_THROWN_AWAY: Final = 200
"""Rows read and thrown away for one answer, a page and its neighbours: more is a walk, whichever index it goes along."""
NEWEST_ENTRIES: Final = 1_000
NO_NUMBER: Final = "90000000000000"
INSIDE: Final = re.compile(r"SELECT (?P<function>[a-z_]+)\(%s\)")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Whose rows are asked for, and where in the middle of them a page begins that lies deep."""

    user: User
    wallet: Wallet
    entry: Position | None
    """The entry half-way through the history."""
    voucher: Position | None
    key: Key


@dataclass(frozen=True, kw_only=True)
class HotQuery:
    """Something that is asked all day, how it is asked, and along which indexes it has to go."""

    what: str
    ask: Callable[[Sample, dt.datetime], object]
    indexes: Sequence[str]
    """By name; of several that serve alike, `one|other`."""
    of: str = ""
    """Only what reads this table, where a list asks other things as well."""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What PostgreSQL does for a hot query, one statement after the other, and what is wrong with that."""

    plans: Sequence[Plan]
    texts: Sequence[str]
    """As EXPLAIN (ANALYZE, BUFFERS) tells it, without the values that were asked for."""
    faults: Sequence[str]

    @property
    def blocks(self) -> int:
        return sum(plan.blocks for plan in self.plans)

    @property
    def indexes(self) -> set[str]:
        return {index for plan in self.plans for index in plan.indexes}


def get_sample(*, customer: str | None = None) -> Sample | None:
    """A customer with a long history, or the one with this e-mail address or wallet number; None if there is none.

    Of those whose money moved last the one with most entries: found along two indexes, however large the bank is.
    """
    candidates = Wallet.objects.filter(kind=Wallet.Kind.CUSTOMER).select_related("user")
    if customer is None:
        newest = Transaction.objects.order_by("-pk").values_list("wallet_id", flat=True)[:NEWEST_ENTRIES]
        wallet = candidates.filter(pk__in=set(newest)).order_by("-sequence", "pk").first() or candidates.first()
    elif "@" in customer:
        wallet = candidates.filter(user__in=User.objects.with_email(customer)).order_by("pk").first()
    else:
        wallet = candidates.filter(number=customer).first()
    if wallet is None or wallet.user is None:
        return None
    entry = Transaction.objects.filter(wallet=wallet, sequence=max((wallet.sequence or 0) // 2, 1)).first()
    issued = Voucher.objects.filter(user=wallet.user).order_by("-created_at", "-pk")
    deep = issued[issued.count() // 2 :].first() if issued.exists() else None
    key = IdempotencyKey.objects.order_by("-pk").first()
    return Sample(
        user=wallet.user,
        wallet=wallet,
        entry=[iso_utc(entry.created_at), wallet.number, entry.sequence] if entry else None,
        voucher=[str(deep.public_id)] if deep else None,
        # With no hash of its own: whatever is found is then another request's, and nothing of it is looked up.
        key=Key(key.actor if key else f"user:{wallet.user.public_id}", key.key if key else "none", b""),
    )


def explain(query: HotQuery, sample: Sample, *, now: dt.datetime) -> Explained:
    """Ask it, and have PostgreSQL tell how it answers, in a transaction that writes nothing."""
    sent: list[Statement] = []
    with reading_only() as cursor:
        with contextlib.ExitStack() as listening:
            for one in connections.all():  # whichever of them is asked, the plan is that of the first
                listening.enter_context(one.execute_wrapper(Statement.recorder(sent)))
            # What is not there is looked for all the same.
            listening.enter_context(contextlib.suppress(DomainError, ObjectDoesNotExist))
            query.ask(sample, now)
        asked = [_inside(statement) for statement in sent if statement.is_read and _is_meant(query, statement)]
        assert asked, "nothing was asked"
        plans, texts = [], []
        for statement in asked:
            plans.append(plan_of(statement))
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement.sql}", statement.params)
            texts.append(without_values("\n".join(line for (line,) in cursor.fetchall())))
    return Explained(plans=plans, texts=texts, faults=_faults(query, plans))


def _is_meant(query: HotQuery, statement: Statement) -> bool:
    """Not what a list asks of other tables, nor its count, which reads a thousand rows from wherever it finds them."""
    return not query.of or bool(
        re.search(rf'FROM "?{query.of}\b', statement.sql) and not statement.sql.startswith("SELECT COUNT(")
    )


def without_values(plan: str) -> str:
    """A plan without the texts, numbers and ids that it was asked with: they are a customer's."""
    return re.sub(r"'(?:[^']|'')*'", "'…'", plan)


def _inside(statement: Statement) -> Statement:
    """What a function of ours asks, which EXPLAIN does not look into: its one SELECT, as it stands in the catalogue."""
    called = INSIDE.fullmatch(statement.sql)
    if called is None:
        return statement
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc, proargnames[1] FROM pg_proc WHERE proname = %s", [called["function"]])
        [(source, argument)] = cursor.fetchall()
    body = source.split("RETURN (", 1)[1].rsplit(");", 1)[0]
    return Statement(body.replace("%", "%%").replace(argument, "%s"), statement.params)


def _faults(query: HotQuery, plans: Sequence[Plan]) -> list[str]:
    indexes = {index for plan in plans for index in plan.indexes}
    faults = [f"reads {name} from end to end" for plan in plans for name in sorted(plan.sequential)]
    faults += [f"walks through {name}" for plan in plans for name in sorted(plan.whole_tables - plan.sequential)]
    faults += [
        f"does not go along {wanted.replace('|', ' or ')}"
        for wanted in query.indexes
        if not indexes & set(wanted.split("|"))
    ]
    thrown_away = max(plan.thrown_away for plan in plans)
    return faults + ([f"throws {thrown_away:,} rows away"] if thrown_away > MOST_THROWN_AWAY else [])


# How each is asked ------------------------------------------------------------------------------------------------------
def _page(position: Position | None = None) -> PageRequest:
    return PageRequest(limit=DEFAULT_LIMIT, cursor=Cursor(position=position, backwards=False) if position else None)


def _entries(who: Sample, position: Position | None) -> object:
    return ledger.entries(user_public_id=who.user.public_id, only=ledger.EntryFilter(), asked=_page(position))


def _vouchers(who: Sample, position: Position | None) -> object:
    only = vouchers.VoucherFilter()
    return vouchers.vouchers(user_public_id=who.user.public_id, only=only, asked=_page(position))


def _entry(who: Sample, _: dt.datetime) -> object:
    sequence = who.entry[2] if who.entry else 1
    return ledger.get_entry(user_public_id=who.user.public_id, number=who.wallet.number, sequence=sequence)


def _statement(who: Sample, now: dt.datetime) -> object:
    today = business_day(now)
    return statements.get_statement(
        user_public_id=who.user.public_id,
        wallet_number=who.wallet.number,
        from_day=today - dt.timedelta(days=30),
        to_day=today,
    )


def _recipient(who: Sample, _: dt.datetime) -> object:
    named = ledger.Recipient(by="number", value=who.wallet.number)
    return ledger.get_route(user_public_id=who.user.public_id, recipient=named, currency=who.wallet.currency)


def _support(who: Sample, intent: Intent, now: dt.datetime) -> object:
    return facts_for(intent, user_public_id=who.user.public_id, about=References(), now=now)


def _kyc_queue(who: Sample, now: dt.datetime) -> object:
    asked = Filter(waits_for=WaitsFor.OFFICER, whose="nobodys")
    return list(waiting_cases(asked, officer_id=who.user.pk, now=now)[: CASES_PER_PAGE + 1])


def _due_holds(_: Sample, now: dt.datetime) -> object:
    first = dt.datetime.min.replace(tzinfo=dt.UTC)
    return rows("transactions", "due_holds.sql", now=now, last_at=first, last_id=0, most=holds.BATCH)


def _list(model: type[Model], **query: str) -> object:
    """A list of the back-office, as somebody who may see all of it asks for it."""
    request: Any = RequestFactory().get("/", query)
    request.user = User(is_staff=True, is_superuser=True)
    return admin.site.get_model_admin(model).get_changelist_instance(request)


USER: Final = "users_public_id_key"
WALLETS: Final = "ix_wallets_user_status|uq_wallets_user_currency"
SEQUENCE: Final = "uq_transactions_wallet_sequence|uq_transactions_head"
TIME: Final = "ix_transactions_wallet_time"
TYPE: Final = "ix_transactions_user_type"
TRANSFER: Final = "transfers_pkey"

HOT_QUERIES: Final[Mapping[str, HotQuery]] = {
    "dashboard": HotQuery(
        what="what a customer sees first: wallets, totals, five entries",
        ask=lambda who, _: selectors.get_dashboard(user_public_id=who.user.public_id),
        indexes=(USER, WALLETS, SEQUENCE, TRANSFER, "voucher_totals_pkey"),
    ),
    "wallets": HotQuery(
        what="a customer's wallets with what their limits leave",
        ask=lambda who, _: wallets.wallets(user_public_id=who.user.public_id),
        indexes=(USER, WALLETS),
    ),
    "entries": HotQuery(
        what="the first page of a customer's entries",
        ask=lambda who, _: _entries(who, None),
        indexes=(USER, WALLETS, TIME, TRANSFER),
    ),
    "entries_deep": HotQuery(
        what="a page in the middle of a customer's history",
        ask=lambda who, _: _entries(who, who.entry),
        indexes=(USER, WALLETS, TIME, TRANSFER),
    ),
    "entry": HotQuery(what="one entry, by wallet and sequence", ask=_entry, indexes=(USER, SEQUENCE, TRANSFER)),
    "statement": HotQuery(what="the figures of a month's statement", ask=_statement, indexes=(USER, TIME)),
    "recipient": HotQuery(
        what="whom a payment to a wallet's number reaches", ask=_recipient, indexes=(USER, "uq_wallets_number")
    ),
    "vouchers": HotQuery(
        what="the first page of a customer's vouchers",
        ask=lambda who, _: _vouchers(who, None),
        indexes=(USER, "ix_vouchers_user_created"),
    ),
    "vouchers_deep": HotQuery(
        what="a page in the middle of a customer's vouchers",
        ask=lambda who, _: _vouchers(who, who.voucher),
        indexes=(USER, "ix_vouchers_user_created"),
    ),
    "support_money_in": HotQuery(
        what="the support assistant: what came in last",
        ask=lambda who, now: _support(who, Intent.MONEY_IN, now),
        indexes=(USER, TYPE, TRANSFER, WALLETS),
    ),
    "support_transfers": HotQuery(
        what="the support assistant: a payment that is looked for",
        ask=lambda who, now: _support(who, Intent.TRANSFER_STATUS, now),
        indexes=(USER, TYPE, WALLETS),
    ),
    "support_vouchers": HotQuery(
        what="the support assistant: a customer's latest vouchers",
        ask=lambda who, now: _support(who, Intent.VOUCHER_PROBLEM, now),
        indexes=(USER, "ix_vouchers_user_created"),
    ),
    # Nobody's code and nobody's number: a real one would be worth money, and to look for it costs the same.
    "voucher_by_code": HotQuery(
        what="redeeming: the voucher of a code, by its blind index",
        ask=lambda *_: vouchers.by_code(voucher_code()).get(),
        indexes=("uq_vouchers_code_index",),
    ),
    "voucher_by_number": HotQuery(
        what="a till's report: the voucher of an EasyPay number",
        ask=lambda *_: vouchers.by_easypay_number(NO_NUMBER).get(),
        indexes=("uq_vouchers_easypay_number",),
    ),
    "idempotency_key": HotQuery(
        what="whether a request was answered before",
        ask=lambda who, _: ledger.find_receipt(key=who.key),
        indexes=("uq_idempotency_keys_actor_key",),
    ),
    "audit_by_subject": HotQuery(
        what="the audit trail of one customer",
        ask=lambda who, _: _list(AuditEvent, subject=str(who.user.public_id)),
        indexes=("ix_audit_events_subject",),
        of="audit_events",
    ),
    "kyc_queue": HotQuery(what="what waits at the KYC desk", ask=_kyc_queue, indexes=("ix_kyc_waiting",)),
    "overview": HotQuery(
        what="the first page of the back-office's customer overview",
        ask=lambda *_: _list(UserDashboardSummary),
        indexes=("user_dashboard_summary_user_id_wallet_currency_index",),
        of="user_dashboard_summary",
    ),
    "suspense": HotQuery(
        what="what is open in suspense",
        ask=lambda *_: books.open_suspense(most=ITEMS_PER_PAGE + 1),
        indexes=("ix_suspense_items_open",),
    ),
    "expiring_vouchers": HotQuery(
        what="the sweep: vouchers whose term is over",
        ask=lambda _, now: next(vouchers.due_vouchers(now=now), None),
        indexes=("ix_vouchers_live_expiry",),
    ),
    "expiring_holds": HotQuery(what="the sweep: holds past their time", ask=_due_holds, indexes=("ix_holds_expiry",)),
}
