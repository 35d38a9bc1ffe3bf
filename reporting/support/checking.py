"""Whether what a model made of an answer may be sent: only if nothing but the tone has changed.

What it wrote is the template that it was given, letter by letter, and beside the template's sentences a few of ours that
are kind and say nothing. So nothing is added, left out, exchanged, denied or promised, whatever the customer or the model
had in mind.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from reporting.support.masking import GAP, UUID, texts_in

MOST_KIND: Final = 3  # sentences that may be added
# True of every answer and of every customer: none tells a fact, denies, promises, accuses, asks, or says that all is well.
KIND: Final = (
    "Hello.",
    "Thank you.",
    "Thank you for asking.",
    "Thank you for your message.",
    "Thank you for your question.",
    "Thank you for your patience.",
    "You are welcome.",
    "I am sorry.",
    "I am sorry to hear that.",
    "I am sorry about the trouble.",
    "I understand.",
    "I understand that this is frustrating.",
    "I understand that this is stressful.",
    "I understand that this is worrying.",
    "I understand that you are worried.",
    "I am here to help.",
    "I am glad to help.",
    "Please ask if anything is unclear.",
    "Please ask if you need anything else.",
)
# What is kind in another language has to be said by somebody who speaks it.
LANGUAGES: Final = frozenset({"en"})

_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?]) ")
_FIGURE: Final = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS: Final = re.compile(rf"(?<=\d){GAP}(?=\d{{3}}(?!\d))")


class Refused(Exception):
    """What a model wrote is not used; `reason` is a word of our own, for the metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_rephrasing(answer: str, *, template: str) -> None:
    """Compare what a model wrote with the template that it was given, both masked.

    :raises Refused: `words` that are not the template's, in its order and lines, or `length`: too much kindness, or space
    """
    if _without_kindness(answer) != _without_kindness(template):
        raise Refused("words")
    if sum(one in KIND for line in answer.split("\n") for one in _sentences(line)) > MOST_KIND or "\n\n\n" in answer:
        raise Refused("length")


def check_figures(text: str, *, data: object) -> None:
    """:raises Refused: `figures`: one of `text` does not stand in `data`"""
    given: set[Decimal | str] = set()
    given.update(*(figures_in(one) for one in texts_in(data)))
    if not figures_in(text) <= given:
        raise Refused("figures")


def figures_in(text: str) -> set[Decimal | str]:
    """Every number in `text`: `R1 234.50` holds 1234.5, and 2026-11-30 holds 2026, 11 and 30; an id is one as a whole."""
    ids = {one.lower() for one in UUID.findall(text)}
    return ids | {Decimal(figure) for figure in _FIGURE.findall(_THOUSANDS.sub("", UUID.sub(" ", text)))}


def _without_kindness(text: str) -> list[str]:
    """Its lines, of which those that say nothing else are left out."""
    lines = (" ".join(one for one in _sentences(line) if one not in KIND) for line in text.split("\n"))
    return [line for line in lines if line]


def _sentences(line: str) -> list[str]:
    return _SENTENCE_ENDS.split(line)
