"""A statement as a PDF that a customer can hand to a landlord.

Drawn line by line on the canvas: what people wrote is never read as markup, the time grows with the number of entries
alone (a flowing table of thousands of rows takes several times as long), and the number of pages is known before the first.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import as_file, files
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from mymoolah.common.clock import JOHANNESBURG
from mymoolah.common.errors import DomainError
from transactions.selectors import HOUSE_NAME, counterparty
from transactions.statements import Statement, pages

MOST_ENTRIES = 3_000

# Noto Sans has the letters of all our languages (Venda's ḓ ḽ ṋ ṱ too), Greek, Cyrillic and Devanagari.
FONT = "NotoSans"
FONT_FILE = files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"
UNKNOWN_LETTER = "\ufffd"

PURPLE, INK, GREY, RULE, SHADE = map(HexColor, ("#7e22ce", "#1c1917", "#6b6570", "#d9d4de", "#f5f1f9"))
# Lengths are points, from the lower left corner.
PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 48
RIGHT = PAGE_WIDTH - MARGIN
FOOT = 64
TEXT_SIZE, LEADING, ROW_PADDING = 8, 10.5, 7
TABLE_HEAD_HEIGHT = 20
DATE_LEFT, DESCRIPTION_LEFT, IN_RIGHT, OUT_RIGHT, BALANCE_RIGHT = MARGIN + 6, MARGIN + 68, 388, 464, RIGHT - 6
DESCRIPTION_WIDTH = IN_RIGHT - DESCRIPTION_LEFT - 72
FIRST_TABLE_TOP, NEXT_TABLE_TOP = PAGE_HEIGHT - 242, PAGE_HEIGHT - 74


SHORTER = "Ask for a shorter period, or for format=csv, which has no limit."


class StatementTooLong(DomainError):
    code, status, title = "statement_too_long", 409, "This statement is too long for a PDF"
    example = {"detail": SHORTER, "entries": 4210, "most": MOST_ENTRIES}


@dataclass(frozen=True, kw_only=True)
class Row:
    date: str
    title: str
    details: Sequence[str]
    amount_in: str = ""
    amount_out: str = ""
    balance: str = ""

    @property
    def height(self) -> float:
        return ROW_PADDING + LEADING * (1 + len(self.details))


def pdf(statement: Statement, *, made_at: dt.datetime) -> bytes:
    """Draw the whole statement.

    :raises StatementTooLong: it has more than `MOST_ENTRIES`
    """
    if statement.entry_count > MOST_ENTRIES:
        raise StatementTooLong(
            detail=SHORTER,
            entries=statement.entry_count,
            most=MOST_ENTRIES,
        )
    sheets = list(_sheets(_rows(statement)))
    output = io.BytesIO()
    # Without a font of its own the canvas names Helvetica, which is not embedded. (Its type is wrong in the stubs.)
    canvas = Canvas(output, A4, pageCompression=1, initialFontName=_font().fontName, lang="en-ZA")  # type: ignore[arg-type]
    canvas.setTitle(f"Statement of wallet {statement.number}, {_period(statement)}")
    canvas.setAuthor(HOUSE_NAME)
    canvas.setCreator(HOUSE_NAME)
    canvas.setSubject(f"Statement for {one_line(statement.holder_name)}")
    for number, rows in enumerate(sheets, start=1):
        if number == 1:
            _draw_head(canvas, statement, made_at)
        else:
            _draw_short_head(canvas, statement)
        _draw_table(canvas, rows, top=FIRST_TABLE_TOP if number == 1 else NEXT_TABLE_TOP)
        _draw_foot(canvas, statement, f"Page {number} of {len(sheets)}")
        canvas.showPage()
    canvas.save()
    return output.getvalue()


# What is said ------------------------------------------------------------------------------------------------------
def spoken(amount: Decimal, currency: str) -> str:
    """An amount as South Africa writes it: `R1 234.56`, `-R5.00`, `USD 1 234.56`."""
    symbol = "R" if currency == "ZAR" else f"{currency} "
    return f"{'-' if amount < 0 else ''}{symbol}{abs(amount):,.2f}".replace(",", " ")


def one_line(text: str) -> str:
    """`text` without line breaks, or characters that would change the order of what is drawn."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def drawable(text: str) -> str:
    """`text` in one line, a question mark in a diamond for each letter that the font lacks (it would be left out otherwise)."""
    glyphs = _font().face.charToGlyph
    letters = unicodedata.normalize("NFC", one_line(text))
    return "".join(letter if ord(letter) in glyphs else UNKNOWN_LETTER for letter in letters)


