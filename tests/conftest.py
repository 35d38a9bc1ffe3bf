"""Real servers, a template database, and the people of the stories: Thandi pays, Sipho receives, Naledi is a stranger."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import json
import os
import shutil
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from wsgiref.types import WSGIApplication

import psycopg
import pytest
from celery import current_app
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import CommandError, call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import Error, connections
from django_ratelimit import core
from psycopg import sql

from accounts.models import User
from mymoolah.common import embedded, read_cache
from mymoolah.common.clock import now
from mymoolah.common.money import Money
from mymoolah.common.read_cache import storage
from mymoolah.common.read_cache.permission import Known
from mymoolah.common.retries import sqlstate
from transactions import posting
from transactions import services as transaction_services
from transactions.models import Kind
from transactions.posting import House, IdempotencyKey, Leg, Posted
from wallets import services as wallet_services
from wallets.models import Wallet

RUNNING = pytest.StashKey[embedded.Running]()
RUN_ID = "MYMOOLAH_TEST_RUN"  # an environment variable, so that the workers of one run share its template
ADMIN_URL = "MYMOOLAH_TEST_ADMIN_URL"  # of a superuser; only for tests that must break what no role can
# What a process knows that neither reads the read cache nor tells of changes, and never asks whether it may.
NEVER_ASKED = Known(asked_at=float("inf"), seen_at=float("-inf"), epoch="", is_closed=True, may_open=False)

ROOM_BYTES = 4 * 1024**3

Sql = Callable[..., list[tuple[Any, ...]]]


# Servers -----------------------------------------------------------------------------------------------------------
class QuickArgon2(Argon2PasswordHasher):
    """The same algorithm at the lowest cost it has: the people of the tests need no safety."""

    time_cost, memory_cost, parallelism = 1, 8, 1


def pytest_configure(config: pytest.Config) -> None:
    """Start servers of the tests' own, unless the environment names some, and point Django at them."""
    settings.PASSWORD_HASHERS = [f"{QuickArgon2.__module__}.{QuickArgon2.__name__}"]
    settings.QUERY_LOG_SAMPLE_SHARE = 0.0  # chance has no part in a test
    # Statements are counted, and rows changed behind everybody's back: who tests the cache switches it on (kept_answers).
    settings.READ_CACHE, os.environ["MYMOOLAH_READ_CACHE"] = False, "off"
    settings.READ_CACHE_FAMILIES = [one.name for one in read_cache.FAMILIES]
    os.environ["MYMOOLAH_READ_CACHE_FAMILIES"] = ",".join(settings.READ_CACHE_FAMILIES)
    read_cache.gate._known = NEVER_ASKED
    worker = getattr(config, "workerinput", None)
    if worker is None:
        os.environ[RUN_ID] = uuid.uuid4().hex[:8]
    if not settings.EMBEDDED:
        return
    if worker is None:
        bin_dir = os.environ.get("MYMOOLAH_TEST_PG_BIN")
        home = servers_home(config)
        remove_left_over_servers(home)
        folder = home / f"{os.getpid()}-{os.environ[RUN_ID]}"
        config.stash[RUNNING] = embedded.start(folder, durable=False, postgres_bin=Path(bin_dir) if bin_dir else None)
        point_at(asdict(config.stash[RUNNING].servers), cache_number=0)
    else:
        point_at(worker["servers"], cache_number=int(worker["workerid"].removeprefix("gw")) + 1)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    if RUNNING in node.config.stash:
        node.workerinput["servers"] = asdict(node.config.stash[RUNNING].servers)


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    connections.close_all()
    if RUNNING in config.stash:
        config.stash[RUNNING].remove()
    elif not settings.EMBEDDED:
        drop(template_name())


def servers_home(config: pytest.Config) -> Path:
    """In memory where there is room: a database is cloned for each test, thirty times faster than on a busy disk."""
    memory = Path("/dev/shm")  # noqa: S108 - the servers make a folder of mode 0700 there
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_BYTES:
        return memory / f"mymoolah-tests-{os.getuid()}"
    assert config.cache is not None
    return config.cache.mkdir("servers")


def remove_left_over_servers(home: Path) -> None:
    """Stop and delete what runs that were killed have left behind."""
    for folder in home.glob("*-*"):
        if not Path(f"/proc/{folder.name.partition('-')[0]}").exists():
            with contextlib.suppress(embedded.EmbeddedError):
                embedded.start(folder, durable=False).remove()
            shutil.rmtree(folder, ignore_errors=True)


def point_at(servers: dict[str, str], *, cache_number: int) -> None:
    from mymoolah.settings import database

    for alias, url in (("default", servers["database_url"]), ("owner", servers["database_owner_url"])):
        connections.settings[alias].update({k: v for k, v in database(url).items() if k in {"HOST", "USER", "NAME"}})
    settings.CACHES["default"]["LOCATION"] = servers["redis_url"].replace("db=0", f"db={cache_number}")
    settings.READ_CACHE_URL = settings.CACHES["default"]["LOCATION"]
    settings.CELERY_BROKER_URL = servers["broker_url"]
    os.environ[ADMIN_URL] = servers["database_admin_url"]


