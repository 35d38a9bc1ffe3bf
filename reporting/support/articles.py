"""The knowledge base: what staff write for everybody, another of them approves, and the assistant quotes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from accounts import audit
from accounts.audit import Origin
from accounts.models import User
from accounts.staff_deeds import officer_with
from mymoolah.common import sql
from mymoolah.common.errors import DomainError, NotFound
from reporting.support.features import normalise
from reporting.support.intents import Intent
from reporting.support.models import SupportArticle

MAY_WRITE: Final = "reporting.write_supportarticle"
MAY_APPROVE: Final = "reporting.approve_supportarticle"
Status = SupportArticle.Status


class ArticleNotFound(NotFound):
    code, title = "article_not_found", "There is no such article"


class ArticleNotDraft(DomainError):
    code, status, title = "article_not_draft", 409, "Only a draft can be changed or approved"


class ArticleNotApproved(DomainError):
    code, status, title = "article_not_approved", 409, "Only an approved article can be retired"


class ArticleOutdated(DomainError):
    code, status, title = "article_outdated", 409, "A later version than this one is approved already"


class OwnArticle(DomainError):
    code, status, title = "own_article", 403, "Somebody else has to approve what you wrote"


@dataclass(frozen=True, kw_only=True)
class Found:
    """An approved article, as customers read it."""

    id: int
    slug: str
    language: str
    version: int
    title: str
    body: str
    is_general: bool
    """Whether it is about no intent in particular, and was found by its words."""

    def told(self, *, is_quoted: bool) -> dict[str, Any]:
        """As it stands in the data of an answer, whose figures may be the article's."""
        named = {"slug": self.slug, "language": self.language, "version": self.version, "title": self.title}
        return {**named, "body": self.body} if is_quoted else named


def best_for(question: str, *, intent: Intent | None, language: str) -> Found | None:
    """The approved article that fits a question best, if any does: in its language, or in English. One query.

    Without an intent it is one about none, that has all the words of the question.
    """
    languages = [language, "en"] if language != "en" else ["en"]
    words = normalise(question).replace("0", "")  # no number of anybody's stands in the text of a statement
    values = {"question": words, "intent": intent and intent.value, "languages": languages}
    with connection.cursor() as cursor:
        cursor.execute(sql.read("reporting", "support/article.sql"), values)
        row = cursor.fetchone()
        return Found(**dict(zip((field.name for field in fields(Found)), row, strict=True))) if row else None


def get_article(*, slug: str, language: str) -> dict[str, Any]:
    """An article that is approved. One query.

    :raises ArticleNotFound: none is called so in this language
    """
    article = SupportArticle.objects.filter(slug=slug, language=language, status=Status.APPROVED).first()
    if article is None:
        raise ArticleNotFound
    return {
        "slug": article.slug,
        "language": article.language,
        "version": article.version,
        "title": article.title,
        "body": article.body.strip(),
    }


def write_article(
    *, slug: str, language: str, intent: str, title: str, body: str, now: dt.datetime, origin: Origin
) -> SupportArticle:
    """Write the next version of an article, a draft until somebody else approves it; what is sent twice is written once.

    :raises NotAllowed: nothing was written
    """
    with transaction.atomic():
        author = officer_with(MAY_WRITE, origin=origin)
        _lock_versions(slug, language)
        last = SupportArticle.objects.filter(slug=slug, language=language).order_by("-version").first()
        texts = {"intent": intent, "title": title, "body": body}
        if last and _is_draft_of(author, last) and all(getattr(last, name) == texts[name] for name in texts):
            return last
        article = SupportArticle.objects.create(
            slug=slug,
            language=language,
            version=last.version + 1 if last else 1,
            author=author,
            created_at=now,
            **texts,
        )
        _record("support_article.written", article, origin)
    return article


def approve_article(*, article_id: int, now: dt.datetime, origin: Origin) -> SupportArticle:
    """Let the assistant quote a draft; the version that it quoted so far is retired.

    :raises NotAllowed, OwnArticle, ArticleNotFound, ArticleNotDraft, ArticleOutdated: nothing was changed
    """
    with transaction.atomic():
        officer = officer_with(MAY_APPROVE, origin=origin)
        article = _locked(article_id)
        if article.status != Status.DRAFT:
            raise ArticleNotDraft
        if article.author_id == officer.pk:
            raise OwnArticle
        quoted = SupportArticle.objects.filter(slug=article.slug, language=article.language, status=Status.APPROVED)
        if quoted.filter(version__gt=article.version).exists():
            raise ArticleOutdated
        quoted.update(status=Status.RETIRED)
        article.status, article.approved_by, article.approved_at = Status.APPROVED, officer, now
        article.save(update_fields=["status", "approved_by", "approved_at"])
        _record("support_article.approved", article, origin)
    return article


def retire_article(*, article_id: int, origin: Origin) -> SupportArticle:
    """Let the assistant quote an article no more.

    :raises NotAllowed, ArticleNotFound, ArticleNotApproved: nothing was changed
    """
    with transaction.atomic():
        officer_with(MAY_APPROVE, origin=origin)
        article = _locked(article_id)
        if article.status != Status.APPROVED:
            raise ArticleNotApproved
        article.status = Status.RETIRED
        article.save(update_fields=["status"])
        _record("support_article.retired", article, origin)
    return article


def count_vote(*, article_id: int, is_helpful: bool, was: bool | None) -> None:
    """Count what a customer said of an article; `was` is what he said before, and is taken back."""
    if was == is_helpful:
        return
    changes: dict[str, Any] = {}
    for name, verdict in (("helpful_count", True), ("unhelpful_count", False)):
        step = (is_helpful == verdict) - (was == verdict)
        if step:
            changes[name] = F(name) + step
    SupportArticle.objects.filter(pk=article_id).update(**changes)


def _is_draft_of(author: User, article: SupportArticle) -> bool:
    return article.status == Status.DRAFT and article.author_id == author.pk


def _locked(article_id: int) -> SupportArticle:
    """An article as it is once nobody else is at any of its versions."""
    named = SupportArticle.objects.filter(pk=article_id).first()
    if named is None:
        raise ArticleNotFound
    _lock_versions(named.slug, named.language)
    return SupportArticle.objects.get(pk=article_id)


def _lock_versions(slug: str, language: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"support_article {slug} {language}"])


def _record(verb: str, article: SupportArticle, origin: Origin) -> None:
    audit.record(
        verb,
        subject_type="support_article",
        subject_id=article.slug,
        origin=origin,
        language=article.language,
        version=article.version,
    )
