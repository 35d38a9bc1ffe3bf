"""The stage of the table of legs: Thandi is C, Sipho C2, Naledi the bystander; steps that rows are told with.

A step is a function of the stage, so that a row of a table can say what was before it and what happens in it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from django.db import connection

from accounts import audit
from accounts.models import User
from mymoolah.common.clock import now
from mymoolah.common.crypto import decrypt
from mymoolah.common.money import Money
from tests.conftest import Person, fund, person, send
from tests.transactions import legs as wording
from transactions import corrections, holds, services
from transactions.corrections import Settlement
from transactions.models import Receivable
from transactions.posting import House, IdempotencyKey
from vouchers.models import SuspenseItem, Voucher
from vouchers.numbers import CODE_CONTEXT
from vouchers.services import ending, issuing, redeeming, resolving, tills
from wallets.models import Wallet

LETTERS = {
    "Thandi": "C",
    "Sipho": "C2",
    "Naledi": "bystander",
    "voucher_liability": "VL",
    "easypay_clearing": "EC",
    "cashout_clearing": "CC",
    "fee_income": "FI",
    "vat_control": "VC",
    "suspense": "SU",
    "adjustments": "AD",
    "bank": "BK",
}
NAMES = "(CASE w.kind WHEN 'customer' THEN u.first_name ELSE w.kind END)"
STANDARD, TOP_UP, EASYPAY_VOUCHER, CASH_OUT = Voucher.Type
NOBODYS_NUMBER = "95063123456785"
LONG_AFTER = dt.timedelta(days=2000)  # the bystander's vouchers outlive every sweep


def new_key() -> IdempotencyKey:
    return IdempotencyKey("user:thandi", uuid.uuid4().hex, hashlib.sha256(b"this").digest())


@dataclass
class Stage:
    """The people, and what the steps so far have made."""

    people: Mapping[str, Person] = field(
        default_factory=lambda: {"C": person("thandi"), "C2": person("sipho"), "bystander": person("naledi")}
    )
    voucher_id: uuid.UUID | None = None
    hold_id: uuid.UUID | None = None
    last_group: uuid.UUID | None = None
    receivable: Receivable | None = None

    def __post_init__(self) -> None:
        wording.decided()
        naledi = self.people["bystander"]
        fund(naledi, "500.00")
        for voucher_type in Voucher.Type:
            issuing.issue_voucher(
                user_public_id=naledi.user.public_id,
                voucher_type=voucher_type,
                amount=Money.parse("60.00"),
                key=new_key(),
                now=now() + LONG_AFTER,
            )

    @property
    def voucher(self) -> Voucher:
        assert self.voucher_id is not None
        return Voucher.objects.get(public_id=self.voucher_id)

    def worth(self) -> str | None:
        """What the voucher is, and what it is still worth."""
        return None if self.voucher_id is None else f"{self.voucher.status} {self.voucher.balance}"

    @property
    def item(self) -> SuspenseItem:
        return SuspenseItem.objects.latest("pk")


Step = Callable[[Stage], object]
Resolve = Callable[..., resolving.Resolved]


# What stands in the wallets -----------------------------------------------------------------------------------------
def balances() -> dict[str, Decimal]:
    """Of each customer his balance and what is held, of each wallet of the house the sum of its stripes."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {NAMES}, sum(w.balance), sum(w.held)
            FROM wallets AS w
            LEFT JOIN users AS u ON u.id = w.user_id
            GROUP BY 1
            """  # noqa: S608 - our own words
        )
        found = {LETTERS[name]: (balance, held) for name, balance, held in cursor.fetchall()}
    return {
        **{letter: balance for letter, (balance, _) in found.items()},
        **{f"{letter} held": held for letter, (_, held) in found.items()},
    }


def groups(*, after: int) -> list[str]:
    """The groups whose entries come after this one, each as its legs in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT t.group_id, t.kind, t.amount, min({NAMES}) FILTER (WHERE e.type = 'sent'),
                min({NAMES}) FILTER (WHERE e.type = 'received')
            FROM transfers AS t
            INNER JOIN transactions AS e ON e.transfer_id = t.id
            INNER JOIN wallets AS w ON w.id = e.wallet_id
            LEFT JOIN users AS u ON u.id = w.user_id
            WHERE e.id > %s
            GROUP BY t.id
            ORDER BY min(e.id)
            """,  # noqa: S608 - our own words
            [after],
        )
        told: dict[uuid.UUID, list[str]] = {}
        for group_id, kind, amount, payer, payee in cursor.fetchall():
            told.setdefault(group_id, []).append(f"{LETTERS[payer]}→{LETTERS[payee]} {amount} {kind}")
    return [", ".join(legs) for legs in told.values()]


def open_items() -> list[str]:
    """What waits in suspense, the oldest first."""
    return [
        f"{item.direction} {item.amount} {item.reason}"
        for item in SuspenseItem.objects.filter(resolved_at=None).order_by("pk")
    ]


def last_entry() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM transactions")
        entry: int = cursor.fetchone()[0]
    return entry


# People and their wallets -------------------------------------------------------------------------------------------
def has(amount: str, who: str = "C") -> Step:
    return lambda stage: fund(stage.people[who], amount)


def set_wallet(status: str, who: str = "C") -> Step:
    return lambda stage: Wallet.objects.filter(pk=stage.people[who].wallet.pk).update(status=status)


def freezes(who: str = "C") -> Step:
    return set_wallet("frozen", who)


def closes(who: str = "C") -> Step:
    return set_wallet("closed", who)


def suspends(who: str = "C") -> Step:
    return lambda stage: User.objects.filter(pk=stage.people[who].user.pk).update(status="suspended")


def is_of_tier(tier: int, who: str = "C") -> Step:
    return lambda stage: User.objects.filter(pk=stage.people[who].user.pk).update(kyc_tier=tier)


def sends(amount: str, sender: str = "C", recipient: str = "C2") -> Step:
    def step(stage: Stage) -> None:
        stage.last_group = send(stage.people[sender], stage.people[recipient], amount).transfer_id

    return step


def spends(amount: str, who: str) -> Step:
    """Somebody gives money away that the story is not about."""
    return lambda stage: send(stage.people[who], stage.people["bystander"], amount)


def gets_demo_money(amount: str) -> Step:
    return lambda stage: services.give_demo_money(
        wallet=stage.people["C"].wallet, amount=Money.parse(amount), key=new_key()
    )


# Vouchers -----------------------------------------------------------------------------------------------------------
def issues(voucher_type: Voucher.Type, face: str = "100.00") -> Step:
    def step(stage: Stage) -> None:
        issued = issuing.issue_voucher(
            user_public_id=stage.people["C"].user.public_id,
            voucher_type=voucher_type,
            amount=Money.parse(face),
            key=new_key(),
            now=now(),
        )
        stage.voucher_id = issued.voucher.public_id

    return step


def redeems(who: str, amount: str | None = None) -> Step:
    def step(stage: Stage) -> object:
        sealed = stage.voucher.code_encrypted
        assert sealed is not None
        return redeeming.redeem_voucher(
            user_public_id=stage.people[who].user.public_id,
            code=decrypt(sealed, context=CODE_CONTEXT),
            amount=None if amount is None else Money.parse(amount),
            key=new_key(),
            now=now(),
            origin=audit.SYSTEM,
        )

    return step


def cancels(stage: Stage) -> object:
    assert stage.voucher_id is not None
    return ending.cancel_voucher(
        user_public_id=stage.people["C"].user.public_id,
        voucher_public_id=stage.voucher_id,
        key=new_key(),
        now=now(),
        origin=audit.SYSTEM,
    )


def finance_cancels(stage: Stage) -> object:
    assert stage.voucher_id is not None
    return ending.cancel_for_customer(
        voucher_public_id=stage.voucher_id, decision=wording.decided(), key=new_key(), now=now(), origin=audit.SYSTEM
    )


def expires(stage: Stage) -> None:
    """The voucher's term ends, and the 72 hours of late messages."""
    assert ending.expire_vouchers(now=stage.voucher.expires_at + dt.timedelta(hours=72)).failed == 0


