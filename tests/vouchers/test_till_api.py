"""The tills' door: who may speak, and what has a form that can be stored."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from mymoolah.common.clock import iso_utc, now
from mymoolah.common.errors import Unavailable
from mymoolah.common.money import Money
from tests.api import Caller, body_of, calling, errors_of, problem
from tests.conftest import Ledger, Person
from tests.vouchers.till import (
    PATH,
    TOP_UP,
    UNKNOWN_NUMBER,
    issue,
    moves,
    number_of,
    payment,
    sent,
    signed_headers,
    told,
)
from vouchers import till_api, till_authentication
from vouchers.models import SuspenseItem, TillEvent
from vouchers.services import tills

pytestmark = pytest.mark.usefixtures("ledger")

OTHER = "another secret"


@pytest.fixture
def no_redis(settings: Any) -> None:
    """A cache whose server is not there."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock?db=0"}}


def stored() -> int:
    return TillEvent.objects.count()


def a_payment() -> bytes:
    return json.dumps(payment(UNKNOWN_NUMBER)).encode()


def refused(answer: Any, code: str) -> None:
    problem(answer, 401, code)
    assert answer["WWW-Authenticate"].startswith("HMAC-SHA256 ")
    assert stored() == 0


# Who may speak ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"X_Signature": ""}, "signature_invalid"),
        ({"X_Signature": "0" * 64}, "signature_invalid"),
        ({"X_Signature": "0" * 63}, "signature_invalid"),
        ({"X_Signature": "z" * 64}, "signature_invalid"),
        ({"X_Signature": "é" * 64}, "signature_invalid"),
        ({"X_Signature": "٠" * 64}, "signature_invalid"),  # noqa: RUF001 - a digit, and none of ours
        ({"X_Timestamp": ""}, "timestamp_invalid"),
        ({"X_Timestamp": "yesterday"}, "timestamp_invalid"),
        ({"X_Timestamp": "-1"}, "timestamp_invalid"),
        ({"X_Timestamp": "1e9"}, "timestamp_invalid"),
        ({"X_Timestamp": "1760000000.0"}, "timestamp_invalid"),
        ({"X_Timestamp": "٣"}, "timestamp_invalid"),
        ({"X_Timestamp": "9" * 400}, "timestamp_invalid"),
        ({"X_Timestamp": "1760000000"}, "signature_invalid"),
        ({"X_Timestamp": "", "X_Signature": ""}, "timestamp_invalid"),
    ],
)
def test_a_report_without_a_signature_of_its_own_is_refused(headers: dict[str, str], code: str) -> None:
    refused(sent(a_payment(), **headers), code)


@pytest.mark.parametrize("off", [-100_000, -302, 302, 100_000])
def test_a_report_signed_too_long_ago_or_ahead_is_refused(off: int) -> None:
    refused(sent(a_payment(), timestamp=int(time.time()) + off), "timestamp_invalid")


