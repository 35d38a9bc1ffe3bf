"""Who visits the bank, and whether its books say what its customers were told."""

from __future__ import annotations

import datetime as dt
import http.client
import ipaddress
import json
import random
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from accounts import tokens
from mymoolah.common.clock import now
from reporting.demo.claims import HOST
from transactions.idempotency import HEADER as KEY_HEADER
from transactions.idempotency import REPLAYED_HEADER

REPEATERS = 4
KINDS = {"transfer": "transfer", "issue": "voucher_issue", "redeem": "voucher_redeem"}

Order = Mapping[str, Any]


@dataclass
class Books:
    """What became of each order for money, after all of them were repeated with their keys."""

    acknowledged: int = 0
    without_answer: int = 0
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    """Acknowledged, and the repeat was no replay of the same answer."""
    done_unheard: int = 0
    """Without an answer, and the repeat was a replay: it had been done once."""
    done_by_repeat: int = 0
    unsettled: list[str] = field(default_factory=list)
    """The repeat was neither done nor refused."""
    expected: Counter[str] = field(default_factory=Counter)
    in_the_ledger: Counter[str] = field(default_factory=Counter)

    @property
    def agree(self) -> bool:
        return not self.lost and not self.unsettled and self.expected == self.in_the_ledger


def choose_visits(many: int, *, seed: int) -> list[dict[str, str]]:
    """Who comes, one after the other, each with a token: who moved money lately comes more often.

    Half of the visits are by the quarter of customers whose last entries are newest.
    """
    chance = random.Random(seed)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.id
            FROM wallets AS w
            INNER JOIN users AS u ON u.id = w.user_id
            WHERE w.kind = 'customer' AND w.status = 'active' AND u.status = 'active' AND u.kyc_tier = 2
            ORDER BY w.last_entry_at DESC NULLS LAST, w.id
            """
        )
        everybody = [row[0] for row in cursor.fetchall()]
        chosen = [everybody[int(len(everybody) * chance.random() ** 2)] for _ in range(many)]
        cursor.execute(
            """
            SELECT w.id, w.number, u.public_id
            FROM wallets AS w
            INNER JOIN users AS u ON u.id = w.user_id
            WHERE w.id = ANY (%s)
            """,
            [sorted(set(chosen))],
        )
        found = {wallet: (number, public_id) for wallet, number, public_id in cursor.fetchall()}
    issued = {wallet: _token(public_id) for wallet, (_, public_id) in found.items()}
    return [
        {
            "token": issued[wallet],
            "wallet": found[wallet][0],
            "customer": str(found[wallet][1]),
            "address": _address(wallet),
        }
        for wallet in chosen
    ]


def count_transfers(since: dt.datetime) -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, count(*) FROM transfers WHERE created_at >= %s GROUP BY kind", [since])
        return Counter({kind: many for kind, many in cursor.fetchall() if kind in KINDS.values()})


def compare(orders: Sequence[Order], *, port: int, since: dt.datetime) -> Books:
    """Repeat every order with its key, as a client without an answer would, and count what then stands in the ledger."""
    books = Books()
    parts = [orders[part::REPEATERS] for part in range(REPEATERS)]
    with ThreadPoolExecutor(REPEATERS) as pool:
        for order, status, replayed, answer in (
            one for part in pool.map(lambda p: list(_repeat(p, port)), parts) for one in part
        ):
            judge(books, order, status, replayed, answer)
    books.in_the_ledger = count_transfers(since)
    return books


def judge(books: Books, order: Order, status: int, replayed: bool, answer: Any) -> None:
    was_done, is_done = order["status"] in {200, 201}, status in {200, 201}
    named = f"{order['name']} {order['key']}: {order['status']}, then {status}"
    if was_done:
        books.acknowledged += 1
        if not (is_done and replayed and answer == order["answer"]):
            books.lost.append(named)
    elif order["status"] == 409:
        books.refused += 1
    else:
        books.without_answer += 1
        if is_done:
            books.done_unheard += replayed
            books.done_by_repeat += not replayed
        elif status not in {404, 409}:
            books.unsettled.append(named)
    if is_done:
        books.expected[KINDS[order["name"]]] += 1


def _repeat(orders: Sequence[Order], port: int) -> Iterator[tuple[Order, int, bool, Any]]:
    """What was refused is not asked again: the reason may be gone by now."""
    with closing(http.client.HTTPConnection(HOST, port, timeout=30)) as client:
        for order in orders:
            if order["status"] == 409:
                yield order, 409, False, None
                continue
            headers = {
                "Authorization": f"Bearer {_token(uuid.UUID(order['visit']['customer']))}",
                "X-Forwarded-For": order["visit"]["address"],
                "Content-Type": "application/json",
                KEY_HEADER: order["key"],
            }
            client.request("POST", f"/api/v1/{order['path']}", json.dumps(order["body"]), headers)
            response = client.getresponse()
            text = response.read()
            yield order, response.status, response.headers[REPLAYED_HEADER] == "true", json.loads(text)


def _address(wallet: int) -> str:
    """Everybody has his own, as limits of requests from one address expect."""
    return str(ipaddress.IPv4Address(0x0A000000 + wallet % 0x1000000))  # 10.0.0.0/8


def _token(public_id: uuid.UUID) -> str:
    return tokens.issue_access_token(
        user_public_id=public_id, session_public_id=uuid.uuid4(), role="customer", now=now()
    )
