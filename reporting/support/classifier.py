"""How well a message fits each meaning and each language: a linear model, a few hundred kilobytes of small integers.

Trained by `manage.py train_support`; scoring a message needs nothing but Python, so no web process carries NumPy.
"""

from __future__ import annotations

import base64
import bisect
import functools
import gzip
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reporting.support.corpus import FOLDER
from reporting.support.features import features
from reporting.support.intents import Intent

WEIGHTS: Final = FOLDER / "weights.json.gz"


@dataclass(frozen=True, kw_only=True)
class Model:
    fingerprint: str
    """Of the phrases it was made from."""
    rows: Mapping[str, tuple[float, Sequence[int]]]
    """For each feature how rare it is, and its weights: of every meaning, then of every language."""
    intents: Sequence[Intent]
    languages: Sequence[str]
    biases: Sequence[float]
    scale: float
    sharpness: float
    """By which margins become chances."""
    confidences: tuple[Sequence[float], Sequence[float]]
    """Chances of the likeliest meaning, ascending, and how often it was right at each of them."""
    sure_from: float
    """The confidence from which an answer is given at once."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    intents: Mapping[Intent, float]
    """Chances, likeliest first; they add up to 1."""
    confidence: float
    """How often the likeliest is right at such a chance, 0 to 1: what was measured, by cross-validation."""
    language: str


def score(message: str) -> Scores | None:
    """None if nothing in the message was ever seen before."""
    learnt = model()
    totals = [0.0] * len(learnt.biases)
    is_known = False
    for block in features(message):
        known = [learnt.rows[feature] for feature in block if feature in learnt.rows]
        if not known:
            continue
        is_known = True
        length = math.sqrt(sum(rarity * rarity for rarity, _ in known))
        for rarity, row in known:
            share = rarity / length
            totals = [total + share * weight for total, weight in zip(totals, row, strict=True)]
    if not is_known:
        return None
    margins = [total * learnt.scale + bias for total, bias in zip(totals, learnt.biases, strict=True)]
    of_languages = dict(zip(learnt.languages, margins[len(learnt.intents) :], strict=True))
    chances = _chances(dict(zip(learnt.intents, margins, strict=False)), learnt.sharpness)
    return Scores(
        intents=chances,
        confidence=_between(max(chances.values()), *learnt.confidences),
        language=max(of_languages, key=of_languages.__getitem__),
    )


def _chances(margins: Mapping[Intent, float], sharpness: float) -> Mapping[Intent, float]:
    most = max(margins.values())
    powers = {intent: math.exp(sharpness * (margin - most)) for intent, margin in margins.items()}
    total = sum(powers.values())
    ordered = sorted(powers.items(), key=lambda item: item[1], reverse=True)
    return {intent: power / total for intent, power in ordered}


def _between(chance: float, chances: Sequence[float], shares: Sequence[float]) -> float:
    """Along the line from step to step; beyond the first and the last, as they are."""
    at = bisect.bisect(chances, chance)
    if at in (0, len(chances)):
        return shares[min(at, len(shares) - 1)]
    share = (chance - chances[at - 1]) / (chances[at] - chances[at - 1])
    return shares[at - 1] + share * (shares[at] - shares[at - 1])


@functools.cache
def model() -> Model:
    return read(WEIGHTS)


def read(file: Path) -> Model:
    stored: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    weights = memoryview(base64.b64decode(stored["weights"])).cast("b")
    width = len(stored["biases"])
    rows = {
        feature: (rarity, weights[at * width : (at + 1) * width])
        for at, (feature, rarity) in enumerate(stored["features"].items())
    }
    return Model(
        fingerprint=stored["fingerprint"],
        rows=rows,
        intents=[Intent(name) for name in stored["intents"]],
        languages=stored["languages"],
        biases=stored["biases"],
        scale=stored["scale"],
        sharpness=stored["sharpness"],
        confidences=tuple(stored["confidences"]),
        sure_from=stored["sure_from"],
    )
