"""What moves money between customers."""

from __future__ import annotations

from decimal import Decimal

from mymoolah.common.errors import DomainError
from mymoolah.common.money import Money
from mymoolah.common.retries import with_retries
from transactions import posting
from transactions.models import Kind
from transactions.posting import (
    BalanceTooHigh,
    House,
    IdempotencyKey,
    Leg,
    Posted,
    UserNotActive,
    WalletNotActive,
)
from wallets.models import Wallet

LEAST_TRANSFER_AMOUNT = Decimal("1.00")


class AmountTooSmall(DomainError):
    code, status, title = "amount_too_small", 400, "This is less than can be sent"


class RecipientCannotReceive(DomainError):
    """Frozen, closed, full, or no wallet in this currency: one answer, without facts, for all of it."""

    code, status, title = "recipient_cannot_receive", 409, "This person cannot receive the money"


def send_money(
    *, sender_wallet_id: int, recipient_wallet_id: int, amount: Money, reference: str, user_id: int, key: IdempotencyKey
) -> Posted:
    """Move `amount` from one customer to another, once for each `key`. Free of charge.

    :raises InsufficientFunds, WalletFrozen, WalletClosed, LimitExceeded, NotPermitted, SameWallet: nothing was written
    :raises AmountTooSmall: less than R1.00
    :raises RecipientCannotReceive: nothing was written, and the sender learns no more
    :raises IdempotencyKeyReused: `key` already carries another request
    """
    if amount.amount < LEAST_TRANSFER_AMOUNT:
        raise AmountTooSmall(least=str(LEAST_TRANSFER_AMOUNT))
    leg = Leg(
        kind=Kind.TRANSFER,
        source=sender_wallet_id,
        target=recipient_wallet_id,
        amount=amount,
        reference=reference,
        check_active=True,
        check_limits="send",
        check_ceiling=True,
    )
    try:
        return with_retries(lambda: posting.post([leg], key=key, initiated_by=user_id))[0]
    except BalanceTooHigh as error:
        raise RecipientCannotReceive from error
    except (WalletNotActive, UserNotActive) as error:
        if error.facts.get("end") == "payee":
            raise RecipientCannotReceive from error
        raise


def give_demo_money(*, wallet: Wallet, amount: Money, key: IdempotencyKey) -> Posted:
    """Put `amount` of play money into a wallet, once for each `key`.

    :raises BalanceTooHigh: the wallet would hold more than its tier allows
    """
    leg = Leg(
        kind=Kind.DEMO_MONEY,
        source=House(Wallet.Kind.ADJUSTMENTS, wallet.id),
        target=wallet.id,
        amount=amount,
        reference="Demo money",
        check_ceiling=True,
    )
    return with_retries(lambda: posting.post([leg], key=key))[0]
