"""One screen that answers a phone call: what it says, to whom, and what it costs."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from tests.back_office.house import SECRETS, Furnished, colleague, signed_in
from tests.conftest import Person


def page(who: Person, query: str = "") -> str:
    return reverse("customer_page", args=[who.user.public_id]) + query


def read(client: Client, who: Person, query: str = "") -> str:
    answer = client.get(page(who, query))
    assert answer.status_code == 200
    return answer.content.decode()


def test_support_reads_everything_it_may_and_no_secret(house: Furnished, thandi: Person) -> None:
    html = read(signed_in(colleague("support")), thandi)
    assert "thandi@example.com" in html
    assert "+27821110001" in html
    assert "460.00 ZAR" in html
    assert [secret for secret in SECRETS if secret in html] == []
