"""What moves money between customers."""

from __future__ import annotations

import uuid
from decimal import Decimal

from mymoolah.common.errors import DomainError
from mymoolah.common.money import Money
from mymoolah.common.retries import with_retries
from transactions import posting, selectors
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
from transactions.selectors import Receipt, Recipient, RecipientCannotReceive
from wallets.models import Wallet

LEAST_TRANSFER_AMOUNT = Decimal("1.00")


class AmountTooSmall(DomainError):
    code, status, title = "amount_too_small", 400, "This is less than can be sent"
    example = {"least": "1.00"}


def pay(
    *, user_public_id: uuid.UUID, recipient: Recipient, amount: Money, reference: str, key: IdempotencyKey
) -> Receipt:
    """Send `amount` to whoever has the number, phone or e-mail of `recipient`, once for each `key`.

    A repeat gets its first answer even when `recipient` names nobody any more, or somebody else.

    :raises AmountTooSmall: less than R1.00
    :raises RecipientNotFound, NoWalletInCurrency: nothing was written
    :raises DomainError: those of `send_money`
    """
    _refuse_small(amount)  # before anybody is looked for: nothing could have come of it
    try:
        route = selectors.get_route(user_public_id=user_public_id, recipient=recipient, currency=amount.currency)
    except DomainError:
        before = selectors.find_receipt(key=key)
        if before is None:
            raise
        posting.tell_again(*selectors.get_ends(transfer_id=before.transfer_id))
        return before
    posted = send_money(
        sender_wallet_id=route.payer_wallet_id,
        recipient_wallet_id=route.recipient_wallet_id,
        amount=amount,
        reference=reference,
        user_id=route.payer_id,
        key=key,
    )
    if posted.replayed:
        return selectors.get_receipt(transfer_id=posted.transfer_id)
    return Receipt(
        transfer_id=posted.transfer_id,
        kind=Kind.TRANSFER.value,
        amount=amount.amount,
        currency=amount.currency,
        reference=reference,
        recipient_number=route.recipient_number,
        balance_after=posted.from_balance_after,
        created_at=posted.posted_at,
    )


def send_money(
    *, sender_wallet_id: int, recipient_wallet_id: int, amount: Money, reference: str, user_id: int, key: IdempotencyKey
) -> Posted:
    """Move `amount` from one customer to another, once for each `key`. Free of charge.

    :raises InsufficientFunds, WalletFrozen, WalletClosed, LimitExceeded, NotPermitted, SameWallet: nothing was written
    :raises AmountTooSmall: less than R1.00
    :raises RecipientCannotReceive: nothing was written, and the sender learns no more
    :raises IdempotencyKeyReused: `key` already carries another request
    """
    _refuse_small(amount)
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


def _refuse_small(amount: Money) -> None:
    if amount.amount < LEAST_TRANSFER_AMOUNT:
        raise AmountTooSmall(least=str(LEAST_TRANSFER_AMOUNT))


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
