"""What customers send about vouchers, and what they get."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mymoolah.common.fields import CurrencyField, MoneyField
from mymoolah.common.inputs import Input
from vouchers.models import Voucher

TYPED_CODE = re.compile(r"[0-9](?:[ -]?[0-9]){15}", re.ASCII)
CODE_SCHEMA = {
    "type": "string",
    "pattern": "^[0-9]([ -]?[0-9]){15}$",
    "example": "4929 5031 8846 2170",
    "description": "16 digits; spaces and dashes between them do not count.",
}


class TypedCode(str):
    """Sixteen digits that are money: whoever shows the variables of a traceback shows none of them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<a voucher's code>"


@extend_schema_field(CODE_SCHEMA)
class CodeField(serializers.Field[TypedCode, str, str, Any]):
    """The code of a voucher as somebody typed it. What is wrong with it is told without repeating it."""

    default_error_messages = {"invalid_code": "A voucher's code has 16 digits, written as a string."}

    def to_internal_value(self, data: Any) -> TypedCode:
        if not isinstance(data, str) or not TYPED_CODE.fullmatch(data.strip(" ")):
            self.fail("invalid_code")
        return TypedCode(re.sub("[ -]", "", data))


class VoucherInput(Input):
    voucher_type = serializers.ChoiceField(choices=Voucher.Type.choices)
    amount = MoneyField()
    currency = CurrencyField()


class RedeemInput(Input):
    code = CodeField()
    amount = MoneyField(required=False, help_text="In rand; all that is left of the voucher if not given")


# What the answers look like, for the API's documentation -----------------------------------------------------------
class VoucherOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    voucher_type = serializers.ChoiceField(choices=Voucher.Type.choices)
    status = serializers.ChoiceField(
        choices=Voucher.Status.choices,
        help_text="From `expires_at` on a voucher is no longer good, though its status may say so minutes later; "
        "EasyPay's 72 hours later, once tills' late messages are in",
    )
    amount = MoneyField(help_text="Its face value")
    balance = MoneyField(help_text="What is left of an active one; 0.00 for all others")
    currency = CurrencyField()
    fee = MoneyField(help_text="Without VAT")
    vat = MoneyField(help_text="On the fee")
    easypay_number = serializers.CharField(allow_null=True, help_text="14 digits for the till; null for standard ones")
    expires_at = serializers.DateTimeField(help_text="The first moment at which it is no longer good")
    created_at = serializers.DateTimeField()


class VoucherWithCodeOutput(VoucherOutput):
    code = serializers.CharField(
        allow_null=True, help_text="16 digits: whoever types them gets the money; null for EasyPay vouchers"
    )


class VoucherListOutput(serializers.Serializer[Any]):
    results = VoucherOutput(many=True)
    next = serializers.URLField(allow_null=True, help_text="Older vouchers")
    previous = serializers.URLField(allow_null=True, help_text="Newer vouchers")


class RedemptionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    amount = MoneyField()
    currency = CurrencyField()
    wallet = serializers.CharField(help_text="The number of the wallet that got it")
    balance_after = MoneyField(help_text="Of that wallet")
    left = MoneyField(help_text="Of the voucher, after this redemption")
    created_at = serializers.DateTimeField()
