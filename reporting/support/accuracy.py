"""How often the assistant understands, by phrases that it has not learnt from."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reporting.support.corpus import Phrase
from reporting.support.intents import Intent
from reporting.support.understanding import Understood, understand

CONFIDENCES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, kw_only=True)
class Answer:
    phrase: Phrase
    understood: Understood
    milliseconds: float

    @property
    def is_right(self) -> bool:
        return self.understood.intent is self.phrase.intent

    @property
    def is_one_of_two(self) -> bool:
        return self.phrase.intent in {self.understood.intent, self.understood.runner_up}

    @property
    def is_helped(self) -> bool:
        """Whether what was meant is answered, or among the two that are asked about."""
        return self.is_right if self.understood.is_sure else self.is_one_of_two


def answers(phrases: Iterable[Phrase]) -> Sequence[Answer]:
    understand("hello")  # reads the weights
    return [_answer(phrase) for phrase in phrases]


def summary(given: Sequence[Answer]) -> Mapping[str, Any]:
    """Shares are 0 to 1, and None where there is nothing to share."""
    sure = [answer for answer in given if answer.understood.is_sure]
    asked = [answer for answer in given if not answer.understood.is_sure]
    times = sorted(answer.milliseconds for answer in given)
    return {
        "questions": len(given),
        "accuracy": _share(answer.is_right for answer in given),
        "answered_at_once": _share(answer.understood.is_sure for answer in given),
        "right_at_once": _share(answer.is_right for answer in sure),
        "right_meaning_among_the_two_asked": _share(answer.is_one_of_two for answer in asked),
        "right_at_once_or_among_the_two_asked": _share(answer.is_helped for answer in given),
        "milliseconds_p50": round(times[len(times) // 2], 2),
        "milliseconds_p99": round(times[len(times) * 99 // 100], 2),
        "languages": {
            language: _share(answer.is_right for answer in given if answer.phrase.language == language)
            for language in sorted({answer.phrase.language for answer in given} - {""})
        },
        "language_guessed": _share(a.understood.language == a.phrase.language for a in given if a.phrase.language),
        "calibration": _calibration(given),
        "intents": {intent.value: _of(intent, given) for intent in Intent},
        "confusions": [
            {"said": said, "understood": understood, "times": times}
            for (said, understood), times in confusions(given).most_common()
        ],
    }


def confusions(given: Sequence[Answer]) -> Counter[tuple[str, str]]:
    return Counter(
        (answer.phrase.intent.value, answer.understood.intent.value) for answer in given if not answer.is_right
    )


def _answer(phrase: Phrase) -> Answer:
    started = time.perf_counter()
    understood = understand(phrase.text)
    return Answer(phrase=phrase, understood=understood, milliseconds=(time.perf_counter() - started) * 1000)


def _of(intent: Intent, given: Sequence[Answer]) -> Mapping[str, Any]:
    return {
        "questions": sum(answer.phrase.intent is intent for answer in given),
        "precision": _share(answer.is_right for answer in given if answer.understood.intent is intent),
        "recall": _share(answer.is_right for answer in given if answer.phrase.intent is intent),
        "recall_with_the_question": _share(answer.is_helped for answer in given if answer.phrase.intent is intent),
    }


def _calibration(given: Sequence[Answer]) -> Sequence[Mapping[str, Any]]:
    """What was said with about this confidence, and how much of it was right."""
    found = []
    for low, high in zip(CONFIDENCES, (*CONFIDENCES[1:], 1.01), strict=True):
        some = [answer for answer in given if low <= answer.understood.confidence < high]
        said = sum(answer.understood.confidence for answer in some) / len(some) if some else None
        found.append(
            {
                "from": low,
                "questions": len(some),
                "said": None if said is None else round(said, 3),
                "right": _share(answer.is_right for answer in some),
            }
        )
    return found


def _share(truths: Iterable[bool]) -> float | None:
    found = list(truths)
    return round(sum(found) / len(found), 3) if found else None
