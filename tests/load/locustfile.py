"""What customers do in a day: seven in ten requests look at the dashboard, one in ten moves money.

Runs under Locust by itself, with nothing of the bank in its process; `tests/load/day.py` starts it and says by the
environment who comes (`LOAD_VISITS`), and where to write what happened (`LOAD_RECORD`). Every simulated user asks once a
second, so as many users as requests a second are wanted. Each makes visits: a customer looks at the dashboard, then does
what chance says, eight requests on average, and the next customer comes.
"""

import json
import os
import random
import time
import uuid
from collections import deque
from pathlib import Path
from typing import Any

from locust import events
from locust.contrib.fasthttp import FastHttpUser

VISITS = deque(json.loads(line) for line in Path(os.environ["LOAD_VISITS"]).read_text().splitlines())
PAYEES = [visit["wallet"] for visit in VISITS]
REQUESTS_A_VISIT = 8
# The share of each kind of request, in per cent.
SHARES = {
    "dashboard": 70,
    "transactions": 8,
    "wallets": 4,
    "vouchers": 3,
    "transfer": 10,
    "issue": 3,
    "redeem": 2,
}
READS = {"dashboard", "transactions", "wallets", "vouchers"}
TIMEOUT_SECONDS = 15.0

answers: list[tuple[float, float, str, int, str]] = []  # when asked, milliseconds, what, status, code of a refusal
orders: list[dict[str, object]] = []  # whatever moves money, and what it was answered
codes: deque[str] = deque(maxlen=10_000)  # vouchers that nobody has redeemed yet


class Customer(FastHttpUser):
    network_timeout = connection_timeout = TIMEOUT_SECONDS

    def on_start(self) -> None:
        self.moment = random.random()  # of each second; whoever arrives together would ask together otherwise
        time.sleep(self.wait_time())
        self._come()

    def wait_time(self) -> float:
        """Until this customer's moment comes round; one that has passed, while an answer was late, is let go."""
        return (self.moment - time.time()) % 1.0

    def _come(self) -> None:
        self.visit = VISITS.popleft()
        VISITS.append(self.visit)  # only if there are not enough
        self.is_new = True

    def _next(self) -> str:
        if self.is_new:
            self.is_new = False
            return "dashboard"
        # The first request of each visit is a dashboard whatever chance says, so the others are as many fewer.
        first = 100 / REQUESTS_A_VISIT
        weights = [share - first if name == "dashboard" else share for name, share in SHARES.items()]
        return random.choices(list(SHARES), weights)[0]

    def _ask(self, name: str, method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.visit['token']}", "X-Forwarded-For": self.visit["address"]}
        key = uuid.uuid4().hex
        if body is not None:
            headers["Idempotency-Key"] = key
        asked_at, began = time.time(), time.perf_counter()
        with self.client.request(
            method, f"/api/v1/{path}", json=body, headers=headers, name=name, catch_response=True
        ) as answer:
            status = answer.status_code
            took = (time.perf_counter() - began) * 1000
            content = json.loads(answer.content) if answer.content and status < 500 else {}
            code = str(content.get("code", "")) if status >= 400 else ""
            if status in {200, 201, 409}:  # a refusal for want of money or limits is a right answer, and counted apart
                answer.success()
            else:
                answer.failure(f"{status} {code}")
        answers.append((asked_at, took, name, status, code))
        if body is not None:
            order = {"name": name, "visit": self.visit, "path": path, "key": key, "body": body}
            orders.append({**order, "status": status, "answer": content})
        return status, content

    def do(self) -> None:
        name = self._next()
        if name in READS:
            self._ask(name, "GET", name)
        elif name == "transfer":
            payee = random.choice(PAYEES)
            while payee == self.visit["wallet"]:
                payee = random.choice(PAYEES)
            self._ask(
                name, "POST", "transfers", {"to": payee, "amount": "1.00", "currency": "ZAR", "reference": "Lunch"}
            )
        elif name == "redeem" and codes:
            self._ask(name, "POST", "vouchers/redeem", {"code": codes.popleft()})
        else:  # the first redemptions find no voucher, and buy one
            status, voucher = self._ask(
                "issue", "POST", "vouchers", {"voucher_type": "standard", "amount": "5.00", "currency": "ZAR"}
            )
            if status == 201:
                codes.append(voucher["code"])
        if random.random() < 1 / REQUESTS_A_VISIT:
            self._come()

    tasks = [do]


@events.quitting.add_listener
def write_record(environment: object, **_: object) -> None:
    Path(os.environ["LOAD_RECORD"]).write_text(json.dumps({"answers": answers, "orders": orders}))
