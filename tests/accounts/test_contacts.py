"""Proving that a contact is one's own, and replacing it."""

from __future__ import annotations

import base64
import datetime as dt
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app
from django.core.mail import EmailMessage
from django.http import HttpResponse

from accounts import contacts
from accounts.audit import SYSTEM, Origin
from accounts.codes import CodeExpired, CodeWrong
from accounts.models import AuditEvent, OneTimeCode, User
from accounts.services import correct_profile
from mymoolah.common.clock import now
from mymoolah.common.messages import Message
from mymoolah.common.tasks import send_message
from tests.accounts.conftest import broker_at, code_in, to
from tests.api import Caller, access_token, body_of, calling, errors_of, problem
from tests.conftest import Person, person

# A message leaves once what it tells has been committed, so here everything is.
pytestmark = pytest.mark.usefixtures("ledger", "patient", "worker_at_hand")

PASSWORD = "a-good-long-passphrase"
Mails = list[EmailMessage]
Texts = list[Message]


@pytest.fixture
def newcomer(ledger: object) -> Person:
    """Lindiwe has registered, and nobody knows yet whether her contacts are hers."""
    lindiwe = person("lindiwe", tier=0)
    User.objects.filter(pk=lindiwe.user.pk).update(email_verified_at=None, phone_verified_at=None)
    return lindiwe


def verify(who: Person, contact: Any) -> HttpResponse:
    return calling(who).post("me/contacts/verify", {"contact": contact})


def confirm(who: Person, contact: str, code: Any) -> HttpResponse:
    return calling(who).post("me/contacts/confirm", {"contact": contact, "code": code})


def change(who: Person, password: str | None = PASSWORD, **values: str) -> HttpResponse:
    return calling(who).patch("me", {**values, **({} if password is None else {"current_password": password})})


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def age_codes(**age: float) -> None:
    for row in OneTimeCode.objects.all():
        for name in ("sent_at", "expires_at", "counted_from"):
            setattr(row, name, getattr(row, name) - dt.timedelta(**age))
        row.save()


# Confirming ---------------------------------------------------------------------------------------------------------
def test_only_customers_come_in(clerk: User) -> None:
    for path in ("me/contacts/verify", "me/contacts/confirm"):
        problem(Caller().post(path, {}), 401, "not_authenticated")
        problem(Caller(access_token(clerk)).post(path, {}), 403, "wrong_role")


def test_a_phone_number_is_confirmed_by_the_code_that_came_there(newcomer: Person, sms: Texts) -> None:
    answer = verify(newcomer, "phone")
    assert (answer.status_code, answer.content) == (202, b"")
    [message] = sms
    assert message.to == newcomer.user.phone
    profile = body_of(confirm(newcomer, "phone", code_in(message)))
    assert (profile["phone_verified"], profile["email_verified"]) == (True, False)
    verbs = AuditEvent.objects.filter(subject_id=str(newcomer.user.public_id), actor=newcomer.user)
    assert [(event.verb, event.facts) for event in verbs.order_by("pk")] == [
        ("contact.code_sent", {"contact": "phone"}),
        ("contact.verified", {"contact": "phone"}),
    ]


def test_an_email_address_is_confirmed_by_the_code_that_came_there(newcomer: Person, mailoutbox: Mails) -> None:
    verify(newcomer, "email")
    assert to(mailoutbox) == ["lindiwe@example.com"]
    assert body_of(confirm(newcomer, "email", code_in(mailoutbox[0])))["email_verified"] is True


def test_a_code_is_good_once(newcomer: Person, sms: Texts) -> None:
    verify(newcomer, "phone")
    assert confirm(newcomer, "phone", code_in(sms[0])).status_code == 200
    problem(confirm(newcomer, "phone", code_in(sms[0])), 409, "code_expired")
    problem(verify(newcomer, "phone"), 409, "contact_verified")
    assert len(sms) == 1


def test_the_last_code_counts(newcomer: Person, sms: Texts) -> None:
    verify(newcomer, "phone")
    verify(newcomer, "phone")
    first, second = (code_in(message) for message in sms)
    if first != second:
        problem(confirm(newcomer, "phone", first), 409, "code_wrong")
    assert confirm(newcomer, "phone", second).status_code == 200


