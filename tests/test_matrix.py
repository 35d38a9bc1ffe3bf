"""Every route, every method, everybody: who comes in, who does not, and that those who do not are told nothing."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.audit import SYSTEM
from accounts.kyc_identity import encrypted_number
from accounts.models import KycSubmission, LoginSession, OneTimeCode, User
from accounts.sessions import start_session
from mymoolah.common.clock import now
from mymoolah.common.ids import wallet_number
from reporting.roles import ROLES
from reporting.support.models import SupportMessage, SupportReply, SupportTicket
from tests.accounts.papers import picture, sa_id, sent_as
from tests.api import V1, Caller, body_of
from tests.back_office.house import NOT_REGISTERED, REGISTERED, Furnished, colleague, emergency, furnish, signed_in
from tests.conftest import Person, fund, person, send
from tests.description import as_described
from transactions.models import IdempotencyKey, Transfer
from vouchers.models import Voucher
from wallets.models import Hold, Wallet

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
STAFF = (*ROLES, "superuser")
PASSWORD, NEW_PASSWORD = "a-good-long-passphrase", "another-good-passphrase"


# Routes --------------------------------------------------------------------------------------------------------------
def routes(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Every route there is, with `{name}` for what varies in it."""
    for one in patterns:
        plain = re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", r"{\1\2}", str(one.pattern))
        route = prefix + plain.removeprefix("^").removesuffix("$")
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route)
        else:
            yield route, one


ROUTES = dict(routes(get_resolver().url_patterns))
ADMIN = "/admin/"


