"""What each intent may read: one query of one customer's own rows, which PostgreSQL answers as JSON.

The table below is all there is. No text of a message reaches a query but through `References`, as a value; and every
query begins with the customer's public id (a test asks each of them for what is somebody else's).
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from mymoolah.common import sql
from mymoolah.common.errors import NotFound
from reporting.support.intents import Intent
from reporting.support.references import References
from vouchers.models import Voucher

Facts = dict[str, Any]

WALLETS: Final = ("wallets.view_wallet",)
ENTRIES: Final = ("transactions.view_transaction",)
VOUCHERS: Final = ("vouchers.view_voucher",)
IDENTITY: Final = ("accounts.view_user", "accounts.view_kycsubmission")
TICKETS: Final = ("accounts.view_user", "reporting.view_supportticket")
PEOPLE: Final = ("accounts.view_user",)
EVERY_TYPE: Final = tuple(Voucher.Type.values)


class UnknownCustomer(NotFound):
    code, title = "unknown_user", "There is no such account"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A query of reporting/sql/support, and what of the staff's permissions its rows need (the customer page's)."""

    query: str
    needs: tuple[str, ...]
    values: Mapping[str, Any] = field(default_factory=dict)


READINGS: Final[Mapping[Intent, Reading]] = {
    Intent.BALANCE: Reading(query="wallets", needs=WALLETS),
    Intent.TRANSACTIONS: Reading(query="entries", needs=ENTRIES),
    Intent.MONEY_IN: Reading(query="entries", needs=ENTRIES, values={"type": "received"}),
    Intent.MONEY_OUT: Reading(query="entries", needs=ENTRIES, values={"type": "sent"}),
    Intent.TRANSFER_STATUS: Reading(query="transfers", needs=ENTRIES + WALLETS),
    Intent.TRANSFER_FAILED_OR_DECLINED: Reading(query="transfers", needs=ENTRIES + WALLETS),
    Intent.WRONG_RECIPIENT: Reading(query="transfers", needs=ENTRIES + WALLETS),
    Intent.DUPLICATE_CHARGE: Reading(query="duplicates", needs=ENTRIES + WALLETS),
    Intent.TOPUP_HOW: Reading(query="vouchers", needs=VOUCHERS, values={"types": ("easypay_topup",)}),
    Intent.TOPUP_PENDING: Reading(query="vouchers", needs=VOUCHERS, values={"types": ("easypay_topup",)}),
    Intent.TOPUP_FAILED: Reading(query="vouchers", needs=VOUCHERS, values={"types": ("easypay_topup",)}),
    Intent.VOUCHER_LIST: Reading(query="vouchers", needs=VOUCHERS, values={"live": True}),
    Intent.VOUCHER_HOW: Reading(query="fees", needs=PEOPLE),
    Intent.VOUCHER_PROBLEM: Reading(query="vouchers", needs=VOUCHERS),
    Intent.CASHOUT: Reading(query="vouchers", needs=VOUCHERS, values={"types": ("easypay_cashout",)}),
    Intent.FEES: Reading(query="fees", needs=PEOPLE),
    Intent.LIMITS: Reading(query="wallets", needs=WALLETS),
    Intent.KYC_STATUS: Reading(query="identity", needs=IDENTITY),
    Intent.KYC_HOW: Reading(query="identity", needs=IDENTITY),
    Intent.KYC_REJECTED: Reading(query="identity", needs=IDENTITY),
    Intent.CHANGE_DETAILS: Reading(query="account", needs=PEOPLE),
    Intent.PASSWORD_OR_PIN: Reading(query="account", needs=PEOPLE),
    Intent.LOST_PHONE_OR_FRAUD: Reading(query="account", needs=PEOPLE + WALLETS + VOUCHERS, values={"live": True}),
    Intent.REFUND: Reading(query="refunds", needs=ENTRIES),
    Intent.STATEMENT: Reading(query="account", needs=PEOPLE),
    Intent.CLOSE_ACCOUNT: Reading(query="closing", needs=WALLETS + VOUCHERS),
    Intent.RECEIVE_MONEY: Reading(query="account", needs=PEOPLE + WALLETS),
    Intent.SUPPORTED_COUNTRIES_AND_CURRENCIES: Reading(query="account", needs=PEOPLE),
    Intent.HUMAN: Reading(query="tickets", needs=TICKETS),
    Intent.GREETING: Reading(query="account", needs=PEOPLE),
    Intent.OUT_OF_SCOPE: Reading(query="account", needs=PEOPLE),
}


def facts_for(intent: Intent, *, user_public_id: uuid.UUID, about: References, now: dt.datetime) -> Facts:
    """What an answer to `intent` may say of this customer. One query.

    :raises UnknownCustomer: nobody has this id
    """
    reading = READINGS[intent]
    values: dict[str, Any] = {
        "type": None,
        "types": EVERY_TYPE,
        "live": False,
        **reading.values,
        "user": user_public_id,
        "at": now,
        "transfer": about.transfer,
        "amount": about.amount,
        "number": about.easypay_number,
    }
    values["types"] = list(values["types"])  # which psycopg writes as an array
    with connection.cursor() as cursor:
        cursor.execute(sql.read("reporting", f"support/{reading.query}.sql"), values)
        row = cursor.fetchone()
    if row is None:
        raise UnknownCustomer
    found: Facts = json.loads(row[0])
    return found
