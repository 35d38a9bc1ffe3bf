"""How well a message fits each meaning and each language: a linear model, a few hundred kilobytes of small integers.

Trained by `manage.py train_support`; scoring a message needs nothing but Python, so no web process carries NumPy.
"""

from __future__ import annotations

import base64
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
    """By which margins become probabilities, found by cross-validation."""
    sure_from: float
    """The probability from which an answer is given at once."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    intents: Mapping[Intent, float]
    """Probabilities, likeliest first; they add up to 1."""
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
    return Scores(
        intents=_probabilities(dict(zip(learnt.intents, margins, strict=False)), learnt.sharpness),
        language=max(of_languages, key=of_languages.__getitem__),
    )


def _probabilities(margins: Mapping[Intent, float], sharpness: float) -> Mapping[Intent, float]:
    most = max(margins.values())
    powers = {intent: math.exp(sharpness * (margin - most)) for intent, margin in margins.items()}
    total = sum(powers.values())
    ordered = sorted(powers.items(), key=lambda item: item[1], reverse=True)
    return {intent: power / total for intent, power in ordered}


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
        sure_from=stored["sure_from"],
    )
