"""Schemathesis throws at the API whatever its own description allows and forbids, call by call and in chains of calls.

CI throws the same each time. `MYMOOLAH_TEST_FUZZ=200` throws that many cases at each operation, others each time;
`MYMOOLAH_TEST_FUZZ_SEED=7` throws the same of them again; `--log-cli-level=INFO` tells how many.
"""

from __future__ import annotations

import functools
import itertools
import logging
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from drf_spectacular.generators import SchemaGenerator
from schemathesis import AuthContext, Case, CheckContext, HookContext, Response
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import Status, events, from_schema
from schemathesis.openapi.checks import RejectedPositiveData

from mymoolah.common.openapi_links import LINKS
from tests.conftest import Sql, serving
from tests.fuzzing import SIGNED_ON_THE_WAY, Backstage, Road

logger = logging.getLogger(__name__)
pytestmark = pytest.mark.slow

FUZZ, SEED = "MYMOOLAH_TEST_FUZZ", "MYMOOLAH_TEST_FUZZ_SEED"
CASES = 15
PHASES = ("examples", "coverage", "fuzzing", "stateful")
TILL = "report_easypay_payment"
# In chains of calls only these are helped: what follows takes what they gave.
BEGINNINGS = {"issue_voucher", "preview_transfer", "register", "send_money", "sign_in"}
# What a schema cannot say, by the code that a request is refused with: all of them are right to be 400.
BEYOND_SCHEMA = {
    "amount_out_of_range": "depends on the type of voucher",
    "amount_too_small": "less than R1.00 is not sent",
    "birth_date_in_future": "depends on today",
    "blank": "of white space only",
    "current_password_required": "where a contact is another than the present one",
    "empty": "of a file",
    "in_the_future": "a till's moment, by our clock",
    "invalid": "an e-mail address, as Django knows them: RFC 5321 allows stranger ones",
    "invalid_birth_date": "a date in six of thirteen digits",
    "invalid_check_digit": "a sum of the others",
    "invalid_citizenship": "one of thirteen digits",
    "invalid_cursor": "signed: only what a list gave is one",
    "invalid_date": "a period that ends before it begins, years beyond 1900 to 2999",
    "invalid_id_number": "depends on the type of identity",
    "invalid_moment": "RFC 3339 allows leap seconds and small letters",
    "invalid_passport_number": "depends on the type of identity",
    "invalid_phone": "by the numbering plans of the world",
    "invalid_recipient": "a number, a phone or an e-mail address",
    "malformed_json": "a NUL in a text, wherever it stands",
    "not_a_name": "what is a letter, and can be seen, Unicode says",
    "not_a_passport": "only passports expire",
    "not_one_each": "as many kinds as documents",
    "not_printable": "which letters are printable Unicode says",
    "password_too_common": "a list of twenty thousand",
    "passport_expired": "depends on today",
    "password_entirely_numeric": "digits of other scripts, too",
    "password_too_similar": "to one's own name",
    "required": "of a passport, until when it is valid",
    "reserved": "the bank's own name, in whatever letters",
    "sent_twice": "of two files that are the same",
    "too_much": "for a till",
    "unknown_format": "of a file",
    "unreadable": "of a file",
}
# What no call of a customer's leads to, and why.
ASKED_BEFORE = "something has to be asked of the support assistant first, whose random id nobody guesses"
UNREACHED = {
    "send_kyc_document_again": "an officer has to ask for the document first",
    "get_support_ticket": ASKED_BEFORE,
    "reply_to_support_ticket": ASKED_BEFORE,
    "erase_support_conversation": ASKED_BEFORE,
}

SOMETIMES = {"rate_support_message"}
EVERYBODYS = {"get_support_article"}

AnyCase = Case[Any]


