"""What finance can propose, each with a bank in which it makes sense."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.forms.models import model_to_dict

from accounts import audit
from accounts.audit import Origin
from accounts.decisions import Decision
from accounts.models import User
from accounts.services import create_staff
from mymoolah.common.clock import iso_utc, now
from mymoolah.common.money import Money
from tests.conftest import Person, Sql, fund, send
from tests.transactions.legs import decided, key
from tests.vouchers import suspense, till
from tests.vouchers.desk import STANDARD
from tests.vouchers.desk import issue as issue_at_desk
from transactions import corrections, posting
from transactions.models import FeeRule, Kind, Proposal
from transactions.posting import House, Leg
from transactions.proposals import services
from transactions.proposals.services import Ask
from vouchers.services import resolving
from wallets.models import TierLimit, Wallet

Arguments = Mapping[str, str | bool]
Story = Callable[[Person, Person, Sql], Arguments]

TIER_2: Arguments = {
    "tier": "2",
    "currency": "ZAR",
    "per_transfer_amount": "100.00",
    "per_day_amount": "200.00",
    "per_month_amount": "3000.00",
    "highest_balance": "100000.00",
    "may_send": True,
    "may_cash_out": False,
}


_turns = itertools.count(1)


def pair() -> tuple[int, int]:
    """Who proposes, and who approves."""
    decision = decided()
    return decision.proposed_by, decision.approved_by


def ask(command: str, arguments: Arguments, *, reason: str = "Case 17", by: int | None = None) -> Ask:
    maker, _ = pair()
    return Ask(public_id=uuid.uuid4(), command=command, arguments=arguments, reason=reason, proposed_by=by or maker)


def proposed(command: str, arguments: Arguments, **said: Any) -> Proposal:
    return services.propose(ask(command, arguments, **said), now=now())


def approve(proposal: Proposal, *, by: int | None = None, seen: bytes | None = None, note: str = "") -> Proposal:
    _, checker = pair()
    return services.approve(
        public_id=proposal.public_id,
        approver_id=by or checker,
        seen_digest=bytes(proposal.preview_digest) if seen is None else seen,
        note=note,
        now=now(),
    )


def adjustment(who: Person, amount: str = "60.00", direction: str = "debit") -> Arguments:
    return {
        "wallet": who.wallet.number,
        "direction": direction,
        "amount": amount,
        "currency": who.wallet.currency,
        "override_ceiling": False,
    }


# One story for each command -----------------------------------------------------------------------------------------
def sent(thandi: Person, sipho: Person, _: Sql) -> Arguments:
    fund(thandi, "100.00")
    return {"transfer": str(send(thandi, sipho, "60.00").transfer_id)}


def spent(thandi: Person, sipho: Person, sql: Sql) -> Arguments:
    arguments = sent(thandi, sipho, sql)
    away = House(Wallet.Kind.ADJUSTMENTS, 0)
    posting.post([Leg(kind=Kind.DEMO_MONEY, source=sipho.wallet.pk, target=away, amount=Money.parse("10.00"))])
    return arguments


def owed(thandi: Person, sipho: Person, sql: Sql) -> Arguments:
    transfer = uuid.UUID(str(spent(thandi, sipho, sql)["transfer"]))
    debt = corrections.force_reversal(transfer_id=transfer, decision=decided(), key=key(f"force {transfer}"))
    return {"receivable": str(debt.public_id), "amount": "45.50", "currency": "ZAR"}


def adjusted(thandi: Person, _: Person, __: Sql) -> Arguments:
    fund(thandi, "100.00")
    return adjustment(thandi)


def in_suspense(name: str, **asked: str) -> Story:
    def tell(thandi: Person, _: Person, sql: Sql) -> Arguments:
        return {"item": str(suspense.story(name, thandi, sql)[0].public_id), **asked}

    return tell


def unknown_number(thandi: Person, _: Person, sql: Sql) -> Arguments:
    item, _customer = suspense.story("unknown", thandi, sql)
    named: Arguments = {"wallet_number": thandi.wallet.number, "override_active": False, "override_ceiling": False}
    return {"item": str(item.public_id), **named}


def refund(thandi: Person, _: Person, sql: Sql) -> Arguments:
    item, _customer = suspense.story("refund", thandi, sql)
    return {"item": str(item.public_id), "wallet_number": thandi.wallet.number}


def too_much(kind: Any) -> Story:
    def tell(thandi: Person, _: Person, __: Sql) -> Arguments:
        fund(thandi, "500.00")
        return {"item": str(suspense.reported(thandi, kind, "130.00")[1].public_id), "bearer": "bank"}

    return tell


def released(thandi: Person, _: Person, sql: Sql) -> Arguments:
    item, _customer = suspense.story("top-up", thandi, sql)
    suspense.decide(resolving.release_cash_in, item)
    return {"item": str(item.public_id)}


def lost(thandi: Person, _: Person, __: Sql) -> Arguments:
    fund(thandi, "100.00")
    return {"voucher": str(issue_at_desk(thandi, STANDARD, "100.00").public_id)}


def fee(_: Person, __: Person, ___: Sql) -> Arguments:
    return {
        "kind": "easypay_topup",
        "currency": "ZAR",
        "fee_amount": "6.00",
        "vat_rate": "0.1500",
        "valid_from": iso_utc(now() + dt.timedelta(days=1)),
    }


STORIES: dict[str, Story] = {
    "reverse_transfer": sent,
    "force_reversal": spent,
    "collect_receivable": owed,
    "adjust_wallet": adjusted,
    "settle": lambda *_: {"step": "top_ups", "amount": "1200.00", "currency": "ZAR"},
    "set_fee": fee,
    "set_tier_limit": lambda *_: TIER_2,
    "release_cash_in": unknown_number,
    "return_cash_in": in_suspense("top-up"),
    "release_refund": refund,
    "pay_refund_outside": in_suspense("refund"),
    "resolve_spent": too_much(till.SPENT),
    "resolve_paid_out": too_much(till.CASH_OUT),
    "bear": in_suspense("cash-out again", bearer="customer"),
    "reverse_release": released,
    "cancel_voucher": lost,
}


def another_limit(_: object) -> Arguments:
    """Each time a little less a month, so that it is always a change."""
    left = 100_000 - next(_turns)
    return {**TIER_2, "per_transfer_amount": "25000.00", "per_day_amount": "50000.00", "per_month_amount": f"{left}.00"}


def third() -> User:
    """One more of finance."""
    return create_staff(
        email="finance3@example.com", password="!", first_name="Third", last_name="Finance", role="finance"
    )


def minuted(decision: Decision, kind: str, rule: TierLimit | FeeRule) -> None:
    """What makes a fee or a limit stand: two of finance approved just this, in the transaction that writes it."""
    write_approved(write_proposed(decision, kind, rule, using="owner"), decision, kind, rule)


def write_proposed(decision: Decision, kind: str, rule: TierLimit | FeeRule, *, using: str) -> Proposal:
    """By the owner it is in a transaction of its own, which has ended."""
    told = {name: value for name, value in model_to_dict(rule).items() if name != "id"}
    made = Proposal.objects.using(using).create(
        command=f"set_{kind}",
        arguments=json.loads(json.dumps(told, default=str)),
        subject_type=kind,
        subject_id="-",
        reason=decision.reason,
        proposed_by_id=decision.proposed_by,
        proposed_at=now(),
        preview={},
        preview_digest=b"v" * 32,
    )
    return Proposal.objects.get(pk=made.pk)


def write_approved(
    proposal: Proposal, decision: Decision, kind: str, rule: TierLimit | FeeRule, *, told_by: int | None = None
) -> None:
    """Approve, and tell the audit trail that the approver did, or another."""
    proposal.status, proposal.decided_by_id, proposal.decided_at = "approved", decision.approved_by, now()
    proposal.result_kind, proposal.result_id = kind, str(rule.pk)
    proposal.save(update_fields=["status", "decided_by", "decided_at", "result_kind", "result_id"])
    origin = Origin(actor_id=told_by or decision.approved_by)
    audit.record("proposal.approved", subject_type="proposal", subject_id=proposal.public_id, origin=origin)
