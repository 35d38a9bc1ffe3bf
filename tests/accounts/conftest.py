from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from celery import current_app
from django.conf import settings as django_settings
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
def queue(settings: Any) -> Iterator[Callable[[], list[str]]]:
    """The tasks that wait for a worker, as the broker holds them."""
    from redis import Redis

    with Redis.from_url(django_settings.CELERY_BROKER_URL, decode_responses=True) as broker:
        broker.delete("celery")
        yield lambda: broker.lrange("celery", 0, -1)
        broker.delete("celery")


def code_in(message: Message | EmailMessage) -> str:
    found = CODE.findall(message.text if isinstance(message, Message) else str(message.body))
    assert len(found) == 1, message
    return str(found[0])


def to(messages: Sequence[Message | EmailMessage]) -> list[str]:
    return [message.to if isinstance(message, Message) else message.to[0] for message in messages]
