"""Whoever changes what is shown says so, also when the first try was killed right after its commit."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import transaction

from accounts.audit import SYSTEM
from accounts.services import rename
from mymoolah.common.clock import now
from mymoolah.common.crypto import decrypt
from mymoolah.common.money import Money
from tests.conftest import Person, fund, person
from tests.kept import assert_nothing_is_old, told
from tests.staff import by, why
from tests.vouchers.stage import new_key
from tests.vouchers.test_closing import close, reopen
from tests.wallets.test_freezing import BY_BANK, freeze, unfreeze
from transactions import holds, services
from transactions.posting import IdempotencyKey
from transactions.selectors import Recipient
from vouchers.models import Voucher
from vouchers.numbers import CODE_CONTEXT
from vouchers.services import ending, issuing, redeeming, tills
from wallets.services import freeze_wallet

pytestmark = pytest.mark.usefixtures("ledger", "kept_answers")


def test_what_staff_do_to_wallets_and_accounts_is_seen_at_once(thandi: Person) -> None:
    deeds: list[Callable[[], object]] = [
        lambda: freeze(thandi),
        lambda: unfreeze(thandi, seen=BY_BANK),
        lambda: close(thandi.user),
        lambda: reopen(thandi.user),
    ]
    for deed in deeds:
        assert_nothing_is_old([thandi])
        before = told(thandi, "dashboard")
        deed()
        assert told(thandi, "dashboard") != before
        assert_nothing_is_old([thandi])


def test_what_becomes_of_an_identity_check_is_seen_at_once(thandi: Person) -> None:
    newcomer = person("newcomer", tier=0)
    assert_nothing_is_old([newcomer])
    newcomer.user.kyc_status, newcomer.user.id_verified, newcomer.user.kyc_tier = "verified", True, 1
    newcomer.user.save(update_fields=["kyc_status", "id_verified", "kyc_tier"])  # as the identity desk saves it
    assert_nothing_is_old([newcomer])


# Killed after the commit ----------------------------------------------------------------------------------------------
@dataclass
class Story:
    """Thandi does it, and Sipho is who gets something of it; `key` is the same when she does it again."""

    thandi: Person
    sipho: Person
    key: IdempotencyKey

    def issues(self, voucher_type: Voucher.Type, key: IdempotencyKey | None = None) -> Voucher:
        return issuing.issue_voucher(
            user_public_id=self.thandi.user.public_id,
            voucher_type=voucher_type,
            amount=Money.parse("100.00"),
            key=key or new_key(),
            now=now(),
        ).voucher


def pays(story: Story) -> Callable[[], object]:
    return lambda: services.pay(
        user_public_id=story.thandi.user.public_id,
        recipient=Recipient(by="number", value=story.sipho.wallet.number),
        amount=Money.parse("10.00"),
        reference="",
        key=story.key,
    )


def issues(voucher_type: Voucher.Type) -> Callable[[Story], Callable[[], object]]:
    return lambda story: lambda: story.issues(voucher_type, story.key)


def redeems(story: Story) -> Callable[[], object]:
    code = decrypt(story.issues(Voucher.Type.STANDARD).code_encrypted or "", context=CODE_CONTEXT)
    return lambda: redeeming.redeem_voucher(
        user_public_id=story.sipho.user.public_id,
        code=code,
        amount=Money.parse("40.00"),
        key=story.key,
        now=now(),
        origin=SYSTEM,
    )


def cancels(story: Story) -> Callable[[], object]:
    voucher = story.issues(Voucher.Type.EASYPAY_VOUCHER)
    return lambda: ending.cancel_voucher(
        user_public_id=story.thandi.user.public_id,
        voucher_public_id=voucher.public_id,
        key=story.key,
        now=now(),
        origin=SYSTEM,
    )


def is_cancelled_for(story: Story) -> Callable[[], object]:
    voucher, origin = story.issues(Voucher.Type.EASYPAY_VOUCHER), by("support")
    return lambda: ending.cancel_for_cause(
        voucher_public_id=voucher.public_id, why=why("stolen"), key=story.key, now=now(), origin=origin
    )


def reported(story: Story) -> Callable[[], object]:
    voucher, moment = story.issues(Voucher.Type.EASYPAY_VOUCHER), now()
    report = tills.Report(
        provider_reference=uuid.uuid4().hex,
        easypay_number=str(voucher.easypay_number),
        amount=Money.parse("100.00"),
        paid_at=moment,
        body=b"signed",
    )
    return lambda: tills.report_payment(report=report, now=moment)


def holds_back(story: Story) -> Callable[[], object]:
    return lambda: holds.place_hold(
        wallet_id=story.thandi.wallet.pk,
        amount=Money.parse("10.00"),
        purpose="taxi",
        expires_at=None,
        key=story.key,
    )


def voids(story: Story) -> Callable[[], object]:
    held = holds.place_hold(
        wallet_id=story.thandi.wallet.pk, amount=Money.parse("10.00"), purpose="taxi", expires_at=None, key=new_key()
    )
    return lambda: holds.void_hold(hold_public_id=held.public_id, key=story.key)


def freezes(story: Story) -> Callable[[], object]:
    return lambda: freeze_wallet(
        number=story.thandi.wallet.number, user_public_id=story.thandi.user.public_id, origin=SYSTEM
    )


DEEDS = {
    "pays": pays,
    **{f"issues {kind}": issues(kind) for kind in Voucher.Type},
    "redeems": redeems,
    "cancels": cancels,
    "staff cancel for him": is_cancelled_for,
    "a till reports": reported,
    "holds back": holds_back,
    "voids": voids,
    "freezes": freezes,
}


def is_killed() -> None:
    raise SystemExit


def killed(deed: Callable[[], object]) -> None:
    """Do it, and die between the commit and what is said of it."""
    with transaction.atomic():
        transaction.on_commit(is_killed)
        deed()


@pytest.mark.parametrize("name", DEEDS)
def test_a_repeat_says_what_the_first_try_was_killed_over(name: str, thandi: Person, sipho: Person) -> None:
    fund(thandi, "1000.00")
    deed = DEEDS[name](Story(thandi, sipho, new_key()))
    assert_nothing_is_old([thandi, sipho])
    with pytest.raises(SystemExit):
        killed(deed)
    with pytest.raises(AssertionError):  # nobody knows yet, and nobody was answered
        assert_nothing_is_old([thandi, sipho])
    deed()
    assert_nothing_is_old([thandi, sipho])


def test_a_name_given_again_is_told_again() -> None:
    newcomer, friend = person("newcomer", tier=0), person("friend")
    fund(friend, "100.00")
    services.pay(
        user_public_id=friend.user.public_id,
        recipient=Recipient(by="number", value=newcomer.wallet.number),
        amount=Money.parse("10.00"),
        reference="",
        key=new_key(),
    )
    assert_nothing_is_old([friend])

    def deed() -> None:
        rename(public_id=newcomer.user.public_id, first_name="Nobuhle", last_name=None, origin=SYSTEM)

    with pytest.raises(SystemExit):
        killed(deed)
    with pytest.raises(AssertionError):
        assert_nothing_is_old([friend])
    deed()
    assert_nothing_is_old([friend])
