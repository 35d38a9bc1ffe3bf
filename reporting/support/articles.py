"""The knowledge base: what staff write for everybody, another of them approves, and the assistant quotes."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Max

from accounts import audit
from accounts.audit import Origin
from accounts.staff_deeds import officer_with
from mymoolah.common import sql
from mymoolah.common.errors import DomainError, NotFound
from reporting.support.intents import Intent
from reporting.support.models import SupportArticle

MAY_WRITE: Final = "reporting.write_supportarticle"
MAY_APPROVE: Final = "reporting.approve_supportarticle"
TOLD: Final = ("slug", "language", "version", "title", "body")
"""What a customer is told of an article."""
Status = SupportArticle.Status


class ArticleNotFound(NotFound):
    code, title = "article_not_found", "There is no such article"


class ArticleNotDraft(DomainError):
    code, status, title = "article_not_draft", 409, "Only a draft can be changed or approved"


class ArticleNotApproved(DomainError):
    code, status, title = "article_not_approved", 409, "Only an approved article can be retired"


class OwnArticle(DomainError):
    code, status, title = "own_article", 403, "Somebody else has to approve what you wrote"


def best_for(question: str, *, intent: Intent, language: str) -> dict[str, Any] | None:
    """The approved article that fits a question best, if any does: in its language, or in English. One query."""
    languages = [language, "en"] if language != "en" else ["en"]
    values = {"question": question[:1_000].replace("\0", ""), "intent": intent.value, "languages": languages}
    with connection.cursor() as cursor:
        cursor.execute(sql.read("reporting", "support/article.sql"), values)
        row = cursor.fetchone()
        return dict(zip(("id", *TOLD), row, strict=True)) if row else None


def write_article(
    *, slug: str, language: str, intent: str, title: str, body: str, now: dt.datetime, origin: Origin
) -> SupportArticle:
    """Write the next version of an article, a draft until somebody else approves it.

    :raises NotAllowed: nothing was written
    """
    with transaction.atomic():
        author = officer_with(MAY_WRITE, origin=origin)
        versions = SupportArticle.objects.filter(slug=slug, language=language).aggregate(last=Max("version"))
        article = SupportArticle.objects.create(
            slug=slug,
            language=language,
            version=(versions["last"] or 0) + 1,
            intent=intent,
            title=title,
            body=body,
            author=author,
            created_at=now,
        )
        _record("support_article.written", article, origin)
    return article


def approve_article(*, article_id: int, now: dt.datetime, origin: Origin) -> SupportArticle:
    """Let the assistant quote a draft; the version that it quoted so far is retired.

    :raises NotAllowed, OwnArticle, ArticleNotFound, ArticleNotDraft: nothing was changed
    """
    with transaction.atomic():
        officer = officer_with(MAY_APPROVE, origin=origin)
        article = _locked(article_id)
        if article.status != Status.DRAFT:
            raise ArticleNotDraft
        if article.author_id == officer.pk:
            raise OwnArticle
        SupportArticle.objects.filter(slug=article.slug, language=article.language, status=Status.APPROVED).update(
            status=Status.RETIRED
        )
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


def _locked(article_id: int) -> SupportArticle:
    article = SupportArticle.objects.select_for_update(no_key=True).filter(pk=article_id).first()
    if article is None:
        raise ArticleNotFound
    return article


def _record(verb: str, article: SupportArticle, origin: Origin) -> None:
    audit.record(
        verb,
        subject_type="support_article",
        subject_id=article.slug,
        origin=origin,
        language=article.language,
        version=article.version,
    )
