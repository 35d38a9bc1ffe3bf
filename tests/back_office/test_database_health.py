"""The page of the database's health: what the command says, for operators, administrators and auditors."""

from __future__ import annotations

from django.urls import reverse

from reporting.database_health import CHECKS
from tests.back_office.house import Furnished, colleague, signed_in
from tests.conftest import Sql


def page(role: str) -> str:
    answer = signed_in(colleague(role)).get(reverse("database_health"))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_every_check_stands_on_the_page_and_what_is_wrong_comes_first(house: Furnished, owner_sql: Sql) -> None:
    owner_sql("CREATE SEQUENCE nearly_over MAXVALUE 10 START 10")
    owner_sql("GRANT USAGE ON nearly_over TO mymoolah_app")
    owner_sql("SELECT nextval('nearly_over')")
    html = page("operator")
    assert [check.title for check in CHECKS if check.title not in html] == []
    assert "1 critical" in html
    assert "<strong>Critical:</strong> 10 of 10 are given out (100.0%)" in html
    assert "Plan a wider range now" in html
    assert html.index("nearly_over") < html.index("The server")
    assert html.count("<h1") == 1


def test_a_look_at_it_is_no_event_and_the_sidebar_leads_there_for_whoever_may(house: Furnished) -> None:
    link = f'href="{reverse("database_health")}"'
    assert link in page("auditor")
    client = signed_in(colleague("support"))
    assert link not in client.get(reverse("admin:index")).content.decode()
    assert client.get(reverse("database_health")).status_code == 403
