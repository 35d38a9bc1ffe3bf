"""The bank's own books: what the house holds, how a day left it, what waits in suspense; and taking them out as files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent, User
from mymoolah.common.clock import business_day, now
from mymoolah.common.sql import read
from reporting import books, books_admin
from reporting.books_files import as_csv, as_xlsx
from reporting.roles import ROLES
from tests.back_office.house import colleague, signed_in
from tests.conftest import Ledger, Person, Sql, fund, person
from tests.transactions.legs import johannesburg
from tests.vouchers import suspense
from tests.vouchers.till import SPENT, TOP_UP, payment, told
from transactions.models import Transaction
from vouchers.models import SuspenseItem
from wallets.models import Wallet
from wallets.services import open_house_wallets

pytestmark = [pytest.mark.sql, pytest.mark.usefixtures("ledger")]

HOUSE, BALANCE, SUSPENSE = (reverse(f"books_{name}") for name in ("house", "trial_balance", "suspense"))


@pytest.fixture
def finance(ledger: Ledger) -> Client:
    return signed_in(colleague("finance"))


def export(name: str, extension: str, **period: str) -> str:
    query = "&".join(f"{key}={value}" for key, value in period.items())
    return reverse("books_export", args=[name, extension]) + (f"?{query}" if query else "")


def content(answer: Any) -> bytes:
    assert answer.status_code == 200, answer
    assert answer.streaming
    return b"".join(answer.streaming_content)


def lines(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content(answer).decode("utf-8-sig"))))


def of(rows: list[dict[str, Any]], kind: str, currency: str = "ZAR") -> dict[str, Any]:
    return next(row for row in rows if (row["kind"], row["currency"]) == (kind, currency))


# The house ----------------------------------------------------------------------------------------------------------
def test_the_house_is_summed_over_its_stripes_and_customers_have_what_it_lacks(
    thandi: Person, sipho: Person, finance: Client
) -> None:
    open_house_wallets(currency="USD")
    rich = person("lerato", currency="USD")
    fund(thandi, "100.00")
    fund(sipho, "50.00")
    fund(rich, "9.00")
    rows = books.house_balances()
    assert of(rows, "adjustments")["balance"] == Decimal("-150.00")
    assert of(rows, "adjustments")["stripes"] == 16
    assert of(rows, "customers")["balance"] == Decimal("150.00")
    assert of(rows, "customers", "USD")["balance"] == Decimal("9.00")
    assert of(rows, "bank")["balance"] == 0
    for currency, total in (("ZAR", "-150.00"), ("USD", "-9.00")):
        kinds = [row["balance"] for row in rows if row["currency"] == currency and row["stripes"]]
        assert sum(kinds) == of(rows, "house", currency)["balance"] == Decimal(total)
        assert of(rows, "house", currency)["balance"] + of(rows, "customers", currency)["balance"] == 0
    assert len(rows) == 2 * 10
    html = finance.get(HOUSE).content.decode()
    assert "\u2212150.00 ZAR" in html
    assert "what we owe our customers" in html
    assert "/proposal/propose/settle/?step=top_ups&amp;currency=ZAR" in html
    assert "/propose/" not in signed_in(colleague("auditor")).get(HOUSE).content.decode()


# A day --------------------------------------------------------------------------------------------------------------
def recomputed(day: dt.date) -> dict[tuple[str, str], tuple[Decimal, ...]]:
    """From every entry, one by one."""
    found: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
    for wallet in Wallet.objects.exclude(kind="customer"):
        opening, received, sent, closing = found[wallet.kind, wallet.currency]
        for entry in Transaction.objects.filter(wallet=wallet):
            on = business_day(entry.created_at)
            change = entry.amount if entry.type == "received" else -entry.amount
            opening += change if on < day else 0
            received += entry.amount if on == day and change > 0 else 0
            sent += entry.amount if on == day and change < 0 else 0
            closing += change if on <= day else 0
        found[wallet.kind, wallet.currency] = [opening, received, sent, closing]
    return {key: tuple(amounts) for key, amounts in found.items()}


def together(house: dict[tuple[Any, Any], tuple[Any, ...]]) -> dict[str, tuple[Decimal, ...]]:
    """The columns of all wallets of the house added up, per currency."""
    currencies = {currency for _, currency in house}
    columns = {one: zip(*(row for (_, mine), row in house.items() if mine == one), strict=True) for one in currencies}
    return {currency: tuple(sum(column, Decimal(0)) for column in found) for currency, found in columns.items()}


def total_of(rows: list[dict[str, Any]], currency: str) -> tuple[Decimal, ...]:
    row = of(rows, "house", currency)
    return row["opening_balance"], row["received"], row["sent"], row["closing_balance"]


def test_a_trial_balance_equals_a_plain_recomputation_at_each_edge_of_the_day(thandi: Person, sipho: Person) -> None:
    open_house_wallets(currency="USD")
    rich = person("lerato", currency="USD")
    for who, amount, at in (
        (thandi, "1000.00", "2026-03-01 23:59:59.999999"),
        (thandi, "10.00", "2026-03-02 00:00:00"),
        (sipho, "7.00", "2026-03-02 12:00:00"),
        (rich, "5.00", "2026-03-02 12:00:00"),
        (sipho, "3.00", "2026-03-02 23:59:59.999999"),
        (thandi, "500.00", "2026-03-03 00:00:00"),
    ):
        fund(who, amount, at=johannesburg(at))
    for day in (dt.date(2026, 2, 28), dt.date(2026, 3, 1), dt.date(2026, 3, 2), dt.date(2026, 3, 3)):
        rows = books.trial_balance(first=day, last=day)
        house = {
            (row["kind"], row["currency"]): (
                row["opening_balance"],
                row["received"],
                row["sent"],
                row["closing_balance"],
            )
            for row in rows
            if row["kind"] not in {"house", "customers"}
        }
        assert house == recomputed(day)
        assert together(house) == {currency: total_of(rows, currency) for currency in ("ZAR", "USD")}
        assert all(row["closing_balance"] - row["opening_balance"] == row["change"] for row in rows)
        for currency in ("ZAR", "USD"):
            sides = [of(rows, kind, currency)["closing_balance"] for kind in ("house", "customers")]
            assert sum(sides) == 0
    second = books.trial_balance(first=dt.date(2026, 3, 2), last=dt.date(2026, 3, 2))
    assert of(second, "adjustments")["sent"] == Decimal("20.00")
    assert of(second, "customers")["opening_balance"] == Decimal("1000.00")
    assert of(second, "customers")["closing_balance"] == Decimal("1020.00")
    assert of(second, "customers", "USD")["change"] == Decimal("5.00")
    both = books.trial_balance(first=dt.date(2026, 3, 2), last=dt.date(2026, 3, 3))
    assert of(both, "customers")["opening_balance"] == Decimal("1000.00")
    assert of(both, "adjustments")["sent"] == Decimal("520.00")
    assert of(both, "customers")["closing_balance"] == Decimal("1520.00")


def test_a_bank_without_a_single_entry_has_a_trial_balance_of_nothing() -> None:
    rows = books.trial_balance(first=dt.date(2026, 3, 1), last=dt.date(2026, 3, 1))
    assert len(rows) == 10
    assert {row["closing_balance"] for row in rows} == {0}


def test_a_trial_balance_probes_an_index_however_long_the_history(thandi: Person, owner_sql: Sql) -> None:
    for _ in range(300):
        fund(thandi, "1.00")
    owner_sql("ANALYZE")
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN " + read("reporting", "queries/trial_balance.sql"), {"starts_at": now(), "ends_at": now()}
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.count("ix_transactions_wallet_time") == 2, plan
    assert "Seq Scan on transactions" not in plan


def test_the_page_shows_a_day_and_leads_to_those_beside_it(thandi: Person, finance: Client) -> None:
    fund(thandi, "1234.50", at=johannesburg("2026-03-02 12:00:00"))
    html = finance.get(BALANCE, {"first": "2026-03-02", "last": "2026-03-02"}).content.decode()
    assert "1,234.50 ZAR" in html
    assert "?first=2026-03-01&amp;last=2026-03-01" in html
    assert "?first=2026-03-03&amp;last=2026-03-03" in html
    today = business_day(now())
    html = finance.get(BALANCE, {"first": today.isoformat(), "last": today.isoformat()}).content.decode()
    assert "so far" in html
    assert "The day after" not in html
    nobody_said = finance.get(BALANCE).context
    assert nobody_said["first"] == nobody_said["last"] == today - dt.timedelta(days=1)


def test_a_file_holds_each_of_the_days_that_the_page_shows(thandi: Person, finance: Client) -> None:
    fund(thandi, "10.00", at=johannesburg("2026-03-01 12:00:00"))
    fund(thandi, "20.00", at=johannesburg("2026-03-03 12:00:00"))
    page = finance.get(BALANCE, {"first": "2026-03-01", "last": "2026-03-03"})
    html = page.content.decode()
    assert "3 days, from Sunday 1 March 2026 to Tuesday 3 March 2026" in html
    assert "each of these 3 days by itself" in html
    assert "30.00 ZAR" in html
    (_, as_file), _ = page.context["exports"]
    rows = lines(finance.post(as_file))
    assert {row[0] for row in rows[1:]} == {"2026-03-01", "2026-03-02", "2026-03-03"}


@pytest.mark.parametrize(
    ("first", "last", "field", "said"),
    [
        (0, 1, "last", "A day of this century, up to today."),
        (1, 1, "first", "A day of this century, up to today."),
        (-400_000, 0, "first", "A day of this century, up to today."),
        (0, -1, "last", "This is before the first day."),
        (-366, 0, "last", "At most 366 days at once."),
    ],
)
def test_days_that_cannot_be_shown_are_told_at_their_field(
    finance: Client, first: int, last: int, field: str, said: str
) -> None:
    days = [business_day(now()) + dt.timedelta(days=number) for number in (first, last)]
    answer = finance.get(BALANCE, dict(zip(("first", "last"), map(str, days), strict=True)))
    assert answer.status_code == 200
    assert answer.context["form"].errors[field] == [said]
    assert said in answer.content.decode()
    assert 'id="exports"' not in answer.content.decode()


def test_what_is_no_day_is_told_at_its_field_and_a_whole_year_is_shown(finance: Client) -> None:
    assert "Enter a valid date." in finance.get(BALANCE, {"first": "nonsense", "last": "x"}).content.decode()
    today = business_day(now())
    year = {"first": today - dt.timedelta(days=365), "last": today}
    assert finance.get(BALANCE, year).context["days"] == 366  # type: ignore[arg-type]


# Suspense -----------------------------------------------------------------------------------------------------------
def test_what_is_open_is_told_by_direction_and_age(thandi: Person, finance: Client) -> None:
    fund(thandi, "1000.00")
    suspense.unknown("70.00")
    _, owed = suspense.reported(thandi, TOP_UP, "60.00")
    suspense.reported(thandi, SPENT, "50.00")
    at = owed.created_at
    for days, age in ((0, "day"), (3, "week"), (10, "month"), (31, "older")):
        [customer, till] = books.suspense_ages(at=at + dt.timedelta(days=days, hours=1))
        assert (customer["direction"], till["direction"]) == ("owed_to_customer", "owed_to_till")
        assert (customer[f"{age}_count"], customer[f"{age}_amount"]) == (2, Decimal("130.00"))
        assert (till[f"{age}_count"], till[f"{age}_amount"]) == (1, Decimal("50.00"))
        assert sum(customer[f"{name}_count"] for name in ("day", "week", "month", "older")) == 2
        assert (customer["total_count"], customer["total_amount"]) == (2, Decimal("130.00"))
    html = finance.get(SUSPENSE).content.decode()
    assert "130.00 ZAR" in html
    assert "2 items" in html
    assert reverse("admin:vouchers_suspenseitem_change", args=[owed.pk]) in html
    assert reverse("admin:vouchers_voucher_change", args=[owed.voucher_id]) in html
    assert reverse("admin:vouchers_tillevent_change", args=[owed.till_event_id]) in html


def test_the_oldest_come_first_and_the_rest_follows_by_key(finance: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [suspense.unknown(f"{number}.00").pk for number in range(60, 65)]
    monkeypatch.setattr(books_admin, "ITEMS_PER_PAGE", 2)
    address, found = SUSPENSE, []
    for _ in range(3):
        answer = finance.get(address)
        found += [item["address"] for item in answer.context["items"]]
        address = SUSPENSE + answer.context["further"]
    assert address == SUSPENSE
    assert found == [reverse("admin:vouchers_suspenseitem_change", args=[pk]) for pk in items]
    for key in ("x", "[]", "[1, 2]", '["x", 1]', '["2026-03-01", 1]', '["2026-03-01T00:00:00Z", "1"]', "[" * 9999):
        assert finance.get(SUSPENSE, {"after": key}).status_code == 400


def test_nothing_open_says_so(finance: Client) -> None:
    assert "Nothing is open." in finance.get(SUSPENSE).content.decode()


# Files --------------------------------------------------------------------------------------------------------------
def sheet_of(answer: Any) -> str:
    with zipfile.ZipFile(io.BytesIO(content(answer))) as book:
        return book.read("xl/worksheets/sheet1.xml").decode()


def test_a_reference_that_begins_like_a_formula_is_none_in_any_file(finance: Client) -> None:
    for reference in ("=1+1", "@SUM(A1)", "http://example.com", "12345"):
        told(payment("92021123456786", "70.00", provider_reference=reference))
    rows = lines(finance.post(export("suspense", "csv")))
    assert [row[-1] for row in rows[1:]] == ["'=1+1", "'@SUM(A1)", "http://example.com", "12345"]
    assert rows[1][3:5] == ["70.00", "ZAR"]
    sheet = sheet_of(finance.post(export("suspense", "xlsx")))
    assert "<f>" not in sheet
    assert "<t>=1+1</t>" in sheet
    assert "<t>12345</t>" in sheet
    assert "hyperlink" not in sheet
    assert "<v>70</v>" in sheet


def test_the_trial_balance_of_a_period_is_taken_out_day_by_day(thandi: Person, finance: Client) -> None:
    fund(thandi, "10.00", at=johannesburg("2026-03-02 12:00:00"))
    period = {"first": "2026-03-01", "last": "2026-03-03"}
    answer = finance.post(export("trial_balance", "csv", **period))
    assert answer["Content-Disposition"] == 'attachment; filename="trial_balance-2026-03-01-2026-03-03.csv"'
    assert "no-store" in answer["Cache-Control"]
    rows = lines(answer)
    assert len(rows) == 1 + 3 * 10
    assert ["2026-03-02", "Adjustments", "ZAR", "0.00", "0.00", "10.00", "-10.00", "-10.00"] in rows
    assert ["2026-03-03", "All customers", "ZAR", "10.00", "", "", "0.00", "10.00"] in rows
    assert sheet_of(finance.post(export("trial_balance", "xlsx", **period))).count("<row ") == 1 + 3 * 10
    for wrong in ({}, {"first": "2026-03-03", "last": "2026-03-01"}, {"first": "2020-01-01", "last": "2026-01-01"}):
        assert finance.post(export("trial_balance", "csv", **wrong)).status_code == 400


def test_the_house_is_taken_out_as_it_stands(thandi: Person, finance: Client) -> None:
    fund(thandi, "10.00")
    rows = lines(finance.post(export("house", "csv")))
    assert ["Adjustments", "ZAR", "-10.00", "16"] in [row[:4] for row in rows]
    assert "<v>-10</v>" in sheet_of(finance.post(export("house", "xlsx")))


def test_whoever_takes_a_file_is_written_down_before_it_is_sent(finance: Client) -> None:
    finance.post(export("trial_balance", "xlsx", first="2026-03-01", last="2026-03-02"))
    event = AuditEvent.objects.get(verb="books.exported")
    assert event.actor is not None
    assert (event.actor.email, event.subject_id) == ("finance@example.com", "trial_balance")
    assert event.facts == {"format": "xlsx", "first": "2026-03-01", "last": "2026-03-02"}


def test_a_long_list_is_read_a_batch_at_a_time(finance: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60, 65):
        suspense.unknown(f"{number}.00")
    monkeypatch.setattr(books, "BATCH", 2)
    with CaptureQueriesContext(connection) as queries:
        assert len(lines(finance.post(export("suspense", "csv")))) == 6
    assert len([query for query in queries if "FROM suspense_items" in query["sql"]]) == 4


def test_money_too_large_for_a_spreadsheets_numbers_stays_exact() -> None:
    huge = Decimal("99999999999999999.99")
    book = b"".join(as_xlsx("x", ["Amount"], [[huge], [Decimal("0.10")], [None]]))
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<t>99999999999999999.99</t>" in sheet
    assert "<v>0.1</v>" in sheet


def test_a_file_that_breaks_off_says_so() -> None:
    def some_lines() -> Any:
        yield ["one"]
        raise ZeroDivisionError

    said: list[bytes] = []
    with pytest.raises(ZeroDivisionError):
        said.extend(keeping(said, as_csv(["Header"], some_lines())))
    assert b"NOT COMPLETE" in said[-1]


def keeping(said: list[bytes], pieces: Iterable[bytes]) -> list[bytes]:
    """What was sent stays sent, whatever comes after."""
    for piece in pieces:
        said.append(piece)  # noqa: PERF402 - a list built at once would be lost with the failure
    return []


# Who ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_reads_what_it_may_and_only_finance_and_auditors_take_files_out(role: str) -> None:
    client, permissions = signed_in(colleague(role)), ROLES[role]
    sees_wallets, sees_suspense = (
        code in permissions for code in ("wallets.view_wallet", "vouchers.view_suspenseitem")
    )
    for address, allowed in ((HOUSE, sees_wallets), (BALANCE, sees_wallets), (SUSPENSE, sees_suspense)):
        answer = client.get(address)
        assert answer.status_code == (200 if allowed else 403), address
        has_links = re.search(r'id="exports"', answer.content.decode()) is not None
        assert has_links == (role in {"finance", "auditor"})
    for name in books_admin.EXPORTS:
        for extension in ("csv", "xlsx"):
            answer = client.post(export(name, extension, first="2026-03-01", last="2026-03-01"))
            assert answer.status_code == (200 if role in {"finance", "auditor"} else 403)
    taken = AuditEvent.objects.filter(verb="books.exported").count()
    assert taken == (6 if role in {"finance", "auditor"} else 0)


def test_strangers_are_sent_to_the_door_and_the_wrong_method_nowhere(thandi: Person, finance: Client) -> None:
    pages, file = (HOUSE, BALANCE, SUSPENSE), export("house", "csv")
    for client in (Client(), signed_in(thandi.user)):
        for address in (*pages, file):
            assert client.get(address)["Location"].startswith(reverse("admin:login"))
        assert client.post(file)["Location"].startswith(reverse("admin:login"))
    for address in pages:
        assert finance.post(address).status_code == 405
    assert finance.get(file).status_code == 405
    assert finance.post(export("house", "exe")).status_code == 404
    assert finance.post(export("everything", "csv")).status_code == 404
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(User.objects.get(email="finance@example.com"))
    assert careful.post(file).status_code == 403
    assert not AuditEvent.objects.filter(verb="books.exported").exists()


def test_each_page_asks_a_fixed_number_of_questions(thandi: Person, finance: Client) -> None:
    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert finance.get(address).status_code == 200
        return len(queries)

    suspense.unknown("60.00")
    before = {address: cost(address) for address in (HOUSE, BALANCE, SUSPENSE)}
    for number in range(61, 66):
        suspense.unknown(f"{number}.00")
        fund(thandi, "1.00")
    assert {address: cost(address) for address in before} == before
    assert before[SUSPENSE] == before[HOUSE] + 1
    assert max(before.values()) <= 7
    assert SuspenseItem.objects.count() == 6
