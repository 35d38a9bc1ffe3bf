"""What lists and statements are asked for alike: one of one's wallets, and a period."""

from __future__ import annotations

import datetime as dt

from rest_framework.request import Request

from mymoolah.common.problems import invalid
from transactions.serializers import WALLET_NUMBER

WALLET_SCHEMA = {"type": "string", "pattern": f"^{WALLET_NUMBER.pattern}$"}


def wallet_number(request: Request) -> str | None:
    """The number in `?wallet`.

    :raises ValidationError: it cannot be one
    """
    number = request.query_params.get("wallet")
    if number is not None and not WALLET_NUMBER.fullmatch(number):
        raise invalid("wallet", "invalid_wallet", "A wallet's number has ten digits.")
    return number


def period(request: Request) -> tuple[dt.date | None, dt.date | None]:
    """The Johannesburg days in `?from` and `?to`, both included.

    :raises ValidationError: one is not a date, or they are the wrong way round
    """
    given = request.query_params
    from_day, to_day = _day(given.get("from"), "from"), _day(given.get("to"), "to")
    if from_day and to_day and from_day > to_day:
        raise invalid("to", "invalid_date", "`to` lies before `from`.")
    return from_day, to_day


def whole_period(request: Request) -> tuple[dt.date, dt.date]:
    """As `period`, where neither end may be left open."""
    from_day, to_day = period(request)
    if from_day is None or to_day is None:
        raise invalid("from" if from_day is None else "to", "required", 'A date such as "2026-03-01".')
    return from_day, to_day


def _day(text: str | None, name: str) -> dt.date | None:
    if text is None:
        return None
    try:
        if len(text) != len("2026-03-01"):
            raise ValueError
        day = dt.date.fromisoformat(text)
        if not dt.date(1900, 1, 1) <= day <= dt.date(2999, 12, 31):
            raise ValueError
    except ValueError as error:
        raise invalid(name, "invalid_date", 'A date such as "2026-03-01".') from error
    return day
