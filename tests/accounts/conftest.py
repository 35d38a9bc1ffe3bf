from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from celery import current_app
from django.core.mail import EmailMessage
from kombu import pools

from accounts.models import User
from mymoolah.common.messages import MemorySms, Message

CODE = re.compile(r"\b[0-9]{6}\b")


@pytest.fixture
def clerk(db: None) -> User:
    """Somebody who works here."""
    user = User(email="clerk@example.com", first_name="Kagiso", last_name="Dube", is_staff=True)
    user.set_password("a-good-long-passphrase")
    user.save()
    return user


@pytest.fixture
def sms(settings: Any) -> Iterator[list[Message]]:
    """What was sent by SMS."""
    settings.SMS_BACKEND = "mymoolah.common.messages.MemorySms"
    MemorySms.outbox.clear()
    yield MemorySms.outbox
    MemorySms.outbox.clear()


@pytest.fixture
def patient(settings: Any) -> None:
    """No limit of requests a minute is reached; whatever else is counted is."""
    settings.RATE_LIMITS_PER_MINUTE = dict.fromkeys(settings.RATE_LIMITS_PER_MINUTE, 100_000)


@pytest.fixture
def no_redis(settings: Any) -> None:
    """A cache whose server is not there."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock?db=0"}}


@pytest.fixture
def queue(worker_at_hand: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """A broker without a worker; the tasks that wait for one, as it holds them."""
    current_app.conf.task_always_eager = False
    # In a database of its own, where no other test clears its cache meanwhile.
    url = re.sub("virtual_host=[0-9]+", "virtual_host=15", current_app.conf.broker_url)
    with current_app.connection_for_write(url) as connection:
        connection.virtual_host = "15"
        channel: Any = connection.default_channel
        monkeypatch.setattr(current_app, "producer_or_acquire", lambda *_: current_app.amqp.Producer(channel))
        channel.client.delete("celery")
        yield lambda: channel.client.lrange("celery", 0, -1)
        channel.client.delete("celery")


@pytest.fixture(params=["gone", "hangs"])
def no_broker(worker_at_hand: None, request: pytest.FixtureRequest) -> Iterator[None]:
    """A broker that is not there, or takes a connection and then says nothing."""
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        broker_at(
            "redis+socket:///nowhere/redis.sock"
            if request.param == "gone"
            else f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        ),
    ):
        yield


@contextmanager
def broker_at(url: str) -> Iterator[None]:
    """Tasks are handed to the broker at `url`, as the settings say how."""
    conf = current_app.conf
    before = {name: conf[name] for name in ("task_always_eager", "broker_url", "broker_write_url")}
    conf.update(task_always_eager=False, broker_url=url, broker_write_url=url)
    forget_connections()
    yield
    forget_connections()
    conf.update(before)


def forget_connections() -> None:
    """The next task is handed over by a new connection."""
    pools.reset()
    current_app.amqp.__dict__["_producer_pool"] = current_app.__dict__["_pool"] = None


def code_in(message: Message | EmailMessage) -> str:
    found = CODE.findall(message.text if isinstance(message, Message) else str(message.body))
    assert len(found) == 1, message
    return str(found[0])


def to(messages: Sequence[Message | EmailMessage]) -> list[str]:
    return [message.to if isinstance(message, Message) else message.to[0] for message in messages]