def test_a_code_is_good_for_ten_minutes(newcomer: Person, sms: Texts) -> None:
    verify(newcomer, "phone")
    age_codes(minutes=10)
    problem(confirm(newcomer, "phone", code_in(sms[0])), 409, "code_expired")
    verify(newcomer, "phone")
    age_codes(minutes=9, seconds=50)
    assert confirm(newcomer, "phone", code_in(sms[1])).status_code == 200


def test_five_wrong_codes_use_a_code_up(newcomer: Person, sms: Texts) -> None:
    verify(newcomer, "phone")
    code = code_in(sms[0])
    left = [
        problem(confirm(newcomer, "phone", other_than(code)), 409, "code_wrong")["facts"]["attempts_left"]
        for _ in range(5)
    ]
    assert left == [4, 3, 2, 1, 0]
    problem(confirm(newcomer, "phone", code), 409, "code_expired")
    assert not body_of(calling(newcomer).get("me"))["phone_verified"]


def test_of_twenty_guesses_at_once_five_are_looked_at(
    newcomer: Person, sms: Texts, race: Callable[..., list[Any]]
) -> None:
    verify(newcomer, "phone")
    wrong = other_than(code_in(sms[0]))

    def guess() -> None:
        contacts.confirm_contact(
            public_id=newcomer.user.public_id, contact="phone", code=wrong, now=now(), origin=SYSTEM
        )

    assert Counter(type(answer) for answer in race(20, guess)) == {CodeWrong: 5, CodeExpired: 15}


def test_of_two_who_bring_the_code_at_once_one_is_first(
    newcomer: Person, sms: Texts, race: Callable[..., list[Any]]
) -> None:
    verify(newcomer, "phone")
    code = code_in(sms[0])

    def bring() -> None:
        contacts.confirm_contact(
            public_id=newcomer.user.public_id, contact="phone", code=code, now=now(), origin=SYSTEM
        )

    assert Counter(type(answer) for answer in race(8, bring)) == {type(None): 1, CodeExpired: 7}
    assert AuditEvent.objects.filter(verb="contact.verified").count() == 1


def test_five_codes_an_hour_are_sent(newcomer: Person, sms: Texts) -> None:
    for _ in range(5):
        assert verify(newcomer, "phone").status_code == 202
    answer = verify(newcomer, "phone")
    problem(answer, 429, "too_many_codes")
    assert 3590 <= int(answer["Retry-After"]) <= 3601
    assert len(sms) == 5
    assert confirm(newcomer, "phone", code_in(sms[-1])).status_code == 200
    assert verify(newcomer, "email").status_code == 202
    User.objects.filter(pk=newcomer.user.pk).update(phone_verified_at=None)
    age_codes(hours=1)
    assert verify(newcomer, "phone").status_code == 202


def test_a_code_is_of_one_person_and_one_contact(
    newcomer: Person, thandi: Person, sms: Texts, mailoutbox: Mails
) -> None:
    verify(newcomer, "phone")
    problem(confirm(thandi, "phone", code_in(sms[0])), 409, "code_expired")
    problem(confirm(newcomer, "email", code_in(sms[0])), 409, "code_expired")
    assert mailoutbox == []


@pytest.mark.parametrize(
    "code", ["12345", "1234567", "12345a", 123456, None, "", "\uff11\uff12\uff13\uff14\uff15\uff16", "12345\n"]
)
def test_what_is_no_code_is_refused_and_not_counted(newcomer: Person, sms: Texts, code: Any) -> None:
    verify(newcomer, "phone")
    assert "code" in errors_of(confirm(newcomer, "phone", code))
    assert OneTimeCode.objects.get().attempts == 0


@pytest.mark.parametrize("contact", ["fax", "", None, 7, ["email"], "password"])
def test_what_is_no_contact_is_refused(newcomer: Person, contact: Any) -> None:
    assert "contact" in errors_of(verify(newcomer, contact))


def test_a_contact_that_is_not_there_cannot_be_confirmed(newcomer: Person) -> None:
    User.objects.filter(pk=newcomer.user.pk).update(phone=None)
    problem(verify(newcomer, "phone"), 409, "contact_missing")


