"""Proofs of identity (FICA, Act 38 of 2001): customers send them for a higher tier, staff look at them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import audit, kyc_checks, kyc_files, kyc_pages
from accounts.audit import Origin
from accounts.kyc_documents import PDF, Document, read_documents
from accounts.kyc_files import Put
from accounts.kyc_identity import encrypted_number, number_index
from accounts.kyc_tiers import HIGHEST_TIER, sought_tier
from accounts.models import KycDocument, KycSubmission, User
from accounts.services import NotActive, UnknownUser
from mymoolah.common.errors import DomainError, NotFound


class SubmissionPending(DomainError):
    code, status, title = "submission_pending", 409, "We are still looking at the documents you sent"


class HighestTierReached(DomainError):
    code, status, title = "highest_tier_reached", 409, "There is nothing left to show: you have the highest tier"


class DocumentNotFound(NotFound):
    code, title = "document_not_found", "There is no such document"


class SubmissionNotFound(NotFound):
    code, title = "submission_not_found", "There is no such submission"


class SubmissionDecided(DomainError):
    code, status, title = "submission_decided", 409, "This submission has been decided"


class DocumentNotAskedFor(DomainError):
    code, status, title = "document_not_asked_for", 409, "We did not ask for this document again, or have it already"


class DocumentSentBefore(DomainError):
    code, status, title = "document_sent_before", 409, "You sent this very file before: please send another one"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who somebody says to be: `number` as `identity_number` returns it, the date for passports alone."""

    id_type: KycSubmission.IdType
    number: str
    passport_expires_on: dt.date | None = None


def submit(
    *,
    user_public_id: uuid.UUID,
    identity: Identity,
    documents: Sequence[tuple[KycDocument.Kind, bytes]],
    now: dt.datetime,
    origin: Origin,
) -> KycSubmission:
    """Hand in an identity and its documents as they came, no two of them alike, for staff to decide about.

    Whoever is verified stays so meanwhile. That another customer was approved with the same identity is not told here:
    it is nobody's business but the officer's, and the database's, which does not let both be approved.

    :raises UnknownUser, NotActive: nobody has this id, or may not change anything
    :raises HighestTierReached: there is no tier above
    :raises SubmissionPending: the last one is not decided yet
    :raises DocumentRefused: a document cannot be used
    :raises Unavailable: too many people send pictures right now
    """
    herself = User.objects.filter(public_id=user_public_id)
    _who_may_submit(herself)  # reading documents takes seconds, and would be in vain
    kept = read_documents([sent for _, sent in documents])
    with kyc_files.writing() as put, transaction.atomic():
        user = _who_may_submit(herself.select_for_update(no_key=True))
        submission = KycSubmission.objects.create(
            user=user,
            id_type=identity.id_type,
            id_number_encrypted=encrypted_number(identity.number),
            id_number_index=number_index(identity.number),
            passport_expires_on=identity.passport_expires_on,
            sought_tier=sought_tier(has_tier=user.kyc_tier, kinds={kind for kind, _ in documents}),
            created_at=now,
        )
        for (kind, _), document in zip(documents, kept, strict=True):
            _keep(document, put, submission=submission, kind=kind, created_at=now)
        kyc_checks.look_again(submission, now=now)
        if user.kyc_status != User.KycStatus.VERIFIED:
            user.kyc_status = User.KycStatus.PENDING
            user.save(update_fields=["kyc_status"])
        audit.record(
            "kyc.submitted",
            subject_type="kyc_submission",
            subject_id=submission.public_id,
            origin=replace(origin, actor_id=user.id),
            id_type=identity.id_type,
            documents=dict(Counter(str(kind) for kind, _ in documents)),
        )
    return submission


