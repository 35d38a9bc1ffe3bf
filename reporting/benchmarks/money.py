"""What customers and tills move over HTTP, beside requests of the same kind that move nothing, and whether a cent strays.

A database of its own, made and filled through the services; every limit of the bank is in force but the rate limits.
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import cycle
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection, transaction

from accounts.models import User
from mymoolah.common.clock import iso_utc, now
from mymoolah.common.money import Money
from reporting.benchmarks import load, scratch, web
from reporting.benchmarks.load import Ask, Load, Request, clients
from reporting.benchmarks.series import Options, Series, in_turns, percentile, ratio
from reporting.verification import verify
from transactions.idempotency import HEADER as KEY_HEADER
from transactions.models import Kind
from transactions.posting import IdempotencyKey
from transactions.services import give_demo_money
from vouchers.models import Voucher
from vouchers.selectors import with_code
from vouchers.services.issuing import issue_voucher
from vouchers.till_authentication import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature
from wallets.models import Wallet
from wallets.services import open_account

DATABASE = "mymoolah_money_benchmark"
CLIENTS = 16
CUSTOMERS = 2_000
FUNDS = Money(Decimal("5000.00"))
# A measure that is asked for more than this ends early: there are no requests left.
MOST_PER_SECOND = 500
OPEN_TOP_UPS = 8  # of each customer, who may have ten
BATCH = 100  # customers or vouchers that are made in one database transaction
# The smallest amounts there are, so that no limit is met.
TRANSFER, VOUCHER, TOP_UP = (Money(Decimal(amount)) for amount in ("1.00", "5.00", "50.00"))

TRANSFERS, TO_ONE, REDEEM, TILL = "transfers", "transfers to one", "redeem", "till callbacks"
BARE, BARE_TILL, ONE_READ = "bare", "bare, signed by a till", "one read"
TRANSFER_PATH, REDEEM_PATH = "/api/v1/transfers", "/api/v1/vouchers/redeem"
TILL_PATH, READ_PATH = "/api/v1/callbacks/easypay/payments", "/api/v1/me"
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Customer:
    public_id: uuid.UUID
    wallet_number: str


@dataclass
class Tally:
    """What a scene has brought in all rounds, and in the one before them that does not count for the rates."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    right_answers: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    in_the_ledger: int = 0
    drift: Decimal = Decimal("0.00")


@dataclass
class Scene:
    """One kind of request. `requests` makes those of a round, `used` hears what became of them.

    Each right answer stands for one transfer of `kind`, by which customers together have `gain` more.
    """

    asks: str
    beside: str | None
    requests: Callable[[], list[Request]]
    used: Callable[[Load], None] = lambda _: None
    again: bool = False
    kind: Kind | None = None
    gain: Decimal = Decimal("0.00")
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class Books:
    """What all wallets hold, what the customers' do, and how many transfers of each kind there are."""

    all_wallets: Decimal
    customers: Decimal
    transfers: Mapping[str, int]


def run(options: Options) -> dict[str, Any]:
    """Requests a second and latencies of CLIENTS clients, then whether the books agree with what they were told."""
    with scratch.database(DATABASE), scratch.migrated(DATABASE):
        options.say(f"preparing {CUSTOMERS:,} customers")
        scenes = _scenes(_customers(CUSTOMERS), options)
        with web.server() as port, clients(CLIENTS) as ask:
            rates = in_turns(
                {name: partial(_play, scene, ask, port, options.seconds) for name, scene in scenes.items()},
                options,
                unit="requests per second",
                settle=True,
            )
        options.say("verifying the ledger")
        checks = list(verify())
        books = _books()
    return {
        "how": f"{CLIENTS} clients in {load.PROCESSES} processes and the server's {web.WORKERS} workers share the "
        f"cores with PostgreSQL; rate limits are off; {CUSTOMERS:,} customers; p50 and p99 are taken in each round",
        **{name: _figures(scene, rates, name) for name, scene in scenes.items()},
        "errors": sum(scene.tally.errors.total() for scene in scenes.values()),
        "drift": sum((abs(scene.tally.drift) for scene in scenes.values()), abs(books.all_wallets)),
        "all wallets together": books.all_wallets,
        "verify_ledger": {
            "checks": len(checks),
            "broken": [result.check.name for result in checks if result.broken is not None],
        },
    }