# Changing -----------------------------------------------------------------------------------------------------------
def test_a_new_number_waits_until_it_is_confirmed_and_the_old_one_is_told(thandi: Person, sms: Texts) -> None:
    profile = body_of(change(thandi, phone="082 111 0009"))
    assert (profile["phone"], profile["phone_verified"], profile["pending_phone"]) == (
        "+27821110001",
        True,
        "+27821110009",
    )
    assert to(sms) == ["+27821110009"]
    profile = body_of(confirm(thandi, "phone", code_in(sms[0])))
    assert (profile["phone"], profile["phone_verified"], profile["pending_phone"]) == ("+27821110009", True, None)
    assert to(sms) == ["+27821110009", "+27821110001"]
    assert "was changed" in sms[1].text
    assert "0009" not in sms[1].text
    event = AuditEvent.objects.get(verb="contact.changed")
    assert (event.actor_id, event.facts) == (thandi.user.id, {"contact": "phone"})


def test_the_old_address_signs_in_until_the_new_one_is_confirmed(thandi: Person, mailoutbox: Mails) -> None:
    def signs_in(email: str) -> bool:
        return Caller().post("auth/token", {"email": email, "password": PASSWORD}).status_code == 200

    change(thandi, email="New@Example.com")
    assert (signs_in("thandi@example.com"), signs_in("new@example.com")) == (True, False)
    assert confirm(thandi, "email", code_in(mailoutbox[0])).status_code == 200
    assert (signs_in("thandi@example.com"), signs_in("new@example.com")) == (False, True)
    assert to(mailoutbox) == ["new@example.com", "thandi@example.com"]


def test_a_waiting_contact_is_sent_another_code_at_its_new_address(thandi: Person, sms: Texts) -> None:
    change(thandi, phone="0821110009")
    age_codes(minutes=20)
    assert verify(thandi, "phone").status_code == 202
    assert to(sms) == ["+27821110009"] * 2
    assert body_of(confirm(thandi, "phone", code_in(sms[1])))["phone"] == "+27821110009"


def test_naming_the_present_contact_takes_the_waiting_one_back(thandi: Person, sms: Texts) -> None:
    change(thandi, phone="0821110009")
    assert body_of(change(thandi, None, phone="0821110001"))["pending_phone"] is None
    problem(confirm(thandi, "phone", code_in(sms[0])), 409, "code_expired")
    problem(verify(thandi, "phone"), 409, "contact_verified")


def test_changing_a_contact_takes_the_password(thandi: Person, sms: Texts) -> None:
    problem(change(thandi, None, phone="0821110009"), 400, "current_password_required")
    problem(change(thandi, "not-my-passphrase", phone="0821110009"), 409, "wrong_password")
    assert sms == []
    assert body_of(calling(thandi).get("me"))["pending_phone"] is None
    assert AuditEvent.objects.filter(verb="password.refused").count() == 1


def test_a_change_happens_whole_or_not_at_all(newcomer: Person, sms: Texts, mailoutbox: Mails) -> None:
    both = {"first_name": "Lindi", "phone": "0821110009", "email": "lindi@example.com"}
    for _ in range(5):
        change(newcomer, phone="0821110008")
    problem(change(newcomer, **both), 429, "too_many_codes")
    profile = body_of(calling(newcomer).get("me"))
    assert (profile["first_name"], profile["pending_email"]) == ("Lindiwe", None)
    assert mailoutbox == []
    age_codes(hours=1)
    profile = body_of(change(newcomer, **both))
    assert (profile["first_name"], profile["pending_email"], profile["pending_phone"]) == (
        "Lindi",
        "lindi@example.com",
        "+27821110009",
    )


def test_whether_a_contact_is_somebody_elses_is_told_to_its_owner_only(
    thandi: Person, sipho: Person, mailoutbox: Mails
) -> None:
    free = change(thandi, email="free@example.com")
    taken = change(thandi, email="sipho@example.com")
    assert (free.status_code, taken.status_code) == (200, 200)
    assert {**body_of(free), "pending_email": ""} == {**body_of(taken), "pending_email": ""}
    problem(confirm(thandi, "email", code_in(mailoutbox[-1])), 409, "already_registered")
    assert body_of(calling(thandi).get("me"))["email"] == "thandi@example.com"
    assert body_of(calling(sipho).get("me"))["email"] == "sipho@example.com"


