"""The reports of maintenance: who reads them, and that what asks for something comes first."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from reporting.maintenance.reports import Kind, run
from reporting.models import MaintenanceReport
from reporting.roles import ROLES
from tests.back_office.house import Furnished, colleague, list_page, page_of, signed_in
from tests.reporting.test_maintenance import CALM, NOON, STORM


def text_of(role: str, address: str) -> str:
    answer = signed_in(colleague(role)).get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_page_of_a_report_shows_each_section_and_in_it_what_is_wrong_first(house: Furnished) -> None:
    report = run(Kind.WEEKLY, now=NOON, sections=[CALM, STORM]).report
    html = text_of("operator", page_of(report))
    assert html.index(">Calm</h2>") < html.index("is calm") < html.index(">Storm</h2>")
    assert html.index("<strong>Warning:</strong> is broken") < html.index("<strong>To look at:</strong> blows")
    assert "Row." in html
    assert "section_title" not in html, "nobody reads JSON"
    assert html.count("<h1") == 1


def test_the_list_tells_the_verdict_of_each_without_reading_what_was_found(
    house: Furnished,
) -> None:
    for days, sections in enumerate(([CALM], [STORM], [CALM, STORM])):
        run(Kind.MONTHLY, now=NOON.replace(month=6 + days), sections=sections)
    client = signed_in(colleague("auditor"))
    answer = client.get(list_page(MaintenanceReport))
    rows = answer.context["cl"].result_list
    assert [str(row) for row in rows][:3] == [f"monthly maintenance of 2031-0{month}-01" for month in (8, 7, 6)]
    assert all("findings" in row.get_deferred_fields() for row in rows)
    cells = re.findall(r"field-verdict.*?</td>", answer.content.decode(), re.DOTALL)
    assert [re.sub(r"<.*?>", "", cell).split()[-1] for cell in cells[:3]] == ["act", "act", "well"]


@pytest.mark.parametrize("role", sorted(ROLES))
def test_operators_auditors_and_administrators_read_reports_and_nobody_else(house: Furnished, role: str) -> None:
    client = signed_in(colleague(role))
    address = page_of(house.rows[MaintenanceReport])
    may = role in {"operator", "auditor", "administrator"}
    assert (
        client.get(address).status_code == client.get(list_page(MaintenanceReport)).status_code == (200 if may else 403)
    )
    link = f'href="{list_page(MaintenanceReport)}"'
    assert (link in client.get(reverse("admin:index")).content.decode()) is may
