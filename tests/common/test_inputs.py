"""What a call has not declared it refuses: a mistyped field or parameter is never left out in silence."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import LoginSession
from mymoolah.common.inputs import TOLD_NAME_CHARACTERS, TOLD_NAMES_MAX, StrictView
from mymoolah.urls import api_v1
from tests.accounts.papers import submitting
from tests.api import V1, Caller, calling, errors_of, problem
from tests.conftest import Person, fund, person
from transactions.models import Transfer
from vouchers.models import VoucherRedemption
from vouchers.till_api import EasyPayPaymentsView
from wallets.models import Wallet

ORDER = {"to": "sipho@example.com", "amount": "1.00", "currency": "ZAR"}
LISTS = ("transactions", "vouchers", "auth/sessions")


def test_a_mistyped_amount_redeems_nothing(thandi: Person) -> None:
    answer = calling(thandi).post(
        "vouchers/redeem", {"code": "4929503188462170", "amuont": "10.00"}, Idempotency_Key="k"
    )
    assert errors_of(answer) == {"amuont": ["unknown_field"]}
    assert not VoucherRedemption.objects.exists()


def test_an_unknown_field_is_told_beside_what_else_is_wrong(thandi: Person) -> None:
    answer = calling(thandi).post("transfers", {**ORDER, "amount": 1, "Currency": "ZAR"}, Idempotency_Key="k")
    assert errors_of(answer) == {"amount": ["not_a_string"], "Currency": ["unknown_field"]}
    assert not Transfer.objects.exists()


def test_an_unknown_field_is_refused_where_a_form_is_sent(settings: Any, tmp_path: Any, db: None) -> None:
    settings.DOCUMENTS_DIR = tmp_path
    assert errors_of(submitting(person("lerato", tier=0), id_nummer="7")) == {"id_nummer": ["unknown_field"]}


def test_a_call_without_fields_takes_an_empty_object_and_no_other(thandi: Person) -> None:
    caller, freeze = calling(thandi), f"wallets/{thandi.wallet.number}/freeze"
    assert errors_of(caller.post(freeze, {"until": "2026-03-01"})) == {"until": ["unknown_field"]}
    assert Wallet.objects.get(pk=thandi.wallet.pk).status == "active"
    assert caller.post(freeze, {}).status_code == 200


def test_a_body_where_none_belongs_is_read_by_the_same_rules(thandi: Person) -> None:
    caller = calling(thandi)
    asked: Any = caller.client.generic(
        "GET", V1 + "me", b'{"id": "7"}', content_type="application/json", headers=caller._headers({})
    )
    assert errors_of(asked) == {"id": ["unknown_field"]}
    told = Caller(caller.token)._send("delete", "auth/sessions", {"keep": "this"}, {})
    assert errors_of(told) == {"keep": ["unknown_field"]}
    assert not LoginSession.objects.filter(revoked_at__isnull=False).exists()
    as_text: Any = caller.client.generic("GET", V1 + "me", b"x", content_type="text/plain", headers=caller._headers({}))
    problem(as_text, 415, "unsupported_media_type")


@pytest.mark.parametrize("name", ["\u202e\U0001f4b8", "", "x" * 60_000, "body", "non_field_errors", "<script>", "a\nb"])
def test_a_field_may_be_called_anything(name: str, thandi: Person) -> None:
    answer = calling(thandi).post("transfers", {**ORDER, name: "x"}, Idempotency_Key="k")
    (told,) = errors_of(answer).items()
    assert told == ("body" if name == "non_field_errors" else name[:TOLD_NAME_CHARACTERS], ["unknown_field"])
    assert len(answer.content) < 1000


def test_ten_thousand_unknown_names_make_no_long_answer(thandi: Person) -> None:
    caller = calling(thandi)
    answer = caller.post("transfers", {**ORDER, **{f"{n:x}": 1 for n in range(6_000)}}, Idempotency_Key="k")
    assert len(errors_of(answer)) == TOLD_NAMES_MAX
    assert len(errors_of(caller.get("me", **{str(n): "1" for n in range(900)}))) == TOLD_NAMES_MAX
    too_many = caller.get("me", **{str(n): "1" for n in range(1_100)})
    assert problem(too_many, 400, "bad_request")["detail"] == "The request is not valid"


@pytest.mark.parametrize("path", LISTS)
def test_an_unknown_parameter_is_refused(path: str, thandi: Person) -> None:
    asked = calling(thandi).get(path, form="2026-01-01", limit="5")
    assert errors_of(asked) == {"form": ["unknown_parameter"]}


@pytest.mark.parametrize("path", LISTS)
def test_a_parameter_given_twice_is_refused(path: str, thandi: Person) -> None:
    assert errors_of(calling(thandi).get(path, limit=["5", "50"])) == {"limit": ["given_twice"]}
    assert errors_of(calling(thandi).get(path, limit=["5", "5"], x=["1", "1"])) == {
        "limit": ["given_twice"],
        "x": ["unknown_parameter"],
    }


def test_a_call_that_takes_no_parameters_refuses_any(thandi: Person) -> None:
    fund(thandi, "10.00")
    caller = calling(thandi)
    for path in ("me", "dashboard", "kyc", "wallets", f"wallets/{thandi.wallet.number}"):
        assert errors_of(caller.get(path, limit="5")) == {"limit": ["unknown_parameter"]}
    assert errors_of(caller.post("transfers?amount=5.00", ORDER, Idempotency_Key="k")) == {
        "amount": ["unknown_parameter"]
    }
    assert errors_of(caller.patch("me?first_name=X", {})) == {"first_name": ["unknown_parameter"]}
    assert errors_of(caller.delete("auth/sessions?dry_run")) == {"dry_run": ["unknown_parameter"]}
    assert errors_of(Caller().post("auth/token?email=x", {})) == {"email": ["unknown_parameter"]}
    assert not Transfer.objects.filter(kind="transfer").exists()


def test_who_may_not_call_is_told_so_first(thandi: Person, settings: Any) -> None:
    problem(Caller().get("me", x="1"), 401, "not_authenticated")
    thandi.user.is_staff = True
    problem(calling(thandi).get("me", x="1"), 403, "wrong_role")
    thandi.user.is_staff = False
    problem(calling(thandi).post("dashboard?x=1", {}), 405, "method_not_allowed")
    settings.RATE_LIMITS_PER_MINUTE = {**settings.RATE_LIMITS_PER_MINUTE, "reads": 1}
    assert errors_of(calling(thandi).get("kyc", x="1")) == {"x": ["unknown_parameter"]}
    problem(calling(thandi).get("kyc", x="1"), 429, "rate_limited")


def test_every_call_of_customers_is_strict() -> None:
    """A till's is not: its provider may send more than we know, and repeats what is refused for ever."""
    views = {getattr(pattern.callback, "cls", None) for pattern in api_v1}
    assert {view for view in views if not (view and issubclass(view, StrictView))} == {EasyPayPaymentsView}
    assert len(views) > 20