def test_of_two_who_take_one_number_at_once_one_gets_it(
    thandi: Person, sipho: Person, sms: Texts, race: Callable[..., list[Any]]
) -> None:
    change(thandi, phone="0821110009")
    change(sipho, phone="0821110009")
    turns = iter([(thandi, code_in(sms[0])), (sipho, code_in(sms[1]))])

    def take() -> str:
        who, code = next(turns)
        contacts.confirm_contact(public_id=who.user.public_id, contact="phone", code=code, now=now(), origin=SYSTEM)
        return "taken"

    answers = race(2, take)
    assert Counter(str(getattr(answer, "code", answer)) for answer in answers) == {"taken": 1, "already_registered": 1}
    assert User.objects.filter(phone="+27821110009").count() == 1


def test_what_staff_correct_takes_waiting_codes_away(newcomer: Person, mailoutbox: Mails) -> None:
    verify(newcomer, "email")
    correct_profile(user_id=newcomer.user.pk, values={"email": "right@example.com"}, origin=Origin())
    problem(confirm(newcomer, "email", code_in(mailoutbox[0])), 409, "code_expired")
    assert body_of(calling(newcomer).get("me"))["email"] == "right@example.com"


@pytest.mark.parametrize(
    "email",
    [
        "thandi",
        "thand\u0131@example.com",
        "thandi@ex\u0430mple.com",
        "\u212aate@example.com",
        "than\u202edi@example.com",
        7,
        None,
    ],
)
def test_an_address_that_could_be_taken_for_another_is_refused(thandi: Person, email: Any) -> None:
    assert "email" in errors_of(calling(thandi).patch("me", {"email": email, "current_password": PASSWORD}))


def test_a_domain_of_other_letters_comes_in_plain_ones(thandi: Person, mailoutbox: Mails) -> None:
    assert body_of(change(thandi, email="thandi@xn--bcher-kva.example"))["pending_email"]
    assert to(mailoutbox) == ["thandi@xn--bcher-kva.example"]


@pytest.mark.parametrize("text", [b'{"email": "a\\u0000b@example.com"}', b'{"email": "\\ud800@example.com"}'])
def test_a_text_that_no_database_holds_is_refused(thandi: Person, text: bytes) -> None:
    assert errors_of(calling(thandi).patch("me", text)) == {"body": ["malformed_json"]}


# What goes wrong around it ------------------------------------------------------------------------------------------
def test_no_code_stands_anywhere_but_in_its_message(
    newcomer: Person, sms: Texts, mailoutbox: Mails, caplog: pytest.LogCaptureFixture, app_sql: Callable[..., Any]
) -> None:
    caplog.set_level(logging.DEBUG, logger="mymoolah")
    caplog.set_level(logging.INFO)
    answers = [verify(newcomer, "phone"), verify(newcomer, "email")]
    codes = [code_in(sms[0]), code_in(mailoutbox[0])]
    answers.append(confirm(newcomer, "phone", other_than(codes[0])))
    kept = str(app_sql("SELECT o::text, encode(o.code_digest, 'escape') FROM one_time_codes AS o"))
    trail = str(list(AuditEvent.objects.values_list("verb", "facts", "subject_id")))
    for code in codes:
        assert code not in kept
        assert code not in trail
        assert code not in caplog.text
        assert not any(code in answer.content.decode() for answer in answers)
    for contact in (newcomer.user.email, newcomer.user.phone):
        assert str(contact) not in trail


