"""The first page: each card and chart is one query, and only what this role may see, what his work is about first."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import KycSubmission
from mymoolah.common import refused_payments
from mymoolah.common.clock import business_day, now
from reporting.admin import in_words
from reporting.days import take_days
from reporting.health_lights import lights
from reporting.models import DashboardRefresh, LedgerVerification
from reporting.start_page import CARDS, FINANCE, HELPER, NAVIGATION, OFFICER, seen_by, since
from reporting.support.models import SupportTicket
from reporting.verification import checks
from tests.back_office.house import REGISTERED, Furnished, colleague, emergency, furnish, label, signed_in
from tests.conftest import Ledger, Person, Sql, fund, send
from transactions.models import Proposal
from vouchers.models import SuspenseItem
from wallets.services import open_house_wallets, open_wallet


def page(role: str) -> Any:
    answer = signed_in(colleague(role)).get(reverse("admin:index"))
    assert answer.status_code == 200
    return answer.context


def cards(role: str) -> dict[str, str]:
    return {card["title"]: card["figure"] for card in page(role)["cards"]}


def states() -> dict[str, tuple[str, str]]:
    return {light.title: (light.state, light.says) for light in lights(at=now())}


def test_the_auditor_sees_every_card(house: Furnished) -> None:
    assert cards("auditor") == {
        "People": "3",
        "Customer overview": "3 minutes old",
        "Customers' money": "500.00 ZAR",
        "KYC waiting": "1",
        "Proposals": "1",
        "Support tickets": "1",
        "Open suspense": "1",
    }


def test_what_waits_says_since_which_day_of_johannesburg(house: Furnished) -> None:
    assert since(dt.datetime(2026, 3, 31, 22, 0, tzinfo=dt.UTC)) == "oldest since 1 Apr 2026"
    notes = {card["title"]: card["note"] for card in page("auditor")["cards"]}
    for title, row, moment in (
        ("KYC waiting", KycSubmission, "created_at"),
        ("Proposals", Proposal, "proposed_at"),
        ("Support tickets", SupportTicket, "waits_since"),
        ("Open suspense", SuspenseItem, "created_at"),
    ):
        assert notes[title] == since(getattr(house.rows[row], moment)), title


def test_the_operator_sees_no_customers_money(house: Furnished) -> None:
    assert cards("operator") == {}


def test_an_empty_bank_has_a_first_page_too(ledger: Ledger) -> None:
    assert cards("auditor") == {
        "People": "1",
        "Customer overview": "never refreshed",
        "Customers' money": "0.00 ZAR",
        "KYC waiting": "0",
        "Proposals": "0",
        "Support tickets": "0",
        "Open suspense": "0",
    }


MONEY, FLOAT, CUSTOMERS = "Into and out of customers' wallets, ZAR", "Voucher float, ZAR", "Active customers"
CHECKS, FAILED = "Identity checks", "Payments that failed"


@pytest.mark.parametrize(
    ("role", "titles", "has_lights"),
    [
        ("administrator", [MONEY, FLOAT, CUSTOMERS, CHECKS, FAILED], True),
        ("kyc", [CHECKS, CUSTOMERS], False),
        ("finance", [MONEY, FLOAT, CUSTOMERS, FAILED], True),
        ("auditor", [MONEY, FLOAT, CUSTOMERS, CHECKS, FAILED], True),
        ("support", [CUSTOMERS, FAILED], False),
        ("operator", [CUSTOMERS, FAILED], True),
    ],
)
def test_each_role_sees_its_charts_what_its_work_is_about_first(
    house: Furnished, role: str, titles: list[str], has_lights: bool
) -> None:
    take_days(now=now())
    seen = page(role)
    assert [chart.title for chart in seen["charts"]] == titles
    assert bool(seen["lights"]) == has_lights


def test_finance_sees_money_first_and_officers_see_their_queue() -> None:
    for decides, first in ((FINANCE, "Customers' money"), (OFFICER, "KYC waiting"), (HELPER, "Support tickets")):
        has = {card.permission for card in CARDS} | {decides}
        assert seen_by(has.__contains__, CARDS)[0].title == first


def test_a_chart_draws_what_the_days_hold_and_says_it_in_words(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    fund(thandi, "1500.00")
    send(thandi, sipho, "12.50")
    for _ in range(2):
        refused_payments.count("insufficient_funds", at=now())
    take_days(now=now(), again_from=business_day(now()) - dt.timedelta(days=1))
    money, owed, customers, checks, failed = page("auditor")["charts"]

    drawn = json.loads(money.data)["datasets"]
    assert [line["data"] for line in drawn] == [["0.00", "1500.00"], ["0.00", "0.00"]]
    assert drawn[1]["borderDash"]
    assert money.figures[0][1:] == ["1,500.00 ZAR", "0.00 ZAR"]
    assert " so far: 1,500.00 ZAR came in and 0.00 ZAR went out. " in money.caption
    assert json.loads(customers.data)["datasets"][0]["data"] == [0, 2]
    assert "2 orders refused, mostly insufficient funds; 0 till payments set aside." in failed.caption
    assert (owed.is_empty, owed.caption) == (True, "There are no live vouchers.")
    assert checks.is_empty
    assert "seconds" in money.age or "second" in money.age


def test_each_currency_has_a_chart_of_its_own(thandi: Person, ledger: Ledger) -> None:
    open_house_wallets(currency="USD")
    fund(Person(thandi.user, open_wallet(user=thandi.user, currency="USD")), "70.00")
    take_days(now=now())
    titles = [chart.title for chart in page("finance")["charts"]]
    assert titles[:2] == ["Into and out of customers' wallets, USD", MONEY]


def test_a_chart_holds_thirty_days(ledger: Ledger) -> None:
    take_days(now=now(), again_from=business_day(now()) - dt.timedelta(days=40))
    [first, *_] = page("finance")["charts"]
    assert len(first.figures) == 30


def test_a_bank_that_counted_no_day_yet_says_how(ledger: Ledger) -> None:
    answer = signed_in(colleague("auditor")).get(reverse("admin:index"))
    assert b"Not counted yet: manage.py take_days" in answer.content


def test_the_page_costs_the_same_however_much_has_happened(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    client = signed_in(colleague("auditor"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            client.get(reverse("admin:index"))
        return len(found)

    before = queries()
    furnish(thandi, sipho)
    take_days(now=now(), again_from=business_day(now()) - dt.timedelta(days=60))
    assert queries() == before == 19


def test_the_lights_of_a_new_bank_say_what_was_never_done(ledger: Ledger) -> None:
    found = states()
    assert found["Database"][0] == found["Cache"][0] == found["Task queue"][0] == "well"
    assert found["Background work"] == ("wrong", "has not been seen since yesterday")
    assert found["Ledger"] == ("look", "has never been verified")
    assert found["Customer overview"] == ("look", "was never refreshed")
    assert found["Suspense over a day"] == found["Identity checks over a day"] == ("well", "none")


def test_a_light_goes_out_when_nobody_keeps_things_going(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = now() - dt.timedelta(days=2)
    take_days(now=now() - dt.timedelta(minutes=16))
    DashboardRefresh.objects.create(started_at=long_ago, duration_ms=1, rows_count=0, changes_seen=-1)
    LedgerVerification.objects.create(finished_at=long_ago, duration_ms=1, checks_count=27, broken=[])
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    found = states()
    assert found["Background work"] == ("wrong", "seen 16 minutes ago")
    assert found["Customer overview"] == ("wrong", "2 days old")
    assert found["Ledger"] == ("look", "holds, verified 2 days ago")
    assert found["Task queue"][0] == "wrong"


def test_a_verification_lights_the_ledger_and_a_broken_one_says_so(ledger: Ledger) -> None:
    call_command("verify_ledger", verbosity=0)
    assert states()["Ledger"][0] == "well"
    assert LedgerVerification.objects.get().checks_count == len(checks())
    LedgerVerification.objects.create(finished_at=now(), duration_ms=1, checks_count=27, broken=["08_currencies"])
    assert states()["Ledger"][0] == "wrong"


def test_what_waits_for_more_than_a_day_is_counted(house: Furnished, owner_sql: Sql) -> None:
    assert states()["Identity checks over a day"] == ("well", "none")
    owner_sql("UPDATE kyc_submissions SET version = version + 1, created_at = created_at - interval '25 hours'")
    assert states()["Identity checks over a day"] == ("look", "1")


def test_the_sidebar_leads_to_every_page_that_is_registered() -> None:
    listed = {entry[2].replace(".", "_") for entries in NAVIGATION.values() for entry in entries}
    assert listed == {label(model) for model in REGISTERED}
    assert len({card.title for card in CARDS}) == len(CARDS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("support/", "Support desk"),
        ("support/articles/write", "Support articles"),
        ("reporting/supportticket/", "Support tickets"),
        ("", None),
    ],
)
def test_the_sidebar_marks_where_one_is_and_nothing_else(page: str, title: str | None) -> None:
    answer = signed_in(emergency()).get(reverse("admin:index") + page)
    marked = [
        item["title"] for group in answer.context["sidebar_navigation"] for item in group["items"] if item["active"]
    ]
    assert marked == ([title] if title else [])


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (dt.timedelta(seconds=-1), "0 seconds"),
        (dt.timedelta(seconds=1), "1 second"),
        (dt.timedelta(seconds=61), "1 minute"),
        (dt.timedelta(hours=25), "1 day"),
        (dt.timedelta(hours=5), "5 hours"),
    ],
)
def test_an_age_is_told_in_one_unit(age: dt.timedelta, words: str) -> None:
    assert in_words(age) == words
