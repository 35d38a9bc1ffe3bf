"""Serializer fields that take a JSON string and nothing that merely looks like one."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

import phonenumbers
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mymoolah.common.money import CURRENCY_CODE, InvalidAmount, Money

HOME_REGION = "ZA"
# The library reads far more: digits of any script, words as letters on keys, `tel:` and its parameters (RFC 3966).
PLAIN_PHONE = re.compile(r"[0-9+(][0-9+() ./-]*", re.ASCII)
AMOUNT = {"type": "string", "example": "120.00"}
# What is sent is more than zero, and what is answered always shows its cents.
AMOUNT_SENT_SCHEMA = {**AMOUNT, "pattern": r"^(?!0+(\.0+)?$)[0-9]{1,17}(\.[0-9]{1,2})?$"}
AMOUNT_ANSWERED_SCHEMA = {**AMOUNT, "pattern": r"^[0-9]{1,17}\.[0-9]{2}$"}
CURRENCY_SCHEMA = {"type": "string", "pattern": "^[A-Z]{3}$", "example": "ZAR"}
PHONE_SCHEMA = {"type": "string", "example": "+27821234567", "description": "E.164, or as dialled in South Africa"}
NEW_PASSWORD_SCHEMA = {
    "type": "string",
    "pattern": "^(?![0-9]*$)[\\s\\S]{10,}$",
    "maxLength": 128,
    "description": "At least ten characters, not digits only; none that are in everybody's list or like one's own name",
}


class TextField(serializers.CharField):
    """Printable text in one line; a number is not a text."""

    default_error_messages = {"not_a_string": "Write this as a string.", "not_printable": "Only printable characters."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_a_string")
        text = super().to_internal_value(data)
        if not text.isprintable():
            self.fail("not_printable")
        return text


class NameField(TextField):
    """A person's name: letters in it, none that cannot be seen, and not the bank's, whose payments show as its own."""

    INVISIBLE = re.compile("[\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f\ufe00-\ufe0f]")
    OURS = "mymoolah"
    default_error_messages = {"not_a_name": "Write a name, in letters.", "reserved": "This is the bank's name."}

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if self.INVISIBLE.search(name) or not any(letter.isalpha() for letter in name):
            self.fail("not_a_name")
        if self.OURS in "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold())):
            self.fail("reserved")
        return name


class PasswordField(serializers.CharField):
    """Whatever characters its owner likes, spaces at the ends included."""

    default_error_messages = {"not_a_string": "Write this as a string."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=128, trim_whitespace=False, write_only=True, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_a_string")
        return super().to_internal_value(data)


@extend_schema_field(NEW_PASSWORD_SCHEMA)
class NewPasswordField(PasswordField):
    """One that is being chosen; how good it has to be AUTH_PASSWORD_VALIDATORS say."""


class EmailField(serializers.EmailField):
    """An e-mail address, in small letters: which mailbox it names does not depend on their case here.

    ASCII only, a domain of other letters as `xn--…` (RFC 5890): so no two addresses look the same. Asked before the
    letters are made small, which would turn the Kelvin sign into a k.
    """

    default_error_messages = {
        "not_a_string": "Write this as a string.",
        "not_ascii": "Write this in plain letters, a domain of other letters as xn--….",
        "not_printable": "Only printable characters, and no spaces.",
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_a_string")
        if not data.isascii():
            self.fail("not_ascii")
        text = super().to_internal_value(data)
        if not text.isprintable() or " " in text:  # which a quoted mailbox may hold
            self.fail("not_printable")
        return text.lower()


@extend_schema_field(PHONE_SCHEMA)
class PhoneField(TextField):
    """A phone number, returned in E.164."""

    default_error_messages = {"invalid_phone": 'Write a phone number such as "+27821234567" or "082 123 4567".'}

    def to_internal_value(self, data: Any) -> str:
        phone = e164(super().to_internal_value(data))
        if phone is None:
            self.fail("invalid_phone")
        return phone


class MoneyField(serializers.Field[Decimal, str, str, Any]):
    """An amount above zero, in major units with at most two decimals, written as a string."""

    default_error_messages = {
        "not_a_string": 'Write an amount as a string such as "120.00", not as a number.',
        "not_positive": "The amount must be more than zero.",
    }

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("not_a_string")
        try:
            amount = Money.parse(data).amount
        except InvalidAmount as error:
            raise serializers.ValidationError(error.detail or error.title, code=error.code) from error
        if amount <= 0:
            self.fail("not_positive")
        return amount

    def to_representation(self, value: Decimal) -> str:
        return f"{value:.2f}"


class MoneyFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = MoneyField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return AMOUNT_SENT_SCHEMA if direction == "request" else AMOUNT_ANSWERED_SCHEMA


@extend_schema_field(CURRENCY_SCHEMA)
class CurrencyField(serializers.Field[str, str, str, Any]):
    default_error_messages = {"invalid_currency": 'Write a currency as three capital letters such as "ZAR".'}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not CURRENCY_CODE.fullmatch(data):
            self.fail("invalid_currency")
        return data

    def to_representation(self, value: str) -> str:
        return value


def e164(text: str) -> str | None:
    """The phone number that `text` dials, seen from South Africa (ITU-T E.164); None if it dials nobody."""
    if not PLAIN_PHONE.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or number.extension:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
