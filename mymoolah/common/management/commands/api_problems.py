"""`api_problems`: every problem that the customers' API answers, from the code."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from drf_spectacular.generators import SchemaGenerator

from mymoolah.common.problems import CONTENT_TYPE, Problem
from mymoolah.common.refusals import anywhere

PAGE = Path(settings.BASE_DIR) / "docs" / "api.md"
Key = tuple[int, str, str, tuple[str, ...]]
BEGIN, END = "<!-- problems: manage.py api_problems --write -->\n", "<!-- end of problems -->\n"


@dataclass(frozen=True, kw_only=True)
class Row:
    code: str
    status: int
    title: str
    facts: list[str]
    calls: str


class Command(BaseCommand):
    help = "Print the table of problem codes of docs/api.md, as the code has it: no server is asked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
        parser.add_argument("--write", action="store_true", help="put the table into docs/api.md")

    def handle(self, **options: Any) -> None:
        if options["write"]:
            PAGE.write_text(with_table(PAGE.read_text()))
        else:
            self.stdout.write(json.dumps([asdict(row) for row in rows()], indent=2) if options["json"] else table())


def with_table(page: str) -> str:
    """`page` with the table of now between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def table() -> str:
    lines = ["| code | status | title | facts | calls |", "|---|---|---|---|---|"]
    for row in rows():
        facts = ", ".join(f"`{name}`" for name in row.facts)
        lines.append(f"| `{row.code}` | {row.status} | {row.title} | {facts} | {row.calls} |")
    return "\n".join(lines) + "\n"


def rows() -> list[Row]:
    """A row for each code and wording, by status and code."""
    schema: Any = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    described: dict[Key, set[str]] = defaultdict(set)
    for operation in operations:
        for problem in _problems(operation, schema["components"]["examples"]):
            key = (problem["status"], problem["code"], problem["title"], tuple(problem.get("facts", {})))
            described[key].add(operation["operationId"])
    every = {one["operationId"] for one in operations}
    signed_in = {one["operationId"] for one in operations if {"bearer": []} in one.get("security", [])}
    told = {key: _told(calls, every, signed_in) for key, calls in described.items()}
    told |= {_key(problem): "any address" for problem in anywhere()}
    found = [
        Row(status=status, code=code, title=title, facts=sorted(facts), calls=calls)
        for (status, code, title, facts), calls in told.items()
    ]
    return sorted(found, key=lambda row: (row.status, row.code, row.title))


def _problems(operation: dict[str, Any], shared: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        (shared[example["$ref"].rpartition("/")[2]] if "$ref" in example else example)["value"]
        for answer in operation["responses"].values()
        for example in answer.get("content", {}).get(CONTENT_TYPE, {}).get("examples", {}).values()
    ]


def _key(problem: Problem) -> Key:
    body = problem.body(request_id="")
    return body["status"], body["code"], body["title"], tuple(problem.facts)


def _told(calls: set[str], every: set[str], signed_in: set[str]) -> str:
    for all_of_them, name in ((every, "every call"), (signed_in, "every call with a token")):
        missing = all_of_them - calls
        if calls <= all_of_them and len(missing) <= 1:
            return name + "".join(f" but `{one}`" for one in missing)
    return ", ".join(f"`{one}`" for one in sorted(calls))
