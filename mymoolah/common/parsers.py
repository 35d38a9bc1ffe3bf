"""The forms a request's body may have, each as small and plain as the API needs.

A JSON object in UTF-8 (RFC 8259) everywhere; multipart (RFC 7578) where a view that takes files says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any, ClassVar, NoReturn

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser as Reader
from django.http.multipartparser import MultiPartParserError
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from mymoolah.common.problems import BODY, invalid

LARGEST_BODY_BYTES = 64 * 1024
LARGEST_FILE_BYTES = 5 * 1024 * 1024
FULL_FILES_MAX = 3
LARGEST_UPLOAD_BYTES = FULL_FILES_MAX * LARGEST_FILE_BYTES + LARGEST_BODY_BYTES


class BodyTooLarge(APIException):
    status_code, default_code = 413, "body_too_large"
    default_detail = f"At most {LARGEST_BODY_BYTES // 1024} KiB."


class StrictJSONParser(BaseParser):
    """Reads what has exactly one meaning: no NaN, no key twice, no NUL and no half of a surrogate pair in a text."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        _, parameters = parse_header_parameters(media_type or self.media_type)
        if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType(str(media_type), "JSON is read in UTF-8 only.")
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


class MultipartParser(BaseParser):
    """Reads texts and files into one plain object, as JSON would give it; a text left blank is absent.

    Only the names in `lists` may stand more than once, also with the `[]` that some clients add. Files stay in memory,
    as far as they are let in (by the middleware BodyLimits): what customers send here is not for a disk to keep in the clear. How a file is named
    and what it claims to be is forgotten.
    """

    media_type = "multipart/form-data"
    lists: ClassVar[frozenset[str]] = frozenset()

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        assert parser_context is not None
        meta = {**parser_context["request"].META, "CONTENT_TYPE": media_type}
        try:
            texts, files = Reader(meta, stream, [InMemory()], "utf-8").parse()
        except RequestDataTooBig as error:
            raise BodyTooLarge("The texts are too long.") from error
        except (MultiPartParserError, SuspiciousOperation, LookupError, ValueError) as error:
            raise invalid(
                BODY, "malformed_multipart", "The body is not multipart/form-data, or has far too many parts."
            ) from error
        return self._plain([*texts.lists(), *files.lists()])

    def _plain(self, parts: list[tuple[str, list[Any]]]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for given, values in parts:
            name = given.removesuffix("[]")
            present = [value for value in values if value != ""]
            if name in self.lists:
                body[name] = [*body.get(name, []), *present]
            elif name in body or len(values) > 1:
                raise invalid(BODY, "malformed_multipart", "A field stands there twice.")
            elif present:
                body[name] = present[0]
        return {name: value for name, value in body.items() if value != []}


class InMemory(FileUploadHandler):
    """Keeps a file in memory, as long as it is not too large."""

    def new_file(self, *args: Any, **named: Any) -> None:
        super().new_file(*args, **named)
        self.file = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > LARGEST_FILE_BYTES:
            raise BodyTooLarge(f"At most {LARGEST_FILE_BYTES // 1024**2} MiB a file.")
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self.file.seek(0)
        return InMemoryUploadedFile(self.file, None, "file", None, file_size, None)


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