def _figures(scene: Scene, rates: Mapping[str, Series], name: str) -> dict[str, Any]:
    tally = scene.tally
    figures: dict[str, Any] = {
        "asks": scene.asks,
        "rate": rates[name],
        "p50": Series("ms", tally.p50[1:]),
        "p99": Series("ms", tally.p99[1:]),
    }
    if scene.beside is not None:
        figures[f"beside {scene.beside}"] = ratio(rates[name], rates[scene.beside])
    figures |= {"right answers": tally.right_answers, "errors": dict(tally.errors)}
    if scene.kind is not None:
        figures |= {"in the ledger": tally.in_the_ledger, "drift": tally.drift}
    return figures


# Scenes ------------------------------------------------------------------------------------------------------------
def _scenes(customers: Sequence[Customer], options: Options) -> dict[str, Scene]:
    """What is measured, in the order of a round."""
    chance = random.Random(1)  # noqa: S311 - repeatable choices
    most = MOST_PER_SECOND * options.seconds
    codes = Supply(customers, Voucher.Type.STANDARD, VOUCHER, most, options)
    numbers = Supply(customers, Voucher.Type.EASYPAY_TOPUP, TOP_UP, min(most, OPEN_TOP_UPS * len(customers)), options)
    receivers = cycle(customers)
    return {
        BARE: Scene(
            f"OPTIONS {TRANSFER_PATH}, signed in; the database is not asked",
            None,
            lambda: [Request("OPTIONS", TRANSFER_PATH, web.signed_in(one.public_id), status=405) for one in customers],
            again=True,
        ),
        ONE_READ: Scene(
            f"GET {READ_PATH}, one look-up by key",
            BARE,
            lambda: [Request("GET", READ_PATH, web.signed_in(one.public_id)) for one in customers],
            again=True,
        ),
        TRANSFERS: Scene(
            f"POST {TRANSFER_PATH}, anybody to anybody",
            BARE,
            lambda: [_transfer(*chance.sample(customers, 2)) for _ in range(most)],
            kind=Kind.TRANSFER,
        ),
        TO_ONE: Scene(
            f"POST {TRANSFER_PATH}, everybody to one, another one each round",
            BARE,
            lambda: _transfers_to(next(receivers), customers, most, chance),
            kind=Kind.TRANSFER,
        ),
        REDEEM: Scene(
            f"POST {REDEEM_PATH}, vouchers issued before, each once",
            BARE,
            lambda: [_redeem(chance.choice(customers), code) for code in codes.filled()],
            codes.used,
            kind=Kind.VOUCHER_REDEEM,
            gain=VOUCHER.amount,
        ),
        BARE_TILL: Scene(
            f"OPTIONS {TILL_PATH}, with a till's signature; the database is not asked",
            None,
            lambda: [_till("OPTIONS", number) for number in numbers.filled()],
            again=True,
        ),
        TILL: Scene(
            f"POST {TILL_PATH}, top-ups issued before, each paid once",
            BARE_TILL,
            lambda: [_till("POST", number) for number in numbers.filled()],
            numbers.used,
            kind=Kind.TOP_UP,
            gain=TOP_UP.amount - numbers.fees(),
        ),
    }


def _transfer(payer: Customer, payee: Customer) -> Request:
    body = {"to": payee.wallet_number, "amount": str(TRANSFER), "currency": TRANSFER.currency, "reference": ""}
    return _post(payer, TRANSFER_PATH, body, status=201)


def _transfers_to(payee: Customer, customers: Sequence[Customer], many: int, chance: random.Random) -> list[Request]:
    payers = [one for one in customers if one is not payee]
    return [_transfer(chance.choice(payers), payee) for _ in range(many)]


def _redeem(who: Customer, code: str) -> Request:
    return _post(who, REDEEM_PATH, {"code": code}, status=200)


def _post(who: Customer, path: str, body: Mapping[str, str], *, status: int) -> Request:
    headers = {**JSON, **web.signed_in(who.public_id), KEY_HEADER: uuid.uuid4().hex}
    return Request("POST", path, headers, json.dumps(body).encode(), status)


