"""The log: one object a line, one line a request and a task, and nothing of anybody in it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.api import MeView
from accounts.models import User
from mymoolah.common.logs import JsonLine, JsonWarning, OneLine
from tests.accounts.papers import THANDIS_ID, submitting
from tests.api import V1, Caller, body_of, calling
from tests.back_office.house import PASSWORD, colleague
from tests.conftest import Person, fund
from tests.vouchers.till import UNKNOWN_NUMBER, payment, sent
from wallets.models import Wallet

ROOT = Path(__file__).parents[1]
LERATO = {
    "email": "lerato.molefe@example.com",
    "phone": "+27821119876",
    "password": "lerato-has-a-good-passphrase",
    "first_name": "Lerato",
    "last_name": "Molefe-Dlamini",
}
LOGGERS = ("", "mymoolah.access", "django.security", "django.server")


@contextmanager
def told(*, as_json: bool = True) -> Iterator[StringIO]:
    """All that our own handlers write meanwhile, as in production or as they are set up here."""
    text, before = StringIO(), []
    # pytest's own are of other classes; one of ours may serve several loggers.
    ours = {one for name in LOGGERS for one in logging.getLogger(name).handlers if type(one) is logging.StreamHandler}
    assert len(ours) == 3
    for handler in ours:
        before.append((handler, handler.formatter, handler.setStream(text)))
        if as_json:
            handler.setFormatter(JsonWarning() if isinstance(handler.formatter, OneLine) else JsonLine())
    try:
        yield text
    finally:
        for handler, formatter, stream in before:
            handler.setFormatter(formatter)
            handler.setStream(stream)


def lines_of(text: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.getvalue().splitlines()]


@pytest.fixture
def failing_task() -> Iterator[Any]:
    @current_app.task(name="tests.fail")
    def fail(whom: str) -> None:
        raise ValueError(f"{whom} cannot be done")

    yield fail
    current_app.tasks.pop("tests.fail")


@pytest.fixture
def worker_that_lets_tasks_fail(worker_at_hand: None) -> None:
    current_app.conf.task_eager_propagates = False


# A day ----------------------------------------------------------------------------------------------------------------
def a_day(sipho: Person, failing_task: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What happens on any day, and some of what should not; each thing of somebody's that was in it."""
    private = {name: value for name, value in LERATO.items() if name != "first_name"}
    private |= {
        "identity number": THANDIS_ID,
        "Sipho's e-mail": sipho.user.email,
        "Sipho's phone": str(sipho.user.phone),
    }
    caller = Caller()
    caller.client.raise_request_exception = False
    assert caller.post("auth/register", LERATO).status_code == 201
    assert caller.post("auth/register", LERATO).status_code == 409
    credentials = {"email": LERATO["email"], "password": LERATO["password"]}
    assert caller.post("auth/token", {**credentials, "password": "wrong-but-close-to-it"}).status_code == 401
    private["wrong password"] = "wrong-but-close-to-it"
    tokens = body_of(caller.post("auth/token", credentials))
    caller.token = tokens["access"]
    private |= {"access token": tokens["access"], "refresh token": tokens["refresh"]}
    private["wallet number"] = number = Wallet.objects.get(user__email=LERATO["email"]).number
    private["Sipho's wallet number"] = sipho.wallet.number

    assert submitting(caller).status_code == 201
    User.objects.filter(email=LERATO["email"]).update(kyc_tier=2, id_verified=True, kyc_status="verified")
    lerato = User.objects.get(email=LERATO["email"])
    fund(Person(lerato, Wallet.objects.get(user=lerato)), "900.00")
    order = {"to": sipho.user.email, "amount": "12.00", "currency": "ZAR", "reference": "For-Lerato's-loan"}
    private["reference"] = order["reference"]
    for key in ("rent-of-lerato", "rent-of-lerato", "again-by-lerato"):
        assert caller.post("transfers", order, Idempotency_Key=key).status_code == 201
    private |= {"idempotency key": "rent-of-lerato"}
    assert caller.get(f"wallets/{number}").status_code == 200
    assert caller.get(f"wallets/{sipho.wallet.number}").status_code == 404
    assert caller.get("transactions", wallet=number).status_code == 200
    assert caller.get(f"transactions/{number}-2").status_code == 200

    made = {"amount": "50.00", "currency": "ZAR"}
    gift = body_of(caller.post("vouchers", {"voucher_type": "standard", **made}, Idempotency_Key="gift"))
    top_up = body_of(caller.post("vouchers", {"voucher_type": "easypay_topup", **made}, Idempotency_Key="top-up"))
    private |= {"voucher code": gift["code"], "EasyPay number": top_up["easypay_number"]}
    assert caller.post("vouchers/redeem", {"code": gift["code"]}, Idempotency_Key="redeem").status_code == 200
    report = payment(top_up["easypay_number"], "50.00", provider_reference="EP-of-Lerato")
    private["till's reference"] = "EP-of-Lerato"
    assert sent(report).status_code == 200
    assert sent(payment(UNKNOWN_NUMBER, "70.00")).status_code == 200
    assert sent(report, secret="another-secret-of-a-till").status_code == 401

    with monkeypatch.context() as patch:
        patch.setattr(MeView, "get", fall)
        assert caller.get("me").status_code == 500
        patch.setattr(MeView, "get", break_a_rule)
        assert caller.get("me").status_code == 500
    assert Client().get(f"{V1}me?email={LERATO['email']}", headers={"Host": "lerato.evil.example"}).status_code == 400
    failing_task.delay(LERATO["email"])

    clerk = colleague("support")
    staff = Client()
    page = reverse("admin:login")
    assert staff.post(page, {"username": clerk.email, "password": PASSWORD}).status_code == 302
    assert staff.get(reverse("customer_find"), {"q": LERATO["email"]}, follow=True).status_code == 200
    assert staff.get(reverse("customer_page", args=[lerato.public_id])).status_code == 200
    assert staff.get("/admin/", {"q": LERATO["phone"]}).status_code == 200
    private |= {
        "clerk's e-mail": clerk.email,
        "clerk's password": PASSWORD,
        "clerk's session": staff.cookies["staff"].value,
    }
    return private


