"""Telling somebody what was done about his account."""

from __future__ import annotations

from accounts.models import User
from mymoolah.common.dispatch import send_notice
from mymoolah.common.messages import Message


def tell(person: User, subject: str, text: str) -> None:
    """By the first contact that is confirmed, once the present transaction has committed; nobody without one is told."""
    if person.email_verified_at is not None:
        send_notice("email", Message(to=person.email, subject=subject, text=text))
    elif person.phone is not None and person.phone_verified_at is not None:
        send_notice("phone", Message(to=person.phone, subject=subject, text=f"{subject}. {text}"))
