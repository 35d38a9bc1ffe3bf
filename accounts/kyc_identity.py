"""What an identity number has to be, and how little of it is shown."""

from __future__ import annotations

import datetime as dt
import re

from stdnum import luhn
from stdnum.exceptions import InvalidComponent
from stdnum.za import idnr

from accounts.models import KycSubmission
from mymoolah.common import crypto
from mymoolah.common.errors import DomainError

ID_NUMBER = "kyc_submissions.id_number"  # what its encryption and its index are bound to
SA_ID = re.compile(r"[0-9]{13}", re.ASCII)
PASSPORT = re.compile(r"[A-Z0-9]{6,12}", re.ASCII)
HIDDEN_OF_SA_ID, SHOWN_OF_PASSPORT = 8, 3


class InvalidIdNumber(DomainError):
    """What was typed cannot be an identity number of its kind; each way how is a subclass."""

    code, status, title = "invalid_id_number", 400, "A South African identity number has 13 digits"


class InvalidBirthDate(InvalidIdNumber):
    code, title = "invalid_birth_date", "The first six digits are no date of birth"


class BirthDateInFuture(InvalidIdNumber):
    code, title = "birth_date_in_future", "The first six digits are a date that has not come yet"


class InvalidCitizenship(InvalidIdNumber):
    code, title = "invalid_citizenship", "The eleventh digit is 0 or 1"


class InvalidCheckDigit(InvalidIdNumber):
    code, title = "invalid_check_digit", "The last digit does not fit the others: please look for a typing mistake"


class InvalidPassportNumber(InvalidIdNumber):
    code, title = "invalid_passport_number", "A passport number has 6 to 12 letters and digits"


def identity_number(text: str, *, id_type: str, today: dt.date) -> str:
    """The number without spaces, in capitals: one identity, one text.

    South African: six digits of the date of birth, four that tell people apart, citizenship, one without a meaning, and
    a Luhn digit (Identification Act 68 of 1997, as python-stdnum reads it). The century is the latest that is possible,
    so whoever turns a hundred later this year is taken for unborn, and shows a passport.

    :raises InvalidIdNumber: it cannot be one
    """
    number = text.replace(" ", "").upper()
    if id_type == KycSubmission.IdType.PASSPORT:
        if not PASSPORT.fullmatch(number):
            raise InvalidPassportNumber
        return number
    if not SA_ID.fullmatch(number):
        raise InvalidIdNumber
    try:
        born_on = idnr.get_birth_date(number)
    except InvalidComponent as error:
        raise InvalidBirthDate from error
    if born_on > today:
        raise BirthDateInFuture
    try:
        idnr.get_citizenship(number)
    except InvalidComponent as error:
        raise InvalidCitizenship from error
    if not luhn.is_valid(number):
        raise InvalidCheckDigit
    assert idnr.is_valid(number)
    return number


def masked_identity_number(number: str, *, id_type: str) -> str:
    """What its owner knows it by: `****** **44 08 9`, or the last three characters of a passport's."""
    if id_type == KycSubmission.IdType.PASSPORT:
        return f"{'*' * (len(number) - SHOWN_OF_PASSPORT)}{number[-SHOWN_OF_PASSPORT:]}"
    return re.sub("[0-9]", "*", idnr.format(number), count=HIDDEN_OF_SA_ID)


def encrypted_number(number: str) -> str:
    return crypto.encrypt(number, context=ID_NUMBER)


def decrypted_number(stored: str) -> str:
    return crypto.decrypt(stored, context=ID_NUMBER)


def number_index(number: str) -> bytes:
    """What equal numbers have in common."""
    return crypto.blind_index(number, context=ID_NUMBER)
