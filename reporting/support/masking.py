"""Taking out of a text what says whose it is, and putting it back: what leaves the bank for a model is masked.

Each thing becomes a placeholder such as `[AMOUNT_1]`, the same one wherever it stands; what it stands for stays here.
Of what a customer wrote, only words of a closed list are shown. Whatever looks for names instead has exceptions without
an end: names in capitals, in small letters, in other scripts, within brackets, that begin a sentence.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from reporting.support.corpus import learnt
from reporting.support.features import normalise

PLACEHOLDER: Final = re.compile(r"\[[A-Z]+_[0-9]+\]")
SHORTEST: Final = 2  # letters: what is shorter says nothing of anybody
GAP: Final = "[ \u00a0\u202f]"  # plain, no-break and narrow spaces, as they stand between thousands

UUID: Final = re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b", re.IGNORECASE)


def beside_placeholders(pattern: str) -> re.Pattern[str]:
    """`pattern`, or a placeholder that stands already, so that nothing is hidden within one."""
    return re.compile(f"{PLACEHOLDER.pattern}|{pattern}", re.IGNORECASE)


# What is looked for in any text, in this order. A digit that none of the others knows is a number.
PATTERNS: Final = {
    "LINK": beside_placeholders(
        r"(?:https?://|www\.)[^\s\[\]]*\w|(?<!\w)/[\w/{}.-]*\w|\b[\w-]+\.(?:com|net|org|app|io|za)\b[^\s\[\]]*"
    ),
    "ID": beside_placeholders(UUID.pattern),
    "AMOUNT": beside_placeholders(
        rf"\b(?:R|ZAR){GAP}?\d+(?:[ \u00a0\u202f,.]\d{{2,3}}(?!\d))*\w*|"
        rf"\b\d+(?:[.,]\d+)?{GAP}?(?:rands?|bucks?|zar|cents?)\b"
    ),
    "NUMBER": beside_placeholders(rf"\b[\w-]*\d(?:[\w.,:/-]|{GAP}(?=\d))*(?<![.,:/-])|\d"),
}
# What of the facts is a word of our own, of no use to whoever wants to know of whom they tell.
OUR_WORDS: Final = frozenset({"allowance", "currency", "line", "state", "status", "type"})
# Of a message only: words, and whatever else is neither a space nor a common sign.
WORDS: Final = beside_placeholders(r"([^\W_]+(?:['\u2019][^\W_]+)*)|[^ \n.,;:!?()-]")
CAPITALISED: Final = re.compile(r"(?<=[\w,] )[A-Z][a-z]+")
SAID_AT_LEAST: Final = 4
# Of those words that phrases hold: a telephone number may be spelled.
NUMERALS: Final = frozenset(
    """
    zero one two three four five six seven eight nine ten sixteen een twee drie vier vyf ses ezintathu ne nye nngwe hanne
    """.split()  # noqa: SIM905 - words to read
)


class Mask:
    """What stands for what, in the texts of one call.

    `facts` and `names` are hidden wherever they stand; no word of `names` is an ordinary one.
    """

    def __init__(self, *, facts: Iterable[str] = (), names: Sequence[str] = ()) -> None:
        self._placeholders: dict[str, str] = {}
        self._hidden: dict[str, str] = {}  # by placeholder
        self._counts: dict[str, int] = {}
        known = {one: "FACT" for one in facts if len(one) >= SHORTEST}
        known |= {one: "NAME" for one in names if len(one) >= SHORTEST}
        self._kinds = {one.lower(): kind for one, kind in known.items()}
        self._known = _any_of(self._kinds)
        self._words_of_names = {word for one in names for word in normalise(one).split()}

    def hide(self, text: str) -> str:
        """A text of our own, without what is known and without whatever looks like a number or an address."""
        if self._known is not None:
            text = self._replace(self._known, text, lambda found: self._named(self._kinds[found[0].lower()], found[0]))
        for kind, pattern in PATTERNS.items():
            text = self._replace(pattern, text, lambda found, kind=kind: self._named(kind, found[0]))  # type: ignore[misc]
        return text

    def hide_message(self, text: str) -> str:
        """A customer's text: ordinary words in small letters, and placeholders; nothing that he types passes for these."""
        text = self.hide(text.replace("[", "(").replace("]", ")"))
        return self._replace(WORDS, text, lambda found: self._ordinary(found[1]) if found[1] else " ")

    def reveal(self, text: str) -> str:
        """`text` with everything put back.

        :raises KeyError: a placeholder that stands for nothing
        """
        return PLACEHOLDER.sub(lambda found: self._hidden[found[0]], text)

    def _ordinary(self, word: str) -> str:
        plain = normalise(word)
        is_shown = plain in ordinary_words() and plain not in self._words_of_names
        return plain if is_shown else self._named("WORD", word.lower())

    def _named(self, kind: str, found: str) -> str:
        if found not in self._placeholders:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._placeholders[found] = placeholder = f"[{kind}_{self._counts[kind]}]"
            self._hidden[placeholder] = found
        return self._placeholders[found]

    @staticmethod
    def _replace(pattern: re.Pattern[str], text: str, hide: Callable[[re.Match[str]], str]) -> str:
        return pattern.sub(lambda found: found[0] if PLACEHOLDER.fullmatch(found[0]) else hide(found), text)


@functools.cache
def ordinary_words() -> frozenset[str]:
    """Words, in small letters, that several of the phrases hold that the assistant has learnt from, and that are no names.

    What stands capitalised within most of its phrases is a name. Of letters only words are shown: names can be spelled.
    """
    phrases = [phrase.text for phrase in learnt()]
    said = Counter(word for text in phrases for word in set(normalise(text).split()))
    capitalised = Counter(word for text in phrases for word in {normalise(one) for one in CAPITALISED.findall(text)})
    return frozenset(
        word
        for word, times in said.items()
        if times >= SAID_AT_LEAST
        and 2 * capitalised[word] < times
        and (len(word) > 1 or word in {"a", "i"})
        and word not in NUMERALS
    )


def texts_in(data: object, *, without: frozenset[str] = frozenset()) -> Iterable[str]:
    """Every text and number within `data`, however deep, as it is written; not what stands below a key in `without`."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            if key not in without:
                yield from texts_in(value, without=without)
    elif isinstance(data, Iterable):
        for value in data:
            yield from texts_in(value, without=without)
    elif data is not None and not isinstance(data, bool):
        yield str(data)


def _any_of(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Any of `texts` as whole words, the longest first; None when there is none."""
    ordered = sorted(texts, key=len, reverse=True)
    if not ordered:
        return None
    return beside_placeholders(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered))})(?!\w)")
