"""Cursors: pages that neither skip nor repeat, and cursors that nobody gave."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import signing
from django.test import RequestFactory
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from mymoolah.common.pagination import Page, answer, cut, page_request

NUMBERS = list(range(20, 0, -1))


def asked(address: str) -> Request:
    return Request(RequestFactory().get(address))


def page_of(request: Request) -> Page[dict[str, Any]]:
    """Numbers from 20 to 1, newest (largest) first, read as a list would be from an index."""
    wanted = page_request(request, salt="numbers")
    found = NUMBERS[::-1] if wanted.backwards else NUMBERS
    if wanted.cursor is not None:
        (edge,) = wanted.cursor.position
        found = [n for n in found if (n > edge if wanted.backwards else n < edge)]
    return cut(wanted, [{"n": n} for n in found[: wanted.limit + 1]], lambda row: [row["n"]])


def read(address: str) -> tuple[list[int], str | None, str | None]:
    request = asked(address)
    body = answer(request, page_of(request), salt="numbers")
    return [row["n"] for row in body["results"]], body["next"], body["previous"]


@pytest.mark.parametrize("limit", [1, 3, 7, 19, 20, 100])
def test_pages_forth_and_back_hold_each_row_once(limit: int) -> None:
    address: str | None = f"/?limit={limit}&other=kept"
    pages, previous = [], None
    while address:
        assert "other=kept" in address
        rows, address, previous = read(address)
        pages.append(rows)
    assert [number for rows in pages for number in rows] == NUMBERS
    back = []
    while previous:
        rows, _, previous = read(previous)
        back.append(rows)
    assert back[::-1] == pages[:-1]


def test_the_first_page_has_nothing_newer_and_the_last_nothing_older() -> None:
    assert read("/")[1:] == (None, None)
    assert read("/?limit=5")[2] is None


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "x", "", "\uff11", "1e1", "9" * 40, " 5"])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    with pytest.raises(ValidationError, match="whole number"):
        page_of(asked(f"/?limit={limit}"))


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "a:b:c",
        "é",
        "x" * 600,
        "WzEsMl0",
    ],
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    refused(cursor)


def test_a_cursor_that_this_list_did_not_give_is_refused() -> None:
    refused(signing.dumps([False, 5], salt="cursor:letters"))
    refused(signing.dumps([False, 5], salt="cursor:numbers")[:-1] + "!")


def refused(cursor: str) -> None:
    request = Request(RequestFactory().get("/", {"cursor": cursor}))
    with pytest.raises(ValidationError) as caught:
        page_of(request)
    assert caught.value.get_codes() == {"cursor": ["invalid_cursor"]}
