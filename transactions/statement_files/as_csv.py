"""A statement as CSV (RFC 4180), for spreadsheets and the programs that read what spreadsheets do.

It begins with a byte order mark, without which Excel takes UTF-8 for the letters of Windows and spoils names. The
opening balance is the first row and the closing balance the last: a file without it is not whole.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from mymoolah.common.clock import JOHANNESBURG
from mymoolah.common.csv_files import harmless
from transactions.selectors import counterparty
from transactions.statements import Statement, pages

BYTE_ORDER_MARK = "\ufeff"
HEADER = (
    "Date",
    "Entry",
    "Type",
    "Kind",
    "Reference",
    "Counterparty",
    "Counterparty wallet",
    "Amount in",
    "Amount out",
    "Balance",
    "Currency",
)
BROKEN_OFF = "THIS FILE IS NOT COMPLETE. PLEASE DOWNLOAD IT AGAIN."


def csv_chunks(statement: Statement) -> Iterator[bytes]:
    """UTF-8, a page of entries a chunk."""
    try:
        yield (BYTE_ORDER_MARK + _lines([HEADER, _opening(statement)])).encode()
        for page in pages(statement):
            yield _lines(_row(statement.number, entry) for entry in page).encode()
        yield _lines([_closing(statement)]).encode()
    except Exception:
        # Not every web server breaks the connection when what it sends ends in an error (Granian does not).
        yield _lines([[BROKEN_OFF]]).encode()
        raise


def _opening(statement: Statement) -> list[str]:
    balance = _amount(statement.opening_balance)
    return [_moment(statement.starts_at), "", "", "", "Opening balance", "", "", "", "", balance, statement.currency]


def _closing(statement: Statement) -> list[str]:
    last_moment = statement.ends_at - dt.timedelta(microseconds=1)
    figures = map(_amount, (statement.total_in, statement.total_out, statement.closing_balance))
    return [_moment(last_moment), "", "", "", "Closing balance", "", "", *figures, statement.currency]


def _row(number: str, entry: dict[str, Any]) -> list[str]:
    other = counterparty(entry["counterparty_name"], entry["counterparty_number"])
    received = entry["type"] == "received"
    return [
        _moment(entry["created_at"]),
        f"{number}-{entry['sequence']}",
        entry["type"],
        entry["kind"],
        harmless(entry["reference"]),
        harmless(other["name"] or ""),
        other["wallet"] or "",
        _amount(entry["amount"]) if received else "",
        "" if received else _amount(entry["amount"]),
        _amount(entry["balance_after"]),
        entry["currency"],
    ]


def _moment(at: dt.datetime) -> str:
    """As in `2026-03-01T09:30:00+02:00`: Johannesburg's time."""
    return at.astimezone(JOHANNESBURG).isoformat(timespec="seconds")


def _amount(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _lines(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
