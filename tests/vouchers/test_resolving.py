"""What two of finance decide about money in suspense: what fits, who may decide, and that it counts once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.decisions import Decision, NotOfFinance, ReasonNeeded, TwoPeopleNeeded
from accounts.models import AuditEvent, User
from accounts.services import create_staff
from mymoolah.common.clock import now
from tests.conftest import Person, Sql, fund
from tests.transactions.legs import decided
from tests.vouchers.suspense import (
    FEES,
    FITTING,
    SERVICES,
    STORIES,
    Service,
    decide,
    legs_of,
    naming,
    reported,
    story,
)
from tests.vouchers.till import (
    SPENT,
    TOP_UP,
    a_key,
    moves,
    payment,
    status_of,
    told,
)
from transactions.posting import (
    IdempotencyKey,
    IdempotencyKeyReused,
)
from vouchers.models import SuspenseItem, Voucher, VoucherRedemption
from vouchers.services import resolving
from vouchers.services.resolving import (
    ResolutionDoesNotFit,
    Resolved,
    SuspenseItemNotFound,
    SuspenseItemResolved,
)

pytestmark = pytest.mark.usefixtures("ledger")


# What fits ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", STORIES)
def test_each_item_is_resolved_by_what_fits_it_and_by_nothing_else(name: str, thandi: Person, owner_sql: Sql) -> None:
    item, who = story(name, thandi, owner_sql)
    fitting = [service for service, (_, stories) in SERVICES.items() if name in stories]
    assert fitting
    with moves({}):
        for service in SERVICES.keys() - set(fitting):
            with pytest.raises(ResolutionDoesNotFit):
                decide(SERVICES[service][0], item, **naming(service, who))
        with pytest.raises(ResolutionDoesNotFit):
            decide(resolving.reverse_release, item)
    item.refresh_from_db()
    assert item.resolved_at is None
    decide(SERVICES[fitting[0]][0], item, **naming(fitting[0], who))


# Who decides, and once ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("service", FITTING)
def test_each_decision_needs_two_of_finance_and_a_reason(service: str, thandi: Person, owner_sql: Sql) -> None:
    item, who = story(FITTING[service], thandi, owner_sql)
    pair = decided()
    auditor = create_staff(email="a@example.com", password="!", first_name="A", last_name="A", role="auditor")
    again = partial(decide, SERVICES[service][0], item, **naming(service, who))
    with moves({}):
        with pytest.raises(TwoPeopleNeeded):
            Decision(proposed_by=pair.proposed_by, approved_by=pair.proposed_by, reason="Alone")
        for one, other in (
            (auditor.pk, pair.approved_by),
            (pair.proposed_by, auditor.pk),
            (thandi.user.pk, auditor.pk),
        ):
            with pytest.raises(NotOfFinance):
                again(decision=Decision(proposed_by=one, approved_by=other, reason="Because"))
        with pytest.raises(ReasonNeeded):
            again(decision=decided("  "))
        User.objects.filter(pk=pair.approved_by).update(status="suspended")
        with pytest.raises(NotOfFinance):
            again(decision=pair)
        User.objects.filter(pk=pair.approved_by).update(status="active")
        missing = SuspenseItem(public_id="00000000-0000-4000-8000-000000000000")
        with pytest.raises(SuspenseItemNotFound):
            decide(SERVICES[service][0], missing, **naming(service, who))
    moment = now()
    resolved = again(decision=pair, now=moment)
    resolved.refresh_from_db()
    assert (resolved.resolved_at, resolved.resolved_by_id, resolved.approved_by_id) == (
        moment,
        pair.proposed_by,
        pair.approved_by,
    )
    first = legs_of(resolved.resolution_transfer_id)[0]
    assert (first.group_id, first.initiated_by_id, first.approved_by_id) == (
        first.pk,
        pair.proposed_by,
        pair.approved_by,
    )
    assert first.metadata is not None
    assert first.metadata["suspense_item"] == str(item.public_id)
    event = AuditEvent.objects.get(verb="suspense.resolved")
    assert event.subject_id == str(item.public_id)
    assert event.actor_id == pair.approved_by
    assert event.facts["resolution"] == resolved.resolution
    assert event.facts["transfer"] == str(first.pk)
    assert event.facts["reason"] == pair.reason


@pytest.mark.parametrize("service", FITTING)
def test_each_decision_is_carried_out_once(
    service: str, thandi: Person, owner_sql: Sql, race: Callable[..., list[Any]]
) -> None:
    item, who = story(FITTING[service], thandi, owner_sql)
    pair = decided()

    def work() -> Resolved:
        given: dict[str, Any] = {"decision": pair, "key": a_key(), "now": now(), **naming(service, who)}
        return SERVICES[service][0](item_public_id=item.public_id, **given)

    answers = race(4, work)
    assert Counter(type(answer) for answer in answers) == {Resolved: 1, SuspenseItemResolved: 3}
    with moves({}), pytest.raises(SuspenseItemResolved):
        work()
    assert SuspenseItem.objects.exclude(resolved_at=None).count() == 1
    assert AuditEvent.objects.filter(verb="suspense.resolved").count() == 1


def test_one_decision_that_comes_four_times_at_once_gets_one_answer(
    thandi: Person, race: Callable[..., list[Any]]
) -> None:
    _, item = reported(thandi, TOP_UP, "60.00")
    pair, key = decided(), a_key()
    release = partial(resolving.release_cash_in, item_public_id=item.public_id, decision=pair, now=now())
    with moves({"suspense": "-60.00", thandi: "53.67", **FEES}):
        answers = race(4, lambda: release(key=key))
        answers.append(release(key=key))
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 4}
    assert {answer.item for answer in answers} == {item}
    assert {answer.item.resolution for answer in answers} == {"released"}
    with pytest.raises(IdempotencyKeyReused):
        release(key=IdempotencyKey(key.actor, key.key, hashlib.sha256(b"that").digest()))


def test_of_two_different_decisions_at_once_one_counts(thandi: Person, race: Callable[..., list[Any]]) -> None:
    pair = decided()
    for _ in range(5):
        _, item = reported(thandi, TOP_UP, "60.00")
        waiting = iter([resolving.release_cash_in, resolving.return_cash_in])

        def work(waiting: Any = waiting, item: SuspenseItem = item) -> Resolved:
            service: Service = next(waiting)
            return service(item_public_id=item.public_id, decision=pair, key=a_key(), now=now())

        assert Counter(type(answer) for answer in race(2, work)) == {Resolved: 1, SuspenseItemResolved: 1}


def test_a_decision_and_a_report_of_the_same_voucher_at_once_leave_one_truth(
    thandi: Person, race: Callable[..., list[Any]]
) -> None:
    fund(thandi, "5000.00")
    pair = decided()
    for kind, service in ((TOP_UP, resolving.release_cash_in), (SPENT, resolving.resolve_spent)) * 3:
        voucher, item = reported(thandi, kind, "60.00")
        waiting = iter([True, False])

        def work(waiting: Any = waiting, voucher: Voucher = voucher, item: SuspenseItem = item, service: Any = service) -> Any:  # fmt: skip
            if next(waiting):
                return told(payment(voucher))
            return service(item_public_id=item.public_id, decision=pair, key=a_key(), now=now())

        answers = race(2, work)
        assert not any(
            isinstance(answer, Exception) and not isinstance(answer, ResolutionDoesNotFit) for answer in answers
        )
        assert status_of(voucher) == "redeemed"
        assert VoucherRedemption.objects.filter(voucher=voucher).count() <= 1
