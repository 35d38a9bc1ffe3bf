"""The second factor of staff: a code that an app on their telephone shows (TOTP, RFC 6238), and ten recovery codes.

The arithmetic is django-otp's. Its apps with devices are not used: they keep the key and the recovery codes as they are,
so that a copy of the database would be a copy of everybody's telephone. Here the key is encrypted, a recovery code is
kept as an HMAC, and each code is good once: under a lock on the row, so that of two at once one is.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
import secrets
from typing import Final
from urllib.parse import quote, urlencode

from django.db import transaction
from django.db.models import F
from django_otp.oath import TOTP

from accounts import audit, lockout
from accounts.audit import Origin
from accounts.decisions import ReasonNeeded
from accounts.models import RecoveryCode, SecondFactor, User
from accounts.sessions import counted
from mymoolah.common.crypto import blind_index, decrypt, encrypt
from mymoolah.common.errors import DomainError, NotFound

ISSUER: Final = "MyMoolah"
KEY_BYTES: Final = 20  # RFC 4226, section 4: 160 bits
STEP_SECONDS: Final = 30
DRIFT_STEPS: Final = 1  # what a telephone's clock may be off, either way
RECOVERY_CODES: Final = 10
# Without letters that look alike; twelve of them are 60 bits.
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
RECOVERY_LETTERS: Final = 12


class CodeRefused(DomainError):
    """One answer for a wrong code, an old one, and one that was used before."""

    code, status, title = "second_factor_refused", 409, "This code is not good, or it was used before"


class NoSecondFactor(NotFound):
    code, title = "no_second_factor", "There is no second factor"


class EnrolledMeanwhile(DomainError):
    code, status, title = "enrolled_meanwhile", 409, "Your second factor has changed meanwhile; please sign in again"


class OwnSecondFactor(DomainError):
    code, status, title = "own_second_factor", 409, "Your own second factor is reset by a colleague"


def new_key() -> str:
    """A key to enrol with, in the letters (base32) that an app takes."""
    return base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()


def enrolment_address(*, user: User, key: str) -> str:
    """What the QR code says: the `otpauth:` address that authenticator apps agree on."""
    facts = {"secret": key, "issuer": ISSUER, "algorithm": "SHA1", "digits": 6, "period": STEP_SECONDS}
    return f"otpauth://totp/{quote(ISSUER)}:{quote(user.email)}?{urlencode(facts)}"


def enrol(*, user_id: int, key: str, code: str, is_replacement: bool, now: dt.datetime, origin: Origin) -> list[str]:
    """Give somebody a second factor, or another, and end his sessions: the recovery codes, which nobody sees again.

    :raises CodeRefused: his app does not show `code` for this key, so it would lock him out
    :raises EnrolledMeanwhile: he has one although this is no replacement, or has none although it is
    """
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user_id)
        if SecondFactor.objects.filter(user=user).exists() != is_replacement:
            raise EnrolledMeanwhile
        step = _step_of(code, key=key, after=0, now=now)
        if step is None:
            raise CodeRefused
        SecondFactor.objects.filter(user=user).delete()
        factor = SecondFactor.objects.create(
            user=user, key_encrypted=encrypt(key, context=_context(user)), last_step=step, enrolled_at=now
        )
        codes = _make_recovery_codes(factor)
        end_staff_sessions(user=user, origin=origin)
        _record("second_factor.replaced" if is_replacement else "second_factor.enrolled", user, origin)
        return codes


def verify(*, user: User, code: str, now: dt.datetime, origin: Origin) -> None:
    """Use up what somebody gives beside his password: a code of his app, or a recovery code.

    :raises CodeRefused: it is wrong, old or used; that is counted and written down
    :raises SignInLocked: too many were
    :raises Unavailable: Redis is away, and nobody counts
    :raises NoSecondFactor: it was reset
    """
    with (
        counted(email=user.email, origin=origin, refusal=CodeRefused, what="second_factor"),
        transaction.atomic(),
    ):
        factor = SecondFactor.objects.select_for_update().filter(user=user).first()
        if factor is None:
            raise NoSecondFactor
        key = decrypt(factor.key_encrypted, context=_context(user))
        step = _step_of(code, key=key, after=factor.last_step, now=now)
        if step is not None:
            factor.last_step = step
            factor.save(update_fields=["last_step"])
            return
        unused = factor.recovery_codes.filter(used_at=None)
        if not unused.filter(digest=_digest(user, code)).update(used_at=now):
            raise CodeRefused
        _record("second_factor.recovery_code_used", user, origin, left=unused.count())


def renew_recovery_codes(*, user_id: int, origin: Origin) -> list[str]:
    """Ten new recovery codes instead of those there were, used or not.

    :raises NoSecondFactor: it was reset
    """
    with transaction.atomic():
        factor = (
            SecondFactor.objects.select_for_update(of=("self",)).select_related("user").filter(user=user_id).first()
        )
        if factor is None:
            raise NoSecondFactor
        _record("second_factor.recovery_codes_renewed", factor.user, origin)
        return _make_recovery_codes(factor)


def reset(*, user: User, reason: str, origin: Origin) -> None:
    """Take a colleague's second factor away, and end his sessions; where one is required his next sign-in enrols another.

    :raises ReasonNeeded: nobody says why
    :raises OwnSecondFactor: whoever could reset his own would need no telephone
    :raises NoSecondFactor: there is nothing to reset
    """
    if origin.actor_id == user.pk:
        raise OwnSecondFactor
    if not reason.strip():
        raise ReasonNeeded
    with transaction.atomic():
        deleted, _ = SecondFactor.objects.filter(user=user).delete()
        if not deleted:
            raise NoSecondFactor
        end_staff_sessions(user=user, origin=origin)
        _record("second_factor.reset", user, origin, reason=reason.strip())
        lockout.unlock_account(email=user.email, what="second_factor")


def end_staff_sessions(*, user: User, origin: Origin) -> None:
    """Make all open sessions of a colleague in the back-office worth nothing."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
        audit.record("staff.sessions_ended", subject_type="user", subject_id=user.public_id, origin=origin)


def _step_of(code: str, *, key: str, after: int, now: dt.datetime) -> int | None:
    """The step of thirty seconds whose code this is, if it is near now and later than `after`."""
    digits = code.replace(" ", "")
    if not re.fullmatch(r"[0-9]{6}", digits, re.ASCII):
        return None
    totp = TOTP(base64.b32decode(key), step=STEP_SECONDS)
    totp.time = now.timestamp()
    return totp.t() if totp.verify(int(digits), tolerance=DRIFT_STEPS, min_t=after + 1) else None


def _make_recovery_codes(factor: SecondFactor) -> list[str]:
    factor.recovery_codes.all().delete()
    codes = ["".join(secrets.choice(LETTERS) for _ in range(RECOVERY_LETTERS)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(factor=factor, digest=_digest(factor.user, code)) for code in codes)
    return ["-".join(re.findall("....", code)) for code in codes]


def _digest(user: User, code: str) -> bytes:
    """What is kept of a recovery code: 32 bytes that tell it to nobody without the key, and fit no other colleague."""
    plain = re.sub(r"[\s-]", "", code).lower()
    return blind_index(f"{user.public_id}:{plain}", context="recovery_codes.digest")


def _context(user: User) -> str:
    """What the encrypted key is bound to: moved to another row, it opens nothing."""
    return f"second_factors.key:{user.public_id}"


def _record(verb: str, user: User, origin: Origin, **facts: int | str) -> None:
    audit.record(verb, subject_type="user", subject_id=user.public_id, origin=origin, **facts)
