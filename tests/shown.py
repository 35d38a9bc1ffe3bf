"""What PostgreSQL says to the process that asks: which one it takes it for, and how much time it gives it."""

from __future__ import annotations

import json

from django.db import connections

NAMES = ("application_name", "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


def shown(alias: str = "default") -> str:
    with connections[alias].cursor() as cursor:
        found = []
        for name in NAMES:
            cursor.execute(f"SHOW {name}")
            found += cursor.fetchone()
    connections[alias].close()
    return json.dumps(found)
