"""What Prometheus is told: who may ask, what is counted, how things stand, and what dashboard and alerts make of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from kombu import Connection
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from mymoolah.common.clock import now
from mymoolah.common.errors import Unavailable
from mymoolah.common.money import Money
from mymoolah.common.retries import ATTEMPTS, with_retries
from mymoolah.common.sql import read
from reporting import gauges
from reporting.days import take_days
from reporting.models import LedgerVerification
from tests.accounts.papers import submitting
from tests.api import V1, Caller, access_token, body_of, calling
from tests.back_office.house import Furnished, furnish
from tests.common.test_generate_secrets import generated, lines_of, manage
from tests.conftest import Ledger, Person, Sql, fund, person
from tests.valkey import Valkey, own_valkey
from tests.vouchers.desk import CASH_OUT, EASYPAY_VOUCHER, issue
from tests.vouchers.till import UNKNOWN_NUMBER, a_key, payment, told
from tests.waiting import wait_until
from tests.web import WORKERS, Web, database_url, web_server
from transactions.holds import place_hold

DEPLOY = Path(__file__).parents[1] / "deploy"
PATIENCE_SECONDS = 60
TOKEN = "read-by-prometheus"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def asked_anew(settings: Any, tmp_path: Path) -> None:
    gauges.kept.forget()
    settings.DOCUMENTS_DIR = tmp_path / "documents"


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Scrape:
    """What /metrics answers now, and by how much a counter has grown since."""

    def __init__(self) -> None:
        self.before = samples(self.text())

    def text(self) -> str:
        gauges.kept.forget()
        answer = Client().get("/metrics")
        assert answer.status_code == 200
        return answer.content.decode()

    def value(self, name: str, **labels: str) -> float:
        return samples(self.text())[name, frozenset(labels.items())]

    def growth(self, name: str, **labels: str) -> float:
        sample = (name, frozenset(labels.items()))
        return samples(self.text()).get(sample, 0) - self.before.get(sample, 0)


def standing(*, at: dt.datetime) -> dict[str, float]:
    """The gauges as they will be at `at`; of those with labels, the first."""
    return {metric.name: metric.samples[0].value for metric in gauges.gauges(at=at) if metric.samples}


# Who may ask ----------------------------------------------------------------------------------------------------------
def test_without_a_token_only_this_machine_is_told(db: None, client: Client) -> None:
    assert client.get("/metrics").status_code == 200
    for address in ("192.0.2.7", "10.0.0.1", "2001:db8::1", ""):
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 401
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 401


@pytest.mark.parametrize("given", ["", TOKEN, "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \xe9"])
def test_with_a_token_nobody_is_told_without_it(db: None, client: Client, settings: Any, given: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", headers={"Authorization": given} if given else {})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    told = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, REMOTE_ADDR="192.0.2.7")
    assert (told.status_code, told["Content-Type"].partition(";")[0]) == (200, "text/plain")


def test_prometheus_need_not_speak_tls(db: None, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/metrics").status_code == 200
    assert Client().get("/admin/login/").status_code == 301


def test_production_does_not_start_without_the_token() -> None:
    secrets = lines_of(generated())
    del secrets["MYMOOLAH_METRICS_TOKEN"]
    named = {"DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://x", "MYMOOLAH_DOCUMENTS_DIR": "/nowhere"}
    named["MYMOOLAH_READ_CACHE_URL"] = "redis://y"
    started = manage("check", **secrets, **named)
    assert (started.returncode, "MYMOOLAH_METRICS_TOKEN must be set" in started.stderr) == (1, True)


# What is counted ------------------------------------------------------------------------------------------------------
def test_a_request_is_counted_by_its_route_and_never_by_its_path(thandi: Person) -> None:
    scrape, caller, number = Scrape(), calling(thandi), thandi.wallet.number
    for _ in range(3):
        assert caller.get(f"wallets/{number}").status_code == 200
    assert caller.get("wallets/1234567897").status_code == 404
    route = "/api/v1/wallets/<wallet_number:number>"
    assert scrape.growth("mymoolah_http_requests_total", route=route, method="GET", status="200") == 3
    assert scrape.growth("mymoolah_http_requests_total", route=route, method="GET", status="404") == 1
    assert scrape.growth("mymoolah_http_request_duration_seconds_count", route=route, method="GET") == 4
    assert scrape.growth("mymoolah_http_request_queries_sum", route=route) >= 4
    assert scrape.growth("mymoolah_http_database_seconds_total", route=route) > 0
    assert scrape.growth("mymoolah_problems_total", route=route, code="wallet_not_found") == 1
    assert number not in scrape.text()


def test_what_strangers_make_up_adds_no_labels(db: None, client: Client) -> None:
    scrape = Scrape()
    for number in range(20):
        client.generic(f"M{number}", f"/nowhere/{number}")
    counted = scrape.growth("mymoolah_http_requests_total", route="unknown", method="other", status="404")
    assert counted == 20
    assert "nowhere" not in scrape.text()


def test_a_refusal_in_front_of_the_view_is_counted_by_its_route(db: None) -> None:
    scrape = Scrape()
    assert Caller().post("auth/token", b"x" * 9_000_000).status_code == 413
    counted = scrape.growth("mymoolah_problems_total", route="/api/v1/auth/token", code="body_too_large")
    assert counted == 1


def test_orders_to_pay_are_counted_by_how_they_ended(thandi: Person, sipho: Person, ledger: Ledger) -> None:
    fund(thandi, "100.00")
    scrape, caller = Scrape(), calling(thandi)

    def pay(amount: str, key: str) -> int:
        order = {"to": "sipho@example.com", "amount": amount, "currency": "ZAR"}
        return caller.post("transfers", order, Idempotency_Key=key).status_code

    assert [pay("60.00", "one"), pay("60.00", "one"), pay("60.00", "two")] == [201, 201, 409]
    route = "/api/v1/transfers"
    for outcome in ("posted", "replayed", "insufficient_funds"):
        assert scrape.growth("mymoolah_payments_total", route=route, outcome=outcome) == 1
    assert scrape.growth("mymoolah_idempotent_replays_total", route=route) == 1


def test_what_a_rate_limit_refuses_is_counted_by_its_group(db: None, one_window: None, settings: Any) -> None:
    scrape, limit = Scrape(), settings.RATE_LIMITS_PER_MINUTE["sign_in"]
    credentials = {"email": "x@example.com", "password": "wrong"}
    answers = [Caller().post("auth/token", credentials).status_code for _ in range(limit + 2)]
    assert answers[limit:] == [429, 429]
    assert scrape.growth("mymoolah_rate_limited_total", group="sign_in") == 2


def test_each_conflict_in_the_database_is_counted(ledger: Ledger) -> None:
    def collide() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")

    scrape = Scrape()
    with pytest.raises(Unavailable):
        with_retries(collide)
    assert scrape.growth("mymoolah_transaction_retries_total", reason="serialization_failure") == ATTEMPTS


def test_a_task_is_counted_as_it_is_sent_and_as_it_ends(db: None, worker_at_hand: None) -> None:
    scrape, task = Scrape(), current_app.tasks["accounts.clear_sessions"]
    task.apply_async()
    assert scrape.growth("mymoolah_tasks_total", task=task.name, outcome="success") == 1
    assert scrape.growth("mymoolah_task_duration_seconds_count", task=task.name) == 1


# How things stand -----------------------------------------------------------------------------------------------------
@pytest.fixture
def broker(settings: Any) -> Iterator[Valkey]:
    folder = Path(tempfile.mkdtemp(prefix="mm-", dir="/tmp"))
    with own_valkey(folder) as running:
        settings.CELERY_BROKER_URL = running.broker_url
        yield running
    shutil.rmtree(folder)


def test_the_queue_tells_how_many_tasks_wait_and_since_when(db: None, broker: Valkey) -> None:
    scrape, task = Scrape(), current_app.tasks["accounts.clear_sessions"]
    assert (scrape.value("mymoolah_queue_messages"), scrape.value("mymoolah_queue_oldest_age_seconds")) == (0, 0)
    with Connection(broker.broker_url) as producer:
        for _ in range(3):
            current_app.send_task(task.name, connection=producer)
    assert scrape.growth("mymoolah_tasks_sent_total", task=task.name) == 3
    later = standing(at=now() + dt.timedelta(minutes=10))
    assert later["mymoolah_queue_messages"] == 3
    assert 600 <= later["mymoolah_queue_oldest_age_seconds"] < 900


def test_a_part_that_is_away_is_told_and_is_no_error(db: None, broker: Valkey, settings: Any) -> None:
    broker.fail("gone")
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock?db=0"}}
    scrape = Scrape()
    found = {part: scrape.value("mymoolah_up", part=part) for part in ("database", "cache", "broker")}
    assert found == {"database": 1, "cache": 0, "broker": 0}
    assert "mymoolah_queue_messages" not in scrape.text()
    broker.recover()
    assert scrape.value("mymoolah_up", part="broker") == 1


def test_without_a_database_metrics_are_told_all_the_same(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    connections.close_all()
    for name, value in (("HOST", "/nowhere"), ("NAME", "nothing")):
        monkeypatch.setitem(connections.settings["default"], name, value)
    try:
        scrape = Scrape()
        assert scrape.value("mymoolah_up", part="database") == 0
        assert "mymoolah_holds" not in scrape.text()
        assert "mymoolah_http_requests_total" in scrape.text()
    finally:
        monkeypatch.undo()
        connections.close_all()


@pytest.mark.sql
def test_what_waits_is_counted_and_signed_and_grows_old(thandi: Person, ledger: Ledger) -> None:
    scrape = Scrape()
    assert scrape.value("mymoolah_till_events_waiting") == scrape.value("mymoolah_kyc_waiting") == 0
    assert "mymoolah_holds_amount{" not in scrape.text()
    fund(thandi, "900.00")
    issue(thandi, CASH_OUT, "100.00")
    place_hold(
        wallet_id=thandi.wallet.pk,
        amount=Money.parse("200.00"),
        purpose="deposit",
        expires_at=now() + dt.timedelta(days=1),
        key=a_key(),
    )
    assert submitting(person("lerato", tier=0)).status_code == 201
    assert told(payment(UNKNOWN_NUMBER, "70.00")) == "suspense"
    assert told(payment(issue(thandi, EASYPAY_VOUCHER, "100.00"), "90.00")) == "suspense"
    assert scrape.value("mymoolah_holds", currency="ZAR") == 2
    assert scrape.value("mymoolah_holds_amount", currency="ZAR") == 309.20
    assert scrape.value("mymoolah_holds_oldest_overdue_seconds") == 0
    assert scrape.value("mymoolah_suspense_items", currency="ZAR") == 2
    assert scrape.value("mymoolah_suspense_items_amount", currency="ZAR") == 70 - 90
    assert scrape.value("mymoolah_kyc_waiting") == 1
    later = standing(at=now() + dt.timedelta(days=40))
    assert later["mymoolah_suspense_oldest_age_seconds"] == pytest.approx(40 * 86400, abs=600)
    assert later["mymoolah_kyc_oldest_age_seconds"] == pytest.approx(40 * 86400, abs=600)
    assert later["mymoolah_holds_oldest_overdue_seconds"] == pytest.approx(39 * 86400, abs=600)


@pytest.mark.sql
def test_each_currency_stands_alone(ledger: Ledger, thandi: Person, admin_sql: Sql) -> None:
    ledger.is_broken = True  # no till pays in dollars yet
    assert told(payment(UNKNOWN_NUMBER, "70.00")) == "suspense"
    admin_sql(
        "INSERT INTO suspense_items (public_id, direction, reason, amount, currency, transfer_id, created_at, resolution) "
        "SELECT gen_random_uuid(), direction, reason, 5, 'USD', transfer_id, created_at, '' FROM suspense_items"
    )
    scrape = Scrape()
    for currency, amount in (("ZAR", 70), ("USD", 5)):
        assert scrape.value("mymoolah_suspense_items", currency=currency) == 1
        assert scrape.value("mymoolah_suspense_items_amount", currency=currency) == amount


@pytest.mark.sql
def test_a_report_that_nobody_has_acted_on_waits(ledger: Ledger, thandi: Person, admin_sql: Sql) -> None:
    ledger.is_broken = True
    assert told(payment(UNKNOWN_NUMBER, "70.00")) == "suspense"
    admin_sql("UPDATE till_events SET result = NULL, processed_at = NULL")
    assert Scrape().value("mymoolah_till_events_waiting") == 1
    assert standing(at=now() + dt.timedelta(hours=1))["mymoolah_till_events_oldest_age_seconds"] >= 3600


@pytest.fixture
def house(ledger: Ledger, thandi: Person, sipho: Person) -> Furnished:
    return furnish(thandi, sipho)


@pytest.mark.sql
def test_a_ledger_that_was_found_broken_is_told_until_one_holds(ledger: Ledger) -> None:
    scrape = Scrape()
    assert "mymoolah_ledger_verification_age_seconds" not in scrape.text()
    LedgerVerification.objects.create(finished_at=now(), duration_ms=1, checks_count=27, broken=["08_currencies"])
    assert scrape.value("mymoolah_ledger_holds") == 0
    call_command("verify_ledger", verbosity=0)
    assert scrape.value("mymoolah_ledger_holds") == 1
    assert scrape.value("mymoolah_ledger_verification_age_seconds") < 600


def test_the_overview_is_behind_once_something_has_changed(ledger: Ledger, thandi: Person) -> None:
    call_command("refresh_dashboard", verbosity=0)
    scrape = Scrape()
    assert scrape.value("mymoolah_overview_age_seconds") < 600
    assert scrape.value("mymoolah_overview_is_behind") in {0, 1}  # PostgreSQL counts changes some seconds late


@pytest.mark.sql
def test_the_gauges_walk_the_indexes_of_what_waits(ledger: Ledger, owner_sql: Sql) -> None:
    """Whatever was resolved before: an index that holds nothing but what waits is there for each part."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN (FORMAT JSON) " + read("reporting", "queries/gauges.sql"))
        plan = json.dumps(cursor.fetchone()[0])
        cursor.execute("RESET enable_seqscan")
    assert "Seq Scan" not in plan
    for index in ("ix_holds_", "ix_suspense_items_open", "ix_till_events_waiting", "ix_kyc_"):
        assert index in plan


