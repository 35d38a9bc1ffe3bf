"""Page ten thousand costs what the first costs: of entries, by every filter, and of sessions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import LoginSession
from mymoolah.common.clock import iso_utc, now
from tests.api import body_of, calling
from tests.conftest import Person, Sql
from tests.transactions.legs import johannesburg
from tests.transactions.statement_files import write_history
from tests.vouchers.desk import buffers, plan_of
from transactions.models import Transaction

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ledger")]

LIMIT, PAGE = 4, 10_000
SLACK_BLOCKS = 12  # an index of many levels, and pages that begin in the middle of a block


def cost(who: Person, path: str, query: dict[str, Any], cursor: list[Any] | None = None) -> int:
    """How many blocks PostgreSQL touches for a page that begins beyond `cursor`."""
    salt = path.rpartition("/")[2]
    given = {} if cursor is None else {"cursor": signing.dumps([False, *cursor], salt=f"cursor:{salt}")}
    with CaptureQueriesContext(connection) as captured:
        answer = calling(who).get(path, limit=LIMIT, **query, **given)
    assert len(body_of(answer)["results"]) == LIMIT
    (statement,) = captured.captured_queries
    return buffers(plan_of(statement["sql"].replace("%", "%%")))


def test_of_entries_by_every_filter(thandi: Person, sipho: Person, admin_sql: Sql) -> None:
    entries = LIMIT * PAGE + 2_000
    write_history(admin_sql, thandi, sipho, entries=entries, starts_at=johannesburg("2026-01-01T00:00"))
    admin_sql("VACUUM ANALYZE transactions, transfers")
    at = Transaction.objects.get(wallet_id=thandi.wallet.pk, sequence=entries - LIMIT * PAGE)
    deep = [iso_utc(at.created_at), thandi.wallet.number, at.sequence]
    filters: list[dict[str, Any]] = [
        {},
        {"wallet": thandi.wallet.number},
        {"type": "sent"},
        {"type": "received"},
        {"kind": "transfer"},
        {"from": "2026-01-01"},
        {"type": "sent", "kind": "transfer", "to": "2026-12-31"},
    ]
    costs = {
        str(query): (cost(thandi, "transactions", query), cost(thandi, "transactions", query, deep))
        for query in filters
    }
    assert all(last <= 1.2 * first + SLACK_BLOCKS for first, last in costs.values()), costs


def test_of_sessions(thandi: Person, admin_sql: Sql) -> None:
    admin_sql(
        """
        INSERT INTO login_sessions (
            public_id, user_id, device, token_digest, rotated_at, created_at, last_used_at, expires_at
        )
        SELECT
            gen_random_uuid(), %s, 'phone', sha256(i::text::bytea), now(), now() - i * interval '1 second', now(),
            now() + interval '1 day'
        FROM generate_series(1, %s) AS i
        """,
        thandi.user.pk,
        LIMIT * PAGE + 100,
    )
    admin_sql("VACUUM ANALYZE login_sessions")
    at = LoginSession.objects.order_by("-created_at", "-public_id")[LIMIT * PAGE]
    assert now() - at.created_at > dt.timedelta(hours=10)
    first = cost(thandi, "auth/sessions", {})
    last = cost(thandi, "auth/sessions", {}, [iso_utc(at.created_at), str(at.public_id)])
    assert last <= 1.2 * first + SLACK_BLOCKS, (first, last)
