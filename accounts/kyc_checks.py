"""What a machine can tell about a case before an officer looks at it: green, red, or for a person to see."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import F
from stdnum.za import idnr

from accounts.kyc_identity import InvalidIdNumber, decrypted_number, identity_number
from accounts.kyc_tiers import missing_kinds
from accounts.models import KycDocument, KycSubmission, User
from mymoolah.common.clock import business_day
from mymoolah.common.sql.queries import rows

ADULT_YEARS = (
    18  # Children's Act 38 of 2005, section 17; a minor's account needs a guardian, which we have no way to record
)

Facts = Mapping[str, Any]


class Level(StrEnum):
    GREEN = "green"
    LOOK = "look"
    """No machine can tell: an officer looks."""
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Check:
    code: str
    level: Level
    text: str
    is_final: bool = False
    """Red, and nobody may look past it."""
    cases: Sequence[uuid.UUID] = ()
    """Other cases that it speaks of."""
    unclaimed: str = ""
    """What is said instead of `text` to whoever has not claimed the case; empty where that is the same."""


def checks_of(submission: KycSubmission, *, now: dt.datetime) -> list[Check]:
    """What each check says at this moment. One query."""
    [facts] = rows("accounts", "kyc_checks.sql", submission=submission.pk)
    number = decrypted_number(facts["id_number_encrypted"])
    today = business_day(now)
    found = [_number(facts, number, today), _age(facts, number, today), _expiry(facts, today)]
    found += [check(facts) for check in (_name, _duplicates, _documents, _files, _contacts, _account)]
    return [check for check in found if check is not None]


def red_codes(checks: Sequence[Check]) -> list[str]:
    return [check.code for check in checks if check.level == Level.RED]


def look_again(submission: KycSubmission, *, now: dt.datetime) -> None:
    """Save a case that was just changed, with the colour its checks have now; tell cases of the same identity too."""
    submission.is_red = bool(red_codes(checks_of(submission, now=now)))
    submission.version += 1
    submission.save()
    tell_others(submission)


def tell_others(submission: KycSubmission) -> None:
    """Whatever else waits with the same identity is a duplicate now, and a page that shows it is out of date."""
    others = KycSubmission.objects.filter(
        id_number_index=submission.id_number_index, id_type=submission.id_type, status=KycSubmission.Status.PENDING
    ).exclude(user=submission.user_id)
    others.filter(is_red=False).update(is_red=True, version=F("version") + 1)


def _number(facts: Facts, number: str, today: dt.date) -> Check:
    try:
        identity_number(number, id_type=facts["id_type"], today=today)
    except InvalidIdNumber as error:
        return _red("number", f"{error.title}.")
    if facts["id_type"] == KycSubmission.IdType.PASSPORT:
        return _green("number", "The passport number is well formed. It has no check digit; compare it with the page.")
    return _green("number", "The identity number is well formed, and its check digit fits.")


def _age(facts: Facts, number: str, today: dt.date) -> Check:
    if facts["id_type"] == KycSubmission.IdType.PASSPORT:
        return _look("age", "A passport number holds no date of birth: read it from the document.")
    try:
        born_on = idnr.get_birth_date(number)
    except ValueError:
        return _red("age", "No date of birth can be read from the number.")
    years = today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))
    is_minor = years < ADULT_YEARS
    guardian = " Minors need a guardian." if is_minor else ""
    return Check(
        code="age",
        level=Level.RED if is_minor else Level.GREEN,
        text=f"Born {born_on:%-d %B %Y} by the number, {years} years old.{guardian}",
        # The date is the beginning of the number, whose end the page shows.
        unclaimed=f"{'Under' if is_minor else 'At least'} {ADULT_YEARS} years old by the number.{guardian}",
    )


def _expiry(facts: Facts, today: dt.date) -> Check | None:
    last_day = facts["passport_expires_on"]
    if last_day is None:
        return None
    if last_day < today:
        return _red("passport", f"The passport was valid until {last_day:%-d %B %Y}.")
    return _green("passport", f"The passport is valid until {last_day:%-d %B %Y}, by what the customer says.")


def _name(facts: Facts) -> Check:
    """Nothing here reads what a document shows, and the line says so."""
    if facts["renamed_at"] is not None:
        return _red("name", f"The name was changed on {facts['renamed_at']:%-d %B %Y}, after the documents came.")
    name = f"{facts['first_name']} {facts['last_name']}"
    return _look(
        "name", f"Compare “{name}” with the documents: no machine reads them. It was not changed since they came."
    )


def _duplicates(facts: Facts) -> Check:
    if facts["approved_elsewhere"]:
        text = "Another customer was approved with this number. One identity is one customer's."
        return Check(
            code="duplicate", level=Level.RED, text=text, is_final=True, cases=tuple(facts["approved_elsewhere"])
        )
    if facts["pending_elsewhere"]:
        return _red("duplicate", "Another customer waits with this number.", facts["pending_elsewhere"])
    if facts["approved_before"]:
        return _green("duplicate", "This customer was approved with the same number before, and nobody else has it.")
    return _green("duplicate", "No other customer, approved or waiting, has this number.")


def _documents(facts: Facts) -> Check:
    tier = facts["sought_tier"]
    missing = missing_kinds(has_tier=facts["kyc_tier"], tier=tier, kinds=facts["kinds"])
    if missing:
        names = " and ".join(KycDocument.Kind(kind).label.lower() for kind in missing)
        return Check(code="documents", level=Level.RED, text=f"Missing for tier {tier}: {names}.", is_final=True)
    return _green("documents", f"Everything that tier {tier} asks for is there.")


def _files(facts: Facts) -> Check:
    if facts["files_elsewhere"]:
        return _red("files", "The very same file is in another customer's case.", facts["files_elsewhere"])
    return _green("files", "None of the files, to the byte, is in another customer's case.")


def _contacts(facts: Facts) -> Check:
    confirmed = [name for name in ("email", "phone") if facts[f"has_{name}"]]
    if not confirmed:
        return _red("contacts", "Neither e-mail nor phone is confirmed.")
    if len(confirmed) == 1:
        return _look(
            "contacts", f"Of e-mail and phone, only the {confirmed[0].replace('email', 'e-mail')} is confirmed."
        )
    return _green("contacts", "E-mail and phone are confirmed.")


def _account(facts: Facts) -> Check:
    if facts["user_status"] == User.Status.ACTIVE:
        return _green("account", "The account is active.")
    is_closed = facts["user_status"] == User.Status.CLOSED
    return Check(code="account", level=Level.RED, text=f"The account is {facts['user_status']}.", is_final=is_closed)


def _line(level: Level) -> Callable[..., Check]:
    def make(code: str, text: str, cases: Sequence[uuid.UUID] = ()) -> Check:
        return Check(code=code, level=level, text=text, cases=tuple(cases))

    return make


_green, _look, _red = _line(Level.GREEN), _line(Level.LOOK), _line(Level.RED)
