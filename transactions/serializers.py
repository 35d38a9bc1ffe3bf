"""What customers send to move money, and what they get when they ask about it."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mymoolah.common.fields import CurrencyField, MoneyField, TextField, e164
from mymoolah.common.inputs import Input
from transactions.models import Kind, Transaction
from transactions.selectors import Recipient

WALLET_NUMBER = re.compile(r"[1-9][0-9]{9}", re.ASCII)
LONGEST_RECIPIENT = 254


def read_recipient(text: str) -> Recipient | None:
    """Whom `text` names, by its form alone; None if it has none of the three.

    Nobody's contact holds anything but ASCII, though some letters become one of its when they are made small.
    """
    if not text.isascii():
        return None
    if WALLET_NUMBER.fullmatch(text):
        return Recipient("number", text)
    if text.startswith(("+", "0")):
        phone = e164(text)
        return Recipient("phone", phone) if phone else None
    try:
        validate_email(text)
    except ValidationError:
        return None
    return Recipient("email", text.lower())


@extend_schema_field(
    {
        "type": "string",
        "maxLength": LONGEST_RECIPIENT,
        "example": "082 111 0002",
        "description": "A wallet's number, a phone number (+ or 0 first) or an e-mail address.",
    }
)
class RecipientField(serializers.Field[Recipient, str, str, Any]):
    default_error_messages = {"invalid_recipient": "Write a wallet's number, a phone number or an e-mail address."}

    def to_internal_value(self, data: Any) -> Recipient:
        recipient = read_recipient(data.strip()) if isinstance(data, str) and len(data) <= LONGEST_RECIPIENT else None
        if recipient is None:
            self.fail("invalid_recipient")
        return recipient

    def to_representation(self, value: Recipient) -> str:
        return value.value


class PreviewInput(Input):
    to = RecipientField()
    amount = MoneyField()
    currency = CurrencyField()


class TransferInput(PreviewInput):
    reference = TextField(max_length=140, required=False, allow_blank=True, default="")


# What the answers look like, for the API's documentation -----------------------------------------------------------
class CounterpartyOutput(serializers.Serializer[Any]):
    """The other end, masked."""

    name = serializers.CharField(help_text="First name and initial, or MyMoolah")
    wallet = serializers.CharField(allow_null=True, help_text="Its last four digits; null for MyMoolah")


class WalletHintOutput(serializers.Serializer[Any]):
    wallet = serializers.CharField(help_text="The last four digits of its number")


class EntryOutput(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="<wallet number>-<sequence>")
    transfer = serializers.UUIDField()
    type = serializers.ChoiceField(choices=Transaction.Type.choices)
    kind = serializers.ChoiceField(choices=Kind.choices)
    amount = MoneyField()
    currency = CurrencyField()
    balance_after = MoneyField()
    counterparty = CounterpartyOutput()
    reference = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


class EntryListOutput(serializers.Serializer[Any]):
    results = EntryOutput(many=True)
    next = serializers.URLField(allow_null=True, help_text="Older entries")
    previous = serializers.URLField(allow_null=True, help_text="Newer entries")


class StatementOutput(serializers.Serializer[Any]):
    """A wallet's period; its entries come oldest first."""

    wallet = serializers.CharField(help_text="Its number")
    name = serializers.CharField(help_text="The customer's full name")
    currency = CurrencyField()
    to = serializers.DateField(help_text="A Johannesburg date, included")
    opening_balance = MoneyField()
    closing_balance = MoneyField()
    total_in = MoneyField()
    total_out = MoneyField()
    entry_count = serializers.IntegerField()
    entries = EntryOutput(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is no name that a class could give."""
        return {**super().get_fields(), "from": serializers.DateField(help_text="A Johannesburg date, included")}


class TransferOutput(serializers.Serializer[Any]):
    """A transfer as the one who asks sees it."""

    id = serializers.UUIDField()
    transaction = serializers.CharField(help_text="One's own entry, <wallet number>-<sequence>")
    type = serializers.ChoiceField(choices=Transaction.Type.choices)
    kind = serializers.ChoiceField(choices=Kind.choices)
    amount = MoneyField()
    currency = CurrencyField()
    balance_after = MoneyField()
    counterparty = CounterpartyOutput()
    reference = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


class ReceiptOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    amount = MoneyField()
    currency = CurrencyField()
    reference = serializers.CharField(allow_blank=True)
    to = WalletHintOutput()
    balance_after = MoneyField(help_text="Of the sender's wallet")
    created_at = serializers.DateTimeField()


class PreviewOutput(serializers.Serializer[Any]):
    to = CounterpartyOutput()
    amount = MoneyField()
    currency = CurrencyField()
    fee = MoneyField()
