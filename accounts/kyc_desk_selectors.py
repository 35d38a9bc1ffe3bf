"""What officers read: the queue, what waits in it, and one case with everything that belongs to it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.kyc import SubmissionNotFound
from accounts.kyc_checks import Check, checks_of
from accounts.kyc_identity import decrypted_number, masked_identity_number
from accounts.models import KycDocument, KycNote, KycSubmission, User

ROWS_PER_PAGE = 50
COUNTED_MAX = 1_000

WaitsFor = KycSubmission.WaitsFor
Key = tuple[dt.datetime, int]


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which of the waiting cases to show; what is None does not narrow. Each is answered by an index."""

    waits_for: str | None = None
    tier: int | None = None
    is_red: bool = False
    whose: Literal["mine", "nobodys"] | None = None
    older_than_days: int | None = None


VIEWS: Final[Mapping[str, Filter]] = {
    "All": Filter(),
    "To look at": Filter(waits_for=WaitsFor.OFFICER, whose="nobodys"),
    "Mine": Filter(whose="mine"),
    "Second officer": Filter(waits_for=WaitsFor.SECOND_OFFICER),
    "Red": Filter(is_red=True),
    "Tier 2": Filter(tier=2),
    "Over a day": Filter(older_than_days=1),
    "With the customer": Filter(waits_for=WaitsFor.CUSTOMER),
}


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many cases a view holds, a thousand at most, and since when the first of them waits."""

    count: int
    since: dt.datetime | None


@dataclass(frozen=True, kw_only=True)
class Case:
    submission: KycSubmission
    masked_number: str
    documents: Sequence[KycDocument]
    """The present ones; each knows the one it replaces."""
    replaced: Sequence[KycDocument]
    checks: Sequence[Check]
    notes: Sequence[KycNote]
    earlier: Sequence[KycSubmission]


def waiting_cases(
    asked: Filter, *, officer_id: int, now: dt.datetime, after: Key | None = None
) -> QuerySet[KycSubmission]:
    """The cases of a view, who waits longest first, beyond the row at `after`."""
    cases = _narrowed(asked, officer_id=officer_id, now=now)
    if after is not None:  # (a, b) > (x, y), said so that the index is used
        cases = cases.filter(Q(created_at__gte=after[0]) & (Q(created_at__gt=after[0]) | Q(pk__gt=after[1])))
    return (
        cases.select_related("user", "assignee", "proposed_by")
        .defer("id_number_encrypted", "id_number_index", "user__password")
        .order_by("created_at", "pk")
    )


def next_to_take(asked: Filter, *, officer_id: int, now: dt.datetime, after: Key | None) -> KycSubmission | None:
    """A case that this officer has claimed or may claim: whichever waits longest beyond `after`, or else before it.

    Without a case that is open, what the officer has claimed comes first.
    """
    views = [asked] if asked.whose else [replace(asked, whose="mine"), replace(asked, whose="nobodys")]

    def oldest(beyond: Key | None, *, but: int | None = None) -> list[KycSubmission]:
        """At most one of each of the views, along the index of each."""
        firsts = []
        for view in views:
            cases = waiting_cases(view, officer_id=officer_id, now=now, after=beyond).exclude(user=officer_id)
            takeable = cases.exclude(proposed_by=officer_id).exclude(waits_for=WaitsFor.CUSTOMER)
            firsts.append(takeable.exclude(pk=but).first() if but else takeable.first())
        return [case for case in firsts if case is not None]

    if after is None:
        return next(iter(oldest(None)), None)
    found = oldest(after) or oldest(None, but=after[1])
    return min(found, key=lambda case: (case.created_at, case.pk), default=None)


def _narrowed(asked: Filter, *, officer_id: int, now: dt.datetime) -> QuerySet[KycSubmission]:
    cases = KycSubmission.objects.filter(status=KycSubmission.Status.PENDING)
    if asked.waits_for is not None:
        cases = cases.filter(waits_for=asked.waits_for)
    if asked.tier is not None:
        cases = cases.filter(sought_tier=asked.tier)
    if asked.is_red:
        cases = cases.filter(is_red=True)
    if asked.whose == "mine":
        cases = cases.filter(assignee=officer_id)
    if asked.whose == "nobodys":
        cases = cases.filter(assignee=None)
    if asked.older_than_days is not None:
        cases = cases.filter(created_at__lt=now - dt.timedelta(days=asked.older_than_days))
    return cases


def waiting_counts(*, officer_id: int, now: dt.datetime) -> dict[str, Waiting]:
    """What waits in each of the views. One query, which reads at most a thousand rows for each."""
    parts: list[str] = []
    values: list[Any] = []
    for position, asked in enumerate(VIEWS.values()):
        cases = _narrowed(asked, officer_id=officer_id, now=now).order_by("created_at", "pk")
        statement, given = cases.values("created_at")[:COUNTED_MAX].query.sql_with_params()
        parts.append(f"SELECT {position} AS view, count(*), min(created_at) FROM ({statement}) AS v")  # noqa: S608
        values += given
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        found = {position: Waiting(count=count, since=since) for position, count, since in cursor.fetchall()}
    return {name: found[position] for position, name in enumerate(VIEWS)}


def get_case(*, public_id: uuid.UUID, now: dt.datetime) -> Case:
    """A case, decided or not, with its checks as they are at this moment. Five queries.

    :raises SubmissionNotFound: there is none with this id
    """
    submission = (
        KycSubmission.objects.select_related("user", "assignee", "proposed_by", "reviewer", "second_reviewer")
        .filter(public_id=public_id)
        .first()
    )
    if submission is None:
        raise SubmissionNotFound
    documents = list(submission.documents.select_related("replaces").order_by("pk"))
    gone = {document.replaces_id for document in documents}
    number = decrypted_number(submission.id_number_encrypted)
    return Case(
        submission=submission,
        masked_number=masked_identity_number(number, id_type=submission.id_type),
        documents=[document for document in documents if document.pk not in gone],
        replaced=[document for document in documents if document.pk in gone],
        checks=checks_of(submission, now=now),
        notes=list(submission.notes.select_related("author").order_by("pk")),
        earlier=earlier_cases(submission.user, submission),
    )


def earlier_cases(customer: User, submission: KycSubmission) -> list[KycSubmission]:
    """The customer's other cases, the latest twenty."""
    others = customer.kyc_submissions.exclude(pk=submission.pk).select_related("reviewer", "second_reviewer")
    return list(others.order_by("-pk")[:20])
