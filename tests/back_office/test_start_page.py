"""The first page: each card is one query, and only what this role may see."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from reporting.admin import in_words
from reporting.start_page import CARDS, NAVIGATION
from tests.back_office.house import REGISTERED, Furnished, colleague, label, signed_in
from tests.conftest import Ledger


def cards(role: str) -> dict[str, str]:
    answer = signed_in(colleague(role)).get(reverse("admin:index"))
    return {card["title"]: card["figure"] for card in answer.context["cards"]}


def test_the_auditor_sees_every_card(house: Furnished) -> None:
    assert cards("auditor") == {
        "People": "3",
        "Customer overview": "3 minutes old",
        "Customers' money": "500.00 ZAR",
        "KYC waiting": "1",
        "Proposals": "1",
        "Open suspense": "1",
    }


def test_the_operator_sees_no_customers_money(house: Furnished) -> None:
    assert cards("operator") == {}


def test_an_empty_bank_has_a_first_page_too(ledger: Ledger) -> None:
    assert cards("auditor") == {
        "People": "1",
        "Customer overview": "never refreshed",
        "Customers' money": "0.00 ZAR",
        "KYC waiting": "0",
        "Proposals": "0",
        "Open suspense": "0",
    }


def test_the_sidebar_leads_to_every_page_that_is_registered() -> None:
    listed = {entry[2].replace(".", "_") for entries in NAVIGATION.values() for entry in entries}
    assert listed == {label(model) for model in REGISTERED}
    assert len({card.title for card in CARDS}) == len(CARDS)


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
