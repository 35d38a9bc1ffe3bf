"""Who has the newest answer already is told so: tags move with what is shown, and with nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse

from accounts.models import User
from mymoolah.common import conditional
from tests.api import V1, Caller, body_of, calling, problem
from tests.conftest import Ledger, Person, Sql, fund, send
from wallets.models import TierLimit
from wallets.services import open_wallet

PERSONAL = ("me", "kyc", "transactions", "vouchers", "auth/sessions")


def addresses(who: Person) -> tuple[str, str, str]:
    return "dashboard", "wallets", f"wallets/{who.wallet.number}"


def tags(who: Person) -> list[str]:
    return [calling(who).get(address)["ETag"] for address in addresses(who)]


def ask(who: Person, address: str, method: str = "get", **headers: str) -> HttpResponse:
    caller = calling(who)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: HttpResponse = getattr(caller.client, method)(V1 + address, headers={**caller._headers({}), **given})
    return answer


@pytest.mark.parametrize("method", ["get", "head"])
def test_what_one_has_is_not_sent_again(thandi: Person, method: str) -> None:
    fund(thandi, "100.00")
    for address in addresses(thandi):
        first = ask(thandi, address)
        again = ask(thandi, address, method, If_None_Match=first["ETag"])
        assert (again.status_code, again.content) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary"):
            assert again[name] == first[name]
        assert "Authorization" in first["Vary"]
        assert first["Cache-Control"] == "private, no-cache"
        assert int(again["RateLimit-Remaining"]) == int(first["RateLimit-Remaining"]) - 1
        assert "Content-Type" not in again


def test_a_head_has_the_headers_of_a_get_and_no_body(thandi: Person) -> None:
    for address in (*addresses(thandi), *PERSONAL):
        shown, asked = ask(thandi, address), ask(thandi, address, "head")
        assert (asked.status_code, asked.content) == (200, b"")
        for name in ("Content-Type", "Content-Length", "Cache-Control"):
            assert asked[name] == shown[name]
        assert asked.get("ETag") == shown.get("ETag")
    problem(Caller().get("wallets"), 401, "not_authenticated")
    assert Caller().client.head(V1 + "wallets").status_code == 401


def test_tags_are_compared_weakly_and_may_be_many(thandi: Person) -> None:
    for address in addresses(thandi):
        tag = ask(thandi, address)["ETag"]
        assert tag.startswith('W/"')
        for had in (f'"old", {tag}', f'W/"x",{tag} , "y"', tag.removeprefix("W/"), "*"):
            assert ask(thandi, address, If_None_Match=had).status_code == 304, had
        for had in ('"old"', 'W/"old"', tag.strip('W/"'), "", "garbage", '"', "\x7f", "x" * 8_000, f"{tag[:-2]}"):
            assert ask(thandi, address, If_None_Match=had).status_code == 200, had
        problem(ask(thandi, address, If_Match=tag), 412, "precondition_failed")
        assert ask(thandi, address, If_Modified_Since="Sat, 01 Jan 2050 00:00:00 GMT").status_code == 200


def test_a_tag_stays_while_nothing_changes_though_time_passes(ledger: Ledger, thandi: Person) -> None:
    fund(thandi, "100.00")
    first, again = calling(thandi).get("dashboard"), calling(thandi).get("dashboard")
    assert body_of(first)["as_of"] != body_of(again)["as_of"]
    assert first["ETag"] == again["ETag"]
    assert tags(thandi) == tags(thandi)


CHANGES: dict[str, tuple[set[str], Callable[[Person, Person], object]]] = {
    "money comes in": ({"dashboard", "wallets"}, lambda thandi, _: fund(thandi, "1.00")),
    "money goes out": ({"dashboard", "wallets"}, lambda thandi, sipho: send(thandi, sipho, "1.00")),
    "a freeze": (
        {"dashboard", "wallets"},
        lambda thandi, _: calling(thandi).post(f"wallets/{thandi.wallet.number}/freeze"),
    ),
    "a voucher that is paid for": (
        {"dashboard", "wallets"},
        lambda thandi, _: voucher(thandi, "standard"),
    ),
    "money that is held": ({"dashboard", "wallets"}, lambda thandi, _: voucher(thandi, "easypay_cashout")),
    "a voucher that costs nothing yet": ({"dashboard"}, lambda thandi, _: voucher(thandi, "easypay_topup")),
    "another limit": (
        {"wallets"},
        lambda *_: TierLimit.objects.using("owner").filter(tier=2).update(per_month_amount=77_777),
    ),
    "another tier": ({"wallets"}, lambda thandi, _: User.objects.filter(pk=thandi.user.pk).update(kyc_tier=1)),
    "a name of the other end": (
        {"dashboard"},
        lambda _, sipho: User.objects.filter(pk=sipho.user.pk).update(first_name="Siphokazi"),
    ),
}


def voucher(who: Person, voucher_type: str) -> None:
    body = {"voucher_type": voucher_type, "amount": "50.00", "currency": "ZAR"}
    assert calling(who).post("vouchers", body, Idempotency_Key="k").status_code == 201


@pytest.mark.parametrize("name", CHANGES)
def test_a_tag_moves_with_what_is_shown(name: str, ledger: Ledger, thandi: Person, sipho: Person) -> None:
    fund(thandi, "1000.00")
    send(thandi, sipho, "10.00")
    before, (moved, change) = tags(thandi), CHANGES[name]
    change(thandi, sipho)
    after = tags(thandi)
    has_moved = {
        address.partition("/")[0]
        for address, old, new in zip(addresses(thandi), before, after, strict=True)
        if old != new
    }
    assert has_moved == moved


def test_a_wallet_has_another_tag_once_midnight_gives_its_limits_back(
    thandi: Person, sipho: Person, admin_sql: Sql
) -> None:
    fund(thandi, "100.00")
    send(thandi, sipho, "10.00")
    before = tags(thandi)
    admin_sql("UPDATE wallets SET spent_on = spent_on - 1 WHERE number = %s", thandi.wallet.number)
    assert [old == new for old, new in zip(before, tags(thandi), strict=True)] == [True, False, False]


def test_a_second_wallet_is_another_answer(thandi: Person) -> None:
    before = tags(thandi)
    open_wallet(user=thandi.user, currency="USD")
    assert [old == new for old, new in zip(before, tags(thandi), strict=True)] == [False, False, True]


def test_two_customers_with_equal_data_share_no_tag(rf: Any) -> None:
    request = type("Request", (), {"_request": rf.get("/")})()
    mine, hers = (
        conditional.answer_text(request, b"0.00", tagged=b"0.00", owner=uuid.uuid4())["ETag"] for _ in range(2)
    )
    assert mine != hers


def test_all_else_that_is_personal_is_not_kept(thandi: Person, settings: Any) -> None:
    answers = [calling(thandi).get(address) for address in PERSONAL]
    answers += [
        calling(thandi).get("dashboard", x="1"),
        Caller().get("dashboard"),
        calling(thandi).get("wallets/1234567897"),
    ]
    answers += [
        calling(thandi).get("nope"),
        calling(thandi).post("transfers", {}),
        ask(thandi, "wallets", If_Match='"x"'),
    ]
    settings.RATE_LIMITS_PER_MINUTE = {**settings.RATE_LIMITS_PER_MINUTE, "reads": 1}
    ask(thandi, "dashboard")
    answers.append(ask(thandi, "dashboard"))
    assert [answer.status_code for answer in answers] == [200] * 5 + [400, 401, 404, 404, 400, 412, 429]
    for answer in answers:
        assert answer["Cache-Control"] == "no-store"
        assert "ETag" not in answer