def till_reports(
    amount: str, *, when: Literal["now", "last moment", "late"] = "now", number: str | None = None
) -> Step:
    def step(stage: Stage) -> object:
        at = now()
        if when != "now":
            at = stage.voucher.expires_at - dt.timedelta(seconds=when == "last moment")
        reference = uuid.uuid4().hex
        report = tills.Report(
            provider_reference=reference,
            easypay_number=number or str(stage.voucher.easypay_number),
            amount=Money.parse(amount),
            paid_at=at,
            body=reference.encode(),
        )
        return tills.report_payment(report=report, now=at + dt.timedelta(seconds=2))

    return step


# Holds ----------------------------------------------------------------------------------------------------------------
def holds_back(amount: str) -> Step:
    def step(stage: Stage) -> None:
        held = holds.place_hold(
            wallet_id=stage.people["C"].wallet.pk,
            amount=Money.parse(amount),
            purpose="taxi",
            expires_at=None,
            key=new_key(),
        )
        stage.hold_id = held.public_id

    return step


def captures(amount: str, target: str = "C2") -> Step:
    def step(stage: Stage) -> object:
        assert stage.hold_id is not None
        return holds.capture_hold(
            hold_public_id=stage.hold_id,
            target=House(Wallet.Kind.BANK, 3) if target == "BK" else stage.people[target].wallet.pk,
            amount=Money.parse(amount),
            key=new_key(),
        )

    return step