def wrapped(text: str, *, size: float, width: float) -> list[str]:
    """Lines no wider than `width`, broken between words, and within a word only where it is wider than a line."""
    lines: list[str] = []
    line = ""
    for word in drawable(text).split(" "):
        longer = f"{line} {word}" if line else word
        if _width(longer, size) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = ""
        for letter in word:
            if line and _width(line + letter, size) > width:
                lines.append(line)
                line = ""
            line += letter
    return [*lines, line] if line else lines


def _rows(statement: Statement) -> Iterator[Row]:
    opening, closing = (spoken(b, statement.currency) for b in (statement.opening_balance, statement.closing_balance))
    yield Row(date=_short_day(statement.from_day), title="Opening balance", details=(), balance=opening)
    for page in pages(statement):
        for entry in page:
            amount = spoken(entry["amount"], entry["currency"])
            received = entry["type"] == "received"
            yield Row(
                date=_short_day(entry["created_at"].astimezone(JOHANNESBURG).date()),
                title=_title(entry),
                details=wrapped(entry["reference"], size=TEXT_SIZE, width=DESCRIPTION_WIDTH),
                amount_in=amount if received else "",
                amount_out="" if received else amount,
                balance=spoken(entry["balance_after"], entry["currency"]),
            )
    if not statement.entry_count:
        yield Row(date="", title="Nothing was paid in or out in this period.", details=())
    yield Row(date=_short_day(statement.to_day), title="Closing balance", details=(), balance=closing)


def _title(entry: dict[str, Any]) -> str:
    """As in `Transfer to Sipho M. …4321`; what the bank itself did needs no name."""
    kind = "VAT" if entry["kind"] == "vat" else entry["kind"].replace("_", " ").capitalize()
    other = counterparty(entry["counterparty_name"], entry["counterparty_number"])
    if other["wallet"] is None:
        return kind
    direction = "to" if entry["type"] == "sent" else "from"
    wallet = f" {other['wallet']}"
    whole = f"{kind} {direction} {drawable(other['name'] or '')}"
    return _fitting(whole, DESCRIPTION_WIDTH - _width(wallet, TEXT_SIZE)) + wallet


