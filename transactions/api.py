"""The customers' door to moving money, and to what was moved."""

from __future__ import annotations

import uuid

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import validated
from accounts.authentication import principal
from mymoolah.common import pagination
from mymoolah.common.autoschema import component
from mymoolah.common.clock import iso_utc
from mymoolah.common.errors import DomainError
from mymoolah.common.inputs import StrictView
from mymoolah.common.money import Money
from mymoolah.common.problems import invalid
from mymoolah.common.refusals import refuses
from mymoolah.common.throttling import AddressThrottle
from transactions import examples, selectors, services
from transactions.filters import WALLET_SCHEMA, period, wallet_number
from transactions.idempotency import REPLAYED_HEADER, idempotency_key, once_for_each_key
from transactions.models import Kind, Transaction
from transactions.posting import (
    InsufficientFunds,
    LimitExceeded,
    NotPermitted,
    SameWallet,
    UserNotActive,
    WalletClosed,
    WalletFrozen,
)
from transactions.selectors import (
    EntryFilter,
    NoWalletInCurrency,
    Receipt,
    RecipientCannotReceive,
    RecipientNotFound,
    TransactionNotFound,
    TransferNotFound,
    counterparty,
    masked,
)
from transactions.serializers import (
    EntryListOutput,
    EntryOutput,
    PreviewInput,
    PreviewOutput,
    ReceiptOutput,
    TransferInput,
    TransferOutput,
)
from transactions.services import AmountTooSmall
from transactions.throttling import count_look, refuse_without_looks_left
from wallets.services import WalletNotFound

NO_FEE = "0.00"


@extend_schema(tags=["transfers"])
class PreviewView(StrictView):
    throttle_classes = (AddressThrottle,)
    throttle_scope = "previews"

    @extend_schema(
        operation_id="preview_transfer",
        request=PreviewInput,
        responses=PreviewOutput,
        examples=[
            OpenApiExample("To Sipho", examples.TO_SIPHO, request_only=True),
            OpenApiExample("It is Sipho", examples.PREVIEW, response_only=True),
        ],
    )
    @refuses(NoWalletInCurrency, RecipientNotFound, RecipientCannotReceive, SameWallet, NotPermitted, UserNotActive)
    def post(self, request: Request) -> Response:
        """Show whom a transfer would reach, and what it would cost: what to ask the customer before sending.

        Nothing moves. Neither the amount, the limits nor the balance are looked at: sending may still be refused.
        """
        asked = validated(PreviewInput(data=request.data))
        amount = Money(asked["amount"], asked["currency"])
        route = selectors.get_payee_name(
            user_public_id=principal(request).public_id, recipient=asked["to"], amount=amount
        )
        body = {
            "to": counterparty(route.recipient_name, route.recipient_number),
            "amount": str(amount),
            "currency": amount.currency,
            "fee": NO_FEE,
        }
        return Response(body)


@extend_schema(tags=["transfers"])
class TransfersView(StrictView):
    throttle_scope = "money"
    counts_refusals = True

    @extend_schema(
        operation_id="send_money",
        request=TransferInput,
        responses={201: ReceiptOutput},
        examples=[
            OpenApiExample("To Sipho", examples.LUNCH, request_only=True),
            OpenApiExample("He has it", examples.RECEIPT, response_only=True),
        ],
    )
    @once_for_each_key
    @refuses(NoWalletInCurrency, RecipientNotFound, RecipientCannotReceive, SameWallet, AmountTooSmall)
    @refuses(InsufficientFunds, LimitExceeded, NotPermitted, WalletFrozen, WalletClosed, UserNotActive)
    def post(self, request: Request) -> Response:
        """Send money to another customer, once for each key. Free of charge, at least R1.00."""
        asked = validated(TransferInput(data=request.data))
        amount = Money(asked["amount"], asked["currency"])
        values = {"to": str(asked["to"]), "amount": str(amount), "currency": amount.currency}
        key = idempotency_key(request, {**values, "reference": asked["reference"]})
        refuse_without_looks_left(request)
        try:
            receipt = services.pay(
                user_public_id=principal(request).public_id,
                recipient=asked["to"],
                amount=amount,
                reference=asked["reference"],
                key=key,
            )
        except DomainError as refusal:
            if refusal.status < 500:
                count_look(request, found=not isinstance(refusal, RecipientNotFound))
            raise
        return Response(_receipt(receipt), status=201, headers={REPLAYED_HEADER: "true"} if receipt.replayed else None)


