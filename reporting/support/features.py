"""What of a message is looked at: its words and neighbours, pieces of words, and what they stand for.

Pieces of words forgive typos; what words stand for (`concepts.txt`) brings together what was never said alike, in five
languages: "ngicela ukufaka imali", "load cash" and "deposito" are `load`.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reporting.support.corpus import CONCEPTS

LONGEST: Final = 500
"""Characters that are looked at: whoever writes more has said what they want by then."""
PIECES: Final = (2, 3, 4)
WORD: Final = re.compile(r"[^\W_]+")


def normalise(message: str) -> str:
    """Lower-case words with single spaces between them; no accents, marks, emoji, or other numbers than 0 to 9."""
    text = unicodedata.normalize("NFKC", message[: 2 * LONGEST])[:LONGEST].lower()
    text = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text)
        if unicodedata.category(letter) not in {"Mn", "Cf"} and letter not in "'’`"  # noqa: RUF001 - as people type it
    )
    text = re.sub(r"\d{2,}", "0", text)
    text = re.sub(r"(.)\1{2,}", r"\1\1", text)
    return " ".join(WORD.findall(text))


def features(message: str) -> Sequence[frozenset[str]]:
    """Three sets, which count alike: words, pieces of words, concepts."""
    text = normalise(message)
    return frozenset(_words(text)), frozenset(_pieces(text)), frozenset(_concepts(text))


def concepts(text: str) -> list[str]:
    """Of a normalised text, in alphabetical order."""
    return [name for name, pattern in known_concepts().items() if pattern.search(text)]


@functools.cache
def known_concepts() -> Mapping[str, re.Pattern[str]]:
    known = {}
    for line in CONCEPTS.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, _, words = line.partition(":")
            known[name] = re.compile("|".join(_pattern(word) for word in words.split()))
    return dict(sorted(known.items()))


def _pattern(word: str) -> str:
    inner = re.escape(word.replace("_", " ")).replace(r"\*", r"\w*").replace(r"\ ", " ")
    return rf"\b{inner}\b"


def _words(text: str) -> Iterator[str]:
    words = text.split()
    yield from (f"w {word}" for word in words)
    yield from (f"w {one} {other}" for one, other in itertools.pairwise(words))


def _pieces(text: str) -> Iterator[str]:
    for word in text.split():
        padded = f" {word} "
        for length in PIECES:
            yield from (f"p{padded[at : at + length]}" for at in range(len(padded) - length + 1))


def _concepts(text: str) -> Iterator[str]:
    found = concepts(text)
    yield from (f"k {name}" for name in found)
    yield from (f"k {one} {other}" for one, other in itertools.combinations(found, 2))