def _till(method: str, number: str) -> Request:
    """What a till sends; only POST moves money, and only `applied` is a right answer to it."""
    moment = now()
    body = {
        "easypay_number": number,
        "amount": str(TOP_UP),
        "provider_reference": uuid.uuid4().hex,
        "paid_at": iso_utc(moment),
    }
    text, timestamp = json.dumps(body).encode(), str(int(moment.timestamp()))
    signed = signature(settings.EASYPAY_SECRETS[0], timestamp=timestamp, body=text)
    headers = {**JSON, TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signed}
    if method == "OPTIONS":
        return Request(method, TILL_PATH, headers, text, status=405)
    return Request(method, TILL_PATH, headers, text, contains=b'"applied"')


def _play(scene: Scene, ask: Ask, port: int, seconds: int) -> float:
    """Right answers a second.

    :raises CommandError: there was none
    """
    requests, before = scene.requests(), _books()
    done = ask(port, requests, seconds=seconds, again=scene.again)
    after, tally = _books(), scene.tally
    scene.used(done)
    if not done.right_answers:
        raise CommandError(f"{scene.asks}: no answer was right: {dict(done.errors)}")
    tally.p50.append(percentile(done.latencies, 0.5))
    tally.p99.append(percentile(done.latencies, 0.99))
    tally.right_answers += done.right_answers
    tally.errors += done.errors
    tally.drift += after.customers - before.customers - done.right_answers * scene.gain
    if scene.kind is not None:
        tally.in_the_ledger += after.transfers.get(scene.kind, 0) - before.transfers.get(scene.kind, 0)
    return done.rate


def _books() -> Books:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(balance), sum(balance) FILTER (WHERE kind = 'customer') FROM wallets")
        all_wallets, customers = cursor.fetchone()
        cursor.execute("SELECT kind, count(*) FROM transfers GROUP BY kind")
        return Books(all_wallets, customers, dict(cursor.fetchall()))


# Who and what is there -----------------------------------------------------------------------------------------------
def _customers(many: int) -> list[Customer]:
    """Customers of tier 2 with FUNDS each."""
    made = []
    for part in _parts(range(many)):
        with transaction.atomic():
            for number in part:
                user, wallet = open_account(
                    email=f"benchmark{number}@example.com",
                    phone=f"+2771{number:07d}",
                    password=None,
                    first_name="Bench",
                    last_name="Mark",
                )
                made.append(_funded(user, wallet))
    return made


def _funded(user: User, wallet: Wallet) -> Customer:
    User.objects.filter(pk=user.pk).update(kyc_tier=2, id_verified=True, kyc_status=User.KycStatus.VERIFIED)
    give_demo_money(wallet=wallet, amount=FUNDS, key=_key("funds"))
    return Customer(user.public_id, wallet.number)


class Supply:
    """Codes or EasyPay numbers of vouchers nobody has used; those that a round leaves are there for the next."""

    def __init__(
        self, customers: Sequence[Customer], voucher_type: Voucher.Type, amount: Money, size: int, options: Options
    ) -> None:
        self._issuers = cycle(customers)
        self._type, self._amount, self._size = voucher_type, amount, size
        self._say = options.say
        self._waiting: list[str] = []

    def filled(self) -> list[str]:
        """As many as a round can use, after issuing what is missing."""
        missing = self._size - len(self._waiting)
        if missing:
            self._say(f"issuing {missing:,} vouchers, {self._type.value}")
        for part in _parts(range(missing)):
            with transaction.atomic():
                self._waiting += [_number(self._issued()) for _ in part]
        return self._waiting

    def used(self, done: Load) -> None:
        self._waiting = done.left(self._waiting)

    def fees(self) -> Decimal:
        """What each costs its issuer, VAT included."""
        voucher = self._issued()
        self._waiting.append(_number(voucher))
        return Decimal(voucher.fee_amount + voucher.vat_amount)

    def _issued(self) -> Voucher:
        return issue_voucher(
            user_public_id=next(self._issuers).public_id,
            voucher_type=self._type,
            amount=self._amount,
            key=_key("voucher"),
            now=now(),
        ).voucher


def _number(voucher: Voucher) -> str:
    """What is typed, or shown at a till."""
    return str(voucher.easypay_number or with_code(voucher, {})["code"])


def _key(what: str) -> IdempotencyKey:
    return IdempotencyKey("benchmark", uuid.uuid4().hex, hashlib.sha256(what.encode()).digest())


def _parts(numbers: range) -> Iterator[range]:
    for begin in range(0, len(numbers), BATCH):
        yield numbers[begin : begin + BATCH]
