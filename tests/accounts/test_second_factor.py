"""A code is good once, for a minute and a half, for one colleague; and a copy of the database is nobody's telephone."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from io import StringIO
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from django.core.management import CommandError, call_command
from django.db import connection
from django_otp.oath import TOTP

from accounts import lockout, second_factor
from accounts.audit import SYSTEM, Origin
from accounts.decisions import ReasonNeeded
from accounts.lockout import SignInLocked
from accounts.models import AuditEvent, RecoveryCode, SecondFactor, User
from accounts.second_factor import CodeRefused, EnrolledMeanwhile, NoSecondFactor, OwnSecondFactor
from mymoolah.common.errors import Unavailable
from tests.back_office.house import colleague
from tests.conftest import Ledger, Person, Sql, refused

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
KEY = base64.b32encode(b"12345678901234567890").decode()
ORIGIN = Origin(address="203.0.113.7", request_id="r1")


def code_at(moment: dt.datetime, *, key: str = KEY) -> str:
    """What a telephone shows."""
    totp = TOTP(base64.b32decode(key))
    totp.time = moment.timestamp()
    return f"{totp.token():06d}"


def enrol(
    user: User, *, at: dt.datetime = NOON - dt.timedelta(hours=1), key: str = KEY, again: bool = False
) -> list[str]:
    return second_factor.enrol(
        user_id=user.pk, key=key, code=code_at(at, key=key), is_replacement=again, now=at, origin=ORIGIN
    )


def verify(user: User, code: str, *, at: dt.datetime = NOON) -> None:
    second_factor.verify(user=user, code=code, now=at, origin=Origin(actor_id=user.pk, address="203.0.113.7"))


def verbs() -> list[str]:
    return list(
        AuditEvent.objects.filter(verb__startswith="second_factor").order_by("pk").values_list("verb", flat=True)
    )


@pytest.fixture
def ada(db: None) -> User:
    return colleague("administrator")


# RFC 6238, appendix B, SHA-1: the last six digits of eight.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(ada: User, seconds: int, code: str) -> None:
    moment = dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    second_factor.enrol(user_id=ada.pk, key=KEY, code=code, is_replacement=False, now=moment, origin=ORIGIN)
    assert SecondFactor.objects.get().last_step == seconds // 30


def test_a_code_lets_in_once(ada: User) -> None:
    enrol(ada)
    verify(ada, code_at(NOON))
    with pytest.raises(CodeRefused):
        verify(ada, code_at(NOON))
    with pytest.raises(CodeRefused):
        verify(ada, code_at(NOON), at=NOON + dt.timedelta(seconds=20))
    verify(ada, code_at(NOON + dt.timedelta(seconds=30)), at=NOON + dt.timedelta(seconds=30))


def test_the_code_of_the_enrolment_is_used_up(ada: User) -> None:
    enrol(ada, at=NOON)
    with pytest.raises(CodeRefused):
        verify(ada, code_at(NOON))


def test_an_older_code_than_the_last_is_used_up_too(ada: User) -> None:
    enrol(ada)
    verify(ada, code_at(NOON))
    with pytest.raises(CodeRefused):
        verify(ada, code_at(NOON - dt.timedelta(seconds=30)))


@pytest.mark.parametrize(("seconds", "is_good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_telephone_may_be_half_a_minute_off(ada: User, seconds: int, is_good: bool) -> None:
    enrol(ada)
    code = code_at(NOON + dt.timedelta(seconds=seconds))
    if is_good:
        verify(ada, code)
    else:
        with pytest.raises(CodeRefused):
            verify(ada, code)


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666", "-12345", "12 34", "\x00"]
)
def test_what_is_no_code_is_refused(ada: User, code: str) -> None:
    enrol(ada)
    with pytest.raises(CodeRefused):
        verify(ada, code)


def test_a_code_may_be_typed_as_it_is_shown(ada: User) -> None:
    enrol(ada)
    code = code_at(NOON)
    verify(ada, f"{code[:3]} {code[3:]}")


def test_a_code_of_somebody_else_is_refused(ada: User) -> None:
    enrol(ada)
    other = colleague("support")
    key = second_factor.new_key()
    enrol(other, key=key)
    with pytest.raises(CodeRefused):
        verify(ada, code_at(NOON, key=key))


def test_a_key_moved_to_another_row_opens_nothing(ada: User) -> None:
    enrol(ada)
    other = colleague("support")
    enrol(other, key=second_factor.new_key())
    moved = SecondFactor.objects.get(user=ada)
    SecondFactor.objects.filter(user=other).delete()
    SecondFactor.objects.create(
        user=other, key_encrypted=moved.key_encrypted, last_step=moved.last_step, enrolled_at=moved.enrolled_at
    )
    with pytest.raises(InvalidTag):
        verify(other, code_at(NOON))


def test_of_two_at_once_with_one_code_one_is_let_in(ledger: Ledger, race: Any) -> None:
    user = colleague("administrator")
    enrol(user)
    answers = race(2, lambda: verify(user, code_at(NOON)))
    assert sorted(type(one).__name__ for one in answers) == ["CodeRefused", "NoneType"]


def test_of_two_at_once_with_one_recovery_code_one_is_let_in(ledger: Ledger, race: Any) -> None:
    user = colleague("administrator")
    [code, *_] = enrol(user)
    answers = race(2, lambda: verify(user, code))
    assert sorted(type(one).__name__ for one in answers) == ["CodeRefused", "NoneType"]
    assert RecoveryCode.objects.filter(used_at=None).count() == 9


def test_of_two_enrolments_at_once_one_counts(ledger: Ledger, race: Any) -> None:
    user = colleague("administrator")
    answers = race(2, lambda: enrol(user))
    assert sorted(type(one).__name__ for one in answers) == ["EnrolledMeanwhile", "list"]


def test_a_recovery_code_lets_in_once_however_it_is_typed(ada: User) -> None:
    codes = enrol(ada)
    assert len(set(codes)) == 10
    verify(ada, f" {codes[0].upper().replace('-', ' ')} ")
    with pytest.raises(CodeRefused):
        verify(ada, codes[0])
    verify(ada, codes[9])
    events = AuditEvent.objects.filter(verb="second_factor.recovery_code_used").order_by("pk")
    assert [event.facts for event in events] == [{"left": 9}, {"left": 8}]


def test_new_recovery_codes_take_the_place_of_the_old(ada: User) -> None:
    old = enrol(ada)
    new = second_factor.renew_recovery_codes(user_id=ada.pk, origin=ORIGIN)
    with pytest.raises(CodeRefused):
        verify(ada, old[0])
    verify(ada, new[0])
    assert RecoveryCode.objects.count() == 10


def test_nothing_is_enrolled_by_a_code_that_the_telephone_does_not_show(ada: User) -> None:
    with pytest.raises(CodeRefused):
        second_factor.enrol(user_id=ada.pk, key=KEY, code="000000", is_replacement=False, now=NOON, origin=ORIGIN)
    assert not SecondFactor.objects.exists()


def test_a_second_telephone_is_a_replacement_or_nothing(ada: User) -> None:
    with pytest.raises(EnrolledMeanwhile):
        enrol(ada, again=True)
    old = enrol(ada)
    with pytest.raises(EnrolledMeanwhile):
        enrol(ada, key=second_factor.new_key())
    key = second_factor.new_key()
    enrol(ada, key=key, again=True)
    for gone in (code_at(NOON), old[0]):
        with pytest.raises(CodeRefused):
            verify(ada, gone)
    verify(ada, code_at(NOON, key=key))
    assert verbs() == [
        "second_factor.enrolled",
        "second_factor.replaced",
        "second_factor.failed",
        "second_factor.failed",
    ]


def test_wrong_codes_lock_the_right_one_out_and_a_right_password_does_not_open_it(ada: User) -> None:
    enrol(ada)
    most = lockout.MOST_WRONG_CODES["account"]
    for _ in range(most):
        with pytest.raises(CodeRefused):
            verify(ada, "000000")
    lockout.count_attempt(email=ada.email, address="203.0.113.7").succeeded()
    with pytest.raises(SignInLocked) as caught:
        verify(ada, code_at(NOON))
    assert caught.value.retry_after_seconds
    assert AuditEvent.objects.filter(verb="second_factor.failed", actor=ada).count() == most
    assert AuditEvent.objects.get(verb="second_factor.locked").facts == {"locked": ["account"]}


def test_a_right_code_begins_anew(ada: User) -> None:
    codes = enrol(ada)
    for turn in range(3):
        for _ in range(lockout.MOST_WRONG_CODES["account"] - 1):
            with pytest.raises(CodeRefused):
                verify(ada, "000000")
        verify(ada, codes[turn])


def test_without_redis_no_code_is_tried(ada: User, settings: Any) -> None:
    codes = enrol(ada)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    with pytest.raises(Unavailable):
        verify(ada, codes[0])
    assert RecoveryCode.objects.filter(used_at=None).count() == 10


def test_a_colleague_resets_it_and_never_his_own(ada: User) -> None:
    enrol(ada)
    with pytest.raises(OwnSecondFactor):
        second_factor.reset(user=ada, reason="Lost", origin=Origin(actor_id=ada.pk))
    with pytest.raises(ReasonNeeded):
        second_factor.reset(user=ada, reason=" ", origin=SYSTEM)
    epoch = User.objects.get(pk=ada.pk).session_epoch
    second_factor.reset(user=ada, reason="Lost", origin=Origin(actor_id=colleague("support").pk))
    assert User.objects.get(pk=ada.pk).session_epoch == epoch + 1
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    with pytest.raises(NoSecondFactor):
        second_factor.reset(user=ada, reason="Lost", origin=SYSTEM)
    with pytest.raises(NoSecondFactor):
        verify(ada, code_at(NOON))


def test_a_reset_forgives_the_wrong_codes(ada: User) -> None:
    enrol(ada)
    for _ in range(lockout.MOST_WRONG_CODES["account"]):
        with pytest.raises(CodeRefused):
            verify(ada, "000000")
    second_factor.reset(user=ada, reason="Lost", origin=SYSTEM)
    enrol(ada)
    verify(ada, code_at(NOON))


def test_the_command_resets_and_says_so(ada: User, thandi: Person) -> None:
    enrol(ada)
    out = StringIO()
    call_command("reset_second_factor", "ADMINISTRATOR@example.com", reason="Lost, called back", stdout=out)
    assert "was reset" in out.getvalue()
    event = AuditEvent.objects.get(verb="second_factor.reset")
    assert (event.actor, event.facts) == (None, {"reason": "Lost, called back"})
    call_command("reset_second_factor", ada.email, reason="Lost", stdout=out)
    assert "Nothing was done" in out.getvalue()
    for nobody in (thandi.user.email, "nobody@example.com"):
        with pytest.raises(CommandError, match="Nobody of the staff"):
            call_command("reset_second_factor", nobody, reason="Lost")


def test_a_copy_of_the_database_holds_no_key_and_no_code(ada: User) -> None:
    codes = enrol(ada)
    verify(ada, codes[0])
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if not name.startswith("pg_")]
        dump = ""
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')  # noqa: S608 - the names are the database's own
            dump += "\n".join(row[0] for row in cursor.fetchall())
    assert ada.email in dump
    for secret in (KEY, *codes, *(code.replace("-", "") for code in codes)):
        raw = secret.encode()
        for written in (secret, raw.hex(), base64.b64encode(raw).decode(), hashlib.sha256(raw).hexdigest()):
            assert written not in dump
    assert base64.b32decode(KEY).hex() not in dump


def test_the_picture_says_what_apps_understand(ada: User) -> None:
    assert second_factor.enrolment_address(user=ada, key=KEY) == (
        f"otpauth://totp/MyMoolah:administrator%40example.com?secret={KEY}&issuer=MyMoolah&algorithm=SHA1&digits=6&period=30"
    )


def test_a_standing_or_a_role_that_changes_ends_sessions_whoever_changes_it(ada: User) -> None:
    def epoch() -> int:
        return User.objects.get(pk=ada.pk).session_epoch

    stale, seen = User.objects.get(pk=ada.pk), [epoch()]
    with connection.cursor() as cursor:
        for statement in (
            "UPDATE users SET status = 'suspended' WHERE id = %s",
            "UPDATE users SET status = 'active' WHERE id = %s",
            "UPDATE users SET is_superuser = true WHERE id = %s",
            "DELETE FROM users_groups WHERE user_id = %s",
            "INSERT INTO users_groups (user_id, group_id) SELECT %s, id FROM auth_group WHERE name = 'support'",
        ):
            cursor.execute(statement, [ada.pk])
            seen.append(epoch())
        cursor.execute("UPDATE users SET last_name = 'Other' WHERE id = %s", [ada.pk])
    assert seen == sorted(set(seen))
    assert epoch() == seen[-1]
    stale.last_login = NOON
    stale.save()
    assert epoch() > seen[-1]


@pytest.mark.parametrize(
    ("statement", "for_the_app"),
    [
        ("UPDATE users SET public_id = gen_random_uuid() WHERE id = %s", "MM901"),
        ("UPDATE users SET created_at = created_at - interval '1 year' WHERE id = %s", "MM901"),
        ("UPDATE recovery_codes SET used_at = NULL WHERE used_at IS NOT NULL AND factor_id = %s", "MM901"),
        ("UPDATE recovery_codes SET used_at = used_at - interval '1 day' WHERE factor_id = %s", "MM901"),
        ("UPDATE recovery_codes SET digest = sha256(digest) WHERE factor_id = %s", "42501"),
        ("UPDATE second_factors SET last_step = last_step - 1 WHERE user_id = %s", "MM901"),
        ("UPDATE second_factors SET key_encrypted = key_encrypted || 'x' WHERE user_id = %s", "42501"),
        ("UPDATE second_factors SET enrolled_at = now() WHERE user_id = %s", "42501"),
    ],
)
def test_nobody_becomes_another_and_no_code_is_good_again(
    ledger: Ledger, app_sql: Sql, owner_sql: Sql, statement: str, for_the_app: str
) -> None:
    user = colleague("administrator")
    verify(user, enrol(user)[0])
    with refused(for_the_app):
        app_sql(statement, user.pk)
    with refused("MM901"):
        owner_sql(statement, user.pk)
