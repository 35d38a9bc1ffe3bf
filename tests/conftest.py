"""Real servers, a template database, and the people of the stories: Thandi pays, Sipho receives, Naledi is a stranger."""

from __future__ import annotations

import fcntl
import threading
import uuid
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from accounts.models import User
from mymoolah.common import embedded
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from transactions import posting
from transactions.models import Kind
from transactions.posting import House, Leg, Posted
from wallets import services as wallet_services
from wallets.models import Wallet

TEMPLATE = "mymoolah_template"
RUNNING = pytest.StashKey[embedded.Running]()


# Servers -----------------------------------------------------------------------------------------------------------
def pytest_configure(config: pytest.Config) -> None:
    """Start servers of the tests' own, unless the environment names some, and point Django at them."""
    if not settings.EMBEDDED:
        return
    worker = getattr(config, "workerinput", None)
    if worker is None:
        folder = Path(config.cache.mkdir("servers")) / uuid.uuid4().hex[:8]  # type: ignore[union-attr]
        config.stash[RUNNING] = embedded.start(folder, durable=False)
        point_at(asdict(config.stash[RUNNING].servers), cache_number=0)
    else:
        point_at(worker["servers"], cache_number=int(worker["workerid"].removeprefix("gw")) + 1)


def pytest_configure_node(node: Any) -> None:
    if RUNNING in node.config.stash:
        node.workerinput["servers"] = asdict(node.config.stash[RUNNING].servers)


def pytest_unconfigure(config: pytest.Config) -> None:
    if RUNNING in config.stash:
        connections.close_all()
        config.stash[RUNNING].remove()


def point_at(servers: dict[str, str], *, cache_number: int) -> None:
    from mymoolah.settings import database

    for alias, url in (("default", servers["database_url"]), ("owner", servers["database_owner_url"])):
        connections.settings[alias].update({k: v for k, v in database(url).items() if k in {"HOST", "USER", "NAME"}})
    settings.CACHES["default"]["LOCATION"] = servers["redis_url"].replace("db=0", f"db={cache_number}")


# Databases ---------------------------------------------------------------------------------------------------------
def administer(*statements: sql.Composable) -> None:
    """Run statements as the owner, outside any transaction and beside the databases of the tests."""
    params = connections["owner"].get_connection_params()
    known = {key: params[key] for key in params.keys() & {"host", "port", "user", "password"}}
    with psycopg.connect(**known, dbname=HOME[0], autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


HOME: list[str] = []  # the database the owner starts from; the tests' own are cloned beside it


def use_database(name: str) -> None:
    connections.close_all()
    for alias in ("default", "owner"):
        connections.settings[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name


def clone(name: str) -> None:
    administer(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE)))


def drop(name: str) -> None:
    connections.close_all()
    administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def template(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    """A migrated database to clone, made once for all workers by the first that comes."""
    HOME.append(connections.settings["owner"]["NAME"])
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    with (shared / "template.lock").open("w") as lock_file, django_db_blocker.unblock():
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if (shared / "template.made").exists():
            return
        drop(TEMPLATE)
        administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        use_database(TEMPLATE)
        call_command("migrate", verbosity=0)
        connections.close_all()
        (shared / "template.made").touch()


@pytest.fixture(scope="session")
def django_db_setup(template: None, django_db_blocker: Any, worker_id: str) -> Iterator[None]:
    """The database of tests that roll back, used as the app's role."""
    name = f"test_{worker_id}_{uuid.uuid4().hex[:8]}"
    with django_db_blocker.unblock():
        clone(name)
        use_database(name)
        yield
        drop(name)


@pytest.fixture
def ledger(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A fresh database in which everything commits for real; `verify_ledger` has the last word."""
    before, name = connections.settings["default"]["NAME"], f"ledger_{uuid.uuid4().hex}"
    with django_db_blocker.unblock():
        clone(name)
        use_database(name)
        try:
            yield
            call_command("verify_ledger", verbosity=0)
        finally:
            use_database(before)
            drop(name)


@pytest.fixture
def owner_sql(ledger: None) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Speak SQL as the owner; each call commits, deferred rules included."""
    yield lambda statement, *values: _run("owner", statement, values)


@pytest.fixture
def app_sql(ledger: None) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Speak SQL as the role of web and workers; each call commits."""
    yield lambda statement, *values: _run("default", statement, values)


def _run(alias: str, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(autouse=True)
def empty_cache(request: pytest.FixtureRequest) -> None:
    if {"db", "ledger", "client"} & set(request.fixturenames):
        cache.clear()


# People ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Person:
    user: User
    wallet: Wallet


def person(name: str, *, tier: int = 2, currency: str = "ZAR") -> Person:
    """A customer with verified contacts and a wallet."""
    user, wallet = wallet_services.open_account(
        email=f"{name}@example.com",
        phone=PHONES.get(name) or f"+2783{zlib.crc32(name.encode()) % 10**7:07d}",
        password="a-good-long-passphrase",
        first_name=name.capitalize(),
        last_name="Mokoena",
    )
    moment = now()
    User.objects.filter(pk=user.pk).update(
        email_verified_at=moment,
        phone_verified_at=moment,
        kyc_tier=tier,
        id_verified=tier > 0,
        kyc_status=User.KycStatus.VERIFIED if tier > 0 else User.KycStatus.NOT_STARTED,
    )
    user.refresh_from_db()
    if currency != "ZAR":
        wallet = wallet_services.open_wallet(user=user, currency=currency)
    return Person(user, wallet)


PHONES = {"thandi": "+27821110001", "sipho": "+27821110002", "naledi": "+27821110003"}


@pytest.fixture
def thandi(request: pytest.FixtureRequest) -> Person:
    return _someone(request, "thandi")


@pytest.fixture
def sipho(request: pytest.FixtureRequest) -> Person:
    return _someone(request, "sipho")


@pytest.fixture
def naledi(request: pytest.FixtureRequest) -> Person:
    return _someone(request, "naledi")


def _someone(request: pytest.FixtureRequest, name: str) -> Person:
    if "ledger" in request.fixturenames:
        request.getfixturevalue("ledger")
    else:
        request.getfixturevalue("db")
    return person(name)


def fund(who: Person, amount: str) -> Posted:
    """Put money into somebody's wallet, as finance would."""
    leg = Leg(
        kind=Kind.ADJUSTMENT,
        source=House(Wallet.Kind.ADJUSTMENTS, who.wallet.pk),
        target=who.wallet.pk,
        amount=Money.parse(amount, who.wallet.currency),
    )
    return posting.post([leg])[0]


def balance(who: Person) -> Money:
    wallet = Wallet.objects.get(pk=who.wallet.pk)
    return Money(wallet.balance, wallet.currency)


@pytest.fixture
def race(ledger: None) -> Callable[..., list[Any]]:
    """Do something `times` times at once; what each call returned or raised."""

    def run(times: int, work: Callable[[], Any]) -> list[Any]:
        barrier = threading.Barrier(times)

        def one(_: int) -> Any:
            try:
                barrier.wait(timeout=30)
                return work()
            except Exception as error:
                return error
            finally:
                connections.close_all()

        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(one, range(times)))

    return run
