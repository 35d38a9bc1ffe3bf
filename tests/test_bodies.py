"""Bodies of every size and shape, sent to the real web server as no well-behaved client would send them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from accounts import tokens
from mymoolah.common.clock import now
from tests.test_demo import free_port

ROOT = Path(__file__).parents[1]
MIB = 1024**2
RISES_BY_AT_MOST_MIB = 40


@dataclass(frozen=True)
class Server:
    """A web process without a database: whatever is refused here is refused before anything is asked."""

    port: int
    pid: int
    token: str
    memory_at_start_mib: int = 0

    def send(
        self, request_line: str, *headers: str, body: bytes = b"", stops_sending: bool = False
    ) -> tuple[int, str | None]:
        """The status of the answer, and a problem's code."""
        head = [
            f"{request_line} HTTP/1.1",
            "Host: localhost",
            "Connection: close",
            f"Authorization: Bearer {self.token}",
        ]
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as line:
            try:
                line.sendall("\r\n".join([*head, *headers, "", ""]).encode())
                line.sendall(body)
                if stops_sending:
                    line.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has answered already, and listens no more
            return self._answer(line)

    @staticmethod
    def _answer(line: socket.socket) -> tuple[int, str | None]:
        received = b""
        try:
            while part := line.recv(65_536):
                received += part
        except ConnectionResetError:
            pass
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 "), received
        is_problem = b"application/problem+json" in head
        return int(head.split(b" ")[1]), json.loads(body)["code"] if is_problem else None


def memory_mib(pid: int) -> int:
    """The most that this process and its children have ever held."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    statuses = [Path(f"/proc/{one}/status").read_text() for one in (str(pid), *children)]
    return sum(int(status.partition("VmHWM:")[2].split()[0]) for status in statuses) // 1024


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    port = free_port()
    token = tokens.issue_access_token(
        user_public_id=uuid.uuid4(), session_public_id=uuid.uuid4(), role="customer", now=now()
    )
    environment = {
        "PATH": os.environ["PATH"],
        "MYMOOLAH_ENV": "build",
        "MYMOOLAH_ALLOWED_HOSTS": "localhost",
        "MYMOOLAH_SIGNING_KEYS": ",".join(settings.SIGNING_KEYS),
        "RATELIMIT_ENABLE": "false",
    }
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "mymoolah.wsgi:application"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--blocking-threads", "4"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as web:
        try:
            wait_for(port)
            Server(port, web.pid, token).send("GET /healthz")
            yield Server(port, web.pid, token, memory_mib(web.pid))
        finally:
            web.terminate()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("The web server did not start")


JSON = "Content-Type: application/json"
MULTIPART = "Content-Type: multipart/form-data; boundary=x"
FORM = "Content-Type: application/x-www-form-urlencoded"
SIGN_IN, SUBMIT, SEND = (f"POST /api/v1/{path}" for path in ("auth/token", "kyc/submissions", "transfers"))
SHORT = b'{"email": "thandi"}'
BIG = b'{"email": "' + b"x" * 10 * MIB + b'"}'


def length(body: bytes | int | str) -> str:
    return f"Content-Length: {len(body) if isinstance(body, bytes) else body}"


def chunked(body: bytes) -> bytes:
    return b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "request_line",
    [
        SIGN_IN,
        SEND,
        "PATCH /api/v1/me",
        "GET /api/v1/me",
        "GET /api/v1/transactions",
        "DELETE /api/v1/auth/sessions",
        "POST /api/v1/wallets/1234567897/freeze",
        "POST /api/v1/vouchers/redeem",
    ],
)
def test_ten_megabytes_are_refused_wherever_one_is_let_in(server: Server, request_line: str) -> None:
    assert server.send(request_line, JSON, length(BIG), body=BIG) == (413, "body_too_large")


def test_nobody_uploads_more_than_documents_may_be(server: Server) -> None:
    for request_line in (
        SUBMIT,
        SIGN_IN,
        "GET /api/v1/me",
        "POST /api/v1/callbacks/easypay/payments",
        "POST /api/nope",
    ):
        assert server.send(request_line, MULTIPART, length(16 * MIB)) == (413, "body_too_large")
    for request_line in ("POST /admin/login/", "POST /healthz", "POST /nope", "GET /admin/"):
        assert server.send(request_line, MULTIPART, length(300_000)) == (413, "body_too_large")
        assert server.send(request_line, FORM, length(300_000)) == (413, "body_too_large")


@pytest.mark.parametrize(
    "request_line", [SIGN_IN, SUBMIT, SEND, "PATCH /api/v1/me", "GET /api/v1/me", "POST /admin/login/"]
)
@pytest.mark.parametrize("body", [chunked(SHORT), chunked(BIG), b"zz\r\nno chunk\r\n", b""])
def test_a_body_of_unknown_length_is_refused_and_not_taken_for_none(
    server: Server, request_line: str, body: bytes
) -> None:
    refusal = (411, "length_required")
    assert server.send(request_line, JSON, "Transfer-Encoding: chunked", body=body) == refusal
    assert server.send(request_line, JSON, length(5), "Transfer-Encoding: chunked", body=body) == refusal


@pytest.mark.parametrize("given", ["-5", "x", "0x13", "1e3", "9" * 30, "5, 6", "5\r\nContent-Length: 19"])
def test_a_length_that_is_none_is_refused(server: Server, given: str) -> None:
    status, _ = server.send(SIGN_IN, JSON, length(given), body=SHORT)
    assert status == 400


def test_a_length_that_lies_is_no_failure_of_ours(server: Server) -> None:
    assert server.send(SIGN_IN, JSON, length(5), body=SHORT) == (400, "validation_error")
    assert server.send(SIGN_IN, JSON, length(0), body=SHORT) == (400, "validation_error")
    cut_short, _ = server.send(SIGN_IN, JSON, length(60_000), body=SHORT, stops_sending=True)
    assert cut_short in {0, 400}
    assert server.send("GET /healthz") == (200, None)


def test_no_body_makes_the_process_grow(server: Server) -> None:
    for _ in range(5):
        for request_line in (SIGN_IN, SEND, SUBMIT, "GET /api/v1/me", "POST /admin/login/"):
            server.send(request_line, JSON, length(BIG), body=BIG)
            server.send(request_line, MULTIPART, "Transfer-Encoding: chunked", body=chunked(BIG))
    assert memory_mib(server.pid) - server.memory_at_start_mib < RISES_BY_AT_MOST_MIB


def test_a_head_has_no_body(server: Server) -> None:
    assert server.send("HEAD /healthz") == (200, None)


@pytest.mark.parametrize("given", ["x" * 100_000, "zu," * 30_000])
def test_a_long_wish_for_a_language_is_passed_over(server: Server, given: str) -> None:
    assert server.send("GET /healthz", f"Accept-Language: {given}") == (200, None)
