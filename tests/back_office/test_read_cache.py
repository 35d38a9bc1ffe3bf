"""The page of the read cache: what the command says, for operators, administrators and auditors."""

from __future__ import annotations

from django.urls import reverse

from tests.back_office.house import Furnished, colleague, signed_in


def test_the_page_says_what_the_command_says_to_whoever_looks_after_the_database(house: Furnished) -> None:
    answer = signed_in(colleague("operator")).get(reverse("read_cache"))
    html = " ".join(answer.content.decode().split())
    assert "switched off" in html
    assert '<th scope="row" data-label="Answers">dashboard (not kept)</th>' in html
    assert html.count("<h1") == 1
    client = signed_in(colleague("support"))
    assert client.get(reverse("read_cache")).status_code == 403
    assert f'href="{reverse("read_cache")}"' not in client.get(reverse("admin:index")).content.decode()
