"""Every verb and every kind of subject that the audit trail knows, and how people are told.

A verb is `<what>.<happened>`, and reads as it is written: `wallet.frozen` is "Wallet frozen". What would read badly has
words of its own. A test compares both lists with the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

VERBS: Final = frozenset(
    {
        "account.closed",
        "account.reinstated",
        "account.reopened",
        "account.suspended",
        "audit.exported",
        "books.exported",
        "confirmation.locked",
        "contact.changed",
        "contact.code_sent",
        "contact.verified",
        "customers.load_finished",
        "customers.load_started",
        "desk.loaded",
        "fee.set",
        "house.settled",
        "identity.revealed",
        "kyc.approval_proposed",
        "kyc.approved",
        "kyc.claimed",
        "kyc.document_asked_again",
        "kyc.document_replaced",
        "kyc.document_viewed",
        "kyc.note_added",
        "kyc.number_shown",
        "kyc.proposal_handed_back",
        "kyc.rejected",
        "kyc.released",
        "kyc.submitted",
        "kyc.taken_over",
        "password.changed",
        "password.refused",
        "password.reset",
        "password.reset_sent",
        "permission.refusals_muted",
        "permission.refused",
        "proposal.approved",
        "proposal.failed",
        "proposal.made",
        "proposal.rejected",
        "proposal.withdrawn",
        "receivable.collected",
        "second_factor.enrolled",
        "second_factor.failed",
        "second_factor.locked",
        "second_factor.recovery_code_used",
        "second_factor.recovery_codes_renewed",
        "second_factor.replaced",
        "second_factor.reset",
        "session.ended",
        "session.refresh_token_reused",
        "session.started",
        "sessions.ended",
        "sign_in.failed",
        "sign_in.locked",
        "sign_in.unlocked",
        "staff.confirmation_refused",
        "staff.created",
        "staff.roles_set",
        "staff.sessions_ended",
        "staff.signed_in",
        "staff.signed_out",
        "staff.superuser_created",
        "superuser.acted",
        "superuser.looked",
        "support.asked_for_customer",
        "support_article.approved",
        "support_article.retired",
        "support_article.written",
        "support_ticket.answered",
        "support_ticket.closed",
        "support_ticket.opened",
        "support_ticket.read",
        "support_ticket.taken",
        "support_transcripts.erased",
        "suspense.opened",
        "suspense.release_reversed",
        "suspense.resolved",
        "tier_limit.set",
        "till.reference_reused",
        "transfer.force_reversed",
        "transfer.reversed",
        "user.corrected",
        "user.password_set",
        "user.registered",
        "user.renamed",
        "voucher.cancelled",
        "voucher.cancelled_by_finance",
        "voucher.cancelled_by_staff",
        "voucher.code_unknown",
        "voucher.expired",
        "wallet.adjusted",
        "wallet.frozen",
        "wallet.opened",
        "wallet.unfrozen",
    }
)
WORDS: Final[Mapping[str, str]] = {
    "audit.exported": "Audit trail exported",
    "confirmation.locked": "Confirming by password locked",
    "house.settled": "Settlement entered",
    "identity.revealed": "Whole identity number looked at",
    "kyc.document_viewed": "KYC document looked at",
    "kyc.number_shown": "Identity number shown to an officer",
    "password.refused": "Wrong password of somebody signed in",
    "permission.refusals_muted": "Further refusals of an hour left out",
    "permission.refused": "Page refused",
    "session.refresh_token_reused": "Refresh token used twice",
    "staff.roles_set": "Roles given to a colleague",
    "superuser.acted": "Emergency power used",
    "superuser.looked": "Emergency power used to look",
    "support.asked_for_customer": "Support assistant asked for a customer",
    "support_ticket.read": "Support ticket read",
    "user.corrected": "Profile corrected by staff",
    "voucher.code_unknown": "Unknown voucher code tried",
}

SUBJECTS: Final[Mapping[str, str]] = {
    "audit_trail": "Audit trail",
    "books": "Books",
    "fee_rule": "Fee",
    "kyc_submission": "KYC case",
    "load": "Load of customers",
    "page": "Page",
    "proposal": "Proposal",
    "receivable": "Receivable",
    "session": "Device",
    "support_article": "Support article",
    "support_ticket": "Support ticket",
    "suspense_item": "Suspense item",
    "tier_limit": "Limits of tier",
    "till_event": "Till event",
    "transfer": "Transfer",
    "user": "Person",
    "voucher": "Voucher",
    "wallet": "Wallet",
}


def verb_in_words(verb: str) -> str:
    """`kyc.approved` as "KYC approved"; one that no release writes any more, too."""
    plain = verb.replace(".", " ").replace("_", " ")
    return WORDS.get(verb) or (plain[:1].upper() + plain[1:]).replace("Kyc", "KYC")


def subject_in_words(subject_type: str, subject_id: str) -> str:
    return f"{SUBJECTS.get(subject_type, subject_type.replace('_', ' '))} {subject_id}".strip()


def verb_of(words: str) -> str:
    """The verb that people are told in these words, whatever their case.

    :raises StopIteration: none is
    """
    return next(verb for verb in VERBS if verb_in_words(verb).casefold() == words.casefold())
