"""Proposing, approving, rejecting and withdrawing: one person of finance asks, another decides.

Each is one database transaction with its audit event. Locks are taken in the order proposal, then as the command says.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.audit import Origin
from accounts.decisions import FINANCE, Decision, ReasonNeeded, require_finance, require_members
from accounts.models import User
from mymoolah.common.errors import DomainError, NotFound
from mymoolah.common.retries import with_retries
from transactions.models import Proposal
from transactions.proposals import previews
from transactions.proposals.commands import Command, Deed, InvalidArguments, UnknownCommand, get_command, read
from transactions.proposals.previews import Preview

LONGEST_REASON: Final = 2_000


class ProposalNotFound(NotFound):
    code, title = "proposal_not_found", "There is no such proposal"


class ProposalExists(DomainError):
    code, status, title = "proposal_exists", 409, "This was sent before, with something else in it"


class ProposalDecided(DomainError):
    code, status, title = "proposal_decided", 409, "This proposal has been decided"


class OwnProposal(DomainError):
    code, status, title = "own_proposal", 403, "Nobody decides what he proposed himself"


class SomebodyElsesProposal(DomainError):
    code, status, title = "somebody_elses_proposal", 403, "Only who proposed it can withdraw it"


class NobodyToApprove(DomainError):
    code, status, title = "nobody_to_approve", 409, "There is nobody else in finance who could approve this"


class ReasonTooLong(DomainError):
    code, status, title = "reason_too_long", 400, "Say it in fewer words"


class PreviewChanged(DomainError):
    """What would happen is not what was seen; `preview` tells what would happen now."""

    code, status, title = "preview_changed", 409, "Something has changed since you looked: look again, and decide"

    def __init__(self, preview: Preview) -> None:
        super().__init__()
        self.preview = preview


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A command, its arguments as they are kept (JSON), and who of finance asks for it, why."""

    public_id: uuid.UUID
    command: str
    arguments: Mapping[str, str | bool]
    reason: str
    proposed_by: int


# Asking -----------------------------------------------------------------------------------------------------------------
def preview(ask: Ask, *, now: dt.datetime) -> Preview:
    """What an ask would do as things stand. Nothing is written.

    :raises UnknownCommand, InvalidArguments: it cannot be done by anybody
    :raises NotOfFinance, ReasonNeeded, NobodyToApprove: as it says
    :raises DomainError: whatever the command refuses
    """

    def once() -> Preview:
        with transaction.atomic():
            return _rehearse(ask, approver=_stand_in(ask.proposed_by), now=now)

    return with_retries(once)


def propose(ask: Ask, *, now: dt.datetime, origin: Origin = audit.SYSTEM) -> Proposal:
    """Ask a colleague to approve a command, with what it would do; once for each public id.

    :raises ProposalExists: another ask, or another person's, has this id
    :raises UnknownCommand, InvalidArguments: it cannot be done by anybody
    :raises NotOfFinance, ReasonNeeded, ReasonTooLong, NobodyToApprove: as it says
    :raises DomainError: whatever the command refuses
    """

    def once() -> Proposal:
        with transaction.atomic():
            made = Proposal.objects.filter(public_id=ask.public_id).first()
            if made is not None:
                return _same(made, ask)
            would = _rehearse(ask, approver=_stand_in(ask.proposed_by), now=now)
            command = get_command(ask.command)
            subject_type, subject_id = command.subject_of(read(command, ask.arguments))
            try:
                with transaction.atomic():
                    proposal = Proposal.objects.create(
                        public_id=ask.public_id,
                        command=ask.command,
                        arguments=dict(ask.arguments),
                        subject_type=subject_type,
                        subject_id=subject_id,
                        reason=ask.reason,
                        proposed_by_id=ask.proposed_by,
                        proposed_at=now,
                        preview=would,
                        preview_digest=previews.digest(would),
                    )
            except IntegrityError:
                return _same(Proposal.objects.get(public_id=ask.public_id), ask)
            _record("proposal.made", proposal, origin, ask.proposed_by, arguments=dict(ask.arguments))
            return proposal

    return with_retries(once)


def check(*, public_id: uuid.UUID, checker_id: int, now: dt.datetime) -> Preview:
    """What an open proposal would do as things stand. Nothing is written.

    :raises ProposalNotFound, ProposalDecided, OwnProposal, NotOfFinance: as it says
    :raises DomainError: whatever the command refuses
    """

    def once() -> Preview:
        with transaction.atomic():
            return _rehearse(_ask_of(_open(public_id, decider_id=checker_id)), approver=checker_id, now=now)

    return with_retries(once)


# Deciding ---------------------------------------------------------------------------------------------------------------
def approve(
    *,
    public_id: uuid.UUID,
    approver_id: int,
    seen_digest: bytes,
    now: dt.datetime,
    note: str = "",
    origin: Origin = audit.SYSTEM,
) -> Proposal:
    """Do what a colleague proposed, if it does what `seen_digest` stands for, once; asking again changes nothing.

    A proposal that this release cannot read any more has failed, and is closed.

    :raises PreviewChanged: it would do something else; nothing was written
    :raises OwnProposal, NotOfFinance, ProposalNotFound, ProposalDecided: nothing was written
    :raises DomainError: whatever the command refuses; nothing was written, and the proposal stays open
    """

    def once() -> Proposal:
        with transaction.atomic():
            proposal = _open(public_id, decider_id=approver_id, verdict=Proposal.Status.APPROVED)
            if proposal.status == Proposal.Status.APPROVED:
                return proposal
            decision = _decision(_ask_of(proposal), approver_id)
            try:
                command = get_command(proposal.command)
                arguments = read(command, proposal.arguments)
            except (UnknownCommand, InvalidArguments) as error:
                return _close(proposal, Proposal.Status.FAILED, approver_id, now, f"{error.title}.", origin)
            outcome, does = previews.perform(command, arguments, _deed(_ask_of(proposal), decision, now, origin))
            if previews.digest(does) != seen_digest:
                raise PreviewChanged(does)  # and with it all of the transaction goes
            proposal.result_kind, proposal.result_id = outcome.kind, outcome.id
            return _close(proposal, Proposal.Status.APPROVED, approver_id, now, note, origin)

    return with_retries(once)