@dataclass
class Run:
    """What came of it: answers by operation, and what is wrong with some."""

    answers: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    checks: Counter[str] = field(default_factory=Counter)
    phases: dict[str, Status] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        by_status = sum(self.answers.values(), Counter())
        return f"{by_status.total()} calls: {dict(sorted(by_status.items()))}"

    def told(self) -> str:
        return "\n\n".join(f"{what}\n{why}" for what, why in sorted(self.failures.items()))

    def note(self, event: events.EngineEvent) -> None:
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.NonFatalError):
            self.failures.setdefault(f"{event.label}: {event.info.title}", event.info.message)
        if isinstance(event, events.PhaseFinished):
            self.phases[event.phase.name.value] = event.status
        if isinstance(event, events.ScenarioFinished):
            self._note_scenario(event)

    def _note_scenario(self, event: events.ScenarioFinished) -> None:
        for case_id, exchange in event.recorder.interactions.items():
            case = event.recorder.cases[case_id].value
            if exchange.response is not None and case.method == case.operation.method.upper():
                self.answers[operation_id(case)][exchange.response.status_code] += 1
        for case_id, checks in event.recorder.checks.items():
            for check in checks:
                self.checks[check.name] += 1
                if check.failure_info is not None:
                    answer = event.recorder.interactions[case_id].response
                    failure = check.failure_info.failure
                    key = f"{failure.operation}: {check.name}: {failure.title}"
                    told = answer.text[:800] if answer is not None else "no answer"
                    self.failures.setdefault(key, f"{failure.message}\n{check.failure_info.code_sample}\n{told}")


def operation_id(case: AnyCase) -> str:
    found: str = case.operation.definition.raw["operationId"]
    return found


def refusals(response: Response) -> set[str]:
    """The codes of what is wrong with a request, by field or as a whole."""
    problem = response.json()
    errors = [error["code"] for found in problem.get("errors", {}).values() for error in found]
    return set(errors or [problem["code"]])


@pytest.fixture
def cast(ledger: None, owner_sql: Sql, worker_at_hand: None, settings: Any, tmp_path: Path) -> Iterator[Backstage]:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    settings.RATELIMIT_ENABLE = False
    settings.DOCUMENTS_DIR = tmp_path
    settings.SMS_BACKEND = "mymoolah.common.messages.MemorySms"
    # So that a long run does not end in nothing but `limit_exceeded`.
    owner_sql(
        "UPDATE tier_limits SET per_day_amount = 1e9, per_month_amount = 1e9, highest_balance = 1e9 WHERE tier = 2"
    )
    backstage = Backstage()
    yield backstage
    backstage.close()


def function(method: Callable[..., Any]) -> Callable[..., Any]:
    """Schemathesis writes on its hooks, which methods do not allow."""

    @functools.wraps(method)
    def call(*given: Any) -> Any:
        return method(*given)

    return call


class Fuzzer:
    """Schemathesis with our people behind it: what it makes up as valid becomes real, mostly."""

    def __init__(self, cast: Backstage) -> None:
        self.cast = cast
        self.keys = itertools.count()

    def run(self, url: str, **config: Any) -> Run:
        shared = {
            "cache": {"enabled": False},
            "continue-on-failure": True,
            "output": {"sanitization": {"enabled": False}},
        }
        given = SchemathesisConfig.from_dict({**shared, **config})
        schema = schemathesis.openapi.from_url(f"{url}/api/schema", config=given)
        cast = self.cast

        @schema.auth(refresh_interval=None)
        class ByOperation:
            def get(self, case: AnyCase, context: AuthContext) -> str:
                return operation_id(case)

            def set(self, case: AnyCase, operation: str, context: AuthContext) -> None:
                if operation == TILL:
                    case.headers["X-Signature"] = SIGNED_ON_THE_WAY
                else:
                    case.headers["Authorization"] = f"Bearer {cast.token(operation)}"

        for hook in (self.after_call, self.filter_failure, self.map_body):
            schema.hook(function(hook))
        found = Run()
        for event in from_schema(schema).execute():
            found.note(event)
        return found

    def before_call(self, context: HookContext, case: AnyCase, kwargs: dict[str, Any]) -> None:
        """Name an id that exists, send a key that is new."""
        operation = operation_id(case)
        if case.meta is None or not case.meta.generation.mode.is_positive:
            return
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"{next(self.keys)} {case.headers['Idempotency-Key']}"[:255]
        if case.meta.phase.name == "stateful" and operation not in BEGINNINGS:
            return
        for where, values in self.cast.real(operation).items():
            made_up = getattr(case, where)
            if isinstance(made_up, dict):
                setattr(case, where, {**made_up, **values})

    def map_body(self, context: HookContext, body: Any) -> Any:
        operation = context.operation
        is_kyc = operation is not None and operation.path.endswith("/kyc/submissions")
        return self.cast.papers(body) if is_kyc else body

    def after_call(self, context: HookContext, case: AnyCase, response: Response) -> None:
        if response.status_code < 300 or response.status_code == 429:
            self.cast.is_done(operation_id(case))

    def filter_failure(self, context: HookContext, failure: Failure, case: AnyCase, response: Response) -> bool:
        rejected = isinstance(failure, RejectedPositiveData) and response.status_code == 400
        return not (rejected and refusals(response) <= BEYOND_SCHEMA.keys())

    def hidden_from_strangers(self, ctx: CheckContext, response: Response, case: AnyCase) -> None:
        """What Thandi names, Naledi does not find, unless it is everybody's."""
        if operation_id(case) in EVERYBODYS:
            return
        if response.status_code < 300 and case.path_parameters and case.method == case.operation.method.upper():
            again = response.request.copy()
            again.headers["Authorization"] = f"Bearer {self.cast.stranger()}"
            status = requests.Session().send(again).status_code
            if status != 404:
                raise AssertionError(f"A stranger is answered {status}")


