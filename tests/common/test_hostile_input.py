"""What nobody sends by mistake: refused in a sentence, everywhere, and nothing comes of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core import signing
from django.core.handlers.wsgi import WSGIHandler
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client
from django.test.client import MULTIPART_CONTENT, RequestFactory

from accounts import lockout
from accounts.models import AuditEvent, KycSubmission, LoginSession, User
from mymoolah.common.fields import e164
from mymoolah.common.media_types import passing_over_unreadable
from tests.accounts.papers import picture
from tests.api import V1, Caller, body_of, calling, errors_of, problem
from tests.conftest import Person, balance, fund, person
from tests.description import as_described
from transactions.models import Transfer

PASSWORD = "a-good-long-passphrase"


@pytest.fixture(autouse=True)
def uncounted(settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def rich(ledger: object, thandi: Person, sipho: Person) -> Person:
    fund(thandi, "100.00")
    return thandi


def pay(who: Person, **changed: Any) -> HttpResponse:
    order = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR", "reference": "Lunch", **changed}
    return calling(who).post("transfers", order, Idempotency_Key=uuid.uuid4().hex)


def asked(who: Person, path: str, **headers: str) -> HttpResponse:
    caller = calling(who)
    return as_described(caller.client.get(V1 + path, headers=caller._headers(headers)))


# Addresses ----------------------------------------------------------------------------------------------------------
STRANGE = [
    "%00",
    "%ED%A0%80",
    "%FF",
    "%E2%80%AE",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "9" * 400,
    "1e999999999",
    "%0d%0aX:1",
]


@pytest.mark.parametrize("route", ["wallets", "transactions", "transfers", "vouchers", "auth/sessions", "me"])
@pytest.mark.parametrize("strange", STRANGE)
def test_a_strange_id_is_not_found(thandi: Person, route: str, strange: str) -> None:
    problem(asked(thandi, f"{route}/{strange}"), 404, "not_found")
    problem(asked(thandi, f"transactions/{thandi.wallet.number}-{strange}"), 404, "not_found")


@pytest.mark.parametrize("name", ["wallet", "type", "kind", "from", "to", "cursor", "limit"])
@pytest.mark.parametrize(
    "strange", [*STRANGE, "%D9%A1", "%EF%BC%91", "-1", "+1", "0x10", '{"$gt": 0}', "[]", "' OR 1=1 --"]
)
def test_a_strange_value_in_the_query_is_refused(thandi: Person, name: str, strange: str) -> None:
    assert list(errors_of(asked(thandi, f"transactions?{name}={strange}"))) == [name]


# Cursors ------------------------------------------------------------------------------------------------------------
def cursor_in(answer: HttpResponse) -> str:
    return str(body_of(answer)["next"]).partition("cursor=")[2].partition("&")[0]


def test_a_cursor_that_was_tampered_with_or_belongs_to_another_list_is_refused(rich: Person) -> None:
    for _ in range(2):
        pay(rich)
    good = cursor_in(calling(rich).get("transactions", limit=1))
    assert asked(rich, f"transactions?limit=1&cursor={good}").status_code == 200
    payload = signing.dumps([False, "2026-01-01", "1", 1], key="another key", salt="cursor:transactions")
    for bad in (good[:-1], good[1:], good + "x", good.swapcase(), payload, payload.partition(":")[0], "::", "a" * 5000):
        assert list(errors_of(asked(rich, f"transactions?cursor={bad}"))) == ["cursor"]
    for other in ("vouchers", "auth/sessions"):
        assert list(errors_of(asked(rich, f"{other}?cursor={good}"))) == ["cursor"]


def test_a_strangers_cursor_shows_nothing_of_the_stranger(rich: Person, sipho: Person) -> None:
    for _ in range(3):
        pay(rich)
    hers = cursor_in(calling(rich).get("transactions", limit=1))
    theirs = body_of(asked(sipho, f"transactions?cursor={hers}"))["results"]
    assert all(entry["id"].startswith(sipho.wallet.number) for entry in theirs)
    filtered = body_of(asked(rich, f"transactions?type=received&cursor={hers}"))["results"]
    assert [entry["type"] for entry in filtered] == ["received"]


# Headers ------------------------------------------------------------------------------------------------------------
def test_a_request_cannot_be_turned_into_another(rich: Person) -> None:
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        problem(calling(rich).post("me", {}, **{name.replace("-", "_"): "PATCH"}), 405, "method_not_allowed")
        assert asked(rich, "auth/sessions", **{name.replace("-", "_"): "DELETE"}).status_code == 200
    assert "_method" in errors_of(calling(rich).get("me", _method="DELETE"))


@pytest.mark.parametrize(
    "form", ["{0}, Bearer {0}", "{0} {0}", "Bearer {0}", "{0}\u00e9", "\u212a", '"{0}"', "", "null"]
)
def test_an_authorization_that_is_not_one_token_is_refused(rich: Person, form: str) -> None:
    token = calling(rich).token
    answer = Client().get(V1 + "me", headers={"Authorization": "Bearer " + form.format(token)})
    assert answer.status_code == 401
    assert body_of(answer)["code"] in {"token_invalid", "not_authenticated"}  # type: ignore[arg-type]


def test_an_id_of_a_request_reaches_no_header_and_no_line_of_the_log_but_as_a_plain_word(rich: Person) -> None:
    for strange in ("a\r\nX-Evil: 1", "a\nERROR all is lost", "a\0", "\u202e", "a b", "x" * 65):
        answer = asked(rich, "nope", X_Request_ID=strange)
        assert answer["X-Request-ID"] == uuid.UUID(answer["X-Request-ID"]).hex
        assert body_of(answer)["request_id"] == answer["X-Request-ID"]
        assert "X-Evil" not in answer


@pytest.mark.parametrize("key", ["a\r\nX-Evil: 1", "a\0b", "\u202ea", "a\u00a0b", "\ufeffk", "é"])
def test_a_key_that_is_not_plain_print_is_refused(rich: Person, key: str) -> None:
    order = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR"}
    answer = calling(rich).post("transfers", order, Idempotency_Key=key)
    assert errors_of(answer) == {"Idempotency-Key": ["invalid_key"]}


def test_a_device_is_shown_in_print_only(rich: Person) -> None:
    named = Client(HTTP_USER_AGENT="My\0Moolah\ud800 \u202e3.1\r\n\x1b[31m" + "x" * 300)
    assert Caller(client=named).post("auth/token", {"email": rich.user.email, "password": PASSWORD}).status_code == 200
    device = LoginSession.objects.get().device
    assert device.startswith("My Moolah   3.1   [31mx")
    assert device.isprintable()
    assert len(device) == 200


def spoken(path: str, **environ: Any) -> tuple[int, Any]:
    """What the web server is answered, below Django's own test client, which reads headers before it does."""
    said: list[str] = []
    request = RequestFactory().generic("POST", V1 + path, b"{}", content_type="application/json").environ
    start: Any = lambda status, *_: said.append(status)  # noqa: E731 - all that is asked of it
    body = b"".join(passing_over_unreadable(WSGIHandler())({**request, **environ}, start))
    return int(said[0].split()[0]), json.loads(body)


