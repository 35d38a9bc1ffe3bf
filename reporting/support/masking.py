"""Taking out of a text what says whose it is, and putting it back: what leaves the bank for a model is masked.

Each thing becomes a placeholder such as `[AMOUNT_1]`, the same one wherever it stands; what it stands for stays here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

PLACEHOLDER: Final = re.compile(r"\[[A-Z]+_[0-9]+\]")
SHORTEST: Final = 2  # letters: what is shorter says nothing of anybody
GAP: Final = "[ \u00a0\u202f]"  # plain, no-break and narrow spaces, as they stand between thousands

UUID: Final = re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b", re.IGNORECASE)


def beside_placeholders(pattern: str) -> re.Pattern[str]:
    """`pattern`, or a placeholder that stands already, so that nothing is hidden within one."""
    return re.compile(f"{PLACEHOLDER.pattern}|{pattern}", re.IGNORECASE)


# What is looked for in any text, in this order. A digit that none of the others knows is a number.
PATTERNS: Final = {
    "EMAIL": beside_placeholders(r"[^\s@<>()\[\],;:]+@[^\s@<>()\[\],;:]+\w"),
    "LINK": beside_placeholders(
        r"(?:https?://|www\.)[^\s\[\]]*\w|(?<!\w)/[\w/{}.-]*\w|\b[\w-]+\.(?:com|net|org|app|io|za)\b[^\s\[\]]*"
    ),
    "ID": beside_placeholders(UUID.pattern),
    "PHONE": beside_placeholders(rf"(?<!\w)(?:\+{GAP}?|00)?(?:27|0){GAP}?[1-8]\d(?:{GAP}?-?\d){{7}}(?!\d)"),
    "AMOUNT": beside_placeholders(
        rf"\b(?:R|ZAR){GAP}?\d+(?:[ \u00a0\u202f,.]\d{{2,3}}(?!\d))*\w*|"
        rf"\b\d+(?:[.,]\d+)?{GAP}?(?:rands?|bucks?|zar|cents?)\b"
    ),
    "NUMBER": beside_placeholders(rf"\b[\w-]*\d(?:[\w.,:/-]|{GAP}(?=\d))*(?<![.,:/-])|\d"),
}
# What of the facts is a word of our own, of no use to whoever wants to know of whom they tell.
OUR_WORDS: Final = frozenset({"allowance", "currency", "line", "state", "status", "type"})
# Of a message only: a name that nobody knows, as it is introduced, or written with a capital letter within a sentence.
INTRODUCED: Final = beside_placeholders(
    r"(\b(?:my name is|my name's|i am called|this is|it's|igama lami ngu|my naam is|ke nna)\s+)([^\W\d_]+)"
)
CAPITALISED: Final = re.compile(
    rf"{PLACEHOLDER.pattern}|((?<=[^.!?\s])\s+)([A-Z][a-z'\u2019-]+(?:\s+[A-Z][a-z'\u2019-]+)*)", re.ASCII
)


class Mask:
    """What stands for what, in the texts of one call.

    `facts` and `names` are hidden wherever they stand; in what a customer wrote each of their words is, too.
    """

    def __init__(self, *, facts: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        self._placeholders: dict[str, str] = {}
        self._hidden: dict[str, str] = {}  # by placeholder
        self._counts: dict[str, int] = {}
        known = {one: "FACT" for one in facts if len(one) >= SHORTEST}
        known |= {one: "NAME" for one in names if len(one) >= SHORTEST}
        self._kinds = {one.lower(): kind for one, kind in known.items()}
        self._known = _any_of(self._kinds)
        words = {word.lower() for one in self._kinds for word in re.findall(r"[^\W\d_]+", one)}
        self._words = _any_of(word for word in words if len(word) >= SHORTEST)

    def hide(self, text: str) -> str:
        """A text of our own, without what is known and without whatever looks like a number or an address."""
        if self._known is not None:
            text = self._replace(self._known, text, lambda found: self._named(self._kinds[found[0].lower()], found[0]))
        for kind, pattern in PATTERNS.items():
            text = self._replace(pattern, text, lambda found, kind=kind: self._named(kind, found[0]))  # type: ignore[misc]
        return text

    def hide_message(self, text: str, *, ordinary: frozenset[str] = frozenset()) -> str:
        """A customer's text, without names either, known or not; nothing that he types passes for a placeholder.

        `ordinary` words, in small letters, are nobody's name.
        """
        text = self.hide(text.replace("[", "(").replace("]", ")"))

        def hide_name(found: re.Match[str], *, before: str, name: str) -> str:
            return found[0] if ordinary.issuperset(name.lower().split()) else before + self._named("NAME", name)

        if self._words is not None:
            text = self._replace(self._words, text, lambda found: hide_name(found, before="", name=found[0]))
        for pattern in (INTRODUCED, CAPITALISED):
            text = self._replace(pattern, text, lambda found: hide_name(found, before=found[1], name=found[2]))
        return text

    def reveal(self, text: str) -> str:
        """`text` with everything put back.

        :raises KeyError: a placeholder that stands for nothing
        """
        return PLACEHOLDER.sub(lambda found: self._hidden[found[0]], text)

    def _named(self, kind: str, found: str) -> str:
        if found not in self._placeholders:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._placeholders[found] = placeholder = f"[{kind}_{self._counts[kind]}]"
            self._hidden[placeholder] = found
        return self._placeholders[found]

    @staticmethod
    def _replace(pattern: re.Pattern[str], text: str, hide: Callable[[re.Match[str]], str]) -> str:
        return pattern.sub(lambda found: found[0] if PLACEHOLDER.fullmatch(found[0]) else hide(found), text)


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