@pytest.fixture
def fuzz(cast: Backstage) -> Iterator[Callable[..., Run]]:
    """Let Schemathesis run against this address, with this configuration; what came of it."""
    fuzzer = Fuzzer(cast)
    before_call = function(fuzzer.before_call)
    schemathesis.hook(before_call)
    schemathesis.check(function(fuzzer.hidden_from_strangers))
    yield fuzzer.run
    CHECKS.unregister("hidden_from_strangers")
    schemathesis.hooks.unregister(before_call)


def test_whatever_is_sent_is_answered_as_described(fuzz: Callable[..., Run]) -> None:
    cases = int(os.environ.get(FUZZ, CASES))
    seed = int(os.environ.get(SEED, random.getrandbits(32) if FUZZ in os.environ else 1))
    with serving(Road(WSGIHandler())) as url:
        run = fuzz(url, seed=seed, generation={"max-examples": cases, "database": "none", "no-shrink": True})
    logger.info("Seed %s, %s", seed, run)
    assert not run.failures, f"Seed {seed}, {run}\n\n{run.told()}"
    assert {name: run.phases[name] for name in PHASES} == dict.fromkeys(PHASES, Status.SUCCESS)
    assert run.checks.keys() >= set(CHECKS.get_all_names())
    operations = {operation["operationId"] for path in described()["paths"].values() for operation in path.values()}
    unreached = {name for name in operations if not any(status < 300 for status in run.answers[name])}
    assert unreached - SOMETIMES == UNREACHED.keys()


def test_who_asks_too_often_is_refused_as_described(fuzz: Callable[..., Run], settings: Any) -> None:
    settings.RATELIMIT_ENABLE = True
    settings.RATE_LIMITS_PER_MINUTE = dict.fromkeys(settings.RATE_LIMITS_PER_MINUTE, 0)
    settings.RATE_LIMITS_PER_HOUR = dict.fromkeys(settings.RATE_LIMITS_PER_HOUR, 0)
    with serving(WSGIHandler()) as url:
        run = fuzz(url, seed=1, generation={"max-examples": 1}, phases={"coverage": {"enabled": False}})
    assert not run.failures, run.told()
    assert {name for name, answers in run.answers.items() if 429 not in answers} == {TILL}


def test_links_lead_where_there_is_something() -> None:
    schema = described()
    operations = {one["operationId"]: one for path in schema["paths"].values() for one in path.values()}
    for (operation, status), links in LINKS.items():
        answer = operations[operation]["responses"][status]
        for link in links.values():
            target = operations[link["operationId"]]
            assert link.get("parameters", {}).keys() <= {one["name"] for one in target.get("parameters", [])}
            for value in {**link.get("parameters", {}), **link.get("requestBody", {})}.values():
                whose, _, pointer = value.partition("#/")
                content = {"$response.body": answer, "$request.body": operations[operation].get("requestBody")}[whose]
                assert leads(schema, content["content"]["application/json"]["schema"], pointer.split("/")), value
            if "requestBody" in link:
                for name in link["requestBody"]:
                    assert leads(schema, target["requestBody"]["content"]["application/json"]["schema"], [name])


def leads(schema: dict[str, Any], node: Any, pointer: list[str]) -> bool:
    """Whether what a pointer names is described."""
    if node is None:
        return False
    if "$ref" in node:
        return leads(schema, schema["components"]["schemas"][node["$ref"].rpartition("/")[2]], pointer)
    if not pointer:
        return True
    first, *rest = pointer
    return leads(schema, node.get("items") if first.isdecimal() else node.get("properties", {}).get(first), rest)


def described() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found
