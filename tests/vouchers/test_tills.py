"""Tills' reports: which money each moves, and that none is lost or counts twice."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

import pytest

from accounts.models import AuditEvent, User
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from tests.conftest import Person, Sql, fund, send
from tests.transactions.legs import close
from tests.vouchers.till import (
    CASH_OUT,
    SPENT,
    TOP_UP,
    UNKNOWN_NUMBER,
    cancel,
    done,
    end_term,
    in_doubt,
    issue,
    moves,
    payment,
    redeemed_by,
    status_of,
    told,
)
from transactions.models import Transfer
from vouchers.errors import VoucherUnderReview
from vouchers.models import SuspenseItem, TillEvent, Voucher
from vouchers.services.ending import expire_vouchers
from wallets.models import Wallet

pytestmark = pytest.mark.usefixtures("ledger")

FULL = "100000.00"  # the highest balance of tier 2


# Every kind of number, whatever has become of it --------------------------------------------------------------------
@dataclass
class Till:
    """A number of one kind, on the wallet of one customer, and what the till reports of it."""

    kind: Voucher.Type | None
    customer: Person
    friend: Person
    owner_sql: Sql

    def __post_init__(self) -> None:
        fund(self.customer, "500.00")
        self.voucher = issue(self.customer, self.kind) if self.kind else None
        self.report = payment(self.voucher or UNKNOWN_NUMBER)

    def right(self) -> None:
        pass

    def more(self) -> None:
        self.report["amount"] = "150.00"

    def less(self) -> None:
        self.report["amount"] = "99.99"

    def late(self) -> None:
        if self.voucher:
            end_term(self.owner_sql, self.voucher)

    def again(self) -> None:
        told(payment(self.voucher or UNKNOWN_NUMBER))

    def cancelled(self) -> None:
        if self.voucher:
            cancel(self.customer, self.voucher)

    def expired(self) -> None:
        if self.voucher:
            end_term(self.owner_sql, self.voucher, ago=dt.timedelta(days=4))
            assert expire_vouchers(now=now()).expired == 1

    def frozen(self) -> None:
        Wallet.objects.filter(pk=self.customer.wallet.pk).update(status="frozen")

    def suspended(self) -> None:
        User.objects.filter(pk=self.customer.user.pk).update(status="suspended")

    def closed(self) -> None:
        wallet = Wallet.objects.get(pk=self.customer.wallet.pk)
        send(self.customer, self.friend, str(Money(wallet.balance)))
        close(self.customer)

    def full(self) -> None:
        wallet = Wallet.objects.get(pk=self.customer.wallet.pk)
        fund(self.customer, str(Decimal(FULL) - wallet.balance))


WRONG = {
    "more": "other_amount",
    "less": "other_amount",
    "late": "late",
    "again": "again",
    "cancelled": "late",
    "expired": "late",
}
STOPPED = {
    "frozen": "wallet_frozen",
    "suspended": "account_suspended",
    "closed": "wallet_closed",
    "full": "balance_too_high",
}


# A wallet that holds money back for a cash-out cannot be closed.
CASES = [
    (kind, case)
    for kind in (TOP_UP, SPENT, CASH_OUT, None)
    for case in ("right", *WRONG, *STOPPED)
    if (kind, case) != (CASH_OUT, "closed")
]


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_each_report_moves_what_the_table_says_and_nothing_else(  # noqa: PLR0917 - fixtures
    kind: Voucher.Type | None, case: str, thandi: Person, sipho: Person, naledi: Person, owner_sql: Sql
) -> None:
    fund(sipho, "500.00")
    issue(sipho, kind or TOP_UP)
    till = Till(kind, thandi, naledi, owner_sql)
    getattr(till, case)()
    reason = None if kind else "unknown_number"
    if kind:
        reason = WRONG.get(case) or (STOPPED.get(case) if kind == TOP_UP else None)
    expected = in_doubt(kind, till.report["amount"]) if reason else done(kind, thandi)
    before = till.voucher and status_of(till.voucher)

    with moves(expected):
        assert told(till.report) == ("suspense" if reason else "applied")

    event = TillEvent.objects.get(provider_reference=till.report["provider_reference"])
    assert event.voucher == till.voucher
    assert event.processed_at is not None
    items = list(SuspenseItem.objects.filter(till_event=event))
    if reason is None:
        assert not items
        assert till.voucher is not None
        redeemed_by(till.voucher, into=thandi.wallet if kind == TOP_UP else None)
        return
    (item,) = items
    assert (item.reason, item.amount, item.currency) == (reason, Decimal(till.report["amount"]), "ZAR")
    assert item.direction == ("owed_to_till" if kind in {SPENT, CASH_OUT} else "owed_to_customer")
    assert (item.voucher, item.user) == ((till.voucher, thandi.user) if kind else (None, None))
    assert (till.voucher and status_of(till.voucher)) == before
    transfer = Transfer.objects.get(pk=item.transfer_id)
    assert transfer.kind == "suspense"
    assert transfer.metadata == {
        "provider_reference": event.provider_reference,
        **({"voucher": str(till.voucher.public_id)} if till.voucher else {}),
    }
    opened = AuditEvent.objects.get(verb="suspense.opened", subject_id=str(item.public_id))
    assert opened.facts == {
        "direction": item.direction,
        "reason": reason,
        "amount": till.report["amount"],
        "currency": "ZAR",
    }


def test_the_highest_balance_is_asked_of_what_is_left_after_the_fee(thandi: Person, sipho: Person) -> None:
    fund(thandi, str(Decimal(FULL) - Decimal("93.67")))
    assert told(payment(issue(thandi, TOP_UP))) == "applied"
    fund(sipho, str(Decimal(FULL) - Decimal("93.66")))
    assert told(payment(issue(sipho, TOP_UP))) == "suspense"


@pytest.mark.parametrize("kind", [TOP_UP, SPENT, CASH_OUT])
def test_the_moment_of_payment_decides_however_late_its_message(
    kind: Voucher.Type, thandi: Person, owner_sql: Sql
) -> None:
    fund(thandi, "500.00")
    for step, result in ((dt.timedelta(microseconds=-1), "applied"), (dt.timedelta(0), "suspense")):
        voucher = issue(thandi, kind)
        end_term(owner_sql, voucher)
        voucher.refresh_from_db()
        assert told(payment(voucher, paid_at=(voucher.expires_at + step).isoformat())) == result


@pytest.mark.parametrize("kind", [TOP_UP, SPENT, CASH_OUT])
def test_a_voucher_that_waits_for_finance_neither_expires_nor_is_cancelled(
    kind: Voucher.Type, thandi: Person, owner_sql: Sql
) -> None:
    fund(thandi, "500.00")
    voucher = issue(thandi, kind)
    before = status_of(voucher)
    told(payment(voucher, "60.00"))
    with moves({}):
        with pytest.raises(VoucherUnderReview):
            cancel(thandi, voucher)
        end_term(owner_sql, voucher, ago=dt.timedelta(days=30))
        assert expire_vouchers(now=now()).expired == 0
    assert status_of(voucher) == before


@pytest.mark.parametrize("kind", [TOP_UP, SPENT, CASH_OUT])
def test_a_till_that_corrects_itself_is_heard(kind: Voucher.Type, thandi: Person) -> None:
    fund(thandi, "500.00")
    voucher = issue(thandi, kind)
    assert told(payment(voucher, "60.00")) == "suspense"
    with moves(done(kind, thandi)):
        assert told(payment(voucher)) == "applied"
    assert told(payment(voucher)) == "suspense"
    assert Counter(SuspenseItem.objects.values_list("reason", flat=True)) == {"other_amount": 1, "again": 1}