def fall(*_: object) -> None:
    raise ValueError(f"{LERATO['email']} has {LERATO['phone']}") from KeyError(LERATO["last_name"])


def break_a_rule(*_: object) -> None:
    """PostgreSQL's own words hold the values of the row."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users SET email = %s WHERE email <> %s", ["sipho@example.com", "sipho@example.com"])


@pytest.fixture
def day(sipho: Person, failing_task: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> Any:
    settings.DOCUMENTS_DIR = tmp_path / "documents"
    settings.RATELIMIT_ENABLE = False
    return lambda: a_day(sipho, failing_task, monkeypatch)


@pytest.mark.usefixtures("ledger", "worker_that_lets_tasks_fail")
def test_the_log_of_a_day_holds_nothing_of_anybody(day: Any) -> None:
    with told() as log:
        private = day()
    told_of = [
        f"{what}: {line}" for line in log.getvalue().splitlines() for what, text in private.items() if text in line
    ]
    assert told_of == []
    lines = lines_of(log)
    access = [line for line in lines if line["logger"] == "mymoolah.access"]
    assert len(access) == len({line["request_id"] for line in access}) > 20
    assert {"/api/v1/transfers", "/admin/customers/", "/api/v1/wallets/<wallet_number:number>"} <= {
        line["route"] for line in access
    }
    assert {line["logger"].partition(".")[0] for line in lines} >= {"mymoolah", "django"}
    assert all("?" not in line["event"] and line["timestamp"] and line["level"] for line in lines)


@pytest.mark.usefixtures("ledger", "worker_that_lets_tasks_fail")
def test_a_log_to_read_would_have_told(day: Any) -> None:
    """Lest the test above finds nothing because there is nothing to find."""
    with told(as_json=False) as log:
        private = day()
    assert {what for what, text in private.items() if text in log.getvalue()} >= {"email", "phone", "last_name"}
    assert "Traceback (most recent call last)" in log.getvalue()


# What the lines say ---------------------------------------------------------------------------------------------------
def test_a_request_is_one_line_with_who_asked_and_how_it_ended(thandi: Person) -> None:
    caller = calling(thandi)
    with told() as log:
        answer = caller.get("wallets/1234567897")
    [line] = lines_of(log)
    assert line == {
        "event": line["event"],
        "timestamp": line["timestamp"],
        "level": "info",
        "logger": "mymoolah.access",
        "request_id": answer["X-Request-ID"],
        "method": "GET",
        "route": "/api/v1/wallets/<wallet_number:number>",
        "status": 404,
        "code": "wallet_not_found",
        "user": str(thandi.user.public_id),
        "queries": line["queries"],
        "duration_ms": line["duration_ms"],
        "database_ms": line["database_ms"],
    }
    assert line["event"].startswith("GET /api/v1/wallets/<wallet_number:number> 404 in ")
    assert line["queries"] >= 1


def test_the_log_opens_no_session_to_see_who_asks(db: None, client: Client, django_assert_num_queries: Any) -> None:
    client.cookies["staff"] = "x" * 32
    with told() as log, django_assert_num_queries(0):
        client.get("/healthz")
    [line] = lines_of(log)
    assert "user" not in line


def test_an_error_is_told_by_what_it_was_and_where_without_its_words(
    thandi: Person, sipho: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = calling(thandi)
    caller.client.raise_request_exception = False
    with told() as log:
        monkeypatch.setattr(MeView, "get", fall)
        answer = caller.get("me")
        monkeypatch.setattr(MeView, "get", break_a_rule)
        caller.get("me")
    failures = [line for line in lines_of(log) if line["level"] == "error"]
    assert [failure["event"] for failure in failures] == ["Internal Server Error: /api/v1/me"] * 2
    assert failures[0]["request_id"] == answer["X-Request-ID"]
    assert [one["type"] for one in failures[0]["error"]] == ["builtins.ValueError", "builtins.KeyError"]
    assert failures[0]["error"][0]["where"][-1].endswith(" fall")
    refused = failures[1]["error"][-1]
    assert (refused["type"], refused["sqlstate"], refused["table_name"]) == (
        "psycopg.errors.UniqueViolation",
        "23505",
        "users",
    )


def test_a_task_is_one_line_with_how_it_ended(db: None, failing_task: Any, worker_that_lets_tasks_fail: None) -> None:
    with told() as log:
        done = current_app.tasks["accounts.clear_sessions"].delay()
        failed = failing_task.delay("lerato@example.com")
    first, second = lines_of(log)
    assert (first["task"], first["task_id"], first["outcome"], first["level"]) == (
        "accounts.clear_sessions",
        done.id,
        "success",
        "info",
    )
    assert (second["task"], second["task_id"], second["outcome"], second["level"]) == (
        "tests.fail",
        failed.id,
        "failure",
        "error",
    )
    assert second["error"][0]["type"] == "builtins.ValueError"
    assert second["duration_ms"] >= 0
    assert "lerato" not in log.getvalue()


# How it is set up -----------------------------------------------------------------------------------------------------
WRITE = """
import django, logging
django.setup()
logging.getLogger("accounts").info("%s was done", "This")
logging.getLogger("mymoolah.access").info("GET / 200", extra={"route": "/", "status": 200, "body": "secret"})
logging.getLogger("django.security.DisallowedHost").error("Invalid host\\n", exc_info=True)
"""


def written(**named: str) -> list[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mymoolah.settings", **named}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WRITE],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()


def test_lines_are_json_where_the_environment_says_so_and_plain_otherwise() -> None:
    info, access, refused = (json.loads(line) for line in written(MYMOOLAH_LOG_FORMAT="json"))
    assert (info["event"], info["level"], info["logger"]) == ("This was done", "info", "accounts")
    assert (access["route"], access["status"], "body" in access) == ("/", 200, False)
    # The reason quotes what a stranger sent: a host, an origin, a query.
    assert (refused["level"], "error" in refused) == ("warning", False)
    assert refused["event"] == "Refused as unsafe: DisallowedHost"
    plain = written(MYMOOLAH_LOG_FORMAT="plain")
    assert [line.partition(" ")[2].partition(" ")[2] for line in plain] == [
        "INFO accounts [-] This was done",
        "INFO mymoolah.access [-] GET / 200",
        "WARNING django.security.DisallowedHost [-] Invalid host\\n",
    ]


def test_another_format_is_refused() -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        written(MYMOOLAH_LOG_FORMAT="xml")
    assert "it must be json or plain" in refused.value.stderr
