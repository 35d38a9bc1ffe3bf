"""Money that crosses in every direction at once, with fees and vouchers: nobody is ever locked out by anybody."""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.audit import SYSTEM
from mymoolah.common.clock import now
from mymoolah.common.crypto import decrypt
from mymoolah.common.money import Money
from tests.conftest import Ledger, Person, Sql, fund, person
from tests.transactions.legs import key as named_key
from transactions import posting
from transactions.models import Kind
from transactions.posting import House, IdempotencyKey, Leg
from vouchers.models import Voucher
from vouchers.numbers import CODE_CONTEXT
from vouchers.services import ending, issuing, redeeming
from wallets.models import Wallet

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

Race = Callable[..., list[Any]]
THREADS, ROUNDS = 8, 12


def fresh_key() -> IdempotencyKey:
    return named_key(uuid.uuid4().hex)


def send_with_fees(payer: Person, payee: Person) -> None:
    wallet = payer.wallet.pk
    legs = [
        Leg(kind=Kind.TRANSFER, source=wallet, target=payee.wallet.pk, amount=Money.parse("7.00")),
        Leg(kind=Kind.FEE, source=wallet, target=House(Wallet.Kind.FEE_INCOME, wallet), amount=Money.parse("0.50")),
        Leg(kind=Kind.VAT, source=wallet, target=House(Wallet.Kind.VAT_CONTROL, wallet), amount=Money.parse("0.08")),
    ]
    posting.post(legs, key=fresh_key())


def issue(who: Person, voucher_type: Voucher.Type) -> Voucher:
    return issuing.issue_voucher(
        user_public_id=who.user.public_id,
        voucher_type=voucher_type,
        amount=Money.parse("50.00"),
        key=fresh_key(),
        now=now(),
    ).voucher


def issue_and_cancel(payer: Person, voucher_type: Voucher.Type) -> None:
    voucher = issue(payer, voucher_type)
    ending.cancel_voucher(
        user_public_id=payer.user.public_id,
        voucher_public_id=voucher.public_id,
        key=fresh_key(),
        now=now(),
        origin=SYSTEM,
    )


def issue_and_redeem(payer: Person, payee: Person) -> None:
    sealed = issue(payer, Voucher.Type.STANDARD).code_encrypted
    assert sealed is not None
    redeeming.redeem_voucher(
        user_public_id=payee.user.public_id,
        code=decrypt(sealed, context=CODE_CONTEXT),
        amount=None,
        key=fresh_key(),
        now=now(),
        origin=SYSTEM,
    )


def test_cycles_between_five_wallets_never_deadlock(ledger: Ledger, race: Race, app_sql: Sql) -> None:
    people = [person(name) for name in ("thandi", "sipho", "naledi", "bongani", "lerato")]
    for who in people:
        fund(who, "20000.00")
    pairs = [*itertools.pairwise([*people, people[0]]), *itertools.pairwise([people[0], *people[::-1]])]
    turns = itertools.count()

    def deadlocks() -> int:
        [(found,)] = app_sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(found)

    before = deadlocks()

    def go_round() -> int:
        chance = random.Random(next(turns))
        for _ in range(ROUNDS):
            payer, payee = chance.choice(pairs)
            send_with_fees(payer, payee)
            send_with_fees(payee, payer)
            voucher_type = chance.choice(list(Voucher.Type))
            if voucher_type == Voucher.Type.STANDARD:
                issue_and_redeem(payer, payee)
            else:
                issue_and_cancel(payer, voucher_type)
        return ROUNDS

    assert race(THREADS, go_round) == [ROUNDS] * THREADS
    connection.close()  # a connection that ends tells its statistics
    assert deadlocks() == before