@pytest.mark.parametrize(("off", "status"), [(-301, 401), (-300, 200), (300, 200), (301, 401)])
def test_five_minutes_off_are_allowed_and_no_second_more(
    off: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now().replace(microsecond=0)
    monkeypatch.setattr(till_authentication, "now", lambda: moment)
    assert sent(a_payment(), timestamp=int(moment.timestamp()) + off).status_code == status


def test_one_changed_byte_of_the_body_is_noticed() -> None:
    raw = a_payment()
    signed = signed_headers(raw)
    for changed in (raw.replace(b"100.00", b"900.00"), raw + b" ", raw[:-1] + b" }", b""):
        refused(Caller().post(PATH, changed, **signed), "signature_invalid")
    later = str(int(signed["X_Timestamp"]) + 1)
    refused(Caller().post(PATH, raw, **{**signed, "X_Timestamp": later}), "signature_invalid")
    capitals = signed["X_Signature"].upper()
    assert Caller().post(PATH, raw, **{**signed, "X_Signature": capitals}).status_code == 200


def test_while_the_secret_is_changed_both_are_accepted_and_no_third(settings: Any) -> None:
    first = settings.EASYPAY_SECRETS[0]
    refused(sent(a_payment(), secret=OTHER), "signature_invalid")
    settings.EASYPAY_SECRETS = [OTHER, first]
    assert [sent(a_payment(), secret=secret).status_code for secret in (OTHER, first)] == [200, 200]
    assert sent(a_payment(), secret="a third").status_code == 401
    settings.EASYPAY_SECRETS = [OTHER]
    assert sent(a_payment(), secret=first).status_code == 401
    assert stored() == 2


def test_without_any_secret_nobody_may_speak(settings: Any) -> None:
    secret = settings.EASYPAY_SECRETS[0]
    settings.EASYPAY_SECRETS = []
    refused(sent(a_payment(), secret=secret), "signature_invalid")


def test_a_customers_token_opens_nothing_and_hinders_nothing(thandi: Person) -> None:
    raw = a_payment()
    refused(calling(thandi).post(PATH, raw), "timestamp_invalid")
    assert Caller("not a token").post(PATH, raw, **signed_headers(raw)).status_code == 200


def test_who_did_not_sign_learns_nothing_of_his_body() -> None:
    for raw in (b"", b"{", b'{"amount": 1}', b"\xff", b"x" * 65 * 1024):
        refused(sent(raw, X_Signature="0" * 64), "signature_invalid")
    refused(Caller().get(PATH), "timestamp_invalid")


def test_a_signed_question_is_no_report() -> None:
    problem(Caller().patch(PATH, b"{}", **signed_headers(b"{}")), 405, "method_not_allowed")


def test_a_till_is_never_sent_away_for_asking_often(settings: Any) -> None:
    settings.RATE_LIMITS_PER_MINUTE = dict.fromkeys(settings.RATE_LIMITS_PER_MINUTE, 1)
    answers = [sent(a_payment()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert not any("RateLimit-Limit" in answer for answer in answers)


def test_while_redis_is_away_tills_go_on(thandi: Person, no_redis: None) -> None:
    voucher = issue(thandi, TOP_UP)
    with moves({thandi: "93.67", "easypay_clearing": "-100.00", "fee_income": "5.50", "vat_control": "0.83"}):
        assert told(payment(voucher)) == "applied"


# What has a form that can be stored ---------------------------------------------------------------------------------
@pytest.mark.parametrize("raw", [b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"{} {}"])
def test_a_body_that_is_no_json_object_is_refused(raw: bytes) -> None:
    assert errors_of(sent(raw)) == {"body": ["malformed_json"]}
    assert stored() == 0


def test_a_key_that_stands_twice_is_refused() -> None:
    raw = a_payment().replace(b"{", b'{"amount": "1.00", ', 1)
    assert errors_of(sent(raw)) == {"body": ["malformed_json"]}


def test_a_body_is_json_and_not_too_large() -> None:
    raw = a_payment()
    assert sent(raw + b" " * 64 * 1024).status_code == 413
    assert sent(raw + b" " * 300 * 1024).status_code == 413
    headers = {name.replace("_", "-"): value for name, value in signed_headers(raw).items()}
    answer = Client().post(f"/api/v1/{PATH}", raw, content_type="text/plain", headers=headers)
    assert answer.status_code == 415
    assert stored() == 0


STRANGE: list[Any] = [None, 1, 1.5, True, [], {}, ["95063000000011"], "", " "]


FIELDS = ["easypay_number", "amount", "provider_reference", "paid_at"]


def test_nothing_at_all_lacks_everything() -> None:
    assert errors_of(sent(b"")) == {field: ["required"] for field in FIELDS}


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_must_be_there(field: str) -> None:
    body = payment(UNKNOWN_NUMBER)
    del body[field]
    assert errors_of(sent(body)) == {field: ["required"]}
    assert stored() == 0


@pytest.mark.parametrize("value", [*STRANGE, "9506312345678", "950631234567855", "9506312345678x", "٩5063123456785"])
def test_a_number_has_fourteen_digits(value: Any) -> None:
    assert set(errors_of(sent(payment(UNKNOWN_NUMBER, easypay_number=value)))) == {"easypay_number"}
    for padded in (" 95063123456785", "95063123456785 ", "95063123456785\n"):
        assert set(errors_of(sent(payment(padded)))) == {"easypay_number"}
    assert stored() == 0


@pytest.mark.parametrize(
    "value",
    [*STRANGE, "0", "0.00", "-1.00", "+1.00", "1.001", "1.000", "1e2", "1,00", "1.", ".5", "NaN", "Infinity", "1" * 18],
)
def test_an_amount_is_a_text_of_rand_and_cents(value: Any) -> None:
    assert set(errors_of(sent(payment(UNKNOWN_NUMBER, amount=value)))) == {"amount"}
    assert stored() == 0


@pytest.mark.parametrize("value", [None, 1, [], {}, "", "x" * 101, "é", "a\tb", "a\n", "\x00", "\x7f", "…"])
def test_a_reference_is_one_to_a_hundred_printable_characters(value: Any) -> None:
    errors = errors_of(sent(payment(UNKNOWN_NUMBER, provider_reference=value)))
    assert errors.keys() <= {"provider_reference", "body"}
    assert stored() == 0


@pytest.mark.parametrize("value", ["x" * 100, "a b", "~", "EP/2026:1#e"])
def test_any_reference_of_printable_characters_will_do(value: str) -> None:
    assert told(payment(UNKNOWN_NUMBER, provider_reference=value)) == "suspense"
    assert TillEvent.objects.get().provider_reference == value


@pytest.mark.parametrize(
    "value",
    [
        *STRANGE,
        "2026-03-01",
        "2026-03-01T09:30:00",
        "2026-03-01 09:30:00+02:00",
        "2026-02-30T09:30:00+02:00",
        "2026-03-01T25:30:00+02:00",
        "2026-03-01T09:30:60+02:00",
        "2026-03-01T09:30:00+25:00",
        "2026-W09-1T09:30:00+02:00",
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:59:59-02:00",
        "0000-01-01T00:00:00Z",
        "1760000000",
        "now",
        " 2026-03-01T09:30:00+02:00",
    ],
)
def test_a_moment_has_an_offset_and_exists(value: Any) -> None:
    assert set(errors_of(sent(payment(UNKNOWN_NUMBER, paid_at=value)))) == {"paid_at"}
    assert stored() == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-01T09:30:00+02:00", "2026-03-01T07:30:00.000000Z"),
        ("2026-03-01T09:30:00Z", "2026-03-01T09:30:00.000000Z"),
        ("2026-03-01T09:30:00.123456789-0330", "2026-03-01T13:00:00.123456Z"),
        ("2026-03-01T09:30+02", "2026-03-01T07:30:00.000000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
    ],
)
def test_a_moment_is_stored_as_that_moment(value: str, expected: str) -> None:
    told(payment(UNKNOWN_NUMBER, paid_at=value))
    assert iso_utc(TillEvent.objects.get().paid_at) == expected


def test_a_moment_may_be_five_minutes_ahead_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = now()
    monkeypatch.setattr(till_api, "now", lambda: moment)
    ahead = (moment + till_api.FAST_CLOCK).isoformat()
    assert told(payment(UNKNOWN_NUMBER, paid_at=ahead)) == "suspense"
    too_far = (moment + till_api.FAST_CLOCK * 1.001).isoformat()
    assert errors_of(sent(payment(UNKNOWN_NUMBER, paid_at=too_far))) == {"paid_at": ["in_the_future"]}


def test_what_we_do_not_know_is_left_alone_and_kept(thandi: Person) -> None:
    voucher = issue(thandi, TOP_UP)
    raw = json.dumps(payment(voucher, till={"city": "Soweto", "lane": 4}, note=None)).encode()
    answer = sent(raw)
    assert (answer.status_code, body_of(answer)) == (200, {"result": "applied"})
    assert bytes(TillEvent.objects.get().body) == raw


@pytest.mark.parametrize("amount", ["100", "100.0", "100.00"])
def test_an_amount_means_the_same_however_many_zeros_it_has(thandi: Person, amount: str) -> None:
    assert told(payment(issue(thandi, TOP_UP), amount)) == "applied"


@pytest.mark.parametrize("amount", ["99.99", "100.01", "1", "100000.00"])
def test_no_other_amount_is_the_right_one(thandi: Person, amount: str) -> None:
    assert told(payment(issue(thandi, TOP_UP), amount)) == "suspense"
    assert SuspenseItem.objects.get().reason == "other_amount"


def test_more_than_a_till_can_have_moved_is_a_mistake_of_its_writer(thandi: Person) -> None:
    voucher = issue(thandi, TOP_UP)
    assert errors_of(sent(payment(voucher, "100000.01"))) == {"amount": ["too_much"]}
    assert stored() == 0


def test_a_report_that_would_overflow_the_books_waits_for_somebody_to_look(thandi: Person) -> None:
    number = number_of(issue(thandi, TOP_UP))

    def report(reference: str) -> tills.Report:
        most = Money.parse("99999999999999999.99")
        return tills.Report(provider_reference=reference, easypay_number=number, amount=most, paid_at=now(), body=b"{}")

    assert tills.report_payment(report=report("first"), now=now()) == "suspense"
    with pytest.raises(Unavailable):
        tills.report_payment(report=report("second"), now=now())
    assert TillEvent.objects.get(result=None).provider_reference == "second"


def test_while_the_database_is_away_the_till_is_asked_to_come_back(ledger: Ledger, monkeypatch: Any) -> None:
    connections["default"].close()
    monkeypatch.setitem(connections.settings["default"], "NAME", "nowhere")
    answer = sent(a_payment())
    connections["default"].close()
    monkeypatch.undo()
    problem(answer, 503, "temporarily_unavailable")
    assert stored() == 0
