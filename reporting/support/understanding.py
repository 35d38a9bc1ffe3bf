"""What a customer means by a message: pure computing, half a millisecond, no database and no network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from reporting.support import classifier
from reporting.support.features import concepts, normalise
from reporting.support.intents import Intent

TOPICS: Final[Mapping[str, re.Pattern[str]]] = {
    "card": re.compile(r"\b(?:cards?|kaart|mastercard|visa|swipe|tap and go)\b"),
    "cheque": re.compile(r"\b(?:cheques?|tjek)\b"),
    "crypto": re.compile(r"\b(?:crypto\w*|bitcoin|btc|eth|ethereum|usdt|coins?)\b"),
    "cash machine": re.compile(r"\b(?:atms?|cash machines?|otm|cardless)\b"),
    "exchange": re.compile(r"\b(?:exchange|convert|forex|dollar rate|foreign currency|wisselkoers|into euros?)\b"),
}
"""What this bank does not offer, and is asked for all the same."""


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


THANKS: Final = _words("thank thanks thanx thnx thx tnx ty dankie enkosi ngiyabonga siyabonga leboha")
WITH_THANKS: Final = _words(
    "you u ok okay sharp shap cool great yes no ja kea ke a ya baie kakhulu very so much lot for your the help helping me my"
    " bra brother sister friend man sana boss sir madam mam bye again all good thats"
)
FIRST: Final = _words("first 1st 1 former top eerste okokuqala eyokuqala pele")
SECOND: Final = _words("second 2nd 2 latter last other bottom tweede okwesibili eyesibili okwesibini eyesibini bobedi")
YES: Final = _words("yes yep yeah yebo ja ewe ee eya both")
NEITHER: Final = _words("neither none no nope nee geen cha hayi tjhe akukho")
AROUND_A_CHOICE: Final = _words(
    "option number nr nommer ya the one its it is of them those these two die een van twee please i mean meant"
)
ENGLISH: Final = "en"
UNSAFE: Final = Intent.LOST_PHONE_OR_FRAUD
PERHAPS_UNSAFE: Final = 0.03
"""From this chance on a customer is asked whether somebody else is at their money."""


@dataclass(frozen=True, kw_only=True)
class Understood:
    intent: Intent
    """The likeliest."""
    confidence: float
    """0 to 1, calibrated: of what is said with 0.8, four in five are right."""
    runner_up: Intent
    """The second likeliest."""
    is_sure: bool
    """Whether to answer at once; else one question is asked, with both meanings."""
    topic: str | None
    """What a message that is out of scope is about, where that is known; `thanks` of one that only thanks."""
    language: str
    """en, zu, xh, af or st: the best guess."""


class Picked(Enum):
    """Which of the two that were asked about."""

    FIRST = "first"
    SECOND = "second"
    NEITHER = "neither"


def picked(message: str) -> Picked | None:
    """Which of two a message that answers a question names; None for one that says something else."""
    words = frozenset(normalise(message).split())
    if not words <= FIRST | SECOND | YES | NEITHER | AROUND_A_CHOICE:
        return None
    if words & FIRST and words & SECOND:
        return None
    named = (
        (FIRST, Picked.FIRST),
        (SECOND, Picked.SECOND),
        (YES, Picked.FIRST),
        (NEITHER, Picked.NEITHER),
        ({"one"}, Picked.FIRST),
    )
    return next((meant for names, meant in named if words & names), None)


def understand(message: str) -> Understood:
    scores = classifier.score(message)
    if scores is None:
        return Understood(
            intent=Intent.OUT_OF_SCOPE,
            confidence=0.0,
            runner_up=Intent.HUMAN,
            is_sure=False,
            topic=None,
            language=ENGLISH,
        )
    text = normalise(message)
    if _only_thanks(text):
        return Understood(
            intent=Intent.GREETING,
            confidence=1.0,
            runner_up=Intent.HUMAN,
            is_sure=True,
            topic="thanks",
            language=scores.language,
        )
    intent, runner_up = list(scores.intents)[:2]
    confidence = scores.confidence
    is_sure = confidence >= classifier.model().sure_from
    if intent is not UNSAFE and _sounds_unsafe(text):
        # Whoever may be losing money is asked about that first: a needless question costs less than an hour.
        intent, runner_up, confidence, is_sure = UNSAFE, intent, scores.intents[UNSAFE], False
    elif intent is not UNSAFE and scores.intents[UNSAFE] >= PERHAPS_UNSAFE:
        runner_up, is_sure = UNSAFE, False
    return Understood(
        intent=intent,
        confidence=confidence,
        runner_up=runner_up,
        is_sure=is_sure,
        topic=_topic(text) if intent is Intent.OUT_OF_SCOPE else None,
        language=scores.language,
    )


def _only_thanks(text: str) -> bool:
    words = frozenset(text.split())
    return bool(words & THANKS) and words <= THANKS | WITH_THANKS


def _sounds_unsafe(text: str) -> bool:
    named = set(concepts(text))
    return bool(named & {"stolen", "fraud", "not_by_me"}) or {"lost", "phone"} <= named


def _topic(text: str) -> str | None:
    return next((topic for topic, pattern in TOPICS.items() if pattern.search(text)), None)
