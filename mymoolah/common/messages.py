"""Messages to people, by e-mail (Django's mail framework) or by SMS (a backend that `SMS_BACKEND` names).

Requests hand them to a worker: see dispatch.py.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from django.conf import settings
from django.core.mail import send_mail
from django.utils.module_loading import import_string

Kind = Literal["email", "phone"]


class MessageNotSent(Exception):
    """What a backend of ours raises when it cannot pass a message on."""


@dataclass(frozen=True, kw_only=True)
class Message:
    to: str
    subject: str
    text: str


class SmsBackend(Protocol):
    """What `SMS_BACKEND` names: a class, made anew for every message."""

    def send(self, *, to: str, text: str) -> None:
        """Send `text` to a number in E.164.

        :raises MessageNotSent, OSError: it was not sent
        """


class ConsoleSms:
    """For development: the message stands where the server writes."""

    def send(self, *, to: str, text: str) -> None:
        sys.stdout.write(f"SMS to {to}: {text}\n")
        sys.stdout.flush()


class MemorySms:
    """For tests: messages are kept."""

    outbox: ClassVar[list[Message]] = []

    def send(self, *, to: str, text: str) -> None:
        self.outbox.append(Message(to=to, subject="", text=text))


class NoSms:
    """For production until it names a backend of its own: nothing is sent, and nothing of it is written down."""

    def send(self, *, to: str, text: str) -> None:
        raise MessageNotSent("MYMOOLAH_SMS_BACKEND names no backend")


def send(kind: Kind, message: Message) -> None:
    """Send a message now; an SMS has no subject.

    :raises MessageNotSent, OSError: it was not sent
    """
    if kind == "email":
        send_mail(message.subject, message.text, None, [message.to])
    else:
        backend: SmsBackend = import_string(settings.SMS_BACKEND)()
        backend.send(to=message.to, text=message.text)