def test_gauges_are_kept_for_some_seconds(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):
        Client().get("/metrics")
    with django_assert_num_queries(0):
        Client().get("/metrics")


# On a real web server -------------------------------------------------------------------------------------------------
def scraped(web: Web) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{web.port}/metrics", timeout=30) as answer:
        return samples(answer.read().decode())


def sum_of(found: Samples, name: str, **labels: str) -> float:
    return sum(value for (one, has), value in found.items() if one == name and labels.items() <= dict(has).items())


@pytest.mark.slow
def test_any_process_answers_for_web_and_worker_also_when_one_has_died(
    ledger: Ledger, thandi: Person, broker: Valkey, tmp_path: Path
) -> None:
    token = access_token(thandi.user)
    named = {"MYMOOLAH_METRICS_DIR": str(tmp_path / "metrics"), "MYMOOLAH_BROKER_URL": broker.broker_url}
    log = tmp_path / "worker.log"
    with web_server("--respawn-failed-workers", **named) as web, celery_worker(log, **named):

        def answered(status: str) -> float:
            return sum_of(scraped(web), "mymoolah_http_requests_total", route="/api/v1/me", status=status)

        for _ in range(40):
            assert web.ask("GET", "me", token=token).status == 200
        assert answered("200") == 40
        assert sum_of(scraped(web), "mymoolah_processes", program="web") == WORKERS

        with Connection(broker.broker_url) as producer:
            current_app.send_task("accounts.clear_sessions", connection=producer)
            unreadable = {"kind": "email", "sealed": "thandi@example.com"}
            current_app.send_task("common.send_message", kwargs=unreadable, connection=producer)
        for task, outcome in (("accounts.clear_sessions", "success"), ("common.send_message", "failure")):
            wait_until(lambda: sum_of(scraped(web), "mymoolah_tasks_total", task=task, outcome=outcome) == 1)  # noqa: B023
        assert sum_of(scraped(web), "mymoolah_processes", program="worker") == 2  # one of them leads the other

        [victim, *_] = [pid for pid in children_of(web.pid) if pid]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: sum_of(scraped_or_nothing(web), "mymoolah_processes", program="web") == WORKERS - 1)
        assert answered("200") == 40
        wait_until(lambda: sum_of(scraped_or_nothing(web), "mymoolah_processes", program="web") == WORKERS)
        for _ in range(10):
            assert web.ask("GET", "me", token=token).status == 200
        assert answered("200") == 50
    # Whatever Celery itself would say of a task that fails, its log says no more than ours.
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]  # beside what it prints
    told = {(line["task"], line["outcome"], line["level"]) for line in lines if "outcome" in line}
    assert told == {("accounts.clear_sessions", "success", "info"), ("common.send_message", "failure", "error")}
    assert {line["logger"].partition(".")[0] for line in lines} == {"celery", "mymoolah"}
    assert "thandi" not in log.read_text()