def _sheets(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """The rows of each page."""
    sheet: list[Row] = []
    room = FIRST_TABLE_TOP - TABLE_HEAD_HEIGHT - FOOT
    for row in rows:
        if row.height > room:
            yield sheet
            sheet, room = [], NEXT_TABLE_TOP - TABLE_HEAD_HEIGHT - FOOT
        sheet.append(row)
        room -= row.height
    yield sheet


def _period(statement: Statement) -> str:
    return f"{_long_day(statement.from_day)} to {_long_day(statement.to_day)}"


def _long_day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def _short_day(day: dt.date) -> str:
    return f"{day.day} {day:%b %Y}"


# How it looks ------------------------------------------------------------------------------------------------------
def _draw_head(canvas: Canvas, statement: Statement, made_at: dt.datetime) -> None:
    top = PAGE_HEIGHT - 62
    _write(canvas, HOUSE_NAME, x=MARGIN, y=top, size=22, color=PURPLE)
    _write_right(canvas, "Statement", x=RIGHT, y=top, size=15, color=INK)
    canvas.setStrokeColor(PURPLE)
    canvas.setLineWidth(1.2)
    canvas.line(MARGIN, top - 12, RIGHT, top - 12)
    made = made_at.astimezone(JOHANNESBURG)
    name = _fitting(drawable(statement.holder_name), RIGHT - MARGIN, size=12)
    _write(canvas, name, x=MARGIN, y=top - 36, size=12, color=INK)
    facts = (
        ("Wallet number", statement.number),
        ("Currency", statement.currency),
        ("Period", _period(statement)),
        ("Date made", f"{_long_day(made.date())}, {made:%H:%M}"),
    )
    for place, (label, fact) in enumerate(facts):
        y = top - 55 - 13 * place
        _write(canvas, label, x=MARGIN, y=y, size=8.5, color=GREY)
        _write(canvas, fact, x=MARGIN + 82, y=y, size=8.5, color=INK)
    figures = (
        ("Opening balance", statement.opening_balance),
        ("Total in", statement.total_in),
        ("Total out", statement.total_out),
        ("Closing balance", statement.closing_balance),
    )
    gap = 8
    width = (RIGHT - MARGIN - gap * (len(figures) - 1)) / len(figures)
    for place, (label, figure) in enumerate(figures):
        x, y = MARGIN + place * (width + gap), top - 160
        canvas.setFillColor(SHADE)
        canvas.roundRect(x, y, width, 44, 4, stroke=0, fill=1)
        _write(canvas, label, x=x + 9, y=y + 28, size=8, color=GREY)
        _write(canvas, spoken(figure, statement.currency), x=x + 9, y=y + 11, size=11.5, color=INK)


def _draw_short_head(canvas: Canvas, statement: Statement) -> None:
    y = PAGE_HEIGHT - 54
    _write(canvas, HOUSE_NAME, x=MARGIN, y=y, size=12, color=PURPLE)
    name = _fitting(drawable(statement.holder_name), 200)
    _write_right(canvas, f"{name}, {_period(statement)}", x=RIGHT, y=y, size=TEXT_SIZE, color=GREY)


def _draw_table(canvas: Canvas, rows: Sequence[Row], *, top: float) -> None:
    canvas.setFillColor(PURPLE)
    canvas.rect(MARGIN, top - TABLE_HEAD_HEIGHT, RIGHT - MARGIN, TABLE_HEAD_HEIGHT, stroke=0, fill=1)
    y, white = top - 13, HexColor("#ffffff")
    _write(canvas, "Date", x=DATE_LEFT, y=y, color=white)
    _write(canvas, "Description", x=DESCRIPTION_LEFT, y=y, color=white)
    for heading, x in (("In", IN_RIGHT), ("Out", OUT_RIGHT), ("Balance", BALANCE_RIGHT)):
        _write_right(canvas, heading, x=x, y=y, color=white)
    canvas.setStrokeColor(RULE)
    canvas.setLineWidth(0.4)
    top -= TABLE_HEAD_HEIGHT
    for row in rows:
        y = top - LEADING - 1
        _write(canvas, row.date, x=DATE_LEFT, y=y, color=INK)
        _write(canvas, row.title, x=DESCRIPTION_LEFT, y=y, color=INK)
        for amount, x in ((row.amount_in, IN_RIGHT), (row.amount_out, OUT_RIGHT), (row.balance, BALANCE_RIGHT)):
            _write_right(canvas, amount, x=x, y=y, color=INK)
        for place, line in enumerate(row.details, start=1):
            _write(canvas, line, x=DESCRIPTION_LEFT, y=y - LEADING * place, color=GREY)
        top -= row.height
        canvas.line(MARGIN, top, RIGHT, top)


def _draw_foot(canvas: Canvas, statement: Statement, page: str) -> None:
    _write(canvas, f"Wallet {statement.number}. Days begin and end in Johannesburg.", x=MARGIN, y=36, color=GREY)
    _write_right(canvas, page, x=RIGHT, y=36, color=GREY)


def _write(canvas: Canvas, text: str, *, x: float, y: float, color: Color, size: float = TEXT_SIZE) -> None:
    if text:
        canvas.setFont(FONT, size)
        canvas.setFillColor(color)
        canvas.drawString(x, y, text)


def _write_right(canvas: Canvas, text: str, *, x: float, y: float, color: Color, size: float = TEXT_SIZE) -> None:
    _write(canvas, text, x=x - _width(text, size), y=y, color=color, size=size)


def _fitting(text: str, width: float, *, size: float = TEXT_SIZE) -> str:
    """As much of `text` as is no wider than `width`."""
    lines = wrapped(text, size=size, width=width - _width("…", size))
    return text if _width(text, size) <= width else f"{lines[0]}…"


def _width(text: str, size: float) -> float:
    return _font().stringWidth(text, size)


@functools.cache
def _font() -> TTFont:
    with as_file(FONT_FILE) as path:
        font = TTFont(FONT, str(path))
    pdfmetrics.registerFont(font)
    return font