@pytest.mark.parametrize(
    "parameters", ["; a*=nonsense''b", "; charset*=utf-8''%00", "; charset=\0", "; charset=\ud800", "; a*=\u00e9''b"]
)
def test_a_media_type_that_cannot_be_read_is_none(db: None, parameters: str) -> None:
    status, body = spoken("auth/token", CONTENT_TYPE="application/json" + parameters)
    assert (status, body["code"]) == (415, "unsupported_media_type")
    assert spoken("auth/token", HTTP_ACCEPT="application/json" + parameters)[0] in {400, 406}
    assert spoken("nope", CONTENT_TYPE="application/json" + parameters)[0] == 404
    assert spoken("auth/token")[1]["code"] == "validation_error"


# Where a request says it comes from ----------------------------------------------------------------------------------
@pytest.mark.usefixtures("one_window")
@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_a_forged_forwarded_for_changes_neither_limits_nor_lock_nor_trail(
    thandi: Person, settings: Any, proxies: int
) -> None:
    """Ahead of what our own proxies add a client may write what he likes, a new address each time."""
    settings.RATELIMIT_ENABLE, settings.TRUSTED_PROXIES = True, proxies
    settings.RATE_LIMITS_PER_MINUTE = dict.fromkeys(settings.RATE_LIMITS_PER_MINUTE, 6)
    added = {0: "", 1: ", 192.0.2.7", 2: ", 192.0.2.7, 10.0.0.2"}[proxies]
    seen = "192.0.2.7"

    def client(number: int) -> Client:
        forged = f"203.0.113.{number}, 8.8.8.8{added}"
        more: Any = dict.fromkeys(("HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_CLIENT_IP"), f"203.0.113.{number}")
        more |= {"REMOTE_ADDR": seen if proxies == 0 else "10.0.0.1", "HTTP_X_FORWARDED_FOR": forged}
        return Client(**more)

    calls: dict[str, Callable[[int], tuple[str, dict[str, str]]]] = {
        "sign-in": lambda n: ("auth/token", {"email": f"user{n}@example.com", "password": "not-it"}),
        "registration": lambda _: ("auth/register", {}),
        "codes": lambda _: ("auth/password/reset", {"token": "x.y", "new_password": PASSWORD}),
    }
    for name, call in calls.items():
        answers = [Caller(client=client(number)).post(*call(number)) for number in range(7)]
        assert [answer.status_code == 429 for answer in answers] == [False] * 6 + [True], name
    assert set(AuditEvent.objects.filter(verb="sign_in.failed").values_list("address", flat=True)) == {seen}


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_a_forged_forwarded_for_does_not_escape_the_lock_of_its_address(
    thandi: Person, settings: Any, proxies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATELIMIT_ENABLE, settings.TRUSTED_PROXIES = True, proxies
    settings.RATE_LIMITS_PER_MINUTE = dict.fromkeys(settings.RATE_LIMITS_PER_MINUTE, 1000)
    monkeypatch.setitem(lockout.MOST_FAILURES, "address", 3)
    added = {0: "", 1: ", 192.0.2.7", 2: ", 192.0.2.7, 10.0.0.2"}[proxies]
    codes = []
    for number in range(4):
        client = Client(REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}{added}")
        answer = Caller(client=client).post("auth/token", {"email": f"user{number}@example.com", "password": "no"})
        codes.append(body_of(answer)["code"])
    assert codes == ["invalid_credentials"] * 3 + ["sign_in_locked"]


# Texts --------------------------------------------------------------------------------------------------------------
UNSEEN = [
    "\u202eevil",
    "a\r\nBcc: x@example.com",
    "a\tb",
    "\u200b",
    "a\u2028b",
    "\ufeffa",
    "a\x1b[31m",
    "a\x7f",
    "\U000e0041",
    "\u2066x",
]


@pytest.mark.parametrize("text", UNSEEN)
def test_what_is_not_printed_is_in_no_reference_and_no_name(rich: Person, text: str) -> None:
    assert errors_of(pay(rich, reference=text)) == {"reference": ["not_printable"]}
    newcomer = person("lindiwe", tier=0)
    assert errors_of(calling(newcomer).patch("me", {"first_name": text})) == {"first_name": ["not_printable"]}
    asked_for = {
        "email": "x@example.com",
        "phone": "0821110077",
        "password": PASSWORD,
        "first_name": text,
        "last_name": "M",
    }
    assert "first_name" in errors_of(Caller().post("auth/register", asked_for))
    assert not Transfer.objects.filter(kind="transfer").exists()


@pytest.mark.parametrize("text", ["\0", "\ud800", "\udfff\ud800"])
def test_what_no_database_holds_is_refused_wherever_it_stands(rich: Person, text: str) -> None:
    for body in ({"to": text}, {"reference": text}, {text: "x"}, {"deep": [{"er": [text]}]}):
        assert errors_of(calling(rich).post("transfers", body, Idempotency_Key="k")) == {"body": ["malformed_json"]}


@pytest.mark.parametrize(
    "number", ["1" + "0" * 400, "1e999999999", "-1e999999999", "1e-999999999", "0." + "0" * 400 + "1", "1" + "0" * 4299]
)
def test_a_huge_number_is_no_amount_in_whatever_form(rich: Person, number: str) -> None:
    for amount in (number, f'"{number}"'):
        order = f'{{"to": "sipho@example.com", "currency": "ZAR", "amount": {amount}}}'.encode()
        assert list(errors_of(calling(rich).post("transfers", order, Idempotency_Key="k"))) == ["amount"]
    assert balance(rich).amount == 100


# Look-alikes --------------------------------------------------------------------------------------------------------
LOOK_ALIKES = {
    "Cyrillic": "siph\u043e@example.com",
    "a Cyrillic domain": "sipho@ex\u0430mple.com",
    "full-width": "\uff53ipho@example.com",
    "dotless": "s\u0131pho@example.com",
    "dotted capital": "S\u0130pho@example.com",
    "zero-width": "sip\u200bho@example.com",
    "zero-width joiner": "sip\u200dho@example.com",
    "a combining mark": "sipho\u0301@example.com",
    "right to left": "\u202esipho@example.com",
    "soft hyphen": "si\u00adpho@example.com",
    "another at": "sipho\uff20example.com",
    "another dot": "sipho@example\u3002com",
    "the Kelvin sign": "\u212aagiso@example.com",
    "the long s": "\u017fipho@example.com",
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_an_address_that_looks_like_another_registers_nobody_pays_nobody_and_signs_in_nobody(
    rich: Person, name: str
) -> None:
    person("kagiso")
    email, before = LOOK_ALIKES[name], User.objects.count()
    asked_for = {"email": email, "phone": "0821110077", "password": PASSWORD, "first_name": "S", "last_name": "M"}
    assert list(errors_of(Caller().post("auth/register", asked_for))) == ["email"]
    assert list(errors_of(Caller().post("auth/token", {"email": email, "password": PASSWORD}))) == ["email"]
    assert list(errors_of(Caller().post("auth/password/forgot", {"email": email}))) == ["email"]
    assert list(errors_of(pay(rich, to=email))) == ["to"]
    assert User.objects.count() == before


NO_PHONES = {
    "Arabic digits": "\u0660\u0668\u0662\u0661\u0661\u0661\u0660\u0660\u0660\u0662",
    "an Arabic country": "+\u0662\u0667\u0668\u0662\u0661\u0661\u0661\u0660\u0660\u0660\u0662",
    "full-width digits": "\uff10\uff18\uff12\uff11\uff11\uff11\uff10\uff10\uff10\uff12",
    "one digit of another script": "082111000\u0968",
    "a full-width plus": "\uff0b27821110002",
    "right to left": "0821110002\u202e",
    "zero-width": "082\u200b1110002",
    "a context": "+27821110002;phone-context=evil",
    "a subaddress": "+27821110002;isub=1",
    "an extension": "0821110002 ext 5",
    "letters on keys": "0821CALLME",
    "a scheme": "tel:0821110002",
}


@pytest.mark.parametrize("name", NO_PHONES)
def test_a_phone_number_is_written_in_plain_digits(rich: Person, name: str) -> None:
    phone = NO_PHONES[name]
    assert e164(phone) is None
    assert list(errors_of(pay(rich, to=phone))) == ["to"]
    assert list(errors_of(calling(rich).patch("me", {"phone": phone, "current_password": PASSWORD}))) == ["phone"]


@pytest.mark.parametrize(
    "phone", ["082 111 0002", "(082) 111-0002", "+27 (82) 111.0002", "082/111/0002", "+27821110002"]
)
def test_a_phone_number_may_be_written_as_people_do(phone: str) -> None:
    assert e164(phone) == "+27821110002"


# Parts of a form ----------------------------------------------------------------------------------------------------
def sent_parts(who: Person, *parts: tuple[bytes, bytes]) -> HttpResponse:
    caller, boundary = calling(who), b"--BoUnDaRyStRiNg"
    lines = [line for head, content in parts for line in (boundary, head, b"", content)]
    answer: HttpResponse = caller.client.generic(  # type: ignore[assignment]
        "POST",
        V1 + "kyc/submissions",
        b"\r\n".join([*lines, boundary + b"--", b""]),
        content_type=MULTIPART_CONTENT,
        headers=caller._headers({}),
    )
    return answer


@pytest.mark.parametrize(
    "strange", [b"\0", b"\xed\xa0\x80", b"\xff", "\u202e".encode(), b"a\x1b[31m", b"../../etc", b"9" * 9000]
)
def test_strange_parts_of_a_form_are_refused(rich: Person, strange: bytes) -> None:
    newcomer = person("lindiwe", tier=0)
    card = picture()
    text = b'Content-Disposition: form-data; name="%b"'
    file = b'Content-Disposition: form-data; name="documents"; filename="%b"\r\nContent-Type: image/jpeg'
    whole = [(text % b"id_type", b"sa_id"), (text % b"id_number", b"7503305044089"), (file % b"card.jpg", card)]
    for parts in (
        [(text % b"id_type", strange), *whole[1:]],
        [whole[0], (text % b"id_number", strange), whole[2]],
        [*whole[:2], (file % b"card.jpg", strange)],
    ):
        errors_of(sent_parts(newcomer, *parts))
    assert not KycSubmission.objects.exists()
    # How a file is named is forgotten. A part whose name cannot be read is none; one that can is unknown.
    unnamed = (b"Content-Disposition: form-data; name*=nonsense''x", b"x")
    sent = sent_parts(newcomer, *whole[:2], (file % strange, card), unnamed, (text % strange, b"x"))
    assert (sent.status_code, body_of(sent).get("status", "")) in {(201, "pending"), (400, 400)}


def test_names_reach_no_header_of_a_mail(rich: Person, mailoutbox: list[EmailMessage]) -> None:
    """Subjects are ours alone, and an address holds no line end."""
    for email in ("x@example.com\r\nBcc: y@example.com", "x@example.com\n", '"a\nb"@example.com'):
        answer = Caller().post("auth/password/forgot", {"email": email})
        assert answer.status_code in {202, 400}
    assert mailoutbox == []