def reject(
    *, public_id: uuid.UUID, decider_id: int, note: str, now: dt.datetime, origin: Origin = audit.SYSTEM
) -> Proposal:
    """Refuse what a colleague proposed, and say why; asking again changes nothing.

    :raises ReasonNeeded: `note` is empty
    :raises OwnProposal, NotOfFinance, ProposalNotFound, ProposalDecided: nothing was written
    """
    if not note.strip():
        raise ReasonNeeded
    return _decide(public_id, Proposal.Status.REJECTED, decider_id, now, note, origin)


def withdraw(*, public_id: uuid.UUID, maker_id: int, now: dt.datetime, origin: Origin = audit.SYSTEM) -> Proposal:
    """Take back what one proposed himself; asking again changes nothing.

    :raises SomebodyElsesProposal, ProposalNotFound, ProposalDecided: nothing was written
    """
    return _decide(public_id, Proposal.Status.WITHDRAWN, maker_id, now, "", origin)


def _decide(  # noqa: PLR0917 - private, and both callers read well
    public_id: uuid.UUID, verdict: Proposal.Status, decider_id: int, now: dt.datetime, note: str, origin: Origin
) -> Proposal:
    def once() -> Proposal:
        with transaction.atomic():
            proposal = _open(public_id, decider_id=decider_id, verdict=verdict)
            if proposal.status != Proposal.Status.PROPOSED:
                return proposal
            return _close(proposal, verdict, decider_id, now, note, origin)

    return with_retries(once)


def _open(public_id: uuid.UUID, *, decider_id: int, verdict: Proposal.Status | None = None) -> Proposal:
    """Lock a proposal that this person may decide: an open one, or one that he has decided so already."""
    proposal = Proposal.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
    if proposal is None:
        raise ProposalNotFound
    is_own = proposal.proposed_by_id == decider_id
    if verdict == Proposal.Status.WITHDRAWN and not is_own:
        raise SomebodyElsesProposal
    if verdict != Proposal.Status.WITHDRAWN:
        if is_own:
            raise OwnProposal
        require_members(decider_id)
    if proposal.status != Proposal.Status.PROPOSED and (proposal.status, proposal.decided_by_id) != (
        verdict,
        decider_id,
    ):
        raise ProposalDecided(status=proposal.status)
    return proposal


def _close(  # noqa: PLR0917 - private
    proposal: Proposal, status: Proposal.Status, decider_id: int, now: dt.datetime, note: str, origin: Origin
) -> Proposal:
    _refuse_long(note)
    proposal.status, proposal.note = status, note.strip()
    proposal.decided_by_id, proposal.decided_at = decider_id, now
    proposal.save(update_fields=["status", "note", "decided_by", "decided_at", "result_kind", "result_id"])
    facts = {"result": f"{proposal.result_kind} {proposal.result_id}"} if proposal.result_id else {}
    _record(f"proposal.{status.value}", proposal, origin, decider_id, note=proposal.note, **facts)
    return proposal


# Both -------------------------------------------------------------------------------------------------------------------
def _rehearse(ask: Ask, *, approver: int, now: dt.datetime) -> Preview:
    decision = _decision(ask, approver)
    command: Command = get_command(ask.command)
    return previews.rehearse(command, read(command, ask.arguments), _deed(ask, decision, now, audit.SYSTEM))


def _decision(ask: Ask, approver: int) -> Decision:
    _refuse_long(ask.reason)
    decision = Decision(proposed_by=ask.proposed_by, approved_by=approver, reason=ask.reason)
    require_finance(decision)
    return decision


def _deed(ask: Ask, decision: Decision, now: dt.datetime, origin: Origin) -> Deed:
    key = previews.key_of(ask.public_id, ask.command, ask.arguments)
    return Deed(decision=decision, key=key, now=now, origin=origin)


def _stand_in(maker_id: int) -> int:
    """Somebody who could approve it: who will is not known yet, and changes nothing about what it does."""
    others = User.objects.filter(is_staff=True, status=User.Status.ACTIVE, groups__name=FINANCE).exclude(pk=maker_id)
    found = others.order_by("pk").values_list("pk", flat=True).first()
    if found is None:
        raise NobodyToApprove
    return found


def _ask_of(proposal: Proposal) -> Ask:
    return Ask(
        public_id=proposal.public_id,
        command=proposal.command,
        arguments=proposal.arguments,
        reason=proposal.reason,
        proposed_by=proposal.proposed_by_id,
    )


def _same(made: Proposal, ask: Ask) -> Proposal:
    if _ask_of(made) != replace(ask, arguments=dict(ask.arguments)):
        raise ProposalExists
    return made


def _refuse_long(text: str) -> None:
    if len(text) > LONGEST_REASON:
        raise ReasonTooLong(most=LONGEST_REASON)


def _record(verb: str, proposal: Proposal, origin: Origin, actor_id: int, **facts: Any) -> None:
    audit.record(
        verb,
        subject_type="proposal",
        subject_id=proposal.public_id,
        origin=replace(origin, actor_id=origin.actor_id or actor_id),
        command=proposal.command,
        about=f"{proposal.subject_type} {proposal.subject_id}",
        **facts,
    )
