"""The assistant: what a message means, what the database says of that, and the words for it. It moves nothing.

Two queries, the facts of one intent and the best article, beside the row that keeps both texts, encrypted. A ticket is
opened where a person has to look.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from reporting.support import articles
from reporting.support.facts import READINGS, Facts, facts_for
from reporting.support.intents import Intent
from reporting.support.links import HUMAN, links_for, ways_to_protect
from reporting.support.references import references_in
from reporting.support.understanding import Understood, understand
from reporting.support.wording import answer, label, phrase, spoken

READ_APART: Final = frozenset(
    {
        Intent.BALANCE,
        Intent.TRANSACTIONS,
        Intent.MONEY_IN,
        Intent.MONEY_OUT,
        Intent.TRANSFER_STATUS,
        Intent.VOUCHER_LIST,
        Intent.LOST_PHONE_OR_FRAUD,
        Intent.WRONG_RECIPIENT,
        Intent.DUPLICATE_CHARGE,
    }
)
"""Whose answers are figures, or urgent: the article is a link there, and quoted everywhere else."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is said to one question. `clarify` holds the two meanings where it asks which one is meant."""

    intent: Intent
    confidence: float
    runner_up: Intent | None
    language: str
    text: str
    facts: Facts
    links: list[dict[str, Any]]
    clarify: list[dict[str, str]] | None
    article_id: int | None = None


class NotForThisDesk(Exception):
    """Somebody of the staff asked for what his role may not see of a customer."""

    def __init__(self, intent: Intent) -> None:
        super().__init__(intent)
        self.intent = intent


def answer_to(
    message: str,
    *,
    user_public_id: uuid.UUID,
    chosen: Intent | None,
    language: str | None = None,
    now: dt.datetime,
    may: Callable[[str], bool] = lambda _: True,
) -> Answer:
    """What to say to this customer; `chosen` is what he has said that he means, in a `language` if it is known. Reads only.

    `may` says which of the staff's permissions whoever asks has; a customer has all over what is his.

    :raises UnknownCustomer: nobody has this id
    :raises NotForThisDesk: `may` refuses what the answer would show
    """
    understood = understand(message)
    if chosen is not None:
        understood = Understood(
            intent=chosen,
            confidence=1.0,
            runner_up=understood.intent,
            is_sure=True,
            topic=understood.topic if chosen is understood.intent else None,
            language=language or understood.language,
        )
    if not understood.is_sure:
        return _question(message, understood, user_public_id=user_public_id, now=now, may=may)
    intent, about = understood.intent, references_in(message)
    _require(intent, may)
    language = spoken(intent, understood.language)
    facts = facts_for(intent, user_public_id=user_public_id, about=about, now=now)
    text = [answer(intent, facts, language=language)]
    if intent == Intent.OUT_OF_SCOPE and understood.topic:
        text.insert(0, phrase(f"topic_{understood.topic.replace(' ', '_')}", language=language))
    elif understood.topic == "thanks":
        text = [phrase("thanks", language=understood.language)]
    article = articles.best_for(message, intent=intent, language=language)
    is_quoted = article is not None and (article.is_general or intent not in READ_APART)
    if article is not None:
        facts = {**facts, "articles": [article.told(is_quoted=is_quoted)]}
        text += [article.body] * is_quoted
    return Answer(
        intent=intent,
        confidence=understood.confidence,
        runner_up=None,
        language=language,
        text="\n\n".join(text),
        facts=facts,
        links=links_for(intent, facts, language=language, is_article_quoted=is_quoted),
        clarify=None,
        article_id=article.id if article and is_quoted else None,
    )


def _question(
    message: str, understood: Understood, *, user_public_id: uuid.UUID, now: dt.datetime, may: Callable[[str], bool]
) -> Answer:
    """Ask which of two is meant; where one of them is a lost phone, say at once what protects the money.

    An article that has all the words of the message is quoted before.
    """
    meanings = (understood.intent, understood.runner_up)
    language = spoken(understood.intent, understood.language)
    names = [label(intent, language=language) for intent in meanings]
    text = phrase("clarify", language=language, first=names[0], second=names[1])
    facts: Facts = {"state": "unsure"}
    links = [HUMAN.told({}, language=language)]
    article = articles.best_for(message, intent=None, language=language)
    urgent = Intent.LOST_PHONE_OR_FRAUD
    if urgent in meanings and all(may(permission) for permission in READINGS[urgent].needs):
        facts = facts_for(urgent, user_public_id=user_public_id, about=references_in(""), now=now)
        links = [*ways_to_protect(facts, language=language), *links]
        text = f"{text}\n{phrase('protect', language=language)}"
    if article is not None:
        facts = {**facts, "articles": [article.told(is_quoted=True)]}
        text = f"{article.body}\n\n{text}"
    return Answer(
        intent=understood.intent,
        confidence=understood.confidence,
        runner_up=understood.runner_up,
        language=language,
        text=text,
        facts=facts,
        links=links,
        clarify=[{"intent": intent.value, "label": name} for intent, name in zip(meanings, names, strict=True)],
        article_id=article.id if article else None,
    )


def not_understood(*, language: str) -> Answer:
    """What to say to who meant neither of two: to say it otherwise, or ask a person."""
    return Answer(
        intent=Intent.OUT_OF_SCOPE,
        confidence=0.0,
        runner_up=None,
        language=language,
        text=phrase("neither", language=language),
        facts={"state": "unsure"},
        links=[HUMAN.told({}, language=language)],
        clarify=None,
    )


def _require(intent: Intent, may: Callable[[str], bool]) -> None:
    if not all(may(permission) for permission in READINGS[intent].needs):
        raise NotForThisDesk(intent)