def scraped_or_nothing(web: Web) -> Samples:
    """A connection that waited for the process that died is cut."""
    try:
        return scraped(web)
    except OSError:
        return {}


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def celery_worker(log: Path, **environment: str) -> Iterator[None]:
    """A worker of this test's broker, as production starts it, its log in a file."""
    named = {"DATABASE_URL": database_url(), "REDIS_URL": str(settings.CACHES["default"]["LOCATION"])}
    command = [sys.executable, "-m", "celery", "--app=mymoolah", "worker", "--concurrency=1", "--loglevel=INFO"]
    named |= {"MYMOOLAH_DATA_DIR": str(settings.DATA_DIR), "MYMOOLAH_LOG_FORMAT": "json"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **named, **environment}, stdout=subprocess.DEVNULL, stderr=output
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_what_the_support_assistant_says_and_how_it_is_liked_is_counted(ledger: Ledger, thandi: Person) -> None:
    scrape, her = Scrape(), calling(thandi)
    asked = [body_of(her.post("support/messages", {"message": said})) for said in ("what is my balance", "xqz blorp")]
    her.post("support/messages", {"intent": "human"})
    her.post(f"support/messages/{asked[0]['id']}/helpful", {"helpful": False})
    assert scrape.growth("mymoolah_support_messages_total", intent="balance", outcome="answered") == 1
    assert scrape.growth("mymoolah_support_messages_total", intent=asked[1]["intent"], outcome="clarified") == 1
    assert scrape.growth("mymoolah_support_confidence_count", outcome="clarified") == 1
    assert scrape.growth("mymoolah_support_tickets_opened_total", intent="human") == 1
    assert scrape.growth("mymoolah_support_votes_total", intent="balance", helpful="no") == 1


