"""What two people of finance put right: reversals, what is owed after them, adjustments, settlements.

Each decision is one group of the ledger and one audit event, in one database transaction. The reason is kept in the
event for good, as finance wrote it: it names no person and tells nothing personal (a case number says who and why).
Locks are taken in the order key, group, receivable, wallets.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Literal

from django.db import connection, models, transaction
from django.db.models.functions import Now

from accounts import audit
from accounts.audit import Origin
from accounts.decisions import Decision, record_decision, require_finance
from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.ids import uuid7
from mymoolah.common.money import InvalidAmount, Money
from mymoolah.common.retries import with_retries
from mymoolah.common.sql.queries import rows
from transactions import posting
from transactions.models import Kind, Receivable, ReceivableCollection
from transactions.posting import (
    House,
    IdempotencyKey,
    Leg,
    NotReversible,
    Posted,
    UnknownTransfer,
    UnknownWallet,
    WrongCurrency,
)
from wallets.models import Wallet

REVERSIBLE = frozenset({Kind.TRANSFER, Kind.ADJUSTMENT, Kind.SETTLEMENT})
COSTS = frozenset({Kind.FEE, Kind.VAT})
# What is settled with the outside world is rare and looked at as a whole: one stripe of each wallet takes it all.
SETTLEMENT_STRIPE = 0


class AlreadyReversed(DomainError):
    code, status, title = "already_reversed", 409, "This has been reversed already"


class ForceNotNeeded(DomainError):
    code, status, title = "force_not_needed", 409, "The receiver still has the money: reverse it as usual"


class UnknownReceivable(NotFound):
    code, title = "receivable_not_found", "There is no such receivable"


class ReceivableExceeded(DomainError):
    code, status, title = "receivable_exceeded", 409, "This is more than is still owed"


class Settlement(models.TextChoices):
    """What is settled with the outside world, named for what it settles."""

    TOP_UPS = "top_ups", "EasyPay pays us for top-ups"
    VOUCHERS = "vouchers", "We pay EasyPay for vouchers spent"
    CASH_OUTS = "cash_outs", "We pay for cash-outs"
    VAT = "vat", "We pay VAT to the revenue service"
    FEES = "fees", "We take our fees"


STEPS = {
    Settlement.TOP_UPS: (Wallet.Kind.BANK, Wallet.Kind.EASYPAY_CLEARING),
    Settlement.VOUCHERS: (Wallet.Kind.EASYPAY_CLEARING, Wallet.Kind.BANK),
    Settlement.CASH_OUTS: (Wallet.Kind.CASHOUT_CLEARING, Wallet.Kind.BANK),
    Settlement.VAT: (Wallet.Kind.VAT_CONTROL, Wallet.Kind.BANK),
    Settlement.FEES: (Wallet.Kind.FEE_INCOME, Wallet.Kind.BANK),
}


# Reversals --------------------------------------------------------------------------------------------------------------
def reverse_transfer(
    *, group_id: uuid.UUID, decision: Decision, key: IdempotencyKey, origin: Origin = audit.SYSTEM
) -> list[Posted]:
    """Take a transfer, an adjustment or a settlement back, fees too: all of it, once.

    `group_id` is the first transfer of its group. What the sender of a transfer had spent counts no longer against his
    limits. Money returns to a frozen wallet, and to a full one, but must still be available where it went.

    :raises NotReversible, AlreadyReversed, UnknownTransfer: nothing was written
    :raises InsufficientFunds: it is spent; `force_reversal` gives a transfer back all the same
    :raises WalletClosed: of an end
    :raises NotOfFinance, ReasonNeeded: of `decision`
    :raises IdempotencyKeyReused: `key` already carries another request
    """

    def compose(first_id: uuid.UUID) -> list[Leg]:
        first, *rest = mirror_legs(group_id, allowed=REVERSIBLE)
        legs = [replace(first, id=first_id), *rest]
        record_decision(
            "transfer.reversed",
            subject_type="transfer",
            subject_id=group_id,
            decision=decision,
            origin=origin,
            reversal=str(first_id),
            amounts=[str(leg.amount) for leg in legs],
            currency=first.amount.currency,
        )
        return legs

    return _decide(compose, decision=decision, key=key)


def mirror_legs(group_id: uuid.UUID, *, allowed: Collection[Kind]) -> list[Leg]:
    """The legs that take a group back, in reverse order, for whoever posts them in this database transaction.

    Until it ends nobody else reverses this group. `allowed` says of what kinds its legs may be; the fees and VAT that
    went with them may be there too.

    :raises NotReversible: it is of another kind, or `group_id` is not the first of its group
    :raises AlreadyReversed: a leg of it is
    :raises UnknownTransfer: there is none
    """
    lock_group(group_id)
    group = rows("transactions", "group_legs.sql", transfer=group_id)
    if not group:
        raise UnknownTransfer
    kinds = {Kind(row["kind"]) for row in group}
    if group[-1]["group_id"] != group_id or not kinds & set(allowed) or kinds - set(allowed) - COSTS:
        raise NotReversible(kinds=sorted(kinds))
    if any(row["is_reversed"] for row in group):
        raise AlreadyReversed
    return [
        Leg(
            kind=Kind.REVERSAL,
            source=row["to_wallet_id"],
            target=row["from_wallet_id"],
            amount=Money(row["amount"], row["currency"]),
            reference=row["reference"],
            reverses=row["id"],
            gives_back=row["id"] if row["kind"] == Kind.TRANSFER else None,
        )
        for row in group
    ]


def lock_group(group_id: uuid.UUID) -> None:
    """Let nobody else reverse this group until the transaction ends.

    Without it the second of two would find the money gone before the reversal that took it.
    """
    assert connection.in_atomic_block, "the lock ends with the transaction"
    posting.call("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", str(group_id))


# What is owed -----------------------------------------------------------------------------------------------------------
def force_reversal(
    *, transfer_id: uuid.UUID, decision: Decision, key: IdempotencyKey, origin: Origin = audit.SYSTEM
) -> Receivable:
    """Give a transfer back to its sender from the bank's money, since its receiver has spent it; he owes it now.

    A repeat answers with the same receivable, of which more may be collected meanwhile.

    :raises ForceNotNeeded: the receiver has enough
    :raises NotReversible, AlreadyReversed, UnknownTransfer: nothing was written
    :raises WalletClosed: of the sender
    :raises NotOfFinance, ReasonNeeded: of `decision`
    :raises IdempotencyKeyReused: `key` already carries another request
    """

    def compose(first_id: uuid.UUID) -> list[Leg]:
        (mirror,) = mirror_legs(transfer_id, allowed={Kind.TRANSFER})
        assert isinstance(mirror.source, int)
        assert isinstance(mirror.target, int)
        debtor = Wallet.objects.get(pk=mirror.source)
        if debtor.balance - debtor.held >= mirror.amount.amount:
            raise ForceNotNeeded
        receivable = Receivable.objects.create(
            wallet=debtor,
            transfer_id=first_id,
            amount=mirror.amount.amount,
            currency=mirror.amount.currency,
            created_at=Now(),
        )
        record_decision(
            "transfer.force_reversed",
            subject_type="transfer",
            subject_id=transfer_id,
            decision=decision,
            origin=origin,
            reversal=str(first_id),
            receivable=str(receivable.public_id),
            amount=str(mirror.amount),
            currency=mirror.amount.currency,
        )
        return [replace(mirror, id=first_id, source=House(Wallet.Kind.ADJUSTMENTS, mirror.target))]

    (posted,) = _decide(compose, decision=decision, key=key)
    return Receivable.objects.get(transfer_id=posted.transfer_id)


def collect_receivable(
    *,
    receivable_public_id: uuid.UUID,
    amount: Money,
    decision: Decision,
    key: IdempotencyKey,
    origin: Origin = audit.SYSTEM,
) -> Posted:
    """Take `amount` of what a customer owes from his wallet, frozen or not.

    :raises ReceivableExceeded: less is open
    :raises InsufficientFunds, WalletClosed, WrongCurrency, InvalidAmount: nothing was written
    :raises UnknownReceivable: there is none
    :raises NotOfFinance, ReasonNeeded: of `decision`
    :raises IdempotencyKeyReused: `key` already carries another request
    """

    def compose(first_id: uuid.UUID) -> list[Leg]:
        receivable = Receivable.objects.select_for_update(no_key=True).filter(public_id=receivable_public_id).first()
        if receivable is None:
            raise UnknownReceivable
        if amount.amount <= 0:
            raise InvalidAmount
        if amount.currency != receivable.currency:
            raise WrongCurrency(payer=receivable.currency, payee=amount.currency)
        still_open = receivable.amount - receivable.collected_amount
        if amount.amount > still_open:
            raise ReceivableExceeded(open=str(still_open))
        receivable.collected_amount += amount.amount
        receivable.save(update_fields=["collected_amount"])
        ReceivableCollection.objects.create(
            receivable=receivable, transfer_id=first_id, amount=amount.amount, created_at=Now()
        )
        record_decision(
            "receivable.collected",
            subject_type="receivable",
            subject_id=receivable.public_id,
            decision=decision,
            origin=origin,
            transfer=str(first_id),
            amount=str(amount),
            currency=amount.currency,
        )
        return [
            Leg(
                id=first_id,
                kind=Kind.COLLECTION,
                source=receivable.wallet_id,
                target=House(Wallet.Kind.ADJUSTMENTS, receivable.wallet_id),
                amount=amount,
            )
        ]

    return _decide(compose, decision=decision, key=key)[0]


# Adjustments and settlements --------------------------------------------------------------------------------------------
def adjust(
    *,
    wallet_number: str,
    amount: Money,
    direction: Literal["credit", "debit"],
    decision: Decision,
    key: IdempotencyKey,
    override_ceiling: bool = False,
    origin: Origin = audit.SYSTEM,
) -> Posted:
    """Put money into a customer's wallet (credit), or take some that is available out of it (debit), frozen or not.

    :raises BalanceTooHigh: a credit would lift it over its tier's highest balance, and `override_ceiling` is not said
    :raises InsufficientFunds, WalletClosed, WrongCurrency, InvalidAmount: nothing was written
    :raises UnknownWallet: no customer's wallet has this number
    :raises NotOfFinance, ReasonNeeded: of `decision`
    :raises IdempotencyKeyReused: `key` already carries another request
    """

    def compose(first_id: uuid.UUID) -> list[Leg]:
        wallet = Wallet.objects.filter(number=wallet_number, kind=Wallet.Kind.CUSTOMER).first()
        if wallet is None:
            raise UnknownWallet
        record_decision(
            "wallet.adjusted",
            subject_type="wallet",
            subject_id=wallet_number,
            decision=decision,
            origin=origin,
            transfer=str(first_id),
            direction=direction,
            amount=str(amount),
            currency=amount.currency,
            override_ceiling=override_ceiling,
        )
        bank = House(Wallet.Kind.ADJUSTMENTS, wallet.pk)
        is_credit = direction == "credit"
        return [
            Leg(
                id=first_id,
                kind=Kind.ADJUSTMENT,
                source=bank if is_credit else wallet.pk,
                target=wallet.pk if is_credit else bank,
                amount=amount,
                check_ceiling=is_credit and not override_ceiling,
            )
        ]

    return _decide(compose, decision=decision, key=key)[0]


def settle(
    *, step: Settlement, amount: Money, decision: Decision, key: IdempotencyKey, origin: Origin = audit.SYSTEM
) -> Posted:
    """Enter that money was settled with the outside world, from one wallet of the house to another.

    It happened, so nothing is asked of their balances, which stand on sixteen stripes each: the first of them takes all
    settlements, and only the sum of a wallet's stripes means something.

    :raises UnknownWallet: there is no house in this currency
    :raises InvalidAmount: nothing was written
    :raises NotOfFinance, ReasonNeeded: of `decision`
    :raises IdempotencyKeyReused: `key` already carries another request
    """

    def compose(first_id: uuid.UUID) -> list[Leg]:
        source, target = STEPS[step]
        record_decision(
            "house.settled",
            subject_type="transfer",
            subject_id=first_id,
            decision=decision,
            origin=origin,
            step=step.value,
            amount=str(amount),
            currency=amount.currency,
        )
        return [
            Leg(
                id=first_id,
                kind=Kind.SETTLEMENT,
                source=House(source, SETTLEMENT_STRIPE),
                target=House(target, SETTLEMENT_STRIPE),
                amount=amount,
            )
        ]

    return _decide(compose, decision=decision, key=key)[0]


# Deciding ---------------------------------------------------------------------------------------------------------------
def _decide(compose: Callable[[uuid.UUID], list[Leg]], *, decision: Decision, key: IdempotencyKey) -> list[Posted]:
    """Post, once for each `key`, the group that `compose` makes, the first of whose legs carries the id it is given."""

    def once() -> list[Posted]:
        first_id = uuid7()
        with transaction.atomic():
            made = posting.claim(key, produces="transfer", id=first_id)
            if made is not None:
                return _posted(made)
            require_finance(decision)
            return posting.post(compose(first_id), decision=decision)

    return with_retries(once)


def _posted(group_id: uuid.UUID) -> list[Posted]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT
                transfer_id, from_sequence, from_balance_after, to_sequence, to_balance_after, posted_at, replayed
            FROM posted_group(%s)
            """,
            [group_id],
        )
        columns = [column.name for column in cursor.description]
        return [Posted(**dict(zip(columns, row, strict=True))) for row in cursor.fetchall()]
