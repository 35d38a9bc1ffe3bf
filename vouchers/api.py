"""The customers' door to vouchers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import validated
from accounts.authentication import origin_of, principal
from mymoolah.common import pagination
from mymoolah.common.autoschema import component
from mymoolah.common.clock import iso_utc, now
from mymoolah.common.crypto import blind_index
from mymoolah.common.inputs import StrictView
from mymoolah.common.money import Money
from mymoolah.common.problems import invalid
from transactions.idempotency import KEY, REPLAYED_HEADER, idempotency_key
from vouchers import selectors
from vouchers.models import Voucher
from vouchers.numbers import CODE_CONTEXT
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

OF_HERS = {
    "id": "3f0c9d5e-2b0a-4f57-9c0e-6f1d2a7b8c90",
    "voucher_type": "standard",
    "status": "active",
    "amount": "250.00",
    "balance": "250.00",
    "currency": "ZAR",
    "fee": "0.00",
    "vat": "0.00",
    "easypay_number": None,
    "expires_at": "2029-03-01T22:00:00.000000Z",
    "created_at": "2026-03-01T07:30:00.000000Z",
}
TOP_UP = {
    **OF_HERS,
    "voucher_type": "easypay_topup",
    "status": "pending_payment",
    "balance": "0.00",
    "fee": "5.50",
    "vat": "0.83",
    "easypay_number": "95063123456785",
    "expires_at": "2026-03-31T22:00:00.000000Z",
}
CODE = "4929 5031 8846 2170"


@extend_schema(tags=["vouchers"])
class VouchersView(StrictView):
    @property
    def throttle_scope(self) -> str:
        return "money" if self.request.method == "POST" else "reads"

    @extend_schema(
        operation_id="list_vouchers",
        responses=VoucherListOutput,
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
        page = selectors.vouchers(
            user_public_id=principal(request).public_id, only=_voucher_filter(request), asked=asked
        )
        return Response(pagination.answer(request, page, salt="vouchers"))

    @extend_schema(
        operation_id="issue_voucher",
        request=VoucherInput,
        responses={201: VoucherWithCodeOutput},
        parameters=[KEY],
        examples=[
            OpenApiExample(
                "A gift", {"voucher_type": "standard", "amount": "250.00", "currency": "ZAR"}, request_only=True
            ),
            OpenApiExample(
                "Cash in at a till",
                {"voucher_type": "easypay_topup", "amount": "250.00", "currency": "ZAR"},
                request_only=True,
            ),
            OpenApiExample("Here is its code", {**OF_HERS, "code": CODE.replace(" ", "")}, response_only=True),
            OpenApiExample("Show this number at the till", {**TOP_UP, "code": None}, response_only=True),
        ],
    )
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
    @extend_schema(operation_id="get_voucher", responses=VoucherWithCodeOutput)
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
        parameters=[KEY],
        examples=[OpenApiExample("It is no more", {**TOP_UP, "status": "cancelled"}, response_only=True)],
    )
    def post(self, request: Request, voucher_id: uuid.UUID) -> Response:
        """Cancel an EasyPay voucher that no till has seen, once for each key; face, fee and VAT come back."""
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
    throttle_classes = (RedeemThrottle,)
    throttle_scope = "codes"

    @extend_schema(
        operation_id="redeem_voucher",
        request=RedeemInput,
        responses=RedemptionOutput,
        parameters=[KEY],
        examples=[
            OpenApiExample("All of it", {"code": CODE}, request_only=True),
            OpenApiExample("A part", {"code": CODE, "amount": "100.00"}, request_only=True),
            OpenApiExample(
                "It is in the wallet",
                {
                    "id": "0b8c6f1e-7d2a-4c39-8e51-2f6a9d3b4c57",
                    "amount": "100.00",
                    "currency": "ZAR",
                    "wallet": "4820175634",
                    "balance_after": "180.00",
                    "left": "150.00",
                    "created_at": "2026-03-01T07:30:00.000000Z",
                },
                response_only=True,
            ),
        ],
    )
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
