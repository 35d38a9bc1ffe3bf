"""The books as files: CSV a piece at a time, XLSX by way of a file on disk. Neither ever holds more than a few rows."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import xlsxwriter

from mymoolah.common.csv_files import harmless
from transactions.statement_files.as_csv import BROKEN_OFF, BYTE_ORDER_MARK

Cell = str | Decimal | int | None
Lines = Iterable[Sequence[Cell]]
PIECE_BYTES: Final = 64 * 1024
# A spreadsheet keeps fifteen digits of a number; more are shown as text, to the cent.
LARGEST_NUMBER: Final = Decimal("9999999999999.99")


def as_csv(header: Sequence[str], lines: Lines) -> Iterator[bytes]:
    """UTF-8 for spreadsheets (RFC 4180), in which no text is a formula."""
    try:
        piece = BYTE_ORDER_MARK + _line(header)
        for line in lines:
            piece += _line([_plain(cell) for cell in line])
            if len(piece) >= PIECE_BYTES:
                yield piece.encode()
                piece = ""
        yield piece.encode()
    except Exception:
        # Not every web server breaks the connection when what it sends ends in an error (Granian does not).
        yield _line([BROKEN_OFF]).encode()
        raise


def as_xlsx(title: str, header: Sequence[str], lines: Lines) -> Iterator[bytes]:
    """A workbook of one sheet: text stays text, whatever it begins with, and money is a number of two decimals.

    Rows go to disk as they come (`constant_memory`); the file is whole before its first piece is sent.
    """
    with tempfile.TemporaryFile() as file, tempfile.TemporaryDirectory() as folder:
        options = {
            "constant_memory": True,
            "tmpdir": folder,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(file, options) as book:
            bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
            sheet = book.add_worksheet(title)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(header) - 1, 20)
            sheet.write_row(0, 0, header, bold)
            for number, line in enumerate(lines, start=1):
                for column, cell in enumerate(line):
                    if isinstance(cell, Decimal) and abs(cell) <= LARGEST_NUMBER:
                        sheet.write_number(number, column, float(cell), money)
                    elif isinstance(cell, int):
                        sheet.write_number(number, column, cell)
                    elif cell is not None:
                        sheet.write_string(number, column, str(cell))
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece


def _plain(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return f"{cell:.2f}"
    return "" if cell is None else harmless(str(cell))


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()
