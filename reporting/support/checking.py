"""Whether what a model made of an answer may be sent: only if nothing but the tone has changed.

Numbers, names and links stand as placeholders in both texts, so a model cannot write one of its own unnoticed. Of what it
wrote, sentences of nothing but kindness are laid aside, and so are, on both sides, small words between the others. What
remains must be the same words and placeholders in the same order: then nothing was added, left out, exchanged, denied or
promised, whatever the customer or the model had in mind.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from decimal import Decimal
from typing import Final

from reporting.support.masking import GAP, PLACEHOLDER, UUID, texts_in

LONGER_BY: Final = 300  # letters that kindness may take
# Words that change no fact wherever they stand: none that denies, promises, or says when, who, whose, to whom or from whom.
SMALL: Final = frozenset(["a", "an", "and", "also", "are", "is", "it", "just", "please", "so", "that", "the", "this"])
# A sentence of these words alone says nothing of money, nor that all is well.
KIND: Final = SMALL | frozenset(
    """
    about afternoon am apologies appreciate asking be can contacting day dear evening feel feeling for found frustrating
    glad happy hello help helping here hi how i i'm in inconvenience it's know let look looking me message morning much my
    need of our out patience question questions reaching sorry stress stressful thank thanks that's to troubling
    understand understandable us very we we're welcome what with worried worry worrying writing you your you're
    """.split()  # noqa: SIM905 - words to read, not to count quotation marks by
)
# What is kind in another language has to be said by somebody who speaks it.
LANGUAGES: Final = frozenset({"en"})

_TOKEN: Final = re.compile(rf"{PLACEHOLDER.pattern}|[^\W_]+(?:['-][^\W_]+)*|\S")
_PUNCTUATION: Final = frozenset(".,;:!\"'()-")  # a question mark is none: it makes a doubt of a fact
_ALIKE: Final = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"}
)
_SENTENCE_ENDS: Final = re.compile(r"(?<=[.!?])\s+|\n+")
_FIGURE: Final = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS: Final = re.compile(rf"(?<=\d){GAP}(?=\d{{3}}(?!\d))")


class Refused(Exception):
    """What a model wrote is not used; `reason` is a word of our own, for the metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_rephrasing(answer: str, *, template: str) -> None:
    """Compare what a model wrote with the template that it was given, both masked.

    :raises Refused: `length`, `characters`, `figures` or `words` of its own, other `facts`, or another `order` of them
    """
    if not answer.strip() or len(answer) > len(template) + LONGER_BY:
        raise Refused("length")
    if any(unicodedata.category(one).startswith("C") and one != "\n" for one in answer):
        raise Refused("characters")
    ours = _content(_tokens(template))
    sentences = [_tokens(sentence) for sentence in _SENTENCE_ENDS.split(answer)]
    theirs = [token for tokens in sentences if not _is_kind(tokens) for token in _content(tokens)]
    added = set(theirs) - set(ours)
    if any(any(map(str.isnumeric, token)) and not PLACEHOLDER.fullmatch(token) for token in added):
        raise Refused("figures")
    if any(not PLACEHOLDER.fullmatch(token) for token in added):
        raise Refused("words")
    if Counter(theirs) != Counter(ours):
        raise Refused("facts")
    if theirs != ours:
        raise Refused("order")


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


def _tokens(text: str) -> list[str]:
    """Words in small letters, placeholders as they are, and each sign."""
    found = _TOKEN.findall(text.translate(_ALIKE))
    return [token if PLACEHOLDER.fullmatch(token) else token.lower() for token in found]


def _content(tokens: list[str]) -> list[str]:
    return [token for token in tokens if token not in SMALL and token not in _PUNCTUATION]


def _is_kind(tokens: list[str]) -> bool:
    return KIND.issuperset(set(tokens) - _PUNCTUATION - {"?"})
