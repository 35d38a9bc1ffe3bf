"""Tables that spreadsheets open."""

from __future__ import annotations

import re

# What a spreadsheet takes for a formula at the start of a cell (OWASP, CSV Injection), full-width signs included. A
# cell may also start within a text: Excel in South Africa, where the comma is a decimal sign, splits at semicolons.
FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def harmless(text: str) -> str:
    """`text` as no spreadsheet takes it for a formula: an apostrophe before what would begin one."""
    return FORMULA.sub("'", text)
