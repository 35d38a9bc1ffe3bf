"""A statement as one JSON object, written entry by entry: its brace closes once everything is there."""

from __future__ import annotations

import json
from collections.abc import Iterator

from transactions.selectors import _entry as entry_body
from transactions.statements import Statement, pages


def json_chunks(statement: Statement) -> Iterator[bytes]:
    """UTF-8, a page of entries a chunk."""
    head = {
        "wallet": statement.number,
        "name": statement.holder_name,
        "currency": statement.currency,
        "from": statement.from_day.isoformat(),
        "to": statement.to_day.isoformat(),
        "opening_balance": f"{statement.opening_balance:.2f}",
        "closing_balance": f"{statement.closing_balance:.2f}",
        "total_in": f"{statement.total_in:.2f}",
        "total_out": f"{statement.total_out:.2f}",
        "entry_count": statement.entry_count,
    }
    yield (_text(head).removesuffix("}") + ',"entries":[').encode()
    comma = ""
    for page in pages(statement):
        yield (comma + ",".join(_text(entry_body(row)) for row in page)).encode()
        comma = ","
    yield b"]}"


def _text(body: dict[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
