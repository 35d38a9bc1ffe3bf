"""The API's own description: whole, without a warning, and true of what is answered (see tests/description.py)."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api import V1, calling
from tests.conftest import Person
from tests.description import PROBLEM, description, operations
from transactions.models import IdempotencyKey, Transfer


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    output = StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=output)
    found: dict[str, Any] = yaml.safe_load(output.getvalue())
    return found


def test_every_route_is_described(schema: dict[str, Any]) -> None:
    assert {path.removeprefix(V1) for path in schema["paths"]} == {
        "auth/register",
        "auth/token",
        "auth/token/refresh",
        "auth/logout",
        "auth/password/forgot",
        "auth/password/reset",
        "auth/sessions",
        "auth/sessions/{session_id}",
        "me",
        "me/contacts/confirm",
        "me/contacts/verify",
        "me/password",
        "dashboard",
        "kyc",
        "kyc/submissions",
        "kyc/submissions/{submission_id}/documents",
        "wallets",
        "wallets/{number}",
        "wallets/{number}/freeze",
        "statements",
        "transactions",
        "transactions/{entry_id}",
        "transfers",
        "transfers/preview",
        "transfers/{transfer_id}",
        "vouchers",
        "vouchers/redeem",
        "vouchers/{voucher_id}",
        "vouchers/{voucher_id}/cancel",
        "support/articles/{language}/{slug}",
        "support/conversations/{conversation_id}",
        "support/messages",
        "support/messages/{message_id}/helpful",
        "support/tickets",
        "support/tickets/{ticket_id}",
        "support/tickets/{ticket_id}/replies",
        "callbacks/easypay/payments",
    }
    assert schema["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path in schema["paths"].values():
        for operation in path.values():
            assert operation["description"]


def test_what_a_call_is_decides_what_else_it_may_refuse() -> None:
    """Beside what it declares itself, which tests/test_refusals.py is about."""
    signed_in = {"not_authenticated", "token_invalid", "token_expired"}
    always = {
        "validation_error",
        "unsupported_media_type",
        "body_too_large",
        "not_acceptable",
        "temporarily_unavailable",
    }
    counted = {"rate_limited"}
    keyed = {"idempotency_key_required", "idempotency_key_reused", "idempotency_in_flight"}
    for path, method, own in [
        ("auth/register", "post", counted | {"already_registered"}),
        ("auth/logout", "post", counted | signed_in | {"refresh_token_invalid"}),
        ("wallets", "get", counted | signed_in | {"wrong_role", "precondition_failed"}),
        (
            "wallets/{number}",
            "get",
            counted | signed_in | {"wrong_role", "not_found", "wallet_not_found", "precondition_failed"},
        ),
        ("callbacks/easypay/payments", "post", {"signature_invalid", "timestamp_invalid"}),
    ]:
        assert codes_of(path, method) == always | own, path
    for path in ("transfers", "vouchers", "vouchers/redeem", "vouchers/{voucher_id}/cancel"):
        assert keyed <= codes_of(path, "post")
    assert "not_acceptable" not in codes_of("statements", "get")  # `?format` decides
    described = [(path, codes_of(path.removeprefix(V1), method)) for path, method, _ in operations()]
    assert [path for path, codes in described if "rate_limited" not in codes] == [f"{V1}callbacks/easypay/payments"]


def codes_of(path: str, method: str) -> set[str]:
    answers = description()["paths"][V1 + path][method]["responses"].values()
    return {code for answer in answers for code in answer.get("content", {}).get(PROBLEM, {}).get("examples", {})}


def test_headers_are_described_where_they_are_sent() -> None:
    answers = description()["paths"][f"{V1}transfers"]["post"]["responses"]
    limits = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
    always = {"X-Request-ID"}
    assert {status: answer["headers"].keys() - always for status, answer in answers.items()} == {
        "201": limits | {"Idempotency-Replayed"},
        "400": limits,
        "401": {"WWW-Authenticate"},
        "403": limits,
        "404": limits,
        "406": set(),
        "409": limits | {"Retry-After"},  # of idempotency_in_flight
        "413": limits,
        "415": limits,
        "422": limits,
        "429": limits | {"Retry-After"},
        "503": limits | {"Retry-After"},
    }
    for _, _, operation in operations():
        for answer in operation["responses"].values():
            assert always <= answer["headers"].keys()
    till = description()["paths"][f"{V1}callbacks/easypay/payments"]["post"]["responses"]
    assert not any(limits & answer["headers"].keys() for answer in till.values())


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "least"), [("/api/docs", 4), ("/api/redoc", 2)])
def test_the_documentation_asks_no_foreign_host(client: Client, path: str, least: int) -> None:
    """What scripts would ask for, tests/browser/test_documentation.py sees."""
    page = client.get(path)
    assert page.status_code == 200
    html = page.content.decode()
    addresses = re.findall(r'(?:src|href|spec-url)="([^"]+)"', html)
    assert len(addresses) >= least
    for address in addresses:
        assert address.startswith("/"), address
        resource = client.get(address)
        assert resource.status_code == 200
        resource.close()
    assert "<script>" not in html
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert ("worker-src" in page["Content-Security-Policy"]) is (path == "/api/redoc")
    assert client.get("/api/schema").status_code == 200


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = [
    "to",
    "amount",
    "currency",
    "reference",
    "email",
    "password",
    "phone",
    "first_name",
    "last_name",
    "refresh",
    "contact",
    "code",
    "token",
    "current_password",
    "new_password",
]
ROUTES = [
    "transfers",
    "transfers/preview",
    "auth/register",
    "auth/token",
    "auth/token/refresh",
    "auth/logout",
    "auth/password/reset",
    "me/contacts/verify",
    "me/contacts/confirm",
    "me/password",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from(ROUTES), body=st.dictionaries(st.sampled_from(FIELDS), ANYTHING), key=st.text(max_size=9))
def test_no_body_whatever_is_a_failure_of_ours(
    uncounted: None, thandi: Person, route: str, body: dict[str, Any], key: str
) -> None:
    headers = {"Idempotency_Key": key} if key.isascii() and key.isprintable() else {}
    answer = calling(thandi).post(route, body, **headers)
    assert 400 <= answer.status_code < 500, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert not Transfer.objects.exists()
    assert not IdempotencyKey.objects.exists()


@pytest.fixture
def uncounted(settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False