# Customers -----------------------------------------------------------------------------------------------------------
# Who asks: nobody; Thandi, for what is hers; Naledi, for what is Thandi's where an address names it; two who have signed
# in and then were suspended, or whose account was closed, for what is theirs; and everybody who works here.
#
# 401 is `not_authenticated` and 403 `wrong_role`, 403s is `account_suspended`. Thandi comes last in every row: what she
# may do happens, after nobody else could. What is sent is in BODIES; `-` where there is nothing to try.
EVERYBODY = ("nobody", "thandi", "naledi", "suspended", "closed", "staff")
API = {
    "whoever is on the wrong page": """
                                             nobody  thandi  naledi  suspended  closed  staff
        *      /                                302     302     302        302     302    302
        *      /admin                           302     302     302        302     302    302
    """,
    "whoever comes": """
                                             nobody  thandi  naledi  suspended  closed  staff
        GET    /healthz                         200     200     200        200     200    200
        GET    /readyz                          200     200     200        200     200    200
        GET    /metrics                         200     200     200        200     200    200
        GET    /api/schema                      200     200     200        200     200    200
        GET    /api/docs                        200     200     200        200     200    200
        GET    /api/redoc                       200     200     200        200     200    200
        GET    /api/redoc.js                    200     200     200        200     200    200
        POST   /api/v1/auth/token               401     200     200        401     401    200
        POST   /api/v1/auth/token/refresh       401     200     200        401     401    200
        POST   /api/v1/auth/password/forgot     202     202     202        202     202    202
        POST   /api/v1/auth/password/reset      409     409     409        409     409    409
        POST   /api/v1/auth/register            201     409     409        409     409    409
    """,
    "customers": """
                                                           nobody  thandi  naledi  suspended  closed  staff
        GET    /api/v1/me                                     401     200     200        200     200    403
        PATCH  /api/v1/me                                     401     200     200       403s    403s    403
        PATCH  /api/v1/me#name                                401     409     409       403s    403s    403
        POST   /api/v1/me/contacts/verify                     401     202     202       403s    403s    403
        POST   /api/v1/me/contacts/confirm                    401     409     409       403s    403s    403
        GET    /api/v1/kyc                                    401     200     200        200     200    403
        POST   /api/v1/kyc/submissions                        401     201     201       403s    403s    403
        POST   /api/v1/kyc/submissions/{submission_id}/documents  401   409     404       403s    403s    403
        GET    /api/v1/dashboard                              401     200     200        200     200    403
        GET    /api/v1/wallets                                401     200     200        200     200    403
        GET    /api/v1/wallets/{number}                       401     200     404        200     200    403
        GET    /api/v1/transactions                           401     200     200        200     200    403
        GET    /api/v1/transactions?wallet={number}           401     200     404        200     200    403
        GET    /api/v1/transactions/{entry_id}                401     200     404        200     200    403
        GET    /api/v1/statements{period}                     401     200     200        200     200    403
        GET    /api/v1/statements{period}&wallet={number}     401     200     404        200     200    403
        POST   /api/v1/transfers/preview                      401     200     200       403s    403s    403
        POST   /api/v1/transfers                              401     201     201       403s    403s    403
        GET    /api/v1/transfers/{transfer_id}                401     200     404        200     200    403
        GET    /api/v1/vouchers                               401     200     200        200     200    403
        POST   /api/v1/vouchers                               401     201     201       403s    403s    403
        POST   /api/v1/vouchers/redeem                        401     200     200       403s    403s    403
        GET    /api/v1/vouchers/{voucher_id}                  401     200     404        200     200    403
        POST   /api/v1/vouchers/{voucher_id}/cancel           401     200     404        200     200    403
        POST   /api/v1/wallets/{number}/freeze                401     200     404        200     200    403
        POST   /api/v1/support/messages                       401     200     200        200     200    403
        POST   /api/v1/support/messages#goes_on               401     200     404        404     404    403
        GET    /api/v1/support/messages                       401     200     200        200     200    403
        POST   /api/v1/support/messages/{message_id}/helpful  401     204     404        204     204    403
        GET    /api/v1/support/articles/{language}/{slug}      401     200     200        200     200    403
        GET    /api/v1/support/tickets                        401     200     200        200     200    403
        GET    /api/v1/support/tickets/{ticket_id}            401     200     404        200     200    403
        POST   /api/v1/support/tickets/{ticket_id}/replies    401     201     404        201     201    403
        DELETE /api/v1/support/conversations/{conversation_id}  401   204     404        204     204    403
        DELETE /api/v1/support/messages                       401     204     204        204     204    403
        POST   /api/v1/me/password                            401     204     204       403s    403s    403
        GET    /api/v1/auth/sessions                          401     200     200        200     200    403
        DELETE /api/v1/auth/sessions/{session_id}             401     204     404        204     204    403
        DELETE /api/v1/auth/sessions                          401     204     204        204     204    403
    """,
    "whoever is signed in": """
                                                           nobody  thandi  naledi  suspended  closed  staff
        POST   /api/v1/auth/logout                            401     204     204        204     204    204
        POST   /api/v1/auth/logout#with_hers                  401     204     401        401     401    401
    """,
    "tills": """
                                                           nobody  thandi  naledi  suspended  closed  staff
        POST   /api/v1/callbacks/easypay/payments             401     401     401        401     401    401
    """,
}
# What a method that is not there answers: 405 to whoever comes in.
NOT_SERVED: dict[str, dict[str, str]] = {
    "whoever is on the wrong page": {},
    "whoever comes": {"nobody": "405", "thandi": "405", "staff": "405"},
    "customers": {"nobody": "401", "thandi": "405", "staff": "403"},
    "whoever is signed in": {"nobody": "401", "thandi": "405", "staff": "405"},
    "tills": {"nobody": "401", "thandi": "401", "staff": "401"},
}
BODIES: dict[str, Any] = {
    "/api/v1/auth/register": {
        "email": "{email}",
        "phone": "{phone}",
        "password": PASSWORD,
        "first_name": "Lerato",
        "last_name": "Molefe",
    },
    "/api/v1/auth/token": {"email": "{email}", "password": PASSWORD},
    "/api/v1/auth/token/refresh": {"refresh": "{refresh}"},
    "/api/v1/auth/logout": {"refresh": "{next_refresh}"},
    "/api/v1/auth/logout#with_hers": {"refresh": "{her_refresh}"},
    "/api/v1/auth/password/forgot": {"email": "{email}"},
    "/api/v1/auth/password/reset": {"token": "{session_id}.x", "new_password": NEW_PASSWORD},
    "/api/v1/me": {"email": "new-{email}", "current_password": PASSWORD},
    "/api/v1/me#name": {"first_name": "Lerato"},
    "/api/v1/me/password": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    "/api/v1/me/contacts/verify": {"contact": "phone"},
    "/api/v1/me/contacts/confirm": {"contact": "phone", "code": "000000"},
    "/api/v1/transfers/preview": {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR"},
    "/api/v1/transfers": {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR"},
    "/api/v1/vouchers": {"voucher_type": "standard", "amount": "5.00", "currency": "ZAR"},
    "/api/v1/vouchers/redeem": {"code": "{code}", "amount": "1.00"},
    "/api/v1/support/messages": {"message": "Where is my money?"},
    "/api/v1/support/messages#goes_on": {"message": "And now?", "conversation": "{her_conversation_id}"},
    "/api/v1/support/messages/{message_id}/helpful": {"helpful": True},
    "/api/v1/support/tickets/{ticket_id}/replies": {"text": "Here is more"},
    "/api/v1/callbacks/easypay/payments": {},
}
FILES = {
    "/api/v1/kyc/submissions": ("documents", {"id_type": "sa_id", "id_number": sa_id("750330504408")}),
    "/api/v1/kyc/submissions/{submission_id}/documents": ("document", {"replaces": str(uuid.uuid4())}),
}


@dataclass(frozen=True)
class Row:
    section: str
    method: str
    address: str
    expected: dict[str, str]

    @property
    def route(self) -> str:
        return re.sub(r"[?#].*|\{period\}.*", "", self.address)

    @property
    def names_something(self) -> bool:
        return "{" in self.address.replace("{period}", "")


def rows() -> list[Row]:
    found = []
    for section, table in API.items():
        header, *lines = [line.split() for line in table.strip().splitlines()]
        assert tuple(header) == EVERYBODY
        for method, address, *cells in lines:
            expected = dict(zip(EVERYBODY, cells, strict=True))
            found += [Row(section, one, address, expected) for one in (METHODS if method == "*" else [method])]
    return found


def served(pattern: URLPattern) -> set[str]:
    """The methods of a view; of a plain function GET, and what it makes of others is tried."""
    view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
    return {one for one in METHODS if hasattr(view, one.lower())} if view else {"GET"}


EVERYBODYS = {"language": "en", "slug": "freeze-a-wallet"}


@dataclass
class Asker:
    """Somebody with a token, and the names of what is his."""

    token: str | None
    own: dict[str, str]
    client: Client = field(default_factory=Client)

    def ask(self, row: Row, address: str, *, of: Asker, thandi: Asker) -> HttpResponse:
        """Ask for something of `of`'s, sending what is one's own, unless BODIES says that it is hers."""
        path, _, _ = address.format_map({**EVERYBODYS, **of.own}).partition("#")
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if row.address in FILES and row.method == "POST":
            name, fields = FILES[row.address]
            sent: dict[str, Any] = {**fields, name: [sent_as("x.jpg", picture())]}
            return as_described(self.client.post(path, sent, headers=headers))
        names = {**self.own, **{f"her_{name}": value for name, value in thandi.own.items()}}
        body = {
            name: text.format_map(names) if isinstance(text, str) else text
            for name, text in BODIES.get(row.address, {}).items()
        }
        data = json.dumps(body).encode() if body and row.method in {"POST", "PATCH"} else b""
        answer: Any = self.client.generic(row.method, path, data, content_type="application/json", headers=headers)
        return as_described(answer) if path.startswith(V1) else answer


def newcomer() -> Asker:
    own = {
        "email": "lerato@example.com",
        "phone": "+27821110009",
        "refresh": "x",
        "next_refresh": "x",
        "code": "0" * 16,
    }
    return Asker(None, {**own, "session_id": str(uuid.uuid4())})


def customer(name: str, sipho: Person) -> Asker:
    """Somebody with money, a payment, a voucher, one that waits for a till, and two devices."""
    who = person(name, tier=1)
    User.objects.filter(pk=who.user.pk).update(phone_verified_at=None)
    fund(who, "500.00")
    sent = send(who, sipho, "10.00")
    sessions = [start_session(user=who.user, device=f"{name}'s", now=now(), origin=SYSTEM) for _ in range(3)]
    caller = Caller(sessions[0].access)
    gift, top_up = (
        body_of(
            caller.post("vouchers", {"voucher_type": kind, "amount": "50.00", "currency": "ZAR"}, Idempotency_Key=kind)
        )
        for kind in ("standard", "easypay_topup")
    )
    asked = body_of(caller.post("support/messages", {"message": "Somebody please help", "intent": "human"}))
    own = {
        "message_id": asked["id"],
        "conversation_id": asked["conversation"],
        "ticket_id": asked["ticket"],
        "email": who.user.email,
        "phone": str(who.user.phone),
        "number": who.wallet.number,
        "entry_id": f"{who.wallet.number}-2",
        "transfer_id": str(sent.transfer_id),
        "voucher_id": top_up["id"],
        "easypay_number": top_up["easypay_number"],
        "gift_id": gift["id"],
        "code": gift["code"],
        "refresh": sessions[0].refresh,
        "next_refresh": sessions[1].refresh,
        "session_id": str(LoginSession.objects.filter(user=who.user).latest("pk").public_id),
        "public_id": str(who.user.public_id),
        "submission_id": str(rejected_submission(who, sipho).public_id),
    }
    return Asker(sessions[0].access, own)


def rejected_submission(who: Person, reviewer: Person) -> KycSubmission:
    moment = now()
    return KycSubmission.objects.create(
        user=who.user,
        id_type="sa_id",
        id_number_encrypted=encrypted_number(sa_id("750330504408")),
        id_number_index=b"i" * 32,
        status="rejected",
        reason="The photograph is dark",
        waits_for=None,
        reviewer=reviewer.user,
        created_at=moment,
        decided_at=moment,
    )


def member_of_staff(user: User) -> Asker:
    sessions = [start_session(user=user, device="A desk", now=now(), origin=SYSTEM) for _ in range(2)]
    return Asker(
        sessions[0].access,
        {
            "email": user.email,
            "phone": "+27821110008",
            "code": "0" * 16,
            "refresh": sessions[0].refresh,
            "next_refresh": sessions[1].refresh,
            "session_id": str(uuid.uuid4()),
        },
    )


def nothing(thandi: Asker) -> Asker:
    """Names that look like those of Thandi's things, and name nothing."""
    number = wallet_number()
    names = ("transfer_id", "voucher_id", "session_id", "submission_id", "message_id", "conversation_id", "ticket_id")
    nowhere = {name: str(uuid.uuid4()) for name in names}
    return Asker(None, {**thandi.own, **nowhere, "number": number, "entry_id": f"{number}-2"})


def all_of(user: User) -> dict[str, list[dict[str, Any]]]:
    """Everything that somebody has, to see whether it changed."""
    found = {
        "user": User.objects.filter(pk=user.pk),
        "wallets": Wallet.objects.filter(user=user),
        "holds": Hold.objects.filter(wallet__user=user),
        "vouchers": Voucher.objects.filter(user=user),
        "transfers": Transfer.objects.filter(from_wallet__user=user),
        "received": Transfer.objects.filter(to_wallet__user=user),
        "sessions": LoginSession.objects.filter(user=user),
        "codes": OneTimeCode.objects.filter(user=user).exclude(purpose="password"),
        "submissions": KycSubmission.objects.filter(user=user),
        "questions": SupportMessage.objects.filter(user=user),
        "tickets": SupportTicket.objects.filter(user=user),
        "replies": SupportReply.objects.filter(ticket__user=user),
        "keys": IdempotencyKey.objects.filter(actor=f"user:{user.public_id}"),
    }
    return {name: list(rows.order_by("pk").values()) for name, rows in found.items()}


def told(answer: HttpResponse) -> str:
    """What a cell of the table holds: 401, 403 and 403s each stand for one code."""
    code = body_of(answer)["code"] if answer.get("Content-Type") == "application/problem+json" else ""
    if answer.status_code == 403:
        return {"wrong_role": "403", "account_suspended": "403s"}.get(code, code)
    return str(answer.status_code)


def text_of(answer: HttpResponse) -> str:
    return "" if answer.streaming else answer.content.decode()


def refusal(answer: HttpResponse) -> dict[str, Any]:
    return {name: value for name, value in body_of(answer).items() if name != "request_id"}


def test_every_route_and_method_has_a_decision_and_every_decision_a_route() -> None:
    decided = {(row.method, row.route) for row in rows()}
    there = {
        (method, route)
        for route, pattern in ROUTES.items()
        if not route.startswith(ADMIN)
        for method in served(pattern)
    }
    assert decided - there == set(), "there is no such route"
    assert there - decided == set(), "who may do this?"


@pytest.fixture
def everybody(ledger: object, sipho: Person, settings: Any, tmp_path: Path) -> dict[str, list[Asker]]:
    settings.RATELIMIT_ENABLE = False
    settings.DOCUMENTS_DIR = tmp_path
    settings.SMS_BACKEND = "mymoolah.common.messages.MemorySms"
    people = {name: [customer(name, sipho)] for name in ("thandi", "naledi", "suspended", "closed")}
    for status in ("suspended", "closed"):
        User.objects.filter(email=f"{status}@example.com").update(status=status)
    colleagues = [*(colleague(role) for role in ROLES), emergency()]
    return {**people, "nobody": [newcomer()], "staff": [member_of_staff(one) for one in colleagues]}


@pytest.mark.usefixtures("worker_at_hand")
def test_customers_come_to_what_is_theirs_and_nobody_else_does(everybody: dict[str, list[Asker]]) -> None:
    [thandi], herself = everybody["thandi"], User.objects.get(email="thandi@example.com")
    hers = [value for name, value in thandi.own.items() if name not in {"email", "phone"}]
    wrong, today = [], f"{now():%Y-%m-%d}"
    for row in rows():
        address = row.address.replace("{period}", f"?from={today}&to={today}")
        before = all_of(herself)
        for who in ("nobody", "naledi", "staff", "suspended", "closed", "thandi"):
            if who == "thandi":
                assert all_of(herself) == before, f"somebody else changed what is hers: {row.method} {row.address}"
            for asker in everybody[who]:
                whose = asker if who in {"suspended", "closed"} else thandi
                answer = asker.ask(row, address, of=whose, thandi=thandi)
                if told(answer) != row.expected[who]:
                    wrong.append(f"{row.method} {row.address}: {who} got {told(answer)} {text_of(answer)[:200]}")
                if who != "thandi":
                    shown = [one for one in hers if one in text_of(answer) and one not in address]
                    assert shown == [], f"{who} was shown what is hers: {row.method} {row.address}"
                if row.section == "customers" and answer.status_code == 401:
                    assert body_of(answer)["code"] == "not_authenticated"
                if row.method == "GET" and who == "thandi":
                    assert asker.ask(replace(row, method="HEAD"), address, of=whose, thandi=thandi).content == b""
            if row.names_something and who == "naledi":
                answer = asker.ask(row, address, of=thandi, thandi=thandi)
                nobodys = asker.ask(row, address, of=nothing(thandi), thandi=thandi)
                assert refusal(nobodys) == refusal(answer), f"she is told that it is there: {row.method} {row.address}"
    assert not wrong, "\n".join(wrong)


def test_a_method_that_is_not_there_says_so_to_who_may_come_in_only(everybody: dict[str, list[Asker]]) -> None:
    [thandi], decided, wrong = everybody["thandi"], {(row.method, row.route) for row in rows()}, []
    for row in {row.route: row for row in rows()}.values():
        for method in {*METHODS, "OPTIONS", "TRACE"} - {method for method, route in decided if route == row.route}:
            for who, expected in NOT_SERVED[row.section].items():
                asker = everybody[who][0]
                answer = asker.ask(replace(row, method=method), row.route, of=thandi, thandi=thandi)
                if told(answer) != expected:
                    wrong.append(f"{method} {row.route}: {who} got {told(answer)} {text_of(answer)[:200]}")
    assert not wrong, "\n".join(wrong)


# Staff ---------------------------------------------------------------------------------------------------------------
# Pages of the back-office that are no model's: 302 sends to the door, or on from there. What NAMED names is not there:
# 404 is who may look for it, and 403 who may not even do that.
DESKS = ("nobody", "customer", *STAFF)
BACK_OFFICE = """
                                                    nobody  customer  administrator  kyc  finance  auditor  support  operator  superuser
    GET   /admin/                                      302       302            200  200      200      200      200       200        200
    POST  /admin/                                      302       302            200  200      200      200      200       200        200
    GET   /admin/login/                                200       200            302  302      302      302      302       302        302
    POST  /admin/login/                                200       200            200  200      200      200      200       200        200
    GET   /admin/password_change/                      302       302            200  200      200      200      200       200        200
    POST  /admin/password_change/                      302       302            200  200      200      200      200       200        200
    GET   /admin/password_change/done/                 302       302            200  200      200      200      200       200        200
    POST  /admin/password_change/done/                 302       302            405  405      405      405      405       405        405
    GET   /admin/autocomplete/                         302       302            403  403      403      403      403       403        403
    POST  /admin/autocomplete/                         302       302            405  405      405      405      405       405        405
    GET   /admin/jsi18n/                               302       302            200  200      200      200      200       200        200
    POST  /admin/jsi18n/                               302       302            405  405      405      405      405       405        405
    GET   /admin/search/                               302       302            200  200      200      200      200       200        200
    POST  /admin/search/                               302       302            405  405      405      405      405       405        405
    GET   /admin/r/{content_type_id}/{object_id}/      302       302            404  404      404      404      404       404        404
    POST  /admin/r/{content_type_id}/{object_id}/      302       302            404  404      404      404      404       404        404
    GET   /admin/kyc/                                  302       302            200  200      403      200      403       403        200
    POST  /admin/kyc/                                  302       302            405  405      405      405      405       405        405
    GET   /admin/kyc/next                              302       302            302  302      403      302      403       403        302
    POST  /admin/kyc/next                              302       302            405  405      405      405      405       405        405
    GET   /admin/kyc/cases/{public_id}                 302       302            404  404      403      404      403       403        404
    POST  /admin/kyc/cases/{public_id}                 302       302            405  405      405      405      405       405        405
    GET   /admin/kyc/cases/{public_id}/number          302       302            405  405      405      405      405       405        405
    POST  /admin/kyc/cases/{public_id}/number          302       302            403  404      403      403      403       403        404
    GET   /admin/kyc/cases/{public_id}/{name}          302       302            405  405      405      405      405       405        405
    POST  /admin/kyc/cases/{public_id}/{name}          302       302            403  404      403      403      403       403        404
    GET   /admin/kyc/documents/{public_id}             302       302            404  404      403      404      403       403        404
    POST  /admin/kyc/documents/{public_id}             302       302            405  405      405      405      405       405        405
    GET   /admin/second-factor/                        302       302            200  200      200      200      200       200        200
    POST  /admin/second-factor/                        302       302            405  405      405      405      405       405        405
    GET   /admin/second-factor/code                    302       302            302  302      302      302      302       302        302
    POST  /admin/second-factor/code                    302       302            302  302      302      302      302       302        302
    GET   /admin/second-factor/enrol                   302       302            200  200      200      200      200       200        200
    POST  /admin/second-factor/enrol                   302       302            302  302      302      302      302       302        302
    GET   /admin/second-factor/recovery-codes          302       302            405  405      405      405      405       405        405
    POST  /admin/second-factor/recovery-codes          302       302            302  302      302      302      302       302        302
    GET   /admin/second-factor/sign-out-elsewhere      302       302            405  405      405      405      405       405        405
    POST  /admin/second-factor/sign-out-elsewhere      302       302            302  302      302      302      302       302        302
    GET   /admin/second-factor/colleagues              302       302            200  403      403      200      403       403        200
    POST  /admin/second-factor/colleagues              302       302            405  405      405      405      405       405        405
    GET   /admin/second-factor/colleagues/{public_id}/reset 302       302            404  403      403      403      403       403        404
    POST  /admin/second-factor/colleagues/{public_id}/reset 302       302            404  403      403      403      403       403        404
    GET   /admin/accounts/auditevent/export/           302       302            403  403      403      403      403       403        403
    POST  /admin/accounts/auditevent/export/           302       302            200  403      403      200      403       403        200
    GET   /admin/kyc/documents/{public_id}/pages/{number} 302       302            404  404      403      404      403       403        404
    POST  /admin/kyc/documents/{public_id}/pages/{number} 302       302            405  405      405      405      405       405        405
    GET   /admin/books/house/                          302       302            200  403      200      200      200       403        200
    POST  /admin/books/house/                          302       302            405  405      405      405      405       405        405
    GET   /admin/books/trial-balance/                  302       302            200  403      200      200      200       403        200
    POST  /admin/books/trial-balance/                  302       302            405  405      405      405      405       405        405
    GET   /admin/books/suspense/                       302       302            200  403      200      200      200       403        200
    POST  /admin/books/suspense/                       302       302            405  405      405      405      405       405        405
    GET   /admin/database-health/                      302       302            200  403      403      200      403       200        200
    POST  /admin/database-health/                      302       302            405  405      405      405      405       405        405
    GET   /admin/read-cache/                           302       302            200  403      403      200      403       200        200
    POST  /admin/read-cache/                           302       302            405  405      405      405      405       405        405
    GET   /admin/books/{name}.{extension}              302       302            405  405      405      405      405       405        405
    POST  /admin/books/{name}.{extension}              302       302            404  404      404      404      404       404        404
    GET   /admin/customers/                            302       302            200  200      200      200      200       403        200
    POST  /admin/customers/                            302       302            405  405      405      405      405       405        405
    GET   /admin/customers/{public_id}                 302       302            404  404      404      404      404       403        404
    POST  /admin/customers/{public_id}                 302       302            405  405      405      405      405       405        405
    GET   /admin/customers/{public_id}/freeze          302       302            404  403      404      403      404       403        404
    POST  /admin/customers/{public_id}/freeze          302       302            404  403      404      403      404       403        404
    GET   /admin/customers/{public_id}/take-over       302       302            404  403      404      403      404       403        404
    POST  /admin/customers/{public_id}/take-over       302       302            404  403      404      403      404       403        404
    GET   /admin/customers/{public_id}/unfreeze        302       302            404  403      404      403      404       403        404
    POST  /admin/customers/{public_id}/unfreeze        302       302            404  403      404      403      404       403        404
    GET   /admin/customers/{public_id}/cancel-voucher  302       302            404  403      404      403      404       403        404
    POST  /admin/customers/{public_id}/cancel-voucher  302       302            404  403      404      403      404       403        404
    GET   /admin/customers/{public_id}/suspend         302       302            404  404      403      403      403       403        404
    POST  /admin/customers/{public_id}/suspend         302       302            404  404      403      403      403       403        404
    GET   /admin/customers/{public_id}/reinstate       302       302            404  404      403      403      403       403        404
    POST  /admin/customers/{public_id}/reinstate       302       302            404  404      403      403      403       403        404
    GET   /admin/customers/{public_id}/close           302       302            404  404      403      403      403       403        404
    POST  /admin/customers/{public_id}/close           302       302            404  404      403      403      403       403        404
    GET   /admin/customers/{public_id}/reopen          302       302            404  403      403      403      403       403        404
    POST  /admin/customers/{public_id}/reopen          302       302            404  403      403      403      403       403        404
    GET   /admin/customers/{public_id}/end-sessions    302       302            404  403      403      403      404       403        404
    POST  /admin/customers/{public_id}/end-sessions    302       302            404  403      403      403      404       403        404
    GET   /admin/customers/{public_id}/unlock          302       302            404  403      403      403      404       403        404
    POST  /admin/customers/{public_id}/unlock          302       302            404  403      403      403      404       403        404
    GET   /admin/customers/{public_id}/send-code       302       302            404  403      403      403      404       403        404
    POST  /admin/customers/{public_id}/send-code       302       302            404  403      403      403      404       403        404
    GET   /admin/customers/{public_id}/send-reset      302       302            404  403      403      403      404       403        404
    POST  /admin/customers/{public_id}/send-reset      302       302            404  403      403      403      404       403        404
    GET   /admin/customers/{public_id}/reveal          302       302            403  404      403      403      404       403        404
    POST  /admin/customers/{public_id}/reveal          302       302            403  404      403      403      404       403        404
    GET   /admin/customers/{public_id}/assistant       302       302            404  404      404      404      404       403        404
    POST  /admin/customers/{public_id}/assistant       302       302            404  404      404      404      404       403        404
    GET   /admin/support/                              302       302            200  403      403      200      200       403        200
    POST  /admin/support/                              302       302            405  405      405      405      405       405        405
    GET   /admin/support/tickets/{public_id}           302       302            404  403      403      404      404       403        404
    POST  /admin/support/tickets/{public_id}           302       302            405  405      405      405      405       405        405
    GET   /admin/support/tickets/{public_id}/{name}    302       302            405  405      405      405      405       405        405
    POST  /admin/support/tickets/{public_id}/{name}    302       302            404  403      403      403      404       403        404
    GET   /admin/support/articles/                     302       302            200  403      403      200      200       403        200
    POST  /admin/support/articles/                     302       302            405  405      405      405      405       405        405
    GET   /admin/support/articles/write                302       302            200  403      403      403      200       403        200
    POST  /admin/support/articles/write                302       302            200  403      403      403      200       403        200
    GET   /admin/support/articles/{pk}/approve         302       302            405  405      405      405      405       405        405
    POST  /admin/support/articles/{pk}/approve         302       302            404  403      403      403      404       403        404
    GET   /admin/support/articles/{pk}/retire          302       302            404  403      403      403      404       403        404
    POST  /admin/support/articles/{pk}/retire          302       302            404  403      403      403      404       403        404
    GET   /admin/views/                                302       302            405  405      405      405      405       405        405
    POST  /admin/views/                                302       302            404  404      404      404      404       404        404
    GET   /admin/views/{pk}/rename                     302       302            405  405      405      405      405       405        405
    POST  /admin/views/{pk}/rename                     302       302            404  404      404      404      404       404        404
    GET   /admin/views/{pk}/delete                     302       302            405  405      405      405      405       405        405
    POST  /admin/views/{pk}/delete                     302       302            404  404      404      404      404       404        404
    GET   /admin/transactions/proposal/propose/        302       302            403  403      200      403      403       403        200
    POST  /admin/transactions/proposal/propose/        302       302            405  405      405      405      405       405        405
    GET   /admin/transactions/proposal/propose/{name}/ 302       302            403  403      404      403      403       403        404
    POST  /admin/transactions/proposal/propose/{name}/ 302       302            403  403      404      403      403       403        404
    GET   /admin/transactions/proposal/{pk}/check/     302       302            405  405      405      405      405       405        405
    POST  /admin/transactions/proposal/{pk}/check/     302       302            403  403      404      403      403       403        404
    GET   /admin/transactions/proposal/{pk}/approve/   302       302            405  405      405      405      405       405        405
    POST  /admin/transactions/proposal/{pk}/approve/   302       302            403  403      404      403      403       403        404
    GET   /admin/transactions/proposal/{pk}/reject/    302       302            405  405      405      405      405       405        405
    POST  /admin/transactions/proposal/{pk}/reject/    302       302            403  403      404      403      403       403        404
    GET   /admin/transactions/proposal/{pk}/withdraw/  302       302            405  405      405      405      405       405        405
    POST  /admin/transactions/proposal/{pk}/withdraw/  302       302            403  403      404      403      403       403        404
    GET   /admin/{app_label}/                          302       302            200  404      200      200      200       200        200
    POST  /admin/{app_label}/                          302       302            200  404      200      200      200       200        200
    GET   /admin/r/{url}                               302       302            404  404      404      404      404       404        404
    POST  /admin/r/{url}                               302       302            404  404      404      404      404       404        404
    GET   /admin/{url}                                 302       302            404  404      404      404      404       404        404
    POST  /admin/{url}                                 302       302            404  404      404      404      404       404        404
    GET   /admin/logout/                               302       302            405  405      405      405      405       405        405
    POST  /admin/logout/                               302       302            200  200      200      200      200       200        200
"""
NAMED = {
    "content_type_id": "1",
    "object_id": "1",
    "public_id": "0b8c6f1e-7d2a-4c39-8e51-2f6a9d3b4c57",
    "app_label": "vouchers",
    "name": "claim",
    "number": "1",
    "extension": "csv",
    "pk": "999999",
    "url": "nothing/",
}
# The pages of each model, by what docs/roles.md gives a role of it: nothing, a look, or (of people) a change.
MODEL_PAGES = """
                                nobody  customer  nothing  view  change
    GET   /                        302       302      403   200     200
    POST  /                        302       302      403   200     200
    GET   /add/                    302       302      403   403     403
    POST  /add/                    302       302      403   403     403
    GET   /{object_id}/            302       302      302   302     302
    POST  /{object_id}/            302       302      302   302     302
    GET   /{object_id}/history/    302       302      403   200     200
    POST  /{object_id}/history/    302       302      403   200     200
    GET   /{object_id}/change/     302       302      403   200     200
    POST  /{object_id}/change/     302       302      403   403     200
    GET   /{object_id}/delete/     302       302      403   403     403
    POST  /{object_id}/delete/     302       302      403   403     403
"""
# A row of the overview leads to its customer's page.
LEADS_ON = {
    (method, "reporting.userdashboardsummary", page, look): "302"
    for method in ("GET", "POST")
    for page in ("/{object_id}/change/", "/{object_id}/history/")
    for look in ("view", "change")
}
# Roles are given to a colleague on his page: "change" of a group is no page of its own.
NO_PAGE_TO_CHANGE = {"auth.group"}
ROLES_PAGE = Path(__file__).parents[1] / "docs" / "roles.md"


def table(text: str) -> tuple[list[str], list[list[str]]]:
    header, *lines = [line.split() for line in text.strip().splitlines()]
    return header, lines


def granted() -> dict[str, dict[str, str]]:
    """By model and role, what docs/roles.md says: `view`, `change` or `nothing`."""
    cells = [line[1:-1].split("|") for line in ROLES_PAGE.read_text().splitlines() if line.startswith("|")]
    cells = [row for row in cells if len(row) == len(ROLES) + 1]  # that page has a table about sign-in, too
    [_, *header], _, *lines = [[cell.strip().strip("`") for cell in line] for line in cells]
    found = {}
    for model, *row in lines:
        looks = [next((look for look in ("change", "view") if look in cell), "nothing") for cell in row]
        found[model] = dict(zip(header, looks, strict=True)) | {"superuser": "change" if "change" in looks else "view"}
    return found


def model_label(model: Any) -> str:
    return f"{model._meta.app_label}.{model._meta.model_name}"


def test_every_page_of_the_back_office_has_a_decision_and_every_decision_a_page() -> None:
    header, lines = table(BACK_OFFICE)
    assert tuple(header) == DESKS
    by_model = {
        (method, f"{ADMIN}{model_label(model).replace('.', '/')}{page}")
        for model in REGISTERED
        for method, page, *_ in table(MODEL_PAGES)[1]
    }
    decided = {(method, route) for method, route, *_ in lines} | by_model
    there = {(method, route) for route in ROUTES if route.startswith(ADMIN) for method in ("GET", "POST")}
    assert decided - there == set(), "there is no such page"
    assert there - decided == set(), "who may open this?"
    assert {model_label(model) for model in REGISTERED} == granted().keys() - {
        model_label(model) for model in NOT_REGISTERED
    }


@pytest.fixture
def house(ledger: object, thandi: Person, sipho: Person) -> Furnished:
    return furnish(thandi, sipho)


@pytest.mark.parametrize("desk", DESKS)
def test_the_back_office_opens_to_staff_what_their_role_has_and_nothing_to_others(
    house: Furnished, thandi: Person, settings: Any, desk: str
) -> None:
    settings.RATELIMIT_ENABLE = False
    user = {"nobody": lambda: None, "customer": lambda: thandi.user, "superuser": emergency}.get(
        desk, lambda: colleague(desk)
    )()
    client = signed_in(user) if user else Client()
    wrong, roles = [], granted()

    def ask(method: str, address: str, expected: str) -> None:
        answer = client.generic(method, address, "", content_type="application/x-www-form-urlencoded")
        if str(answer.status_code) != expected:
            wrong.append(f"{method} {address}: {answer.status_code}, not {expected}")
        if expected == "302" and desk in {"nobody", "customer"}:
            assert answer["Location"].startswith((reverse("admin:login"), reverse("admin:index"))), address

    for model in REGISTERED:
        label = model_label(model)
        look = desk if desk not in STAFF else roles[label][desk]
        header, lines = table(MODEL_PAGES)
        for method, page, *cells in lines:
            expected = dict(zip(header, cells, strict=True))
            if label in NO_PAGE_TO_CHANGE and look == "change":
                look = "view"
            address = f"{ADMIN}{label.replace('.', '/')}{page}".format(object_id=house.rows[model].pk)
            ask(method, address, LEADS_ON.get((method, label, page, look), expected[look]))
    header, lines = table(BACK_OFFICE)
    for method, route, *cells in lines:
        ask(method, route.format_map(NAMED), dict(zip(header, cells, strict=True))[desk])
    assert not wrong, "\n".join(wrong)


def test_customers_do_not_sign_in_to_the_back_office_nor_does_who_is_suspended(
    house: Furnished, thandi: Person
) -> None:
    clerk, gone = colleague("kyc"), colleague("support")
    User.objects.filter(pk=gone.pk).update(status="suspended")
    for user, status in ((clerk, 302), (thandi.user, 200), (gone, 200)):
        client = Client()
        answer = client.post(reverse("admin:login"), {"username": user.email, "password": PASSWORD})
        assert answer.status_code == status
        assert client.get(reverse("admin:index")).status_code == (200 if status == 302 else 302)
