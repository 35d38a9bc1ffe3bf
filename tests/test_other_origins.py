"""Pages of other origins: let in nowhere unless an operator names them, and then to the customers' API only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OURS, FOREIGN = "https://app.bank.example", "https://evil.example"
ASK = """
import json, sys, django
django.setup()
from django.test import Client
said = []
for method, path, headers in json.loads(sys.argv[1]):
    answer = Client().generic(method, path, headers={**headers, "Host": "localhost"})
    said.append([answer.status_code, dict(answer.headers)])
print(json.dumps(said))
"""


def started(origins: str | None, script: str, *arguments: str, **named: str) -> subprocess.CompletedProcess[str]:
    named |= {} if origins is None else {"MYMOOLAH_CORS_ORIGINS": origins}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "mymoolah.settings",
            "MYMOOLAH_ENV": "build",
            "MYMOOLAH_ALLOWED_HOSTS": "localhost",
            **named,
        },
    )


def ask(origins: str | None, *asked: tuple[str, str, dict[str, str]]) -> list[tuple[int, dict[str, str]]]:
    """What a process with this setting answers, without a database: status and headers."""
    done = started(origins, ASK, json.dumps(asked))
    assert done.returncode == 0, done.stderr
    return [(status, headers) for status, headers in json.loads(done.stdout)]


def preflight(path: str, origin: str, method: str = "POST") -> tuple[str, str, dict[str, str]]:
    wanted = "authorization,content-type,idempotency-key"
    headers = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": wanted}
    return "OPTIONS", path, {"Origin": origin, **headers}


def cors_headers(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower().startswith("access-control-")}


def test_nobody_is_let_in_by_default() -> None:
    simple = ("GET", "/api/v1/me", {"Origin": OURS})
    asked = simple, preflight("/api/v1/transfers", OURS)
    for status, headers in ask(None, *asked) + ask("", *asked):
        assert status == 401
        assert not cors_headers(headers)
        assert "origin" not in headers.get("Vary", "").lower()


def test_a_named_origin_is_let_in_without_cookies() -> None:
    origins = f"{OURS}, http://localhost:3000"
    (status, allowed), (_, read), (_, local) = ask(
        origins,
        preflight("/api/v1/transfers", OURS),
        ("GET", "/api/v1/me", {"Origin": OURS}),
        preflight("/api/v1/transfers", "http://localhost:3000", "PATCH"),
    )
    assert status == 200
    assert cors_headers(allowed).pop("access-control-expose-headers")
    assert allowed["access-control-allow-origin"] == OURS
    assert allowed["access-control-allow-methods"] == "GET, POST, PATCH, DELETE"
    assert allowed["access-control-allow-headers"] == (
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-ID"
    )
    assert allowed["access-control-max-age"] == "600"
    assert allowed["X-Request-ID"]
    assert read["access-control-allow-origin"] == OURS
    assert read["access-control-expose-headers"] == (
        "ETag, Idempotency-Replayed, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, "
        "WWW-Authenticate, X-Request-ID"
    )
    assert "origin" in read["Vary"].lower()
    assert local["access-control-allow-origin"] == "http://localhost:3000"
    for headers in (allowed, read, local):
        assert "access-control-allow-credentials" not in headers


STRANGERS = [
    FOREIGN,
    "null",
    "http://app.bank.example",
    "https://app.bank.example:8443",
    "https://app.bank.example.evil.example",
    "https://evil.example/https://app.bank.example",
    "https://user@app.bank.example",
    "https://sub.app.bank.example",
    "https://[",
]


def test_no_other_origin_is_let_in() -> None:
    simple: list[Any] = [("GET", "/api/v1/me", {"Origin": origin}) for origin in STRANGERS]
    for _, headers in ask(OURS, *simple, *(preflight("/api/v1/transfers", origin) for origin in STRANGERS)):
        assert not cors_headers(headers)
        assert "origin" in headers["Vary"].lower()


def test_the_back_office_is_nobody_elses() -> None:
    paths = ("/admin/", "/admin/kyc/", "/healthz", "/", "/apifoo", "/static/mymoolah/favicon.svg")
    asked: list[Any] = [preflight(path, OURS) for path in paths]
    asked += [("GET", path, {"Origin": OURS}) for path in ("/healthz", "/", "/apifoo")]
    for _, headers in ask(OURS, *asked):
        assert not cors_headers(headers)


READ = """
import json, os, runpy, sys
from django.core.exceptions import ImproperlyConfigured
for os.environ["MYMOOLAH_CORS_ORIGINS"] in json.loads(sys.argv[1]):
    try:
        print(runpy.run_module("mymoolah.settings")["CORS_ALLOWED_ORIGINS"])
    except ImproperlyConfigured as error:
        print(error)
"""
NEVER_SENT = [
    "*",
    "null",
    "app.bank.example",
    "https://app.bank.example/",
    "https://app.bank.example/app",
    "https://*.bank.example",
    "https://App.bank.example",
    "https://app.bank.example:443",
    "http://app.bank.example",
    "http://localhost:80",
    "file://",
    f"{OURS} {FOREIGN}",
]


def test_what_no_browser_would_send_stops_the_start() -> None:
    origins = [*NEVER_SENT, f"{OURS}, http://localhost:3000,"]
    *refusals, well = started(None, READ, json.dumps(origins)).stdout.splitlines()
    assert [line.partition("; ")[0] for line in refusals] == [
        f"MYMOOLAH_CORS_ORIGINS names {origin!r}" for origin in NEVER_SENT
    ]
    assert well == str([OURS, "http://localhost:3000"])
