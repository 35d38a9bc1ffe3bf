"""The phrases that the assistant has learnt from, and every fifth of each file, which it has not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reporting.support.intents import Intent

FOLDER: Final = Path(__file__).parent
PHRASES: Final = FOLDER / "phrases"
CONCEPTS: Final = FOLDER / "concepts.txt"
HELD_BACK_EVERY: Final = 5
INTENTS: Final = frozenset(intent.value for intent in Intent)


@dataclass(frozen=True, kw_only=True)
class Phrase:
    text: str
    intent: Intent
    language: str
    is_held_back: bool


def phrases() -> Iterator[Phrase]:
    """As `phrases/<language>/<intent>.txt` has them, one a line."""
    for file in sorted(PHRASES.glob("*/*.txt")):
        for number, text in enumerate(_lines(file), start=1):
            yield Phrase(
                text=text,
                intent=Intent(file.stem),
                language=file.parent.name,
                is_held_back=number % HELD_BACK_EVERY == 0,
            )


def learnt() -> Sequence[Phrase]:
    return [phrase for phrase in phrases() if not phrase.is_held_back]


def held_back() -> Sequence[Phrase]:
    return [phrase for phrase in phrases() if phrase.is_held_back]


def questions(folder: Path) -> Iterable[Phrase]:
    """Of a folder with `<intent>.txt` files; a file that is not named for a meaning is left out."""
    for file in sorted(folder.glob("*.txt")):
        if file.stem in INTENTS:
            for text in _lines(file):
                yield Phrase(text=text, intent=Intent(file.stem), language="", is_held_back=True)


def fingerprint() -> str:
    """Of all that training reads: weights with another one were made from other phrases."""
    digest = hashlib.sha256(CONCEPTS.read_bytes())
    for phrase in phrases():
        digest.update(f"{phrase.language} {phrase.intent} {phrase.text}\n".encode())
    return digest.hexdigest()


def _lines(file: Path) -> list[str]:
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]