def voids(stage: Stage) -> object:
    assert stage.hold_id is not None
    return holds.void_hold(hold_public_id=stage.hold_id, key=new_key())


# Two of finance -------------------------------------------------------------------------------------------------------
def reverses(stage: Stage) -> None:
    assert stage.last_group is not None
    stage.last_group = corrections.reverse_transfer(
        group_id=stage.last_group, decision=wording.decided(), key=new_key()
    )[0].transfer_id


def forces_the_reversal(stage: Stage) -> None:
    assert stage.last_group is not None
    stage.receivable = corrections.force_reversal(
        transfer_id=stage.last_group, decision=wording.decided(), key=new_key()
    )


def collects(amount: str) -> Step:
    def step(stage: Stage) -> object:
        assert stage.receivable is not None
        return corrections.collect_receivable(
            receivable_public_id=stage.receivable.public_id,
            amount=Money.parse(amount),
            decision=wording.decided(),
            key=new_key(),
        )

    return step


def adjusts(direction: Literal["credit", "debit"], amount: str, *, override: bool = False) -> Step:
    def step(stage: Stage) -> None:
        posted = corrections.adjust(
            wallet_number=stage.people["C"].wallet.number,
            amount=Money.parse(amount),
            direction=direction,
            override_ceiling=override,
            decision=wording.decided(),
            key=new_key(),
        )
        stage.last_group = posted.transfer_id

    return step


def settles(what: Settlement, amount: str) -> Step:
    def step(stage: Stage) -> None:
        posted = corrections.settle(step=what, amount=Money.parse(amount), decision=wording.decided(), key=new_key())
        stage.last_group = posted.transfer_id

    return step


def opens_again(stage: Stage) -> object:
    return set_wallet("active")(stage)


def finance(resolve: Resolve, *, to: str | None = None, **asked: Any) -> Step:
    """Two of finance decide about the suspense item that came last; `to` names somebody's wallet."""

    def step(stage: Stage) -> object:
        named = {} if to is None else {"wallet_number": stage.people[to].wallet.number}
        return resolve(
            item_public_id=stage.item.public_id, decision=wording.decided(), key=new_key(), now=now(), **named, **asked
        )

    return step
