"""Finding a customer by what the caller has at hand: one index for each question, never a whole table."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from reporting.customer_search import MOST_FOUND, find_customers
from tests.back_office.house import EASYPAY_NUMBER, Furnished, colleague, emergency, signed_in
from tests.back_office.test_customer_page import CROWD, nodes, page
from tests.conftest import Ledger, Person, Sql, fund, person, send
from transactions.models import Transfer
from vouchers.models import Voucher


def found(client: Client, text: str) -> Any:
    return client.get(reverse("customer_find"), {"q": text})


@pytest.fixture
def support(house: Furnished) -> Client:
    return signed_in(colleague("support"))


@pytest.mark.parametrize(
    "text",
    [
        "thandi@example.com",
        " Thandi@Ex ",
        "thandi",
        "+27821110001",
        "+27 82 111 0001",
        "0821110001",
        "082 111 0001",
        "082-111-0001",
        "(082) 111 0001",
        "27821110001",
        "0027 82 111 0001",
        "+27 (0)82 111 0001",
        "Thandi Mokoena",
        "tha moko",
        "Mokoena Thandi",
        "Mokoena, Thandi",
        EASYPAY_NUMBER,
        "{number}",
        "{number}-2",
        "{spaced}",
        "{thandi}",
        "{voucher}",
    ],
)
def test_one_that_is_found_is_shown_at_once(support: Client, thandi: Person, text: str) -> None:
    known = {
        "number": thandi.wallet.number,
        "spaced": f"{thandi.wallet.number[:4]} {thandi.wallet.number[4:7]} {thandi.wallet.number[7:]}",
        "thandi": thandi.user.public_id,
        "voucher": Voucher.objects.earliest("pk").public_id,
    }
    answer = found(support, text.format(**known))
    assert answer.status_code == 302, text
    assert answer["Location"] == page(thandi)


@pytest.mark.parametrize("text", ["Jan van der Merwe", "van der Merwe", "van der Merwe Jan", "van der Merwe, Jan"])
def test_a_last_name_of_several_words_is_found(support: Client, text: str) -> None:
    jan = person("jan")
    User.objects.filter(pk=jan.user.pk).update(first_name="Jan", last_name="van der Merwe")
    assert found(support, text)["Location"] == page(jan)


def test_a_transfer_finds_both_its_ends(support: Client, thandi: Person, sipho: Person) -> None:
    transfer = Transfer.objects.get(from_wallet=thandi.wallet, to_wallet=sipho.wallet)
    answer = found(support, str(transfer.pk))
    assert [customer.first_name for customer in answer.context["customers"]] == ["Sipho", "Thandi"]
    html = answer.content.decode()
    assert page(thandi) in html
    assert page(sipho) in html


@pytest.mark.parametrize("text", ["nobody", "%", "_", "+", "4111111111", "\x00", "' OR 1=1 --", "x" * 5_000, "9" * 14])
def test_what_is_nobodys_finds_nobody(support: Client, text: str) -> None:
    answer = found(support, text)
    assert answer.status_code == 200
    assert list(answer.context["customers"]) == []


def test_colleagues_are_no_customers(support: Client) -> None:
    assert list(found(support, "support@example.com").context["customers"]) == []


def test_who_may_not_see_a_transfer_or_a_voucher_finds_nobody_by_it(house: Furnished, thandi: Person) -> None:
    officer = signed_in(colleague("kyc"))
    for text in (Transfer.objects.earliest("pk").pk, Voucher.objects.earliest("pk").public_id, thandi.wallet.number):
        assert list(found(officer, str(text)).context["customers"]) == []
    assert found(officer, "thandi@example.com")["Location"] == page(thandi)
    html = officer.get(reverse("customer_find")).content.decode()
    assert "By customer&#x27;s id, phone, beginning of an e-mail, last name" in html


def test_more_than_ten_are_asked_to_be_narrowed(ledger: Ledger, owner_sql: Sql) -> None:
    owner_sql(CROWD)
    client = signed_in(colleague("support"))
    for text in ("crowd", "name"):
        answer = found(client, text)
        assert len(answer.context["customers"]) == MOST_FOUND, text
        assert "The first 10 of more" in answer.content.decode(), text


def test_the_command_box_finds_pages_and_customers_and_keeps_nothing(support: Client, thandi: Person) -> None:
    search = reverse("admin:search")
    answer = support.get(search, {"s": "thandi@", "extended": "1"})
    assert [item["link"] for item in answer.context["results"]] == [page(thandi)]
    html = answer.content.decode()
    assert "Thandi Mokoena" in html
    assert "thandi@example.com" in html
    assert "Thandi@example.com" not in html
    assert "no-store" in answer["Cache-Control"]
    redis: Any = cache
    assert redis.keys("*unfold*") == []
    titles = [item["title"] for item in support.get(search, {"s": "wallet"}).context["results"]]
    assert titles == ["Wallets", "House wallets"]
    operator = signed_in(colleague("operator"))
    assert list(operator.get(search, {"s": "thandi@"}).context["results"]) == []


@pytest.mark.sql
def test_every_question_is_answered_by_an_index(ledger: Ledger, thandi: Person, sipho: Person, owner_sql: Sql) -> None:
    fund(thandi, "10.00")
    send(thandi, sipho, "5.00")
    owner_sql(CROWD)
    owner_sql("ANALYZE")
    root, transfer = emergency(), Transfer.objects.earliest("pk").pk
    may = User.objects.get(pk=root.pk).has_perm
    texts = ("thandi@ex", "+27821110001", thandi.wallet.number, str(transfer), "moko", "thandi moko", "crowd", "9" * 14)
    for text in texts:
        with CaptureQueriesContext(connection) as queries:
            find_customers(text=text, may=may)
        assert 2 <= len(queries) <= 5, text
        for query in queries:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {query['sql']}")
                plan = cursor.fetchone()[0][0]["Plan"]
            scans = {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}
            assert not scans & {"users", "wallets"}, query["sql"]
            assert re.search(r"LIMIT|\"id\" IN|= '", query["sql"]), query["sql"]
