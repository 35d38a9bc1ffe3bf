"""The API's own description: whole, without a warning, and true of what is answered."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.accounts.papers import submitting
from tests.api import V1, Caller, body_of, calling
from tests.conftest import Person, fund, person, send
from transactions.models import IdempotencyKey, Transfer

ORDER = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    output = StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=output)
    found: dict[str, Any] = yaml.safe_load(output.getvalue())
    return found


def assert_described(schema: dict[str, Any], method: str, path: str, answer: HttpResponse) -> None:
    described = schema["paths"][V1 + path][method]["responses"][str(answer.status_code)]["content"]
    content = described[answer["Content-Type"].partition(";")[0]]
    # OpenAPI 3.0 writes "or null" in its own way.
    root = _with_null({**content["schema"], "components": schema["components"]})
    jsonschema.validate(body_of(answer), root)


def _with_null(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_null(one) for one in node]
    if not isinstance(node, dict):
        return node
    inner = {name: _with_null(value) for name, value in node.items() if name != "nullable"}
    return {"anyOf": [inner, {"type": "null"}]} if node.get("nullable") is True else inner


def test_every_route_is_described_with_its_refusals(schema: dict[str, Any]) -> None:
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
        "callbacks/easypay/payments",
    }
    assert schema["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path in schema["paths"].values():
        for operation in path.values():
            assert {"400", "401", "403", "404", "409", "429", "503"} <= operation["responses"].keys()
            assert operation["description"]


def test_answers_are_as_described(schema: dict[str, Any], thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    posted = send(thandi, sipho, "10.00")
    caller, number = calling(thandi), thandi.wallet.number
    for path, described in {
        "me": "me",
        "auth/sessions": "auth/sessions",
        "dashboard": "dashboard",
        "kyc": "kyc",
        "wallets": "wallets",
        f"wallets/{number}": "wallets/{number}",
        "transactions": "transactions",
        f"transactions/{number}-1": "transactions/{entry_id}",
        f"transfers/{posted.transfer_id}": "transfers/{transfer_id}",
        "wallets/1234567897": "wallets/{number}",
    }.items():
        assert_described(schema, "get", described, caller.get(path))
    assert_described(schema, "post", "transfers/preview", caller.post("transfers/preview", ORDER))
    assert_described(schema, "post", "transfers", caller.post("transfers", ORDER, Idempotency_Key="k"))
    assert_described(schema, "post", "transfers", caller.post("transfers", {}))
    tokens = Caller().post("auth/token", {"email": "thandi@example.com", "password": "a-good-long-passphrase"})
    assert_described(schema, "post", "auth/token", tokens)


def test_a_submission_is_answered_as_described(schema: dict[str, Any], tmp_path: Path, settings: Any, db: None) -> None:
    settings.DOCUMENTS_DIR = tmp_path
    lerato = person("lerato", tier=0)
    for answer in (submitting(lerato, id_number="12"), submitting(lerato), submitting(lerato)):
        assert_described(schema, "post", "kyc/submissions", answer)
    assert_described(schema, "get", "kyc", calling(lerato).get("kyc"))


@pytest.mark.django_db
def test_the_documentation_asks_no_foreign_host(client: Client) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    html = page.content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/"), address
        resource = client.get(address)
        assert resource.status_code == 200
        resource.close()
    assert "<script>" not in html
    assert "default-src 'self'" in page["Content-Security-Policy"]
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
