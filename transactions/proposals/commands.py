"""What can be proposed: a name, the schema of its arguments, what it does, and what of the bank it changes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

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
def amount_field(label: str = "Amount", *, least: Decimal = CENT, **options: Any) -> forms.DecimalField:
    return forms.DecimalField(label=label, max_digits=19, decimal_places=2, min_value=least, **options)


def currency_field() -> forms.CharField:
    return forms.CharField(
        max_length=3, initial=CURRENCY, validators=[RegexValidator(r"\A[A-Z]{3}\Z", "Three capital letters.")]
    )


def wallet_field(label: str = "Wallet number", **options: Any) -> forms.CharField:
    ten_digits = RegexValidator(r"\A[1-9][0-9]{9}\Z", "Ten digits, the first not 0.")
    return forms.CharField(label=label, max_length=10, validators=[ten_digits], **options)


def money_of(arguments: Arguments) -> Money:
    return Money(arguments["amount"], arguments["currency"])
