"""The design's table of legs, row by row: every wallet that a step touches, and every one that it must not.

F is 100.00. Fees: top-up 5.50 + 0.83, EasyPay voucher 2.50 + 0.38, cash-out 8.00 + 1.20. Thandi is C, Sipho C2; Naledi,
the bystander, has money and vouchers, some of it held, and nothing of hers ever changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from mymoolah.common.errors import DomainError
from tests.kept import assert_nothing_is_old_within
from tests.tables import digests
from tests.vouchers.stage import (
    CASH_OUT,
    EASYPAY_VOUCHER,
    NOBODYS_NUMBER,
    STANDARD,
    TOP_UP,
    Stage,
    Step,
    adjusts,
    balances,
    cancels,
    captures,
    closes,
    collects,
    expires,
    finance,
    finance_cancels,
    forces_the_reversal,
    freezes,
    gets_demo_money,
    groups,
    has,
    holds_back,
    is_of_tier,
    issues,
    last_entry,
    open_items,
    opens_again,
    redeems,
    reverses,
    sends,
    settles,
    spends,
    suspends,
    till_reports,
)
from transactions.corrections import Settlement
from vouchers.services import resolving

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]


@dataclass(frozen=True)
class Row:
    """A line of the table: what was before, what happens, its groups, each wallet's change, what remains.

    A group's legs stand in their order, as in `C→VL 100.00 voucher_issue`. `voucher` is its status afterwards and what
    it is still worth, `items` the suspense items that are open then.
    """

    name: str
    before: Sequence[Step]
    act: Step
    groups: Sequence[str]
    changes: Mapping[str, str]
    voucher: str | None = None
    items: Sequence[str] = field(default=())


ROWS = [
    Row(
        "transfer",
        [has("250.00")],
        sends("100.00"),
        ["C→C2 100.00 transfer"],
        {"C": "-100.00", "C2": "+100.00"},
    ),
    # Standard vouchers ------------------------------------------------------------------------------------------------
    Row(
        "standard: issue",
        [has("100.00")],
        issues(STANDARD),
        ["C→VL 100.00 voucher_issue"],
        {"C": "-100.00", "VL": "+100.00"},
        "active 100.00",
    ),
    Row(
        "standard: redeem by another",
        [has("100.00"), issues(STANDARD)],
        redeems("C2"),
        ["VL→C2 100.00 voucher_redeem"],
        {"VL": "-100.00", "C2": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "standard: redeem by the issuer",
        [has("100.00"), issues(STANDARD)],
        redeems("C"),
        ["VL→C 100.00 voucher_redeem"],
        {"VL": "-100.00", "C": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "standard: redeem a part",
        [has("100.00"), issues(STANDARD)],
        redeems("C2", "40.00"),
        ["VL→C2 40.00 voucher_redeem"],
        {"VL": "-40.00", "C2": "+40.00"},
        "active 60.00",
    ),
    Row(
        "standard: redeem the rest",
        [has("100.00"), issues(STANDARD), redeems("C2", "40.00")],
        redeems("C", "60.00"),
        ["VL→C 60.00 voucher_redeem"],
        {"VL": "-60.00", "C": "+60.00"},
        "redeemed 0.00",
    ),
    Row(
        "standard: redeem, its issuer frozen",
        [has("100.00"), issues(STANDARD), freezes()],
        redeems("C2"),
        ["VL→C2 100.00 voucher_redeem"],
        {"VL": "-100.00", "C2": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "standard: expiry",
        [has("100.00"), issues(STANDARD)],
        expires,
        ["VL→C 100.00 voucher_refund"],
        {"VL": "-100.00", "C": "+100.00"},
        "expired 0.00",
    ),
    Row(
        "standard: expiry of what is left",
        [has("100.00"), issues(STANDARD), redeems("C2", "40.00")],
        expires,
        ["VL→C 60.00 voucher_refund"],
        {"VL": "-60.00", "C": "+60.00"},
        "expired 0.00",
    ),
    Row(
        "standard: expiry, frozen and full",
        [has("100.00"), issues(STANDARD), has("100000.00"), freezes()],
        expires,
        ["VL→C 100.00 voucher_refund"],
        {"VL": "-100.00", "C": "+100.00"},
        "expired 0.00",
    ),
    Row(
        "standard: expiry, closed → SU",
        [has("100.00"), issues(STANDARD), closes()],
        expires,
        ["VL→SU 100.00 voucher_refund"],
        {"VL": "-100.00", "SU": "+100.00"},
        "expired 0.00",
        ["owed_to_customer 100.00 wallet_closed"],
    ),
    Row(
        "standard: cancel by two of finance",
        [has("100.00"), issues(STANDARD), redeems("C2", "40.00"), freezes()],
        finance_cancels,
        ["VL→C 60.00 voucher_refund"],
        {"VL": "-60.00", "C": "+60.00"},
        "cancelled 0.00",
    ),
    Row(
        "standard: cancel by two of finance, closed → SU",
        [has("100.00"), issues(STANDARD), closes()],
        finance_cancels,
        ["VL→SU 100.00 voucher_refund"],
        {"VL": "-100.00", "SU": "+100.00"},
        "cancelled 0.00",
        ["owed_to_customer 100.00 wallet_closed"],
    ),
    # Top-ups ----------------------------------------------------------------------------------------------------------
    Row("top-up: issue", [], issues(TOP_UP), [], {}, "pending_payment 0.00"),
    Row("top-up: cancel", [issues(TOP_UP)], cancels, [], {}, "cancelled 0.00"),
    Row("top-up: cancel, frozen", [issues(TOP_UP), freezes()], cancels, [], {}, "cancelled 0.00"),
    Row("top-up: expiry", [issues(TOP_UP), freezes()], expires, [], {}, "expired 0.00"),
    Row("top-up: expiry, closed", [issues(TOP_UP), closes()], expires, [], {}, "expired 0.00"),
    Row(
        "top-up: paid, a = F, live",
        [issues(TOP_UP)],
        till_reports("100.00"),
        ["EC→C 100.00 top_up, C→FI 5.50 fee, C→VC 0.83 vat"],
        {"EC": "-100.00", "C": "+93.67", "FI": "+5.50", "VC": "+0.83"},
        "redeemed 0.00",
    ),
    Row(
        "top-up: paid at the last moment, told later",
        [issues(TOP_UP)],
        till_reports("100.00", when="last moment"),
        ["EC→C 100.00 top_up, C→FI 5.50 fee, C→VC 0.83 vat"],
        {"EC": "-100.00", "C": "+93.67", "FI": "+5.50", "VC": "+0.83"},
        "redeemed 0.00",
    ),
    Row(
        "top-up: paid, full to the cent by the net",
        [has("99906.33"), issues(TOP_UP)],
        till_reports("100.00"),
        ["EC→C 100.00 top_up, C→FI 5.50 fee, C→VC 0.83 vat"],
        {"EC": "-100.00", "C": "+93.67", "FI": "+5.50", "VC": "+0.83"},
        "redeemed 0.00",
    ),
    Row(
        "top-up: too full",
        [has("99906.34"), issues(TOP_UP)],
        till_reports("100.00"),
        ["EC→SU 100.00 suspense"],
        {"EC": "-100.00", "SU": "+100.00"},
        "pending_payment 0.00",
        ["owed_to_customer 100.00 balance_too_high"],
    ),
    Row(
        "top-up: frozen",
        [issues(TOP_UP), freezes()],
        till_reports("100.00"),
        ["EC→SU 100.00 suspense"],
        {"EC": "-100.00", "SU": "+100.00"},
        "pending_payment 0.00",
        ["owed_to_customer 100.00 wallet_frozen"],
    ),
    Row(
        "top-up: its customer suspended",
        [issues(TOP_UP), suspends()],
        till_reports("100.00"),
        ["EC→SU 100.00 suspense"],
        {"EC": "-100.00", "SU": "+100.00"},
        "pending_payment 0.00",
        ["owed_to_customer 100.00 account_suspended"],
    ),
    Row(
        "top-up: closed",
        [issues(TOP_UP), closes()],
        till_reports("100.00"),
        ["EC→SU 100.00 suspense"],
        {"EC": "-100.00", "SU": "+100.00"},
        "pending_payment 0.00",
        ["owed_to_customer 100.00 wallet_closed"],
    ),
    Row(
        "top-up: late",
        [issues(TOP_UP)],
        till_reports("100.00", when="late"),
        ["EC→SU 100.00 suspense"],
        {"EC": "-100.00", "SU": "+100.00"},
        "pending_payment 0.00",
        ["owed_to_customer 100.00 late"],
    ),
    Row(
        "top-up: late, after it was cancelled",
        [issues(TOP_UP), cancels],
        till_reports("100.00"),
        ["EC→SU 100.00 suspense"],
        {"EC": "-100.00", "SU": "+100.00"},
        "cancelled 0.00",
        ["owed_to_customer 100.00 late"],
    ),
    Row(
        "top-up: late, after the sweep",
        [issues(TOP_UP), expires],
        till_reports("100.00", when="late"),
        ["EC→SU 100.00 suspense"],
        {"EC": "-100.00", "SU": "+100.00"},
        "expired 0.00",
        ["owed_to_customer 100.00 late"],
    ),
    Row(
        "top-up: again",
        [issues(TOP_UP), till_reports("100.00")],
        till_reports("100.00"),
        ["EC→SU 100.00 suspense"],
        {"EC": "-100.00", "SU": "+100.00"},
        "redeemed 0.00",
        ["owed_to_customer 100.00 again"],
    ),
    Row(
        "top-up: other amount",
        [issues(TOP_UP)],
        till_reports("99.99"),
        ["EC→SU 99.99 suspense"],
        {"EC": "-99.99", "SU": "+99.99"},
        "pending_payment 0.00",
        ["owed_to_customer 99.99 other_amount"],
    ),
    Row(
        "any unknown number",
        [issues(TOP_UP)],
        till_reports("100.00", number=NOBODYS_NUMBER),
        ["EC→SU 100.00 suspense"],
        {"EC": "-100.00", "SU": "+100.00"},
        "pending_payment 0.00",
        ["owed_to_customer 100.00 unknown_number"],
    ),
    # EasyPay vouchers -------------------------------------------------------------------------------------------------
    Row(
        "EasyPay voucher: issue",
        [has("102.88")],
        issues(EASYPAY_VOUCHER),
        ["C→VL 100.00 voucher_issue, C→FI 2.50 fee, C→VC 0.38 vat"],
        {"C": "-102.88", "VL": "+100.00", "FI": "+2.50", "VC": "+0.38"},
        "active 100.00",
    ),
    Row(
        "EasyPay voucher: spent, a = F, live",
        [has("102.88"), issues(EASYPAY_VOUCHER)],
        till_reports("100.00"),
        ["VL→EC 100.00 voucher_spent"],
        {"VL": "-100.00", "EC": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "EasyPay voucher: spent, frozen",
        [has("102.88"), issues(EASYPAY_VOUCHER), freezes()],
        till_reports("100.00"),
        ["VL→EC 100.00 voucher_spent"],
        {"VL": "-100.00", "EC": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "EasyPay voucher: spent, whatever became of its wallet",
        [has("102.88"), issues(EASYPAY_VOUCHER), closes(), suspends()],
        till_reports("100.00"),
        ["VL→EC 100.00 voucher_spent"],
        {"VL": "-100.00", "EC": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "EasyPay voucher: spent at the last moment, told later",
        [has("102.88"), issues(EASYPAY_VOUCHER)],
        till_reports("100.00", when="last moment"),
        ["VL→EC 100.00 voucher_spent"],
        {"VL": "-100.00", "EC": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "EasyPay voucher: spent, a < F; pinned",
        [has("102.88"), issues(EASYPAY_VOUCHER)],
        till_reports("70.00"),
        ["SU→EC 70.00 suspense"],
        {"SU": "-70.00", "EC": "+70.00"},
        "active 100.00",
        ["owed_to_till 70.00 other_amount"],
    ),
    Row(
        "EasyPay voucher: spent, a > F; pinned",
        [has("102.88"), issues(EASYPAY_VOUCHER)],
        till_reports("130.00"),
        ["SU→EC 130.00 suspense"],
        {"SU": "-130.00", "EC": "+130.00"},
        "active 100.00",
        ["owed_to_till 130.00 other_amount"],
    ),
    Row(
        "EasyPay voucher: a pinned one does not expire",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("70.00")],
        expires,
        [],
        {},
        "active 100.00",
        ["owed_to_till 70.00 other_amount"],
    ),
    Row(
        "EasyPay voucher: late; pinned",
        [has("102.88"), issues(EASYPAY_VOUCHER)],
        till_reports("100.00", when="late"),
        ["SU→EC 100.00 suspense"],
        {"SU": "-100.00", "EC": "+100.00"},
        "active 100.00",
        ["owed_to_till 100.00 late"],
    ),
    Row(
        "EasyPay voucher: late, after it was cancelled",
        [has("102.88"), issues(EASYPAY_VOUCHER), cancels],
        till_reports("100.00"),
        ["SU→EC 100.00 suspense"],
        {"SU": "-100.00", "EC": "+100.00"},
        "cancelled 0.00",
        ["owed_to_till 100.00 late"],
    ),
    Row(
        "EasyPay voucher: again",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("100.00")],
        till_reports("100.00"),
        ["SU→EC 100.00 suspense"],
        {"SU": "-100.00", "EC": "+100.00"},
        "redeemed 0.00",
        ["owed_to_till 100.00 again"],
    ),
    Row(
        "EasyPay voucher: cancel",
        [has("102.88"), issues(EASYPAY_VOUCHER)],
        cancels,
        ["VL→C 100.00 voucher_refund, FI→C 2.50 fee, VC→C 0.38 vat"],
        {"VL": "-100.00", "C": "+102.88", "FI": "-2.50", "VC": "-0.38"},
        "cancelled 0.00",
    ),
    Row(
        "EasyPay voucher: cancel, frozen and full",
        [has("102.88"), issues(EASYPAY_VOUCHER), has("100000.00"), freezes()],
        cancels,
        ["VL→C 100.00 voucher_refund, FI→C 2.50 fee, VC→C 0.38 vat"],
        {"VL": "-100.00", "C": "+102.88", "FI": "-2.50", "VC": "-0.38"},
        "cancelled 0.00",
    ),
    Row(
        "EasyPay voucher: cancel, closed → SU",
        [has("102.88"), issues(EASYPAY_VOUCHER), closes()],
        cancels,
        ["VL→SU 100.00 voucher_refund, FI→SU 2.50 fee, VC→SU 0.38 vat"],
        {"VL": "-100.00", "SU": "+102.88", "FI": "-2.50", "VC": "-0.38"},
        "cancelled 0.00",
        ["owed_to_customer 102.88 wallet_closed"],
    ),
    Row(
        "EasyPay voucher: expiry, frozen and full",
        [has("102.88"), issues(EASYPAY_VOUCHER), has("100000.00"), freezes()],
        expires,
        ["VL→C 100.00 voucher_refund, FI→C 2.50 fee, VC→C 0.38 vat"],
        {"VL": "-100.00", "C": "+102.88", "FI": "-2.50", "VC": "-0.38"},
        "expired 0.00",
    ),
    Row(
        "EasyPay voucher: expiry, closed → SU",
        [has("102.88"), issues(EASYPAY_VOUCHER), closes()],
        expires,
        ["VL→SU 100.00 voucher_refund, FI→SU 2.50 fee, VC→SU 0.38 vat"],
        {"VL": "-100.00", "SU": "+102.88", "FI": "-2.50", "VC": "-0.38"},
        "expired 0.00",
        ["owed_to_customer 102.88 wallet_closed"],
    ),
    # Cash-outs --------------------------------------------------------------------------------------------------------
    Row(
        "cash-out: issue",
        [has("109.20")],
        issues(CASH_OUT),
        [],
        {"C held": "+109.20"},
        "pending_payment 0.00",
    ),
    Row(
        "cash-out: paid, a = F, hold live",
        [has("109.20"), issues(CASH_OUT)],
        till_reports("100.00"),
        ["C→CC 100.00 cash_out, C→FI 8.00 fee, C→VC 1.20 vat"],
        {"C": "-109.20", "C held": "-109.20", "CC": "+100.00", "FI": "+8.00", "VC": "+1.20"},
        "redeemed 0.00",
    ),
    Row(
        "cash-out: paid, frozen and suspended",
        [has("109.20"), issues(CASH_OUT), freezes(), suspends()],
        till_reports("100.00"),
        ["C→CC 100.00 cash_out, C→FI 8.00 fee, C→VC 1.20 vat"],
        {"C": "-109.20", "C held": "-109.20", "CC": "+100.00", "FI": "+8.00", "VC": "+1.20"},
        "redeemed 0.00",
    ),
    Row(
        "cash-out: paid at the last moment, told later",
        [has("109.20"), issues(CASH_OUT)],
        till_reports("100.00", when="last moment"),
        ["C→CC 100.00 cash_out, C→FI 8.00 fee, C→VC 1.20 vat"],
        {"C": "-109.20", "C held": "-109.20", "CC": "+100.00", "FI": "+8.00", "VC": "+1.20"},
        "redeemed 0.00",
    ),
    Row(
        "cash-out: cancel",
        [has("109.20"), issues(CASH_OUT)],
        cancels,
        [],
        {"C held": "-109.20"},
        "cancelled 0.00",
    ),
    Row(
        "cash-out: cancel, frozen",
        [has("109.20"), issues(CASH_OUT), freezes()],
        cancels,
        [],
        {"C held": "-109.20"},
        "cancelled 0.00",
    ),
    Row(
        "cash-out: expiry, frozen",
        [has("109.20"), issues(CASH_OUT), freezes()],
        expires,
        [],
        {"C held": "-109.20"},
        "expired 0.00",
    ),
    Row(
        "cash-out: a < F; the hold stays",
        [has("109.20"), issues(CASH_OUT)],
        till_reports("70.00"),
        ["SU→CC 70.00 suspense"],
        {"SU": "-70.00", "CC": "+70.00"},
        "pending_payment 0.00",
        ["owed_to_till 70.00 other_amount"],
    ),
    Row(
        "cash-out: a > F; the hold stays",
        [has("109.20"), issues(CASH_OUT)],
        till_reports("130.00"),
        ["SU→CC 130.00 suspense"],
        {"SU": "-130.00", "CC": "+130.00"},
        "pending_payment 0.00",
        ["owed_to_till 130.00 other_amount"],
    ),
    Row(
        "cash-out: a pinned one does not expire",
        [has("109.20"), issues(CASH_OUT), till_reports("70.00")],
        expires,
        [],
        {},
        "pending_payment 0.00",
        ["owed_to_till 70.00 other_amount"],
    ),
    Row(
        "cash-out: late; the hold stays",
        [has("109.20"), issues(CASH_OUT)],
        till_reports("100.00", when="late"),
        ["SU→CC 100.00 suspense"],
        {"SU": "-100.00", "CC": "+100.00"},
        "pending_payment 0.00",
        ["owed_to_till 100.00 late"],
    ),
    Row(
        "cash-out: late, after it was cancelled in a frozen wallet",
        [has("109.20"), issues(CASH_OUT), freezes(), cancels],
        till_reports("100.00"),
        ["SU→CC 100.00 suspense"],
        {"SU": "-100.00", "CC": "+100.00"},
        "cancelled 0.00",
        ["owed_to_till 100.00 late"],
    ),
    Row(
        "cash-out: again",
        [has("109.20"), issues(CASH_OUT), till_reports("100.00")],
        till_reports("100.00"),
        ["SU→CC 100.00 suspense"],
        {"SU": "-100.00", "CC": "+100.00"},
        "redeemed 0.00",
        ["owed_to_till 100.00 again"],
    ),
    # Other holds ------------------------------------------------------------------------------------------------------
    Row(
        "other hold: capture all of it",
        [has("100.00"), holds_back("80.00")],
        captures("80.00"),
        ["C→C2 80.00 capture"],
        {"C": "-80.00", "C held": "-80.00", "C2": "+80.00"},
    ),
    Row(
        "other hold: capture a part, the rest is freed",
        [has("100.00"), holds_back("80.00")],
        captures("30.00"),
        ["C→C2 30.00 capture"],
        {"C": "-30.00", "C held": "-80.00", "C2": "+30.00"},
    ),
    Row(
        "other hold: capture to the house, frozen",
        [has("100.00"), holds_back("80.00"), freezes()],
        captures("80.00", "BK"),
        ["C→BK 80.00 capture"],
        {"C": "-80.00", "C held": "-80.00", "BK": "+80.00"},
    ),
    # By two of finance: cash in ---------------------------------------------------------------------------------------
    Row(
        "release of cash in, unknown number: SU→C a",
        [till_reports("100.00", number=NOBODYS_NUMBER)],
        finance(resolving.release_cash_in, to="C2"),
        ["SU→C2 100.00 release"],
        {"SU": "-100.00", "C2": "+100.00"},
    ),
    Row(
        "release of cash in, top-up of another amount",
        [issues(TOP_UP), till_reports("99.99")],
        finance(resolving.release_cash_in),
        ["SU→C 99.99 release, C→FI 5.50 fee, C→VC 0.83 vat"],
        {"SU": "-99.99", "C": "+93.66", "FI": "+5.50", "VC": "+0.83"},
        "redeemed 0.00",
    ),
    Row(
        "release of cash in, top-up paid late",
        [issues(TOP_UP), expires, till_reports("100.00", when="late")],
        finance(resolving.release_cash_in),
        ["SU→C 100.00 release, C→FI 5.50 fee, C→VC 0.83 vat"],
        {"SU": "-100.00", "C": "+93.67", "FI": "+5.50", "VC": "+0.83"},
        "redeemed 0.00",
    ),
    Row(
        "release of cash in, top-up paid again, for its fee was paid",
        [issues(TOP_UP), till_reports("100.00"), till_reports("100.00")],
        finance(resolving.release_cash_in),
        ["SU→C 100.00 release"],
        {"SU": "-100.00", "C": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "release of cash in, A overridden",
        [issues(TOP_UP), freezes(), suspends(), till_reports("100.00")],
        finance(resolving.release_cash_in, override_active=True),
        ["SU→C 100.00 release, C→FI 5.50 fee, C→VC 0.83 vat"],
        {"SU": "-100.00", "C": "+93.67", "FI": "+5.50", "VC": "+0.83"},
        "redeemed 0.00",
    ),
    Row(
        "release of cash in, H overridden",
        [has("99906.34"), issues(TOP_UP), till_reports("100.00")],
        finance(resolving.release_cash_in, override_ceiling=True),
        ["SU→C 100.00 release, C→FI 5.50 fee, C→VC 0.83 vat"],
        {"SU": "-100.00", "C": "+93.67", "FI": "+5.50", "VC": "+0.83"},
        "redeemed 0.00",
    ),
    Row(
        "release of cash in, or back SU→EC a",
        [issues(TOP_UP), till_reports("99.99")],
        finance(resolving.return_cash_in),
        ["SU→EC 99.99 release"],
        {"SU": "-99.99", "EC": "+99.99"},
        "pending_payment 0.00",
    ),
    Row(
        "release of cash in, back to the till of an unknown number",
        [till_reports("100.00", number=NOBODYS_NUMBER)],
        finance(resolving.return_cash_in),
        ["SU→EC 100.00 release"],
        {"SU": "-100.00", "EC": "+100.00"},
    ),
    # By two of finance: a closed wallet's refund ----------------------------------------------------------------------
    Row(
        "release of a closed wallet's refund SU→BK a",
        [has("102.88"), issues(EASYPAY_VOUCHER), closes(), expires],
        finance(resolving.pay_refund_outside),
        ["SU→BK 102.88 release"],
        {"SU": "-102.88", "BK": "+102.88"},
        "expired 0.00",
    ),
    Row(
        "release of a closed wallet's refund SU→C a, opened again",
        [has("100.00"), issues(STANDARD), closes(), finance_cancels, opens_again],
        finance(resolving.release_refund, to="C"),
        ["SU→C 100.00 release"],
        {"SU": "-100.00", "C": "+100.00"},
        "cancelled 0.00",
    ),
    # By two of finance: what tills spent and paid out -----------------------------------------------------------------
    Row(
        "resolve spent, a < F",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("70.00"), freezes()],
        finance(resolving.resolve_spent),
        ["VL→SU 70.00 resolution, VL→C 30.00 voucher_refund"],
        {"VL": "-100.00", "SU": "+70.00", "C": "+30.00"},
        "redeemed 0.00",
    ),
    Row(
        "resolve spent, a < F, closed → SU",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("70.00"), closes()],
        finance(resolving.resolve_spent),
        ["VL→SU 70.00 resolution, VL→SU 30.00 voucher_refund"],
        {"VL": "-100.00", "SU": "+100.00"},
        "redeemed 0.00",
        ["owed_to_customer 30.00 wallet_closed"],
    ),
    Row(
        "resolve spent, a = F, late",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("100.00", when="late")],
        finance(resolving.resolve_spent),
        ["VL→SU 100.00 resolution"],
        {"VL": "-100.00", "SU": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "resolve spent, a > F, the till corrects the rest",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("130.00")],
        finance(resolving.resolve_spent, bearer="till"),
        ["VL→SU 100.00 resolution, EC→SU 30.00 resolution"],
        {"VL": "-100.00", "EC": "-30.00", "SU": "+130.00"},
        "redeemed 0.00",
    ),
    Row(
        "resolve spent, a > F, the rest is written off",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("130.00")],
        finance(resolving.resolve_spent, bearer="bank"),
        ["VL→SU 100.00 resolution, AD→SU 30.00 resolution"],
        {"VL": "-100.00", "AD": "-30.00", "SU": "+130.00"},
        "redeemed 0.00",
    ),
    Row(
        "resolve cash-out, a < F",
        [has("109.20"), issues(CASH_OUT), till_reports("70.00"), freezes()],
        finance(resolving.resolve_paid_out),
        ["C→SU 70.00 resolution, C→FI 8.00 fee, C→VC 1.20 vat"],
        {"C": "-79.20", "C held": "-109.20", "SU": "+70.00", "FI": "+8.00", "VC": "+1.20"},
        "redeemed 0.00",
    ),
    Row(
        "resolve cash-out, a = F, late",
        [has("109.20"), issues(CASH_OUT), till_reports("100.00", when="late")],
        finance(resolving.resolve_paid_out),
        ["C→SU 100.00 resolution, C→FI 8.00 fee, C→VC 1.20 vat"],
        {"C": "-109.20", "C held": "-109.20", "SU": "+100.00", "FI": "+8.00", "VC": "+1.20"},
        "redeemed 0.00",
    ),
    Row(
        "resolve cash-out, a > F, the till corrects the rest",
        [has("109.20"), issues(CASH_OUT), till_reports("130.00")],
        finance(resolving.resolve_paid_out, bearer="till"),
        ["C→SU 100.00 resolution, C→FI 8.00 fee, C→VC 1.20 vat, CC→SU 30.00 resolution"],
        {"C": "-109.20", "C held": "-109.20", "SU": "+130.00", "FI": "+8.00", "VC": "+1.20", "CC": "-30.00"},
        "redeemed 0.00",
    ),
    Row(
        "resolve cash-out, a > F, the rest is written off",
        [has("109.20"), issues(CASH_OUT), till_reports("130.00")],
        finance(resolving.resolve_paid_out, bearer="bank"),
        ["C→SU 100.00 resolution, C→FI 8.00 fee, C→VC 1.20 vat, AD→SU 30.00 resolution"],
        {"C": "-109.20", "C held": "-109.20", "SU": "+130.00", "FI": "+8.00", "VC": "+1.20", "AD": "-30.00"},
        "redeemed 0.00",
    ),
    Row(
        "resolve late or second spend EC→SU a, the till bears it",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("100.00"), till_reports("100.00")],
        finance(resolving.bear, bearer="till"),
        ["EC→SU 100.00 resolution"],
        {"EC": "-100.00", "SU": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "resolve late or second pay-out CC→SU a, the till bears it",
        [has("109.20"), issues(CASH_OUT), till_reports("100.00"), till_reports("100.00")],
        finance(resolving.bear, bearer="till"),
        ["CC→SU 100.00 resolution"],
        {"CC": "-100.00", "SU": "+100.00"},
        "redeemed 0.00",
    ),
    Row(
        "resolve late or second pay-out AD→SU a, the bank bears it",
        [has("109.20"), issues(CASH_OUT), cancels, till_reports("100.00")],
        finance(resolving.bear, bearer="bank"),
        ["AD→SU 100.00 resolution"],
        {"AD": "-100.00", "SU": "+100.00"},
        "cancelled 0.00",
    ),
    Row(
        "resolve late or second spend C→SU a, the customer agreed",
        [has("102.88"), issues(EASYPAY_VOUCHER), cancels, till_reports("100.00"), freezes()],
        finance(resolving.bear, bearer="customer"),
        ["C→SU 100.00 resolution"],
        {"C": "-100.00", "SU": "+100.00"},
        "cancelled 0.00",
    ),
    # Reversals --------------------------------------------------------------------------------------------------------
    Row(
        "reversal of a transfer",
        [has("100.00"), sends("100.00"), freezes("C"), freezes("C2")],
        reverses,
        ["C2→C 100.00 reversal"],
        {"C2": "-100.00", "C": "+100.00"},
    ),
    Row(
        "reversal of an adjustment",
        [adjusts("credit", "100.00")],
        reverses,
        ["C→AD 100.00 reversal"],
        {"C": "-100.00", "AD": "+100.00"},
    ),
    Row(
        "reversal of an adjustment the other way",
        [has("100.00"), adjusts("debit", "100.00")],
        reverses,
        ["AD→C 100.00 reversal"],
        {"AD": "-100.00", "C": "+100.00"},
    ),
    Row(
        "reversal of a settlement",
        [settles(Settlement.TOP_UPS, "100.00")],
        reverses,
        ["EC→BK 100.00 reversal"],
        {"EC": "-100.00", "BK": "+100.00"},
    ),
    Row(
        "reversal of a release, its fees too, in reverse order",
        [issues(TOP_UP), till_reports("99.99"), finance(resolving.release_cash_in), has("6.33"), freezes()],
        finance(resolving.reverse_release),
        ["VC→C 0.83 reversal, FI→C 5.50 reversal, C→SU 99.99 reversal"],
        {"VC": "-0.83", "FI": "-5.50", "C": "-93.66", "SU": "+99.99"},
        "redeemed 0.00",
        ["owed_to_customer 99.99 release_reversed"],
    ),
    Row(
        "reversal of a release back to the till",
        [till_reports("100.00", number=NOBODYS_NUMBER), finance(resolving.return_cash_in)],
        finance(resolving.reverse_release),
        ["EC→SU 100.00 reversal"],
        {"EC": "-100.00", "SU": "+100.00"},
        None,
        ["owed_to_customer 100.00 release_reversed"],
    ),
    Row(
        "reversal of a release that was paid outside",
        [has("100.00"), issues(STANDARD), closes(), expires, finance(resolving.pay_refund_outside)],
        finance(resolving.reverse_release),
        ["BK→SU 100.00 reversal"],
        {"BK": "-100.00", "SU": "+100.00"},
        "expired 0.00",
        ["owed_to_customer 100.00 release_reversed"],
    ),
    Row(
        "reversal, forced",
        [has("100.00"), sends("100.00"), spends("60.00", "C2")],
        forces_the_reversal,
        ["AD→C 100.00 reversal"],
        {"AD": "-100.00", "C": "+100.00"},
    ),
    Row(
        "reversal, forced: collected",
        [has("100.00"), sends("100.00"), spends("60.00", "C2"), forces_the_reversal, freezes("C2")],
        collects("40.00"),
        ["C2→AD 40.00 collection"],
        {"C2": "-40.00", "AD": "+40.00"},
    ),
    # Adjustments and settlements --------------------------------------------------------------------------------------
    Row(
        "adjustment AD→C",
        [freezes()],
        adjusts("credit", "100.00"),
        ["AD→C 100.00 adjustment"],
        {"AD": "-100.00", "C": "+100.00"},
    ),
    Row(
        "adjustment AD→C, highest balance overridden",
        [has("100000.00")],
        adjusts("credit", "100.00", override=True),
        ["AD→C 100.00 adjustment"],
        {"AD": "-100.00", "C": "+100.00"},
    ),
    Row(
        "adjustment C→AD",
        [has("100.00"), freezes()],
        adjusts("debit", "100.00"),
        ["C→AD 100.00 adjustment"],
        {"C": "-100.00", "AD": "+100.00"},
    ),
    Row(
        "settlement BK→EC",
        [],
        settles(Settlement.TOP_UPS, "100.00"),
        ["BK→EC 100.00 settlement"],
        {"BK": "-100.00", "EC": "+100.00"},
    ),
    Row(
        "settlement CC→BK",
        [],
        settles(Settlement.CASH_OUTS, "100.00"),
        ["CC→BK 100.00 settlement"],
        {"CC": "-100.00", "BK": "+100.00"},
    ),
    Row(
        "settlement EC→BK",
        [],
        settles(Settlement.VOUCHERS, "100.00"),
        ["EC→BK 100.00 settlement"],
        {"EC": "-100.00", "BK": "+100.00"},
    ),
    Row(
        "VAT paid over VC→BK",
        [],
        settles(Settlement.VAT, "100.00"),
        ["VC→BK 100.00 settlement"],
        {"VC": "-100.00", "BK": "+100.00"},
    ),
    Row(
        "fees paid over FI→BK",
        [],
        settles(Settlement.FEES, "100.00"),
        ["FI→BK 100.00 settlement"],
        {"FI": "-100.00", "BK": "+100.00"},
    ),
    Row(
        "demo money",
        [],
        gets_demo_money("5000.00"),
        ["AD→C 5000.00 demo_money"],
        {"AD": "-5000.00", "C": "+5000.00"},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
@pytest.mark.usefixtures("kept_answers")
def test_a_step_moves_what_its_row_says_and_nothing_else(row: Row) -> None:
    stage = Stage()
    for step in row.before:
        step(stage)
    assert_nothing_is_old_within(stage.people.values())
    before, entry = balances(), last_entry()

    row.act(stage)

    assert_nothing_is_old_within(stage.people.values())
    after = balances()
    assert groups(after=entry) == row.groups
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        name: Decimal(change) for name, change in row.changes.items()
    }
    assert stage.worth() == row.voucher
    assert open_items() == list(row.items)


# Checks -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Refusal:
    """What a row's last column refuses: `check` is its letter there, `code` the client's."""

    name: str
    check: str
    before: Sequence[Step]
    act: Step
    code: str


ALMOST_FULL = has("99950.00", "C2")
SPENT_TODAY = [is_of_tier(1), has("6000.00"), sends("4950.00")]

REFUSALS = [
    Refusal("transfer", "A of the sender", [has("100.00"), freezes()], sends("100.00"), "wallet_frozen"),
    Refusal("transfer", "A of the sender himself", [has("100.00"), suspends()], sends("100.00"), "account_suspended"),
    Refusal(
        "transfer", "A of the receiver", [has("100.00"), freezes("C2")], sends("100.00"), "recipient_cannot_receive"
    ),
    Refusal("transfer", "L, what the tier may", [has("100.00"), is_of_tier(0)], sends("100.00"), "not_permitted"),
    Refusal("transfer", "L, each transfer", [is_of_tier(1), has("6000.00")], sends("5000.01"), "limit_exceeded"),
    Refusal("transfer", "L, the day", SPENT_TODAY, sends("50.01"), "limit_exceeded"),
    Refusal("transfer", "H", [has("100.00"), ALMOST_FULL], sends("50.01"), "recipient_cannot_receive"),
    Refusal("transfer", "available", [has("99.99")], sends("100.00"), "insufficient_funds"),
    Refusal("standard: issue", "A", [has("100.00"), freezes()], issues(STANDARD), "wallet_frozen"),
    Refusal("standard: issue", "A, closed", [closes()], issues(STANDARD), "wallet_closed"),
    Refusal("standard: issue", "L", SPENT_TODAY, issues(STANDARD), "limit_exceeded"),
    Refusal("standard: issue", "available", [has("99.99")], issues(STANDARD), "insufficient_funds"),
    Refusal("standard: redeem", "A", [has("100.00"), issues(STANDARD), freezes("C2")], redeems("C2"), "wallet_frozen"),
    Refusal(
        "standard: redeem",
        "H",
        [has("100.00"), issues(STANDARD), ALMOST_FULL],
        redeems("C2", "50.01"),
        "balance_too_high",
    ),
    Refusal(
        "standard: redeem",
        "r ≤ b",
        [has("100.00"), issues(STANDARD)],
        redeems("C2", "100.01"),
        "redeem_exceeds_voucher",
    ),
    Refusal("top-up: issue", "A", [freezes()], issues(TOP_UP), "wallet_frozen"),
    Refusal("top-up: cancel", "pinned", [issues(TOP_UP), till_reports("70.00")], cancels, "voucher_under_review"),
    Refusal("EasyPay voucher: issue", "A", [has("102.88"), freezes()], issues(EASYPAY_VOUCHER), "wallet_frozen"),
    Refusal("EasyPay voucher: issue", "L", SPENT_TODAY, issues(EASYPAY_VOUCHER), "limit_exceeded"),
    Refusal("EasyPay voucher: issue", "available", [has("102.87")], issues(EASYPAY_VOUCHER), "insufficient_funds"),
    Refusal(
        "EasyPay voucher: cancel",
        "pinned",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("70.00")],
        cancels,
        "voucher_under_review",
    ),
    Refusal("cash-out: issue", "A", [has("109.20"), freezes()], issues(CASH_OUT), "wallet_frozen"),
    Refusal(
        "cash-out: issue", "L, what the tier may", [has("109.20"), is_of_tier(0)], issues(CASH_OUT), "not_permitted"
    ),
    Refusal("cash-out: issue", "L", SPENT_TODAY, issues(CASH_OUT), "limit_exceeded"),
    Refusal("cash-out: issue", "available", [has("109.19")], issues(CASH_OUT), "insufficient_funds"),
    Refusal(
        "cash-out: cancel",
        "pinned",
        [has("109.20"), issues(CASH_OUT), till_reports("70.00")],
        cancels,
        "voucher_under_review",
    ),
    Refusal(
        "other hold: capture",
        "c ≤ held",
        [has("100.00"), holds_back("80.00")],
        captures("80.01"),
        "capture_exceeds_hold",
    ),
    Refusal(
        "release of cash in",
        "A",
        [issues(TOP_UP), freezes(), till_reports("100.00")],
        finance(resolving.release_cash_in, override_ceiling=True),
        "wallet_frozen",
    ),
    Refusal(
        "release of cash in",
        "H",
        [has("99906.34"), issues(TOP_UP), till_reports("100.00")],
        finance(resolving.release_cash_in, override_active=True),
        "balance_too_high",
    ),
    Refusal(
        "release of a closed wallet's refund",
        "A",
        [has("100.00"), issues(STANDARD), closes(), expires, opens_again, freezes()],
        finance(resolving.release_refund, to="C"),
        "wallet_frozen",
    ),
    Refusal(
        "release of a closed wallet's refund",
        "the same person",
        [has("100.00"), issues(STANDARD), closes(), expires],
        finance(resolving.release_refund, to="C2"),
        "resolution_does_not_fit",
    ),
    Refusal(
        "resolve late or second spend",
        "available if C",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("70.00"), has("69.99")],
        finance(resolving.bear, bearer="customer"),
        "insufficient_funds",
    ),
    Refusal(
        "resolve spent",
        "once",
        [has("102.88"), issues(EASYPAY_VOUCHER), till_reports("70.00"), finance(resolving.resolve_spent)],
        finance(resolving.resolve_spent),
        "suspense_item_resolved",
    ),
    Refusal(
        "reversal of a release",
        "available",
        [issues(TOP_UP), till_reports("99.99"), finance(resolving.release_cash_in), spends("1.00", "C")],
        finance(resolving.reverse_release),
        "insufficient_funds",
    ),
    Refusal(
        "reversal",
        "available",
        [has("100.00"), sends("100.00"), spends("1.00", "C2")],
        reverses,
        "insufficient_funds",
    ),
    Refusal("reversal", "never of a reversal", [has("100.00"), sends("100.00"), reverses], reverses, "not_reversible"),
    Refusal("adjustment AD→C", "H", [has("99950.00")], adjusts("credit", "50.01"), "balance_too_high"),
    Refusal("adjustment C→AD", "available", [has("99.99")], adjusts("debit", "100.00"), "insufficient_funds"),
    Refusal("demo money", "H", [has("95000.01")], gets_demo_money("5000.00"), "balance_too_high"),
]


@pytest.mark.parametrize("row", REFUSALS, ids=[f"{row.name}, {row.check}" for row in REFUSALS])
def test_a_step_that_is_refused_leaves_every_table_as_it_was(row: Refusal) -> None:
    stage = Stage()
    for step in row.before:
        step(stage)
    before = digests()
    with pytest.raises(DomainError) as caught:
        row.act(stage)
    assert caught.value.code == row.code
    assert digests() == before
