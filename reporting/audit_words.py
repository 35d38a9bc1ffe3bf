"""Audit events as sentences, for a timeline that is read while somebody waits on the telephone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

SENTENCES: Final[Mapping[str, str]] = {
    "contact.changed": "{who} changed the {contact}",
    "contact.code_sent": "A code to confirm the {contact} was sent",
    "contact.verified": "{who} confirmed the {contact}",
    "fee.set": "{who} set a fee",
    "kyc.approval_proposed": "{who} proposed to approve the identity",
    "kyc.approved": "{who} approved the identity",
    "kyc.claimed": "{who} claimed the KYC case",
    "kyc.document_asked_again": "{who} asked for a document again",
    "kyc.document_replaced": "{who} sent a document again",
    "kyc.document_viewed": "{who} looked at an identity document",
    "kyc.note_added": "{who} wrote a note on the KYC case",
    "kyc.number_shown": "{who} looked at the whole identity number",
    "kyc.proposal_handed_back": "{who} handed the KYC proposal back",
    "kyc.rejected": "{who} rejected the identity documents",
    "kyc.released": "{who} released the KYC case",
    "kyc.submitted": "{who} sent identity documents",
    "kyc.taken_over": "{who} took the KYC case over",
    "password.changed": "{who} changed the password",
    "password.refused": "Somebody signed in gave a wrong password",
    "password.reset": "{who} chose a new password by a reset message",
    "password.reset_sent": "A message to reset the password was sent",
    "proposal.approved": "{who} approved a proposal",
    "proposal.failed": "A proposal failed when {who} approved it",
    "proposal.made": "{who} made a proposal",
    "proposal.rejected": "{who} rejected a proposal",
    "proposal.withdrawn": "{who} withdrew a proposal",
    "receivable.collected": "{who} collected what was owed",
    "session.ended": "{who} ended a session",
    "session.refresh_token_reused": "A session was ended: its token was used twice, perhaps by a thief",
    "session.started": "{who} signed in",
    "sessions.ended": "{who} ended the sessions",
    "sign_in.failed": "A sign-in failed: wrong password",
    "sign_in.locked": "Signing in was locked: too many wrong passwords",
    "suspense.opened": "Money was put in suspense",
    "suspense.release_reversed": "{who} reversed a release from suspense",
    "suspense.resolved": "{who} resolved an item of suspense",
    "till.reference_reused": "A till used a reference twice",
    "transfer.force_reversed": "{who} took a transfer back by force",
    "transfer.reversed": "{who} reversed a transfer",
    "user.corrected": "{who} corrected the profile: {changed}",
    "user.password_set": "A password was set for the demo",
    "user.registered": "The account was opened",
    "user.renamed": "{who} changed the name",
    "voucher.cancelled": "{who} cancelled a voucher",
    "voucher.cancelled_by_finance": "{who} cancelled a voucher for finance",
    "voucher.code_unknown": "{who} typed a voucher code that is none",
    "voucher.expired": "A voucher expired",
    "wallet.adjusted": "{who} adjusted wallet {subject}",
    "wallet.frozen": "{who} froze wallet {subject}",
    "wallet.opened": "Wallet {subject} was opened",
}


def sentence(*, verb: str, who: str, subject_id: str, facts: Mapping[str, Any]) -> str:
    """What happened, in words; a verb without a sentence is told as it is written."""
    form = SENTENCES.get(verb)
    if form is None:
        return f"{who}: {verb.replace('.', ' ').replace('_', ' ')}"
    told = {name: _in_words(value) for name, value in facts.items()}
    return form.format_map(defaultdict(lambda: "…", told, who=who, subject=subject_id))


def _in_words(value: object) -> str:
    return ", ".join(map(_in_words, value)) if isinstance(value, list) else str(value).replace("_", " ")
