"""Keyset paging, newest first: page 10,000 costs what page 1 costs.

A cursor names the row a page starts beyond, and in which direction. It is signed: what comes back is what was given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core import signing
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param

from mymoolah.common.problems import invalid

DEFAULT_LIMIT, LARGEST_LIMIT = 25, 100
LONGEST_CURSOR = 500
# What every list may be asked for, as its documentation says it.
PARAMETERS = (
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
        description="How many rows a page has",
    ),
    OpenApiParameter(
        "cursor",
        {"type": "string", "pattern": f"^[A-Za-z0-9_:-]{{1,{LONGEST_CURSOR}}}$"},
        description="Taken from `next` or `previous`",
    ),
)
Row = TypeVar("Row")
Position = list[Any]


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """Go on beyond the row at `position`: to older rows, or `backwards` to newer ones."""

    position: Position
    backwards: bool


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    limit: int
    cursor: Cursor | None

    @property
    def backwards(self) -> bool:
        return self.cursor is not None and self.cursor.backwards


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Row]):
    """Rows, newest first, and the positions beyond which there may be more."""

    rows: Sequence[Row]
    older: Position | None
    newer: Position | None


def page_request(request: Request, *, salt: str) -> PageRequest:
    """What `?cursor` and `?limit` ask for. `salt` names the list: a cursor of another one is refused.

    :raises ValidationError: either is not one
    """
    return PageRequest(limit=_limit(request.query_params.get("limit")), cursor=_cursor(request, salt))


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= LARGEST_LIMIT):
        raise invalid("limit", "invalid_limit", f"A whole number from 1 to {LARGEST_LIMIT}.")
    return int(text)


def _cursor(request: Request, salt: str) -> Cursor | None:
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        if len(text) > LONGEST_CURSOR:
            raise signing.BadSignature
        backwards, *position = signing.loads(text, salt=f"cursor:{salt}")
    except (ValueError, TypeError, signing.BadSignature) as error:
        raise invalid("cursor", "invalid_cursor", "This is not a cursor that this list gave.") from error
    return Cursor(position=position, backwards=backwards)


def cut(
    asked: PageRequest, found: Sequence[Row], position_of: Callable[[Row], Position], *, beyond: Position | None = None
) -> Page[Row]:
    """Make a page of up to `limit + 1` rows, found in the direction asked for; the one too many tells that more follow.

    `beyond`: where the search stopped before it had found enough.
    """
    rows = list(found[: asked.limit])
    more = position_of(rows[-1]) if len(found) > asked.limit else beyond
    if not asked.backwards:
        back = (position_of(rows[0]) if rows else asked.cursor.position) if asked.cursor else None
        return Page(rows=rows, older=more, newer=back)
    forth = position_of(rows[0]) if rows else asked.cursor.position if asked.cursor else None
    return Page(rows=rows[::-1], older=forth, newer=more)


def answer(request: Request, page: Page[dict[str, Any]], *, salt: str) -> dict[str, Any]:
    """The body of a list: its rows, and the addresses of the next (older) and previous (newer) page."""
    return {
        "results": page.rows,
        "next": _link(request, page.older, salt, backwards=False),
        "previous": _link(request, page.newer, salt, backwards=True),
    }


def whole(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The body of a list that is never longer than a page."""
    return {"results": rows, "next": None, "previous": None}


def _link(request: Request, position: Position | None, salt: str, *, backwards: bool) -> str | None:
    if position is None:
        return None
    address = remove_query_param(request.build_absolute_uri(), "cursor")
    return replace_query_param(address, "cursor", signing.dumps([backwards, *position], salt=f"cursor:{salt}"))
