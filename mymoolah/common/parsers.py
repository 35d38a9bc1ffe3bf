"""The one form a request's body may have: a JSON object in UTF-8 (RFC 8259), as small and plain as the API needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

from mymoolah.common.problems import BODY, invalid

LARGEST_BODY_BYTES = 64 * 1024


class BodyTooLarge(APIException):
    status_code, default_code = 413, "body_too_large"
    default_detail = f"At most {LARGEST_BODY_BYTES // 1024} KiB."


class StrictJSONParser(BaseParser):
    """Reads what has exactly one meaning: no NaN, no key twice, no NUL and no half of a surrogate pair in a text."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        raw = stream.read(LARGEST_BODY_BYTES + 1)
        if len(raw) > LARGEST_BODY_BYTES:
            raise BodyTooLarge
        try:
            body = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            raise _malformed("The body is not UTF-8.") from error
        except RecursionError as error:
            raise _malformed("The body is nested too deeply.") from error
        except ValueError as error:
            raise _malformed(f"The body is not JSON: {error}.") from error
        if not isinstance(body, dict):
            raise _malformed("The body is not a JSON object.")
        _refuse_strange_texts(body)
        return body


def _malformed(detail: str) -> Exception:
    return invalid(BODY, "malformed_json", detail)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a value")


def _refuse_strange_texts(body: dict[str, Any]) -> None:
    waiting: list[Any] = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
            raise _malformed("A text holds NUL or half of a surrogate pair.")
