"""Money in suspense that is owed to a till: what it reported counts after all, or somebody bears it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Person, Sql, fund, send
from tests.transactions.legs import close
from tests.vouchers.suspense import (
    decide,
    item_of,
    kinds_of,
    reported,
    set_wallet,
)
from tests.vouchers.till import (
    CASH_OUT,
    SPENT,
    Moves,
    cancel,
    end_term,
    issue,
    moves,
    payment,
    status_of,
    told,
)
from transactions.posting import (
    InsufficientFunds,
)
from vouchers.models import Voucher, VoucherRedemption
from vouchers.services import resolving
from vouchers.services.resolving import (
    ResolutionDoesNotFit,
)
from wallets.models import Hold

pytestmark = pytest.mark.usefixtures("ledger")


# What a till sold or paid out, after all ----------------------------------------------------------------------------
SPENT_CASES: dict[str, tuple[str | None, dict[str, str], list[str]]] = {
    "60.00": (None, {"voucher_liability": "-100.00", "suspense": "60.00", "C": "40.00"}, ["resolution", "voucher_refund"]),
    "99.99": (None, {"voucher_liability": "-100.00", "suspense": "99.99", "C": "0.01"}, ["resolution", "voucher_refund"]),
    "150.00": (
        "till",
        {"voucher_liability": "-100.00", "suspense": "150.00", "easypay_clearing": "-50.00"},
        ["resolution", "resolution"],
    ),
    "100.01": (
        "bank",
        {"voucher_liability": "-100.00", "suspense": "100.01", "adjustments": "-0.01"},
        ["resolution", "resolution"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("amount", SPENT_CASES)
def test_another_amount_is_taken_as_what_was_spent(amount: str, thandi: Person) -> None:
    fund(thandi, "102.88")
    bearer, change, kinds = SPENT_CASES[amount]
    voucher, item = reported(thandi, SPENT, amount)
    set_wallet(thandi, "frozen")  # what returns to its owner asks nothing of his wallet
    expected: Any = {thandi if who == "C" else who: what for who, what in change.items()}
    with moves(expected):
        item = decide(resolving.resolve_spent, item, bearer=bearer)
    assert kinds_of(item) == kinds
    assert item.resolution == "spent"
    voucher.refresh_from_db()
    assert (voucher.status, voucher.balance) == ("redeemed", 0)
    redemption = VoucherRedemption.objects.get(voucher=voucher)
    assert redemption.amount == min(Decimal(amount), Decimal("100.00"))
    assert (redemption.wallet, redemption.transfer_id) == (None, item.resolution_transfer_id)


@pytest.mark.parametrize("kind", [SPENT, CASH_OUT])
def test_the_right_amount_that_came_late_is_taken_while_the_voucher_waits(
    kind: Voucher.Type, thandi: Person, owner_sql: Sql
) -> None:
    fund(thandi, "200.00")
    voucher = issue(thandi, kind)
    end_term(owner_sql, voucher)
    told(payment(voucher))
    change: Any = {"voucher_liability": "-100.00", "suspense": "100.00"}
    if kind == CASH_OUT:
        change = {thandi: ("-109.20", "-109.20"), "suspense": "100.00", "fee_income": "8.00", "vat_control": "1.20"}
    with moves(change):
        decide(resolving.resolve_spent if kind == SPENT else resolving.resolve_paid_out, item_of(voucher))
    assert status_of(voucher) == "redeemed"


def test_what_is_left_of_a_closed_wallets_voucher_waits_in_a_new_item(thandi: Person) -> None:
    fund(thandi, "102.88")
    voucher, item = reported(thandi, SPENT, "60.00")
    close(thandi)
    with moves({"voucher_liability": "-100.00", "suspense": "100.00"}):
        item = decide(resolving.resolve_spent, item)
    left = item_of(voucher)
    assert left.pk != item.pk
    assert (left.amount, left.direction, left.reason, left.user) == (
        Decimal("40.00"),
        "owed_to_customer",
        "wallet_closed",
        thandi.user,
    )
    assert left.transfer_id == item.resolution_transfer_id
    with moves({"suspense": "-40.00", "bank": "40.00"}):
        decide(resolving.pay_refund_outside, left)


@pytest.mark.parametrize(
    ("amount", "bearer", "rest"),
    [
        ("60.00", None, {}),
        ("150.00", "till", {"cashout_clearing": "-50.00"}),
        ("150.00", "bank", {"adjustments": "-50.00"}),
    ],
)
def test_another_amount_is_taken_as_what_was_paid_out_of_the_hold(
    amount: str, bearer: str | None, rest: Moves, thandi: Person
) -> None:
    fund(thandi, "109.20")
    voucher, item = reported(thandi, CASH_OUT, amount)
    set_wallet(thandi, "frozen")
    paid = min(Decimal(amount), Decimal("100.00")) + Decimal("9.20")
    costs: Moves = {"fee_income": "8.00", "vat_control": "1.20"}
    with moves({"suspense": amount, thandi: (f"-{paid}", "-109.20"), **costs, **rest}):
        item = decide(resolving.resolve_paid_out, item, bearer=bearer)
    assert kinds_of(item) == ["resolution", "fee", "vat", *["resolution" for _ in rest]]
    assert status_of(voucher) == "redeemed"
    assert Hold.objects.get(voucher=voucher).status == "captured"
    redemption = VoucherRedemption.objects.get(voucher=voucher)
    assert (redemption.amount, redemption.wallet) == (paid - Decimal("9.20"), None)


@pytest.mark.parametrize(("kind", "service"), [(SPENT, "resolve_spent"), (CASH_OUT, "resolve_paid_out")])
def test_somebody_bears_what_is_more_than_the_face_and_only_that(
    kind: Voucher.Type, service: str, thandi: Person
) -> None:
    fund(thandi, "500.00")
    _, more = reported(thandi, kind, "150.00")
    _, less = reported(thandi, kind, "60.00")
    with moves({}):
        with pytest.raises(ResolutionDoesNotFit):
            decide(getattr(resolving, service), more)
        for bearer in ("till", "bank"):
            with pytest.raises(ResolutionDoesNotFit):
                decide(getattr(resolving, service), less, bearer=bearer)


@pytest.mark.parametrize(("bearer", "resolution"), [("till", "till_bears"), ("bank", "bank_bears"), ("customer", "customer_agreed")])  # fmt: skip
@pytest.mark.parametrize(("kind", "clearing"), [(SPENT, "easypay_clearing"), (CASH_OUT, "cashout_clearing")])
@pytest.mark.parametrize("times", [1, 2])
def test_what_was_sold_or_paid_out_in_vain_is_borne(  # noqa: PLR0917 - parameters
    times: int, kind: Voucher.Type, clearing: str, bearer: str, resolution: str, thandi: Person
) -> None:
    fund(thandi, "500.00")
    voucher, item = reported(thandi, kind, "60.00", times=times)
    before = status_of(voucher)
    set_wallet(thandi, "frozen")  # he agreed
    sources: dict[str, Any] = {"till": clearing, "bank": "adjustments", "customer": thandi}
    with moves({"suspense": "60.00", sources[bearer]: "-60.00"}):
        item = decide(resolving.bear, item, bearer=bearer)
    assert kinds_of(item) == ["resolution"]
    assert item.resolution == resolution
    assert status_of(voucher) == before
    set_wallet(thandi, "active")
    if times == 1:  # nothing keeps it any more
        cancel(thandi, voucher)


def test_a_customer_bears_only_what_he_has_available(thandi: Person, sipho: Person) -> None:
    fund(thandi, "200.00")
    _, item = reported(thandi, CASH_OUT, "100.00", times=2)
    send(thandi, sipho, "50.00")
    with moves({}), pytest.raises(InsufficientFunds):
        decide(resolving.bear, item, bearer="customer")
    with moves({"suspense": "100.00", "adjustments": "-100.00"}):
        decide(resolving.bear, item, bearer="bank")