# Databases ---------------------------------------------------------------------------------------------------------
def administer(*statements: sql.Composed) -> None:
    """Run statements on databases, beside them all: as a superuser if we have one, else as the owner."""
    if ADMIN_URL in os.environ:
        connection = psycopg.connect(os.environ[ADMIN_URL], autocommit=True)
    else:
        params = connections["owner"].get_connection_params()
        known = {key: params[key] for key in params.keys() & {"host", "port", "user", "password"}}
        connection = psycopg.connect(**known, dbname="postgres", autocommit=True)
    with connection:
        for statement in statements:
            connection.execute(statement)


def template_name() -> str:
    return f"template_{os.environ[RUN_ID]}"


def create(name: str, *, template: str) -> None:
    """Make a database with the privileges that bootstrap.sql gives; a template does not pass them on."""
    owner, app = (sql.Identifier(connections.settings[alias]["USER"]) for alias in ("owner", "default"))
    database = sql.Identifier(name)
    administer(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY").format(
            database, owner, sql.Identifier(template)
        ),
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database),
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, app),
    )


def use_database(name: str) -> None:
    connections.close_all()
    for alias in ("default", "owner"):
        connections.settings[alias]["NAME"] = name  # the same dict that every connection of this alias reads


def drop(name: str) -> None:
    connections.close_all()
    statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    try:
        administer(statement + sql.SQL(" WITH (FORCE)"))
    except psycopg.errors.InsufficientPrivilege:  # an autovacuum worker is there: without force PostgreSQL ends it
        administer(statement)


