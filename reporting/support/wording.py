"""From facts to words: a template of the customer's language, filled with what the database said, and nothing else.

A template holds no figure of its own (a test reads them all): whatever number a customer is told stands in the facts.
This is the one place where amounts get their look.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from reporting.support.facts import Facts
from reporting.support.intents import Intent
from reporting.support.models import LANGUAGES

FOLDER: Final = Path(__file__).parent / "answers"
ENGLISH: Final = "en"
THIN_SPACE: Final = "\N{NO-BREAK SPACE}"  # so that an amount stays on one line

Words = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The list of the facts that is told line by line, and the column that chooses how each is told."""

    name: str
    line_by: str = ""
    as_of: Intent | None = None
    """Whose words the lines are told in, where they are not this intent's."""


ENTRIES: Final = Rows(name="entries", line_by="line", as_of=Intent.TRANSACTIONS)
VOUCHERS: Final = Rows(name="vouchers", line_by="line")
# What of the facts is told line by line.
ROWS: Final[Mapping[Intent, Sequence[Rows]]] = {
    Intent.BALANCE: (Rows(name="wallets", line_by="line"),),
    Intent.TRANSACTIONS: (ENTRIES,),
    Intent.MONEY_IN: (ENTRIES, Rows(name="totals")),
    Intent.MONEY_OUT: (ENTRIES, Rows(name="totals")),
    Intent.TRANSFER_STATUS: (Rows(name="transfers", line_by="line"),),
    Intent.TRANSFER_FAILED_OR_DECLINED: (
        Rows(name="transfers", line_by="line", as_of=Intent.WRONG_RECIPIENT),
        Rows(name="wallets", line_by="allowance"),
    ),
    Intent.WRONG_RECIPIENT: (Rows(name="transfers", line_by="line"),),
    Intent.DUPLICATE_CHARGE: (Rows(name="pairs"),),
    Intent.TOPUP_HOW: (Rows(name="frozen"), Rows(name="fees")),
    Intent.TOPUP_PENDING: (Rows(name="set_aside"), VOUCHERS),
    Intent.TOPUP_FAILED: (Rows(name="set_aside"), VOUCHERS),
    Intent.VOUCHER_LIST: (VOUCHERS, Rows(name="totals")),
    Intent.VOUCHER_HOW: (Rows(name="fees", line_by="kind"),),
    Intent.VOUCHER_PROBLEM: (Rows(name="set_aside"), VOUCHERS),
    Intent.CASHOUT: (Rows(name="not_allowed"), Rows(name="frozen"), Rows(name="fees"), VOUCHERS),
    Intent.FEES: (Rows(name="fees", line_by="kind"),),
    Intent.LIMITS: (Rows(name="wallets", line_by="allowance"), Rows(name="grows")),
    Intent.KYC_HOW: (Rows(name="higher"),),
    Intent.LOST_PHONE_OR_FRAUD: (VOUCHERS,),
    Intent.REFUND: (Rows(name="set_aside"), Rows(name="refunds", line_by="kind")),
    Intent.CLOSE_ACCOUNT: (Rows(name="wallets"), Rows(name="left", line_by="what")),
    Intent.RECEIVE_MONEY: (Rows(name="wallets", line_by="status"),),
    Intent.SUPPORTED_COUNTRIES_AND_CURRENCIES: (Rows(name="wallets"),),
    Intent.HUMAN: (Rows(name="tickets", line_by="status"),),
}


class Figures(string.Formatter):
    """Fills `{available:money}` in: `R1 234.50`, and of other currencies `1 234.50 USD`. Text is a format, nothing else."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        return self.values[field_name], field_name  # no attributes, no indexes: a name of the facts, or an error

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "money":
            return money(str(value), str(self.values.get("currency", "ZAR")))
        assert not format_spec, format_spec
        return str(value)


def money(amount: str, currency: str) -> str:
    """`1234.50` as people write it here: R1 234.50."""
    whole, _, cents = amount.partition(".")
    sign, digits = ("\N{MINUS SIGN}", whole[1:]) if whole.startswith("-") else ("", whole)
    grouped = f"{int(digits):,}".replace(",", THIN_SPACE)
    written = f"{grouped}.{cents}"
    return f"{sign}R{written}" if currency == "ZAR" else f"{sign}{written}{THIN_SPACE}{currency}"


@cache
def words_of(language: str) -> Words:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text())


def spoken(intent: Intent, language: str) -> str:
    """The language that this is answered in: the one asked in, where it has been translated; else English."""
    return language if language in LANGUAGES and intent.value in words_of(language) else ENGLISH


def answer(intent: Intent, facts: Facts, *, language: str) -> str:
    """What is said about `facts`: how things stand, line by line, and what to do next."""
    words = words_of(language)[intent.value]
    state = facts["state"]
    said = [_filled(words[state if state in words else "otherwise"], facts)]
    for rows in ROWS.get(intent, ()):
        lines = words_of(language)[rows.as_of.value] if rows.as_of else words
        said += [_line(lines, rows, row) for row in facts.get(rows.name, ())]
    said += [_filled(words[name], facts) for name in (f"next_{state}", "next") if name in words][:1]
    return "\n".join(text for text in said if text)


def _line(words: Words, rows: Rows, row: Mapping[str, Any]) -> str:
    """One row in words; nothing where such rows are not told."""
    own = f"{rows.name}_{row[rows.line_by]}" if rows.line_by else rows.name
    template = words.get(own, words.get(rows.name))
    return _filled(template, row) if template else ""


def _filled(template: str, values: Mapping[str, Any]) -> str:
    return Figures(values).vformat(template, (), {})


def label(intent: Intent, *, language: str) -> str:
    """What an intent is called where somebody is asked which of two he means."""
    names = words_of(language).get("labels", {})
    found: str = names.get(intent.value) or words_of(ENGLISH)["labels"][intent.value]
    return found


def phrase(name: str, *, language: str, **values: str) -> str:
    """One of the sentences that belong to no intent."""
    phrases = words_of(language).get("phrases", {})
    return _filled(phrases.get(name) or words_of(ENGLISH)["phrases"][name], values)


def link_title(name: str, *, language: str, values: Mapping[str, Any]) -> str:
    titles = words_of(language).get("links", {})
    return _filled(titles.get(name) or words_of(ENGLISH)["links"][name], values)
