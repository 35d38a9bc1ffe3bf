"""What customers are told out of the read cache, beside what they are told without it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator

from django.conf import settings
from django.test import Client

from mymoolah.common import read_cache
from mymoolah.common.metrics import READ_CACHE
from mymoolah.common.pagination import PageRequest
from reporting.cache_report import OUTCOMES
from reporting.selectors import kept_dashboard
from tests.api import V1, access_token
from tests.conftest import Person
from vouchers.selectors import VoucherFilter, kept_vouchers
from wallets.selectors import kept_wallets

READS = ("dashboard", "wallets", "wallets/{number}", "vouchers", "vouchers?status=active&limit=2")


@contextlib.contextmanager
def without() -> Iterator[None]:
    """Answers as PostgreSQL gives them."""
    settings.READ_CACHE = False
    try:
        yield
    finally:
        settings.READ_CACHE = True


def read_directly(who: Person) -> list[object]:
    """What three answers are made of, without HTTP around it."""
    owner = who.user.public_id
    texts = [kept_dashboard(user_public_id=owner), kept_wallets(user_public_id=owner)]
    bodies = [json.loads(text) for text in texts]
    bodies[0].pop("as_of")
    page = kept_vouchers(user_public_id=owner, only=VoucherFilter(), asked=PageRequest(limit=20, cursor=None))
    return [*bodies, page]


def assert_nothing_is_old_within(people: Iterable[Person]) -> None:
    """The same, and faster: for stories of many steps."""
    for who in people:
        kept = read_directly(who)
        with without():
            live = read_directly(who)
        assert kept == live


def told(who: Person, path: str) -> object:
    """The answer, but for the moment it was read at."""
    headers = {"Authorization": f"Bearer {access_token(who.user)}"}
    answer = Client().get(V1 + path.format(number=who.wallet.number), headers=headers)
    assert answer.status_code == 200, answer.content
    body = json.loads(answer.content)
    body.pop("as_of", None)
    if body.get("next"):
        body["next"] = body["next"].rpartition("%3A")[0].rpartition("%3A")[0]  # signed at another second
    return body


def assert_nothing_is_old(people: Iterable[Person]) -> None:
    """With the cache everybody is told what he is told without. Leaves every answer there for the next time."""
    limits, settings.RATELIMIT_ENABLE = settings.RATELIMIT_ENABLE, False
    try:
        for who in people:
            for path in READS:
                kept = told(who, path)
                with without():
                    live = told(who, path)
                assert kept == live, path
    finally:
        settings.RATELIMIT_ENABLE = limits


def during(family: str, do: Callable[[], object]) -> dict[str, int]:
    """What was counted of a family of answers while something was done."""

    def counted() -> dict[str, int]:
        return {outcome: int(READ_CACHE.labels(family, outcome)._value.get()) for outcome in OUTCOMES}

    before = counted()
    do()
    return {outcome: count - before[outcome] for outcome, count in counted().items() if count != before[outcome]}


def behind_the_banks_back(*people: Person) -> None:
    """Say what a test has changed as no service does."""
    read_cache.changed(*(who.user.public_id for who in people), names=True, limits=True)