@pytest.fixture(scope="session")
def template(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> str:
    """A migrated database to clone, made once for all workers by the first that comes."""
    home, name = connections.settings["owner"]["NAME"], template_name()
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    with (shared / "template.lock").open("w") as lock_file, django_db_blocker.unblock():
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if not (shared / "template.made").exists():
            # Our own server's first database is empty and has its extensions; somebody else's may be full.
            create(name, template=home if settings.EMBEDDED else "template0")
            use_database(name)
            call_command("migrate", verbosity=0)
            _run("owner", "UPDATE read_cache SET closed_at = '-infinity'", ())
            use_database(home)
            (shared / "template.made").touch()
    return name


@pytest.fixture(scope="session")
def django_db_setup(template: str, django_db_blocker: Any, worker_id: str) -> Iterator[None]:
    """The database of tests that roll back, used as the app's role."""
    name = f"test_{worker_id}_{uuid.uuid4().hex[:8]}"
    with django_db_blocker.unblock():
        create(name, template=template)
        use_database(name)
        yield
        drop(name)


@dataclass
class Ledger:
    """A database of one test's own; broken once `breaks` has seen it so."""

    name: str
    is_broken: bool = field(default=False)


@contextlib.contextmanager
def database_of_its_own(template: str) -> Iterator[Ledger]:
    """A fresh database in which everything commits for real; `verify_ledger` has the last word."""
    before, fresh = connections.settings["default"]["NAME"], Ledger(f"ledger_{uuid.uuid4().hex}")
    create(fresh.name, template=template)
    use_database(fresh.name)
    try:
        yield fresh
        if not fresh.is_broken:
            call_command("verify_ledger", verbosity=0)
    finally:
        use_database(before)
        drop(fresh.name)


@pytest.fixture
def ledger(django_db_setup: None, template: str, django_db_blocker: Any) -> Iterator[Ledger]:
    with django_db_blocker.unblock(), database_of_its_own(template) as fresh:
        yield fresh


@pytest.fixture
def breaks(ledger: Ledger) -> Callable[[str], dict[str, str | None]]:
    """Assert that `verify_ledger` names this check, and return the first broken row it shows."""

    def broken_row(name: str) -> dict[str, str | None]:
        ledger.is_broken = True
        output = StringIO()
        with pytest.raises(CommandError, match=f"(?m)^{name}: "):
            call_command("verify_ledger", "--json", stdout=output)
        checks = json.loads(output.getvalue())["checks"]
        row: dict[str, str | None] = next(check["first_broken_row"] for check in checks if check["name"] == name)
        return row

    return broken_row


@pytest.fixture
def owner_sql(ledger: Ledger) -> Sql:
    """Speak SQL as the owner; each call commits, deferred rules included."""
    return lambda statement, *values, **named: _run("owner", statement, named or values)


@pytest.fixture
def app_sql(ledger: Ledger) -> Sql:
    """Speak SQL as the role of web and workers; each call commits."""
    return lambda statement, *values, **named: _run("default", statement, named or values)


@pytest.fixture
def admin_sql(ledger: Ledger) -> Iterator[Sql]:
    """Speak SQL as a superuser for whom no trigger fires and no foreign key is checked: what a forger could wish for."""
    if ADMIN_URL not in os.environ:
        pytest.skip(f"{ADMIN_URL} is not set")
    with superuser(ledger.name) as run:
        yield run


@contextlib.contextmanager
def superuser(database: str) -> Iterator[Sql]:
    """What `admin_sql` speaks, in a database that is named."""
    with psycopg.connect(os.environ[ADMIN_URL], dbname=database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")

        def run(statement: str, *values: Any, **named: Any) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement, named or values or None)
            return cursor.fetchall() if cursor.description else []

        yield run


@contextlib.contextmanager
def refused(state: str) -> Iterator[None]:
    """Assert that the database refuses what follows, with this SQLSTATE."""
    with pytest.raises(Error) as caught:
        yield
    assert sqlstate(caught.value) == state, caught.value


def _run(alias: str, statement: str, values: tuple[Any, ...] | dict[str, Any]) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def answers_kept() -> Iterator[None]:
    """The read cache, open and empty, for readers and writers of this process."""
    before = settings.READ_CACHE, read_cache.gate._known
    _run("owner", "UPDATE read_cache SET closed_at = NULL, opened_at = '-infinity', epoch = epoch + 1", ())
    settings.READ_CACHE = True
    read_cache.gate._known = None
    read_cache.store.breaker.went_well()
    try:
        yield
    finally:
        settings.READ_CACHE, read_cache.gate._known = before


@pytest.fixture
def kept_answers(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For tests of anything but failing: a busy machine is no reason to leave the cache alone."""
    monkeypatch.setattr(storage, "PATIENCE_SECONDS", 10.0)
    storage._client.cache_clear()
    with answers_kept():
        yield
    storage._client.cache_clear()


@pytest.fixture(autouse=True)
def empty_cache(request: pytest.FixtureRequest) -> None:
    needs = {"db", "ledger", "client", "thandi", "sipho", "naledi"} & set(request.fixturenames)
    if needs or request.node.get_closest_marker("django_db"):
        cache.clear()


# Over HTTP ---------------------------------------------------------------------------------------------------------
class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        pass


@pytest.fixture
def address(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The application on a port of its own, until the test ends."""
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["127.0.0.1"])
    with serving(WSGIHandler()) as url:
        yield url


@contextlib.contextmanager
def serving(application: WSGIApplication) -> Iterator[str]:
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


@pytest.fixture
def one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the clock of the counters, lest a minute ends in the middle of a test."""
    moment = time.time()
    monkeypatch.setattr(core, "time", SimpleNamespace(time=lambda: moment))


@pytest.fixture
def worker_at_hand() -> Iterator[None]:
    """Tasks are done as they are asked for."""
    before = current_app.conf.task_always_eager, current_app.conf.task_eager_propagates
    current_app.conf.task_always_eager = current_app.conf.task_eager_propagates = True
    yield
    current_app.conf.task_always_eager, current_app.conf.task_eager_propagates = before


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


def fund(who: Person, amount: str, *, at: dt.datetime | None = None) -> Posted:
    """Put money into somebody's wallet, as the demo does."""
    leg = Leg(
        kind=Kind.DEMO_MONEY,
        source=House(Wallet.Kind.ADJUSTMENTS, who.wallet.pk),
        target=who.wallet.pk,
        amount=Money.parse(amount, who.wallet.currency),
    )
    return posting.post([leg], at=at)[0]


def send(sender: Person, recipient: Person, amount: str, *, key: str | None = None) -> Posted:
    """What a customer does, with a new key unless one is named."""
    money = Money.parse(amount, sender.wallet.currency)
    asked = f"{recipient.wallet.pk} {money} {money.currency}"
    return transaction_services.send_money(
        sender_wallet_id=sender.wallet.pk,
        recipient_wallet_id=recipient.wallet.pk,
        amount=money,
        reference="Lunch",
        user_id=sender.user.pk,
        key=IdempotencyKey(
            f"user:{sender.user.public_id}", key or uuid.uuid4().hex, hashlib.sha256(asked.encode()).digest()
        ),
    )


def balance(who: Person) -> Money:
    wallet = Wallet.objects.get(pk=who.wallet.pk)
    return Money(wallet.balance, wallet.currency)


@pytest.fixture
def race(ledger: Ledger) -> Callable[..., list[Any]]:
    """Do something `times` times at once; what each call returned or raised."""

    def run(times: int, work: Callable[[], Any]) -> list[Any]:
        barrier = threading.Barrier(times)

        def one(_: int) -> Any:
            try:
                barrier.wait(timeout=30)
                return work()
            except Exception as error:  # noqa: BLE001 - an answer like any other; the test compares them
                return error
            finally:
                connections.close_all()

        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(one, range(times)))

    return run
