"""What each tier asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from accounts.models import KycDocument

HIGHEST_TIER = 2

# What a tier needs beyond the one below it: the kind of document, its code, and what to ask for.
REQUIREMENTS: Mapping[int, Mapping[KycDocument.Kind, tuple[str, str]]] = {
    1: {
        KycDocument.Kind.IDENTITY: (
            "identity_document",
            "Your identity number, and a photograph or scan of your ID card, ID book or passport.",
        )
    },
    2: {
        KycDocument.Kind.PROOF_OF_ADDRESS: (
            "proof_of_address",
            "A bank statement or municipal account with your name and address, at most three months old.",
        )
    },
}


def missing_kinds(*, has_tier: int, tier: int, kinds: Collection[str]) -> list[KycDocument.Kind]:
    """What documents of these `kinds` lack of what `tier` asks from somebody who has `has_tier`."""
    needed = [kind for above in range(has_tier + 1, tier + 1) for kind in REQUIREMENTS[above]]
    return [kind for kind in needed if kind not in kinds]


def sought_tier(*, has_tier: int, kinds: Collection[str]) -> int:
    """The highest tier that documents of these `kinds` are good for, or the next one."""
    above = range(has_tier + 1, HIGHEST_TIER + 1)
    reached = [tier for tier in above if not missing_kinds(has_tier=has_tier, tier=tier, kinds=kinds)]
    return max(reached, default=min(has_tier + 1, HIGHEST_TIER))
