"""A language model of the tests' own, on a real port: right, slow, wrong, rude, or dead, as a test wants it."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[["Stub", socket.socket], None]


@dataclass
class Stub:
    """Answers each request by `behaviour`, and keeps what it was asked."""

    behaviour: Behaviour
    port: int = 0
    requests: list[str] = field(default_factory=list)
    """Head and body, as they came."""
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def asked(self) -> dict[str, Any]:
        """What the last request says in its last message."""
        body = json.loads(self.requests[-1].partition("\r\n\r\n")[2])
        asked: dict[str, Any] = json.loads(body["messages"][-1]["content"])
        return asked

    def wait(self, seconds: float) -> None:
        self.ending.wait(seconds)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextlib.contextmanager
def stub_model(behaviour: Behaviour) -> Iterator[Stub]:
    stub = Stub(behaviour)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):  # who asks may go at any moment
                while request := _request(self.request):
                    stub.requests.append(request)
                    stub.behaviour(stub, self.request)

    with Server(("127.0.0.1", 0), Handler) as server:
        stub.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield stub
        finally:
            stub.ending.set()
            server.shutdown()
            thread.join()


def _request(connection: socket.socket) -> str:
    """One request; nothing when the client has gone."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65_536)
        if not part:
            return ""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    [length] = [
        int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    ]
    while len(body) < length:
        body += connection.recv(65_536)
    return (head + b"\r\n\r\n" + body).decode()


def answer(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def said(text: object, *, finish_reason: object = "stop") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
    return json.dumps({"object": "chat.completion", "choices": [choice]}).encode()


# Right ----------------------------------------------------------------------------------------------------------------
def made_of_template(make: Callable[[str], str]) -> Behaviour:
    """Say what `make` makes of the template that came."""
    return lambda stub, connection: connection.sendall(answer(said(make(stub.asked["answer"]))))


def saying(text: str) -> Behaviour:
    return sending_on(said(text))


def sending_on(body: bytes) -> Behaviour:
    """Answer with this body, and stay."""
    return lambda _, connection: connection.sendall(answer(body))


# Slow -----------------------------------------------------------------------------------------------------------------
def hanging(stub: Stub, connection: socket.socket) -> None:
    stub.wait(30)


def late(stub: Stub, connection: socket.socket) -> None:
    stub.wait(5)
    connection.sendall(answer(said(stub.asked["answer"])))


def _drip(stub: Stub, connection: socket.socket, content: bytes) -> None:
    for one in content:
        if stub.ending.is_set():
            return
        connection.sendall(bytes([one]))
        time.sleep(0.05)


def dripping_head(stub: Stub, connection: socket.socket) -> None:
    _drip(stub, connection, answer(said(stub.asked["answer"])))


def dripping_body(stub: Stub, connection: socket.socket) -> None:
    head, end, body = answer(said(stub.asked["answer"])).partition(b"\r\n\r\n")
    connection.sendall(head + end)
    _drip(stub, connection, body)


# Rude -----------------------------------------------------------------------------------------------------------------
def sending(content: bytes) -> Behaviour:
    """Send this, whatever it is, and hang up."""

    def send(stub: Stub, connection: socket.socket) -> None:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_RDWR)

    return send


def endless(stub: Stub, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not stub.ending.is_set():
        connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")


# Dead -----------------------------------------------------------------------------------------------------------------
def resetting(stub: Stub, connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
