"""Traces: none and nothing of them unless asked for; then sent to a collector, and naming nobody."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.api import access_token
from tests.conftest import Person
from tests.web import web_server

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 60
START = """
import sys
{before}
import mymoolah.wsgi
# The client of Redis looks for OpenTelemetry by itself; what makes and sends traces is ours to leave alone.
made_of = ("opentelemetry.instrumentation", "opentelemetry.exporter", "opentelemetry.sdk.trace", "mymoolah.spans")
print([name for name in sys.modules if name.startswith(made_of)])
"""


@dataclass
class Collector:
    address: str
    spans: list[Span] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    def wait_for(self, name: str) -> Span:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for span in list(self.spans):
                if span.name == name:
                    return span
            time.sleep(0.05)
        raise AssertionError(sorted({span.name for span in self.spans}))


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Takes traces over OTLP/HTTP, as a collector does."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            taken.paths.add(self.path)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    taken.spans += scope.spans
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield taken
    server.shutdown()
    server.server_close()
    thread.join()


def started(before: str = "", **named: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START.format(before=before)],
        cwd=ROOT,
        env={**os.environ, **named},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_an_endpoint_nothing_of_it_is_imported(tmp_path: Path) -> None:
    done = started(MYMOOLAH_METRICS_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_with_an_endpoint_and_without_its_packages_it_says_what_to_do(tmp_path: Path) -> None:
    done = started(
        "sys.modules['opentelemetry'] = None",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318",
        MYMOOLAH_METRICS_DIR=str(tmp_path),
    )
    assert done.returncode == 1
    assert "OTEL_EXPORTER_OTLP_ENDPOINT is set, but" in done.stderr
    assert "requirements-otel.txt" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_requests_and_their_statements_reach_the_collector_and_name_nobody(
    ledger: object, thandi: Person, collector: Collector, tmp_path: Path
) -> None:
    named = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "MYMOOLAH_METRICS_DIR": str(tmp_path),
    }
    token, number = access_token(thandi.user), thandi.wallet.number
    with web_server(**named) as web:
        assert web.ask("GET", f"wallets/{number}", token=token).status == 200
        assert web.ask("GET", f"transactions?wallet={number}", token=token).status == 200
        assert web.ask("POST", "auth/token", {"email": thandi.user.email, "password": "wrong"}).status == 401
        request = collector.wait_for("GET api/v1/wallets/<wallet_number:number>")
        collector.wait_for("GET api/v1/transactions")
        collector.wait_for("POST api/v1/auth/token")
        told = {one.key: one.value for one in request.attributes}
        assert told["http.route"].string_value == "api/v1/wallets/<wallet_number:number>"
        statements = [span for span in collector.spans if span.parent_span_id == request.span_id]
        assert any("SELECT" in one.value.string_value for span in statements for one in span.attributes)
    assert collector.paths == {"/v1/traces"}
    everything = "\n".join(str(span) for span in collector.spans)
    for private in (number, token, thandi.user.email, str(thandi.user.phone), "127.0.0.1", "wallet="):
        assert private not in everything
