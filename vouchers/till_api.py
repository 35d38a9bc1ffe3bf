"""The tills' door: EasyPay tells what was paid, spent or paid out on one of our numbers."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import validated
from accounts.authentication import origin_of
from mymoolah.common.clock import now
from mymoolah.common.fields import MoneyField, TextField
from mymoolah.common.money import Money
from mymoolah.common.problems import invalid
from vouchers.examples import PAID_AT_A_TILL
from vouchers.models import TillEvent
from vouchers.services import tills
from vouchers.till_authentication import SIGNATURE_HEADER, TIMESTAMP, TIMESTAMP_HEADER, EasyPayAuthentication, IsTill

MOST = Decimal("100000.00")  # rand; the largest voucher is R4,000
FAST_CLOCK = dt.timedelta(minutes=5)  # as much as a till's clock may be ahead of ours
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)", re.ASCII
)


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(TextField):
    """A moment in ISO 8601, with its offset from UTC."""

    default_error_messages = {"invalid_moment": 'Write a moment with its offset, as in "2026-03-01T09:30:00+02:00".'}

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if not MOMENT.fullmatch(text):
            self.fail("invalid_moment")
        try:
            return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
        except (ValueError, OverflowError):  # a day or a minute that does not exist
            self.fail("invalid_moment")


class TillAmountField(MoneyField):
    """What a till can have moved: more is a mistake of whoever wrote it, and would spoil the totals of the bank."""

    default_error_messages = {"too_much": f"No till moves more than {MOST}."}

    def to_internal_value(self, data: Any) -> Any:
        amount = super().to_internal_value(data)
        if amount > MOST:
            self.fail("too_much")
        return amount


class PaymentInput(serializers.Serializer[Any]):
    """Fields that we do not know are left alone: the provider may add some, and all of the body is stored."""

    easypay_number = TextField(
        trim_whitespace=False,
        validators=[RegexValidator(r"^[0-9]{14}$", "Fourteen digits.", "invalid_easypay_number")],
    )
    amount = TillAmountField()
    provider_reference = TextField(
        trim_whitespace=False,
        max_length=100,
        validators=[RegexValidator(r"^[ -~]+$", "1 to 100 printable ASCII characters.", "invalid_reference")],
    )
    paid_at = MomentField(trim_whitespace=False)


class PaymentOutput(serializers.Serializer[Any]):
    result = serializers.ChoiceField(choices=TillEvent.Result.choices)


@extend_schema(tags=["tills"])
class EasyPayPaymentsView(APIView):
    """No limit is counted here: a till that is sent away comes back, and would only be sent away again."""

    authentication_classes = [EasyPayAuthentication]
    permission_classes = [IsTill]
    throttle_classes = ()

    @extend_schema(
        operation_id="report_easypay_payment",
        request=PaymentInput,
        responses=PaymentOutput,
        parameters=[
            OpenApiParameter(
                TIMESTAMP_HEADER,
                pattern=f"^{TIMESTAMP.pattern}$",
                location=OpenApiParameter.HEADER,
                required=True,
                description="Unix seconds, at most five minutes off",
            ),
            OpenApiParameter(
                SIGNATURE_HEADER,
                pattern="^[0-9A-Fa-f]{64}$",
                location=OpenApiParameter.HEADER,
                required=True,
                description='Hex HMAC-SHA256 with the shared secret over timestamp + "." + body',
            ),
        ],
        examples=[
            OpenApiExample("Paid at a till", PAID_AT_A_TILL, request_only=True),
            OpenApiExample("Done", {"result": "applied"}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Report what happened at a till, once for each reference; a repeat gets the first answer.

        `suspense`: we have it, and our finance department decides. 503: repeat it.
        """
        moment = now()
        paid = validated(PaymentInput(data=request.data))
        if paid["paid_at"] > moment + FAST_CLOCK:
            raise invalid("paid_at", "in_the_future", "This moment has not come yet.")
        report = tills.Report(
            provider_reference=paid["provider_reference"],
            easypay_number=paid["easypay_number"],
            amount=Money(paid["amount"]),
            paid_at=paid["paid_at"],
            body=request._request.body,  # noqa: SLF001 - as it was signed
        )
        result = tills.report_payment(report=report, now=moment, origin=origin_of(request))
        return Response({"result": result.value})
