"""What can be wrong with a voucher, and the rules of its table that speak through PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import Error

from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.retries import sqlstate
from vouchers.models import Voucher


class VoucherNotFound(NotFound):
    code, title = "voucher_not_found", "There is no such voucher"


class VoucherRedeemed(DomainError):
    code, status, title = "voucher_redeemed", 409, "This voucher was redeemed"


class VoucherExpired(DomainError):
    code, status, title = "voucher_expired", 409, "This voucher has expired"


class VoucherCancelled(DomainError):
    code, status, title = "voucher_cancelled", 409, "This voucher was cancelled"


class VoucherNotCancellable(DomainError):
    code, status, title = "voucher_not_cancellable", 409, "Vouchers of this type cannot be cancelled"
    example = {"voucher_type": "standard"}


class VoucherUnderReview(DomainError):
    code, status, title = "voucher_under_review", 409, "A till reported something about this voucher that we look into"


class RedeemExceedsVoucher(DomainError):
    code, status, title = "redeem_exceeds_voucher", 409, "This voucher is not worth that much any more"
    example = {"left": "80.00", "currency": "ZAR"}


class TooManyOpenVouchers(DomainError):
    code, status, title = "too_many_open_vouchers", 409, "Too many of these wait for payment already"
    example = {"most": 10}


ENDED: Mapping[str, type[DomainError]] = {
    Voucher.Status.REDEEMED: VoucherRedeemed,
    Voucher.Status.EXPIRED: VoucherExpired,
    Voucher.Status.CANCELLED: VoucherCancelled,
}
# SQLSTATEs of vouchers/sql/voucher_rules_v1.sql.
REFUSALS: Mapping[str, type[DomainError]] = {
    "MM021": TooManyOpenVouchers,
    "MM022": VoucherUnderReview,
    "MM023": VoucherExpired,
}


@contextmanager
def refusals() -> Iterator[None]:
    """Raise what the rules of vouchers refuse as the error that clients know."""
    try:
        yield
    except Error as error:
        refusal = REFUSALS.get(sqlstate(error) or "")
        if refusal is None:
            raise
        facts = json.loads(getattr(getattr(error.__cause__, "diag", None), "message_detail", None) or "{}")
        raise refusal(**facts) from error
