"""What a command would do, told by doing it and taking it back; and what of that must not change unseen."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from mymoolah.common.sql.queries import rows
from transactions.posting import IdempotencyKey
from transactions.proposals.commands import Command, Deed, Facts, Outcome

ACTOR = "finance"
Preview = dict[str, Any]


def key_of(public_id: uuid.UUID, command: str, kept: Mapping[str, str | bool]) -> IdempotencyKey:
    """What makes a proposal happen once, however often it is asked for."""
    return IdempotencyKey(ACTOR, f"proposal:{public_id}", hashlib.sha256(_canonical([command, dict(kept)])).digest())


def perform(command: Command, arguments: Mapping[str, Any], deed: Deed) -> tuple[Outcome, Preview]:
    """Do it, in the caller's transaction, and tell exactly what it did.

    :raises DomainError: whatever the command refuses
    """
    assert connection.in_atomic_block, "what is told about is locked until the transaction ends"
    before = command.facts(arguments)
    outcome = command.execute(arguments, deed)
    return outcome, _told(before, command.facts(arguments), outcome)


def rehearse(command: Command, arguments: Mapping[str, Any], deed: Deed) -> Preview:
    """Do it, tell what it did, and take it back: no transfer, key or audit event stays.

    :raises DomainError: whatever the command refuses
    """
    with transaction.atomic():
        _, preview = perform(command, arguments, deed)
        transaction.set_rollback(True)
    return preview


def digest(preview: Preview) -> bytes:
    """SHA-256 over what a checker relies on: customers' balances and facts before and after, and the house's changes.

    What the house has in all is not part of it: every other payment moves that.
    """
    house = [{name: row[name] for name in ("kind", "currency", "change")} for row in preview["house"]]
    return hashlib.sha256(_canonical({**preview, "house": house})).digest()


def _told(before: Facts, after: Facts, outcome: Outcome) -> Preview:
    effect = (
        rows("transactions", "group_effect.sql", transfer=outcome.group_id, hold=outcome.hold_id)
        if outcome.group_id
        else []
    )
    amounts = ("change", "before", "after", "held_before", "held_after")
    told = [{**row, **{name: f"{row[name]:.2f}" for name in amounts}} for row in effect]
    return {
        "wallets": [row for row in told if row["number"]],
        "house": [
            {name: row[name] for name in ("kind", "currency", "change", "before", "after")}
            for row in told
            if not row["number"]
        ],
        "facts": [
            {"what": what, "before": before.get(what, "-"), "after": after.get(what, "-")}
            for what in dict.fromkeys([*before, *after])
        ],
    }


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
