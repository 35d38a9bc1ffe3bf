"""The customers' door to vouchers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import validated
from accounts.authentication import origin_of, principal
from accounts.services import UnknownUser
from mymoolah.common import pagination
from mymoolah.common.autoschema import component
from mymoolah.common.clock import iso_utc, now
from mymoolah.common.crypto import blind_index
from mymoolah.common.inputs import StrictView
from mymoolah.common.money import Money
from mymoolah.common.problems import invalid
from mymoolah.common.refusals import refuses
from transactions.fees import FeeNotSet
from transactions.idempotency import REPLAYED_HEADER, idempotency_key, once_for_each_key
from transactions.posting import (
    BalanceTooHigh,
    InsufficientFunds,
    LimitExceeded,
    NotPermitted,
    UserNotActive,
    WalletClosed,
    WalletFrozen,
)
from transactions.selectors import NoWalletInCurrency
from vouchers import examples, selectors
from vouchers.errors import (
    RedeemExceedsVoucher,
    TooManyOpenVouchers,
    VoucherCancelled,
    VoucherExpired,
    VoucherNotCancellable,
    VoucherNotFound,
    VoucherRedeemed,
    VoucherUnderReview,
)
from vouchers.models import Voucher
from vouchers.numbers import CODE_CONTEXT, EasyPayNumbersExhausted
from vouchers.policies import AmountOutOfRange, VoucherNotOffered
from vouchers.selectors import Redeemed, VoucherFilter, as_cancelled, as_issued, with_code
from vouchers.serializers import (
    RedeemInput,
    RedemptionOutput,
    VoucherInput,
    VoucherListOutput,
    VoucherOutput,
    VoucherWithCodeOutput,
)
from vouchers.services.ending import cancel_voucher
from vouchers.services.issuing import issue_voucher
from vouchers.services.redeeming import redeem_voucher
from vouchers.throttling import RedeemThrottle


@extend_schema(tags=["vouchers"])
class VouchersView(StrictView):
    counts_refusals = True

    @property
    def throttle_scope(self) -> str:
        return "money" if self.request.method == "POST" else "reads"

    @extend_schema(
        operation_id="list_vouchers",
        responses=VoucherListOutput,
        examples=[OpenApiExample("A gift and a top-up", examples.VOUCHERS, response_only=True)],
        parameters=[
            OpenApiParameter(
                "status",
                component("VoucherStatus"),
                description="Pages of a filtered list may hold fewer than `limit`; `next` says whether to go on",
            ),
            OpenApiParameter("voucher_type", component("VoucherType")),
            *pagination.PARAMETERS,
        ],
    )
    def get(self, request: Request) -> Response:
        """List the vouchers one has issued, newest first, without their codes."""
        asked = pagination.page_request(request, salt="vouchers")
        page = selectors.kept_vouchers(
            user_public_id=principal(request).public_id, only=_voucher_filter(request), asked=asked
        )
        return Response(pagination.answer(request, page, salt="vouchers"))

    @extend_schema(
        operation_id="issue_voucher",
        request=VoucherInput,
        responses={201: VoucherWithCodeOutput},
        examples=[
            OpenApiExample("A gift", examples.GIFT_ORDER, request_only=True),
            OpenApiExample("Cash in at a till", examples.TOP_UP_ORDER, request_only=True),
            OpenApiExample("Here is its code", {**examples.GIFT, "code": examples.CODE}, response_only=True),
            OpenApiExample("Show this number at the till", {**examples.TOP_UP, "code": None}, response_only=True),
        ],
    )
    @once_for_each_key
    @refuses(VoucherNotOffered, AmountOutOfRange, NoWalletInCurrency, FeeNotSet, TooManyOpenVouchers)
    @refuses(InsufficientFunds, LimitExceeded, NotPermitted, WalletFrozen, WalletClosed, UserNotActive)
    @refuses(EasyPayNumbersExhausted)
    def post(self, request: Request) -> Response:
        """Make a voucher, once for each key.

        A standard voucher (R5 to R4,000, free) and an EasyPay voucher (R50 to R3,000) are paid for at once; a cash-out
        (R50 to R3,000) is held until a till pays it; a top-up (R50 to R4,000, at most ten open) costs nothing before a
        till was paid.
        """
        asked = validated(VoucherInput(data=request.data))
        amount = Money(asked["amount"], asked["currency"])
        values = {"voucher_type": asked["voucher_type"], "amount": str(amount), "currency": amount.currency}
        issued = issue_voucher(
            user_public_id=principal(request).public_id,
            voucher_type=Voucher.Type(asked["voucher_type"]),
            amount=amount,
            key=idempotency_key(request, values),
            now=now(),
        )
        return _answer(with_code(issued.voucher, as_issued(issued.voucher)), 201, replayed=issued.replayed)


@extend_schema(tags=["vouchers"])
class VoucherView(StrictView):
    @extend_schema(
        operation_id="get_voucher",
        responses=VoucherWithCodeOutput,
        examples=[
            OpenApiExample("Redeemed in part", {**examples.GIFT_IN_PART, "code": examples.CODE}, response_only=True)
        ],
    )
    @refuses(VoucherNotFound)
    def get(self, request: Request, voucher_id: uuid.UUID) -> Response:
        """Show a voucher one has issued, with its code."""
        return Response(selectors.get_voucher(user_public_id=principal(request).public_id, public_id=voucher_id))


@extend_schema(tags=["vouchers"])
class CancelView(StrictView):
    throttle_scope = "money"

    @extend_schema(
        operation_id="cancel_voucher",
        request=None,
        responses=VoucherOutput,
        examples=[OpenApiExample("It is no more", examples.CANCELLED, response_only=True)],
    )
    @once_for_each_key
    @refuses(VoucherNotFound, VoucherNotCancellable, VoucherRedeemed, VoucherExpired, VoucherCancelled)
    @refuses(VoucherUnderReview)
    def post(self, request: Request, voucher_id: uuid.UUID) -> Response:
        """Cancel an EasyPay voucher that no till has seen, once for each key; face, fee and VAT come back.

        In a frozen wallet too: that is how a cash-out is stopped that somebody else made before.
        """
        public_id = principal(request).public_id
        cancelled = cancel_voucher(
            user_public_id=public_id,
            voucher_public_id=voucher_id,
            key=idempotency_key(request, {"voucher": str(voucher_id)}),
            now=now(),
            origin=origin_of(request),
        )
        return _answer(as_cancelled(cancelled.voucher), 200, replayed=cancelled.replayed)


@extend_schema(tags=["vouchers"])
class RedeemView(StrictView):
    counts_refusals = True
    throttle_classes = (RedeemThrottle,)
    throttle_scope = "codes"

    @extend_schema(
        operation_id="redeem_voucher",
        request=RedeemInput,
        responses=RedemptionOutput,
        examples=[
            OpenApiExample("All of it", {"code": examples.CODE}, request_only=True),
            OpenApiExample("A part", {"code": examples.CODE, "amount": "100.00"}, request_only=True),
            OpenApiExample("It is in the wallet", examples.REDEMPTION, response_only=True),
        ],
    )
    @once_for_each_key
    @refuses(VoucherNotFound, VoucherRedeemed, VoucherExpired, VoucherCancelled, RedeemExceedsVoucher)
    @refuses(UnknownUser, NoWalletInCurrency, BalanceTooHigh, WalletFrozen, WalletClosed, UserNotActive)
    def post(self, request: Request) -> Response:
        """Put a standard voucher's money, or a part of it, into one's wallet of its currency, once for each key."""
        asked = validated(RedeemInput(data=request.data))
        amount = Money(asked["amount"]) if "amount" in asked else None
        # What is kept of the code for comparison is its keyed index: a plain hash of 10^15 codes could be undone.
        values = {"code": blind_index(asked["code"], context=CODE_CONTEXT).hex(), "amount": str(amount or "")}
        redeemed = redeem_voucher(
            user_public_id=principal(request).public_id,
            code=asked["code"],
            amount=amount,
            key=idempotency_key(request, values),
            now=now(),
            origin=origin_of(request),
        )
        return _answer(_redemption(redeemed), 200, replayed=redeemed.replayed)


def _answer(body: Mapping[str, object], status: int, *, replayed: bool) -> Response:
    return Response(body, status=status, headers={REPLAYED_HEADER: "true"} if replayed else None)


def _redemption(redeemed: Redeemed) -> dict[str, object]:
    return {
        "id": str(redeemed.public_id),
        "amount": f"{redeemed.amount:.2f}",
        "currency": redeemed.currency,
        "wallet": redeemed.wallet_number,
        "balance_after": f"{redeemed.balance_after:.2f}",
        "left": f"{redeemed.left_after:.2f}",
        "created_at": iso_utc(redeemed.created_at),
    }


def _voucher_filter(request: Request) -> VoucherFilter:
    given = request.query_params
    for name, known in (("status", Voucher.Status.values), ("voucher_type", Voucher.Type.values)):
        if name in given and given[name] not in known:
            raise invalid(name, f"unknown_{name}", f"One of {', '.join(known)}.")
    return VoucherFilter(status=given.get("status"), voucher_type=given.get("voucher_type"))
