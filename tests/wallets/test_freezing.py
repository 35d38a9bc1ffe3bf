"""Freezing and unfreezing by staff: whose wish it was says who undoes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from accounts.decisions import ReasonNeeded
from accounts.models import AuditEvent, User
from accounts.staff_deeds import NotAllowed, OwnAccount, StaffAccount, StalePage
from reporting.roles import ROLES
from tests.api import calling, problem
from tests.conftest import Ledger, Person, Sql, fund, refused, send
from tests.staff import by, officer, told_of, why
from transactions.posting import WalletFrozen
from wallets.freezing import NOT_STOPPED, NotFrozen, Question, QuestionsOpen, freeze_for_cause, unfreeze_wallet
from wallets.models import Wallet
from wallets.services import CannotFreeze, WalletNotFound, freeze_wallet

ACTIVE, BY_CUSTOMER, BY_BANK = "active", "frozen by the customer", "frozen by the bank"


def standing(who: Person) -> str:
    return Wallet.objects.get(pk=who.wallet.pk).standing


def freeze(who: Person, reason: str = "fraud", *, role: str = "support", seen: str = ACTIVE) -> None:
    freeze_for_cause(number=who.wallet.number, seen=seen, why=why(reason), origin=by(role))


def unfreeze(who: Person, *, role: str = "finance", seen: str = BY_BANK, answered: list[str] | None = None) -> None:
    unfreeze_wallet(
        number=who.wallet.number,
        seen=seen,
        why=why("cleared"),
        answered=Question.values if answered is None else answered,
        origin=by(role),
    )


def freezes_it_himself(who: Person) -> None:
    freeze_wallet(number=who.wallet.number, user_public_id=who.user.public_id, origin=by("support"))


@pytest.mark.usefixtures("worker_at_hand")
def test_a_frozen_wallet_moves_nothing_until_finance_unfreezes_it(
    thandi: Person, sipho: Person, ledger: Ledger
) -> None:
    fund(thandi, "100.00")
    freeze(thandi)
    with pytest.raises(WalletFrozen):
        send(thandi, sipho, "10.00")
    order = {"to": "sipho@example.com", "amount": "10.00", "currency": "ZAR"}
    refusal = problem(calling(thandi).post("transfers", order, Idempotency_Key="k"), 409, "wallet_frozen")
    assert "call us" in refusal["title"]
    unfreeze(thandi)
    send(thandi, sipho, "10.00")
    assert [message.subject for message in mail.outbox] == [
        f"Your wallet ending in {thandi.wallet.number[-4:]} is frozen",
        f"Your wallet ending in {thandi.wallet.number[-4:]} works again",
    ]
    assert all(message.to == ["thandi@example.com"] for message in mail.outbox)
    assert NOT_STOPPED in str(mail.outbox[0].body)
    assert "raud" not in "".join(message.subject + str(message.body) for message in mail.outbox)


def test_each_is_one_event_that_says_who_why_and_for_whom(thandi: Person, ledger: Ledger) -> None:
    freeze(thandi, "takeover")
    unfreeze(thandi)
    frozen, unfrozen = told_of("wallet.frozen"), told_of("wallet.unfrozen")
    assert frozen.facts == {"frozen_by": "bank", "reason": "takeover", "words": "Case 17"}
    assert unfrozen.facts == {
        "frozen_by": "bank",
        "answered": sorted(Question.values),
        "reason": "cleared",
        "words": "Case 17",
    }
    for event, email in ((frozen, "support@example.com"), (unfrozen, "finance@example.com")):
        assert event.actor is not None
        assert (event.actor.email, event.subject_id, event.address) == (email, thandi.wallet.number, "192.0.2.7")


@pytest.mark.parametrize("reason", ["lost", "asked"])
def test_what_the_customer_wanted_support_undoes_for_who_answers(thandi: Person, ledger: Ledger, reason: str) -> None:
    freeze(thandi, reason)
    assert standing(thandi) == BY_CUSTOMER
    for answered in ([], ["born", "contacts"], ["born", "contacts", "else"]):
        with pytest.raises(QuestionsOpen):
            unfreeze(thandi, role="support", seen=BY_CUSTOMER, answered=answered)
    unfreeze(thandi, role="support", seen=BY_CUSTOMER)
    assert standing(thandi) == ACTIVE


def test_what_the_customer_froze_in_the_app_is_the_customers(thandi: Person, ledger: Ledger) -> None:
    freezes_it_himself(thandi)
    assert standing(thandi) == BY_CUSTOMER
    unfreeze(thandi, role="support", seen=BY_CUSTOMER)
    assert standing(thandi) == ACTIVE


def test_what_the_bank_froze_support_does_not_undo(thandi: Person, ledger: Ledger) -> None:
    freeze(thandi)
    with pytest.raises(NotAllowed):
        unfreeze(thandi, role="support")
    assert standing(thandi) == BY_BANK
    unfreeze(thandi, role="administrator", answered=[])


def test_a_freeze_of_unknown_origin_counts_as_the_banks(thandi: Person, ledger: Ledger, owner_sql: Sql) -> None:
    owner_sql("UPDATE wallets SET status = 'frozen' WHERE id = %s", thandi.wallet.pk)
    with pytest.raises(NotAllowed):
        unfreeze(thandi, role="support")
    unfreeze(thandi)


def test_the_bank_takes_over_what_the_customer_froze_and_never_the_other_way(thandi: Person, ledger: Ledger) -> None:
    freezes_it_himself(thandi)
    freeze(thandi, "fraud", seen=BY_CUSTOMER)
    assert standing(thandi) == BY_BANK
    freezes_it_himself(thandi)
    for reason in ("lost", "fraud"):
        with pytest.raises(CannotFreeze):
            freeze(thandi, reason, seen=BY_BANK)
    assert standing(thandi) == BY_BANK


@pytest.mark.parametrize("role", sorted(ROLES))
def test_only_who_may_freezes_and_unfreezes(thandi: Person, ledger: Ledger, role: str) -> None:
    if "wallets.freeze_wallet" in ROLES[role]:
        freeze(thandi, role=role)
    else:
        with pytest.raises(NotAllowed):
            freeze(thandi, role=role)
        freeze(thandi, role="support")
    if "wallets.unfreeze_wallet" in ROLES[role]:
        unfreeze(thandi, role=role)
    else:
        with pytest.raises(NotAllowed):
            unfreeze(thandi, role=role)


@pytest.mark.parametrize(
    ("reason", "words"), [("", "Case 17"), ("cleared", "Case 17"), ("fraud", " "), ("other", ""), ("fraud", "x" * 501)]
)
def test_a_freeze_needs_a_reason_of_the_list_and_words(thandi: Person, ledger: Ledger, reason: str, words: str) -> None:
    with pytest.raises(ReasonNeeded):
        freeze_for_cause(number=thandi.wallet.number, seen=ACTIVE, why=why(reason, words), origin=by("support"))
    assert standing(thandi) == ACTIVE


def test_what_an_old_page_decided_is_refused(thandi: Person, ledger: Ledger) -> None:
    with pytest.raises(StalePage):
        unfreeze(thandi)
    freeze(thandi)
    with pytest.raises(StalePage):
        freeze(thandi)
    unfreeze(thandi)
    with pytest.raises(StalePage):
        unfreeze(thandi)
    with pytest.raises(NotFrozen):
        unfreeze(thandi, seen=ACTIVE)
    assert AuditEvent.objects.filter(verb__startswith="wallet.", subject_id=thandi.wallet.number).count() == 3


def test_a_closed_wallet_and_the_houses_are_not_frozen(thandi: Person, ledger: Ledger) -> None:
    Wallet.objects.filter(pk=thandi.wallet.pk).update(status="closed")
    with pytest.raises(CannotFreeze):
        freeze(thandi, seen="closed")
    house = Wallet.objects.exclude(kind="customer").first()
    assert house is not None
    for number in (house.number, "1", ""):
        with pytest.raises(WalletNotFound):
            freeze_for_cause(number=number, seen=ACTIVE, why=why("fraud"), origin=by("support"))


def test_nobody_unfreezes_his_own_and_only_administrators_a_colleagues(thandi: Person, ledger: Ledger) -> None:
    origin = by("finance")
    freeze(thandi)
    User.objects.filter(pk=thandi.user.pk).update(is_staff=True)
    with pytest.raises(StaffAccount):
        unfreeze_wallet(number=thandi.wallet.number, seen=BY_BANK, why=why("mistake"), origin=origin)
    thandi.user.groups.set(officer("finance").groups.all())
    with pytest.raises(OwnAccount):
        unfreeze_wallet(
            number=thandi.wallet.number,
            seen=BY_BANK,
            why=why("mistake"),
            origin=type(origin)(actor_id=thandi.user.pk),
        )
    unfreeze(thandi, role="administrator")


def test_of_two_at_once_one_wins(thandi: Person, race: Callable[..., list[Any]]) -> None:
    for role in ("support", "finance"):
        by(role)
    answers = race(4, lambda: freeze(thandi))
    assert Counter(type(answer) for answer in answers) == {type(None): 1, StalePage: 3}
    answers = race(4, lambda: unfreeze(thandi))
    assert Counter(type(answer) for answer in answers) == {type(None): 1, StalePage: 3}
    assert AuditEvent.objects.filter(verb__in=["wallet.frozen", "wallet.unfrozen"]).count() == 2


def test_the_database_knows_who_froze_only_of_a_frozen_wallet(
    thandi: Person, ledger: Ledger, app_sql: Sql, owner_sql: Sql
) -> None:
    with refused("MM901"):
        owner_sql("UPDATE wallets SET frozen_by = 'bank' WHERE id = %s", thandi.wallet.pk)
    with refused("MM901"):
        app_sql("UPDATE wallets SET status = 'frozen', frozen_by = 'me' WHERE id = %s", thandi.wallet.pk)
    app_sql("UPDATE wallets SET status = 'frozen', frozen_by = 'customer' WHERE id = %s", thandi.wallet.pk)
    with refused("MM901"):
        owner_sql("UPDATE wallets SET status = 'active' WHERE id = %s", thandi.wallet.pk)
    app_sql("UPDATE wallets SET frozen_by = 'bank' WHERE id = %s", thandi.wallet.pk)
    history = "SELECT status, frozen_by FROM wallets_history WHERE pgh_obj_id = %s ORDER BY pgh_id"
    assert app_sql(history, thandi.wallet.pk) == [("active", None), ("frozen", "customer")]
