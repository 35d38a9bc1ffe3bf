"""What changes about wallets, but never their money: that is the kernel's."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.audit import Origin
from accounts.models import User
from accounts.services import create_customer
from mymoolah.common import read_cache
from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.ids import wallet_number
from mymoolah.common.money import CURRENCY
from wallets.models import Wallet

NUMBER_ATTEMPTS = 5
STRIPES = 16
# Wallets are locked in ascending id: these come last, and what everybody shares is held for the shortest time.
HOUSE_IDS_FROM = 9 * 10**15


class WalletExists(DomainError):
    code, status, title = "wallet_exists", 409, "There is already a wallet in this currency"


class OutOfNumbers(Exception):
    """Several random wallet numbers in a row were taken: time to lengthen them."""


class WalletNotFound(NotFound):
    code, title = "wallet_not_found", "There is no such wallet"


class CannotFreeze(DomainError):
    code, status, title = "wallet_not_active", 409, "Only an active wallet can be frozen"
    example = {"status": "closed"}


def open_account(
    *, email: str, phone: str, password: str | None, first_name: str, last_name: str, origin: Origin = audit.SYSTEM
) -> tuple[User, Wallet]:
    """Add a customer and a rand wallet, both or neither.

    :raises AlreadyRegistered: the e-mail or the phone is somebody's
    """
    with transaction.atomic():
        user = create_customer(
            email=email, phone=phone, password=password, first_name=first_name, last_name=last_name, origin=origin
        )
        return user, open_wallet(user=user, currency=CURRENCY, origin=origin)


def open_wallet(*, user: User, currency: str, origin: Origin = audit.SYSTEM) -> Wallet:
    """Open an empty wallet with a number nobody has.

    :raises WalletExists: this user has one in `currency`
    """
    for _ in range(NUMBER_ATTEMPTS):
        try:
            with transaction.atomic():
                wallet = Wallet.objects.create(user=user, currency=currency, number=wallet_number())
                read_cache.changed(user.public_id)
                audit.record("wallet.opened", subject_type="wallet", subject_id=wallet.number, origin=origin)
                return wallet
        except IntegrityError as error:
            if "uq_wallets_user_currency" in str(error):
                raise WalletExists(currency=currency) from error
    raise OutOfNumbers


def open_house_wallets(*, currency: str) -> None:
    """Open every wallet of the bank's own in `currency`, each in `STRIPES` stripes. Those that exist stay."""
    existing = set(
        Wallet.objects.exclude(kind=Wallet.Kind.CUSTOMER).filter(currency=currency).values_list("kind", "stripe")
    )
    missing = [
        Wallet(kind=kind, stripe=stripe, currency=currency, number=number, id=HOUSE_IDS_FROM + int(number))
        for kind in Wallet.Kind
        if kind != Wallet.Kind.CUSTOMER
        for stripe in range(STRIPES)
        if (kind, stripe) not in existing
        for number in [wallet_number()]
    ]
    Wallet.objects.bulk_create(missing)


def freeze_wallet(*, number: str, user_public_id: uuid.UUID, origin: Origin) -> Wallet:
    """Stop a customer's wallet from sending and receiving; freezing a frozen one changes nothing.

    Vouchers made before stay what they are, and what returns to its owner returns into it.

    :raises WalletNotFound: no such wallet of this user
    :raises CannotFreeze: it is closed
    """
    with transaction.atomic():
        wallet = (
            Wallet.objects.select_for_update(no_key=True).filter(number=number, user__public_id=user_public_id).first()
        )
        if wallet is None:
            raise WalletNotFound
        if wallet.status == Wallet.Status.CLOSED:
            raise CannotFreeze(status=wallet.status)
        read_cache.changed(user_public_id)  # of a frozen one too: who froze it may have died before he told
        if wallet.status == Wallet.Status.ACTIVE:
            wallet.status, wallet.frozen_by = Wallet.Status.FROZEN, Wallet.FrozenBy.CUSTOMER
            wallet.save(update_fields=["status", "frozen_by"])
            audit.record(
                "wallet.frozen", subject_type="wallet", subject_id=number, origin=origin, frozen_by=wallet.frozen_by
            )
    return wallet
