"""What staff do for somebody who calls."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from accounts import care, lockout
from accounts.audit import SYSTEM, Origin
from accounts.care import CannotReset, NothingToReveal
from accounts.codes import TooManyCodes
from accounts.contacts import ContactVerified
from accounts.decisions import ReasonNeeded
from accounts.kyc_identity import encrypted_number
from accounts.kyc_number_looks import MOST_REVEALED, TooManyRevealed
from accounts.lockout import SignInLocked
from accounts.models import AuditEvent, KycSubmission, LoginSession, OneTimeCode, User
from accounts.sessions import InvalidCredentials, SessionNotFound, sign_in, start_session
from accounts.staff_deeds import NotAllowed, OwnAccount, StaffAccount, Why
from mymoolah.common.clock import now
from mymoolah.common.messages import MemorySms
from reporting.roles import ROLES
from tests.accounts.papers import THANDIS_ID
from tests.back_office.house import colleague, signed_in
from tests.conftest import Ledger, Person
from tests.staff import by, told_of, why

ASKED = Why(reason="asked")


@pytest.fixture(autouse=True)
def messages(settings: Any, worker_at_hand: None) -> None:
    settings.SMS_BACKEND = "mymoolah.common.messages.MemorySms"
    MemorySms.outbox.clear()


def signs_in(who: Person) -> LoginSession:
    start_session(user=who.user, device="A telephone", now=now(), origin=SYSTEM)
    return LoginSession.objects.filter(user=who.user).latest("pk")


def submitted(who: Person, number: str = THANDIS_ID, **changed: Any) -> KycSubmission:
    moment = now()
    return KycSubmission.objects.create(
        user=who.user,
        id_type="sa_id",
        id_number_encrypted=encrypted_number(number),
        id_number_index=uuid.uuid4().bytes * 2,
        created_at=moment,
        **changed,
    )


def asked(who: Person, *, role: str = "support", reason: Why = ASKED, **more: Any) -> dict[str, Any]:
    return {"user": who.user.public_id, "why": reason, "origin": by(role), **more}


# Sessions -------------------------------------------------------------------------------------------------------------
def test_one_session_or_all_of_them_end_and_the_trail_names_the_officer(thandi: Person, ledger: Ledger) -> None:
    first, second, third = (signs_in(thandi) for _ in range(3))
    for _ in range(2):
        care.end_one_session(session=first.public_id, now=now(), **asked(thandi))
    live = LoginSession.objects.filter(user=thandi.user, revoked_at=None)
    assert set(live) == {second, third}
    assert care.end_every_session(now=now(), **asked(thandi)) == 2
    assert care.end_every_session(now=now(), **asked(thandi)) == 0
    one, every = told_of("session.ended"), told_of("sessions.ended")
    assert (one.facts, every.facts) == ({"reason": "asked"}, {"reason": "asked", "count": 2})
    assert {event.actor and event.actor.email for event in (one, every)} == {"support@example.com"}


def test_somebody_elses_session_is_not_ended_for_her(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    session = signs_in(sipho)
    with pytest.raises(SessionNotFound):
        care.end_one_session(session=session.public_id, now=now(), **asked(thandi))
    assert LoginSession.objects.filter(revoked_at=None).count() == 1


def test_a_colleagues_sessions_in_the_back_office_end_too(ledger: Ledger) -> None:
    sam = colleague("support")
    client = signed_in(sam)
    assert client.get("/admin/").status_code == 200
    care.end_every_session(user=sam.public_id, why=ASKED, now=now(), origin=by("administrator"))
    assert client.get("/admin/").status_code == 302


# Lockout --------------------------------------------------------------------------------------------------------------
def test_a_locked_sign_in_opens_again(thandi: Person, ledger: Ledger) -> None:
    def tries(password: str) -> None:
        sign_in(email=thandi.user.email, password=password, device="", now=now(), origin=Origin(address="192.0.2.1"))

    for _ in range(lockout.MOST_FAILURES["account"]):
        with pytest.raises(InvalidCredentials):
            tries("something-else")
    with pytest.raises(SignInLocked):
        tries("a-good-long-passphrase")
    for _ in range(2):
        care.unlock_sign_in(**asked(thandi))
    tries("a-good-long-passphrase")
    assert AuditEvent.objects.filter(verb="sign_in.unlocked", facts={"reason": "asked"}).count() == 2


# Codes and passwords --------------------------------------------------------------------------------------------------
def test_a_code_goes_to_the_customer_and_to_nobody_else(thandi: Person, ledger: Ledger) -> None:
    User.objects.filter(pk=thandi.user.pk).update(phone_verified_at=None)
    care.send_contact_code(contact="phone", now=now(), **asked(thandi))
    [message] = MemorySms.outbox
    assert message.to == thandi.user.phone
    event = told_of("contact.code_sent")
    assert event.facts == {"contact": "phone", "reason": "asked"}
    assert event.actor is not None
    assert event.actor.email == "support@example.com"
    code = message.text[:6]
    assert code.isdecimal()
    assert code not in str(AuditEvent.objects.values_list("facts", flat=True))
    with pytest.raises(ContactVerified):
        care.send_contact_code(contact="email", now=now(), **asked(thandi))


def test_codes_that_staff_send_count_with_the_customers_own(thandi: Person, ledger: Ledger) -> None:
    User.objects.filter(pk=thandi.user.pk).update(phone_verified_at=None)
    for _ in range(5):
        care.send_contact_code(contact="phone", now=now(), **asked(thandi))
        care.send_password_reset(now=now(), **asked(thandi))
    with pytest.raises(TooManyCodes):
        care.send_contact_code(contact="phone", now=now(), **asked(thandi))
    with pytest.raises(TooManyCodes):
        care.send_password_reset(now=now(), **asked(thandi))
    assert (len(MemorySms.outbox), len(mail.outbox)) == (5, 5)


def test_a_password_is_reset_by_message_to_a_confirmed_address_only(thandi: Person, ledger: Ledger) -> None:
    before = User.objects.get(pk=thandi.user.pk).password
    care.send_password_reset(now=now(), **asked(thandi))
    assert [message.to for message in mail.outbox] == [["thandi@example.com"]]
    assert User.objects.get(pk=thandi.user.pk).password == before
    assert told_of("password.reset_sent").facts == {"reason": "asked"}
    User.objects.filter(pk=thandi.user.pk).update(email_verified_at=None)
    with pytest.raises(CannotReset) as caught:
        care.send_password_reset(now=now(), **asked(thandi))
    assert "stranger" in caught.value.detail
    ada = by("administrator")
    with pytest.raises(CannotReset):
        care.send_password_reset(user=colleague("kyc").public_id, why=ASKED, now=now(), origin=ada)
    assert len(mail.outbox) == 1
    assert OneTimeCode.objects.count() == 1


# Who ------------------------------------------------------------------------------------------------------------------
DEEDS: dict[str, Callable[..., object]] = {
    "end_every_session": lambda **given: care.end_every_session(now=now(), **given),
    "end_one_session": lambda **given: care.end_one_session(session=uuid.uuid4(), now=now(), **given),
    "unlock_sign_in": care.unlock_sign_in,
    "send_contact_code": lambda **given: care.send_contact_code(contact="phone", now=now(), **given),
    "send_password_reset": lambda **given: care.send_password_reset(now=now(), **given),
    "reveal_number": lambda **given: care.reveal_number(now=now(), **given),
}
ASSISTS, REVEALS = {"support", "administrator"}, {"support", "kyc"}


@pytest.mark.parametrize("deed", DEEDS)
def test_roles_that_may_not_do_it_do_nothing(thandi: Person, ledger: Ledger, deed: str) -> None:
    reason = why("caller") if deed == "reveal_number" else ASKED
    for role in ROLES.keys() - (REVEALS if deed == "reveal_number" else ASSISTS):
        with pytest.raises(NotAllowed):
            DEEDS[deed](**asked(thandi, role=role, reason=reason))
    me = by("support")
    others = {"support@example.com": OwnAccount, "auditor@example.com": StaffAccount}
    for email, refusal in others.items():
        user = User.objects.get(email=email)
        with pytest.raises(refusal):
            DEEDS[deed](user=user.public_id, why=reason, origin=me)
    with pytest.raises(ReasonNeeded):
        DEEDS[deed](**asked(thandi, reason=Why(reason="")))
    with pytest.raises(ReasonNeeded):
        DEEDS[deed](**asked(thandi, reason=Why(reason="other")))


# The identity number ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", sorted(REVEALS))
def test_the_number_is_told_to_who_says_why_and_each_look_is_kept(thandi: Person, ledger: Ledger, role: str) -> None:
    submission = submitted(thandi)
    for _ in range(2):
        assert care.reveal_number(now=now(), **asked(thandi, role=role, reason=why("caller"))) == THANDIS_ID
    looks = AuditEvent.objects.filter(verb="identity.revealed", subject_id=str(thandi.user.public_id))
    assert [look.facts for look in looks] == [
        {"reason": "caller", "words": "Case 17", "submission": str(submission.public_id)}
    ] * 2
    assert THANDIS_ID not in str(list(AuditEvent.objects.values()))


def test_it_is_the_approved_number_before_a_later_one(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    with pytest.raises(NothingToReveal):
        care.reveal_number(now=now(), **asked(thandi, reason=why("caller")))
    officer = colleague("kyc")
    decided: dict[str, Any] = {
        "status": "approved",
        "waits_for": None,
        "granted_tier": 1,
        "reviewer": officer,
        "decided_at": now(),
    }
    submitted(thandi, **decided)
    submitted(thandi, "8001015009186")
    assert care.reveal_number(now=now(), **asked(thandi, reason=why("caller"))) == THANDIS_ID


def test_an_officer_looks_at_twenty_an_hour(thandi: Person, ledger: Ledger) -> None:
    submitted(thandi)
    moment = now()
    for _ in range(MOST_REVEALED):
        care.reveal_number(now=moment, **asked(thandi, reason=why("caller")))
    with pytest.raises(TooManyRevealed) as caught:
        care.reveal_number(now=now(), **asked(thandi, reason=why("caller")))
    assert 0 < (caught.value.retry_after_seconds or 0) <= 3600
    care.reveal_number(now=now(), **asked(thandi, role="kyc", reason=why("caller")))
    care.reveal_number(now=now() + dt.timedelta(hours=1), **asked(thandi, reason=why("caller")))


def test_however_many_look_at_once_the_hour_has_twenty(thandi: Person, race: Callable[..., list[Any]]) -> None:
    submitted(thandi)
    given = asked(thandi, reason=why("caller"))
    for _ in range(MOST_REVEALED - 1):
        care.reveal_number(now=now(), **given)
    answers = race(4, lambda: care.reveal_number(now=now(), **given))
    assert Counter(type(answer) for answer in answers) == {str: 1, TooManyRevealed: 3}