def send_again(
    *,
    user_public_id: uuid.UUID,
    submission_public_id: uuid.UUID,
    replaces: uuid.UUID,
    document: bytes,
    now: dt.datetime,
    origin: Origin,
) -> None:
    """Hand in, as it came, what staff asked for again; once nothing more is awaited, the case is the officers' again.

    :raises UnknownUser, NotActive: nobody has this id, or may not change anything
    :raises SubmissionNotFound: this customer has no such submission
    :raises SubmissionDecided: it is too late
    :raises DocumentNotFound, DocumentNotAskedFor: what it is to replace is not in this case, or was fine
    :raises DocumentSentBefore: it is in the case already
    :raises DocumentRefused: it cannot be used
    :raises Unavailable: too many people send pictures right now
    """
    who = User.objects.filter(public_id=user_public_id)
    _asked_for(who.first(), submission_public_id, replaces)  # reading it takes seconds, and would be in vain
    [kept] = read_documents([document])
    with kyc_files.writing() as put, transaction.atomic():
        user = who.select_for_update(no_key=True).first()
        submission, before = _asked_for(user, submission_public_id, replaces)
        try:
            _keep(kept, put, submission=submission, kind=before.kind, replaces=before, created_at=now)
        except IntegrityError as error:
            raise DocumentSentBefore from error
        if not awaited(submission).exists():
            submission.waits_for = KycSubmission.WaitsFor.OFFICER
        kyc_checks.look_again(submission, now=now)
        audit.record(
            "kyc.document_replaced",
            subject_type="kyc_submission",
            subject_id=submission.public_id,
            origin=replace(origin, actor_id=submission.user_id),
            document=str(replaces),
            kind=before.kind,
        )


def awaited(submission: KycSubmission) -> QuerySet[KycDocument]:
    """What the customer was asked for again and has not sent."""
    return submission.documents.filter(asked_again_at__isnull=False, replacement=None)


def _asked_for(user: User | None, case: uuid.UUID, document: uuid.UUID) -> tuple[KycSubmission, KycDocument]:
    """Whoever changes a case locks its customer first, so that nothing here changes meanwhile."""
    if user is None:
        raise UnknownUser
    if not user.is_active:
        raise NotActive
    submission = user.kyc_submissions.filter(public_id=case).first()
    if submission is None:
        raise SubmissionNotFound
    if submission.status != KycSubmission.Status.PENDING:
        raise SubmissionDecided
    found = submission.documents.filter(public_id=document).first()
    if found is None:
        raise DocumentNotFound
    if not awaited(submission).filter(pk=found.pk).exists():
        raise DocumentNotAskedFor
    return submission, found


def _keep(document: Document, put: Put, **facts: object) -> None:
    public_id = uuid.uuid4()
    KycDocument.objects.create(
        public_id=public_id,
        path=put(document.content, str(public_id)),
        content_type=document.content_type,
        size_bytes=len(document.content),
        sha256=document.sha256,
        **facts,
    )


def _who_may_submit(found: QuerySet[User]) -> User:
    user = found.first()
    if user is None:
        raise UnknownUser
    if not user.is_active:
        raise NotActive
    if user.kyc_tier >= HIGHEST_TIER:
        raise HighestTierReached
    if user.kyc_submissions.filter(status=KycSubmission.Status.PENDING).exists():
        raise SubmissionPending
    return user


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A document, as a member of staff sees it."""

    content: bytes
    content_type: str


def show_document(*, public_id: uuid.UUID, origin: Origin) -> Shown:
    """Decrypt a document for somebody of the staff, and write down that it was looked at.

    :raises DocumentNotFound: there is none with this id
    """
    document = _document(public_id)
    content = kyc_files.read(document)
    _record_look(document, origin)
    return Shown(content=content, content_type=document.content_type)


def show_page(*, public_id: uuid.UUID, number: int, origin: Origin) -> kyc_pages.Page:
    """Draw a page of a PDF for somebody of the staff, counted from 1, and write down that it was looked at.

    :raises DocumentNotFound: there is no PDF with this id
    :raises PageNotShown: it has no such page, or it cannot be drawn
    :raises Unavailable: other pages were being drawn for ten seconds
    """
    document = _document(public_id)
    if document.content_type != PDF:
        raise DocumentNotFound
    page = kyc_pages.draw(kyc_files.read(document), number=number)
    _record_look(document, origin, page=number)
    return page


def _document(public_id: uuid.UUID) -> KycDocument:
    document = KycDocument.objects.select_related("submission").filter(public_id=public_id).first()
    if document is None:
        raise DocumentNotFound
    return document


def _record_look(document: KycDocument, origin: Origin, **facts: object) -> None:
    audit.record(
        "kyc.document_viewed",
        subject_type="kyc_submission",
        subject_id=document.submission.public_id,
        origin=origin,
        document=str(document.public_id),
        **facts,
    )