@extend_schema(tags=["transfers"])
class TransferView(StrictView):
    @extend_schema(
        operation_id="get_transfer",
        responses=TransferOutput,
        examples=[OpenApiExample("As its sender sees it", examples.TRANSFER, response_only=True)],
    )
    @refuses(TransferNotFound)
    def get(self, request: Request, transfer_id: uuid.UUID) -> Response:
        """Show a transfer that one sent or received."""
        return Response(selectors.get_transfer(user_public_id=principal(request).public_id, transfer_id=transfer_id))


@extend_schema(tags=["transfers"])
class TransactionsView(StrictView):
    @extend_schema(
        operation_id="list_transactions",
        responses=EntryListOutput,
        examples=[OpenApiExample("A day", examples.NEWEST_FIRST, response_only=True)],
        parameters=[
            OpenApiParameter("wallet", WALLET_SCHEMA, description="The number of one of one's wallets"),
            OpenApiParameter("type", component("EntryType")),
            OpenApiParameter(
                "kind",
                component("TransferKind"),
                description="Pages may then hold fewer than `limit`; `next` says whether to go on",
            ),
            OpenApiParameter("from", OpenApiTypes.DATE, description="A Johannesburg date, included"),
            OpenApiParameter("to", OpenApiTypes.DATE, description="A Johannesburg date, included"),
            *pagination.PARAMETERS,
        ],
    )
    @refuses(WalletNotFound)
    def get(self, request: Request) -> Response:
        """List what was sent and received, newest first."""
        asked = pagination.page_request(request, salt="transactions")
        page = selectors.entries(user_public_id=principal(request).public_id, only=_entry_filter(request), asked=asked)
        return Response(pagination.answer(request, page, salt="transactions"))


@extend_schema(tags=["transfers"])
class TransactionView(StrictView):
    @extend_schema(
        operation_id="get_transaction",
        responses=EntryOutput,
        examples=[OpenApiExample("Lunch for Sipho", examples.SENT, response_only=True)],
    )
    @refuses(TransactionNotFound)
    def get(self, request: Request, entry_id: str) -> Response:
        """Show one entry of one's own wallet."""
        number, _, sequence = entry_id.partition("-")
        return Response(
            selectors.get_entry(user_public_id=principal(request).public_id, number=number, sequence=int(sequence))
        )


def _receipt(receipt: Receipt) -> dict[str, object]:
    return {
        "id": str(receipt.transfer_id),
        "kind": receipt.kind,
        "amount": f"{receipt.amount:.2f}",
        "currency": receipt.currency,
        "reference": receipt.reference,
        "to": {"wallet": masked(receipt.recipient_number)},
        "balance_after": f"{receipt.balance_after:.2f}",
        "created_at": iso_utc(receipt.created_at),
    }


def _entry_filter(request: Request) -> EntryFilter:
    given, number = request.query_params, wallet_number(request)
    for name, known in (("type", Transaction.Type.values), ("kind", Kind.values)):
        if name in given and given[name] not in known:
            raise invalid(name, f"unknown_{name}", f"One of {', '.join(known)}.")
    from_day, to_day = period(request)
    return EntryFilter(
        wallet_number=number, type=given.get("type"), kind=given.get("kind"), from_day=from_day, to_day=to_day
    )
