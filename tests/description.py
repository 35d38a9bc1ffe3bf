"""The API's own description, and whether an answer is as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
from django.http import HttpResponse
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from mymoolah.common.refusals import anywhere

PROBLEM = "application/problem+json"
TOLD_HEADERS = {"ETag", "Idempotency-Replayed", "RateLimit-Limit", "Retry-After", "WWW-Authenticate"}
# What any address may answer, whatever is asked: a strange host name, chunks, what nobody foresaw.
ANYWHERE = {(one.status, one.code) for one in anywhere()} - {(404, "not_found"), (405, "method_not_allowed")}
WHERE_THERE_IS_NOTHING = {401, 403, 404, 405, 406, 429}


@cache
def description() -> Any:
    """The schema as it is served, read once by each process."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    schema = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
    return json.loads(OpenApiJsonRenderer().render(schema))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every call."""
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolved(what: dict[str, Any]) -> dict[str, Any]:
    """`what`, or the component that it refers to."""
    if "$ref" not in what:
        return what
    kind, name = what["$ref"].split("/")[-2:]
    found: dict[str, Any] = description()["components"][kind][name]
    return found


@cache
def validator(path: str, method: str, status: str, media_type: str) -> Any:
    """What a body of this answer must be like."""
    return validator_of(description()["paths"][path][method]["responses"][status]["content"][media_type]["schema"])


def validator_of(schema: dict[str, Any]) -> Any:
    whole = {**with_null(schema), "components": components_with_null()}
    return jsonschema.Draft202012Validator(whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


@cache
def components_with_null() -> Any:
    return with_null(description()["components"])


def with_null(node: Any) -> Any:
    """OpenAPI 3.0 writes "or null" in its own way; JSON Schema has another."""
    if isinstance(node, list):
        return [with_null(one) for one in node]
    if not isinstance(node, dict):
        return node
    inner = {name: with_null(value) for name, value in node.items() if name != "nullable"}
    return {"anyOf": [inner, {"type": "null"}]} if node.get("nullable") is True else inner


def as_described(answer: Any) -> HttpResponse:
    """Assert that the schema describes this answer: status, media type, headers and body; of a problem its code too."""
    found: HttpResponse = answer
    path, status = described_path(answer.wsgi_request.path_info), str(found.status_code)
    method = answer.wsgi_request.method.lower().replace("head", "get")
    media_type = found.headers.get("Content-Type", "").partition(";")[0]
    is_json = (
        media_type in {PROBLEM, "application/json"} and not found.streaming and answer.wsgi_request.method != "HEAD"
    )
    body: Any = json.loads(found.content) if is_json else None
    told = f"{method} {path} answered {status} {media_type} {body}"
    if media_type == PROBLEM and body and (found.status_code, body["code"]) in ANYWHERE:
        return found
    operation = description()["paths"].get(path, {}).get(method)
    if operation is None:
        assert found.status_code in WHERE_THERE_IS_NOTHING, told
        return found
    assert status in operation["responses"], told
    described = operation["responses"][status]
    assert media_type in described.get("content", {"": None}), told
    assert TOLD_HEADERS & found.headers.keys() <= described["headers"].keys(), told
    if body is not None:
        validator(path, method, status, media_type).validate(body)
    if media_type == PROBLEM and body:
        examples = described["content"][media_type]["examples"]
        assert body["code"] in examples, told
        example = resolved(examples[body["code"]])["value"]
        assert body["title"] == example["title"], told
        assert body.get("facts", {}).keys() == example.get("facts", {}).keys(), told
    return found


def described_path(path: str) -> str:
    """The path of the schema that an address belongs to; the address itself where none does."""
    try:
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", resolve(path).route)
    except Resolver404:
        return path
