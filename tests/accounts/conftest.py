from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from celery import current_app
from django.core.mail import EmailMessage

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
def worker_at_hand() -> Iterator[None]:
    """Tasks are done as they are asked for."""
    before = current_app.conf.task_always_eager, current_app.conf.task_eager_propagates
    current_app.conf.task_always_eager = current_app.conf.task_eager_propagates = True
    yield
    current_app.conf.task_always_eager, current_app.conf.task_eager_propagates = before


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


def code_in(message: Message | EmailMessage) -> str:
    found = CODE.findall(message.text if isinstance(message, Message) else str(message.body))
    assert len(found) == 1, message
    return str(found[0])


def to(messages: Sequence[Message | EmailMessage]) -> list[str]:
    return [message.to if isinstance(message, Message) else message.to[0] for message in messages]
