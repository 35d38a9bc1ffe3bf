"""Whether the process lives, and whether what it leans on answers."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from mymoolah import health
from tests.api import body_of


@pytest.mark.django_db
def test_alive_means_this_process_and_asks_nobody(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        answer: Any = client.get("/healthz")
    assert (answer.status_code, body_of(answer)) == (200, {"status": "ok"})


def test_ready_means_database_cache_and_broker_answer(client: Client, db: None) -> None:
    answer: Any = client.get("/readyz")
    assert (answer.status_code, body_of(answer)) == (
        200,
        {"status": "ok", "checks": {"database": "ok", "cache": "ok", "broker": "ok"}},
    )


@pytest.mark.parametrize("location", ["unix:///nowhere/redis.sock?db=0", "redis://127.0.0.1:1/0"])
def test_without_cache_and_broker_reads_go_on(client: Client, db: None, settings: Any, location: str) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location}}
    settings.CELERY_BROKER_URL = location.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
    answer: Any = client.get("/readyz")
    assert answer.status_code == 200
    assert body_of(answer) == {
        "status": "degraded",
        "checks": {"database": "ok", "cache": "unavailable", "broker": "unavailable"},
    }


def test_without_a_database_nothing_is_ready(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall() -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setitem(health.CHECKS, "database", fall)
    answer: Any = client.get("/readyz")
    assert (answer.status_code, body_of(answer)["status"]) == (503, "unavailable")
    assert answer["Retry-After"]
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "target"), [("/", "/api/docs"), ("/admin", "/admin/")])
def test_a_bare_address_leads_somewhere(client: Client, path: str, target: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, target)
