"""What two of finance decide about money in suspense: every row of the table of legs that is theirs, once for each item.

Each decision is one group of the ledger and one audit event, in one database transaction. Locks are taken in the order
key, item, voucher, its totals, hold, wallets ascending.
"""

from vouchers.services.resolving.bearing import bear, resolve_paid_out, resolve_spent
from vouchers.services.resolving.deciding import (
    ResolutionDoesNotFit,
    Resolved,
    SuspenseItemNotFound,
    SuspenseItemResolved,
)
from vouchers.services.resolving.releasing import (
    pay_refund_outside,
    release_cash_in,
    release_refund,
    return_cash_in,
    reverse_release,
)

__all__ = [
    "ResolutionDoesNotFit",
    "Resolved",
    "SuspenseItemNotFound",
    "SuspenseItemResolved",
    "bear",
    "pay_refund_outside",
    "release_cash_in",
    "release_refund",
    "resolve_paid_out",
    "resolve_spent",
    "return_cash_in",
    "reverse_release",
]
