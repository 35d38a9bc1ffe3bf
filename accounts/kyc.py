"""Proofs of identity (FICA, Act 38 of 2001): customers send them for a higher tier, staff look at them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, kyc_files
from accounts.audit import Origin
from accounts.kyc_documents import read_document
from accounts.models import KycDocument, KycSubmission, User
from accounts.services import NotActive, UnknownUser
from mymoolah.common import crypto
from mymoolah.common.errors import DomainError, NotFound

HIGHEST_TIER = 2
ID_NUMBER = "kyc_submissions.id_number"  # what its encryption and its index are bound to


class SubmissionPending(DomainError):
    code, status, title = "submission_pending", 409, "We are still looking at the documents you sent"


class HighestTierReached(DomainError):
    code, status, title = "highest_tier_reached", 409, "There is nothing left to show: you have the highest tier"


class DocumentNotFound(NotFound):
    code, title = "document_not_found", "There is no such document"


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
    kept = [(kind, read_document(sent)) for kind, sent in documents]
    with kyc_files.writing() as put, transaction.atomic():
        user = _who_may_submit(herself.select_for_update(no_key=True))
        submission = KycSubmission.objects.create(
            user=user,
            id_type=identity.id_type,
            id_number_encrypted=crypto.encrypt(identity.number, context=ID_NUMBER),
            id_number_index=crypto.blind_index(identity.number, context=ID_NUMBER),
            passport_expires_on=identity.passport_expires_on,
            created_at=now,
        )
        for kind, document in kept:
            public_id = uuid.uuid4()
            KycDocument.objects.create(
                public_id=public_id,
                submission=submission,
                kind=kind,
                path=put(document.content, str(public_id)),
                content_type=document.content_type,
                size_bytes=len(document.content),
                sha256=document.sha256,
                created_at=now,
            )
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
    document = KycDocument.objects.select_related("submission").filter(public_id=public_id).first()
    if document is None:
        raise DocumentNotFound
    content = kyc_files.read(document)
    audit.record(
        "kyc.document_viewed",
        subject_type="kyc_submission",
        subject_id=document.submission.public_id,
        origin=origin,
        document=str(public_id),
    )
    return Shown(content=content, content_type=document.content_type)