def test_a_message_that_cannot_be_sent_is_logged_without_its_words(
    newcomer: Person, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    current_app.conf.task_eager_propagates = False  # or trying again looks like a failure
    caplog.set_level(logging.INFO)
    settings.SMS_BACKEND = "mymoolah.common.messages.NoSms"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    assert verify(newcomer, "phone").status_code == 202
    assert verify(newcomer, "email").status_code == 202
    said = [record.getMessage() for record in caplog.records if record.name == "mymoolah.common.tasks"]
    assert said == [
        "A message by phone was not sent: MessageNotSent",
        "A message by email was not sent: ConnectionRefusedError",
    ]
    assert sum(": retry in " in record.getMessage() for record in caplog.records) == 6
    for words in (newcomer.user.email, str(newcomer.user.phone), "is your MyMoolah code"):
        assert words not in caplog.text


def test_a_code_waits_for_a_worker_encrypted_and_a_task_done_twice_sends_the_same(
    newcomer: Person, sms: Texts, mailoutbox: Mails, queue: Callable[[], list[str]]
) -> None:
    for contact in ("phone", "email"):
        assert verify(newcomer, contact).status_code == 202
    assert (sms, mailoutbox) == ([], [])
    waiting = [json.loads(task) for task in reversed(queue())]
    asked = [json.loads(base64.b64decode(task["body"]))[1] for task in waiting]
    expires = [dt.datetime.fromisoformat(task["headers"]["expires"]) - now() for task in waiting]
    assert all(dt.timedelta(minutes=9, seconds=30) < left <= dt.timedelta(minutes=10) for left in expires)
    for message in asked * 2:
        send_message(**message)
    codes = [*map(code_in, sms), *map(code_in, mailoutbox)]
    assert (codes[0], codes[2]) == (codes[1], codes[3])
    for words in (*codes, newcomer.user.email, str(newcomer.user.phone)):
        assert words not in f"{waiting} {asked}"
    assert confirm(newcomer, "phone", codes[0]).status_code == 200


def test_while_the_broker_is_away_no_code_is_made_and_at_once(newcomer: Person, no_broker: None) -> None:
    for _ in range(6):
        began = time.perf_counter()
        problem(verify(newcomer, "phone"), 503, "temporarily_unavailable")
        problem(change(newcomer, phone="0821110009", first_name="Lindi"), 503, "temporarily_unavailable")
        assert time.perf_counter() - began < 2
    assert not OneTimeCode.objects.exists()
    assert not AuditEvent.objects.filter(verb__in=["contact.code_sent", "user.renamed"]).exists()


def test_while_the_broker_is_away_a_contact_is_confirmed_and_the_log_says_what_is_missing(
    thandi: Person, sms: Texts, caplog: pytest.LogCaptureFixture
) -> None:
    change(thandi, phone="0821110009")
    with broker_at("redis+socket:///nowhere/redis.sock"):
        assert body_of(confirm(thandi, "phone", code_in(sms[0])))["phone"] == "+27821110009"
    assert "A notice by phone is not sent" in caplog.text
    assert "+2782" not in caplog.text
    assert to(sms) == ["+27821110009"]


def test_whoever_knows_the_password_is_not_locked_out_by_what_else_goes_wrong(thandi: Person, sms: Texts) -> None:
    for _ in range(3):
        problem(change(thandi, "not-my-passphrase", phone="0821110009"), 409, "wrong_password")
    with broker_at("redis+socket:///nowhere/redis.sock"):
        for _ in range(10):
            problem(change(thandi, phone="0821110009"), 503, "temporarily_unavailable")
    for _ in range(7):  # of ten: what went wrong neither counts as a wrong password nor takes one back
        problem(change(thandi, "not-my-passphrase", phone="0821110009"), 409, "wrong_password")
    problem(change(thandi, phone="0821110009"), 429, "sign_in_locked")


def test_nothing_is_sent_of_what_did_not_happen(newcomer: Person, sms: Texts) -> None:
    for _ in range(6):
        verify(newcomer, "phone")
    assert len(sms) == 5
    assert OneTimeCode.objects.get().sent_count == 5


def test_tries_are_limited_by_the_minute(newcomer: Person, settings: Any) -> None:
    settings.RATE_LIMITS_PER_MINUTE = {**settings.RATE_LIMITS_PER_MINUTE, "codes": 3}
    answers = [confirm(newcomer, "phone", "123456") for _ in range(4)]
    problem(answers[-1], 429, "rate_limited")


def test_while_redis_is_away_no_code_is_sent_or_tried(newcomer: Person, sms: Texts, no_redis: None) -> None:
    problem(verify(newcomer, "phone"), 503, "temporarily_unavailable")
    problem(confirm(newcomer, "phone", "123456"), 503, "temporarily_unavailable")
    problem(change(newcomer, phone="0821110009"), 503, "temporarily_unavailable")
    assert sms == []
