"""What can be proposed: a name, the schema of its arguments, what it does, and what of the bank it changes."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal

from django import forms
from django.core.validators import RegexValidator

from accounts.audit import Origin
from accounts.decisions import Decision
from mymoolah.common.clock import iso_utc
from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.money import CENT, CURRENCY, Money
from transactions.posting import IdempotencyKey

Arguments = Mapping[str, Any]
Facts = dict[str, str]
# Digits, with one kind of mark (comma or space, narrow and unbroken ones too) between each three of them or none.
MARKS: Final = "[, \u00a0\u202f]"
WRITTEN_AMOUNT: Final = re.compile(
    rf"([0-9]+|[1-9][0-9]{{0,2}}(?P<mark>{MARKS})[0-9]{{3}}((?P=mark)[0-9]{{3}})*)(\.[0-9]+)?", re.ASCII
)
Group = Literal["Customers' money", "The bank's own money", "Suspense", "Rules"]


class UnknownCommand(NotFound):
    code, title = "unknown_command", "Nobody can propose this any more"


class InvalidArguments(DomainError):
    code, status, title = "invalid_arguments", 400, "This is not what the command needs to know"


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What a command is done with besides its arguments."""

    decision: Decision
    key: IdempotencyKey
    now: dt.datetime
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command made; the group of transfers by which it moved money, if any, and the hold that paid for it."""

    kind: str
    id: str
    group_id: uuid.UUID | None = None
    hold_id: int | None = None


class Schema(forms.Form):
    """What a command must be told: read from a page, and again from the JSON that was kept of it."""

    def as_arguments(self) -> dict[str, str | bool]:
        """What is kept: the same text for the same thing, however it was typed."""
        return {name: _kept(self.fields[name], value) for name, value in self.cleaned_data.items()}


def _kept(field: forms.Field, value: object) -> str | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Decimal):
        places = field.decimal_places if isinstance(field, forms.DecimalField) else None
        return f"{value:.{places}f}"
    if isinstance(value, dt.datetime):
        return iso_utc(value)
    return "" if value is None else str(value)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One kind of deed.

    `subject` says what it is about, as audit events do. `facts` tells, in words, what besides money it may change, as it
    stands; it locks what it tells about, since what is told before and after must be the doing of the command alone.
    """

    name: str
    title: str
    group: Group
    schema: type[Schema]
    subject: tuple[str, str]
    """The type of what it is about, and the argument that names it."""
    execute: Callable[[Arguments, Deed], Outcome]
    facts: Callable[[Arguments], Facts] = lambda _: {}
    subject_id: Callable[[Arguments], str] | None = None

    def subject_of(self, arguments: Arguments) -> tuple[str, str]:
        kind, argument = self.subject
        return kind, self.subject_id(arguments) if self.subject_id else str(arguments[argument])


COMMANDS: Final[dict[str, Command]] = {}


def register(commands: Iterable[Command]) -> None:
    """Make commands known to whoever proposes and approves."""
    for command in commands:
        assert command.name not in COMMANDS, f"there are two commands {command.name}"
        COMMANDS[command.name] = command


def get_command(name: str) -> Command:
    """:raises UnknownCommand: no release, or none any more, does this"""
    try:
        return COMMANDS[name]
    except KeyError:
        raise UnknownCommand(command=name) from None


def read(command: Command, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The values of what was kept as JSON.

    :raises InvalidArguments: something is missing, too much, or not what the schema says
    """
    schema = command.schema(dict(arguments))
    if set(arguments) != set(schema.fields) or not schema.is_valid():
        strangers = sorted(set(arguments) ^ set(schema.fields))
        raise InvalidArguments(fields=strangers or sorted(schema.errors))
    return schema.cleaned_data


# What schemas are made of -------------------------------------------------------------------------------------------
class AmountField(forms.DecimalField):
    """An amount as it is typed or as our pages write it, `1000.50`, `1,000.50` or `1 000.50`.

    A comma is never taken for the point before the cents: `1,50` may be one rand or a hundred and fifty, and is refused.
    """

    default_error_messages: ClassVar = {
        "invalid": "Write an amount such as 1,000.50: a point before the cents, and three digits after each comma."
    }

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        text = "" if value is None else str(value).strip()
        if text and not WRITTEN_AMOUNT.fullmatch(text):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        amount: Decimal | None = super().to_python(re.sub(MARKS, "", text))
        return amount


def amount_field(label: str = "Amount", *, least: Decimal = CENT, **options: Any) -> AmountField:
    return AmountField(label=label, max_digits=19, decimal_places=2, min_value=least, **options)


def currency_field() -> forms.CharField:
    return forms.CharField(
        max_length=3, initial=CURRENCY, validators=[RegexValidator(r"\A[A-Z]{3}\Z", "Three capital letters.")]
    )


def wallet_field(label: str = "Wallet number", **options: Any) -> forms.CharField:
    ten_digits = RegexValidator(r"\A[1-9][0-9]{9}\Z", "Ten digits, the first not 0.")
    return forms.CharField(label=label, max_length=10, validators=[ten_digits], **options)


def money_of(arguments: Arguments) -> Money:
    return Money(arguments["amount"], arguments["currency"])
