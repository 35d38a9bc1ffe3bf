"""Lists over large tables: keys instead of pages, one index for each search, nothing else in the address."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent, User
from mymoolah.common.admin import ROWS_PER_PAGE
from mymoolah.common.clock import now
from reporting.models import (
    QueryPerformanceHour,
    QueryPerformanceLog,
    TransactionSummary,
    UserDashboardSummary,
    UserFinancialSummary,
)
from tests.back_office.house import (
    EASYPAY_NUMBER,
    REGISTERED,
    Furnished,
    emergency,
    furnish,
    list_page,
    page_class,
    page_of,
    signed_in,
)
from tests.conftest import Ledger, Person, Sql, fund
from transactions.models import IdempotencyKey, Receivable, ReceivableCollection, Transaction, Transfer
from vouchers.models import SuspenseItem, TillEvent, Voucher
from wallets.models import Hold, TierLimit, Wallet
from wallets.services import open_wallet

CROWDED = ("users", "wallets", "vouchers", "audit_events", "user_dashboard_summary")

CROWD = """
INSERT INTO users (password, is_superuser, public_id, email, phone, first_name, last_name)
SELECT '!', false, gen_random_uuid(), 'crowd' || n || '@example.com', '+2760' || lpad(n::text, 7, '0'), 'Crowd', 'Name' || n
FROM generate_series(1, 20000) AS n;

INSERT INTO wallets (number, user_id, kind, stripe, currency, status)
SELECT (3000000000 + u.id * 10)::text, u.id, 'customer', 0, 'ZAR', 'active'
FROM users AS u
WHERE u.email LIKE 'crowd%';

INSERT INTO audit_events (verb, subject_type, subject_id, facts, request_id)
SELECT 'crowd.came', 'user', gen_random_uuid()::text, '{}', md5(n::text)
FROM generate_series(1, 20000) AS n;

INSERT INTO vouchers (
    public_id, user_id, voucher_type, status, easypay_number, original_amount, balance, currency, expires_at, created_at
)
SELECT
    gen_random_uuid(), u.id, 'easypay_topup', 'pending_payment', '9' || lpad(u.id::text, 13, '0'),
    60, 0, 'ZAR', now(), now()
FROM users AS u
WHERE u.email LIKE 'crowd%';

SELECT refresh_user_dashboard_summary();
"""


@pytest.fixture
def crowd(ledger: Ledger, owner_sql: Sql) -> None:
    """Twenty thousand strangers, so that a plan shows whether an index is used."""
    owner_sql(CROWD)
    owner_sql("ANALYZE")


@pytest.fixture
def root(house: Furnished) -> Client:
    return signed_in(emergency())


def rows_of(answer: Any) -> list[Model]:
    return list(answer.context["cl"].result_list)


def seen(client: Client, address: str) -> tuple[list[Model], list[str]]:
    """What a list shows, and the statements that read it."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    assert answer.status_code == 200, address
    model = answer.context["cl"].model
    return rows_of(answer), [
        query["sql"] for query in queries if re.search(rf'FROM "?{model._meta.db_table}\b', query["sql"])
    ]


