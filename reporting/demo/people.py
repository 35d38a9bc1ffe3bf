"""The people of the demo. Each is made once; what they do afterwards is theirs."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

from django.db import transaction

from accounts import audit
from accounts.models import User
from accounts.services import create_staff
from mymoolah.common.money import CURRENCY, Money
from transactions.posting import IdempotencyKey
from transactions.services import give_demo_money
from wallets.models import Wallet
from wallets.services import open_account

TIER = 2
WELCOME_AMOUNT = Money.parse("5000.00", CURRENCY)


@dataclass(frozen=True)
class Customer:
    email: str
    phone: str
    first_name: str
    last_name: str


@dataclass(frozen=True)
class Colleague:
    email: str
    role: str
    first_name: str
    last_name: str


CUSTOMERS = (
    Customer("customer1@example.com", "+27600000001", "Thandi", "Mokoena"),
    Customer("customer2@example.com", "+27600000002", "Sipho", "Dlamini"),
)
STAFF = (
    Colleague("admin@example.com", "administrator", "Amahle", "Naidoo"),
    Colleague("kyc@example.com", "kyc", "Kagiso", "van Wyk"),
    Colleague("kyc2@example.com", "kyc", "Katlego", "Pillay"),
    Colleague("finance@example.com", "finance", "Farah", "Jacobs"),
    Colleague("finance2@example.com", "finance", "Fikile", "Nkosi"),
    Colleague("auditor@example.com", "auditor", "Anton", "Botha"),
    Colleague("support@example.com", "support", "Sindi", "Khumalo"),
    Colleague("operator@example.com", "operator", "Ofentse", "Molefe"),
)


def make_people(*, password: str, now: dt.datetime) -> bool:
    """Add who is missing, with their money, and make `password` everybody's. Whether anything had to be done.

    No validator is asked about the password: it is printed for all to see anyway. Checking one takes a good part of a
    second; so the last of all who are made tells whether the others have it.
    """
    last = User.objects.with_email(CUSTOMERS[-1].email).first()
    is_current = last is not None and last.check_password(password)
    changed = [_make_colleague(colleague, password) for colleague in STAFF]
    changed += [_make_customer(customer, password, now) for customer in CUSTOMERS]
    if not is_current:
        for person in (*STAFF, *CUSTOMERS):
            _give_password(person.email, password)
    return any(changed) or not is_current


def _make_colleague(colleague: Colleague, password: str) -> bool:
    if User.objects.with_email(colleague.email).exists():
        return False
    create_staff(
        email=colleague.email,
        password=password,
        first_name=colleague.first_name,
        last_name=colleague.last_name,
        role=colleague.role,
    )
    return True


def _make_customer(customer: Customer, password: str, now: dt.datetime) -> bool:
    """A demo that was killed in between has left an account without money; one with money gets no more."""
    # By phone as well: staff may have corrected the e-mail address.
    user = User.objects.with_email(customer.email).first() or User.objects.filter(phone=customer.phone).first()
    if user is None:
        user = _open_account(customer, password, now)
    wallet = Wallet.objects.get(user=user, currency=CURRENCY)
    asked = f"{wallet.number} {WELCOME_AMOUNT} {CURRENCY}"
    key = IdempotencyKey("demo", f"welcome:{user.public_id}", hashlib.sha256(asked.encode()).digest())
    return not give_demo_money(wallet=wallet, amount=WELCOME_AMOUNT, key=key).replayed


def _open_account(customer: Customer, password: str, now: dt.datetime) -> User:
    with transaction.atomic():
        user, _ = open_account(
            email=customer.email,
            phone=customer.phone,
            password=password,
            first_name=customer.first_name,
            last_name=customer.last_name,
        )
        user.email_verified_at = user.phone_verified_at = now
        user.kyc_tier, user.id_verified, user.kyc_status = TIER, True, User.KycStatus.VERIFIED
        user.save(update_fields=["email_verified_at", "phone_verified_at", "kyc_tier", "id_verified", "kyc_status"])
        audit.record("kyc.approved", subject_type="user", subject_id=user.public_id, tier=TIER, demo=True)
    return user


def _give_password(email: str, password: str) -> None:
    user = User.objects.with_email(email).first()
    if user is not None and not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record("user.password_set", subject_type="user", subject_id=user.public_id, demo=True)