# Dashboard and alerts -------------------------------------------------------------------------------------------------
def exposed(house: Furnished) -> set[str]:
    """Every name that a sample can have."""
    call_command("verify_ledger", verbosity=0)
    call_command("refresh_dashboard", verbosity=0)
    take_days(now=now())
    names = set()
    # Of what several processes count together, only what one of them has counted yet is told.
    ours = [family for family in REGISTRY.collect() if family.name.startswith("mymoolah_")]
    for family in (*text_string_to_metric_families(Scrape().text()), *ours):
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        names |= {family.name + suffix for suffix in suffixes}
    return names


def named_in(expressions: list[str]) -> set[str]:
    return {name for one in expressions for name in re.findall(r"\bmymoolah_\w+", one)}


def test_dashboard_and_alerts_ask_for_nothing_that_is_not_there(house: Furnished) -> None:
    panels = json.loads((DEPLOY / "grafana.json").read_text())["panels"]
    drawn = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    rules = [rule for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
    there = exposed(house)
    assert len(rules) > 5
    assert named_in(drawn) - there == set()
    assert named_in([rule["expr"] for rule in rules]) - there == set()
    assert {name for name in there if not name.endswith(("_bucket", "_sum", "_count"))} - named_in(drawn) == set()
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in rules)
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_prometheus_is_told_where_to_ask_and_reads_the_alerts() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    assert config["rule_files"] == ["alerts.yml"]
    [job] = config["scrape_configs"]
    assert (job["metrics_path"], job["authorization"]["type"]) == ("/metrics", "Bearer")
    assert V1 not in json.dumps(config)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on this machine")
def test_prometheus_accepts_the_alerts() -> None:
    checked = subprocess.run(["promtool", "check", "rules", DEPLOY / "alerts.yml"], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
