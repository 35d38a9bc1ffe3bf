"""Learning the weights of `classifier.py` from the phrases. Needs scikit-learn, which production does without.

Two linear support vector machines over the same features, one for meanings and one for languages. How sharp margins
must be to be chances, how often the likeliest is right at each chance (isotonic regression), and from which confidence on
an answer is given at once, is found by cross-validation on the phrases that are learnt from; those that are held back
have no part in anything.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from reporting.support.classifier import WEIGHTS
from reporting.support.corpus import fingerprint, learnt
from reporting.support.features import features
from reporting.support.intents import Intent

SEEN_AT_LEAST: Final = 2
SOFTNESS: Final = 0.3
FOLDS: Final = 5
UNSAFE_COUNTS: Final = {Intent.LOST_PHONE_OR_FRAUD.value: 2.0}
"""Not to notice a thief is worse than to ask once too often."""
MESSAGES_A_STEP: Final = 100
"""By so many at a time it is counted how often the likeliest meaning was right."""
RIGHT_AT_ONCE: Final = 0.93
"""Of the answers given at once this many are to be right; all others are asked about."""

Message = Sequence[frozenset[str]]


def train() -> str:
    """Write the weights, and return the fingerprint of what they were learnt from."""
    phrases = learnt()
    messages = [features(phrase.text) for phrase in phrases]
    intents = np.array([phrase.intent.value for phrase in phrases])
    languages = np.array([phrase.language for phrase in phrases])

    rarity = _rarity(messages)
    matrix = _matrix(messages, rarity)
    by_intent = LinearSVC(C=SOFTNESS, class_weight=UNSAFE_COUNTS).fit(matrix, intents)
    by_language = LinearSVC(C=SOFTNESS).fit(matrix, languages)
    sharpness, confidences, sure_from = _calibrate(messages, intents)

    weights = np.vstack([by_intent.coef_, by_language.coef_])
    scale = float(np.abs(weights).max()) / 127
    stored = {
        "fingerprint": fingerprint(),
        "intents": by_intent.classes_.tolist(),
        "languages": by_language.classes_.tolist(),
        "biases": [round(float(bias), 5) for bias in (*by_intent.intercept_, *by_language.intercept_)],
        "scale": scale,
        "sharpness": round(sharpness, 3),
        "confidences": np.round(confidences, 4).tolist(),
        "sure_from": round(sure_from, 4),
        "features": {feature: round(rare, 3) for feature, rare in rarity.items()},
        "weights": base64.b64encode(np.rint(weights.T / scale).astype(np.int8).tobytes()).decode(),
    }
    WEIGHTS.write_bytes(gzip.compress(json.dumps(stored, ensure_ascii=False).encode(), mtime=0))
    return str(stored["fingerprint"])


def _rarity(messages: Sequence[Message]) -> Mapping[str, float]:
    seen = Counter(feature for message in messages for block in message for feature in block)
    return {
        feature: math.log((1 + len(messages)) / (1 + times)) + 1
        for feature, times in sorted(seen.items())
        if times >= SEEN_AT_LEAST
    }


def _matrix(messages: Sequence[Message], rarity: Mapping[str, float]) -> Any:
    places = {feature: at for at, feature in enumerate(rarity)}
    values: list[float] = []
    columns: list[int] = []
    ends = [0]
    for message in messages:
        for block in message:
            known = sorted(block & places.keys())
            length = math.sqrt(sum(rarity[feature] ** 2 for feature in known))
            values += [rarity[feature] / length for feature in known]
            columns += [places[feature] for feature in known]
        ends.append(len(columns))
    return csr_matrix((values, columns, ends), shape=(len(messages), len(places)))


def _calibrate(messages: Sequence[Message], intents: Any) -> tuple[float, Any, float]:
    """How sharp, how often right at which chance, and sure from where, by phrases that each fold has not seen."""
    margins = np.zeros((len(messages), len(Intent)))
    classes = np.array(sorted(intent.value for intent in Intent))
    for known, new in StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(intents, intents):
        rarity = _rarity([messages[at] for at in known])
        model = LinearSVC(C=SOFTNESS, class_weight=UNSAFE_COUNTS).fit(
            _matrix([messages[at] for at in known], rarity), intents[known]
        )
        margins[new] = model.decision_function(_matrix([messages[at] for at in new], rarity))
    truth = np.searchsorted(classes, intents)
    sharpness = min(np.arange(1, 12, 0.05), key=lambda sharp: _loss(margins, truth, sharp))
    chances = _chances(margins, sharpness)
    likeliest, is_right = chances.max(axis=1), chances.argmax(axis=1) == truth
    confidences = _confidences(likeliest, is_right)
    confidence = np.interp(likeliest, *confidences)
    order = np.argsort(-confidence, kind="stable")
    shares = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(shares >= RIGHT_AT_ONCE)
    return float(sharpness), confidences, float(confidence[order][good[-1]])


def _confidences(likeliest: Any, is_right: Any) -> Any:
    """The mean chance of each hundred messages, and which share of them was right: one of more chance never less."""
    hundreds = np.array_split(np.argsort(likeliest), max(len(likeliest) // MESSAGES_A_STEP, 1))
    chances = np.array([likeliest[some].mean() for some in hundreds])
    shares = np.array([is_right[some].mean() for some in hundreds])
    return chances, IsotonicRegression().fit_transform(chances, shares)


def _chances(margins: Any, sharpness: float) -> Any:
    powers = np.exp(sharpness * (margins - margins.max(axis=1, keepdims=True)))
    return powers / powers.sum(axis=1, keepdims=True)


def _loss(margins: Any, truth: Any, sharpness: float) -> float:
    return float(-np.log(_chances(margins, sharpness)[np.arange(len(truth)), truth]).mean())
