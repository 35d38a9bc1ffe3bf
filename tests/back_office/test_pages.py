"""Every page, for every role: what opens, what does not, what it costs and what it never shows."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import CompositePrimaryKey
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent, KycDocument, LoginSession
from mymoolah.common.admin import LargeTableAdmin
from reporting.models import DashboardRefresh, QueryPerformanceLog
from tests.back_office.house import (
    HOLDING_SECRETS,
    NOT_REGISTERED,
    OURS,
    REGISTERED,
    SECRETS,
    Furnished,
    colleague,
    emergency,
    list_page,
    page_class,
    signed_in,
)
from tests.conftest import Person, fund, person
from vouchers.models import TillEvent, Voucher

QUERIES_MAX = 14
UNBOUNDED_COUNT = re.compile(r"COUNT\(\*\)(?!.*LIMIT \d+\))", re.DOTALL)


def test_every_model_is_registered_or_says_why_not() -> None:
    assert {model for model in OURS if not admin.site.is_registered(model)} == set(NOT_REGISTERED)
    composite = {model for model in OURS if isinstance(model._meta.pk, CompositePrimaryKey)}
    assert composite == NOT_REGISTERED.keys() - HOLDING_SECRETS.keys()
    assert all(isinstance(page_class(model), LargeTableAdmin) for model in REGISTERED)


def test_nobody_adds_changes_or_deletes_money_superusers_neither(house: Furnished) -> None:
    client = signed_in(emergency())
    for model in REGISTERED:
        if model._meta.model_name == "user":
            continue
        page = house.page(model)
        assert client.post(page, {"balance": "1000000.00"}).status_code in {302, 403}, page
        assert client.get(page.replace("/change/", "/delete/")).status_code == 403, page
        assert client.post(page.replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403, page
        assert client.get(list_page(model) + "add/").status_code == 403, page
        assert client.post(list_page(model), {"action": "delete_selected", "_selected_action": "1"}).status_code in {
            200,
            302,
        }
        assert model._base_manager.filter(pk=house.rows[model].pk).exists()


def test_a_superuser_cannot_delete_or_add_people_either(house: Furnished, thandi: Person) -> None:
    client = signed_in(emergency())
    assert client.get(reverse("admin:accounts_user_add")).status_code == 403
    assert client.post(reverse("admin:accounts_user_delete", args=[thandi.user.pk]), {"post": "yes"}).status_code == 403


def test_no_page_shows_a_secret(house: Furnished) -> None:
    client = signed_in(emergency())
    for model in REGISTERED:
        for address in (list_page(model), house.page(model), house.page(model).replace("/change/", "/history/")):
            html = client.get(address, follow=True).content.decode()
            assert [secret for secret in SECRETS if secret in html] == [], address
    pending = Voucher.objects.get(voucher_type="easypay_topup")
    html = client.get(reverse("admin:vouchers_voucher_change", args=[pending.pk])).content.decode()
    assert "••••••••••6785" in html
    assert [secret for secret in SECRETS if secret in html] == []


def test_secrets_are_not_even_read(house: Furnished) -> None:
    client = signed_in(emergency())
    for model in REGISTERED:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(list_page(model))
            client.get(house.page(model))
        own = [query["sql"] for query in queries if f'FROM "{model._meta.db_table}"' in query["sql"]]
        for column in page_class(model).secret:
            # The signed-in person's own row is read whole by Django.
            found = [sql for sql in own if f'"{model._meta.db_table}"."{column}"' in sql and 'AS "lower' not in sql]
            assert len(found) <= (2 if model._meta.model_name == "user" else 0), (column, found)


def test_lists_and_pages_take_a_fixed_number_of_queries_and_count_nothing(house: Furnished, thandi: Person) -> None:
    client = signed_in(colleague("auditor"))
    before = cost(client, house)
    more_of_everything(house, thandi)
    after = cost(client, house)
    assert {address: number for address, number in after.items() if number != before[address]} == {}
    assert max(after.values()) <= QUERIES_MAX


def more_of_everything(house: Furnished, thandi: Person) -> None:
    for amount in ("1.00", "2.00", "3.00"):
        fund(thandi, amount)
    for name in ("lerato", "mandla", "precious"):
        fund(person(name), "10.00")
    pending = Voucher.objects.get(voucher_type="easypay_topup")
    rows = [house.rows[model] for model in (LoginSession, KycDocument, AuditEvent, QueryPerformanceLog)]
    for row in (pending, house.rows[TillEvent], house.rows[DashboardRefresh], *rows):
        for number in range(3):
            twin: Any = type(row)._base_manager.get(pk=row.pk)
            twin.pk, twin._state.adding = None, True
            for name, value in {
                "public_id": uuid.uuid4(),
                "easypay_number": f"9506300000000{number}",
                "sha256": bytes([number] * 32),
                "path": f"the-folder-of-documents/{number + 2}",
                "provider_reference": f"REF-{number + 2}",
                "result": None,
                "processed_at": None,
            }.items():
                if hasattr(twin, name):
                    setattr(twin, name, value)
            twin.save()


def cost(client: Client, house: Furnished) -> dict[str, int]:
    numbers = {}
    for model in REGISTERED:
        for address in (list_page(model), house.page(model)):
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            statements = [query["sql"] for query in queries]
            assert [sql for sql in statements if UNBOUNDED_COUNT.search(sql)] == [], address
            assert [sql for sql in statements if "OFFSET" in sql] == [], address
            numbers[address] = len(statements)
    return numbers
