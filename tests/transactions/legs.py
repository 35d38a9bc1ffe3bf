"""Short words for what the tests of the kernel post."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from typing import Any

import psycopg
from django.db import connections

from accounts.decisions import Decision
from accounts.models import User
from accounts.services import create_staff
from mymoolah.common.clock import JOHANNESBURG
from mymoolah.common.money import Money
from tests.conftest import Person
from transactions.models import IdempotencyKey as StoredKey
from transactions.models import Kind, Transaction, Transfer
from transactions.posting import House, IdempotencyKey, Leg
from wallets.models import Wallet


def leg(source: Person | House, target: Person | House, amount: str, **demands: Any) -> Leg:
    money = Money(Decimal(amount), demands.pop("currency", "ZAR"))
    kind = demands.pop("kind", Kind.TRANSFER)
    return Leg(kind=kind, source=end_of(source), target=end_of(target), amount=money, **demands)


def end_of(who: Person | House) -> int | House:
    return who if isinstance(who, House) else who.wallet.pk


def key(name: str = "first", request: str = "this") -> IdempotencyKey:
    return IdempotencyKey("user:thandi", name, hashlib.sha256(request.encode()).digest())


def johannesburg(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=JOHANNESBURG)


def decided(reason: str = "A mistake") -> Decision:
    """By two people of finance, who come to work when they are first needed."""
    pair = User.objects.filter(groups__name="finance").order_by("pk")[:2]
    if not pair:
        pair = [  # type: ignore[assignment]
            create_staff(
                email=f"{name}@example.com", password="!", first_name=name, last_name="Finance", role="finance"
            )
            for name in ("finance", "finance2")
        ]
    proposer, approver = pair
    return Decision(proposed_by=proposer.pk, approved_by=approver.pk, reason=reason)


def wallet_of(who: Person) -> Wallet:
    return Wallet.objects.get(pk=who.wallet.pk)


def nothing_was_posted() -> bool:
    return not Transfer.objects.exists() and not Transaction.objects.exists() and not StoredKey.objects.exists()


def close(who: Person) -> None:
    Wallet.objects.filter(pk=who.wallet.pk).update(status="closed")


def beside() -> psycopg.Connection[tuple[Any, ...]]:
    """A second connection as the app: somebody else's request."""
    params = connections["default"].get_connection_params()
    return psycopg.connect(**{name: params[name] for name in params.keys() & {"host", "port", "user", "dbname"}})
