"""What officers do with a case. Whoever does it is the actor of its `origin`.

Each deed locks the customer and the case, compares the version that the officer's page showed, and commits together
with its audit event. Tier 2, and looking past a red check, wait for a second officer: the first one proposes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts import audit, kyc_checks
from accounts.audit import Origin
from accounts.kyc import DocumentNotAskedFor, DocumentNotFound, SubmissionNotFound, awaited
from accounts.kyc_identity import decrypted_number
from accounts.kyc_number_looks import counted_look
from accounts.kyc_tiers import HIGHEST_TIER, missing_kinds
from accounts.models import KycNote, KycSubmission, User
from accounts.notices import tell
from mymoolah.common.errors import DomainError
from mymoolah.common.retries import sqlstate, with_retries

MAY_DECIDE = "accounts.decide_kycsubmission"
CLAIM_KEPT = dt.timedelta(minutes=30)
"""How long nobody else may take a claimed case over."""
FOUR_EYES_TIER = HIGHEST_TIER
TEXT_MAX = 2_000
"""How long a note or a reason may be."""
EXCLUDED = "23P01"

Pending, WaitsFor = KycSubmission.Status.PENDING, KycSubmission.WaitsFor


class NotAnOfficer(DomainError):
    code, status, title = "not_an_officer", 403, "Only KYC officers decide cases"


class OwnCase(DomainError):
    code, status, title = "own_case", 403, "Nobody decides a case of his own"


class CaseDecided(DomainError):
    code, status, title = "case_decided", 409, "This case has been decided already"


class StaleCase(DomainError):
    code, status, title = "stale_case", 409, "The case has changed since you opened it: please look again"


class NotClaimed(DomainError):
    code, status, title = "case_not_claimed", 409, "Claim the case first"


class ClaimedByAnother(DomainError):
    code, status, title = "claimed_by_another", 409, "Another officer has claimed this case"


class TextMissing(DomainError):
    code, status, title = "text_missing", 409, "Please write a sentence that says why"


class TextUnfit(DomainError):
    code, status, title = "text_unfit", 409, f"Please write at most {TEXT_MAX:,} characters, and no control characters"


class DocumentsMissing(DomainError):
    code, status, title = "documents_missing", 409, "A document that this tier asks for is missing"


class DocumentAwaited(DomainError):
    code, status, title = "document_awaited", 409, "The customer was asked for a document again and has not sent it"


class ChecksAreRed(DomainError):
    code, status, title = "checks_are_red", 409, "A check is red: say why that does not stand in the way, or reject"


class CheckIsFinal(DomainError):
    code, status, title = "check_is_final", 409, "A check is red that nobody may look past"


class IdentityTaken(DomainError):
    code, status, title = "identity_taken", 409, "Another customer was approved with this identity"


class AwaitsSecondOfficer(DomainError):
    code, status, title = "awaits_second_officer", 409, "This case waits for a second officer"


class NothingProposed(DomainError):
    code, status, title = "nothing_proposed", 409, "Nobody has proposed to approve this case"


class FourEyes(DomainError):
    code, status, title = "four_eyes", 403, "Another officer than the one who proposed it has to look"


class ChecksChanged(DomainError):
    code, status, title = "checks_changed", 409, "A check has turned red since the first officer looked: hand it back"


@dataclass(frozen=True, kw_only=True)
class Deed:
    """A case in the hands of the officer who is about to do something with it; both are locked with the customer."""

    case: KycSubmission
    customer: User
    officer: User
    origin: Origin

    def save(self, verb: str, **facts: object) -> None:
        """Save the case as a new version, and write down what was done."""
        self.case.version += 1
        self.case.save()
        self.record(verb, **facts)

    def record(self, verb: str, **facts: object) -> None:
        audit.record(verb, subject_type="kyc_submission", subject_id=self.case.public_id, origin=self.origin, **facts)

    def require_version(self, version: int) -> None:
        if self.case.version != version:
            raise StaleCase

    def require_claim(self) -> None:
        if self.case.assignee_id != self.officer.pk:
            raise NotClaimed


def claim(*, case: uuid.UUID, note: str = "", now: dt.datetime, origin: Origin) -> None:
    """Take a case, so that two do not work on it. Half an hour after somebody else has, with a note that says why.

    :raises SubmissionNotFound, NotAnOfficer, OwnCase, CaseDecided: it cannot be claimed
    :raises FourEyes: it waits for another than this officer
    :raises ClaimedByAnother: somebody else has it, for less than half an hour
    :raises TextMissing: somebody else has it, and `note` is empty
    """
    with _doing(case, origin) as deed:
        held = deed.case
        if held.proposed_by_id == deed.officer.pk:
            raise FourEyes
        if held.assignee_id == deed.officer.pk:
            return
        before = held.assignee
        if before is not None:
            assert held.claimed_at is not None
            if now < held.claimed_at + CLAIM_KEPT:
                raise ClaimedByAnother(until=(held.claimed_at + CLAIM_KEPT).isoformat())
            _write_note(deed, note, now)
        held.assignee, held.claimed_at = deed.officer, now
        held.is_red = bool(kyc_checks.red_codes(kyc_checks.checks_of(held, now=now)))
        if before is None:
            deed.save("kyc.claimed")
        else:
            deed.save("kyc.taken_over", before=str(before.public_id))


def release(*, case: uuid.UUID, version: int, origin: Origin) -> None:
    """Put a case back for anybody to claim.

    :raises SubmissionNotFound, NotAnOfficer, OwnCase, CaseDecided, ClaimedByAnother, StaleCase, NotClaimed: nothing was
        done
    """
    with _doing(case, origin) as deed:
        _require_mine(deed, version)
        _put_down(deed.case)
        deed.save("kyc.released")


def add_note(*, case: uuid.UUID, text: str, now: dt.datetime, origin: Origin) -> None:
    """Tell other officers something about a case, decided or not, whoever has claimed it.

    :raises SubmissionNotFound, NotAnOfficer, OwnCase: nothing was done
    :raises TextMissing: `text` is empty
    """
    with _doing(case, origin, also_decided=True) as deed:
        _write_note(deed, text, now)
        deed.record("kyc.note_added")


def show_number(*, case: uuid.UUID, now: dt.datetime, origin: Origin) -> str:
    """The identity number, for the officer who compares it with the document; each look is written down.

    :raises SubmissionNotFound, NotAnOfficer, OwnCase, CaseDecided, ClaimedByAnother, NotClaimed: nothing was shown
    :raises TooManyRevealed: the officer has looked at twenty within an hour, here or elsewhere
    """
    assert origin.actor_id is not None
    # The officer before the customer, as in care.py: the other way round, two looks at once could wait for each other.
    with counted_look(officer_id=origin.actor_id, now=now), _doing(case, origin) as deed:
        _require_mine(deed, deed.case.version)
        deed.record("kyc.number_shown")
        return decrypted_number(deed.case.id_number_encrypted)


def ask_again(
    *, case: uuid.UUID, document: uuid.UUID, reason: str, version: int, now: dt.datetime, origin: Origin
) -> None:
    """Have the customer send one document again; the rest of the case stays. She reads `reason`.

    :raises SubmissionNotFound, NotAnOfficer, OwnCase, CaseDecided, ClaimedByAnother, StaleCase, NotClaimed: nothing was
        done
    :raises AwaitsSecondOfficer: it was proposed to approve the case as it is
    :raises DocumentNotFound, DocumentNotAskedFor: it is not in this case, or was asked for or sent again already
    :raises TextMissing: `reason` is empty
    """
    with _doing(case, origin) as deed:
        _require_mine(deed, version)
        if deed.case.waits_for == WaitsFor.SECOND_OFFICER:
            raise AwaitsSecondOfficer
        found = deed.case.documents.filter(public_id=document).first()
        if found is None:
            raise DocumentNotFound
        if found.asked_again_at is not None:
            raise DocumentNotAskedFor(detail="This document was asked for again already.")
        found.asked_again_at, found.asked_again_reason = now, _said(reason)
        found.save(update_fields=["asked_again_at", "asked_again_reason"])
        deed.case.waits_for = WaitsFor.CUSTOMER
        deed.save("kyc.document_asked_again", document=str(document), kind=found.kind)
        tell(deed.customer, "We need one of your documents again", "Open MyMoolah to see which one, and why.")


def approve(
    *, case: uuid.UUID, tier: int, override_reason: str = "", version: int, now: dt.datetime, origin: Origin
) -> KycSubmission.Status:
    """Give the customer `tier`, or propose it to a second officer: tier 2, and red checks that `override_reason` excuses.

    :returns: approved, or still pending until the second officer has looked
    :raises SubmissionNotFound, NotAnOfficer, OwnCase, CaseDecided, ClaimedByAnother, StaleCase, NotClaimed: nothing was
        done
    :raises AwaitsSecondOfficer, DocumentAwaited: it waits for somebody else
    :raises DocumentsMissing: `tier` asks for more
    :raises CheckIsFinal, ChecksAreRed, IdentityTaken: something speaks against it
    """
    assert 1 <= tier <= HIGHEST_TIER

    def work() -> KycSubmission.Status:
        with _doing(case, origin) as deed:
            _require_mine(deed, version)
            held = deed.case
            if held.waits_for == WaitsFor.SECOND_OFFICER:
                raise AwaitsSecondOfficer
            checks = _examined(deed, tier, now)
            red = kyc_checks.red_codes(checks)
            if red and not override_reason.strip():
                raise ChecksAreRed(checks=red)
            held.override_reason = _said(override_reason) if red else ""
            if tier < FOUR_EYES_TIER and not red:
                _grant(deed, tier, first=deed.officer, second=None, now=now)
                return KycSubmission.Status.APPROVED
            held.waits_for = WaitsFor.SECOND_OFFICER
            held.proposed_by, held.proposed_at, held.proposed_tier = deed.officer, now, tier
            held.proposed_checks = [[check.code, check.level] for check in checks]
            _put_down(held)
            deed.save("kyc.approval_proposed", tier=tier, overridden=red)
            return Pending

    return with_retries(work)


def confirm(*, case: uuid.UUID, version: int, now: dt.datetime, origin: Origin) -> None:
    """Approve what another officer proposed.

    :raises SubmissionNotFound, NotAnOfficer, OwnCase, CaseDecided, ClaimedByAnother, StaleCase, NotClaimed: nothing was
        done
    :raises NothingProposed, FourEyes: there is nothing to confirm for this officer
    :raises ChecksChanged: a check is red that the first officer saw green
    :raises DocumentsMissing, CheckIsFinal, IdentityTaken: something speaks against it
    """

    def work() -> None:
        with _doing(case, origin) as deed:
            held = deed.case
            if held.proposed_by_id == deed.officer.pk:
                raise FourEyes
            _require_mine(deed, version)
            if held.proposed_by is None or held.proposed_tier is None:
                raise NothingProposed
            red = kyc_checks.red_codes(_examined(deed, held.proposed_tier, now))
            seen = {code for code, level in held.proposed_checks or () if level == kyc_checks.Level.RED}
            if set(red) - seen:
                raise ChecksChanged(checks=sorted(set(red) - seen))
            _grant(deed, held.proposed_tier, first=held.proposed_by, second=deed.officer, now=now)

    with_retries(work)


def hand_back(*, case: uuid.UUID, note: str, version: int, now: dt.datetime, origin: Origin) -> None:
    """Take a proposal away, by the officer who made it or the second who disagrees: the case waits for anybody again.

    :raises SubmissionNotFound, NotAnOfficer, OwnCase, CaseDecided, ClaimedByAnother, StaleCase, NotClaimed: nothing was
        done
    :raises NothingProposed: there is none
    :raises TextMissing: `note` is empty
    """
    with _doing(case, origin) as deed:
        if deed.case.proposed_by_id == deed.officer.pk:
            deed.require_version(version)
        else:
            _require_mine(deed, version)
        if deed.case.proposed_by is None:
            raise NothingProposed
        _write_note(deed, note, now)
        _forget_proposal(deed.case)
        deed.case.waits_for, deed.case.override_reason = WaitsFor.OFFICER, ""
        _put_down(deed.case)
        deed.save("kyc.proposal_handed_back")


def reject(*, case: uuid.UUID, reason: str, version: int, now: dt.datetime, origin: Origin) -> None:
    """Refuse a case; the customer reads `reason` and may send another one. The tier she has stays hers.

    :raises SubmissionNotFound, NotAnOfficer, OwnCase, CaseDecided, ClaimedByAnother, StaleCase, NotClaimed: nothing was
        done
    :raises TextMissing: `reason` is empty
    """
    with _doing(case, origin) as deed:
        _require_mine(deed, version)
        held = deed.case
        held.status, held.reason = KycSubmission.Status.REJECTED, _said(reason)
        held.reviewer, held.decided_at, held.waits_for, held.override_reason = deed.officer, now, None, ""
        _forget_proposal(held)
        _put_down(held)
        if deed.customer.kyc_status != User.KycStatus.VERIFIED:
            deed.customer.kyc_status = User.KycStatus.REJECTED
            deed.customer.save(update_fields=["kyc_status"])
        deed.save("kyc.rejected", user=str(deed.customer.public_id))
        tell(deed.customer, "We could not accept your documents", "Open MyMoolah to read why, and to send others.")


# What the deeds share -----------------------------------------------------------------------------------------------
@contextlib.contextmanager
def _doing(case: uuid.UUID, origin: Origin, *, also_decided: bool = False) -> Iterator[Deed]:
    with transaction.atomic():
        assert origin.actor_id is not None
        officer = User.objects.filter(pk=origin.actor_id).first()
        if officer is None or not officer.has_perm(MAY_DECIDE):
            raise NotAnOfficer
        cases = KycSubmission.objects.filter(public_id=case)
        # The customer first, as everywhere: what she sends meanwhile waits, and so does another officer.
        customer = User.objects.select_for_update(no_key=True).filter(pk__in=cases.values("user")).first()
        if customer is None:
            raise SubmissionNotFound
        found = cases.select_for_update(no_key=True).get()
        if customer.pk == officer.pk:
            raise OwnCase
        if found.status != Pending and not also_decided:
            raise CaseDecided
        yield Deed(case=found, customer=customer, officer=officer, origin=origin)


def _require_mine(deed: Deed, version: int) -> None:
    if deed.case.assignee_id not in {None, deed.officer.pk}:
        raise ClaimedByAnother
    deed.require_version(version)
    deed.require_claim()


def _examined(deed: Deed, tier: int, now: dt.datetime) -> list[kyc_checks.Check]:
    """The checks of a case that may be approved to `tier`, some of them perhaps red."""
    if awaited(deed.case).exists():
        raise DocumentAwaited
    kinds = set(deed.case.documents.filter(replacement=None).values_list("kind", flat=True))
    missing = missing_kinds(has_tier=deed.customer.kyc_tier, tier=tier, kinds=kinds)
    if missing:
        raise DocumentsMissing(tier=tier, missing=[str(kind) for kind in missing])
    checks = kyc_checks.checks_of(deed.case, now=now)
    final = [check.code for check in checks if check.is_final]
    if "duplicate" in final:
        raise IdentityTaken
    if final:
        raise CheckIsFinal(checks=final)
    return checks


def _grant(deed: Deed, tier: int, *, first: User, second: User | None, now: dt.datetime) -> None:
    held, customer = deed.case, deed.customer
    held.status, held.granted_tier, held.decided_at, held.waits_for = KycSubmission.Status.APPROVED, tier, now, None
    held.reviewer, held.second_reviewer = first, second
    _forget_proposal(held)
    _put_down(held)
    customer.kyc_status, customer.id_verified = User.KycStatus.VERIFIED, True
    customer.kyc_tier = max(customer.kyc_tier, tier)
    customer.save(update_fields=["kyc_status", "id_verified", "kyc_tier"])
    try:
        deed.save(
            "kyc.approved",
            user=str(customer.public_id),
            tier=tier,
            proposed_by=str(first.public_id) if second else None,
            overridden=bool(held.override_reason),
        )
    except IntegrityError as error:
        if sqlstate(error) == EXCLUDED:  # somebody approved another customer with it a moment ago
            raise IdentityTaken from error
        raise
    kyc_checks.tell_others(held)
    tell(customer, "Your documents were accepted", f"You now have tier {customer.kyc_tier}: open MyMoolah to see more.")


def _put_down(case: KycSubmission) -> None:
    case.assignee = case.claimed_at = None


def _forget_proposal(case: KycSubmission) -> None:
    case.proposed_by = case.proposed_at = case.proposed_tier = case.proposed_checks = None


def _said(text: str) -> str:
    if not text.strip():
        raise TextMissing
    if len(text.strip()) > TEXT_MAX or "\0" in text:
        raise TextUnfit
    return text.strip()


def _write_note(deed: Deed, text: str, now: dt.datetime) -> None:
    KycNote.objects.create(submission=deed.case, author=deed.officer, text=_said(text), created_at=now)
