"""Closing an account, with everything that is open named; and opening it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from accounts.audit import SYSTEM
from accounts.models import AuditEvent, LoginSession, User
from accounts.sessions import start_session
from accounts.staff_deeds import NotAllowed, OwnAccount, StaffAccount, StalePage
from accounts.standing import reinstate_account
from mymoolah.common.clock import now
from reporting.roles import ROLES
from tests.accounts.test_care import submitted
from tests.back_office.house import colleague
from tests.conftest import Ledger, Person, Sql, fund, person, refused, send
from tests.staff import by, officer, told_of, why
from tests.transactions.test_corrections import collect, force, spent
from tests.vouchers import desk
from tests.vouchers.suspense import reported
from tests.vouchers.till import TOP_UP
from transactions.models import Receivable
from transactions.posting import WalletClosed
from transactions.selectors import RecipientCannotReceive
from vouchers.models import SuspenseItem, Voucher
from vouchers.services.closing import (
    REOPENED_WITHIN,
    AccountNotEmpty,
    AlreadyClosed,
    CannotReopen,
    close_account,
    reopen_account,
)
from vouchers.services.ending import Cancelled
from wallets.models import Wallet
from wallets.services import open_wallet


def close(user: User, *, role: str = "kyc", seen: str = "active", **changed: Any) -> None:
    asked = {"why": why("asked"), "origin": by(role), "now": now(), **changed}
    close_account(user=user.public_id, seen=seen, **asked)


def reopen(user: User, *, role: str = "administrator", **changed: Any) -> None:
    asked = {"why": why("mistake"), "origin": by(role), "now": now(), **changed}
    reopen_account(user=user.public_id, **asked)


def standings(who: Person) -> list[str]:
    wallets = Wallet.objects.filter(user=who.user).order_by("pk")
    return [User.objects.get(pk=who.user.pk).status, *(wallet.standing for wallet in wallets)]


def what_is_open(who: Person) -> str:
    """What a closing is refused for; nothing has changed."""
    before = standings(who)
    with pytest.raises(AccountNotEmpty) as caught:
        close(who.user)
    assert standings(who) == before
    return caught.value.detail


@pytest.mark.usefixtures("worker_at_hand")
def test_an_empty_account_closes_with_its_wallets_and_sessions(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    open_wallet(user=thandi.user, currency="USD")
    start_session(user=thandi.user, device="", now=now(), origin=SYSTEM)
    fund(sipho, "10.00")
    close(thandi.user)
    assert standings(thandi) == ["closed", "closed", "closed"]
    assert not LoginSession.objects.filter(revoked_at=None).exists()
    with pytest.raises(RecipientCannotReceive):
        send(sipho, thandi, "1.00")
    with pytest.raises(WalletClosed):
        fund(thandi, "1.00")
    event = told_of("account.closed")
    assert (event.facts["reason"], event.facts["words"], len(event.facts["wallets"])) == ("asked", "Case 17", 2)
    assert [message.subject for message in mail.outbox] == ["Your MyMoolah account is closed"]


def test_money_keeps_an_account_open(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    fund(thandi, "1020.50")
    assert what_is_open(thandi) == f"wallet {thandi.wallet.number} holds 1,020.50 ZAR."
    send(thandi, sipho, "1020.50")
    close(thandi.user)


def test_a_voucher_and_what_is_held_for_it_keep_an_account_open(thandi: Person, ledger: Ledger) -> None:
    fund(thandi, "109.20")
    desk.issue(thandi, desk.CASH_OUT)
    assert what_is_open(thandi) == (
        f"wallet {thandi.wallet.number} holds 109.20 ZAR, 109.20 of it held; live voucher: 1."
    )


def test_a_top_up_that_waits_keeps_an_account_open(thandi: Person, ledger: Ledger) -> None:
    desk.issue(thandi, TOP_UP)
    assert what_is_open(thandi) == "live voucher: 1."


def test_what_is_in_suspense_keeps_an_account_open(thandi: Person, ledger: Ledger) -> None:
    voucher, _ = reported(thandi, TOP_UP, "60.00")
    assert "amount in suspense: 1" in what_is_open(thandi)
    assert SuspenseItem.objects.filter(user=thandi.user).count() == 1
    assert voucher.user_id == thandi.user.pk


def test_an_identity_check_that_waits_keeps_an_account_open(thandi: Person, ledger: Ledger) -> None:
    submitted(thandi)
    assert what_is_open(thandi) == "identity check that waits: 1."


def test_a_debt_keeps_an_account_open_and_the_wallet_in_the_database_too(
    thandi: Person, sipho: Person, naledi: Person, app_sql: Sql, owner_sql: Sql
) -> None:
    owed = force(spent(thandi, sipho, naledi).transfer_id)
    left = Wallet.objects.get(pk=sipho.wallet.pk).balance
    if left:
        send(sipho, naledi, str(left))
    assert what_is_open(sipho) == "amount owed to the bank: 1."
    for run in (app_sql, owner_sql):
        with refused("MM901"):
            run("UPDATE wallets SET status = 'closed' WHERE id = %s", sipho.wallet.pk)
    fund(sipho, str(owed.amount))
    collect(owed, str(owed.amount))
    assert Receivable.objects.get().collected_amount == owed.amount
    close(sipho.user)
    assert standings(sipho) == ["closed", "closed"]


def test_closing_twice_stale_or_ones_own_is_refused(thandi: Person, ledger: Ledger) -> None:
    with pytest.raises(StalePage):
        close(thandi.user, seen="suspended")
    close(thandi.user)
    with pytest.raises(StalePage):
        close(thandi.user)
    with pytest.raises(AlreadyClosed):
        close(thandi.user, seen="closed")
    with pytest.raises(OwnAccount):
        close(officer("kyc"))
    with pytest.raises(StaffAccount):
        close(colleague("support"))
    close(User.objects.get(email="support@example.com"), role="administrator")
    assert AuditEvent.objects.filter(verb="account.closed").count() == 2


@pytest.mark.parametrize("role", sorted(ROLES))
def test_kyc_officers_and_administrators_close_and_administrators_reopen(
    thandi: Person, ledger: Ledger, role: str
) -> None:
    if role in {"kyc", "administrator"}:
        close(thandi.user, role=role)
    else:
        with pytest.raises(NotAllowed):
            close(thandi.user, role=role)
        close(thandi.user)
    if role == "administrator":
        reopen(thandi.user, role=role)
    else:
        with pytest.raises(NotAllowed):
            reopen(thandi.user, role=role)
        assert standings(thandi) == ["closed", "closed"]


def test_a_reopened_account_is_suspended_and_its_wallets_are_what_they_were(thandi: Person, ledger: Ledger) -> None:
    rand, dollar = thandi, Person(thandi.user, open_wallet(user=thandi.user, currency="USD"))
    Wallet.objects.filter(pk=dollar.wallet.pk).update(status="frozen", frozen_by="bank")
    with pytest.raises(CannotReopen):
        reopen(thandi.user)
    close(thandi.user)
    reopen(thandi.user)
    assert standings(thandi) == ["suspended", "active", "frozen by the bank"]
    reinstate_account(user=thandi.user.public_id, seen="suspended", why=why("cleared"), origin=by("kyc"))
    fund(rand, "1.00")
    with pytest.raises(CannotReopen):
        reopen(thandi.user)
    assert told_of("account.reopened").facts == {"reason": "mistake", "words": "Case 17"}


def test_after_thirty_days_a_closing_stands(thandi: Person, ledger: Ledger) -> None:
    close(thandi.user)
    with pytest.raises(CannotReopen):
        reopen(thandi.user, now=now() + REOPENED_WITHIN)
    reopen(thandi.user, now=now() + REOPENED_WITHIN - dt.timedelta(minutes=5))


def test_a_cancel_that_races_a_closing_is_done_and_never_under_it(race: Callable[..., list[Any]]) -> None:
    by("kyc")
    for one in range(4):
        who = person(f"canceller{one}")
        voucher = desk.issue(who, TOP_UP)
        cancelled, closed = desk.at_once(race, lambda: desk.cancel(who, voucher), lambda: close(who.user))  # noqa: B023
        assert isinstance(cancelled, Cancelled), cancelled
        assert desk.state_of(voucher)[0] == "cancelled"
        assert closed is None or "live voucher: 1" in closed.detail
        assert standings(who) == (["closed"] * 2 if closed is None else ["active"] * 2)


def test_what_races_a_closing_comes_before_it_or_is_refused(
    thandi: Person, sipho: Person, race: Callable[..., list[Any]]
) -> None:
    fund(sipho, "100.00")
    by("kyc")
    for one in range(4):
        who = person(f"racer{one}")
        turns = iter((close, send, desk.issue))

        def work() -> Any:
            deed = next(turns)  # noqa: B023 - raced before the next one
            if deed is close:
                return close(who.user)  # noqa: B023
            return send(sipho, who, "1.00") if deed is send else desk.issue(who, TOP_UP)  # noqa: B023

        race(3, work)
        closed = standings(who) == ["closed", "closed"]
        wallet = Wallet.objects.get(pk=who.wallet.pk)
        has_something = bool(wallet.balance) or Voucher.objects.filter(user=who.user).exists()
        assert closed != has_something