def plan(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


def assert_indexed(statements: list[str]) -> None:
    for statement in statements:
        text = plan(statement)
        for table in CROWDED:
            assert not re.search(rf"Seq Scan on {table}\b", text), f"{statement}\n{text}"


SEARCHES: dict[type[Model], list[str]] = {
    User: ["{thandi}", "+27821110001", "0821110001", "Thandi@Example.com", "thandi@ex", "thand", "mokoe", "{number}"],
    Wallet: ["{number}", "thandi@example.com"],
    Transaction: ["{number}-2", "{number}", "{transfer}"],
    Transfer: ["{transfer}", "{number}-2"],
    Voucher: ["{voucher}", "thandi@example.com", "0821110001"],
    AuditEvent: ["{number}", "wallet.opened"],
    IdempotencyKey: ["user:{thandi}"],
    TillEvent: ["REF-1"],
    SuspenseItem: ["thandi@example.com"],
    Hold: ["{hold}"],
    Receivable: ["{receivable}", "{debtor}"],
    UserDashboardSummary: ["{number}", "{thandi}", "thandi@example.com"],
    UserFinancialSummary: ["{number}", "0821110001"],
    TransactionSummary: ["{number}", "thandi@example.com"],
}


def thandi(house: Furnished) -> Any:
    return house.rows[User]


def wallet(house: Furnished) -> Any:
    return house.rows[Wallet]


@pytest.mark.sql
def test_search_finds_the_one_that_was_meant_through_an_index(crowd: None, house: Furnished, root: Client) -> None:
    known = {
        "thandi": thandi(house).public_id,
        "number": wallet(house).number,
        "transfer": house.rows[Transfer].pk,
        "voucher": house.rows[Voucher].public_id,  # type: ignore[attr-defined]
        "hold": house.rows[Hold].public_id,  # type: ignore[attr-defined]
        "receivable": house.rows[Receivable].public_id,  # type: ignore[attr-defined]
        "debtor": house.rows[Receivable].wallet.number,  # type: ignore[attr-defined]
    }
    for model, texts in SEARCHES.items():
        for text in texts:
            found, statements = seen(root, list_page(model, f"?{urlencode({'q': text.format(**known)})}"))
            assert house.rows[model] in found, (model, text)
            assert len(found) <= 5, (model, text)
            assert_indexed(statements)


def test_the_audit_trail_is_found_by_its_subject(house: Furnished, root: Client) -> None:
    events = rows_of(root.get(list_page(AuditEvent), {"q": str(thandi(house).public_id)}))
    assert [event.verb for event in events] == ["user.registered"]  # type: ignore[attr-defined]


def test_a_voucher_is_found_by_the_number_that_is_never_shown(house: Furnished, root: Client) -> None:
    answer = root.get(list_page(Voucher), {"q": EASYPAY_NUMBER})
    assert [row.easypay_number for row in rows_of(answer)] == [EASYPAY_NUMBER]  # type: ignore[attr-defined]
    assert f">{EASYPAY_NUMBER}<" not in answer.content.decode()


@pytest.mark.sql
def test_lists_read_along_an_index(crowd: None, house: Furnished, root: Client) -> None:
    for model in REGISTERED:
        query = ""
        for _ in range(2):
            answer = root.get(list_page(model, query))
            _, statements = seen(root, list_page(model, query))
            page = [sql for sql in statements if f"LIMIT {ROWS_PER_PAGE + 1}" in sql]
            assert len(page) == 1
            assert_indexed(page)
            query = answer.context["cl"].older or ""


@pytest.mark.sql
def test_people_are_narrowed_by_kyc_status_along_an_index(crowd: None, house: Furnished, root: Client) -> None:
    """The crowd has not begun; nobody but Thandi and Sipho is verified, who came first and are the last rows."""
    both = {thandi(house).pk, User.objects.get(email="sipho@example.com").pk}
    User.objects.filter(pk__in=both).update(kyc_status="verified", id_verified=True)

    found, statements = seen(root, list_page(User, "?kyc_status__exact=verified"))
    assert {row.pk for row in found} == both
    assert_indexed(statements)

    first, _ = seen(root, list_page(User, "?kyc_status__exact=not_started"))
    older = root.get(list_page(User, "?kyc_status__exact=not_started")).context["cl"].older
    second, statements = seen(root, list_page(User, older))
    keys = [row.pk for row in (*first, *second)]
    assert keys == sorted(keys, reverse=True)
    assert len(set(keys)) == 2 * ROWS_PER_PAGE
    assert_indexed([sql for sql in statements if "LIMIT 51" in sql])


@pytest.mark.sql
def test_the_size_of_a_large_table_is_estimated(crowd: None, house: Furnished, root: Client) -> None:
    for model in (User, Wallet, Voucher, AuditEvent, UserDashboardSummary, UserFinancialSummary, TransactionSummary):
        answer = root.get(list_page(model))
        assert re.fullmatch(r"about 2\d,\d{3}", answer.context["cl"].total), model
    assert root.get(list_page(User, "?q=crowd")).context["cl"].total == "more than 1,000"
    assert root.get(list_page(User, "?q=crowd12")).context["cl"].total == "more than 1,000"
    assert root.get(list_page(User, "?q=crowd1111")).context["cl"].total == "11"
    assert root.get(list_page(User, "?q=%25")).context["cl"].total == "0"


def test_older_rows_follow_by_key_until_the_last(house: Furnished, root: Client) -> None:
    """128 wallets of the house and two customers': three pages, each row once, newest first."""
    found: list[Any] = []
    query: str | None = "?whose=all"
    for _ in range(3):
        answer = root.get(list_page(Wallet, query or ""))
        found += [row.pk for row in rows_of(answer)]
        query = answer.context["cl"].older
    assert query is None
    assert found == sorted(Wallet.objects.values_list("pk", flat=True), reverse=True)


def test_the_list_of_wallets_begins_with_customers(house: Furnished, root: Client) -> None:
    """Nobody telephones about a stripe of the house; who wants them asks."""
    kinds = {query: {row.kind for row in rows_of(root.get(list_page(Wallet, query)))} for query in ("", "?whose=bank")}  # type: ignore[attr-defined]
    assert kinds == {"": {"customer"}, "?whose=bank": {"bank"}}


def test_amounts_are_written_alike_on_every_form_and_list(house: Furnished, root: Client) -> None:
    fund(Person(thandi(house), wallet(house)), "4885.00")
    for address in (page_of(wallet(house)), list_page(Wallet), house.page(UserFinancialSummary)):
        html = root.get(address).content.decode()
        assert "5,345.00 ZAR" in html, address
        assert "5345.00" not in html, address
    assert "25,000.00 ZAR" in root.get(list_page(TierLimit)).content.decode()
    assert "UserFinancialSummary object" not in root.get(house.page(UserFinancialSummary)).content.decode()


def test_the_entries_of_a_wallet_follow_its_sequence(house: Furnished, root: Client) -> None:
    for _ in range(60):
        fund(Person(thandi(house), wallet(house)), "1.00")
    first = root.get(list_page(Transaction, f"?wallet={wallet(house).pk}"))
    assert [row.sequence for row in rows_of(first)] == list(range(64, 14, -1))  # type: ignore[attr-defined]
    second = root.get(list_page(Transaction) + first.context["cl"].older)
    assert [row.sequence for row in rows_of(second)] == list(range(14, 0, -1))  # type: ignore[attr-defined]
    assert second.context["cl"].older is None
    assert second.context["cl"].total == "64"
    newest = root.get(list_page(Transaction) + second.context["cl"].newest)
    assert rows_of(newest) == rows_of(first)


def test_the_overview_goes_on_by_customer_and_currency(
    ledger: Ledger, thandi: Person, sipho: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_wallet(user=thandi.user, currency="USD")
    furnish(thandi, sipho)
    client = signed_in(emergency())
    monkeypatch.setattr(page_class(UserDashboardSummary), "list_per_page", 1)
    names: list[Any] = []
    query: str | None = ""
    for _ in range(3):
        answer = client.get(list_page(UserDashboardSummary, query or ""))
        names += [(row.first_name, row.wallet_currency) for row in rows_of(answer)]  # type: ignore[attr-defined]
        query = answer.context["cl"].older
    assert query is None
    assert names == [("Sipho", "ZAR"), ("Thandi", "ZAR"), ("Thandi", "USD")]


def test_staff_see_what_waits(house: Furnished, root: Client) -> None:
    """What is owed, what no till was answered yet, what nobody resolved yet."""
    assert rows_of(root.get(list_page(SuspenseItem, "?open=1"))) == [house.rows[SuspenseItem]]
    assert rows_of(root.get(list_page(TillEvent, "?waiting=1"))) == []
    assert rows_of(root.get(list_page(Receivable, "?open=1"))) == []
    moment = now()
    event = TillEvent.objects.create(
        provider="easypay",
        provider_reference="REF-2",
        body=b"",
        body_sha256=bytes(32),
        easypay_number=EASYPAY_NUMBER,
        amount="60.00",
        currency="ZAR",
        paid_at=moment,
    )
    assert rows_of(root.get(list_page(TillEvent, "?waiting=1"))) == [event]
    assert "waiting" in root.get(page_of(event)).content.decode()


def test_pages_of_money_name_the_two_who_decided(house: Furnished, root: Client, thandi: Person, sipho: Person) -> None:
    receivable: Any = house.rows[Receivable]
    html = root.get(page_of(receivable.transfer)).content.decode()
    assert thandi.user.email in html
    assert sipho.user.email in html
    collected: Any = house.rows[ReceivableCollection]
    assert str(collected.transfer_id) in root.get(page_of(receivable)).content.decode()
    assert str(receivable.public_id) in root.get(page_of(receivable.wallet)).content.decode()
    voucher: Any = house.rows[Voucher]
    assert str(voucher.issue_transfer_id) in root.get(page_of(voucher)).content.decode()


@pytest.mark.parametrize(
    "key", ["x", "[]", "1", '["x"]', "[1,2]", '{"a":1}', '["\\u0000"]', "[" * 1000, "null", "[1e400]"]
)
def test_a_broken_key_is_told_so(house: Furnished, root: Client, key: str) -> None:
    answer = root.get(list_page(Wallet), {"before": key})
    assert answer.status_code == 302
    assert answer["Location"].endswith("?e=1")


def test_a_key_beyond_every_number_is_no_error(house: Furnished, root: Client) -> None:
    assert rows_of(root.get(list_page(Wallet), {"before": json.dumps([10**30])})) != []
    assert rows_of(root.get(list_page(Wallet), {"before": json.dumps([-1])})) == []


@pytest.mark.parametrize(
    "query", ["?status__exact=frozen", "?balance__gt=5", "?user__email__contains=a", "?kind__contains=a", "?number=1"]
)
def test_a_lookup_without_an_index_is_refused(house: Furnished, root: Client, query: str) -> None:
    assert root.get(list_page(Wallet, query or "")).status_code == 400


@pytest.mark.parametrize("query", ["?kind__exact=%00", "?user=%00", "?user=x", "?q=%00", "?p=x", "?_to_field=x"])
def test_nonsense_in_an_address_is_no_failure(house: Furnished, root: Client, query: str) -> None:
    assert root.get(list_page(Wallet, query)).status_code in {200, 302, 400}


def test_choices_are_not_counted(house: Furnished, root: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        root.get(list_page(Wallet, "?_facets=1"))
    assert [query["sql"] for query in queries if "FILTER" in query["sql"]] == []


def test_another_order_is_not_heard(house: Furnished, root: Client) -> None:
    assert rows_of(root.get(list_page(Wallet, "?o=6.-1"))) == rows_of(root.get(list_page(Wallet)))


def test_what_cannot_be_searched_finds_nothing_and_says_what_can(house: Furnished, root: Client) -> None:
    answer = root.get(list_page(Wallet, "?q=some+words"))
    assert rows_of(answer) == []
    assert "Search for: Number, whole e-mail, phone." in answer.content.decode()


def test_filters_are_answered_by_an_index(owner_sql: Sql) -> None:
    """A filter by a column that no index begins with would read the whole table for a rare value."""
    for model in REGISTERED:
        columns = [name for name in page_class(model).list_filter if isinstance(name, str)]
        indexed = {
            row[0]
            for row in owner_sql(
                "SELECT pg_get_indexdef(indexrelid, 1, true) FROM pg_index WHERE indrelid = %s::regclass",
                model._meta.db_table,
            )
        }
        assert set(columns) <= indexed, model


def test_query_times_by_hour_begin_with_the_last_day_and_are_found_by_route(house: Furnished, root: Client) -> None:
    """And an hour's own page is found by its hour and its label, not among all hours."""
    for label, days in (("GET /api/v1/dashboard", 3), ("reporting.take_days", 10), ("GET /api/v1/me", 1 / 100)):
        QueryPerformanceLog.objects.create(
            query_type=label,
            execution_time_ms=Decimal(200),
            is_sampled=False,
            is_slow=True,
            created_at=now() - dt.timedelta(days=days),
        )
    found = {
        query: sorted({row.query_type for row in rows_of(root.get(list_page(QueryPerformanceHour, query)))})  # type: ignore[attr-defined]
        for query in ("", "?days=7&q=GET+/api/v1/dashboard", "?days=14", "?days=14&q=nobody", "?days=nonsense")
    }
    assert found == {
        "": ["GET /api/v1/dashboard", "GET /api/v1/me"],
        "?days=7&q=GET+/api/v1/dashboard": ["GET /api/v1/dashboard"],
        "?days=14": ["GET /api/v1/dashboard", "GET /api/v1/me", "reporting.take_days"],
        "?days=14&q=nobody": [],
        "?days=nonsense": ["GET /api/v1/dashboard", "GET /api/v1/me"],
    }
    hours = [row.hour for row in rows_of(root.get(list_page(QueryPerformanceHour, "?days=14")))]  # type: ignore[attr-defined]
    assert hours == sorted(hours, reverse=True)
    assert len(hours) == 4
    for row in QueryPerformanceHour.objects.all():
        assert row.query_type in root.get(page_of(row)).content.decode()
    for nonsense in ("x", "2031-05-05T12Z", "2031-05-05T12Z nobody"):
        missing = reverse("admin:reporting_queryperformancehour_change", args=[nonsense])
        assert root.get(missing).status_code == 302
