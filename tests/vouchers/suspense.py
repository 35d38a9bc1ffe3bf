"""Money in suspense: how it comes there, and how two of finance decide about it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from accounts.models import User
from mymoolah.common.clock import now
from tests.conftest import Person, Sql, fund
from tests.transactions.legs import close, decided
from tests.vouchers.till import (
    CASH_OUT,
    SPENT,
    TOP_UP,
    UNKNOWN_NUMBER,
    Moves,
    a_key,
    end_term,
    issue,
    payment,
    told,
)
from transactions.models import Transaction, Transfer
from vouchers.models import SuspenseItem, Voucher
from vouchers.services import resolving
from vouchers.services.ending import expire_vouchers
from vouchers.services.resolving import (
    Resolved,
)
from wallets.models import Wallet

Service = Callable[..., Resolved]
FEES: Moves = {"fee_income": "5.50", "vat_control": "0.83"}


def item_of(voucher: Voucher | None) -> SuspenseItem:
    """The newest."""
    return SuspenseItem.objects.filter(voucher=voucher).latest("pk")


def reported(who: Person, kind: Voucher.Type, amount: str, *, times: int = 1) -> tuple[Voucher, SuspenseItem]:
    """A voucher of R100 of which a till said something that went to suspense."""
    voucher = issue(who, kind)
    for _ in range(times - 1):
        assert told(payment(voucher)) == "applied"
    assert told(payment(voucher, amount)) == "suspense"
    return voucher, item_of(voucher)


def unknown(amount: str = "100.00") -> SuspenseItem:
    told(payment(UNKNOWN_NUMBER, amount))
    return item_of(None)


def refund(who: Person, owner_sql: Sql) -> SuspenseItem:
    """An EasyPay voucher has expired after its issuer's wallet was closed: R102.88 belong to him."""
    fund(who, "102.88")
    voucher = issue(who, SPENT)
    close(who)
    end_term(owner_sql, voucher, ago=dt.timedelta(days=4))
    assert expire_vouchers(now=now()).expired == 1
    return item_of(voucher)


def decide(service: Service, item: SuspenseItem, **how: Any) -> SuspenseItem:
    given = {"decision": decided(), "key": a_key(), "now": now(), **how}
    return service(item_public_id=item.public_id, **given).item


def set_wallet(who: Person, status: str) -> None:
    Wallet.objects.filter(pk=who.wallet.pk).update(status=status)


def legs_of(group_id: uuid.UUID | None) -> list[Transfer]:
    """The transfers of a group, as they were posted."""
    assert group_id is not None
    entries = Transaction.objects.filter(transfer__group_id=group_id, type="sent").order_by("pk")
    return [entry.transfer for entry in entries.select_related("transfer")]


def kinds_of(item: SuspenseItem) -> list[str]:
    return [leg.kind for leg in legs_of(item.resolution_transfer_id)]


def freeze(who: Person) -> None:
    set_wallet(who, "frozen")


def suspend(who: Person) -> None:
    User.objects.filter(pk=who.user.pk).update(status="suspended")


def fill(who: Person) -> None:
    fund(who, "100000.00")


SERVICES: dict[str, tuple[Service, set[str]]] = {
    "release cash in": (resolving.release_cash_in, {"top-up", "paid again", "unknown"}),
    "return": (resolving.return_cash_in, {"top-up", "paid again", "unknown"}),
    "release refund": (resolving.release_refund, {"refund"}),
    "pay outside": (resolving.pay_refund_outside, {"refund"}),
    "spent": (resolving.resolve_spent, {"spent"}),
    "paid out": (resolving.resolve_paid_out, {"cash-out"}),
    "bear": (partial(resolving.bear, bearer="bank"), {"spent", "spent again", "cash-out", "cash-out again"}),
}
STORIES = ["top-up", "paid again", "unknown", "refund", "spent", "spent again", "cash-out", "cash-out again"]


def story(name: str, thandi: Person, owner_sql: Sql) -> tuple[SuspenseItem, Person]:
    """A suspense item, and whose wallet can be named for it."""
    if name == "refund":
        item = refund(thandi, owner_sql)
        set_wallet(thandi, "active")
        return item, thandi
    fund(thandi, "500.00")
    if name == "unknown":
        return unknown(), thandi
    kind = {"top-up": TOP_UP, "paid again": TOP_UP, "spent": SPENT, "spent again": SPENT}.get(name, CASH_OUT)
    return reported(thandi, kind, "60.00", times=2 if "again" in name else 1)[1], thandi


def naming(service: str, who: Person) -> dict[str, Any]:
    return {"wallet_number": who.wallet.number} if service in {"release cash in", "release refund"} else {}


FITTING = {
    "release cash in": "top-up",
    "return": "unknown",
    "release refund": "refund",
    "pay outside": "refund",
    "spent": "spent",
    "paid out": "cash-out",
    "bear": "cash-out again",
}
